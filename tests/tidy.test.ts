/** The rules of the house which no tool knows. Each is tried on what breaks it as well. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { test } from 'node:test'

// The rows in the order of the data's way: a folder may import from rows above, and from itself.
const floor = 'base wire cards tlog cel config secrets'.split(' ')
const way = 'listener identity session mask record inspect policy hold upstream'.split(' ')
const rows = [
  ...floor,
  ...way,
  'search replay verify witness',
  'signin',
  'notify',
  'exchange oauth scim console',
  'cli',
]
const height = new Map(rows.flatMap((row, i) => row.split(' ').map((name) => [name, i] as const)))
const evidence = /(policy\/permit|mask\/masked|record\/durable|hold\/approval)\.ts$/
const importing = /^(?:import|export)\b(\s+type\b)?(?:[^'";]*?\bfrom)?\s*['"](\.[^'"]+)['"]/gm
const importingLate = /\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g

function strays(file: string, text: string): string[] {
  const [, from = ''] = file.split(sep)
  const late = [...text.matchAll(importingLate)].map(([all, path]) => [all, undefined, path])
  return [...text.matchAll(importing), ...late].flatMap(([, type, path = '']) => {
    const target = join(file, '..', path)
    const [root, to = ''] = target.split(sep)
    const isInside = root === 'src' && height.has(from) && height.has(to)
    const isBack = (height.get(to) ?? Infinity) < (height.get(from) ?? -1)
    const isTest = /\.(test|fixture)\.ts$/.test(file) && root === 'tests' // What tests share: `tests/cards.ts`.
    const isFine =
      isTest || (isInside && (to === from || isBack || (type && evidence.test(target))))
    return isFine ? [] : [`${file} -> ${target}`]
  })
}

/** Everything that is or would be in the repository, with `/` between the parts of a path. */
function ourFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const listed = execFileSync('git', args, { encoding: 'utf8' }).split('\0').filter(Boolean)
  return listed.filter((file) => existsSync(file) && statSync(file).isFile())
}
const hasGit = existsSync('.git')
const files = hasGit
  ? ourFiles()
  : globSync('{src,tests,bench,docs,bin,.ci}/**/*.*').map((file) => file.split(sep).join('/'))
const sources = globSync('src/**/*.ts')
const ours = /^(src|tests|bench|examples|web)\/.*\.(ts|tsx)$/

test('the house is there to be looked at', () => {
  assert.ok(sources.length > 0, 'no source files found: run this from the repository root')
  assert.ok(files.includes('package.json') || !hasGit)
})

test('imports point back along the way of the data, or down', () => {
  for (const file of sources) assert.deepEqual(strays(file, readFileSync(file, 'utf8')), [])
})
const forward = "from '../policy/permit.ts'"
const stray: readonly [what: string, file: string, text: string, found: number][] = [
  ['an import that points forward', 'src/record/append.ts', `import { decide } ${forward}`, 1],
  ['one over several lines', 'src/record/append.ts', `import {\n  decide,\n} ${forward}`, 1],
  ['one that is passed on', 'src/record/append.ts', `export { decide } ${forward}`, 1],
  ['one for its effects alone', 'src/record/append.ts', "import '../cli/main.ts'", 1],
  ['one made while running', 'src/record/a.ts', "await import('../cli/main.ts')", 1],
  ['one from a folder without a row', 'src/record/a.ts', "import { x } from '../helper/x.ts'", 1],
  ['one into a folder without a row', 'src/helper/a.ts', "import { x } from '../base/ids.ts'", 1],
  ['one that leaves the sources', 'src/base/a.ts', "import { x } from '../../tests/x.ts'", 1],
  [
    'what tests share, in a test',
    'src/base/a.test.ts',
    "import { pan } from '../../tests/cards.ts'",
    0,
  ],
  ['one between two of a row', 'src/console/a.ts', "import { x } from '../exchange/x.ts'", 1],
  [
    'the type of an evidence file, ahead',
    'src/record/a.ts',
    `import type { Permit } ${forward}`,
    0,
  ],
  ['a type of another file, ahead', 'src/base/a.ts', "import type { A } from '../wire/json.ts'", 1],
  ['an import that points back', 'src/policy/a.ts', "import { Fault } from '../base/fault.ts'", 0],
  ['an import of a neighbour', 'src/policy/a.ts', "import { decide } from './permit.ts'", 0],
]
for (const [what, file, text, found] of stray) {
  test(`${what} is ${found === 1 ? 'found' : 'let be'}`, () => {
    assert.equal(strays(file.split('/').join(sep), text).length, found)
  })
}

test('every folder of the sources says what enters, what leaves and what holds', () => {
  const folders = new Set(sources.map((file) => file.split(sep).slice(0, 2).join('/')))
  for (const folder of folders) assert.ok(existsSync(`${folder}/README.md`), `${folder}/README.md`)
})

