/** Card numbers among other numbers: the one must go, the others must stay. */
import type { Family } from '../corpus.ts'
import { surrounded, textMessage, valueMessage } from '../envelopes.ts'
import type { Value } from '../print.ts'
import type { Scene } from '../scene.ts'
import {
  aside,
  city,
  email,
  firstName,
  isoTime,
  orderId,
  personName,
  product,
  uuid,
} from '../words.ts'
import { gridWith, printers } from './grid.ts'
import { fair, kinds } from './kinds.ts'

const family = (name: string, build: (scene: Scene) => string): Family => ({
  name,
  group: 'core',
  build,
})

const safe = [
  'order and invoice ids',
  'milliseconds since 1970',
  'IMEI',
  'GTIN, EAN and UPC',
  'IBAN',
  'phone numbers',
  'tracking numbers',
]

/** One harmless number with its name; noted as one that must survive. */
function neighbour(scene: Scene): readonly [key: string, value: string] {
  const { draw } = scene
  const kind = kinds.find(({ name }) => name === draw.pick(safe)) ?? kinds[0]
  if (kind === undefined) throw new Error('there are no kinds')
  return [draw.pick(kind.keys), scene.keep(fair(draw, kind.make))]
}

function inObject(scene: Scene): string {
  const members: (readonly [string, Value])[] = [
    neighbour(scene),
    neighbour(scene),
    ['card_number', scene.spaced(scene.pan())],
    ['customer', personName(scene.draw)],
  ]
  return valueMessage(scene, Object.fromEntries(scene.draw.shuffle(members)))
}

function inTable(scene: Scene): string {
  const { draw } = scene
  const kind = kinds.find(({ name }) => name === draw.pick(safe)) ?? kinds[0]
  const grid = gridWith(scene, [
    [
      draw.pick(kind?.keys ?? ['ref']),
      () => scene.keep(kind === undefined ? '' : fair(draw, kind.make)),
    ],
    ['pan', () => scene.pan()],
  ])
  const names = Object.keys(printers).filter((name) => name !== 'CSV, all quoted')
  return textMessage(scene, printers[draw.pick(names)]?.(grid, draw) ?? '')
}

const wide = (scene: Scene, rowCount: number): string => {
  const { draw } = scene
  const grid = gridWith(
    scene,
    [
      ['card_number', () => scene.pan()],
      ['tracking_number', () => draw.digits(12)],
      ['ts', () => String(Date.parse(isoTime(draw)))],
    ],
    rowCount,
  )
  return textMessage(scene, printers[draw.pick(Object.keys(printers))]?.(grid, draw) ?? '')
}

/** Colours of a terminal end in a letter that touches the number. */
const coloured = (scene: Scene): string => {
  const { draw } = scene
  const code = draw.pick(['32', '1;31', '0;36', '38;5;208'])
  return textMessage(
    scene,
    `\u001b[2m${isoTime(draw)}\u001b[0m \u001b[${code}m${scene.spaced(scene.pan())}\u001b[0m charged`,
  )
}

function fileName(scene: Scene): string {
  const { draw } = scene
  const pan = scene.spaced(scene.pan(), ['', '-'])
  return draw.pick([
    `file:///scans/card_${pan}.pdf`,
    `statements/${pan}.csv`,
    `${pan}.png`,
    `s3://cards/2026/${pan}/front.jpg`,
    `C:\\cards\\${pan}.txt`,
    `export-${pan}-v2.json`,
    `${pan}@example.com`,
  ])
}

export const neighbourFamilies: readonly Family[] = [
  family('neighbours: in an object', inObject),
  family('neighbours: in a table', inTable),
  family('neighbours: a long table', (scene) => wide(scene, 25)),
  family('neighbours: in a sentence', (scene) => {
    const [key, value] = neighbour(scene)
    const card = scene.spaced(scene.pan())
    return textMessage(
      scene,
      surrounded(
        scene,
        scene.draw.pick([
          `${firstName(scene.draw)} paid with ${card}; ${key} ${value}.`,
          `${key}: ${value}\ncard: ${card}`,
          `Card ${card} (${key} ${value})`,
          `${key}=${value} card=${card}`,
        ]),
      ),
    )
  }),
  family('neighbours: a mail with many numbers', (scene) => {
    const { draw } = scene
    const order = scene.keep(orderId(draw))
    const phone = scene.keep(`+49 30 ${draw.digits(4)} ${draw.digits(4)}`)
    const address = scene.keep(email(draw))
    return textMessage(
      scene,
      `Dear ${personName(draw)},\n\nyour ${product(draw)} (${order}) leaves ${city(draw)} tomorrow.\nWe charged ${scene.spaced(scene.pan())} with ${draw.int(10, 99)}.50 EUR.\nQuestions: ${phone}, ${address}, quote ${scene.keep(uuid(draw))}.\n${aside(draw)}`,
    )
  }),
  family('neighbours: date and code run on in digits', (scene) => {
    const { draw } = scene
    const [month = '', year = ''] = scene.mmyy().split('/')
    const pan = scene.pan()
    return textMessage(
      scene,
      draw.pick([
        `${pan} ${month}${year}`,
        `${pan} ${month} ${year}`,
        `${pan},${month}${year},${firstName(draw)}`,
        `card ${pan} ${month}/${year}`,
        `${pan} ${year}${month} approved`,
      ]),
    )
  }),
  family('document: terminal colours', coloured),
  family('document: file names and addresses', (scene) => textMessage(scene, fileName(scene))),
]
