import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalize } from '../tlog/canonical.ts'
import { encodeEntry, entryBytesMax } from './encode.ts'
import { share } from './entry.ts'
import { splitMasking } from './split.ts'
import { storedEntry } from './stored.ts'
import type { Masked } from '../mask/masked.ts'
import type { Stamp, Writable } from './encode.ts'
import type { GroupInput, MaskApplied, SharedFields } from './entry.ts'

/** The record asks a masked value for nothing but its value. */
function masked<T>(value: T): Masked<T> {
  return { value } as unknown as Masked<T>
}
const halves = fc.constantFrom('a', '\u0000', '"', '\ud83d', '\ude00', '\ufb33')
const any = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 700 }),
  fc.string({ unit: halves, maxLength: 700 }),
)
const word = any.map((text) => masked(text))
const optional = fc.option(word, { nil: undefined })
const count = fc.nat()
const target = fc.option(fc.record({ kind: fc.constant('tool' as const), name: word }), {
  nil: undefined,
})
const rpcKind = fc.constantFrom('request' as const, 'notification' as const, 'response' as const)
const era = fc.constantFrom('modern' as const, 'legacy' as const)
const maybe = <T>(made: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(made, { nil: undefined })
const is = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type)
const group: fc.Arbitrary<GroupInput> = fc.record({
  kind: is('pan'),
  brand: maybe(is('visa')),
  confidence: is('high'),
  at: any,
  rule: any,
  each: fc.array(fc.constantFrom('0', '1,2:4242', '')),
})

/** One of each type, with every optional member there or not. */
const entries: fc.Arbitrary<Writable> = fc.oneof(
  fc.record({
    type: is('call.received'),
    era,
    version: any,
    rpcKind,
    method: optional,
    target,
    bytes: count,
    decision: is('allow'),
    rule: any,
  }),
  fc.record({
    type: is('call.denied'),
    rpcKind: maybe(rpcKind),
    method: optional,
    target,
    reason: any,
    code: any,
    status: count,
    rule: maybe(any),
  }),
  fc.record({ type: is('call.dispatched'), host: any, attempt: count }),
  fc.record({
    type: is('response.event'),
    seq: count,
    rpcKind,
    method: optional,
    bytes: count,
    again: maybe(fc.boolean()),
    eventId: optional,
  }),
  fc.record({
    type: is('call.finished'),
    outcome: is('unknown'),
    httpStatus: count,
    durationUs: count,
    bytesIn: count,
    bytesOut: count,
    messages: count,
    reason: maybe(any),
  }),
  fc.record({
    type: is('mask.applied'),
    of: is('answer'),
    seq: maybe(count),
    groups: fc.array(group, { maxLength: 4 }),
    delivered: is('masked'),
    count,
    part: count,
    parts: count,
  }),
  fc.record({ type: is('auth.refused'), reason: any, issuerClaimed: optional, httpStatus: count }),
  fc.record({ type: is('auth.accepted'), expiresUs: maybe(count) }),
  fc.record({
    type: is('session.opened'),
    era,
    version: any,
    clientName: optional,
    clientVersion: optional,
    userAgent: optional,
  }),
  fc.record({ type: is('session.closed'), durationUs: count, reason: any, calls: count }),
  fc.record({
    type: is('gateway.started'),
    version: any,
    configHash: any,
    hashes: maybe(fc.dictionary(fc.string(), fc.string())),
  }),
  fc.record({ type: is('gateway.stopped'), reason: any }),
  fc.record({
    type: is('gateway.recovered'),
    torn: fc.array(
      fc.record({ segment: fc.string(), offset: count, bytes: count, sha256: fc.string() }),
      { maxLength: 3 },
    ),
    callsUnknown: count,
    callsFailed: count,
    sessionsClosed: count,
  }),
  fc.record({
    type: is('record.viewed'),
    what: is('replay'),
    by: is('cli'),
    viewed: maybe(any),
    query: optional,
    shown: maybe(count),
  }),
  fc.record({
    type: is('record.exported'),
    what: is('pack'),
    by: is('cli'),
    query: optional,
    entries: count,
    bodies: count,
  }),
  fc.record({ type: is('keys.rotated'), from: any, to: any, overlapUntilUs: count }),
  fc.record({
    type: is('retention.held'),
    id: any,
    phase: is('placed'),
    what: is('session'),
    of: word,
    reason: word,
  }),
  fc.record({
    type: is('retention.removed'),
    what: is('month'),
    phase: is('begun'),
    month: any,
    reason: any,
    first: count,
    end: count,
    segments: count,
    sha256: any,
  }),
  fc.record({
    type: fc.constantFrom('control.failed' as const, 'control.restored' as const),
    control: any,
    reason: any,
  }),
  fc.record({
    type: is('seal'),
    everyMs: count,
    refused: fc.dictionary(fc.string(), count),
  }),
)
const shareds: fc.Arbitrary<SharedFields> = fc.record({
  session: maybe(any),
  exchange: maybe(any),
  principal: maybe(
    fc
      .record({
        issuer: any,
        subject: any,
        name: maybe(any),
        kind: is('person'),
        groups: maybe(fc.array(any, { maxLength: 3 })),
      })
      .map((who) => masked(who)),
  ),
  source: maybe(fc.record({ ip: any, port: count, forwarded: maybe(any) })),
  connection: maybe(any),
})
const time = '2026-11-21T07:48:00.123456Z'

