/**
 * How fast the record is searched: an index of a month is made of entries as a gateway writes them,
 * five a call, and asked what people ask. Alone: `node bench/search.ts [ENTRIES] [FOLDER]`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isoMicros } from '../src/base/clock.ts'
import { storedEntry } from '../src/record/stored.ts'
import { parseQuery } from '../src/search/parse.ts'
import { RecordIndex } from '../src/search/record-index.ts'
import { short } from './figure.ts'
import type { LogBatch } from '../src/search/add.ts'
import type { Figure } from './figure.ts'

const entriesDefault = 1_000_000
const callsPerBatch = 400
const entriesPerCall = 5
const startUs = Date.parse('2026-11-01T00:00:00Z') * 1000
const monthUs = 30 * 86_400_000_000
const nowUs = startUs + monthUs
const roundsPerQuery = 5

/** Always the same numbers, spread as if they were not (Park and Miller, CACM 31:10, 1988). */
function dice(): (below: number) => number {
  let seed = 20_261_121
  return (below) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
}

const connections = ['shop', 'payments', 'ledger', 'crm', 'disputes']
const tools = ['execute_sql', 'search_objects', 'get_customer', 'list_orders', 'refund', 'explain']
const tables = ['customers', 'orders', 'cards', 'payments', 'refunds', 'merchants', 'disputes']
const names = ['id', 'name', 'email', 'card_number', 'expiry', 'amount', 'currency', 'created_at']
const cities = [
  'Zürich',
  'Köln',
  'Lyon',
  'Oslo',
  'Porto',
  'Graz',
  'Bern',
  'Turin',
  'Ghent',
  'Malmö',
]

/** What each kind of question asks; `#` becomes another number each time. */
const filtered = [
  'principal:user-#',
  'principal:user-# outcome:denied',
  'connection:shop outcome:denied',
  'connection:payments tool:execute_sql',
  'tool:exec* -outcome:ok',
  'table:cards masked>0',
  'table:cards column:card_number principal:user-#',
  'duration>500ms',
  'bytes>=200kb connection:ledger',
  'masked>0 from:-7d',
  'type:call.denied from:2026-11-10 to:2026-11-12',
  'ip:10.0.#.0/24',
  'rule:deny-* OR outcome:failed',
  'session:se_#',
  'outcome:ok',
]
const texts = [
  'refund',
  '"from cards"',
  'card_number',
  'select',
  'city zürich',
  'term#',
  'term#*',
  '"where merchant" OR term#',
  'amount -customers',
  'select connection:shop',
  '"card number" masked>0 principal:user-#',
  'term# OR (tool:refund outcome:denied)',
]

