import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  batchesOf,
  connections,
  entriesOf,
  entryOf,
  stepArbitrary,
  tools,
  words,
} from './log.fixture.ts'
import { fitsQuery, itemsIn } from './naive.fixture.ts'
import { isoMicros } from '../base/clock.ts'
import { parseQuery } from './parse.ts'
import { DatabaseSync } from 'node:sqlite'
import { RecordIndex } from './record-index.ts'
import type { TestContext } from 'node:test'
import type { LogBatch } from './add.ts'
import type { Draft, IndexedEntry } from './fold.ts'
import type { Item } from './item.ts'

const startUs = Date.parse('2026-11-30T20:00:00Z') * 1000
const hourUs = 3_600_000_000

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-index-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const term = fc.oneof(
  fc.constantFrom(...words),
  fc.constantFrom(...words).map((word) => `"select ${word}"`),
  fc.constantFrom('car*', 'zur*', 'o*', '111*', '"card number"', 'nothing', '"from cards"'),
  fc.constantFrom(...tools).map((tool) => `tool:${tool}`),
  fc.constantFrom(...connections).map((name) => `connection:${name}`),
  fc.constantFrom(
    'tool:exec*',
    'tool:*_*t*',
    'tool:nothing',
    'principal:u-1',
    'principal:alex',
    'principal:*',
    'of:u-2',
    'of:"https://issuer.example u-2"',
    'of:rv_1,cursor-*',
    'of:*',
    'company',
    'type:principal.revoked',
    'principal:"ada müller"',
    'principal:https*',
    'principal:*payments,u-2',
    'outcome:ok',
    'outcome:open',
    'outcome:denied,failed',
    'rule:r-1',
    'reason:*',
    'ticket:*',
    'method:tools*',
    'type:call.*',
    'type:mask.applied',
    'type:session.opened',
    'table:cards',
    'table:*',
    'column:card_number,x1',
    'ip:10.0.0.0/24',
    'ip:2001:db8::1',
    'ip:198.51.100.7',
    'client:cursor*',
    'client:*',
    'session:se_1',
    'exchange:ex_w1_3',
    'exchange:ex_w1_1*',
    'exchange:EX_W1_2*',
    'exchange:EX_W1_3',
    'writer:w1',
    'from:2026-12-01',
    'to:2026-11-30T22:00',
    'from:2026-11-30T23:30:00',
  ),
  fc
    .tuple(
      fc.constantFrom('masked', 'bytes', 'duration'),
      fc.constantFrom('>', '>=', '<', '<=', '='),
      fc.nat({ max: 2000 }),
    )
    .map(([name, order, value]) => `${name}${order}${value}${name === 'duration' ? 'ms' : ''}`),
)
const queryArbitrary = fc.letrec<{ query: string; part: string }>((tie) => ({
  part: fc.oneof(
    { weight: 4, arbitrary: term },
    tie('query').map((inner) => `(${inner})`),
  ),
  query: fc
    .array(
      fc.tuple(
        fc.constantFrom('', '', '-', 'NOT '),
        tie('part'),
        fc.constantFrom(' ', ' ', ' OR '),
      ),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((parts) =>
      parts.map(([no, part, then], i) => no + part + (i < parts.length - 1 ? then : '')).join(''),
    ),
})).query

test('the index gives what reading everything gives, in order, page by page, day by day', (t) => {
  const dir = folder(t)
  const log = fc.array(stepArbitrary, { minLength: 8, maxLength: 40 })
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 })
  const queries = fc.array(queryArbitrary, { minLength: 12, maxLength: 12 })
  const same = fc.property(log, sizes, queries, fc.boolean(), (steps, cuts, texts, outputs) => {
    rmSync(dir, { recursive: true, force: true })
    const index = RecordIndex.open(dir, { isReadOnly: false, indexOutputs: outputs })
    try {
      const entries = entriesOf(steps, startUs, hourUs / 3)
      for (const batch of batchesOf(entries, cuts)) index.add([batch])
      for (const text of texts) compare(index, entries, text, outputs)
    } finally {
      index.close()
    }
  })
  fc.assert(same, { numRuns: 40 })
})

