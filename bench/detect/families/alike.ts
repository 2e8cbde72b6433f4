/** What looks or sounds like card data and is none: masked numbers, pins, codes, words with `pan`. */
import type { Family } from '../corpus.ts'
import type { Draw } from '../draw.ts'
import { message, textMessage } from '../envelopes.ts'
import { groupsOf, luhnDigit, panOf, passesLuhn, usualBrand } from '../numbers.ts'
import { aside, amount, firstName, isoTime, personName, uuid } from '../words.ts'
import { gridWith, printers } from './grid.ts'
import { float } from './harmless.ts'
import { fair } from './kinds.ts'
import { family, lines, many, some, value } from './negatives.ts'

/** Sixteen digits of a card's range whose last digit is wrong. */
const failing = (draw: Draw): string => {
  const pan = panOf(draw, usualBrand(draw))
  const wrong = pan.slice(0, -1) + String((Number(pan.at(-1)) + draw.int(1, 9)) % 10)
  return passesLuhn(wrong) ? failing(draw) : wrong
}
/** Sixteen digits that pass Luhn and begin as no card does. */
const outside = (draw: Draw): string => {
  const body = draw.pick(['7', '90', '91', '94', '99', '83', '85', '88', '0']) + draw.digits(13)
  const padded = body.padEnd(15, '3').slice(0, 15)
  return padded + luhnDigit(padded)
}

const masks: readonly ((pan: string) => string)[] = [
  (pan) => '*'.repeat(pan.length - 4) + pan.slice(-4),
  (pan) => `**** **** **** ${pan.slice(-4)}`,
  (pan) => `XXXX-XXXX-XXXX-${pan.slice(-4)}`,
  (pan) => `xxxxxxxxxxxx${pan.slice(-4)}`,
  (pan) => `•••• ${pan.slice(-4)}`,
  (pan) => `${pan.slice(0, 6)}******${pan.slice(-4)}`,
  (pan) => `${pan.slice(0, 4)} ${pan.slice(4, 6)}** **** ${pan.slice(-4)}`,
  (pan) => `...${pan.slice(-4)}`,
  (pan) => `**${pan.slice(-4)}`,
  (pan) => `ending in ${pan.slice(-4)}`,
  (pan) => `${pan.slice(0, 6)}XXXXXX${pan.slice(-4)}`,
  (pan) => `[REDACTED]${pan.slice(-4)}`,
]
const masked = (draw: Draw): string => draw.pick(masks)(panOf(draw, usualBrand(draw)))

const pinSayings = [
  'The message is pinned to the top.',
  'PIN code of the area: 1@5',
  'Delivery to pin code 1@5, New Delhi',
  'Connect GPIO pin 17 to pin 4 of the sensor',
  'Drop a pin at the office and share it',
  'pin: dependency versions are pinned at @4',
  'SPI pinout: pin 1 = 3.3 V, pin 6 = GND',
  'She pinned 12 of @4 posts',
  'pip-compile pins @4 packages',
  'Bowling: all 10 pins in frame @1, total @3',
  'Spinning up @4 workers',
  'pin the tab, then open page @3',
]
const codeSayings = [
  'The security code review found @3 issues.',
  'Please read the security code of conduct (rev. @3).',
  'HTTP code 404, error code @4',
  'Card verification is disabled for @3 shops',
  'postal code @5, area code @3',
  'exit code 137 after @4 ms',
  'CSC lab, room @3',
  'The CVC conference is in hall @3.',
  'CID @4 is the customer, not the code',
  'Building security: code red was cleared in @3 s',
  'country code @3, currency code @3',
  'source code of @4 files, @3 of them tests',
]
/** Numbers in place of `@3` (three digits) and the like. */
const numbered = (draw: Draw, text: string): string =>
  text.replaceAll(/@(\d)/g, (_, count: string) => draw.digits(Number(count)))

