import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { pan } from '../../tests/cards.ts'
import { cardHash } from '../cards/hash.ts'
import { keepValue } from '../mask/masked.ts'
import { ExposureStore } from '../session/exposure-store.ts'
import { SessionState } from '../session/state.ts'
import { ExposureLedger, dateOf } from './exposure.ts'
import type { Viewer } from './exposure.ts'

const dayUs = 86_400_000_000
const firstDay = 20_778 // 2026-11-21

/** A ledger on a file, with a clock that the test turns. */
function house(t: TestContext, file = newFile(t)) {
  const at = { us: firstDay * dayUs + 7, ms: 0 }
  const clock = { nowUs: () => at.us, monotonicMs: () => at.ms }
  const state = new SessionState(':memory:', new Uint8Array(32).fill(5))
  const troubles: string[] = []
  const open = (store: ExposureStore = ExposureStore.open(file)): ExposureLedger =>
    new ExposureLedger({
      store,
      clock,
      hash: (id) => state.hash(id),
      onTrouble: (why) => troubles.push(why),
    })
  return {
    open,
    file,
    troubles,
    at,
    onDay: (n: number) => void (at.us = (firstDay + n) * dayUs + 7),
    key: (subject: string) => state.hash(viewer(subject).owner),
  }
}

function newFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-exposure-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'state.sqlite')
}

const issuer = 'https://issuer.example'
function viewer(subject: string, name?: string): Viewer {
  return { owner: `${issuer}\n${subject}`, who: keepValue({ issuer, subject, name }) }
}
const ada = viewer('ada')
const eve = viewer('eve')

const key = Uint32Array.of(0x2b7e1516, 0x28aed2a6)
const hashes = (from: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => hashOf(pan('4', 16, String(from + i))))
const hashOf = (number: string): number =>
  cardHash(Uint8Array.from(number, Number), number.length, key)
const counts = ({ clear, masked }: { clear: number; masked: number }): number[] => [clear, masked]

test('a window that is none is a defect', (t) => {
  const ledger = house(t).open()
  for (const days of [0, -1, 1.5, 91, Number.NaN]) {
    assert.throws(() => ledger.of(ada.owner, { days }), { name: 'Broken' }, String(days))
  }
})

test('who was shown nothing has an exposure of nothing, and is not listed', async (t) => {
  const ledger = house(t).open()
  ledger.note(ada, 'clear', new Int32Array(0))
  assert.deepEqual(ledger.of(ada.owner), { clear: 0, masked: 0, since: '2026-10-23' })
  assert.deepEqual(await ledger.list({ days: 30 }), [])
})

test('the same number counts once, in clear and masked each for itself', (t) => {
  const ledger = house(t).open()
  ledger.note(ada, 'masked', hashes(1000, 3))
  ledger.note(ada, 'masked', hashes(1001, 3))
  ledger.note(ada, 'clear', hashes(1000, 1))
  assert.deepEqual(counts(ledger.of(ada.owner)), [1, 4])
})

test('two principals do not mix, and neither do two issuers of one subject', (t) => {
  const ledger = house(t).open()
  const other: Viewer = {
    owner: 'https://other.example\nada',
    who: keepValue({ issuer: 'https://other.example', subject: 'ada' }),
  }
  ledger.note(ada, 'masked', hashes(1000, 2))
  ledger.note(eve, 'masked', hashes(1000, 5))
  ledger.note(other, 'clear', hashes(1000, 7))
  ledger.tick()
  assert.deepEqual(counts(ledger.of(ada.owner)), [0, 2])
  assert.deepEqual(counts(ledger.of(eve.owner)), [0, 5])
  assert.deepEqual(counts(ledger.of(other.owner)), [7, 0])
})

test('a window counts the distinct numbers of its days, today included, and no older ones', (t) => {
  const { open, onDay } = house(t)
  const ledger = open()
  ledger.note(ada, 'masked', hashes(1000, 10))
  onDay(1)
  ledger.note(ada, 'masked', hashes(1005, 10))
  onDay(6)
  ledger.note(ada, 'masked', hashes(1014, 2))
  assert.equal(ledger.of(ada.owner, { days: 1 }).masked, 2)
  assert.equal(ledger.of(ada.owner, { days: 6 }).masked, 11)
  assert.equal(ledger.of(ada.owner, { days: 7 }).masked, 16)
  assert.equal(ledger.of(ada.owner, { days: 7 }).since, dateOf(firstDay))
  onDay(7)
  assert.equal(ledger.of(ada.owner, { days: 7 }).masked, 11)
  onDay(90)
  assert.equal(ledger.of(ada.owner, { days: 90 }).masked, 11)
})

test('an asked window goes on counting what is noted behind it', (t) => {
  const { open, onDay } = house(t)
  const ledger = open()
  ledger.note(ada, 'clear', hashes(1000, 1))
  onDay(1)
  assert.equal(ledger.of(ada.owner).clear, 1)
  ledger.note(ada, 'clear', hashes(1001, 1))
  assert.equal(ledger.of(ada.owner).clear, 2)
  onDay(2)
  assert.equal(ledger.of(ada.owner).clear, 2)
})

