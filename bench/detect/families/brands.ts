/** Each brand in the places where numbers usually stand. Needy ones always have a word near them. */
import type { Family } from '../corpus.ts'
import { surrounded, textMessage, valueMessage } from '../envelopes.ts'
import { brandNamed, brands, luhnDigit, panOf } from '../numbers.ts'
import type { Brand } from '../numbers.ts'
import { Token } from '../print.ts'
import type { Scene } from '../scene.ts'
import { amount, currency, isoTime, orderId, personName } from '../words.ts'

const said = [
  'Card {pan} was charged {amount}.',
  'Customer paid {amount} with card {pan} this morning.',
  'The card number on file is {pan}.',
  'Credit card: {pan}',
  'Please refund {amount} to card no. {pan}, thanks.',
  'PAN {pan} declined (insufficient funds)',
  'debit card {pan}, order {order}',
]
const bare = ['{order}: {pan}, {amount}', 'Paid by {name} with {pan} ({amount})', '{pan}']
const keys = ['card_number', 'cardNumber', 'pan', 'credit_card_number', 'ccNumber', 'CARD_NO']

/** A template with its places filled. */
export function fill(scene: Scene, template: string, pan: string): string {
  const { draw } = scene
  return template
    .replace('{amount}', `${amount(draw)} ${currency(draw)}`)
    .replace('{order}', orderId(draw))
    .replace('{name}', personName(draw))
    .replace('{pan}', pan)
}

function inSentence(scene: Scene, brand: Brand): string {
  const { draw } = scene
  const template = draw.pick(brand.isNeedy ? said : [...said, ...bare])
  return textMessage(
    scene,
    surrounded(scene, fill(scene, template, scene.spaced(scene.pan(brand))), ' '),
  )
}

function inObject(scene: Scene, brand: Brand): string {
  const { draw } = scene
  const pan = scene.pan(brand)
  const value = draw.chance(0.3) ? new Token(pan) : draw.chance(0.7) ? pan : scene.spaced(pan)
  return valueMessage(scene, {
    id: draw.int(1, 99_999),
    holder: personName(draw),
    [draw.pick(keys)]: value,
    created_at: isoTime(draw),
    amount: Number(amount(draw)),
  })
}

function inTable(scene: Scene, brand: Brand): string {
  const { draw } = scene
  const rows = Array.from({ length: draw.int(1, 4) }, (_, i) => [
    String(i + 1),
    personName(draw),
    scene.pan(brand),
    amount(draw),
  ])
  const head = ['id', 'name', draw.pick(keys), 'amount']
  const joint = draw.pick([',', ' | ', '\t', ';'])
  return textMessage(scene, [head, ...rows].map((row) => row.join(joint)).join('\n'))
}

function inLog(scene: Scene, brand: Brand): string {
  const { draw } = scene
  const line = `${isoTime(draw)} INFO payment card=${scene.pan(brand)} amount=${amount(draw)} status=ok`
  return textMessage(scene, line)
}

const ways = [inSentence, inSentence, inObject, inObject, inTable, inLog]

const byBrand = brands.map((brand): Family => ({
  name: `brand: ${brand.name}`,
  group: 'core',
  build: (scene) => scene.draw.pick(ways)(scene, brand),
}))

/** The look of the numbers which payment providers publish for tests. */
const published: readonly (readonly [prefix: string, length: number, fill: string])[] = [
  ['4', 16, '1'],
  ['42', 16, '42'],
  ['4012888888', 16, '8'],
  ['4000056655', 16, '6'],
  ['555555555555', 16, '4'],
  ['510510510510', 16, '5'],
  ['3782822463', 15, '1000'],
  ['6011', 16, '1'],
  ['3056930902', 14, '59'],
  ['3530111333', 16, '0'],
]

export const brandFamilies: readonly Family[] = [
  ...byBrand,
  {
    name: 'brand: published test numbers',
    group: 'core',
    build: (scene) => {
      const [prefix, length, fillers] = scene.draw.pick(published)
      const body = prefix + fillers.repeat(length).slice(0, length - 1 - prefix.length)
      const pan = scene.panAs(body + luhnDigit(body))
      const template = scene.draw.pick([...said, ...bare])
      return textMessage(scene, fill(scene, template, scene.spaced(pan)))
    },
  },
  {
    name: 'brand: wrong check digit under a card key',
    group: 'core',
    build: (scene) => {
      const good = panOf(scene.draw, brandNamed('visa-16'))
      const pan = scene.panAs(good.slice(0, -1) + String((Number(good.at(-1)) + 1) % 10))
      const key = scene.draw.pick(keys)
      return valueMessage(scene, { id: scene.draw.int(1, 999), [key]: pan, isValid: false })
    },
  },
]