/** What is shown of an item is what its entries say. */
function sameItem(item: Item, all: readonly Draft[]): void {
  const draft = all.find(({ first }) => first === item.first)
  assert.ok(draft)
  const { columns: _c, of: _f, people: _w, tables: _s, ...seen } = draft
  const { command, isEnded: _e, open: _o, output: _t, ...rest } = seen
  const { timeUs, types, ...same } = rest
  const { excerpt, place: _p, ...shown } = item
  const { kind, issuer, name, subject } = draft.principal ?? {}
  const principal = draft.principal && { issuer, kind, name, subject }
  const wanted = { ...same, principal, time: isoMicros(timeUs), types: [...types].toSorted() }
  assert.deepEqual(shown, wanted)
  assert.equal(excerpt ?? '', command.slice(0, 200))
}

function compare(
  index: RecordIndex,
  entries: readonly IndexedEntry[],
  text: string,
  outputs: boolean,
): void {
  const query = parseQuery(text, startUs)
  const all = itemsIn(entries, 'w1', outputs)
  const wanted = all.filter((item) => fitsQuery(query, item, all))
  const found: number[] = []
  let cursor: string | undefined
  let total: number | undefined
  const days = new Map<string, number>()
  do {
    const page = index.search(query, { limit: 7, cursor, order: 'oldest' })
    found.push(...page.items.map(({ first }) => first))
    for (const item of page.items) sameItem(item, all)
    total ??= page.total
    for (const { count, day } of page.days ?? []) days.set(day, count)
    assert.ok(found.length <= all.length, text)
    cursor = page.cursor
  } while (cursor !== undefined)
  assert.deepEqual(
    found,
    wanted.map(({ first }) => first),
    text,
  )
  assert.equal(total, wanted.length, text)
  const wantedDays = new Map<string, number>()
  // Calls are made in the order of time, and so are days.
  for (const { timeUs } of wanted) {
    const day = new Date(timeUs / 1000).toISOString().slice(0, 10)
    wantedDays.set(day, (wantedDays.get(day) ?? 0) + 1)
  }
  assert.deepEqual([...days], [...wantedDays], text)
  const newest = index.search(query, { limit: 1000 }).items.map(({ first }) => first)
  assert.deepEqual(newest, found.toReversed(), text)
}

const written = { isReadOnly: false, indexOutputs: true }

/** Ten steps before the turn of the month and twenty behind it; half of the calls last for hours. */
const steps = Array.from({ length: 30 }, (_, i) => ({
  kind: (['call', 'call', 'denied', 'call', 'other'] as const)[i % 5] ?? 'call',
  who: i,
  tool: i * 7,
  words: [i, i + 3],
  figure: i * 37,
  lasts: (i * 5) % 9,
}))
const turning = entriesOf(steps, startUs, hourUs / 3)

/** All that is in the index, without what depends on how the entries came. */
function contents(index: RecordIndex): unknown[] {
  const { items } = index.search({ kind: 'all' }, { limit: 1000, order: 'oldest' })
  const texts = words.map((word) => [
    word,
    index.search(parseQuery(`"${word}"`, startUs), { limit: 1000 }).items.map(({ first }) => first),
  ])
  return [...items.map((item) => ({ ...item, place: undefined })), ...texts]
}

function build(dir: string, batches: readonly LogBatch[]): RecordIndex {
  const index = RecordIndex.open(dir, written)
  for (const batch of batches) index.add([batch])
  return index
}

/** Goes on with a log from wherever the index stands. */
function goOn(index: RecordIndex, batches: readonly LogBatch[]): void {
  const from = index.position('w1')?.nextIndex ?? 0
  for (const batch of batches) {
    if ((batch.entries[0]?.index ?? 0) >= from) index.add([batch])
  }
}

