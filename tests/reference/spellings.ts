/**
 * Text behind another encoding, decoded into a text of its own which knows for each of its characters
 * where it stands in the original: character references and inline tags of HTML, percent-encoding
 * (RFC 3986, and `+` of forms), quoted-printable (RFC 2045 §6.7), marks of Markdown.
 */

/** One decoded character and where it is spelt in the original, in UTF-16 units. */
export interface Unit {
  readonly character: string
  readonly start: number
  readonly end: number
}

export type Encoding = 'html' | 'percent' | 'quoted' | 'markdown'

/** Tags that stand inside a line; any other ends a cell, a line or a field, and stays. */
const inline = new Set(
  'a abbr b bdi bdo big cite code data em font i ins kbd mark nobr q s samp small span strong sub sup tt u var wbr'.split(
    ' ',
  ),
)
/** Character references by name, of what can stand between digits or between label and value. */
const named: Readonly<Record<string, string>> = {
  nbsp: '\u00a0',
  ensp: '\u2002',
  emsp: '\u2003',
  thinsp: '\u2009',
  hairsp: '\u200a',
  numsp: '\u2007',
  puncsp: '\u2008',
  zwnj: '\u200c',
  zwj: '\u200d',
  ZeroWidthSpace: '\u200b',
  NoBreak: '\u2060',
  lrm: '\u200e',
  rlm: '\u200f',
  shy: '\u00ad',
  ndash: '\u2013',
  mdash: '\u2014',
  hyphen: '\u2010',
  dash: '\u2010',
  horbar: '\u2015',
  minus: '\u2212',
  middot: '\u00b7',
  period: '.',
  sol: '/',
  lowbar: '_',
  Tab: '\t',
  NewLine: '\n',
  equals: '=',
  colon: ':',
  quot: '"',
  apos: "'",
  amp: '&',
  lt: '<',
  gt: '>',
  Hat: '^',
  semi: ';',
}

