import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Fault } from '../base/fault.ts'
import { readConfig } from '../config/config.ts'
import type { Config } from '../config/config.ts'
import { compileGrants } from '../policy/grants.ts'
import { compileRules } from '../policy/rules.ts'
import { createUsedTokens } from '../identity/replay.ts'
import { Standing } from '../identity/tokens.fixture.ts'
import type { Note } from '../record/notes.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { identities, openKnown } from './identities.ts'
import { Live, readLast } from './in-force.ts'
import type { InForce } from './in-force.ts'
import { RecordWatch } from './record-watch.ts'
import { openReload } from './reload.ts'
import type { Reload } from './reload.ts'

const textOf = (access: string, rest = ''): string => `
data_dir: data
identity: { issuers: [{ name: company, type: oidc, issuer: "https://login.example" }] }
connections: [{ name: shop, url: "http://127.0.0.1:9/mcp" }]
access: [${access}]
${rest}
`
const staff = '{ name: staff, who: { group: staff }, may: { connection: shop } }'
const guests = '{ name: guests, who: { group: guests }, may: { connection: shop } }'

interface Bench {
  readonly dir: string
  readonly live: Live
  readonly reload: Reload
  /** What was done, in order, and who may come in by then. */
  readonly told: string[]
  /** The control that watches the file: `failed config_bad`, `restored`. */
  readonly control: string[]
  isDown: boolean
  readonly write: (text: string) => void
}

interface BenchOptions {
  /** Otherwise a file stands where the data folder would be. */
  readonly isKept?: boolean
  /** What the file becomes after it was read. */
  readonly meanwhile?: string
}