/** Stands for a process that ends: the statement for which `isLast` holds does not run any more. */
function stopWhen(isLast: (sql: string) => boolean): () => void {
  const exec = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, 'exec')
  assert.ok(exec)
  const { value: run } = exec
  const stopping = function stopping(this: DatabaseSync, sql: string): void {
    if (isLast(sql)) throw new Error('stopped')
    run.call(this, sql)
  }
  Object.defineProperty(DatabaseSync.prototype, 'exec', { ...exec, value: stopping })
  return () => Object.defineProperty(DatabaseSync.prototype, 'exec', exec)
}

test('an index that stops at any statement goes on without a gap and nothing twice', (t) => {
  const whole = build(folder(t), batchesOf(turning, [1000]))
  const wanted = contents(whole)
  whole.close()
  const batches = batchesOf(turning, [7])
  let isDone = false
  for (let n = 1; !isDone; n += 5) {
    const dir = folder(t)
    let left = n
    const restore = stopWhen((sql) => /COMMIT|BEGIN/.test(sql) && left-- <= 0)
    const dying = tryOpen(dir)
    try {
      if (dying) goOn(dying, batches)
      isDone = left > 0
    } catch (error) {
      assert.match(String(error), /stopped/)
    } finally {
      restore()
    }
    dying?.close()
    const index = RecordIndex.open(dir, written)
    goOn(index, batches)
    assert.deepEqual(contents(index), wanted, `stopped at ${n}`)
    index.close()
    rmSync(dir, { recursive: true, force: true })
  }

  function tryOpen(dir: string): RecordIndex | undefined {
    try {
      return RecordIndex.open(dir, written)
    } catch {
      return undefined
    }
  }
})

test('an index stopped between the files of two months knows what the older one has', (t) => {
  const dir = folder(t)
  const batches = batchesOf(turning, [5])
  const first = batches.findIndex(({ next }) => next.segment.startsWith('2026-12'))
  const ahead = batches.slice(first, first + 6)
  const index = build(dir, batches.slice(0, first))
  let commits = 0
  const restore = stopWhen((sql) => sql === 'COMMIT' && commits++ === 1)
  try {
    assert.throws(() => index.add(ahead), /stopped/)
  } finally {
    restore()
  }
  assert.equal(
    index.position('w1')?.nextIndex,
    ahead[0]?.place?.nextIndex,
    'it stands where it did',
  )
  goOn(index, batches)
  const again = contents(index)
  index.close()
  const whole = build(folder(t), batches)
  assert.deepEqual(again, contents(whole))
  whole.close()
})

test('what is made anew is what grew', (t) => {
  const dir = folder(t)
  const index = build(dir, batchesOf(turning, [3, 1, 8]))
  const grown = contents(index)
  index.clear()
  assert.deepEqual(index.search({ kind: 'all' }).items, [])
  assert.equal(index.position('w1'), undefined)
  index.add(batchesOf(turning, [11]))
  assert.deepEqual(contents(index), grown)
  index.close()
})

test('logs of two writers are told apart, and each has its position', (t) => {
  const index = RecordIndex.open(folder(t), written)
  const other = entriesOf(steps, startUs, hourUs / 3, 'w2')
  const [ours, theirs] = [batchesOf(turning, [9]), batchesOf(other, [4], 'w2')]
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    for (const batch of [ours[i], theirs[i]]) if (batch) index.add([batch])
  }
  const count = (text: string): number | undefined => index.search(parseQuery(text, startUs)).total
  assert.deepEqual(index.writers(), ['w1', 'w2'])
  assert.equal(index.position('w2')?.nextIndex, other.length)
  assert.equal(count('writer:w1'), itemsIn(turning, 'w1', true).length)
  assert.equal(count('writer:w2'), itemsIn(other, 'w2', true).length)
  assert.equal(count(''), (count('writer:w1') ?? 0) * 2)
  index.close()
})