const readsEnvironment =
  /\bprocess\s*(\.|\?\.|\[\s*['"])\s*env\b|\benv\b[^;\n]*from ['"]node:process/
test('no station reads the environment: configuration is read once and handed out', () => {
  for (const file of sources) {
    const [, folder = ''] = file.split(sep)
    const isAllowed = folder === 'cli' || file.endsWith('.test.ts')
    assert.ok(isAllowed || !readsEnvironment.test(readFileSync(file, 'utf8')), file)
  }
})
test('a look at the environment is found however it is spelt', () => {
  for (const text of ['process.env.X', "process['env'].X", "import { env } from 'node:process'"]) {
    assert.match(text, readsEnvironment)
  }
  assert.doesNotMatch('process.environment', readsEnvironment)
})

test('no source of ours is longer than 400 lines', () => {
  const isTest = /[.]test[.]ts$/
  for (const file of files.filter((name) => ours.test(name) && !isTest.test(name))) {
    const lines = readFileSync(file, 'utf8').split('\n').length - 1
    assert.ok(lines <= 400, `${file} has ${lines} lines: cut it along its meaning`)
  }
})

test('names say what a thing makes or proves', () => {
  const vague = /(^|[/.-])(utils?|helpers?|managers?|services?|common|misc|data|info)\.tsx?$/i
  assert.deepEqual(
    files.filter((name) => ours.test(name) && vague.test(name)),
    [],
  )
  assert.match('src/wire/utils.ts', vague)
  assert.match('helpers.ts', vague)
})

// A run of 13 to 19 digits, in groups or not, which no letter, digit or point touches.
const digitRun = /(?<![\w.])\d(?:[ _-]?\d){12,18}(?![\w.]|[ _-]?\d)/g
const brands = /^(3[0-9]|4|5[0-9]|6[0-9]|2[2-7]|9792|8[16]|1354|1800|2131)/

/** Runs of digits that a card could have; one digit alone over and over is nobody's card. */
function cardsIn(text: string): string[] {
  return [...text.matchAll(digitRun)]
    .map(([run]) => run.replace(/\D/g, ''))
    .filter((digits) => brands.test(digits) && isLuhn(digits) && new Set(digits).size > 1)
}

function isLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.at(-1 - i))
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}

const isText = (file: string): boolean =>
  !/\.(png|svg|ico|woff2?|gz)$|^package-lock\.json$/.test(file) && statSync(file).size < 5_000_000

test('no card number stands in the repository: tests build theirs', () => {
  for (const file of files.filter(isText)) {
    const found = cardsIn(readFileSync(file, 'utf8'))
    assert.equal(found.length, 0, `${file}: ${found.map((pan) => `…${pan.slice(-4)}`).join(', ')}`)
  }
})
test('a card number is found alone, in quotes and in groups, and not inside a longer number', () => {
  const pan = ['4111', '1111', '1111', '1111']
  for (const text of [
    pan.join(''),
    `"${pan.join('')}"`,
    pan.join(' '),
    pan.join('-'),
    pan.join('_'),
  ]) {
    assert.equal(cardsIn(`x = ${text};`).length, 1, text.length.toString())
  }
  assert.equal(cardsIn(`${pan.join('')}2`).length, 0)
  assert.equal(cardsIn(`${pan.join('')}11117`).length, 0)
})

test('every version in package.json is exact', () => {
  assert.deepEqual(looseVersions(readFileSync('package.json', 'utf8')), [])
})
test('a loose version is found', () => {
  for (const version of ['^1.2.3', '~1.2.3', '1.x', '*', 'latest', '>=1', 'git+https://a/b']) {
    assert.equal(looseVersions(JSON.stringify({ dependencies: { it: version } })).length, 1)
  }
  assert.equal(looseVersions('{"devDependencies":{"it":"npm:other@0.2.0-alpha.12"}}').length, 0)
})

function looseVersions(text: string): string[] {
  const read: Record<string, Record<string, string> | undefined> = JSON.parse(text)
  const exact = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/
  return ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides'].flatMap((kind) =>
    Object.entries(read[kind] ?? {}).flatMap(([name, version]) =>
      exact.test(version) ? [] : [`${name} ${version}`],
    ),
  )
}

// The words are written in two pieces so that this file does not hold them.
const leftOver = [
  ['a note of something undone', new RegExp(`\\b(TO${'DO'}|FIX${'ME'}|XX${'X'}|HA${'CK'})\\b`)],
  [
    'a test that runs alone or not at all',
    new RegExp(`\\b(test|it|describe)\\.(on${'ly'}|to${'do'})\\b`),
  ],
  [
    'a folder of somebody’s machine',
    new RegExp(`(^|[\\s'"\`(=])/(ho${'me'}|Us${'ers'}|ro${'ot'}|wo${'rk'})/\\w`, 'm'),
  ],
  ['a conflict that was not resolved', new RegExp(`^(<{7}|>{7}) `, 'm')],
  ['a lint rule switched off without its reason', /(ox|es)lint-disable(?!.* -- \S)/],
  [
    'a type error silenced without its reason',
    /@ts-(ignore(?!: decorator)|nocheck)|@ts-expect-error *$/m,
  ],
] as const

test('nothing is left over', () => {
  for (const file of files.filter(isText)) {
    const text = readFileSync(file, 'utf8')
    if (file === 'tests/tidy.test.ts') continue
    for (const [what, pattern] of leftOver) assert.doesNotMatch(text, pattern, `${file}: ${what}`)
  }
})
test('what is left over is found', () => {
  const samples = [
    `// TO${'DO'} later`,
    `test.on${'ly'}('x', () => {})`,
    `cat '/ho${'me'}/ada/notes'`,
    '<<<<<<< HEAD',
    '// oxlint-disable-next-line no-console',
    '// @ts-expect-error',
  ]
  for (const [i, [what, pattern]] of leftOver.entries())
    assert.match(samples[i] ?? '', pattern, what)
})

test('what the documents point to is there', () => {
  const linked = /\]\((?!https?:|mailto:|#)([^)#\s]+)/g
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(linked)) {
      assert.ok(existsSync(join(dirname(file), path)), `${file} points to ${path}`)
    }
  }
})
