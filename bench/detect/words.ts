/** Names, places, things and times for the surroundings. None of them is secret. */
import type { Draw } from './draw.ts'

const firstNames =
  'Ada Bruno Chen Dolores Emil Fatima Goran Hanna Iker Jonas Kira Liam Mei Noor Olga Pavel Quinn Rosa Sven Tuva Umar Vera Wout Ximena Yusuf Zoë'.split(
    ' ',
  )
const lastNames =
  'Abbott Bauer Costa Dubois Eriksen Fischer García Haddad Ivanova Jensen Kowalski López Müller Nakamura O’Brien Petrov Quist Rossi Silva Tanaka Ueda Virtanen Weber Yılmaz Zhang'.split(
    ' ',
  )
const cities =
  'Aarhus Bilbao Chicago Dublin Essen Fukuoka Gdańsk Haifa Izmir Jena Kyoto Lisbon Mumbai Nantes Oslo Porto Quito Recife Sofia Turin Utrecht Vilnius Wroclaw Zagreb'.split(
    ' ',
  )
const products =
  'espresso machine|trail shoes|desk lamp|noise cancelling headset|bookshelf|garden hose|yoga mat|rain jacket|kettle|bike helmet'.split(
    '|',
  )
const tables = 'customers payments orders bookings refunds members subscriptions guests'.split(' ')
const asides = [
  'Please see the attached summary.',
  'The customer was polite and asked for a call back.',
  'Nothing else was changed.',
  'The request came in through the web form.',
  'We should follow up next week.',
  'See the runbook for the next steps.',
  'Delivery is expected on Friday.',
  'The address was confirmed by phone.',
  'All other checks were green.',
  'Kind regards, the night shift',
]

export const firstName = (draw: Draw): string => draw.pick(firstNames)
export const personName = (draw: Draw): string => `${draw.pick(firstNames)} ${draw.pick(lastNames)}`
export const city = (draw: Draw): string => draw.pick(cities)
export const product = (draw: Draw): string => draw.pick(products)
export const tableName = (draw: Draw): string => draw.pick(tables)
export const aside = (draw: Draw): string => draw.pick(asides)
export const email = (draw: Draw): string =>
  `${draw.letters(draw.int(4, 8))}.${draw.letters(6)}@example.${draw.pick(['com', 'org', 'net'])}`

/** `12.34`, up to four digits before the point. */
export const amount = (draw: Draw): string =>
  `${draw.int(1, 2500)}.${String(draw.int(0, 99)).padStart(2, '0')}`

export const currency = (draw: Draw): string =>
  draw.pick(['EUR', 'USD', 'GBP', 'JPY', 'BRL', 'PLN'])

export const moment = (draw: Draw): Date =>
  new Date(Date.UTC(2024, 0, 1) + draw.int(0, 3 * 365 * 24 * 3600) * 1000 + draw.int(0, 999))

/** `2025-03-09T11:22:33.456Z` */
export const isoTime = (draw: Draw): string => moment(draw).toISOString()
export const isoDate = (draw: Draw): string => isoTime(draw).slice(0, 10)
/** `2025-03-09 11:22:33` */
export const sqlTime = (draw: Draw): string => isoTime(draw).slice(0, 19).replace('T', ' ')

export const uuid = (draw: Draw): string =>
  `${draw.hex(8)}-${draw.hex(4)}-4${draw.hex(3)}-${draw.pick(['8', '9', 'a', 'b'])}${draw.hex(3)}-${draw.hex(12)}`

/** A short id as shops give them: letters and up to six digits. */
export const orderId = (draw: Draw): string =>
  `${draw.pick(['ORD', 'SO', 'INV', 'PO', 'RMA'])}-${draw.digits(draw.int(4, 6))}`

/** None, one or two harmless sentences. */
export function filler(draw: Draw): string {
  return draw.weighted([
    [3, ''],
    [4, aside(draw)],
    [2, `${aside(draw)} ${aside(draw)}`],
  ])
}
