/** Kinds of numbers which are no cards: their names, and how one is made, check digit and all. */
import type { Draw } from '../draw.ts'
import { gtinDigit, iban, isbn10Digit, looksLikeCard, luhnDigit } from '../numbers.ts'
import { moment } from '../words.ts'

/** One kind of number: how it is called, in keys and in sentences, and how one is made. */
export interface Kind {
  readonly name: string
  readonly keys: readonly string[]
  readonly sayings: readonly string[]
  readonly make: (draw: Draw) => string
}

/** Draws until it cannot be taken for a card. */
export const fair = (draw: Draw, make: (draw: Draw) => string): string => {
  let made = make(draw)
  while (looksLikeCard(made.replaceAll(/\D/g, ''))) made = make(draw)
  return made
}

const digits =
  (...lengths: readonly number[]) =>
  (draw: Draw): string =>
    draw.digits(draw.pick(lengths))

const luhned = (prefix: string, length: number) => (draw: Draw) => {
  const body = prefix + draw.letters(length - 1 - prefix.length, '0123456789')
  return body + luhnDigit(body)
}
const gtin = (prefixes: readonly string[], length: number) => (draw: Draw) => {
  const prefix = draw.pick(prefixes)
  const body = prefix + draw.letters(length - 1 - prefix.length, '0123456789')
  return body + gtinDigit(body)
}
const grouped = (text: string, size: number, joint: string): string =>
  (text.match(new RegExp(`.{1,${size}}`, 'g')) ?? []).join(joint)

const isbn13 = (draw: Draw): string => gtin(['978', '979'], 13)(draw)

const ibanParts: readonly (readonly [country: string, bank: string, length: number])[] = [
  ['DE', '', 18],
  ['NL', 'ABNA', 10],
  ['GB', 'NWBK', 14],
  ['ES', '', 20],
  ['PL', '', 24],
  ['FR', '', 23],
]
const anIban = (draw: Draw): string => {
  const [country, bank, length] = draw.pick(ibanParts)
  return iban(country, bank + draw.letters(length, '0123456789'))
}

const epoch = (draw: Draw): string => String(moment(draw).getTime())
const stamp = (draw: Draw): string => moment(draw).toISOString().replaceAll(/\D/g, '')

const phones = (draw: Draw): string => {
  const some = (count: number): string => draw.digits(count)
  return draw.pick([
    `+1 (${some(3)}) ${some(3)}-${some(4)}`,
    `+1${some(10)}`,
    `${some(3)}-${some(3)}-${some(4)}`,
    `+49 30 ${some(4)} ${some(4)}`,
    `+44 20 ${some(4)} ${some(4)}`,
    `0033 ${some(1)} ${some(2)} ${some(2)} ${some(2)} ${some(2)}`,
    `+55 11 9${some(4)}-${some(4)}`,
    `+86 1${some(2)} ${some(4)} ${some(4)}`,
    `tel:+${some(12)}`,
    `+7 9${some(2)} ${some(3)}-${some(2)}-${some(2)}`,
    `00${some(13)}`,
  ])
}

const upsTracking = (draw: Draw): string =>
  `1Z${draw.letters(6, 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789')}${draw.letters(10, '0123456789')}`

/** Twitter's scheme: milliseconds since its epoch, shifted by 22 bits. */
const snowflake = (draw: Draw): string =>
  String(
    (BigInt(moment(draw).getTime() - 1_288_834_974_657) << 22n) | BigInt(draw.int(0, 4_194_303)),
  )

const npi = (draw: Draw): string => {
  const body = `${draw.pick(['1', '2'])}${draw.letters(8, '0123456789')}`
  return body + luhnDigit(`80840${body}`)
}
const personnummer = (draw: Draw): string => {
  const day = `${draw.int(50, 99)}${String(draw.int(1, 12)).padStart(2, '0')}${String(draw.int(1, 28)).padStart(2, '0')}`
  const body = day + draw.letters(3, '0123456789')
  const number = `${day}-${body.slice(6)}${luhnDigit(body)}`
  return draw.chance(0.5) ? number : `19${number}`
}