/** Figures of an index of so many entries, made on the disk of `folder`. */
export async function benchSearch(
  entries: number = entriesDefault,
  folder: string = tmpdir(),
): Promise<Figure[]> {
  const dir = mkdtempSync(join(folder, 'sallyport-search-'))
  try {
    const began = performance.now()
    const index = RecordIndex.open(dir, { isReadOnly: false, indexOutputs: false })
    for (const batches of batchesOf(entries)) index.add(batches)
    index.close()
    const buildMs = performance.now() - began
    const bytes = statSync(join(dir, '2026-11.sqlite')).size
    // As much memory for pages as the thread has that searches.
    const reader = RecordIndex.open(dir, {
      isReadOnly: true,
      indexOutputs: false,
      cacheKib: 16_384,
    })
    const found = [
      { name: 'search: index made', value: entries / (buildMs / 1000), unit: 'entries/s' },
      { name: 'search: index', value: bytes / entries, unit: 'bytes an entry' },
      ...timed('search: filtered', ask(reader, filtered), 100),
      ...timed('search: free text', ask(reader, texts), 300),
    ]
    reader.close()
    return await Promise.resolve(found)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** How long each question took in ms, with its first page and its counts by day; asked once before. */
function ask(index: RecordIndex, questions: readonly string[]): number[] {
  const roll = dice()
  const took: number[] = []
  for (const question of questions) {
    const own: number[] = []
    let total = 0
    for (let i = 0; i <= roundsPerQuery; i++) {
      const query = parseQuery(
        question.replaceAll('#', () => String(roll(250))),
        nowUs,
      )
      const began = performance.now()
      total = index.search(query).total ?? 0
      if (i > 0) own.push(performance.now() - began)
    }
    took.push(...own)
    if (isAlone) console.log(`${short(at(own, 0.5)).padStart(8)} ms  ${question}  (${total})`)
  }
  return took
}

function timed(name: string, took: readonly number[], atMost: number): Figure[] {
  return [
    { name: `${name}, p50`, value: at(took, 0.5), unit: 'ms' },
    { name: `${name}, p95`, value: at(took, 0.95), unit: 'ms', atMost },
  ]
}

function at(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}

/** The entries of a month of calls, a batch of the log at a time. */
function* batchesOf(entries: number): Generator<LogBatch[]> {
  const roll = dice()
  const calls = Math.floor(entries / entriesPerCall)
  let place: LogBatch['place']
  for (let call = 0; call < calls; call += callsPerBatch) {
    const lines: LogBatch['entries'][number][] = []
    const end = Math.min(call + callsPerBatch, calls)
    for (let i = call; i < end; i++) lines.push(...callOf(i, calls, roll))
    const nextIndex = end * entriesPerCall
    const next = { segment: '2026-11/0001.seg', offset: nextIndex * 500, nextIndex }
    yield [{ writer: 'w1', place, next, entries: lines }]
    place = next
  }
}

function callOf(
  i: number,
  calls: number,
  roll: (below: number) => number,
): LogBatch['entries'][number][] {
  const one = (list: readonly string[]): string => list[roll(list.length)] ?? ''
  const timeUs = startUs + Math.floor((i / calls) * monthUs)
  const user = roll(400)
  const isDenied = roll(50) === 0
  const shared = {
    session: `se_${user}_${i >> 12}`,
    exchange: `ex_${i.toString(36).padStart(24, 'abcdefgh')}`,
    connection: one(connections),
    principal: { issuer: 'https://issuer.example', kind: 'person', subject: `user-${user}` },
    source: { ip: `10.0.${user >> 2}.${user & 3}`, port: 4000 },
  }
  const called = { method: 'tools/call', target: { kind: 'tool', name: one(tools) } }
  const sql =
    `SELECT ${one(names)}, ${one(names)} FROM ${one(tables)} WHERE merchant = 'term${roll(20_000)}' ` +
    `AND city = '${one(cities)}' AND amount > ${roll(5000)} ORDER BY created_at LIMIT ${roll(500)}`
  const body = Buffer.from(JSON.stringify({ ...called, params: { arguments: { sql } } }))
  const entry = (n: number, fields: object, text?: Buffer): LogBatch['entries'][number] => {
    const index = i * entriesPerCall + n
    const value = { v: 1, outcome: 'ok', index, time: isoMicros(timeUs + n), ...shared, ...fields }
    const stored = storedEntry(value)
    if (!stored) throw new Error('an entry of the benchmark is not whole')
    return { ...stored, body: () => text }
  }
  const size = roll(100_000)
  const received = { type: 'call.received', ...called, rule: 'engineers', bytes: body.length }
  const end = isDenied
    ? { type: 'call.denied', outcome: 'denied', rule: 'deny-writes', reason: 'rule' }
    : {
        type: 'call.finished',
        outcome: roll(40) === 0 ? 'failed' : 'ok',
        durationUs: roll(20) === 0 ? roll(2_000_000) : roll(100_000),
        bytesIn: body.length,
        bytesOut: size * (roll(30) === 0 ? 5 : 1),
      }
  return [
    entry(0, received, body),
    entry(1, { type: 'call.dispatched', host: 'db', attempt: 1 }),
    entry(2, { type: 'response.event', seq: 1, bytes: size }),
    entry(3, { type: 'mask.applied', of: 'answer', count: roll(4) === 0 ? roll(50) : 0 }),
    entry(4, end),
  ]
}

const isAlone = import.meta.main
if (isAlone) {
  const [, , entries = String(entriesDefault), folder = tmpdir()] = process.argv
  for (const { atMost, name, unit, value } of await benchSearch(Number(entries), folder)) {
    console.log(`${name}: ${short(value)} ${unit}${atMost === undefined ? '' : ` (≤ ${atMost})`}`)
  }
}
