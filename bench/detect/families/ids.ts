/**
 * Numbers which are no cards, under their own names, in keys, sentences and columns.
 * An id that has a card's range and check digit by accident is drawn only where its name tells
 * what it is; without a name nobody could know, so that such a draw is repeated.
 */
import type { Family } from '../corpus.ts'
import { surrounded, textMessage, valueMessage } from '../envelopes.ts'
import { panOf, usualBrand } from '../numbers.ts'
import { Token } from '../print.ts'
import type { Value } from '../print.ts'
import type { Scene } from '../scene.ts'
import { amount, personName, sqlTime } from '../words.ts'
import { gridWith, printers } from './grid.ts'
import { kinds } from './kinds.ts'
import type { Kind } from './kinds.ts'

const inObject = (scene: Scene, kind: Kind, value: string): string => {
  const { draw } = scene
  const asNumber = /^[1-9]\d{0,18}$/.test(value) && draw.chance(0.4)
  const parts: [string, Value][] = [
    [draw.pick(kind.keys), asNumber ? new Token(value) : value],
    ['name', personName(draw)],
    ['amount', new Token(amount(draw))],
    ['changed', sqlTime(draw)],
  ]
  return valueMessage(scene, Object.fromEntries(draw.shuffle(parts)))
}

const inSentence = (scene: Scene, kind: Kind, value: string): string =>
  textMessage(
    scene,
    surrounded(
      scene,
      scene.draw.pick(kind.sayings).replace('@@', () => value),
      ' ',
    ),
  )

function inTable(scene: Scene, kind: Kind): string {
  const { draw } = scene
  const grid = gridWith(scene, [[draw.pick(kind.keys), () => kind.make(draw)]])
  return textMessage(scene, printers[draw.pick(Object.keys(printers))]?.(grid, draw) ?? '')
}

function inPairs(scene: Scene, kind: Kind): string {
  const { draw } = scene
  const [name, value] = [draw.pick(kind.keys), kind.make(draw)]
  return valueMessage(scene, {
    fields: [
      { name, value },
      { name: 'by', value: personName(draw) },
    ],
  })
}

function anywhere(scene: Scene, kind: Kind): string {
  const { draw } = scene
  return draw.weighted<() => string>([
    [1, () => inPairs(scene, kind)],
    [3, () => inObject(scene, kind, kind.make(draw))],
    [3, () => inSentence(scene, kind, kind.make(draw))],
    [2, () => inTable(scene, kind)],
  ])()
}

/** Names that leave no doubt, for numbers with range and check digit of a card. */
const telling: Kind = {
  name: 'ids with range and check digit of a card, by their names',
  keys: [
    'order_id',
    'tracking_number',
    'invoice_number',
    'imei',
    'orderId',
    'trackingNumber',
    'tweet_id',
    'ean',
  ],
  sayings: [
    'Order @@ was shipped.',
    'Tracking number @@',
    'Invoice @@ is overdue',
    'order #@@',
    'IMEI: @@',
  ],
  make: (draw) => panOf(draw, usualBrand(draw)),
}

export const idFamilies: readonly Family[] = [...kinds, telling].map((kind): Family => ({
  name: kind.name,
  group: 'negative',
  build: (scene) => anywhere(scene, kind),
}))
