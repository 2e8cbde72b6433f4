import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '../base/clock.ts'
import type { Revocation, Revocations, Stoppable, Target } from './revocations.ts'
import { openRevocations } from './revocation-store.ts'

const now = 1_800_000_000_000
const clock: Clock = { nowUs: () => now * 1000, monotonicMs: () => 0 }
const ada: Stoppable = {
  issuer: 'https://issuer.example',
  subject: 'ada',
  clientId: 'claude',
  tokenId: 'jti-1',
  signInId: 'sid-1',
  issuedAtMs: now - 60_000,
}

function newFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-stops-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'state.sqlite')
}

function stopOf(target: Target, more: Partial<Revocation> = {}): Omit<Revocation, 'id'> {
  const words = { reason: 'left', by: 'op', source: 'cli' as const }
  return { target, ...words, madeMs: now, fromMs: now, ...more }
}
const principal: Target = { kind: 'principal', issuer: ada.issuer, subject: ada.subject }

/** Opens a list, damages its table from outside, and closes it. */
function damaged(t: TestContext, sql: string): string {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  list.add(stopOf({ kind: 'client', client: 'other' }))
  list.add(stopOf(principal))
  list.close()
  const db = new DatabaseSync(file)
  db.exec(sql)
  db.close()
  return file
}

const broken: readonly [what: string, sql: string][] = [
  ['a target that is no JSON', "UPDATE revocation SET target = '{' WHERE rowid = 2"],
  ['a target of a kind we do not know', `UPDATE revocation SET target = '{"kind":"moon"}'`],
  [
    'a target without its subject',
    `UPDATE revocation SET target = '{"kind":"principal","issuer":"i"}'`,
  ],
  [
    'a target with more than it has',
    `UPDATE revocation SET target = '{"kind":"everything","x":1}'`,
  ],
  ['an id that is none of ours', "UPDATE revocation SET id = 'x' WHERE rowid = 2"],
  ['a source we do not know', "UPDATE revocation SET source = 'moon' WHERE rowid = 2"],
  ['a flag that is neither', 'UPDATE revocation SET begun = 7 WHERE rowid = 2'],
  ['another table of this name', 'DROP TABLE revocation; CREATE TABLE revocation (id TEXT)'],
]
for (const [what, sql] of broken) {
  test(`a list with ${what} does not open, and nothing of it is passed over`, (t) => {
    const file = damaged(t, sql)
    assert.throws(() => openRevocations(file, { clock }), {
      code: 'identity_down',
      name: 'Fault',
    })
  })
}

test('a file that is no database does not open', (t) => {
  const file = newFile(t)
  writeFileSync(file, 'sqlite it is not, and long enough to be looked at'.repeat(20))
  assert.throws(() => openRevocations(file, { clock }), { code: 'identity_down' })
})

test('the message about a damaged row names table and row, and nothing of what stands there', (t) => {
  const file = damaged(t, `UPDATE revocation SET target = '{"kind":"ada"}' WHERE rowid = 2`)
  assert.throws(
    () => openRevocations(file, { clock }),
    (error: Error) => error.message.includes('revocation, row 2') && !error.message.includes('ada'),
  )
})

/** A list whose file lets nothing in: another process holds it. */
function blocked(t: TestContext): { list: Revocations; release: () => void; file: string } {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  t.after(() => other.close())
  return { list, file, release: () => other.exec('ROLLBACK') }
}

test('a stop that cannot be written is in force all the same, and written when it can be', (t) => {
  const { file, list, release } = blocked(t)
  assert.throws(() => list.add(stopOf(principal)), { code: 'record_down' })
  assert.equal(list.find(ada, undefined, now)?.target.kind, 'principal')
  release()
  assert.equal(openRevocations(file, { clock }).list().length, 0)
  list.tick(now)
  assert.equal(openRevocations(file, { clock }).find(ada, undefined, now)?.reason, 'left')
})

test('a lift that cannot be written leaves the stop in force', (t) => {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  const { id } = list.add(stopOf(principal))
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  t.after(() => other.close())
  assert.throws(() => list.lift(id), { code: 'record_down' })
  assert.equal(list.find(ada, undefined, now)?.id, id)
})

test('a closed list lets nobody in', () => {
  const list = openRevocations(':memory:', { clock })
  list.close()
  list.close()
  assert.throws(() => list.find(ada, undefined, now), { code: 'identity_down' })
  assert.throws(() => list.add(stopOf(principal)), { code: 'identity_down' })
})

