/** Characters that people do not see and models read. */
import type { Sighting } from './piece.ts'

type Range = readonly [from: number, to?: number]

/** A pattern that matches any code point of the ranges, `count` times on end at least. */
function anyOf(ranges: readonly Range[], flags = 'u', count = 1): RegExp {
  const point = (code: number): string => `\\u{${code.toString(16)}}`
  const inside = ranges.map(([from, to]) => point(from) + (to === undefined ? '' : `-${point(to)}`))
  return new RegExp(`[${inside.join('')}]${count > 1 ? `{${count},}` : ''}`, flags)
}

/** Spaces without width, joiners, invisible operators, fillers. */
const unseen: readonly Range[] = [[0x200b, 0x200d], [0x2060, 0x2064], [0xfeff], [0x180e]]
const fillers: readonly Range[] = [
  [0xad],
  [0x34f],
  [0x115f, 0x1160],
  [0x3164],
  [0xffa0],
  [0x206a, 0x206f],
]
const tagBlock: Range = [0xe0001, 0xe007f]
const turns: Range = [0x202a, 0x202e]
const isolates: Range = [0x2066, 0x2069]
const ownUse: readonly Range[] = [
  [0xe000, 0xf8ff],
  [0xf0000, 0xffffd],
  [0x100000, 0x10fffd],
]
const variants: readonly Range[] = [
  [0xfe00, 0xfe0f],
  [0xe0100, 0xe01ef],
]
const controlCodes: readonly Range[] = [
  [0x00, 0x08],
  [0x0e, 0x1f],
  [0x7f, 0x9f],
]

const hint = anyOf([
  ...unseen,
  ...fillers,
  tagBlock,
  turns,
  isolates,
  ...ownUse,
  ...variants,
  ...controlCodes,
])
/** Flags of England, Scotland, Wales: a black flag, letters of the tags block, an end (UTS #51). */
const flags = /\u{1f3f4}[\u{e0020}-\u{e007e}]{1,6}\u{e007f}/gu
const tags = anyOf([tagBlock])
const overrides = anyOf([turns, isolates])
const joiners = anyOf([...unseen, ...fillers], 'gu')
const runs = anyOf(unseen, 'u', 3)
const selectors = anyOf(variants, 'u', 2)
const rareSelectors = anyOf([[0xe0100, 0xe01ef]])
const math = anyOf([[0x2061, 0x2064]])
const own = anyOf(ownUse)
/** Sequences that terminals obey (ECMA-48): colours, cursor, titles. */
const controls = new RegExp(
  String.raw`\u001b(?:\[[\d;?]{0,20}[A-Za-z]|\][\s\S]{0,200}?(?:\u0007|\u001b\\)|[PX^_])|\u009b[\d;?]{0,20}[A-Za-z]`,
  'u',
)
const within = new RegExp(`[A-Za-z0-9]${anyOf([...unseen, [0xad]]).source}[A-Za-z0-9]`, 'u')
const ideographs = /[\u3400-\u9fff\u{20000}-\u{3ffff}][\u{e0100}-\u{e01ef}]/u

/** @returns the surest sign of hidden text. Emoji, flags, Arabic and Persian marks pass. */
export function hiddenText(whole: string): Sighting | undefined {
  if (!hint.test(whole)) return undefined
  const text = (whole.startsWith('\ufeff') ? whole.slice(1) : whole).replaceAll(flags, '')
  if (tags.test(text)) return { what: 'tags', confidence: 'certain' }
  if ((selectors.test(text) || rareSelectors.test(text)) && !ideographs.test(text))
    return { what: 'variation_selectors', confidence: 'high' }
  if (runs.test(text)) return { what: 'zero_width', confidence: 'high' }
  if (controls.test(text)) return { what: 'terminal_control', confidence: 'high' }
  if (overrides.test(text)) return { what: 'bidi', confidence: bidi(text) }
  if (math.test(text)) return { what: 'invisible_math', confidence: 'medium' }
  if (within.test(text)) {
    const count = text.match(joiners)?.length ?? 0
    return { what: 'zero_width', confidence: count > 3 || text.length < 64 ? 'high' : 'medium' }
  }
  if (own.test(text)) return { what: 'private_use', confidence: 'low' }
  return undefined
}

/** Overrides turn text round; embeddings and isolates are common where scripts of both ways meet. */
function bidi(text: string): 'high' | 'medium' | 'low' {
  if (/[\u202d\u202e]/.test(text)) return 'high'
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(text) ? 'low' : 'medium'
}
