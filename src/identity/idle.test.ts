import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Clock } from '../base/clock.ts'
import { openDirectory } from './directory-store.ts'
import { idleAccounts } from './idle.ts'
import type { Idle } from './idle.ts'
import { openIdleWarnings } from './idle-warnings.ts'
import { ownerlessAccounts, ownerLoss } from './ownerless.ts'
import { openRevocations } from './revocation-store.ts'
import type { Target } from './revocations.ts'
import { openServiceAccounts } from './service-account-store.ts'
import { serviceIssuer } from './service-accounts.ts'

const day = 86_400_000
const start = 20_000 * day
const clock: Clock = { nowUs: () => start * 1000, monotonicMs: () => 0 }
const issuer = 'https://issuer.example'
const idleMs = 90 * day
const warningMs = 14 * day

interface House {
  readonly directory: ReturnType<typeof openDirectory>
  readonly serviceAccounts: ReturnType<typeof openServiceAccounts>
  readonly revocations: ReturnType<typeof openRevocations>
  readonly warnings: ReturnType<typeof openIdleWarnings>
  readonly exempt: Set<string>
  /** Who is stopped and warned of on a day since the start, by subject; nothing is done about it. */
  readonly look: (onDay: number) => Idle
  /** The same, and what is to be done is done. */
  readonly run: (onDay: number) => { stop: string[]; warn: string[]; fresh: string[] }
  readonly stop: (target: Target) => string
}

function newHouse(): House {
  const directory = openDirectory(':memory:', { clock })
  const serviceAccounts = openServiceAccounts(':memory:', { clock, key: new Uint8Array(32) })
  const revocations = openRevocations(':memory:', { clock })
  const warnings = openIdleWarnings(':memory:')
  const exempt = new Set<string>()
  const made = { reason: 'r', by: 'op', source: 'idle' as const, madeMs: start, fromMs: start }
  const stop = (target: Target): string => revocations.add({ target, ...made }).id
  const look = (onDay: number): Idle => {
    const at = { nowMs: start + onDay * day, idleMs, warningMs, exempt, revocations }
    return idleAccounts(directory, serviceAccounts, {
      ...at,
      warnedMs: (of, subject) => warnings.warnedMs(of, subject),
    })
  }
  const run: House['run'] = (onDay) => {
    const idle = look(onDay)
    warnings.keep([...idle.stop, ...idle.warn])
    for (const { issuer: of, subject } of idle.stop) {
      stop({ kind: 'principal', issuer: of, subject })
    }
    const subjects = (list: Idle['stop']): string[] => list.map(({ subject }) => subject)
    const fresh = subjects(idle.warn.filter(({ isNew }) => isNew))
    return { stop: subjects(idle.stop), warn: subjects(idle.warn), fresh }
  }
  return { directory, serviceAccounts, revocations, warnings, exempt, look, run, stop }
}

const nothing = { stop: [], warn: [], fresh: [] }

test('an account is warned of two weeks before, once, and stopped on its day', () => {
  const { directory, look, run } = newHouse()
  directory.tell({ issuer, subject: 'ada', kind: 'person' }, 'sign-in', start)
  assert.deepEqual(run(75.9), nothing)
  const [warned] = look(76).warn
  assert.deepEqual(
    [warned?.idleSinceMs, warned?.warnedMs, warned?.stopsMs],
    [start, start + 76 * day, start + 90 * day],
  )
  assert.deepEqual(run(76), { stop: [], warn: ['ada'], fresh: ['ada'] })
  assert.deepEqual(run(89.9), { stop: [], warn: ['ada'], fresh: [] })
  assert.deepEqual(run(90), { stop: ['ada'], warn: [], fresh: [] })
  assert.deepEqual(run(91), nothing)
})