test('files and folder are for their owner alone', (t) => {
  const dir = join(folder(t), 'index')
  const index = build(dir, batchesOf(turning, [50]))
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  const names = readdirSync(dir)
  assert.ok(names.includes('2026-11.sqlite') && names.includes('2026-12.sqlite-wal'))
  for (const name of names) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name)
  index.close()
})

test('a damaged month is put aside, and it and what follows are read again', (t) => {
  const dir = folder(t)
  const batches = batchesOf(turning, [6])
  const index = build(dir, batches)
  const wanted = contents(index)
  index.close()
  const path = join(dir, '2026-12.sqlite')
  writeFileSync(path, 'not a database, whatever its name may say'.repeat(300))
  const again = RecordIndex.open(dir, written)
  assert.ok(existsSync(`${path}.damaged`))
  assert.equal(again.position('w1')?.segment.slice(0, 7), '2026-11')
  goOn(again, batches)
  assert.deepEqual(contents(again), wanted)
  again.close()
})

test('damage that shows only while searching is told with its month', (t) => {
  const dir = folder(t)
  const index = build(dir, batchesOf(turning, [6]))
  index.close()
  const path = join(dir, '2026-11.sqlite')
  const bytes = readFileSync(path)
  bytes.fill(0x55, 8192) // The first page says that all is well.
  writeFileSync(path, bytes)
  const reader = RecordIndex.open(dir, { isReadOnly: true, indexOutputs: true })
  const facts = { reason: 'index_damaged', month: '2026-11' }
  assert.throws(() => reader.search({ kind: 'all' }), { code: 'busy', facts })
  reader.close()
  const writer = RecordIndex.open(dir, written)
  writer.setAside('2026-11')
  assert.deepEqual(writer.months(), [], 'later months build upon it')
  writer.close()
})

const outdated: readonly [what: string, change: (db: DatabaseSync) => void][] = [
  ['another version', (db) => db.exec('PRAGMA user_version = 99')],
  ['another program', (db) => db.exec('PRAGMA application_id = 1')],
]
for (const [what, change] of outdated) {
  test(`files of ${what} go, and all is read again`, (t) => {
    const dir = folder(t)
    build(dir, batchesOf(turning, [6])).close()
    const db = new DatabaseSync(join(dir, '2026-12.sqlite'))
    change(db)
    db.close()
    const index = RecordIndex.open(dir, written)
    assert.deepEqual([index.months(), index.position('w1')], [[], undefined])
    index.close()
  })
}

test('outputs are searched only where that is on, and go when it is turned off', (t) => {
  const dir = folder(t)
  const batches = batchesOf(turning, [6])
  const output = parseQuery('x1', startUs)
  const index = build(dir, batches)
  const both = index.search(output).total ?? 0
  index.close()
  const without = RecordIndex.open(dir, { isReadOnly: false, indexOutputs: false })
  assert.deepEqual(without.months(), [], 'what was made with outputs is gone')
  goOn(without, batches)
  const fewer = without.search(output).total ?? 0
  assert.ok(fewer < both && fewer > 0, `${fewer} of ${both}`)
  without.close()
})

test('a month whose text was taken away keeps its items and none of its words', (t) => {
  const dir = folder(t)
  const index = build(dir, batchesOf(turning, [6]))
  const items = index.search({ kind: 'all' }, { limit: 1000 }).total
  assert.ok(hasBytes(dir, 'zürich'), 'the words were there')
  index.forgetText('2026-11')
  index.forgetText('2026-12')
  assert.equal(index.search({ kind: 'all' }).total, items)
  for (const text of ['zürich', 'select', 'table:cards', 'column:*']) {
    assert.equal(index.search(parseQuery(text, startUs)).total, 0, text)
  }
  assert.equal(
    index.search({ kind: 'all' }).items.every((item) => item.excerpt === undefined),
    true,
  )
  assert.equal(index.search(parseQuery('tool:execute_sql', startUs)).items.length > 0, true)
  for (const word of ['zürich', 'Zürich', 'zurich', 'SELECT', 'orders']) {
    assert.ok(!hasBytes(dir, word), `${word} is in no byte of the files`)
  }
  index.close()
})

