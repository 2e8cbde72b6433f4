/**
 * Running text: card numbers, tracks, verification values and PINs with their labels, one look for
 * each run of digits, from the left to the right.
 */
import { fits } from '../../src/cards/ranges.ts'
import { CARD, CID, CONTEXT, CVV, OTHER_NUMBER, PIN, POSTAL } from '../../src/cards/words.ts'
import { Row, groupsOf, isLuhn } from './groups.ts'
import { hasContext, labelBefore } from './labels.ts'
import { doubt, reading } from './readings.ts'
import { kindsOf, valueAmong } from './rows.ts'
import { bytesOf, endOf, see, startOf, starred } from './signs.ts'
import type { Group } from './groups.ts'
import type { Seen } from './signs.ts'

export type HitKind = 'pan' | 'cvv' | 'track' | 'pin'

/** What is written over in a text: the UTF-16 units [start, end) become `put`. */
export interface Hit {
  readonly start: number
  readonly end: number
  readonly kind: HitKind
  readonly put: string
  /** What the client gets, where it differs from the record: what is unsure stays as it is. */
  readonly shown?: string | undefined
}

export type Confidence = 'certain' | 'high' | 'medium' | 'low'
/** How far behind a number `cid` is a verification value. */
const cardReach = 64
export const removed = '***'
export const trackRemoved = '[track removed]'

/** The signs of one number. */
interface Marks {
  readonly digits: string
  readonly isNear: boolean
  readonly isNamedOther: boolean
  readonly isGrouped: boolean
}

/** How sure it is that digits in no card column are a card number; undefined for not at all. */
export function weigh({ digits, isNear, isNamedOther, isGrouped }: Marks): Confidence | undefined {
  const range = fits(digits)
  if (range === undefined || new Set(digits).size === 1) return undefined
  // Some UnionPay numbers have no Luhn digit: then a word of cards has to stand near.
  if (!isLuhn(digits)) return range.brand === 'unionpay' && isNear ? 'high' : undefined
  if (isNear) return 'high'
  if (range.need === 'context') return undefined
  if (isNamedOther || range.need === 'rare') return isGrouped ? 'medium' : 'low'
  return isGrouped ? 'high' : 'medium'
}

/** A hit in the signs of a text. What is below medium is masked in the record only. */
function hitAt(
  seen: Seen,
  [from, to]: readonly [number, number],
  kind: HitKind,
  put: string,
  confidence: Confidence = 'high',
): Hit {
  const [start, end] = [startOf(seen, from), endOf(seen, to)]
  const shown = confidence === 'low' ? seen.text.slice(start, end) : undefined
  return { start, end, kind, put, shown }
}

/**
 * The hits in a text, in order.
 * @param hint what the key or column says of it, as flags of `words.ts`: CARD, CONTEXT, OTHER_NUMBER.
 */
export function hitsOf(text: string, hint: number): Hit[] {
  return new Running(text, hint).hits
}

class Running {
  readonly hits: Hit[] = []
  readonly #seen: Seen
  readonly #groups: readonly Group[]
  readonly #hint: number
  /** What stands before this sign was told. */
  #done = 0
  /** Where the last hit ended; -1 before the first. */
  #last = -1