test('days that a clock ahead of its time wrote are counted when they come', (t) => {
  const { open, onDay } = house(t)
  onDay(1)
  const ahead = open()
  ahead.note(ada, 'clear', hashes(1000, 1))
  ahead.close()
  onDay(0)
  const ledger = open()
  ledger.note(ada, 'clear', hashes(1001, 1))
  assert.equal(ledger.of(ada.owner).clear, 1)
  onDay(1)
  ledger.note(ada, 'clear', hashes(1002, 1))
  ledger.tick()
  assert.equal(ledger.of(ada.owner).clear, 3)
})

test('what was written is there after a restart, and goes on', async (t) => {
  const { open } = house(t)
  const before = open()
  before.note(viewer('ada', 'Ada L.'), 'masked', hashes(1000, 3))
  before.note(eve, 'clear', hashes(1000, 1))
  before.close()
  const after = open()
  after.note(ada, 'masked', hashes(1002, 2))
  assert.deepEqual(counts(after.of(ada.owner)), [0, 4])
  after.close()
  const since = '2026-10-23'
  assert.deepEqual(await open().list({ days: 30 }), [
    { issuer, subject: 'eve', clear: 1, masked: 0, since },
    { issuer, subject: 'ada', clear: 0, masked: 4, since },
  ])
})

test('a tick writes: another process sees it while the ledger goes on', (t) => {
  const { open, file, key } = house(t)
  const ledger = open()
  ledger.note(ada, 'masked', hashes(1000, 3))
  const reader = ExposureStore.openToRead(file)
  assert.deepEqual(reader?.sketches(key('ada'), 0, 1e6), [])
  ledger.tick()
  assert.equal(reader?.sketches(key('ada'), 0, 1e6).length, 1)
  reader?.close()
})

test('a list leaves out who was shown nothing in its window', async (t) => {
  const { open, onDay } = house(t)
  const ledger = open()
  ledger.note(ada, 'masked', hashes(1000, 1))
  onDay(1)
  ledger.note(eve, 'masked', hashes(1000, 1))
  const seen = (await ledger.list({ days: 1 })).map(({ subject }) => subject)
  assert.deepEqual(seen, ['eve'])
})

test('a list has who fits by subject or name, exactly, most in clear first', async (t) => {
  const ledger = house(t).open()
  ledger.note(viewer('u1', 'Ada'), 'masked', hashes(1000, 9))
  ledger.note(viewer('u2', 'Ada'), 'clear', hashes(1000, 1))
  ledger.note(viewer('u3', 'Adam'), 'masked', hashes(1000, 2))
  const subjects = async (principal?: string): Promise<string[]> =>
    (await ledger.list({ days: 1, principal })).map(({ subject }) => subject)
  assert.deepEqual(await subjects(), ['u2', 'u1', 'u3'])
  assert.deepEqual(await subjects('Ada'), ['u2', 'u1'])
  assert.deepEqual(await subjects('u3'), ['u3'])
  assert.deepEqual(await subjects('ad'), [])
})

test('days past the longest window are forgotten, and who has none left', (t) => {
  const { open, onDay, file } = house(t)
  const ledger = open()
  ledger.note(ada, 'clear', hashes(1000, 1))
  for (let i = 0; i < 700; i++) ledger.note(viewer(`u${i}`), 'masked', hashes(2000, 1))
  for (let n = 0; n < 10; n++) ledger.tick()
  onDay(1)
  ledger.note(eve, 'clear', hashes(1001, 1))
  ledger.tick()
  const rows = (table: string): unknown =>
    new DatabaseSync(file, { readOnly: true }).prepare(`SELECT count(*) n FROM ${table}`).get()?.n
  assert.deepEqual([rows('exposed'), rows('exposure')], [702, 702])
  onDay(90)
  ledger.tick()
  assert.equal(rows('exposure'), 202, 'a bounded part at a time')
  ledger.tick()
  assert.deepEqual([rows('exposed'), rows('exposure')], [1, 1])
  onDay(91)
  ledger.tick()
  assert.deepEqual([rows('exposed'), rows('exposure')], [0, 0])
})

test('more principals than memory holds are all counted', async (t) => {
  const ledger = house(t).open()
  for (let i = 0; i < 2100; i++) ledger.note(viewer(`u${i}`), 'masked', hashes(1000, 2))
  for (let i = 0; i < 2100; i += 7) ledger.note(viewer(`u${i}`), 'masked', hashes(1001, 2))
  assert.equal(ledger.of(viewer('u0').owner).masked, 3)
  const all = await ledger.list({ days: 1 })
  assert.equal(all.length, 2100)
  assert.equal(all.filter(({ masked }) => masked === 3).length, 300)
})