const other = 'other'
const missed: readonly [what: string, target: Target][] = [
  ['another issuer', { kind: 'principal', issuer: other, subject: ada.subject }],
  ['another subject', { kind: 'principal', issuer: ada.issuer, subject: other }],
  ['issuer and subject in turn', { kind: 'principal', issuer: 'ada', subject: ada.issuer }],
  ['another client', { kind: 'client', client: other }],
  ['a client of the name of a subject', { kind: 'client', client: ada.subject }],
  ['another token', { kind: 'token', token: 'sid-1' }],
  ['another sign-in', { kind: 'sign-in', signIn: 'jti-1' }],
  ['another connection', { kind: 'connection', connection: other }],
  [
    'tokens issued before this one',
    { kind: 'tokens-before', issuer: ada.issuer, subject: 'ada', beforeMs: now - 60_001 },
  ],
]
for (const [what, target] of missed) {
  test(`a stop of ${what} stops nobody else`, () => {
    const list = openRevocations(':memory:', { clock })
    list.add(stopOf(target))
    assert.equal(list.find(ada, 'crm', now), undefined)
  })
}

const met: readonly [what: string, target: Target][] = [
  ['the principal', principal],
  ['its client', { kind: 'client', client: 'claude' }],
  ['its token', { kind: 'token', token: 'jti-1' }],
  ['its sign-in', { kind: 'sign-in', signIn: 'sid-1' }],
  ['its connection', { kind: 'connection', connection: 'crm' }],
  ['everything', { kind: 'everything' }],
  [
    'tokens issued up to this one',
    { kind: 'tokens-before', issuer: ada.issuer, subject: 'ada', beforeMs: now - 60_000 },
  ],
]
for (const [what, target] of met) {
  test(`a stop of ${what} stops, until it is lifted, and after a restart`, (t) => {
    const file = newFile(t)
    const list = openRevocations(file, { clock })
    const made = list.add(stopOf(target))
    assert.deepEqual(list.find(ada, 'crm', now), made)
    const again = openRevocations(file, { clock })
    assert.deepEqual(again.find(ada, 'crm', now), made)
    assert.deepEqual(again.lift(made.id), made)
    assert.equal(again.find(ada, 'crm', now), undefined)
    assert.equal(again.lift(made.id), undefined)
    assert.deepEqual(openRevocations(file, { clock }).list(), [])
  })
}

test('a token that does not say when it was issued counts as an old one', () => {
  const list = openRevocations(':memory:', { clock })
  list.add(stopOf({ kind: 'tokens-before', issuer: ada.issuer, subject: 'ada', beforeMs: 1 }))
  const { issuedAtMs: _, ...untold } = ada
  assert.equal(list.find(untold, undefined, now)?.target.kind, 'tokens-before')
  assert.equal(list.find(ada, undefined, now), undefined)
})

test('of two stops of one thing the other holds when one is lifted', () => {
  const list = openRevocations(':memory:', { clock })
  const first = list.add(stopOf(principal, { source: 'idle' }))
  const second = list.add(stopOf(principal))
  assert.deepEqual(list.list(), [second, first])
  list.lift(first.id)
  assert.equal(list.find(ada, undefined, now)?.id, second.id)
})

test('a stop of the caller is told before one of the connection', () => {
  const list = openRevocations(':memory:', { clock })
  list.add(stopOf({ kind: 'connection', connection: 'crm' }))
  list.add(stopOf({ kind: 'token', token: 'jti-1' }))
  assert.equal(list.find(ada, 'crm', now)?.target.kind, 'token')
})

test('a planned stop comes into force by time alone, and is told once', (t) => {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  const made = list.add(stopOf(principal, { fromMs: now + 1000 }))
  assert.equal(list.find(ada, undefined, now + 999), undefined)
  assert.deepEqual(list.tick(now + 999), [])
  assert.equal(list.find(ada, undefined, now + 1000)?.id, made.id)
  assert.deepEqual(list.tick(now + 1000), [made])
  assert.deepEqual(list.tick(now + 1001), [])
  assert.deepEqual(openRevocations(file, { clock }).tick(now + 2000), [])
})

test('one that began is told again after a crash before the next tick', (t) => {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  const made = list.add(stopOf(principal, { fromMs: now + 1000 }))
  list.tick(now + 1000)
  assert.deepEqual(openRevocations(file, { clock }).tick(now + 1001), [made])
})

test('a clock that is set back does not take back a stop that began', (t) => {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  const made = list.add(stopOf(principal, { fromMs: now + 1000 }))
  list.tick(now + 1000)
  assert.equal(list.find(ada, undefined, now - 5000)?.id, made.id)
  list.close()
  assert.equal(openRevocations(file, { clock }).find(ada, undefined, now - 5000)?.id, made.id)
})

test('a stop in force from the beginning is not told by tick', () => {
  const list = openRevocations(':memory:', { clock })
  list.add(stopOf(principal))
  assert.deepEqual(list.tick(now + 1000), [])
})

test('what has ended by itself is forgotten by tick, on disk too, and not before', (t) => {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  list.add(stopOf(principal, { untilMs: now + 1000 }))
  list.tick(now + 1000)
  assert.equal(list.list().length, 1)
  assert.notEqual(list.find(ada, undefined, now + 1500), undefined)
  list.tick(now + 1001)
  assert.deepEqual(list.list(), [])
  assert.deepEqual(openRevocations(file, { clock }).list(), [])
})

