/** Disguises by digits: other scripts, full width, mathematical forms, raised and circled. */
import type { Family } from '../corpus.ts'
import { surrounded, textMessage, valueMessage } from '../envelopes.ts'
import { groupsOf } from '../numbers.ts'
import type { Scene } from '../scene.ts'
import { fill } from './brands.ts'

/** Code points of the zero of each script; the nine others follow it (Unicode, `Nd`). */
const zeros: Readonly<Record<string, number>> = {
  'Arabic-Indic': 0x660,
  Persian: 0x6f0,
  Devanagari: 0x966,
  Bengali: 0x9e6,
  Tamil: 0xbe6,
  Thai: 0xe50,
  Khmer: 0x17e0,
  'full width': 0xff10,
}
const rare = [
  0x7c0, 0xa66, 0xae6, 0xb66, 0xc66, 0xce6, 0xd66, 0xed0, 0xf20, 0x1040, 0x1810, 0x1946, 0x19d0,
  0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xaa50, 0xabf0, 0x104a0, 0x11066,
  0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x16a60,
  0x16b50, 0x1e140, 0x1e2f0, 0x1e950,
]
/** Bold, double-struck, sans-serif, sans-serif bold, monospace. */
const mathematical = [0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6]

/** Each ASCII digit as that of the script whose zero is at `zero`. */
export const inScript = (text: string, zero: number): string =>
  text.replaceAll(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)))

const raised = (text: string): string =>
  text.replaceAll(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '')
const lowered = (text: string): string =>
  text.replaceAll(/\d/g, (digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)] ?? '')
const circled = (text: string): string =>
  text.replaceAll(/\d/g, (digit) => '⓪①②③④⑤⑥⑦⑧⑨'[Number(digit)] ?? '')

export const cardSentences: readonly string[] = [
  'Card {pan} was declined.',
  'card number: {pan}, order {order}',
  'Please charge {amount} to my credit card {pan}',
  'Kreditkarte {pan} von {name}',
  'Tarjeta {pan}',
  '{name} paid with visa {pan}',
  'PAN={pan};',
]
export const anySentences: readonly string[] = [
  ...cardSentences,
  '{pan}',
  '{name}: {pan}',
  'Order {order}\n{pan}\n{amount}',
  '"{pan}" is what {name} gave us',
]

const spoken = (scene: Scene, templates: readonly string[], pan: string): string =>
  textMessage(scene, surrounded(scene, fill(scene, scene.draw.pick(templates), pan), ' '))

/** Half of the time as a value under a card key. */
const keyedOrSpoken = (scene: Scene, pan: string): string =>
  scene.draw.chance(0.4)
    ? valueMessage(scene, { id: scene.draw.int(1, 999), card_number: pan, ok: true })
    : spoken(scene, anySentences, pan)

const script = (name: string, zero: (scene: Scene) => number): Family => ({
  name: `digits: ${name}`,
  group: 'disguise',
  build: (scene) => keyedOrSpoken(scene, inScript(scene.spaced(scene.pan()), zero(scene))),
})

const underKey = (name: string, change: (text: string) => string): Family => ({
  name: `digits: ${name} under a card key`,
  group: 'disguise',
  build: (scene) =>
    valueMessage(scene, {
      id: scene.draw.int(1, 999),
      [scene.draw.pick(['card_number', 'pan', 'creditCard', 'cc_number'])]: change(scene.pan()),
    }),
})

export const scriptFamilies: readonly Family[] = [
  ...Object.entries(zeros).map(([name, zero]) => script(name, () => zero)),
  script('mathematical', ({ draw }) => draw.pick(mathematical)),
  script('forty rarer scripts', ({ draw }) => draw.pick(rare)),
  underKey('raised', raised),
  underKey('lowered', lowered),
  underKey('circled', circled),
  {
    name: 'digits: two scripts in one number',
    group: 'disguise',
    build: (scene) => {
      const { draw } = scene
      const all = [...Object.values(zeros), 0x30]
      const pan = scene.pan()
      const groups = groupsOf(pan)
      const [one, two] = [draw.pick(all), draw.pick(all)]
      const joint = draw.pick(['', ' '])
      const mixed = groups.map((group, i) => inScript(group, i % 2 === 0 ? one : two)).join(joint)
      return spoken(scene, cardSentences, mixed)
    },
  },
  {
    name: 'digits: full width with full width spaces or dashes',
    group: 'disguise',
    build: (scene) => {
      const pan = inScript(scene.spaced(scene.pan(), ['\u3000', '\uff0d']), 0xff10)
      return spoken(scene, ['カード番号は{pan}です。', '卡号：{pan}', '{pan}'], pan)
    },
  },
  {
    name: 'digits: a run in another script, no word beside it',
    group: 'disguise',
    build: (scene) => {
      const zero = scene.draw.pick(Object.values(zeros))
      return textMessage(scene, inScript(scene.pan(), zero))
    },
  },
]
