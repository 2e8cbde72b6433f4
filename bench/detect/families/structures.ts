/** Objects: keys of many spellings, nested, printed inside strings, and numbers without quotes. */
import type { Family } from '../corpus.ts'
import { message, structured, textMessage, toolResult, valueMessage } from '../envelopes.ts'
import { brandNamed, panOf, usualBrand } from '../numbers.ts'
import { Token, compact, pretty, print, python, styles } from '../print.ts'
import type { Value } from '../print.ts'
import type { Scene } from '../scene.ts'
import { amount, city, currency, email, isoTime, orderId, personName, uuid } from '../words.ts'

const snake =
  'card_number credit_card card_no cc_number primary_account_number card_pan cc_num payment_card_number debit_card_number creditcard_number'.split(
    ' ',
  )
const camel =
  'cardNumber creditCard cardNo ccNumber primaryAccountNumber cardPan ccNum creditCardNumber debitCardNumber fundingPan'.split(
    ' ',
  )
const other =
  'CARD_NUMBER CardNumber card-number Card_Number CREDITCARD PAN Pan "card number" "Card No." "Credit Card Number" card.number CCN'
    .match(/"[^"]+"|\S+/g)
    ?.map((name) => name.replaceAll('"', '')) ?? []
const foreign =
  'kartennummer kreditkarte numero_tarjeta numeroTarjeta tarjeta_credito numero_carte carte_bancaire numero_cartao numeroCartao cartao kortnummer numer_karty номер_карты カード番号 卡号 信用卡号 kart_no'.split(
    ' ',
  )

/** A customer as shops store one. */
function customer(scene: Scene, key: string, value: Value): { readonly [key: string]: Value } {
  const { draw } = scene
  const parts: [string, Value][] = [
    ['id', draw.chance(0.5) ? draw.int(1, 99_999) : scene.keep(uuid(draw))],
    ['name', personName(draw)],
    ['email', scene.keep(email(draw))],
    [key, value],
    ['order', orderId(draw)],
    ['amount', new Token(amount(draw))],
    ['currency', currency(draw)],
    ['updatedAt', isoTime(draw)],
    ['isActive', draw.chance(0.5)],
    ['city', city(draw)],
    ['note', null],
  ]
  const [head, ...rest] = parts
  return Object.fromEntries([head ?? ['id', 1], ...draw.shuffle(rest).slice(3), [key, value]])
}

const keyed =
  (keys: readonly string[]) =>
  (scene: Scene): string =>
    valueMessage(scene, customer(scene, scene.draw.pick(keys), scene.spaced(scene.pan())))

/** Under keys which tell nothing. */
const silent = 'value v data field1 payload input text col3 item ref_value memo'.split(' ')

function nested(scene: Scene): Value {
  const { draw } = scene
  const pan = scene.spaced(scene.pan())
  return draw.pick<Value>([
    { customer: { payment: { card: { number: pan, expiry: scene.expiry() } } } },
    { payment_method: { type: 'card', card: { number: pan, exp_month: 4, exp_year: 2029 } } },
    { source: { object: 'card', number: pan, country: 'DE' } },
    { orders: [{ id: orderId(draw), paidWith: { card: pan, brand: 'visa' } }] },
    { creditCard: { holder: personName(draw), number: pan } },
    { card: [pan, scene.expiry()] },
    { cards: [pan] },
    { card_numbers: [pan, null] },
    { data: { attributes: { 'card-number': pan } } },
    { before: { pan }, after: { pan: null } },
  ])
}

/** Printed into a string as often as told. */
function inStrings(value: Value, levels: number, scene: Scene): Value {
  let inside = value
  for (let i = 0; i < levels; i++) {
    const printed = print(inside, scene.draw.pick(styles))
    inside = i + 1 < levels ? { body: printed, ok: true } : printed
  }
  return inside
}

const levels = (count: number) => (scene: Scene) => {
  const value = customer(scene, scene.draw.pick([...snake, ...camel]), scene.spaced(scene.pan()))
  const text = inStrings(value, count, scene)
  return message(scene, typeof text === 'string' ? toolResult(text) : structured(text))
}

/** As a number token, under a card key or a silent one. */
const asToken =
  (spell: (pan: string, scene: Scene) => string, keys: readonly string[]) =>
  (scene: Scene): string => {
    const pan = scene.pan()
    return valueMessage(scene, customer(scene, scene.draw.pick(keys), new Token(spell(pan, scene))))
  }

/** `4.111111111111111E15`, as Java prints a double; no digit is lost. */
const exponent = (pan: string, { draw }: Scene): string =>
  `${pan.charAt(0)}.${pan.slice(1)}${draw.pick(['E', 'e', 'e+', 'E+'])}${pan.length - 1}`