export const kinds: readonly Kind[] = [
  {
    name: 'order and invoice ids',
    keys: [
      'order_id',
      'orderId',
      'invoice_number',
      'invoiceNo',
      'order_no',
      'booking_id',
      'refund_id',
    ],
    sayings: [
      'Order @@ was shipped.',
      'Invoice @@ is overdue',
      'order #@@',
      'Bestellung @@',
      'pedido n.º @@',
    ],
    make: digits(10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
  },
  {
    name: 'transaction and reference ids',
    keys: [
      'transaction_id',
      'txnId',
      'reference',
      'correlation_id',
      'request_id',
      'trace_id',
      'session_id',
      'ref_no',
    ],
    sayings: [
      'Transaction @@ settled',
      'reference @@',
      'Ref. @@ was cancelled',
      'request id=@@ took 12 ms',
    ],
    make: (draw) => fair(draw, digits(12, 14, 15, 16, 17, 18, 19, 20)),
  },
  {
    name: 'milliseconds since 1970',
    keys: ['created_at', 'timestamp', 'ts', 'updatedAt', 'expires', 'lastLogin', 'time'],
    sayings: ['at @@', 'ts=@@ ok', 'expires @@', 'Event logged at @@.'],
    make: epoch,
  },
  {
    name: 'microseconds since 1970',
    keys: ['ts_us', 'timestamp', 'time_micros', 'event_time'],
    sayings: ['at @@', 'ts=@@', 'micros: @@'],
    make: (draw) => epoch(draw) + draw.letters(3, '0123456789'),
  },
  {
    name: 'nanoseconds since 1970',
    keys: ['ts_ns', 'timestamp', 'timeUnixNano', 'startTimeUnixNano', 'time'],
    sayings: ['at @@', 'ts=@@', 'nanos @@'],
    make: (draw) => epoch(draw) + draw.letters(6, '0123456789'),
  },
  {
    name: 'yyyymmddHHMMSS',
    keys: ['timestamp', 'date_time', 'modified', 'DTM', 'version'],
    sayings: ['backup-@@.tar', 'migration @@_add_index', 'DTM+137:@@:204', 'run @@'],
    make: (draw) => stamp(draw).slice(0, draw.pick([14, 14, 17])),
  },
  {
    name: 'IMEI',
    keys: ['imei', 'IMEI', 'device_imei', 'imei1'],
    sayings: ['IMEI: @@', 'The phone with IMEI @@ was lost.', 'imei=@@'],
    make: (draw) => luhned(draw.pick(['35', '86', '01', '99', '35693803']), 15)(draw),
  },
  {
    name: 'IMEISV, ICCID and IMSI',
    keys: ['imeisv', 'iccid', 'imsi', 'simIccid', 'ICCID'],
    sayings: ['ICCID @@', 'SIM @@ was activated', 'imsi @@'],
    make: (draw) =>
      draw.pick([
        () => `35${draw.digits(14)}`,
        () => luhned('8944', 19)(draw),
        () => luhned('8949', 20)(draw),
        () => `262${draw.digits(12)}`,
        () => `310${draw.digits(12)}`,
      ])(),
  },
  {
    name: 'GTIN, EAN and UPC',
    keys: ['ean', 'gtin', 'barcode', 'upc', 'EAN13', 'gtin14', 'sku_ean'],
    sayings: ['EAN @@', 'Barcode: @@', 'GTIN @@ is out of stock', 'scan @@'],
    make: (draw) =>
      draw.pick([
        gtin(['400', '500', '401', '302', '871', '590'], 13),
        gtin(['0', '1', '3', '5', '4'], 14),
        gtin(['0', '7', '8', '6'], 12),
      ])(draw),
  },
  {
    name: 'ISBN and ISSN',
    keys: ['isbn', 'ISBN', 'isbn13', 'isbn_10', 'issn'],
    sayings: ['ISBN @@', 'ISBN-13: @@', 'see @@ (2nd edition)'],
    make: (draw) => {
      const number = isbn13(draw)
      const ten = draw.letters(9, '0123456789')
      return draw.pick([
        number,
        `${number.slice(0, 3)}-${number.slice(3, 4)}-${number.slice(4, 7)}-${number.slice(7, 12)}-${number.slice(12)}`,
        ten + isbn10Digit(ten),
        `${draw.digits(4)}-${draw.digits(4)}`,
      ])
    },
  },
  {
    name: 'SSCC',
    keys: ['sscc', 'SSCC', 'pallet_id', 'sscc18', 'logistic_unit'],
    sayings: ['SSCC @@', '(00)@@', 'pallet @@ arrived'],
    make: (draw) => gtin(['0', '1', '3', '4', '5'], 18)(draw),
  },
  {
    name: 'tracking numbers',
    keys: ['tracking_number', 'trackingNumber', 'tracking', 'shipment_no', 'awb', 'parcel_id'],
    sayings: [
      'Tracking number @@',
      'FedEx @@ is on its way',
      'USPS tracking: @@',
      'Sendungsnummer @@',
      'DHL @@',
    ],
    make: (draw) =>
      draw.pick([
        () => draw.digits(12),
        () => draw.digits(15),
        () => `94${draw.digits(20)}`,
        () => `92${draw.digits(20)}`,
        () =>
          `9400 1${draw.letters(3, '0123456789')} ${grouped(draw.letters(12, '0123456789'), 4, ' ')} ${draw.digits(2)}`,
        () => upsTracking(draw),
        () => draw.digits(10),
        () => `JJD${draw.digits(18)}`,
        () => `${draw.letters(2, 'RLEC')}${draw.digits(9)}DE`,
      ])(),
  },
  {
    name: 'IBAN',
    keys: ['iban', 'IBAN', 'account_iban', 'creditorIban', 'bank_account'],
    sayings: ['IBAN @@', 'Bitte auf @@ überweisen', 'paid to @@', 'from account @@'],
    make: (draw) => {
      const compact = anIban(draw)
      return draw.chance(0.4) ? grouped(compact, 4, ' ') : compact
    },
  },
  {
    name: 'bank accounts and routing',
    keys: ['account_number', 'routing_number', 'sort_code', 'bic', 'clabe', 'bsb', 'ifsc'],
    sayings: ['Account @@ was credited', 'sort code @@', 'Konto @@', 'SWIFT @@'],
    make: (draw) =>
      draw.pick([
        () => draw.digits(8),
        () => draw.digits(10),
        () => `${draw.digits(2)}-${draw.digits(2)}-${draw.digits(2)}`,
        () => `0${draw.digits(8)}`,
        () => `${draw.letters(4, 'ABCDEFGHKLMN')}DEFF${draw.digits(3)}`,
        () => fair(draw, digits(18)),
      ])(),
  },
  {
    name: 'phone numbers',
    keys: ['phone', 'phoneNumber', 'mobile', 'tel', 'fax', 'msisdn', 'whatsapp'],
    sayings: ['Call me at @@', 'Tel. @@', 'phone: @@', 'WhatsApp @@', 'Fax @@, thanks'],
    make: phones,
  },
  {
    name: 'health and social ids with Luhn',
    keys: ['npi', 'NPI', 'sin', 'personnummer', 'provider_npi', 'orgnr', 'siret'],
    sayings: ['NPI @@', 'SIN @@', 'personnummer @@', 'SIRET @@'],
    make: (draw) =>
      draw.pick([
        npi,
        (each: Draw) => grouped(luhned(each.pick(['1', '2', '7']), 9)(each), 3, ' '),
        personnummer,
        (each: Draw) => luhned(each.pick(['732', '441', '552', '808']), 14)(each),
        (each: Draw) => luhned('55', 10)(each),
      ])(draw),
  },
  {
    name: 'tax and national ids',
    keys: ['cpf', 'cnpj', 'tax_id', 'steuer_id', 'pesel', 'nif', 'aadhaar', 'vat_id', 'ssn'],
    sayings: ['CPF @@', 'CNPJ: @@', 'Steuer-ID @@', 'VAT @@', 'PESEL @@', 'Aadhaar @@'],
    make: (draw) =>
      draw.pick([
        () => `${draw.digits(3)}.${draw.digits(3)}.${draw.digits(3)}-${draw.digits(2)}`,
        () => `${draw.digits(2)}.${draw.digits(3)}.${draw.digits(3)}/0001-${draw.digits(2)}`,
        () => draw.digits(11),
        () => `DE${draw.digits(9)}`,
        () => `${draw.digits(4)} ${draw.digits(4)} ${draw.digits(4)}`,
        () => `${draw.digits(8)}Z`,
      ])(),
  },
  {
    name: 'snowflake ids',
    keys: [
      'id_str',
      'tweet_id',
      'guild_id',
      'channel_id',
      'message_id',
      'snowflake',
      'userId',
      'author_id',
    ],
    sayings: [
      'message @@ was deleted',
      'https://discord.com/channels/@@',
      'user <@!@@>',
      'status/@@',
    ],
    make: (draw) => fair(draw, snowflake),
  },
  {
    name: 'cloud accounts and resources',
    keys: [
      'account_id',
      'awsAccountId',
      'AccountId',
      'project_number',
      'arn',
      'OwnerId',
      'subscription',
    ],
    sayings: [
      'arn:aws:iam::@@:role/deploy',
      'account @@',
      '@@.dkr.ecr.eu-west-1.amazonaws.com/app',
      'projects/@@/secrets',
    ],
    make: digits(12),
  },
  {
    name: 'database and big integer ids',
    keys: ['id', 'user_id', 'customerId', 'parent_id', 'uid', 'pk', 'seq', 'rowid', 'offset'],
    sayings: ['id @@ not found', 'row @@', 'lsn @@', 'user_id=@@', 'uid: @@'],
    make: (draw) => fair(draw, digits(9, 13, 15, 16, 17, 18, 19)),
  },
  {
    name: 'serials, parts and licences',
    keys: ['serial', 'serialNumber', 'part_no', 'vin', 'licence', 'asset_tag', 'meter_id'],
    sayings: ['S/N @@', 'Serial number @@', 'VIN @@', 'meter @@', 'licence @@'],
    make: (draw) =>
      draw.pick([
        () => `SN${draw.digits(12)}`,
        () => `${draw.letters(11, 'ABCDEFGHJKLMNPRSTUVWXYZ')}${draw.digits(6)}`,
        () => fair(draw, digits(14, 16)),
        () => `${draw.digits(3)}-${draw.digits(5)}-${draw.digits(4)}`,
        () => grouped(draw.letters(25, 'BCDFGHJKMPQRTVWXY2346789'), 5, '-'),
      ])(),
  },
]