test('every entry of every type is canonical JSON, whatever words it holds', () => {
  const bytes = new Uint8Array(5)
  const body = maybe(
    fc.record({
      bytes: fc.constant(bytes),
      encoding: is('identity'),
      key: maybe(is('2026-11')),
      sha256: is('ab'),
    }),
  )
  const isCanonical = fc.property(entries, shareds, count, body, (entry, fields, index, stored) => {
    const seal = { since: 1, fromUs: 2, accepted: 3, denied: 4, inFlight: 5 }
    const stamp: Stamp = { index, time, shared: share(fields), body: stored, seal }
    const line = encodeEntry(entry, stamp)
    assert.equal(canonicalize(JSON.parse(line)), line)
    const read = storedEntry(JSON.parse(line))
    assert.equal(read?.type, entry.type)
    assert.equal(read?.index, index)
    // The six of PCI DSS 10.2.2: who, what, when, how it ended, from where, on what.
    const six = ['principal', 'type', 'time', 'outcome', 'source', 'session', 'connection']
    for (const member of six) assert.notEqual(read?.fields[member], undefined, member)
    if (read?.timeUs !== undefined) assert.equal(read.timeUs % 1_000_000, 123_456)
  })
  fc.assert(isCanonical, { numRuns: 1500 })
})

const bad: readonly [what: string, entry: Writable][] = [
  ['a fraction', { type: 'call.dispatched', host: 'h', attempt: 0.5 }],
  ['a negative', { type: 'call.dispatched', host: 'h', attempt: -1 }],
  ['no number', { type: 'call.dispatched', host: 'h', attempt: Number.NaN }],
  ['a number that JSON readers round', { type: 'call.dispatched', host: 'h', attempt: 2 ** 53 }],
]
for (const [what, entry] of bad) {
  test(`${what} is not taken for a count`, () => {
    const stamp = { index: 0, time, shared: share({}), body: undefined }
    assert.throws(() => encodeEntry(entry, stamp), { name: 'Broken' })
  })
}

test('maskings too many for one entry go into several that joined are the same again', () => {
  const splits = fc.property(
    fc.array(fc.tuple(group, fc.nat({ max: 6000 })), { maxLength: 6 }),
    (some) => {
      const groups = some.map(([made, many]) => ({
        ...made,
        each: Array.from({ length: many }, (_, i) => `${i},${i * 7}:4242`),
      }))
      const entry: MaskApplied = {
        type: 'mask.applied',
        of: 'answer',
        seq: 1,
        groups,
        delivered: 'masked',
      }
      const parts = splitMasking(entry)
      const stamp = { index: 1, time, shared: share({}), body: undefined }
      for (const part of parts) {
        assert.ok(Buffer.byteLength(encodeEntry(part, stamp)) < entryBytesMax - 8_000)
        assert.equal(part.parts, parts.length)
      }
      assert.deepEqual(
        parts.map(({ part }) => part),
        parts.map((_, i) => i + 1),
      )
      assert.deepEqual(
        parts.flatMap((part) => part.groups.flatMap(({ each }) => each)),
        groups.flatMap(({ each }) => each),
      )
      const total = parts.reduce((sum, part) => sum + part.count, 0)
      assert.equal(
        total,
        groups.reduce((sum, { each }) => sum + each.length, 0),
      )
      const empty = groups.filter(({ each }) => each.length === 0).length
      assert.equal(
        parts.flatMap((part) => part.groups.filter(({ each }) => each.length === 0)).length,
        empty,
      )
    },
  )
  fc.assert(splits, { numRuns: 60 })
})