function hasBytes(dir: string, word: string): boolean {
  return readdirSync(dir).some((name) => readFileSync(join(dir, name)).includes(word))
}

test('who was stopped, by whom and why is found; the words go with the month, the names stay', (t) => {
  const step = { kind: 'stop', who: 2, tool: 0, words: [0], lasts: 0 } as const
  const stops = [0, 1, 2, 3, 4, 5].map((figure) => ({ ...step, figure }))
  const batches = batchesOf(entriesOf(stops, startUs, 1000), [2])
  const index = build(folder(t), batches)
  const found = (query: string): number[] =>
    index.search(parseQuery(query, startUs), { order: 'oldest' }).items.map(({ first }) => first)
  const names: readonly [query: string, indexes: number[]][] = [
    ['principal:u-2', [0]],
    ['principal:alex', [0, 2, 4]],
    ['principal:u-1', [3]],
    ['of:u-2', [0]],
    ['of:alex', []],
    ['of:"https://issuer.example u-2"', [0]],
    ['of:rv_1', [0, 1]],
    ['of:cursor-*', [2, 5]],
    ['of:grp-7', [3]],
    ['of:jti-7', [5]],
    ['reason:"left the company"', [0]],
    ['type:principal.revoked', [0, 2]],
    ['type:principal.revoked -principal:u-2', [2]],
  ]
  for (const [query, indexes] of names) assert.deepEqual(found(query), indexes, query)
  assert.deepEqual(found('company'), [0])
  assert.deepEqual(found('"u-1 may cards"'), [4])
  index.forgetText('2026-11')
  for (const [query, indexes] of names) assert.deepEqual(found(query), indexes, query)
  assert.deepEqual(found('company OR "may cards"'), [])
  index.close()
  // What comes late into such a month comes without words, too.
  const late = build(folder(t), batches.slice(0, 1))
  late.forgetText('2026-11')
  goOn(late, batches)
  const query = parseQuery('"may cards"', startUs)
  assert.equal(late.search(query).total, 0)
  assert.equal(late.search(parseQuery('of:jti-7', startUs)).total, 1)
  late.close()
})

test('a month that was removed leaves no file', (t) => {
  const dir = folder(t)
  const index = build(dir, batchesOf(turning, [6]))
  index.removeMonth('2026-11')
  assert.ok(readdirSync(dir).every((name) => name.startsWith('2026-12')))
  assert.equal(index.position('w1')?.nextIndex, turning.length)
  index.close()
})

test('who only searches sees what another writes, and files made anew', (t) => {
  const dir = folder(t)
  const reader = RecordIndex.open(dir, { isReadOnly: true, indexOutputs: true })
  assert.equal(reader.search({ kind: 'all' }).total, 0)
  const batches = batchesOf(turning, [10])
  const index = build(dir, batches.slice(0, 1))
  const some = reader.search({ kind: 'all' }).total ?? 0
  goOn(index, batches)
  const all = reader.search({ kind: 'all' }).total ?? 0
  index.clear()
  index.add(batches.slice(0, 1))
  assert.ok(some > 0 && all > some)
  assert.equal(reader.search({ kind: 'all' }).total, some)
  index.close()
  reader.close()
})

test('a search ends at its deadline', (t) => {
  const index = RecordIndex.open(folder(t), written)
  const many = Array.from({ length: 4000 }, () => steps[0] ?? assert.fail())
  index.add(batchesOf(entriesOf(many, startUs, 1001), [20_000]))
  const slow = { code: 'bad_params', facts: { reason: 'query_slow' } }
  const search = (deadlineMs: number): unknown => index.search({ kind: 'all' }, { deadlineMs })
  assert.throws(() => search(performance.now() - 1), slow)
  for (const order of ['newest', 'oldest'] as const) {
    assert.equal(index.search({ kind: 'all' }, { order }).total, 4000)
  }
  index.close()
})