test('a store that cannot be written neither throws nor stops the counting, and is told once', (t) => {
  const { open, file, troubles, at } = house(t)
  ExposureStore.open(file).close()
  const store = ExposureStore.openToRead(file)
  assert.ok(store)
  const ledger = open(store)
  for (let n = 0; n < 3; n++) {
    ledger.note(ada, 'clear', hashes(1000 + n, 1))
    ledger.tick()
  }
  assert.deepEqual(troubles, ['attempt to write a readonly database'])
  assert.equal(ledger.of(ada.owner).clear, 3)
  at.ms += 60_000
  ledger.tick()
  assert.equal(troubles.length, 2)
  ledger.close()
  assert.doesNotThrow(() => ledger.note(ada, 'clear', hashes(2000, 1)))
})

test('a full disk loses nothing that memory holds: it is written when there is room', (t) => {
  const { open, file, key, troubles } = house(t)
  const store = ExposureStore.open(file)
  const ledger = open(store)
  const jam = new DatabaseSync(file)
  jam.exec(`CREATE TRIGGER full BEFORE INSERT ON exposure BEGIN SELECT RAISE(ABORT, 'full'); END`)
  ledger.note(ada, 'clear', hashes(1000, 2))
  ledger.tick()
  assert.equal(troubles.length, 1)
  assert.deepEqual(store.principals('', 9), [], 'all of a write, or nothing of it')
  jam.exec('DROP TRIGGER full')
  ledger.tick()
  assert.equal(store.sketches(key('ada'), firstDay, firstDay).length, 1)
})

test('a sketch that is damaged is told to who asks, and keeps nobody else waiting', (t) => {
  const { open, file, key, troubles } = house(t)
  const store = ExposureStore.open(file)
  const ledger = open(store)
  const damaged = { day: firstDay, kind: 'masked' as const, bytes: Uint8Array.of(9, 9) }
  for (let n = 0; n < 150; n++) {
    const who = { key: key(`u${n}`), issuer, subject: `u${n}`, name: undefined }
    store.save([{ who, sketches: [damaged] }])
    ledger.note(viewer(`u${n}`), 'masked', hashes(1000, 1))
  }
  ledger.note(eve, 'masked', hashes(1000, 1))
  ledger.tick()
  ledger.tick()
  assert.deepEqual(troubles, ['Fault'])
  assert.equal(store.sketches(key('eve'), firstDay, firstDay).length, 1)
  assert.throws(() => ledger.of(viewer('u0').owner), { code: 'defect' })
  assert.equal(ledger.of(eve.owner).masked, 1)
})

test('nothing that is stored holds a digit of a card, nor what could be found without the key', (t) => {
  const { open, file } = house(t)
  const numbers = [pan('4', 16, '90817263'), pan('371449', 15, '5063'), pan('6212', 19, '94837')]
  const ledger = open()
  ledger.note(ada, 'masked', Int32Array.from(numbers, hashOf))
  ledger.note(ada, 'clear', Int32Array.from(numbers, hashOf))
  ledger.tick()
  const stored = readdirSync(join(file, '..')).map((name) => readFileSync(join(file, '..', name)))
  for (const bytes of [...stored, ...stored.map((one) => Buffer.from(one).reverse())]) {
    for (const number of numbers) {
      const digits = Buffer.from(Array.from(number, Number))
      const integer = Buffer.alloc(8)
      integer.writeBigUInt64LE(BigInt(number))
      const unkeyed = Buffer.alloc(4)
      unkeyed.writeInt32LE(cardHash(digits, digits.length, new Uint32Array(2)))
      const packed = Buffer.from(number.padStart(20, '0'), 'hex')
      for (const form of [number.slice(0, 6), number.slice(-4), digits, integer, packed, unkeyed]) {
        assert.equal(bytes.includes(form), false)
      }
    }
  }
})

test('any way of noting, with restarts and other days between, counts what a set would', (t) => {
  const steps = fc.array(
    fc.record({
      who: fc.constantFrom('ada', 'eve'),
      kind: fc.constantFrom('clear' as const, 'masked' as const),
      from: fc.nat(20),
      count: fc.nat(6),
      next: fc.constantFrom('go on', 'go on', 'tick', 'next day', 'restart'),
    }),
    { maxLength: 25 },
  )
  const counted = fc.property(steps, fc.integer({ min: 1, max: 5 }), (taken, days) => {
    const { open, onDay } = house(t)
    let ledger = open()
    let day = 0
    const seen: { who: string; kind: string; day: number; hash: number }[] = []
    for (const { who, kind, from, count, next } of taken) {
      const noted = hashes(1000 + from, count)
      ledger.note(viewer(who), kind, noted)
      for (const hash of noted) seen.push({ who, kind, day, hash })
      if (next === 'tick') ledger.tick()
      if (next === 'next day') onDay(++day)
      if (next !== 'restart') continue
      ledger.close()
      ledger = open()
    }
    for (const who of ['ada', 'eve']) {
      const mine = seen.filter((one) => one.who === who && one.day > day - days)
      const distinct = (kind: string): number =>
        new Set(mine.filter((one) => one.kind === kind).map(({ hash }) => hash)).size
      const got = ledger.of(viewer(who).owner, { days })
      assert.deepEqual(counts(got), [distinct('clear'), distinct('masked')])
    }
    ledger.close()
  })
  fc.assert(counted, { numRuns: 40 })
})