test('after a gateway was off for months everybody is warned of first, for the whole time', () => {
  const { directory, run } = newHouse()
  directory.tell({ issuer, subject: 'ada', kind: 'person' }, 'sign-in', start)
  assert.deepEqual(run(400), { stop: [], warn: ['ada'], fresh: ['ada'] })
  assert.deepEqual(run(413.9), { stop: [], warn: ['ada'], fresh: [] })
  assert.deepEqual(run(414), { stop: ['ada'], warn: [], fresh: [] })
})

test('one that is used after the warning is warned of anew the next time', () => {
  const { directory, run } = newHouse()
  const ada = { issuer, subject: 'ada', kind: 'person' as const }
  directory.tell(ada, 'sign-in', start)
  run(80)
  directory.tell(ada, 'sign-in', start + 85 * day)
  // No run in between: the warning of day 80 is still there, and older than the use.
  assert.deepEqual(run(175), { stop: [], warn: ['ada'], fresh: ['ada'] })
  assert.deepEqual(run(188.9).stop, [])
  assert.deepEqual(run(189).stop, ['ada'])
})

test('one whose stop is lifted gets the whole warning time again', () => {
  const { directory, revocations, run } = newHouse()
  directory.tell({ issuer, subject: 'ada', kind: 'person' }, 'sign-in', start)
  run(76)
  run(90)
  run(91)
  revocations.lift(revocations.list()[0]?.id ?? '')
  assert.deepEqual(run(200), { stop: [], warn: ['ada'], fresh: ['ada'] })
  assert.deepEqual(run(213.9).stop, [])
  assert.deepEqual(run(214).stop, ['ada'])
})

test('a warning given too early, under other rules, does not bring the day forward', () => {
  const { directory, look, warnings } = newHouse()
  directory.tell({ issuer, subject: 'ada', kind: 'person' }, 'sign-in', start)
  warnings.keep([{ issuer, subject: 'ada', warnedMs: start + day }])
  const { stop, warn } = look(80)
  assert.deepEqual([stop, warn.map(({ stopsMs }) => stopsMs)], [[], [start + 90 * day]])
})

test('one that was never seen counts from the day it was made known', () => {
  const { directory, run } = newHouse()
  directory.tell({ issuer, subject: 'ada', kind: 'person' }, 'scim', start + 10 * day)
  assert.deepEqual(run(85.9), nothing)
  assert.deepEqual(run(86).fresh, ['ada'])
  assert.deepEqual(run(100).stop, ['ada'])
})

test('service accounts count from the last use of any key, and stand for their principals', () => {
  const { directory, run, serviceAccounts } = newHouse()
  serviceAccounts.make({ name: 'etl', owner: 'pr_a', groups: [], roles: [] }, start)
  const { key, made } = serviceAccounts.issueKey('etl', 400 * day, start)
  const principal = serviceAccounts.verify(key, start + 10 * day)
  directory.seen(principal, start)
  serviceAccounts.endKey(made.id)
  assert.deepEqual(run(85.9), nothing)
  assert.deepEqual(run(86), { stop: [], warn: ['etl'], fresh: ['etl'] })
  assert.deepEqual(run(100), { stop: ['etl'], warn: [], fresh: [] })
})

test('break-glass accounts, the stopped and the ended are in no list', () => {
  const { directory, exempt, run, stop } = newHouse()
  const told = { issuer, kind: 'person' as const }
  exempt.add(directory.tell({ ...told, subject: 'glass' }, 'sign-in', start).id)
  directory.tell({ ...told, subject: 'eve' }, 'sign-in', start)
  stop({ kind: 'principal', issuer, subject: 'eve' })
  const { id } = directory.tell({ ...told, subject: 'kim' }, 'sign-in', start)
  directory.change(id, { endsMs: start + day })
  assert.deepEqual(run(100), nothing)
})

test('a sign-out everywhere keeps nobody from being stopped', () => {
  const { directory, run, stop } = newHouse()
  directory.tell({ issuer, subject: 'ada', kind: 'person' }, 'sign-in', start)
  stop({ kind: 'tokens-before', issuer, subject: 'ada', beforeMs: start + 999 * day })
  assert.deepEqual(run(80).warn, ['ada'])
})