function openBench(t: TestContext, { isKept = true, meanwhile }: BenchOptions = {}): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-reload-'))
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(file, textOf(staff))
  const checked = readConfig(textOf(staff), file)
  const clock = new Standing()
  const known = openKnown(dir, clock, new Uint8Array(32))
  const secrets = createSecrets({ env: {}, clock })
  const usedTokens = createUsedTokens()
  const identityOf = identities({ clock, known, secrets, usedTokens, local: undefined })
  const make = (config: Config, sha256: string): InForce => ({
    config,
    sha256,
    identity: identityOf(config),
    access: compileGrants(config.access),
    rules: compileRules(config),
  })
  const live = new Live(make(checked.config, checked.sha256))
  const told: string[] = []
  const say = (what: string): void => {
    const who = live.now.config.access.map(({ name }) => name)
    told.push(`${what}: ${who.join(' ')}`)
  }
  const note: Note = async (type) => {
    if (bench.isDown) throw new Fault('record_down', 'The record is down.')
    await Promise.resolve()
    say(type)
  }
  if (meanwhile !== undefined) writeFileSync(file, meanwhile)
  const control: string[] = []
  const watch = new Watch(control)
  const reload = openReload({
    checked,
    dataDir: isKept ? dir : join(file, 'data'),
    live,
    ports: { gateway: 4100, console: 4101 },
    make,
    note,
    watch,
    stops: { recheck: async () => say('recheck') },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
  const write = (text: string): void => writeFileSync(file, text)
  const bench: Bench = { dir, live, reload, told, control, isDown: false, write }
  t.after(() => {
    reload.close()
    known.close()
    rmSync(dir, { recursive: true })
  })
  return bench
}

class Watch extends RecordWatch {
  readonly #told: string[]
  constructor(told: string[]) {
    super()
    this.#told = told
  }
  override failed(control: string, reason: string): void {
    this.#told.push(`${control} failed ${reason}`)
  }
  override restored(control: string): void {
    this.#told.push(`${control} restored`)
  }
}

const bad: readonly [what: string, text: string, message: RegExp][] = [
  ['is no YAML', 'access: [', /sallyport\.yaml:\d+:\d+/],
  ['is empty', '', /Nothing of the file was taken:\n/],
  ['has a key that is none', textOf(staff, 'acess: []'), /acess/],
  [
    'has a condition that is none',
    textOf('{ who: { condition: "((" }, may: { connection: shop } }'),
    /condition/,
  ],
  [
    'changes what is read at start-up',
    textOf(guests, 'log: { level: debug }'),
    /^These parts of the file changed and are read at start-up only: log\. Nothing of it was taken/,
  ],
]
for (const [what, text, message] of bad) {
  test(`a file that ${what} changes nothing, and the answer says why`, async (t) => {
    const { live, reload, told, write } = openBench(t)
    const before = live.now
    write(text)
    await assert.rejects(reload.now('alex'), (error) => {
      assert.ok(error instanceof Fault)
      assert.equal(error.code, 'config_bad')
      assert.match(error.message, message)
      return true
    })
    assert.deepEqual([live.now, told], [before, []])
  })
}

test('a profile is taken up when it changes by itself, and not while it has a mistake', async (t) => {
  const { dir, live, reload, write } = openBench(t)
  const profile = join(dir, 'own.yaml')
  const named = textOf(staff).replace('/mcp" }', '/mcp", profile: ./own.yaml }')
  const ruleOf = (effect: string): string => `rules: [{ name: a, when: "true", effect: ${effect} }]`
  writeFileSync(profile, ruleOf('hold'))
  write(named)
  assert.equal(await reload.now('alex'), true)
  const [, second] = ['hold', 'deny'].map(ruleOf)
  writeFileSync(profile, ruleOf('block'))
  await assert.rejects(reload.now('alex'), {
    message: /own\.yaml:1:\d+ rules\[0\]\.effect must be/,
  })
  assert.equal(live.now.config.connections[0]?.profile.rules[0]?.effect, 'hold')
  writeFileSync(profile, second ?? '')
  assert.equal(await reload.now('alex'), true)
  assert.equal(await reload.now('alex'), false)
  assert.equal(live.now.config.connections[0]?.profile.rules[0]?.effect, 'deny')
})

test('a file that is gone changes nothing', async (t) => {
  const { dir, live, reload, told } = openBench(t)
  const before = live.now
  rmSync(join(dir, 'sallyport.yaml'))
  await assert.rejects(reload.now('alex'), { code: 'config_bad' })
  assert.deepEqual([live.now, told], [before, []])
})

test('a change is recorded before it is in force, and whoever lost by it is looked for afterwards', async (t) => {
  const { dir, live, reload, told, write } = openBench(t)
  assert.equal(await reload.now('alex'), false)
  write(textOf(`${staff}, ${guests}`))
  assert.equal(await reload.now('alex'), true)
  assert.deepEqual(told, [
    'config.changed: staff',
    'access.changed: staff',
    'recheck: staff guests',
  ])
  assert.equal(readLast(dir)?.sha256, live.now.sha256)
  assert.equal(await reload.now('alex'), false)
  assert.equal(told.length, 3)
})

test('what cannot be recorded is not in force, and is taken up when it can be', async (t) => {
  const bench = openBench(t)
  const { live, reload, told, write } = bench
  const before = live.now
  write(textOf(guests))
  bench.isDown = true
  await assert.rejects(reload.now('alex'), { code: 'record_down' })
  assert.deepEqual([live.now, told], [before, []])
  bench.isDown = false
  assert.equal(await reload.now('alex'), true)
  assert.deepEqual(told.at(-1), 'recheck: guests')
})

test('where it cannot be kept for the next start, it is in force, and whoever lost by it is cut', async (t) => {
  const { live, reload, told, write } = openBench(t, { isKept: false })
  write(textOf(guests))
  await assert.rejects(reload.now('alex'))
  assert.deepEqual(told.at(-1), 'recheck: guests')
  assert.equal(live.now.config.access[0]?.name, 'guests')
})

test('what changed between reading the file and watching it is taken up', async (t) => {
  const { live, reload, told } = openBench(t, { meanwhile: textOf(guests) })
  assert.equal(await reload.now('alex'), false, 'it was by itself, before this')
  assert.equal(live.now.config.access[0]?.name, 'guests')
  assert.deepEqual(told.at(-1), 'recheck: guests')
})

test('asked for many times at once, one change is one', async (t) => {
  const { reload, told, write } = openBench(t)
  write(textOf(guests))
  const all = await Promise.all(Array.from({ length: 5 }, () => reload.now('alex')))
  assert.deepEqual(all, [true, false, false, false, false])
  assert.equal(told.length, 3)
})

test('SIGHUP takes a file up; where it is bad the control fails, with its reason, until one is good', async (t) => {
  const bench = openBench(t)
  const { control, live, reload, write } = bench
  const hangUp = async (): Promise<void> => {
    process.emit('SIGHUP', 'SIGHUP')
    await reload.now('alex').catch(() => undefined) // Comes after it.
    await new Promise((resolve) => setImmediate(resolve))
  }
  write('access: [')
  await hangUp()
  write(textOf(guests))
  bench.isDown = true
  await hangUp()
  bench.isDown = false
  await hangUp()
  assert.deepEqual(control, [
    'configuration failed config_bad',
    'configuration failed record_down',
    'configuration restored',
  ])
  assert.equal(live.now.config.access[0]?.name, 'guests')
  reload.close()
  write(textOf(staff))
  process.emit('SIGHUP', 'SIGHUP')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(live.now.config.access[0]?.name, 'guests', 'closed, it looks at nothing')
})