test('a stop without its entry in the record is known, until that is noted', (t) => {
  const file = newFile(t)
  const list = openRevocations(file, { clock })
  const [one, two] = [list.add(stopOf(principal)), list.add(stopOf({ kind: 'everything' }))]
  list.recorded(one.id)
  list.recorded('rv_none')
  assert.deepEqual(list.unrecorded(), [two])
  assert.deepEqual(openRevocations(file, { clock }).unrecorded(), [two])
})

test('moments between milliseconds are taken to the side that stops more', () => {
  const list = openRevocations(':memory:', { clock })
  const { issuer, subject } = ada
  const before = { kind: 'tokens-before', issuer, subject, beforeMs: now + 0.2 } as const
  const more = { madeMs: now + 0.7, fromMs: now + 0.7, untilMs: now + 8.2 }
  const { fromMs, madeMs, target, untilMs } = list.add(stopOf(before, more))
  assert.deepEqual([madeMs, fromMs, untilMs], [now, now, now + 9])
  assert.equal(target.kind === 'tokens-before' && target.beforeMs, now + 1)
})

test('a stop is kept as it was given, whatever becomes of the object', () => {
  const list = openRevocations(':memory:', { clock })
  const target = { kind: 'principal' as const, issuer: ada.issuer, subject: 'ada' }
  list.add(stopOf(target))
  target.subject = 'eve'
  assert.notEqual(list.find(ada, undefined, now), undefined)
})

test('only its owner can read the file', (t) => {
  const file = newFile(t)
  openRevocations(file, { clock }).add(stopOf(principal))
  for (const each of [file, `${file}-wal`]) assert.equal(statSync(each).mode & 0o777, 0o600)
})

const few = fc.constantFrom('a', 'b', 'a b', '')
const moments = fc.integer({ min: now - 5, max: now + 5 })
const targets: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ kind: fc.constant('principal' as const), issuer: few, subject: few }),
  fc.record({ kind: fc.constant('client' as const), client: few }),
  fc.record({ kind: fc.constant('token' as const), token: few }),
  fc.record({ kind: fc.constant('sign-in' as const), signIn: few }),
  fc.record({
    kind: fc.constant('tokens-before' as const),
    issuer: few,
    subject: few,
    beforeMs: moments,
  }),
  fc.record({ kind: fc.constant('connection' as const), connection: few }),
  fc.record({ kind: fc.constant('everything' as const) }),
)
const steps = fc.oneof(
  fc.record({ do: fc.constant('add' as const), target: targets, fromMs: moments }),
  fc.record({ do: fc.constant('lift' as const), nth: fc.nat(9) }),
  fc.record({ do: fc.constant('tick' as const), atMs: moments }),
)
const asks = fc.record({
  of: fc.record(
    { issuer: few, subject: few, clientId: few, tokenId: few, signInId: few, issuedAtMs: moments },
    { requiredKeys: ['issuer', 'subject'] },
  ),
  connection: fc.option(few, { nil: undefined }),
  atMs: moments,
})

/** As the words of `Target` say it, one after the other. */
function naive(target: Target, of: Stoppable, connection: string | undefined): boolean {
  const isWho = 'issuer' in target && target.issuer === of.issuer && target.subject === of.subject
  if (target.kind === 'principal') return isWho
  if (target.kind === 'tokens-before') return isWho && (of.issuedAtMs ?? 0) <= target.beforeMs
  if (target.kind === 'client') return of.clientId === target.client
  if (target.kind === 'token') return of.tokenId === target.token
  if (target.kind === 'sign-in') return of.signInId === target.signIn
  if (target.kind === 'connection') return connection === target.connection
  return true
}

test('whatever is stopped, planned, lifted and told, find agrees with a naive list', () => {
  const agrees = fc.property(
    fc.array(steps, { maxLength: 20 }),
    fc.array(asks, { minLength: 1, maxLength: 10 }),
    (done, asked) => {
      const list = openRevocations(':memory:', { clock })
      const model: { made: Revocation; begun: boolean }[] = []
      for (const step of done) {
        if (step.do === 'add') {
          const made = list.add(stopOf(step.target, { fromMs: step.fromMs }))
          model.push({ made, begun: step.fromMs <= now })
        } else if (step.do === 'lift') {
          const [gone] = model.splice(step.nth, 1)
          assert.equal(list.lift(gone?.made.id ?? 'rv_none')?.id, gone?.made.id)
        } else {
          list.tick(step.atMs)
          for (const each of model) each.begun ||= each.made.fromMs <= step.atMs
        }
      }
      for (const { atMs, connection, of } of asked) {
        const found = list.find(of, connection, atMs)
        const all = model
          .filter(({ begun, made }) => begun || made.fromMs <= atMs)
          .filter(({ made }) => naive(made.target, of, connection))
          .map(({ made }) => made.id)
        assert.equal(found === undefined, all.length === 0)
        if (found !== undefined) assert.ok(all.includes(found.id))
      }
      assert.equal(list.list().length, model.length)
      list.close()
    },
  )
  fc.assert(agrees)
})
