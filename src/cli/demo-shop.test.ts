import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { passesLuhn } from '../cards/luhn.ts'
import { makeShop, shopRows } from './demo-shop.ts'

const dir = mkdtempSync(join(tmpdir(), 'sallyport-shop-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const file = join(dir, 'shop.db')

function ask(sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

test('a file that is no database is replaced', () => {
  writeFileSync(file, 'something else')
  makeShop(file)
  assert.equal(ask('PRAGMA integrity_check')[0]?.['integrity_check'], 'ok')
})

test('it has 10,000 rows in five tables, in less than three seconds', () => {
  const started = performance.now()
  makeShop(file)
  assert.ok(performance.now() - started < 3000)
  for (const [table, count] of Object.entries(shopRows)) {
    assert.equal(ask(`select count(*) as n from ${table}`)[0]?.['n'], count, table)
  }
  assert.equal(
    Object.values(shopRows).reduce<number>((sum, count) => sum + count, 0),
    10_000,
  )
})

test('it is the same shop every time', () => {
  const hash = (): string => createHash('sha256').update(readFileSync(file)).digest('hex')
  makeShop(file)
  const first = hash()
  makeShop(file)
  assert.equal(hash(), first)
})

test('every card has a number that passes Luhn, as text and as a number, and a code', () => {
  const cards = ask('select pan, cast(pan_number as text) as number, cvv, brand from cards')
  for (const { pan, number, cvv, brand } of cards) {
    const digits = String(pan)
    assert.ok(passesLuhn(Uint8Array.from(digits, Number), digits.length))
    assert.ok(digits.length >= 13 && digits.length <= 19)
    assert.equal(number, digits)
    assert.match(String(cvv), brand === 'amex' ? /^\d{4}$/ : /^\d{3}$/)
  }
  const brands = new Set(cards.map(({ brand }) => brand))
  for (const brand of 'visa mastercard amex discover diners jcb unionpay maestro'.split(' ')) {
    assert.ok(brands.has(brand), brand)
  }
})

test('tickets hold numbers in prose: plain, grouped as embossed, with codes', () => {
  const notes = ask('select note from tickets').map(({ note }) => String(note))
  for (const shape of [
    /\d{15,16}/,
    /\d{4} \d{4} \d{4} \d{4}/,
    /\d{4} \d{6} \d{5}\b/,
    /cvv \d{3}/,
  ]) {
    assert.ok(
      notes.some((note) => shape.test(note)),
      String(shape),
    )
  }
  assert.ok(
    notes.some((note) => !/\d/.test(note)),
    'some tickets have no digits at all',
  )
  assert.ok(notes.every((note) => !note.includes('{')))
})

test('orders and payments belong to customers and cards that exist', () => {
  assert.deepEqual(ask('PRAGMA foreign_key_check'), [])
})

test('nothing but cards and tickets looks like a card number', () => {
  for (const table of ['customers', 'orders', 'payments']) {
    const text = JSON.stringify(ask(`select * from ${table}`))
    assert.doesNotMatch(text, /\d{12}/, table)
  }
})
