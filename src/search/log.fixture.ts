/** Logs for tests: entries as the record gives them back, from a few numbers. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isoMicros } from '../base/clock.ts'
import { storedEntry } from '../record/stored.ts'
import type { LogBatch } from './add.ts'
import type { IndexedEntry } from './fold.ts'

/** An entry from its members; those that every entry has are filled in. */
export function entryOf(
  index: number,
  timeUs: number,
  fields: Readonly<Record<string, unknown>>,
  body?: unknown,
): IndexedEntry {
  const value = { v: 1, outcome: 'ok', index, time: isoMicros(timeUs), ...fields }
  const stored = storedEntry(value)
  assert.ok(stored, 'an entry of a test is whole')
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  return { ...stored, body: () => bytes }
}

const people: readonly object[] = [
  { issuer: 'https://issuer.example', subject: 'u-1', kind: 'person', name: 'Ada Müller' },
  { issuer: 'https://issuer.example', subject: 'u-2', kind: 'person', name: "Bob O'Brien" },
  { issuer: 'ci', subject: 'repo:acme/payments', kind: 'workload' },
]
export const tools: readonly string[] = ['execute_sql', 'search_objects', 'Get_Customer']
export const connections: readonly string[] = ['shop', 'payments']
const addresses = ['10.0.0.1', '10.0.0.77', '192.0.2.9', '2001:db8::1']
export const words: readonly string[] = [
  'cards',
  'orders',
  'card_number',
  'Zürich',
  'x1',
  'from',
  '1111',
  "o'brien",
]

/** Entries about identities, as far as they name somebody or something. */
const stops: readonly object[] = [
  {
    type: 'principal.revoked',
    details: {
      id: 'rv_1',
      what: 'principal',
      of: 'https://issuer.example u-2',
      reason: 'left the company',
      by: 'https://issuer.example alex',
      source: 'cli',
    },
  },
  { type: 'revocation.cut', details: { id: 'rv_1', calls: 1, streams: 2, sessions: 0 } },
  {
    type: 'principal.revoked',
    details: {
      id: 'rv_2',
      what: 'client',
      of: 'cursor-1',
      reason: 'x1',
      by: 'alex',
      source: 'api',
    },
  },
  {
    type: 'scim.changed',
    details: {
      resource: 'Group',
      change: 'changed',
      group: 'grp-7',
      added: ['u-1'],
      addedCount: 1,
    },
  },
  { type: 'access.changed', details: { what: 'access', added: ['u-1 may cards'], by: 'alex' } },
  { type: 'auth.accepted', details: { client: 'cursor-1', token: 'jti-7' } },
]

/** One thing that happens; numbers choose from the lists above. */
export interface Step {
  readonly kind: 'call' | 'denied' | 'other' | 'stop'
  readonly who: number
  readonly tool: number
  readonly words: readonly number[]
  readonly figure: number
  /** After how many further steps the call ends. */
  readonly lasts: number
}

const pick = fc.nat({ max: 11 })
export const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('call', 'call', 'denied', 'other', 'stop'),
  who: pick,
  tool: pick,
  words: fc.array(pick, { minLength: 1, maxLength: 5 }),
  figure: fc.nat({ max: 2000 }),
  lasts: fc.nat({ max: 6 }),
})

function at<T>(list: readonly T[], i: number): T {
  const found = list[i % list.length]
  assert.ok(found !== undefined)
  return found
}

/** The entries of some steps, one step a `stepUs`; calls end later, in the order of their ends. */
export function entriesOf(
  steps: readonly Step[],
  startUs: number,
  stepUs: number,
  writer = 'w1',
): IndexedEntry[] {
  const entries: IndexedEntry[] = []
  const ends: { due: number; add: () => void }[] = []
  steps.forEach((step, i) => {
    const timeUs = startUs + i * stepUs
    begin(step, i, timeUs)
    for (const end of ends.filter(({ due }) => due === i)) end.add()
  })
  for (const end of ends.filter(({ due }) => due >= steps.length)) end.add()
  return entries

  function now(i: number): number {
    return startUs + Math.min(i, steps.length - 1) * stepUs
  }
  function add(timeUs: number, fields: Readonly<Record<string, unknown>>, body?: unknown): void {
    entries.push(entryOf(entries.length, timeUs, fields, body))
  }
  function begin(step: Step, i: number, timeUs: number): void {
    const { figure, kind, lasts, tool, who } = step
    const common = {
      session: `se_${who % 3}`,
      exchange: `ex_${writer}_${i}`,
      connection: at(connections, tool),
      principal: at(people, who),
      source: {
        ip: at(addresses, who),
        port: 1,
        forwarded: figure % 3 ? undefined : '198.51.100.7',
      },
    }
    const text = step.words.map((word) => at(words, word)).join(' ')
    const sql = `SELECT ${at(words, figure)} FROM ${at(['cards', 'orders'], tool)} -- ${text}`
    const asked = { method: 'tools/call', params: { arguments: { sql } } }
    const target = { kind: 'tool', name: at(tools, tool) }
    if (kind === 'other') {
      const client = { clientName: at(['cursor', 'claude'], who), clientVersion: '1.0' }
      add(timeUs, { ...common, exchange: null, type: 'session.opened', ...client })
      return
    }
    if (kind === 'stop') {
      add(timeUs, { ...common, ...at(stops, figure), exchange: null, session: null })
      return
    }
    const called = { method: 'tools/call', target, rule: at(['r-1', 'r-2'], figure) }
    if (kind === 'denied') {
      const why = { reason: 'no_grant', code: 'refused', status: 200, outcome: 'denied' }
      add(timeUs, { ...common, type: 'call.denied', ...called, ...why }, asked)
      return
    }
    add(timeUs, { ...common, type: 'call.received', ...called, bytes: figure }, asked)
    add(timeUs, { ...common, type: 'call.dispatched', host: 'h', attempt: 1 })
    ends.push({ due: i + lasts, add: () => end(step, common, now(i + lasts)) })
  }
  function end(step: Step, common: Readonly<Record<string, unknown>>, timeUs: number): void {
    const { figure } = step
    const said = { result: { content: [{ type: 'text', text: at(words, figure + 3) }] } }
    add(timeUs, { ...common, type: 'response.event', seq: 1, bytes: figure + 7 }, said)
    if (figure % 2) {
      add(timeUs, { ...common, type: 'mask.applied', of: 'answer', seq: 1, count: figure % 5 })
    }
    const outcome = at(['ok', 'tool_error', 'failed'], figure)
    const sizes = { bytesIn: figure, bytesOut: figure * 3, durationUs: figure * 1000 }
    const why = outcome === 'ok' ? {} : { reason: 'upstream' }
    add(timeUs, { ...common, type: 'call.finished', outcome, ...sizes, ...why })
  }
}

/** The entries cut into batches of one month each, of these sizes over and over. */
export function batchesOf(
  entries: readonly IndexedEntry[],
  sizes: readonly number[],
  writer = 'w1',
): LogBatch[] {
  const batches: LogBatch[] = []
  let place: LogBatch['place']
  for (let i = 0, turn = 0; i < entries.length; turn++) {
    const month = entries[i]?.time.slice(0, 7) ?? ''
    let end = Math.min(i + at(sizes, turn), entries.length)
    while (entries[end - 1]?.time.slice(0, 7) !== month) end--
    const next = { segment: `${month}/0001.seg`, offset: end * 100, nextIndex: end }
    batches.push({ writer, place, next, entries: entries.slice(i, end) })
    place = next
    i = end
  }
  return batches
}
