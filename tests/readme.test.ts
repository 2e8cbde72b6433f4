/** What README and docs say is there: files and headings they link to, commands, flags, configurations. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { Fault } from '../src/base/fault.ts'
import { readConfig } from '../src/config/config.ts'

const root = resolve(import.meta.dirname, '..')
const pages = globSync(['*.md', 'docs/**/*.md', 'src/*/README.md', 'tests/*/README.md'], {
  cwd: root,
})
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const manifest = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

interface Block {
  readonly language: string
  readonly text: string
  /** Of its first line in the page. */
  readonly line: number
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^( *)```(\w*)[^\n]*\n([^]*?)^\1```/gm)].map((found) => ({
    language: found[2] ?? '',
    text: (found[3] ?? '').replaceAll(new RegExp(`^${found[1]}`, 'gm'), ''),
    line: page.slice(0, found.index).split('\n').length + 1,
  }))
}

const withoutBlocks = (page: string): string => page.replace(/^( *)```[^]*?^\1```/gm, '')

/** The ids which GitHub gives to the headings of a page. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, title = ''] of withoutBlocks(page).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = title
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    let id = slug
    for (let i = 1; anchors.has(id); i++) id = `${slug}-${i}`
    anchors.add(id)
  }
  return anchors
}

/** Links of a page to nowhere: files and headings that are not there. */
function deadLinks(file: string, text: string): string[] {
  const links = [...withoutBlocks(text).matchAll(/\]\(<?([^)>\s]+)>?(?: "[^"]*")?\)/g)]
  return links.flatMap(([, link = '']) => {
    if (/^[a-z]+:/i.test(link)) return []
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? join(root, file) : resolve(root, dirname(file), path)
    if (!existsSync(target) || relative(root, target).startsWith('..')) return [link]
    if (anchor === undefined) return []
    const page = statSync(target).isFile() ? readFileSync(target, 'utf8') : ''
    return anchorsOf(page).has(anchor) ? [] : [link]
  })
}

test('every link of README and docs leads to a file and a heading that are there', () => {
  assert.ok(pages.includes('README.md') && pages.length > 15)
  for (const file of pages) assert.deepEqual(deadLinks(file, read(file)), [], file)
})

test('a link to nowhere is found', () => {
  const page = '# A b\n[x](#a-b) [x](README.md#sallyport) [x](none.md) [x](#c) [x](README.md#none)'
  assert.deepEqual(deadLinks('x.md', page).slice(-3), ['none.md', '#c', 'README.md#none'])
})

/** Code that a reader may type: blocks of shell, and what stands between backticks. */
function typed(page: string): string[] {
  const shell = blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))
  const spans = [...withoutBlocks(page).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
  return [...shell, ...spans]
}

test('every npm script that is named is in package.json', () => {
  let found = 0
  for (const file of pages) {
    for (const code of typed(read(file))) {
      for (const [, run, short] of code.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)) {
        found++
        assert.ok(Object.hasOwn(manifest.scripts, run ?? short ?? ''), `${file}: ${code}`)
      }
    }
  }
  assert.ok(found >= 4)
})

const helps = new Map<string, string>()

function help(...command: string[]): string {
  const key = command.join(' ')
  const known = helps.get(key)
  if (known !== undefined) return known
  const text = execFileSync(join(root, 'bin/sallyport'), [...command, '--help'], {
    encoding: 'utf8',
  })
  helps.set(key, text)
  return text
}

test('every command and flag of sallyport that is named is one it has', () => {
  const commands = new Set([...help().matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name))
  let found = 0
  for (const file of pages) {
    for (const code of typed(read(file))) {
      const [, command, rest = ''] =
        /(?:^|[\s/;&|])sallyport ([a-z]+)(?= |$)([^|;&#]*)/.exec(code) ?? []
      if (command === undefined) continue
      found++
      assert.ok(commands.has(command), `${file}: ${code}`)
      const part = /^ ([a-z]+)\b/.exec(rest)?.[1]
      const isGroup = help(command).includes('\nCommands:')
      const words = isGroup && part !== undefined ? [command, part] : [command]
      if (words.length > 1) {
        assert.match(help(command), new RegExp(`^ {2}${part}\\b`, 'm'), `${file}: ${code}`)
      }
      for (const [flag] of rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) {
        assert.match(help(...words), new RegExp(`(?:^|[\\s,])${flag}\\b`, 'm'), `${file}: ${code}`)
      }
    }
  }
  assert.ok(found >= 15, `only ${found} uses were found`)
  assert.ok(help('serve').includes('--port'), 'the flags are there to be found')
})

test('files and folders that are named as paths of the repository exist', () => {
  for (const file of pages) {
    for (const [, path = ''] of withoutBlocks(read(file)).matchAll(
      /`((?:src|tests|docs|bin|bench|examples|schema)\/[\w./-]+)`/g,
    )) {
      const isMade = path.startsWith('bench/results/') // By a run of the bench; not kept.
      assert.ok(isMade || existsSync(join(root, path)), `${file} names ${path}`)
    }
  }
})

test('configurations in README and docs, and the example, have no mistake', () => {
  const whole = [{ where: 'examples/sallyport.yaml', text: read('examples/sallyport.yaml') }]
  for (const file of pages) {
    for (const { language, text, line } of blocksOf(read(file))) {
      if (language !== 'yaml') continue
      // A part of a file is tried as well, beside what a whole file must have.
      const has = (key: string): boolean => new RegExp(`^${key}:`, 'm').test(text)
      const named = /\bconnection: ([a-z][a-z0-9-]*)/.exec(text)?.[1] ?? 'shop'
      const issuers = new Set(text.match(/(?<=\bissuer: )[a-z][a-z0-9-]*(?=[ ,}\n])/g))
      const others = [...issuers.difference(new Set(['local', 'service-accounts']))].map(
        (name) => `, { name: ${name}, type: oidc, issuer: "https://${name}.example.com" }`,
      )
      const least = {
        identity: `{ issuers: [{ name: local, type: local }${others.join('')}] }`,
        connections: `[{ name: ${named}, url: "http://127.0.0.1:8080/mcp" }]`,
        public_url: 'https://mcp.example.com',
      }
      const rest = Object.entries(least).flatMap(([key, value]) =>
        has(key) ? [] : [`${key}: ${value}`],
      )
      whole.push({ where: `${file}:${line}`, text: `${text}\n${rest.join('\n')}\n` })
    }
  }
  assert.ok(whole.length > 1)
  for (const { where, text } of whole) {
    try {
      readConfig(text, join(root, 'sallyport.yaml'))
    } catch (error) {
      assert.fail(`${where}: ${error instanceof Fault ? error.message : String(error)}`)
    }
  }
})

test('JSON in README and docs can be parsed', () => {
  for (const file of pages) {
    for (const { language, text, line } of blocksOf(read(file))) {
      if (language === 'json') assert.doesNotThrow(() => JSON.parse(text), `${file}:${line}`)
    }
  }
})

test('every command of the program has a line in README', () => {
  const table = read('README.md')
  for (const [, name = ''] of help().matchAll(/^ {2}([a-z-]+)(?=[ []|$)(?!.*display help)/gm)) {
    assert.match(table, new RegExp(`^\\| \`sallyport ${name}\\b`, 'm'))
  }
})
