import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Fault } from '../base/fault.ts'
import { readConfig } from '../config/config.ts'
import { serviceIssuer } from '../identity/service-accounts.ts'
import { Standing } from '../identity/tokens.fixture.ts'
import type { Details } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import { openAccounts } from '../signin/accounts.ts'
import { openKnown } from './identities.ts'
import type { Known } from './identities.ts'
import { openIdle } from './idle.ts'
import type { IdleWatch } from './idle.ts'

const local = 'http://127.0.0.1:4100/oauth'
const dayS = 86_400
const config = readConfig(
  `
data_dir: data
identity: { issuers: [{ name: local, type: local }], idle_after: 90d, idle_warning: 14d }
connections: [{ name: shop, url: "http://127.0.0.1:9/mcp" }]
`,
  '/etc/sallyport.yaml',
).config

interface Bench {
  readonly clock: Standing
  readonly known: Known
  readonly idle: IdleWatch
  /** What was recorded and done, in order. */
  readonly told: string[]
  readonly alerts: Details[]
  /** While it is so nothing can be recorded. */
  isDown: boolean
  /** The same data folder, opened anew. */
  again(): IdleWatch
  signIn(subject: string): void
}

function openBench(t: TestContext): Bench {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-idle-'))
  const clock = new Standing()
  const known = openKnown(dataDir, clock, new Uint8Array(32))
  const accounts = openAccounts(join(dataDir, 'state.sqlite'), { clock, issuer: local })
  for (const name of ['ada', 'emergency']) {
    const isBreakGlass = name === 'emergency'
    accounts.add({ name, title: undefined, groups: [], roles: [], isBreakGlass })
  }
  const [told, alerts]: [string[], Details[]] = [[], []]
  const checkUp = (): void => {
    if (bench.isDown) throw new Fault('record_down', 'The record is down.')
  }
  const note: Note = async (type, _about, details) => {
    checkUp()
    told.push(`${type} ${String(details['of'])}`)
    alerts.push(details)
  }
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const open = (): IdleWatch => {
    const idle = openIdle({
      dataDir,
      config,
      clock,
      known,
      accounts,
      note,
      log,
      stops: {
        stop: async (of) => {
          checkUp()
          const madeMs = clock.ms
          const revocation = known.revocations.add({ ...of, madeMs, fromMs: madeMs })
          const subject = of.target.kind === 'principal' ? of.target.subject : '?'
          told.push(`stop ${of.source} ${subject}`)
          return { revocation, cut: { calls: 0, streams: 0, sessions: 0 } }
        },
      },
    })
    t.after(() => idle.close())
    return idle
  }
  const signIn = (subject: string): void => {
    known.directory.tell({ issuer: local, subject, kind: 'person' }, 'sign-in', clock.ms)
  }
  const bench: Bench = {
    clock,
    known,
    told,
    alerts,
    isDown: false,
    again: open,
    signIn,
    idle: open(),
  }
  t.after(() => {
    accounts.close()
    known.close()
    rmSync(dataDir, { recursive: true })
  })
  return bench
}

test('who is not seen is warned of once, 14 days before, then stopped; an emergency account never', async (t) => {
  const bench = openBench(t)
  const { alerts, clock, idle, told } = bench
  for (const name of ['ada', 'emergency']) bench.signIn(name)
  clock.pass(76 * dayS - 1)
  await idle.look()
  assert.deepEqual(told, [])
  clock.pass(1)
  await idle.look()
  assert.deepEqual(told, [`alert.raised ${local} ada`])
  assert.deepEqual(alerts, [
    {
      what: 'account_idle',
      of: `${local} ada`,
      since: '2026-11-21T12:00:00.000Z',
      stops: '2027-02-19T12:00:00.000Z',
    },
  ])
  clock.pass(14 * dayS - 1)
  await idle.look()
  assert.equal(told.length, 1, 'told once')
  clock.pass(1)
  await idle.look()
  assert.deepEqual(told.slice(1), ['stop idle ada'])
  clock.pass(1000 * dayS)
  await idle.look()
  assert.equal(told.length, 2, 'stopped once, and the emergency account never')
})

test('who comes back in time is not stopped, and is warned of anew when they stay away again', async (t) => {
  const { clock, idle, told, ...bench } = openBench(t)
  bench.signIn('ada')
  clock.pass(80 * dayS)
  await idle.look()
  bench.known.directory.seen(
    {
      issuer: local,
      subject: 'ada',
      kind: 'person',
      groups: [],
      roles: [],
      expiresAtMs: clock.ms + 1000,
    },
    clock.ms,
  )
  clock.pass(20 * dayS)
  await idle.look()
  assert.deepEqual(told, [`alert.raised ${local} ada`])
  clock.pass(60 * dayS)
  await idle.look()
  assert.deepEqual(told.slice(1), [`alert.raised ${local} ada`])
})

test('service accounts are held to it by the use of their keys', async (t) => {
  const { clock, idle, known, told, ...bench } = openBench(t)
  bench.signIn('emergency') // Somebody must own it, and they are not to be in the way.
  const owner = known.directory.find(local, 'emergency')?.id ?? ''
  known.serviceAccounts.make({ name: 'etl', owner, groups: [], roles: [] }, clock.ms)
  const { key } = known.serviceAccounts.issueKey('etl', 300 * dayS * 1000, clock.ms)
  clock.pass(50 * dayS)
  known.serviceAccounts.verify(key, clock.ms)
  clock.pass(75 * dayS)
  await idle.look()
  assert.deepEqual(told, [])
  clock.pass(dayS)
  await idle.look()
  clock.pass(14 * dayS)
  await idle.look()
  assert.deepEqual(told, [`alert.raised ${serviceIssuer} etl`, 'stop idle etl'])
})

test('nobody is stopped who was not warned of for 14 days, whatever the gateway missed', async (t) => {
  const bench = openBench(t)
  const { clock, told } = bench
  bench.signIn('ada')
  clock.pass(400 * dayS) // It was off, or the clock was wrong.
  await bench.idle.look()
  assert.deepEqual(told, [`alert.raised ${local} ada`])
  clock.pass(13 * dayS)
  await bench.again().look()
  assert.equal(told.length, 1, 'a restart forgets no warning')
  clock.pass(dayS)
  await bench.again().look()
  assert.deepEqual(told.slice(1), ['stop idle ada'])
})

test('while nothing can be recorded nobody counts as warned, and nobody is forgotten', async (t) => {
  const bench = openBench(t)
  const { clock, idle, told } = bench
  bench.signIn('ada')
  clock.pass(80 * dayS)
  bench.isDown = true
  await assert.rejects(idle.look(), { code: 'record_down' })
  clock.pass(14 * dayS)
  await assert.rejects(idle.look(), { code: 'record_down' })
  bench.isDown = false
  await idle.look()
  assert.deepEqual(told, [`alert.raised ${local} ada`], 'warned of first, although 94 days passed')
  clock.pass(14 * dayS)
  bench.isDown = true
  await assert.rejects(idle.look(), { code: 'record_down' })
  bench.isDown = false
  await idle.look()
  assert.deepEqual(told.slice(1), ['stop idle ada'])
})