  constructor(text: string, hint: number) {
    this.#seen = see(text, (hint & CARD) !== 0)
    this.#groups = groupsOf(this.#seen.flat)
    this.#hint = hint
    for (const [at, group] of this.#groups.entries()) {
      if (group.start < this.#done) continue
      const hit =
        this.#singles(at) ?? this.#number(at) ?? this.#partlyMasked(group) ?? this.#labelled(group)
      if (hit === undefined) continue
      this.hits.push(...hit)
      this.#last = Math.max(this.#done, group.end)
    }
    // What is part of a number is no value beside one.
    const numbers = this.hits.filter(({ kind }) => kind === 'pan' || kind === 'track')
    const isFree = (hit: Hit): boolean =>
      !numbers.some((other) => other !== hit && other.start < hit.end && other.end > hit.start)
    if (!this.hits.every(isFree)) doubt.isAny = true
    this.hits.splice(0, this.hits.length, ...this.hits.filter(isFree))
    this.hits.sort((a, b) => a.start - b.start)
  }

  /** The number whose first group is `at`. */
  #number(at: number): Hit[] | undefined {
    const row = new Row(this.#seen.flat, this.#groups, at, this.#done)
    const fitting = row.fitting(at)
    const isColumn = (this.#hint & CARD) !== 0
    let sizes = fitting === 5 ? [5, 4] : [fitting]
    // What stands behind sixteen digits may be a date or a value rather than their rest.
    const isOpen = fitting === 5 && (row.size(at + 4) < 3 || row.isLoose(at + 3))
    if (!isColumn && isOpen && !row.passes(at, 5) && row.passes(at, 4)) sizes = [4]
    // A column of card numbers holds them in any grouping.
    if (isColumn && fitting === 0) sizes.push(row.whole(at))
    for (const used of sizes) {
      if (used === 0) continue
      const hit = this.#judge(row, at, used)
      if (hit !== undefined) return hit
    }
    return undefined
  }

  #judge(row: Row, at: number, used: number): Hit[] | undefined {
    const seen = this.#seen
    const digits = row.digits(at, used)
    if (digits.length < 12 || digits.length > 19) return undefined
    const from = this.#groups[at]?.start ?? 0
    const to = this.#groups[at + used - 1]?.end ?? 0
    const track = used === 1 ? this.#track(from, to, digits) : undefined
    if (track !== undefined) return [track]
    const confidence = this.#confidence(row, at, used, [from, to])
    if (confidence === undefined) return undefined
    this.#done = to
    const card = hitAt(seen, [from, to], 'pan', starred(seen, from, to), confidence)
    return [card, ...this.#beside(to)]
  }

  /** A card column or a label is enough; else the digits, what is around them and near them tell. */
  #confidence(
    row: Row,
    at: number,
    used: number,
    [from, to]: readonly [number, number],
  ): Confidence | undefined {
    const seen = this.#seen
    if ((this.#hint & CARD) !== 0) return 'certain'
    const label = labelBefore(seen, from)
    const confidence = this.#sureness(row, at, used, [from, to])
    if (confidence !== undefined && !isInside(seen.flat, from, to)) return confidence
    return (label & CARD) !== 0 ? 'certain' : undefined
  }

  #sureness(
    row: Row,
    at: number,
    used: number,
    [from, to]: readonly [number, number],
  ): Confidence | undefined {
    const seen = this.#seen
    if (used > 1 && isOfIban(seen, from)) return undefined
    const digits = row.digits(at, used)
    // Its own label stands nearer than any other word: then only those on its line count.
    const line = lineAround(seen, from, to)
    const named = this.#hint | (used === 1 ? labelBefore(line.seen, line.from) : 0)
    const isNamedOther = used === 1 && (named & OTHER_NUMBER) !== 0
    const isNear =
      (this.#hint & CONTEXT) !== 0 ||
      (isNamedOther
        ? hasContext(line.seen, line.from, line.from + to - from)
        : hasContext(seen, from, to))
    if (!isNear) {
      if (used > 1 && isOfDump(seen.flat, from)) return undefined
      if (used > 1 && (row.isOdd(at, used) || row.isCrowded(at, used))) return undefined
      if (isMarked(seen.flat, from, digits.length)) return undefined
    }
    return weigh({ digits, isNear, isNamedOther, isGrouped: used > 1 })
  }

  /** A number told digit by digit (`4 9 0 …`) near a word of cards. */
  #singles(at: number): Hit[] | undefined {
    if (reading.now === 'no digits one by one') return undefined
    const seen = this.#seen
    const from = this.#groups[at]?.start ?? 0
    const digits = /^[0-9]([ ./_-])[0-9](?:\1[0-9])*(?![0-9]|\1[0-9])/.exec(seen.flat.slice(from))
    const number = digits?.[0].replaceAll(/[^0-9]/g, '') ?? ''
    const to = from + (digits?.[0].length ?? 0)
    if (digits === null || number.length < 13 || number.length > 19) return undefined
    // It does not begin before: with another digit and the same sign.
    if (seen.flat[from - 1] === digits[1] && /[0-9]/.test(seen.flat[from - 2] ?? ''))
      return undefined
    if (fits(number) === undefined || !isLuhn(number) || !this.#isNear(from, to)) return undefined
    this.#done = to
    return [hitAt(seen, [from, to], 'pan', starred(seen, from, to)), ...this.#beside(to)]
  }

  #isNear(from: number, to: number): boolean {
    return (this.#hint & CONTEXT) !== 0 || hasContext(this.#seen, from, to)
  }

  /** Whole track data round a number. */
  #track(from: number, to: number, digits: string): Hit | undefined {
    // What only looks like a sign of ASCII is no part of a track.
    const flat = this.#seen.signs.map(({ as, own }) => (/[0-9]/.test(as) ? as : own[0])).join('')
    const track = trackAround(flat, from, to)
    if (track === undefined) return undefined
    // Without its sentinel in front it must at least show a card number.
    if (track.start === from && (fits(digits) === undefined || !isLuhn(digits))) return undefined
    this.#done = track.end
    return hitAt(this.#seen, [track.start, track.end], 'track', trackRemoved)
  }

  /** `411111******1111`: left on delivery, reduced to the last four in the record. */
  #partlyMasked({ start, size }: Group): Hit[] | undefined {
    const seen = this.#seen
    const end = partlyMaskedEnd(seen.flat, start)
    if (size < 4 || end === undefined) return undefined
    this.#done = end
    return [hitAt(seen, [start, end], 'pan', starred(seen, start, end), 'low')]
  }

  /** A verification value or PIN with its label in front. */
  #labelled({ start, end, size }: Group): Hit[] | undefined {
    const seen = this.#seen
    if (size < 3 || size > 12 || start === 0) return undefined
    const isTold = this.hits.some((hit) => hit.start === startOf(seen, start))
    if (isTold) return undefined
    const isEscape = /\\[nrt]$/.test(seen.flat.slice(0, start))
    // It stands by itself: no word touches it, and `12.5`, `2024-01`, `10:30` are no such values.
    if (
      !/^[\s:="'`()[\]\\>#|,*~{}\u0080-\uffff-]$/.test(seen.signs[start - 1]?.own[0] ?? '') &&
      !isEscape
    )
      return
    if (/^(?:[A-Za-z_]|[./:-][0-9])/.test(seen.flat.slice(end))) return undefined
    const label = labelBefore(seen, start)
    const isNear = (): boolean => this.#isNear(start, end)
    // A customer's id, but not behind a card number.
    const isBehind = this.#last >= 0 && bytesOf(seen, this.#last, start) < cardReach
    const isBeside = (): boolean => isBehind || isNear()
    const isValue = (label & CVV) !== 0 || ((label & CID) !== 0 && isBeside())
    const isPostal = (label & POSTAL) !== 0 && size === 6
    const isPin = (label & PIN) !== 0 && size >= 4 && (!isPostal || isNear())
    if (isValue && size <= 4) return [hitAt(seen, [start, end], 'cvv', removed)]
    return isPin ? [hitAt(seen, [start, end], 'pin', removed)] : undefined
  }

  /** The verification value in the line behind a card number that ends at `to`. */
  #beside(to: number): Hit[] {
    const seen = this.#seen
    const tokens = tokensBehind(seen, to)
    const value = valueAmong(tokens.map(({ text }) => kindsOf(text)))
    const token = tokens[value?.index ?? -1]
    if (value === undefined || token === undefined) return []
    // Four digits with four more behind them, as cards have them, are the first group of one.
    const isGroup = token.text.length === 4 && /^[ .-][0-9]{4}/.test(seen.flat.slice(token.end))
    if (value.isBehind && isGroup) return []
    // Two numbers in a row have one value: it is told once.
    if (this.hits.some(({ start }) => start === startOf(seen, token.start))) return []
    return [hitAt(seen, [token.start, token.end], 'cvv', removed)]
  }
}

/** A `#` in front makes it an order's number or the like, but not in an address; `0x` a number in hex;
 *  a `+` a phone number, if it is short. */
function isMarked(flat: string, from: number, length: number): boolean {
  const before = flat.slice(0, from)
  if (/(?:^|[^/])#$/.test(before) || /0x$/i.test(before)) return true
  return before.endsWith('+') && length <= 15
}

/** The line on which the signs [from, to) stand. */
function lineAround(seen: Seen, from: number, to: number): { seen: Seen; from: number } {
  const start = seen.flat.lastIndexOf('\n', from - 1) + 1
  const behind = seen.flat.indexOf('\n', to)
  const end = behind < 0 ? seen.flat.length : behind
  const line = {
    text: seen.text.slice(0, startOf(seen, end)),
    signs: seen.signs.slice(start, end),
    flat: seen.flat.slice(start, end),
  }
  return { seen: line, from: from - start }
}

/** Whether the group at `from` follows the head of an IBAN (`ES54 0916 …`), written in fours. */
function isOfIban(seen: Seen, from: number): boolean {
  const before = seen.flat.slice(0, from)
  // The bank's own letters may stand between.
  return /(?:^|[^A-Za-z0-9_\u0080-\uffff])[A-Za-z]{2}[0-9]{2} (?:(?:[0-9]{4}|[A-Za-z]{4}) ){0,7}$/.test(
    before,
  )
}

/** Whether groups stand in a line of a hex dump: behind an offset and a colon (`00000020: `). */
function isOfDump(flat: string, from: number): boolean {
  return /(?:^|\n)[0-9A-Fa-f]{7,}: [0-9A-Fa-f ]*$/.test(flat.slice(0, from))
}

/** Whether digits are a part of something longer: a decimal, a UUID, a hex word. */
function isInside(flat: string, from: number, to: number): boolean {
  if (/[0-9]\.$/.test(flat.slice(0, from))) return true
  // `.00` is what spreadsheets put behind a number; any other fraction makes it a quantity.
  if (/^\.0*[1-9]/.test(flat.slice(to))) return true
  if (!/[A-Za-z-]/.test(`${flat[from - 1] ?? ''}${flat[to] ?? ''}`)) return false
  const around = (part: string): string => {
    const before = new RegExp(`[${part}]*$`).exec(flat.slice(0, from))?.[0] ?? ''
    const behind = new RegExp(`^[${part}]*`).exec(flat.slice(to))?.[0] ?? ''
    return before + flat.slice(from, to) + behind
  }
  const uuid = around('0-9A-Fa-f-')
  if (/^.{8}-.{4}-.{4}.{5}-.{12}$/.test(uuid) && uuid.split('-').length === 5) return true
  const word = around('0-9A-Fa-f')
  return word.length >= 24 && word.replaceAll(/[^A-Fa-f]/g, '').length >= 3
}

/**
 * The track data of which the digits [from, to) are the number. ISO/IEC 7813: track 1 is `%B` number
 * `^` name `^` YYMM service discretionary `?`; track 2 `;` number `=` YYMM service discretionary `?`;
 * EMV tag 57 has `D` for `=` and `F` behind.
 */
function trackAround(
  flat: string,
  from: number,
  to: number,
): { start: number; end: number } | undefined {
  const before = flat.slice(0, from)
  const behind = flat.slice(to)
  // At most 96 characters from the number on, where its end does not show.
  const one =
    /^\^[^\^"\\\u0000-\u001f\u007f-\uffff]{2,27}\^(?:[0-9]{4}|\^)[^?"\\\u0000-\u001f\u007f-\uffff]*\??/.exec(
      flat.slice(to, from + 96),
    )
  const letter = /%?[Bb]$/.exec(before)
  if (one !== null && letter !== null) return { start: letter.index, end: to + one[0].length }
  // At most forty characters from the number on.
  const digits = /^[=Dd][0-9]{7,}/.exec(flat.slice(to, from + 40))?.[0]
  if (digits === undefined) return undefined
  const rest = behind.slice(digits.length)
  const padding = digits.startsWith('=') ? '' : (/^[Ff]*/.exec(rest)?.[0] ?? '')
  if (!digits.startsWith('=') && /^[A-Za-z]/.test(rest.slice(padding.length))) return undefined
  const sentinel = /(?:;|%?[Bb])$/.exec(before)
  const end = to + digits.length + padding.length
  return { start: sentinel?.index ?? from, end: flat[end] === '?' ? end + 1 : end }
}

/** The end of a number that came partly masked and begins at `from`: six to eight digits, three and
 *  more of one sign, the last four, twelve to nineteen in all, with single separators between. */
function partlyMaskedEnd(flat: string, from: number): number | undefined {
  const shape =
    /^([0-9](?:[ ./_-]?[0-9]){5,7})[ ./_-]?(([*xX#])(?:[ ./_-]?\3){2,})((?:[ ./_-]?[0-9]){4})(?![A-Za-z0-9_])/
  const match = shape.exec(flat.slice(from, from + 40))
  if (match === null) return undefined
  const length = match[0].replaceAll(/[ ./_-]/g, '').length
  return length >= 12 && length <= 19 ? from + match[0].length : undefined
}

const rowBytes = 96
const tokensMax = 8

/** The words in the line behind sign `to`, without the signs around them. */
function tokensBehind(seen: Seen, to: number): { start: number; end: number; text: string }[] {
  const tokens: { start: number; end: number; text: string }[] = []
  const { flat } = seen
  let at = to
  while (tokens.length < tokensMax) {
    const gap = /^(?:[ |,;:\t"'()/]|-(?= )|\\t)+/.exec(flat.slice(at))
    if (gap === null) break
    const start = at + gap[0].length
    const word = /^[^ |,;:\t"'()\n\r<\\]*/.exec(flat.slice(start))?.[0] ?? ''
    at = start + word.length
    if (bytesOf(seen, to, at) > rowBytes) break
    // A sentence ends in a sign which is no part of its last word.
    const text = word.replace(/[^A-Za-z0-9]+$/, '')
    tokens.push({ start, end: start + text.length, text })
    if (word === '') break
  }
  return tokens
}