test('a cursor that no search gave is refused', (t) => {
  const index = RecordIndex.open(folder(t), written)
  for (const cursor of ['', 'x', '2026-11', '2026-11:1 OR 1', `2026-11:${'9'.repeat(16)}`]) {
    assert.throws(() => index.search({ kind: 'all' }, { cursor }), { code: 'bad_params' }, cursor)
  }
  index.close()
})

const hostile: readonly string[] = [
  '"cards\\"zürich"',
  '"*"a',
  'NEAR',
  '"NEAR(a b)"',
  'command',
  '"command:a"',
  '"a AND"',
  '"{a b}"',
  '"^a"',
  '"a + b"',
  "'; DROP TABLE item; --x",
  `tool:"' OR 1=1 --"`,
  'tool:"[a-z]*"',
  'tool:[!x]*',
  'tool:?*',
  'principal:"%"',
  `exchange:"') OR (1=1"`,
  'exchange:*[*',
  'ip:10.0.0.0/99',
  'ip:::/0',
  'table:"; DELETE FROM named"',
  `${'('.repeat(15)}a${')'.repeat(15)}`,
  `"${'a '.repeat(900)}"`,
  Array.from({ length: 64 }, (_, i) => `${i % 2 ? '-' : ''}a${i}*`).join(' OR '),
  Array.from({ length: 60 }, (_, i) => `tool:*${i}*a*b*`).join(' '),
]
for (const text of hostile) {
  test(`a query of the kind ${text.slice(0, 24)} is harmless`, (t) => {
    const index = build(folder(t), batchesOf(turning, [50]))
    let query
    try {
      query = parseQuery(text, startUs)
    } catch (error) {
      assert.match(String(error), /character \d+:/)
    }
    const all = itemsIn(turning, 'w1', true)
    const found = query ? index.search(query, { limit: 1000, order: 'oldest' }).items : []
    const wanted = query ? all.filter((item) => fitsQuery(query, item, all)) : []
    assert.deepEqual(
      found.map(({ first }) => first),
      wanted.map(({ first }) => first),
    )
    assert.equal(index.search({ kind: 'all' }).total, all.length, 'all is still there')
    index.close()
  })
}

const shared = { exchange: 'ex_aB', session: 'se_a', connection: 'shop' }
const asked = (sql: string): object => ({ params: { arguments: { sql } } })
const told = (text: string): object => ({ result: { content: [{ text }] } })

/** Two calls in one exchange, the end of the second behind the turn of the month, and what comes
 *  when all has ended. */
const several: readonly IndexedEntry[] = [
  [0, { ...shared, type: 'call.received', bytes: 1 }, asked('first')],
  [1, { ...shared, type: 'call.received', bytes: 1 }, asked('second')],
  [2, { ...shared, type: 'call.finished', outcome: 'ok', bytesIn: 1, bytesOut: 1 }],
  [20, { ...shared, type: 'response.event', bytes: 1 }, told('third')],
  [21, { ...shared, type: 'call.dispatched' }],
  [22, { ...shared, type: 'call.finished', outcome: 'error', bytesIn: 2, bytesOut: 3 }],
  [23, { ...shared, type: 'response.event', bytes: 1 }, told('fourth')],
  [24, { ...shared, type: 'call.received', bytes: 1 }, asked('fifth')],
].map(([hour, fields, body], index) => {
  assert.ok(typeof hour === 'number' && typeof fields === 'object')
  return entryOf(index, startUs + hour * hourUs, { ...fields }, body)
})
for (const size of [1, 2, 3, 4, 5, 8]) {
  test(`an exchange of several calls is the same in batches of ${size}`, (t) => {
    const index = RecordIndex.open(folder(t), written)
    // Each batch is taken in by another process.
    for (const batch of batchesOf(several, [size])) index.add([batch])
    for (const word of [
      'first',
      'second',
      'third',
      'fourth',
      'fifth',
      'outcome:error',
      'exchange:EX_Ab*',
    ]) {
      compare(index, several, word, true)
    }
    compare(index, several, '', true)
    index.close()
  })
}