test('whenever it runs and whoever is used, nobody is stopped unwarned or too early', () => {
  const events = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 60 }), isUse: fc.boolean() }),
    { maxLength: 30 },
  )
  const holds = fc.property(events, (all) => {
    const { directory, run } = newHouse()
    const ada = { issuer, subject: 'ada', kind: 'person' as const }
    directory.tell(ada, 'sign-in', start)
    let [today, usedOn, warnedOn] = [0, 0, -1]
    for (const { after, isUse } of all) {
      today += after
      if (isUse) {
        directory.tell(ada, 'sign-in', start + today * day)
        ;[usedOn, warnedOn] = [today, -1]
        continue
      }
      const { fresh, stop } = run(today)
      if (stop.length > 0) {
        assert.ok(warnedOn >= 0 && today >= warnedOn + 14 && today >= usedOn + 90)
        return
      }
      assert.ok(warnedOn < 0 || today < Math.max(warnedOn + 14, usedOn + 90))
      if (fresh.length > 0 && warnedOn < 0) warnedOn = today
    }
  })
  fc.assert(holds)
})

test('warnings outlive a restart, and those no longer kept are gone', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-idle-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'state.sqlite')
  const [ada, eve] = ['ada', 'eve'].map((subject) => ({ issuer, subject, warnedMs: start + 0.5 }))
  assert.ok(ada && eve)
  const warnings = openIdleWarnings(file)
  warnings.keep([ada, eve])
  assert.equal(openIdleWarnings(file).warnedMs(issuer, 'ada'), start)
  warnings.keep([eve])
  const kept = openIdleWarnings(file)
  assert.deepEqual([kept.warnedMs(issuer, 'ada'), kept.warnedMs(issuer, 'eve')], [undefined, start])
  assert.equal(kept.warnedMs('eve', issuer), undefined)
})

test('accounts are ownerless when their owner is unknown, ended or stopped, and not before', () => {
  const { directory, revocations, serviceAccounts, stop } = newHouse()
  const at = { directory, revocations, serviceAccounts }
  const told = { issuer, kind: 'person' as const }
  const [ada, eve, kim] = ['ada', 'eve', 'kim'].map((subject) =>
    directory.tell({ ...told, subject }, 'scim', start),
  )
  assert.ok(ada && eve && kim)
  for (const [name, owner] of [
    ['of-ada', ada.id],
    ['of-eve', eve.id],
    ['of-kim', kim.id],
    ['of-none', 'pr_none'],
  ] as const) {
    serviceAccounts.make({ name, owner, groups: [], roles: [] }, start)
  }
  const ci = directory.tell({ issuer, subject: 'ci', kind: 'workload' }, 'token', start)
  directory.change(ci.id, { owner: eve.id })
  stop({ kind: 'tokens-before', issuer, subject: 'eve', beforeMs: start })
  stop({ kind: 'principal', issuer, subject: 'eve' })
  stop({ kind: 'tokens-before', issuer, subject: 'ada', beforeMs: start + day })
  directory.change(kim.id, { endsMs: start + 5 })
  assert.equal(ownerLoss(kim.id, at, start + 4), undefined)
  assert.deepEqual(ownerlessAccounts(at, start + 5), [
    { issuer, subject: 'ci', kind: 'workload', owner: eve.id, why: 'stopped', sinceMs: start },
    ...[
      { subject: 'of-eve', owner: eve.id, why: 'stopped', sinceMs: start },
      { subject: 'of-kim', owner: kim.id, why: 'ended', sinceMs: start + 5 },
      { subject: 'of-none', owner: 'pr_none', why: 'unknown' },
    ].map((each) => ({ issuer: serviceIssuer, kind: 'service', ...each })),
  ])
})