export const alikeFamilies: readonly Family[] = [
  lines(
    'numbers of 16 digits that fail Luhn',
    (draw) =>
      `${draw.pick(['ref', 'Batch', 'entry', 'job'])} ${failing(draw)} ${draw.pick(['done', 'queued', 'was retried'])}`,
  ),
  lines('four groups of four that fail Luhn', (draw) => {
    const digits = failing(draw)
    return `voucher ${groupsOf(digits).join(draw.pick([' ', '-']))} redeemed by ${firstName(draw)}`
  }),
  lines(
    'numbers that pass Luhn outside all ranges',
    (draw) => `${draw.pick(['ref', 'Ticket', 'id', 'no.'])} ${outside(draw)}`,
  ),
  value('numbers that pass Luhn outside all ranges, as values', (draw) => ({
    [draw.pick(['ref', 'value', 'ticket', 'member'])]: draw.chance(0.5)
      ? outside(draw)
      : Number(`7${draw.digits(10)}`),
  })),
  lines('masked numbers in text', (draw) => `Card ${masked(draw)} was charged ${amount(draw)} EUR`),
  value('masked numbers under a card key', (draw) => ({
    card_number: masked(draw),
    last4: String(draw.int(1000, 9999)),
    bin: String(draw.int(400_000, 599_999)),
    brand: 'visa',
    exp_month: draw.int(1, 12),
    exp_year: 2029,
  })),
  value('tokens and fingerprints of cards', (draw) =>
    some(draw, {
      card_id: `card_1${draw.letters(23, 'ABCDEFGHabcdefgh0123456789')}`,
      payment_intent: `pi_3${draw.letters(23, 'ABCDEFGHabcdefgh0123456789')}`,
      fingerprint: draw.letters(16, 'ABCDEFGHabcdefgh0123456789'),
      card_token: `tok_${uuid(draw)}`,
      card_type: 'debit',
      last_four: draw.digits(4),
    }),
  ),
  lines('short numbers everywhere', (draw) =>
    many(
      6,
      () =>
        `${draw.pick(['Room', 'Line', 'Flight', 'Gate', 'Page', 'Bus', 'Nr.'])} ${draw.int(100, 9999)} ${draw.pick(['at', 'to', 'of', 'until'])} ${draw.int(100, 999)}`,
    ).join(', '),
  ),
  value('results of verification', (draw) =>
    some(draw, {
      cvv_result: draw.pick(['M', 'N', 'P', 'U']),
      cvc_check: draw.pick(['pass', 'fail', 'unchecked']),
      avs_result: 'Y',
      cvv_required: draw.chance(0.5),
      security_code_match: true,
      cvv: draw.pick([null, '', true]),
      response_code: '00',
    }),
  ),
  lines(
    'pins that are not PINs',
    (draw) => `${aside(draw)} ${numbered(draw, draw.pick(pinSayings))}`,
  ),
  value('pinned things', (draw) =>
    some(draw, {
      pinned: draw.chance(0.5),
      pin_count: draw.int(1, 12),
      isPinned: true,
      gpio_pin: draw.int(1, 40),
      pins: [draw.int(1, 40), draw.int(1, 40)],
      pincode: String(draw.int(110_001, 855_117)),
      spinner: 1234,
    }),
  ),
  lines(
    'codes that are no verification values',
    (draw) => `${aside(draw)} ${numbered(draw, draw.pick(codeSayings))}`,
  ),
  value('customer ids and status codes', (draw) =>
    some(draw, {
      cid: draw.int(10_000, 999_999),
      status_code: draw.pick([200, 404, 503]),
      country_code: 276,
      zip: draw.digits(5),
      csc_url: 'https://example.org/csc/312',
      area_code: '212',
      mcc: String(draw.int(1000, 9999)),
    }),
  ),
  value('words with pan, card and cvv inside', (draw) =>
    some(draw, {
      panel_id: draw.int(1000, 9999),
      company: draw.digits(10),
      scorecard: draw.int(100, 999),
      discard: [draw.int(100, 999), draw.int(1000, 9999)],
      expand: draw.int(1, 12),
      cardinality: draw.int(1000, 99_999),
      wildcard: '*.example.com',
      span_id: draw.hex(16),
      dashboard_card: { width: 1280, height: 720 },
    }),
  ),
  family('tables without cards', (scene) => {
    const { draw } = scene
    const grid = gridWith(scene, [
      ['account', () => fair(draw, (each) => each.digits(each.pick([8, 10, 16])))],
      ['score', () => float(draw)],
      ['ext', () => String(draw.int(100, 9999))],
    ])
    return textMessage(scene, printers[draw.pick(Object.keys(printers))]?.(grid, draw) ?? '')
  }),
  family('tool definitions', (scene) => {
    const { draw } = scene
    return message(scene, {
      result: {
        tools: [
          {
            name: 'charge_card',
            description: 'Charges a card. Never send a full number or CVV; use a token.',
            inputSchema: {
              type: 'object',
              properties: {
                token: { type: 'string', minLength: 12, maxLength: 64 },
                amount: { type: 'integer', minimum: 1, maximum: Number(`9${draw.digits(8)}`) },
                cvv: { type: 'string', pattern: '^[0-9]{3,4}$' },
                card_number: { type: 'string', pattern: '^[0-9]{12,19}$' },
              },
            },
          },
        ],
      },
    })
  }),
  lines('prose about cards', (draw) =>
    draw.pick([
      'A card number has up to 19 digits; a Visa begins with 4, a Mastercard with 51 to 55 or 2221 to 2720.',
      'The CVV has 3 digits, on American Express 4. PCI DSS 3.3.1 forbids to keep it.',
      `Our card programme has ${draw.int(100, 999)} merchants and ${draw.int(1000, 9999)} terminals.`,
      `Your credit card ending in ${draw.digits(4)} expires 0${draw.int(1, 9)}/20${draw.int(26, 32)}.`,
      `Gift card ${draw.letters(4, 'ABCDEFGH')}-${draw.digits(4)}-${draw.letters(4, 'ABCDEFGH')} is worth ${draw.int(10, 200)} EUR.`,
      `Card payments on ${isoTime(draw).slice(0, 10)}: ${draw.int(100, 9999)}, debit ${draw.int(100, 9999)}, total ${draw.digits(7)}.`,
      `Library card ${draw.digits(8)} of ${personName(draw)}`,
    ]),
  ),
]