const long = (scene: Scene): Value => {
  const pan = scene.pan(brandNamed(scene.draw.pick(['visa-19', 'unionpay-17-to-19', 'maestro'])))
  return new Token(pan)
}

const list = (scene: Scene): Value =>
  Array.from({ length: scene.draw.int(2, 5) }, () => scene.pan())

export const structureFamilies: readonly Family[] = [
  { name: 'key: snake_case', group: 'core', build: keyed(snake) },
  { name: 'key: camelCase', group: 'core', build: keyed(camel) },
  { name: 'key: other spellings', group: 'core', build: keyed(other) },
  { name: 'key: other languages', group: 'core', build: keyed(foreign) },
  { name: 'key: silent', group: 'core', build: keyed(silent) },
  { name: 'key: nested', group: 'core', build: (scene) => valueMessage(scene, nested(scene)) },
  {
    name: 'key: prefixed and suffixed',
    group: 'core',
    build: (scene) => {
      const { draw } = scene
      const key = `${draw.pick(['old', 'customer', 'billing', 'payer', 'last'])}_${draw.pick(snake)}${draw.pick(['', '_1', '_raw', '_full'])}`
      return valueMessage(scene, customer(scene, key, scene.pan()))
    },
  },
  {
    name: 'key: the number is the key',
    group: 'core',
    build: (scene) => {
      const { draw } = scene
      const members = Array.from({ length: draw.int(1, 3) }, (): [string, Value] => [
        scene.spaced(scene.pan(), ['', ' ', '-']),
        { total: new Token(amount(draw)), count: draw.int(1, 9) },
      ])
      return valueMessage(scene, { by_card: Object.fromEntries(members) })
    },
  },
  {
    name: 'key: wrong check digit in a row of objects',
    group: 'core',
    build: (scene) => {
      const { draw } = scene
      const key = draw.pick([...snake, ...camel])
      const rows = Array.from({ length: 3 }, (_, i): Value => {
        const good = panOf(draw, usualBrand(draw))
        const bad = good.slice(0, -1) + String((Number(good.at(-1)) + 3) % 10)
        return { id: i + 1, [key]: scene.panAs(i === 1 ? bad : good), city: city(draw) }
      })
      return valueMessage(scene, rows)
    },
  },
  {
    name: 'list: of strings',
    group: 'core',
    build: (scene) =>
      valueMessage(scene, { [scene.draw.pick([...camel, ...silent])]: list(scene) }),
  },
  {
    name: 'list: of numbers',
    group: 'core',
    build: (scene) => {
      const numbers = Array.from({ length: scene.draw.int(2, 5) }, () => new Token(scene.pan()))
      return valueMessage(scene, { [scene.draw.pick(['cards', 'pans', 'values'])]: numbers })
    },
  },
  {
    name: 'number: under a card key',
    group: 'core',
    build: asToken((pan) => pan, [...snake, ...camel]),
  },
  { name: 'number: under a silent key', group: 'core', build: asToken((pan) => pan, silent) },
  {
    name: 'number: 17 to 19 digits',
    group: 'core',
    build: (scene) => valueMessage(scene, customer(scene, scene.draw.pick(snake), long(scene))),
  },
  {
    name: 'number: with .0',
    group: 'disguise',
    build: asToken(
      (pan, { draw }) => `${pan}.${draw.pick(['0', '0', '00'])}`,
      [...snake, ...camel],
    ),
  },
  {
    name: 'number: with an exponent',
    group: 'disguise',
    build: asToken(exponent, [...snake, ...camel, ...silent]),
  },
  {
    name: 'number: negative',
    group: 'disguise',
    build: asToken((pan) => `-${pan}`, [...snake, ...camel]),
  },
  { name: 'JSON in a string', group: 'core', build: levels(1) },
  { name: 'JSON in JSON in a string', group: 'core', build: levels(2) },
  { name: 'JSON three deep in strings', group: 'core', build: levels(3) },
  { name: 'JSON four deep in strings', group: 'core', build: levels(4) },
  {
    name: 'JSON inside a sentence or a log line',
    group: 'core',
    build: (scene) => {
      const { draw } = scene
      const value = customer(scene, draw.pick([...snake, ...camel]), scene.pan())
      const text = print(value, draw.pick([compact, python, pretty]))
      return textMessage(
        scene,
        `${isoTime(draw)} ${draw.pick(['DEBUG request body:', 'got', 'Response ->', 'payload='])} ${text}`,
      )
    },
  },
  {
    name: 'JSON lines',
    group: 'core',
    build: (scene) => {
      const { draw } = scene
      const key = draw.pick([...snake, ...camel])
      const lines = Array.from({ length: draw.int(2, 4) }, () =>
        print(customer(scene, key, scene.pan())),
      )
      return textMessage(scene, lines.join('\n'))
    },
  },
]