/** Whether a text shows signs of an encoding; only then is it taken off. */
function isSign(text: string, encoding: Encoding): boolean {
  switch (encoding) {
    case 'html':
      return /&[#A-Za-z]|[0-9 -]</.test(text)
    case 'percent':
      return /%[0-9A-Fa-f]{2}|[0-9]\+[0-9]/.test(text)
    case 'quoted':
      // Line breaks; itself, blanks, dashes, what is beyond ASCII; or several signs in a row. Any other
      // `=24…` is an assignment.
      return /=(?:[\n\r\\]|3[Dd]|2[0Dd]|[A-F][0-9A-Fa-f]|[0-9A-Fa-f]{2}=[0-9A-Fa-f]{2})/.test(text)
    case 'markdown':
      return /`[0-9]|[0-9]`|(?:\*\*|~~)[0-9]/.test(text)
  }
}

/** The decoded text; undefined where nothing of it is in this encoding. */
export function decode(text: string, encoding: Encoding): Unit[] | undefined {
  if (!isSign(text, encoding)) return undefined
  const units: Unit[] = []
  let isChanged = false
  for (let start = 0; start < text.length;) {
    const rest = text.slice(start)
    const found =
      encoding === 'html'
        ? htmlAt(rest)
        : encoding === 'markdown'
          ? emphasisAt(text, start)
          : bytesAt(rest, encoding)
    if (found === undefined) {
      const character = String.fromCodePoint(text.codePointAt(start) ?? 0)
      units.push({ character, start, end: (start += character.length) })
      continue
    }
    isChanged = true
    let end = start
    for (const { character, width } of found) {
      if (character !== '') units.push({ character, start: end, end: end + width })
      end += width
    }
    start = end
  }
  return isChanged ? units : undefined
}

interface Piece {
  /** '' for what is left out. */
  readonly character: string
  readonly width: number
}

function htmlAt(text: string): Piece[] | undefined {
  const reference = /^&(?:#[xX]([0-9A-Fa-f]{1,6})|#([0-9]{1,8})|([A-Za-z0-9]{1,14}));/.exec(text)
  if (reference !== null) {
    const [{ length: width }, hex, decimal, name = ''] = reference
    const cp = hex === undefined ? Number(decimal ?? 0) : Number.parseInt(hex, 16)
    const isCharacter = cp > 0 && cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff)
    const character = isCharacter
      ? String.fromCodePoint(cp)
      : Object.hasOwn(named, name)
        ? named[name]
        : undefined
    return character === undefined ? undefined : [{ character, width }]
  }
  const comment = /^<!-[^]{0,251}?-->/.exec(text) ?? /^<\/!-[^]{0,250}?-->/.exec(text)
  if (comment !== null) return [{ character: '', width: comment[0].length }]
  const tag = /^<\/?([A-Za-z][A-Za-z0-9]{0,15})(?:[ /\n][^<>]{0,250})?>/.exec(text)
  const isInline = tag !== null && inline.has((tag[1] ?? '').toLowerCase())
  return isInline ? [{ character: '', width: tag[0].length }] : undefined
}

/** A mark of Markdown that touches a digit: left out. */
function emphasisAt(text: string, at: number): Piece[] | undefined {
  const mark = /^(?:`|\*\*|~~)/.exec(text.slice(at))?.[0]
  if (mark === undefined) return undefined
  const isTouching = /^[0-9]/.test(text.slice(at + mark.length)) || /[0-9]/.test(text[at - 1] ?? '')
  return isTouching ? [{ character: '', width: mark.length }] : undefined
}

function bytesAt(text: string, encoding: Encoding): Piece[] | undefined {
  if (encoding === 'percent' && text.startsWith('+')) return [{ character: ' ', width: 1 }]
  const softBreak = encoding === 'quoted' ? /^=[ \t]*\r?\n/.exec(text) : null
  if (softBreak !== null) return [{ character: '', width: softBreak[0].length }]
  const sign = encoding === 'percent' ? '%' : '='
  const spelt = new RegExp(`^(?:${sign}[0-9A-Fa-f]{2})+`).exec(text)?.[0]
  if (spelt === undefined) return undefined
  const bytes = Buffer.from(spelt.replaceAll(sign, ''), 'hex')
  // Each character is as wide as its bytes of UTF-8; stray ones are characters of their own.
  const pieces: Piece[] = []
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i] ?? 0
    const width = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    const character = bytes.toString('utf8', i, i + width)
    const isOne = [...character].length === 1 && character !== '\ufffd'
    pieces.push({ character: isOne ? character : '\ufffd', width: isOne ? width * 3 : 3 })
    i += isOne ? width : 1
  }
  return pieces
}

/** A decoded text, and the way back. */
export class Decoded {
  readonly text: string
  readonly #units: readonly Unit[]
  readonly #original: string
  readonly #encoding: Encoding
  /** Which unit begins at an offset of the text. */
  readonly #unitAt: number[] = []

  constructor(original: string, units: readonly Unit[], encoding: Encoding) {
    this.text = units.map(({ character }) => character).join('')
    this.#units = units
    this.#original = original
    this.#encoding = encoding
    for (const [i, { character }] of units.entries())
      for (let k = 0; k < character.length; k++) this.#unitAt.push(i)
    this.#unitAt.push(units.length)
  }

  /** A place in the decoded text as one of the original, and what is to stand there. */
  back(
    hit: { readonly start: number; readonly end: number },
    puts: readonly string[],
    isNumber: boolean,
  ): { start: number; end: number; puts: string[] } {
    const from = this.#unitAt[hit.start] ?? 0
    const to = this.#unitAt[hit.end] ?? 0
    const units = this.#units.slice(from, to)
    const start = units[0]?.start ?? 0
    const end = units.at(-1)?.end ?? start
    // What is removed leaves no escape, whose digits would look like some of the value's.
    return {
      start,
      end,
      // What is removed leaves no escape, whose digits would look like some of the value's.
      puts: puts.map((put) => (isNumber ? this.#spelt(units, put) : this.#plain(put))),
    }
  }

  /** What replaces characters is spelt as they were: `%34` becomes `%2A`; what is between stays. */
  #spelt(units: readonly Unit[], put: string): string {
    const characters = [...put]
    const clear = units.map(({ character }) => character).join('')
    const isSameSize = Buffer.byteLength(clear) === Buffer.byteLength(put)
    if (!isSameSize || characters.length !== units.length) return this.#whole(put)
    let done = units[0]?.start ?? 0
    let out = ''
    for (const [i, unit] of units.entries()) {
      out += this.#original.slice(done, unit.start)
      const spelling = this.#original.slice(unit.start, unit.end)
      const by = characters[i] ?? ''
      out += by === unit.character ? spelling : this.#as(by, spelling)
      done = unit.end
    }
    return out
  }

  #plain(put: string): string {
    return this.#encoding === 'percent' ? put.replaceAll(' ', '+') : put
  }

  #as(character: string, spelling: string): string {
    if (spelling.length === 1) return character
    if (this.#encoding !== 'html') return this.#whole(character, true)
    const lead = /^&#x?/i.exec(spelling)?.[0].toLowerCase() ?? ''
    const code = (character.codePointAt(0) ?? 0).toString(lead === '&#x' ? 16 : 10)
    return `${lead}${code.padStart(spelling.length - lead.length - 1, '0')};`
  }

  /** A text as this encoding writes it; `isAll` writes even letters and digits so. */
  #whole(text: string, isAll = false): string {
    if (this.#encoding === 'html' || this.#encoding === 'markdown') return text
    const sign = this.#encoding === 'percent' ? '%' : '='
    const reserved = this.#encoding === 'percent' ? '%&#+' : '='
    return [...Buffer.from(text)]
      .map((byte) => {
        const character = String.fromCharCode(byte)
        if (!isAll && sign === '%' && character === ' ') return '+'
        const isPlain = !isAll && byte >= 0x20 && byte < 0x7f && !reserved.includes(character)
        return isPlain ? character : sign + byte.toString(16).toUpperCase().padStart(2, '0')
      })
      .join('')
  }
}
