/** Disguises by what stands between the digits: spaces, dashes, dots, and what nobody sees. */
import type { Family } from '../corpus.ts'
import { message, surrounded, textMessage, toolResult, valueMessage } from '../envelopes.ts'
import { brandNamed, groupsOf } from '../numbers.ts'
import type { Scene } from '../scene.ts'
import { filler } from '../words.ts'
import { fill } from './brands.ts'
import { anySentences, cardSentences, inScript } from './scripts.ts'

const spoken = (scene: Scene, pan: string, templates = anySentences): string =>
  textMessage(scene, surrounded(scene, fill(scene, scene.draw.pick(templates), pan), ' '))

const between = (name: string, list: readonly string[], templates = anySentences): Family => ({
  name: `between groups: ${name}`,
  group: 'disguise',
  build: (scene) => spoken(scene, scene.spaced(scene.pan(), list), templates),
})

const underKey = (name: string, list: readonly string[]): Family => ({
  name: `between groups: ${name}, under a card key`,
  group: 'disguise',
  build: (scene) =>
    valueMessage(scene, {
      id: scene.draw.int(1, 999),
      [scene.draw.pick(['card_number', 'pan', 'creditCard', 'cc_number'])]: scene.spaced(
        scene.pan(),
        list,
      ),
    }),
})

const spaces = Array.from('\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u200a\u205f')
const dashes = Array.from(
  '\u2010\u2011\u2012\u2013\u2014\u2015\ufe58\ufe63\uff0d\u301c\u3030\u2e3a',
)
const zeroWidth = ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff']
const directions = ['\u200e', '\u200f', '\u202a', '\u202c', '\u2066', '\u2069', '\u061c']
const others = [
  '\u034f',
  '\u180e',
  '\ufe0f',
  '\ufe0e',
  '\u2061',
  '\u2064',
  '\u{e0020}',
  '\u{e0061}',
]

/** The mark after every digit, or after some. */
const invisible = (name: string, list: readonly string[]): Family => ({
  name: `invisible: ${name}`,
  group: 'disguise',
  build: (scene) => {
    const { draw } = scene
    const mark = draw.pick(list)
    const every = draw.pick([1, 1, 2, 4])
    const pan = scene.spaced(scene.pan())
    const marked = Array.from(pan, (one, i) => (i % every === 0 ? one + mark : one)).join('')
    return spoken(scene, marked)
  },
})

/** Whole groups in one text item, the rest in the next. */
function acrossItems(scene: Scene): string {
  const { draw } = scene
  const groups = groupsOf(scene.pan())
  const at = draw.int(1, groups.length - 1)
  const separator = draw.pick([' ', '-'])
  const before = draw.pick(['', 'card ', 'Card number: ', 'Paid with '])
  const after = draw.pick(['', '', ' was declined', '\nthanks'])
  const head = `${before}${groups.slice(0, at).join(separator)}${draw.chance(0.3) ? separator : ''}`
  const texts = [head, groups.slice(at).join(separator) + after]
  return message(scene, toolResult(...texts))
}

export const separatorFamilies: readonly Family[] = [
  between('no-break space', ['\u00a0']),
  between('narrow or thin space', ['\u202f', '\u2009']),
  between('other Unicode spaces', spaces),
  between('ideographic space', ['\u3000']),
  between('two spaces', ['  ', '\u00a0 ', ' \u00a0']),
  between('Unicode dashes', dashes),
  between('minus sign', ['\u2212']),
  between('dash and space', ['- ', ' -', '\u2013 ']),
  between('dot', ['.']),
  between('middle dot', ['\u00b7']),
  between('slash', ['/'], cardSentences),
  underKey('slash', ['/']),
  underKey('underscore', ['_']),
  underKey('dot', ['.', '\u00b7']),
  invisible('zero width', zeroWidth),
  invisible('soft hyphen', ['\u00ad']),
  invisible('direction marks', directions),
  invisible('joiners, variation selectors and tags', others),
  {
    name: 'invisible: marks in a run of full width digits',
    group: 'disguise',
    build: (scene) => {
      const mark = scene.draw.pick([...zeroWidth, '\u00ad'])
      return spoken(scene, Array.from(inScript(scene.pan(), 0xff10)).join(mark))
    },
  },
  {
    name: 'invisible: seventy marks in one place',
    group: 'disguise',
    build: (scene) => {
      const pan = scene.pan()
      const marks = scene.draw.pick(zeroWidth).repeat(scene.draw.int(65, 90))
      return spoken(scene, pan.slice(0, 6) + marks + pan.slice(6), cardSentences)
    },
  },
  {
    name: 'invisible: between space and digit',
    group: 'disguise',
    build: (scene) => {
      const mark = scene.draw.pick([...zeroWidth, ...directions])
      return spoken(scene, scene.spaced(scene.pan(), [` ${mark}`, `${mark} `]))
    },
  },
  {
    name: 'groups: 8-8, 6-13 and 4-4-4-4-3',
    group: 'disguise',
    build: (scene) => {
      const { draw } = scene
      const separator = draw.pick([' ', '-'])
      const [brand, sizes] = draw.pick([
        ['visa-16', [8, 8]],
        ['mastercard-5', [8, 8]],
        ['visa-19', [6, 13]],
        ['visa-19', [4, 4, 4, 4, 3]],
      ] as const)
      const groups = groupsOf(scene.pan(brandNamed(brand)), sizes)
      return spoken(scene, groups.join(separator), cardSentences)
    },
  },
  { name: 'items: a number over two text items', group: 'disguise', build: acrossItems },
  {
    name: 'items: a number over three or four text items',
    group: 'disguise',
    build: (scene) => {
      const groups = groupsOf(scene.pan())
      return message(scene, toolResult(`card: ${groups[0] ?? ''}`, ...groups.slice(1)))
    },
  },
  {
    name: 'wrapped: a group of four on the next line',
    group: 'disguise',
    build: (scene) => {
      const { draw } = scene
      const groups = groupsOf(scene.pan())
      const at = draw.int(1, groups.length - 1)
      const wrap = draw.pick(['\n', '\r\n'])
      const pan = `${groups.slice(0, at).join(' ')}${wrap}${groups.slice(at).join(' ')}`
      return textMessage(scene, `${filler(draw)} Card ${pan}`)
    },
  },
]
