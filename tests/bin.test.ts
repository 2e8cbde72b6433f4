/** `bin/sallyport` as it lies in other people's folders: published, linked, hoisted, half installed. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'

const program = new URL('../bin/sallyport', import.meta.url).pathname
const bare = '/usr/bin:/bin'

/** What stands in for the compiled program: it says where and how it runs, or waits for a signal. */
const main = `
if (process.argv[2] === 'wait') {
  process.on('SIGTERM', () => process.exit(7))
  setInterval(() => {}, 1000)
  console.log('ready')
} else {
  const { UV_THREADPOOL_SIZE: threads } = process.env
  console.log(JSON.stringify({ main: process.argv[1], args: process.argv.slice(2), threads }))
  process.exitCode = 3
}
`

/** A project that has installed the package: \`node_modules/sallyport\`, and its link in \`.bin\`. */
function install(t: TestContext, where: 'hoisted' | 'nested' | 'none'): string {
  const project = mkdtempSync(join(tmpdir(), 'sallyport bin ')) // With a blank, as people have them.
  t.after(() => rmSync(project, { recursive: true, force: true }))
  const home = join(project, 'node_modules', 'sallyport')
  mkdirSync(join(home, 'dist', 'cli'), { recursive: true })
  cpSync(program, join(home, 'bin', 'sallyport'))
  writeFileSync(join(home, 'package.json'), '{"type":"module"}')
  writeFileSync(join(home, 'dist', 'cli', 'main.js'), main)
  mkdirSync(join(project, 'node_modules', '.bin'))
  const link = join(project, 'node_modules', '.bin', 'sallyport')
  symlinkSync('../sallyport/bin/sallyport', link)
  if (where === 'none') return link
  const at = join(where === 'hoisted' ? project : home, 'node_modules', 'node', 'bin')
  mkdirSync(at, { recursive: true })
  symlinkSync(process.execPath, join(at, 'node'))
  return link
}

test('without any Node that will do, it says what to do and exits 2', (t) => {
  const link = install(t, 'none')
  const old = join(dirname(link), 'old')
  mkdirSync(old)
  writeFileSync(join(old, 'node'), '#!/bin/sh\necho 20\n', { mode: 0o755 })
  const env = { PATH: `${old}:${bare}` }
  const { status, stderr, stdout } = spawnSync(link, ['serve'], { env, encoding: 'utf8' })
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /npm ci/)
})

for (const where of ['hoisted', 'nested'] as const) {
  test(`it finds a ${where} Node from anywhere, and hands arguments and exit code through`, (t) => {
    const link = install(t, where)
    const args = ['mask', 'a b', '', '--x=$y']
    const env = { PATH: bare }
    const ran = spawnSync(link, args, { env, cwd: '/', encoding: 'utf8' })
    const said: { main: string; args: string[]; threads: string } = JSON.parse(ran.stdout)
    assert.equal(ran.status, 3)
    assert.deepEqual(said.args, args)
    assert.match(said.main, /sallyport\/dist\/cli\/main\.js$/)
    assert.ok(Number(said.threads) > 4, 'the thread pool is larger than usual')
  })
}

test('a new enough Node on the PATH will do, and a chosen size of the thread pool stays', (t) => {
  const link = install(t, 'none')
  const env = { PATH: `${dirname(process.execPath)}:${bare}`, UV_THREADPOOL_SIZE: '2' }
  const ran = spawnSync(link, [], { env, encoding: 'utf8' })
  const said: { threads: string } = JSON.parse(ran.stdout)
  assert.deepEqual([ran.status, said.threads], [3, '2'])
})

test('a signal reaches the program itself', async (t) => {
  const child = spawn(install(t, 'hoisted'), ['wait'], { env: { PATH: bare } })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [7, null])
})

test('in a clone it starts the sources', () => {
  const { status, stdout } = spawnSync(program, ['--version'], {
    env: { PATH: bare },
    encoding: 'utf8',
  })
  assert.equal(status, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+/)
})
