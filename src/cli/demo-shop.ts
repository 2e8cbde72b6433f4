/**
 * The demo's card shop: one SQLite file with 10,000 rows of made-up people and published test card
 * numbers, the same in every run. Card numbers stand in it as text, as numbers, grouped, and in the
 * prose of support tickets, next to a CVV column that no shop may keep (PCI DSS v4.0.1 req. 3.3.1).
 */
import { chmodSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import { luhnDigit } from '../cards/luhn.ts'

/** Rows in each table; 10,000 in all. */
export const shopRows = {
  customers: 2000,
  cards: 2500,
  orders: 2500,
  payments: 2500,
  tickets: 500,
} as const

/**
 * Test numbers that brands and processors publish (RuPay's is ours, all ones after its prefix): the
 * brand, and the digits before the check digit in pieces, put together only at run time so that no
 * source file holds a card number.
 */
const published: readonly (readonly [brand: string, ...pieces: string[]])[] = [
  ['visa', '4111', '1111', '1111', '111'],
  ['visa', '4242', '4242', '4242', '424'],
  ['visa', '4012', '8888', '8888', '188'],
  ['visa', '4000', '0566', '5566', '555'],
  ['visa', '4222', '2222', '2222'],
  ['mastercard', '5555', '5555', '5555', '444'],
  ['mastercard', '5105', '1051', '0510', '510'],
  ['mastercard', '5200', '8282', '8282', '821'],
  ['mastercard', '2223', '0031', '2200', '322'],
  ['amex', '3782', '822463', '1000'],
  ['amex', '3714', '496353', '9843'],
  ['amex', '3787', '344936', '7100'],
  ['discover', '6011', '1111', '1111', '111'],
  ['discover', '6011', '0009', '9013', '942'],
  ['diners', '3056', '930902', '590'],
  ['diners', '3852', '000002', '323'],
  ['diners', '3622', '720627', '166'],
  ['jcb', '3530', '1113', '3330', '000'],
  ['jcb', '3566', '0020', '2036', '050'],
  ['unionpay', '6200', '0000', '0000', '000'],
  ['unionpay', '6205', '5000', '0000', '0000', '00'],
  ['maestro', '6759', '6498', '2643', '845'],
  ['maestro', '6799', '9901', '0000', '0000', '01'],
  ['mir', '2200', '0000', '0000', '005'],
  ['elo', '6362', '9700', '0045', '701'],
  ['elo', '5066', '9911', '1111', '111'],
  ['hipercard', '6062', '8288', '8866', '668'],
  ['troy', '9792', '0303', '9444', '079'],
  ['verve', '5061', '4604', '1012', '0223', '21'],
  ['dankort', '5019', '7170', '1010', '374'],
  ['rupay', '6521', '1111', '1111', '111'],
]

const first =
  'Amara Bengt Chiara Dmitri Elif Farah Goran Hana Ines Jonas Keiko Liam Mina Noor Olga Pavel Quinn Rosa Sven Tomás Uma Viktor Wanja Ximena Yusuf Zoë'
const last =
  'Abe Bauer Costa Dubois Eriksen Fontana García Hoffmann Ivanova Jansen Kowalski Lindqvist Moreau Novák Okafor Patel Quispe Rossi Schmidt Tanaka Ueda Varga Weiß Xu Yılmaz Zhang'
const things =
  'desk lamp,enamel kettle,wool blanket,walnut tray,paper notebook,steel bottle,linen towel,garden shears,oak stool,ceramic vase'
const cities =
  'Lisbon,Graz,Ghent,Porto,Turin,Kraków,Leiden,Malmö,Brno,Split,Lyon,Bilbao,Tartu,Cork,Aarhus'

/** How agents write card data into a ticket; {pan}, {spaced}, {last4}, {cvv}, {exp} are filled in. */
const prose: readonly string[] = [
  'Customer says card {spaced} was charged twice. Asked for a statement.',
  'Called about order. Paid with {pan}, exp {exp}, cvv {cvv}. Promised a refund within five days.',
  'Wants the card ending in {last4} removed from the account.',
  'Chat: "my number is {spaced} and the security code is {cvv}" - told them never to send that.',
  'Parcel arrived late. No card data in this one, order total was right.',
  'Payment declined three times for {pan}; the bank says limit reached.',
]

type Row = readonly (string | number | bigint)[]

/**
 * Makes the shop's database, replacing `file` and what SQLite left beside it.
 * @param file an absolute path in an existing folder.
 */
export function makeShop(file: string): void {
  for (const tail of ['', '-wal', '-shm', '-journal']) rmSync(file + tail, { force: true })
  const db = new DatabaseSync(file)
  chmodSync(file, 0o600)
  try {
    // A file made anew at each start needs no journal: a crash here leaves one that is made again.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN')
    db.exec(schema)
    fill(db)
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}

const schema = `
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL,
  phone TEXT, city TEXT, created_at TEXT NOT NULL);
CREATE TABLE cards (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
  brand TEXT NOT NULL, pan TEXT NOT NULL, pan_number INTEGER NOT NULL, expiry TEXT NOT NULL,
  cvv TEXT NOT NULL, holder TEXT NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
  item TEXT NOT NULL, quantity INTEGER NOT NULL, total_cents INTEGER NOT NULL, status TEXT NOT NULL,
  ordered_at TEXT NOT NULL);
CREATE TABLE payments (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id),
  card_id INTEGER NOT NULL REFERENCES cards(id), amount_cents INTEGER NOT NULL,
  currency TEXT NOT NULL, reference TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
  opened_at TEXT NOT NULL, agent TEXT NOT NULL, note TEXT NOT NULL);
CREATE INDEX cards_of ON cards(customer_id);
CREATE INDEX orders_of ON orders(customer_id);
`

function fill(db: DatabaseSync): void {
  const pick = dice(20_261_121)
  const names = first.split(' ').flatMap((a) => last.split(' ').map((b) => `${a} ${b}`))
  const item = things.split(',')
  const city = cities.split(',')
  const of = <T>(list: readonly T[], fallback: T): T => list[pick(list.length)] ?? fallback
  const name = (customer: number): string => names[(customer * 7) % names.length] ?? ''
  const brands = published.map(([brand, ...pieces]) => ({
    brand,
    pan: withCheckDigit(pieces.join('')),
  }))
  const cardOf = (id: number): { brand: string; pan: string } =>
    brands[id % brands.length] ?? { brand: 'visa', pan: '' }
  const cvvOf = (brand: string): string =>
    String(pick(brand === 'amex' ? 10_000 : 1000)).padStart(brand === 'amex' ? 4 : 3, '0')
  const expiry = (): string => `${String(1 + pick(12)).padStart(2, '0')}/${27 + pick(5)}`

  rows(insert(db, 'customers', 6), shopRows.customers, (id) => {
    const mail = `${name(id)
      .normalize('NFD')
      .replace(/[^A-Za-z]+/g, '.')
      .toLowerCase()}.${id}`
    const phone = `+00 555 ${String(1000 + pick(9000))}`
    return [id, name(id), `${mail}@example.com`, phone, of(city, ''), day(pick)]
  })
  rows(insert(db, 'cards', 8), shopRows.cards, (id) => {
    const { brand, pan } = cardOf(id)
    const customer = 1 + (id % shopRows.customers)
    return [id, customer, brand, pan, BigInt(pan), expiry(), cvvOf(brand), name(customer)]
  })
  rows(insert(db, 'orders', 7), shopRows.orders, (id) => {
    const quantity = 1 + pick(4)
    const status = of(['paid', 'shipped', 'delivered', 'returned'], 'paid')
    const total = quantity * (900 + pick(14_000))
    return [id, 1 + (id % shopRows.customers), of(item, ''), quantity, total, status, day(pick)]
  })
  rows(insert(db, 'payments', 7), shopRows.payments, (id) => {
    // Letters first: a reference must not look like a card number.
    const reference = `pay_${pick(1 << 30).toString(36)}${pick(1 << 30).toString(36)}`
    const status = of(['captured', 'captured', 'captured', 'refunded', 'declined'], 'captured')
    return [id, id, id, 900 + pick(56_000), of(['EUR', 'SEK', 'CZK'], 'EUR'), reference, status]
  })
  rows(insert(db, 'tickets', 5), shopRows.tickets, (id) => {
    const { brand, pan } = cardOf(id * 5)
    const note = (prose[id % prose.length] ?? '')
      .replace('{pan}', pan)
      .replace('{spaced}', grouped(pan))
      .replace('{last4}', pan.slice(-4))
      .replace('{cvv}', cvvOf(brand))
      .replace('{exp}', expiry())
    return [id, 1 + ((id * 5) % shopRows.customers), day(pick), of(names, ''), note]
  })
}

function insert(db: DatabaseSync, table: string, columns: number): StatementSync {
  return db.prepare(
    `INSERT INTO ${table} VALUES (${Array.from({ length: columns }, () => '?').join()})`,
  )
}

function rows(statement: StatementSync, count: number, make: (id: number) => Row): void {
  for (let id = 1; id <= count; id++) statement.run(...make(id))
}

/** As embossed: fifteen digits are 4-6-5, fourteen 4-6-4, all others groups of four. */
function grouped(pan: string): string {
  const short = pan.length === 15 || pan.length === 14
  return pan.replace(short ? /^(\d{4})(\d{6})/ : /(\d{4})(?=\d)/g, short ? '$1 $2 ' : '$1 ')
}

function withCheckDigit(body: string): string {
  return body + String(luhnDigit(Uint8Array.from(body, Number)))
}

/** A day of 2025 or 2026. */
function day(pick: (below: number) => number): string {
  return new Date(Date.UTC(2025, 0, 1 + pick(690))).toISOString().slice(0, 10)
}

/** Mulberry32: the same shop on every machine. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
