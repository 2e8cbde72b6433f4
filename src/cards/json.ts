/**
 * JSON inside a string, scanned where it stands: at each level of quoting a quote has twice as many
 * backslashes and one more, so nothing is unescaped, copied or parsed again.
 *
 *   level 0   {"pan":"4…"}        the text itself is JSON
 *   level 1   {\"pan\":\"4…\"}    in one string
 *   level 2   {\\\"pan\\\":…}     in a string in a string
 *
 * It is strict enough to tell JSON from prose that begins with a bracket; what it refuses is
 * scanned as text. JSON that is cut off at its end, and JSON lines, pass.
 */
import { isDateTime } from './around.ts'
import { isDigit, isLetter } from './bytes.ts'
import { CODE, PAN, kindOf } from './findings.ts'
import { ELEMENT, INNER, MEMBER } from './path.ts'
import { opening } from './fragments.ts'
import { distinguish, keyText } from './keys.ts'
import { IdleValues } from './idle.ts'
import { Members } from './members.ts'
import { scalarEnd } from './number.ts'
import { CellRow } from './neighbours.ts'
import { CARD, CID, NAME, SECRET } from './words.ts'
import { Rows } from './rows.ts'
import { StringReader } from './strings.ts'
import { TableScanner, hasBracket } from './tables.ts'
import { Unescaped } from './unescape.ts'
import type { Scan } from './scan.ts'
import type { ValueScanner } from './value.ts'

const backslash = 0x5c
const quote = 0x22
/** How many JSON strings one in the other are looked into. */
const levelsMax = 5
const depthMax = 500
/** Below, no text has a header and a row worth the look. */
const tableBytesMin = 12
/** Longer keys name nothing. */
const keyBytesMax = 256

/** How many brackets amid a text may lead to no JSON. */
const fragmentTriesMax = 16

const isBlank = new Uint8Array(256)
for (const c of ' \t\n\r') isBlank[c.charCodeAt(0)] = 1
type Expect = 'value' | 'key' | 'colon' | 'after'

const refused = -0x7fffffff

export class JsonScanner {
  readonly members: Members
  readonly #scan: Scan
  readonly #values: ValueScanner
  readonly #tables: TableScanner
  readonly #strings = new StringReader()
  readonly #cells: CellRow
  readonly #rows: Rows
  readonly #idle: IdleValues
  /** Where the JSON amid a text ended, or -1 when it was cut off. */
  #fragmentEnd = -1

  constructor(scan: Scan, values: ValueScanner) {
    this.#scan = scan
    this.members = new Members(scan)
    this.#values = values
    this.#tables = new TableScanner(scan, values, (text, start, end, levels) => {
      const rest = this.#fragments(text, start, end, levels, 0)
      this.#values.string(text, rest, end, levels, 0)
    })
    this.#cells = new CellRow(scan)
    this.#rows = new Rows(scan, this.members, values)
    this.#idle = new IdleValues(scan)
  }

  /** Prepares for another message; names may have other ids now. */
  begin(): void {
    this.#rows.forget()
    this.#cells.reset()
  }

  /**
   * Scans the inside of a string: as JSON where it is that, else as text.
   * @param isBroken whether it may hold line breaks: escapes, or any at level 0.
   */
  string(
    bytes: Uint8Array,
    start: number,
    end: number,
    levels: number,
    meaning: number,
    isBroken: boolean,
  ): void {
    if (this.#scan.isQuiet(start, end)) return
    const first = bytes[start] ?? 0
    const isLike = first === 0x7b || first === 0x5b || first <= 0x20 || first === backslash
    const isJson = isLike && end - start > 6 && levels < levelsMax
    if (isJson && this.json(bytes, start, end, levels, meaning)) return
    if (isJson && levels > 0 && this.#unescaped(bytes, start, end, levels, meaning)) return
    const isTable = end - start > tableBytesMin && (isBroken || hasBracket(bytes, start, end))
    if (isTable && this.#tables.string(bytes, start, end, levels)) return
    const rest = this.#fragments(bytes, start, end, levels, meaning)
    this.#values.string(bytes, rest, end, levels, meaning)
  }

  /**
   * Objects and lists of JSON amid a text, and the text before each. Few openings that lead to
   * nothing are tried, so that no text is read again and again.
   * @returns where the text goes on that is not scanned yet.
   */
  #fragments(b: Uint8Array, start: number, end: number, levels: number, meaning: number): number {
    let rest = start
    let tries = levels < levelsMax ? fragmentTriesMax : 0
    for (let at = opening(b, start, end); at >= 0 && tries > 0; at = opening(b, at, end)) {
      this.#fragmentEnd = -1
      if (!this.json(b, at, end, levels, meaning, true)) {
        tries--
        at++
        continue
      }
      if (at > rest) this.#values.string(b, rest, at, levels, meaning)
      rest = this.#fragmentEnd < 0 ? end : this.#fragmentEnd
      at = rest
    }
    return rest
  }

  /** Scans a string as JSON whose own signs are escapes; false when it is not that. */
  #unescaped(
    bytes: Uint8Array,
    start: number,
    end: number,
    levels: number,
    meaning: number,
  ): boolean {
    let at = start
    while (at < end && (bytes[at] !== 0x75 || bytes[at - 1] !== backslash)) at++
    if (at >= end) return false
    const text = new Unescaped(bytes, start, end)
    this.#scan.origins.push(text)
    const isJson = this.json(text.bytes, 0, text.length, levels - 1, meaning)
    this.#scan.origins.pop()
    return isJson
  }

  /** Scans [start, end) as JSON; false, and nothing found, when it is none. */
  json(
    bytes: Uint8Array,
    start: number,
    end: number,
    levels: number,
    meaning: number,
    isFragment = false,
  ): boolean {
    let at = start
    while (at < end && isBlank[bytes[at] ?? 0] === 1) at++
    const first = bytes[at] ?? 0
    const opens = first === 0x7b || first === 0x5b || first === backslash || first === quote
    if (at >= end || !opens) return false
    const { path, findings } = this.#scan
    const { depth } = path
    const { count } = findings
    path.push(INNER, meaning)
    const isJson = this.#walk(bytes, at, end, levels, isFragment)
    path.depth = depth
    if (!isJson) findings.rewind(count)
    return isJson
  }

  #walk(raw: Uint8Array, start: number, end: number, levels: number, isPart: boolean): boolean {
    const { path } = this.#scan
    const base = path.depth
    const marks = (1 << levels) - 1
    const modulus = (2 << levels) - 1
    this.#rows.begin(raw)
    let expect: Expect = 'value'
    let at = start
    for (;;) {
      while (at < end && isBlank[raw[at] ?? 0] === 1) at++
      if (at >= end) {
        this.#fragmentEnd = -1
        return path.depth > base || expect === 'after'
      }
      let b = raw[at] ?? 0
      if (b === backslash || b === quote) {
        let c = at
        while (c < end && raw[c] === backslash) c++
        b = c < end ? (raw[c] ?? 0) : 0
        if (b !== quote || ((c - at) & modulus) !== marks) {
          // An escaped line break between two tokens is white space.
          if (c === at || (b !== 0x6e && b !== 0x72 && b !== 0x74)) return false
          at = c + 1
        } else if (expect === 'value') {
          this.#rows.learn(c + 1, true)
          const next = this.#run(raw, c + 1, true, end, levels)
          if (next === refused) return false
          expect = next < 0 ? 'value' : 'after'
          at = Math.abs(next)
        } else if (expect === 'key') {
          const stop = this.#strings.read(raw, c + 1, end, levels)
          if (this.#strings.isAlien) return false
          this.#key(raw, c + 1, stop, levels + 1)
          at = this.#strings.next
          expect = 'colon'
        } else return false
        continue
      }
      if (b === 0x3a) {
        if (expect !== 'colon') return false
        expect = 'value'
        at++
      } else if (b === 0x2c) {
        if (expect !== 'after' || path.depth === base) return false
        expect = this.#comma()
        at++
      } else if (b === 0x7d || b === 0x5d) {
        if (path.depth === base || expect === 'colon' || !this.#close(b)) return false
        expect = 'after'
        at++
        this.#fragmentEnd = at
        if (isPart && path.depth === base) return true
      } else {
        // JSON lines: another value may follow the first.
        const isOpening = b === 0x7b || b === 0x5b
        const isLine = expect === 'after' && path.depth === base && isOpening
        if (expect !== 'value' && !isLine) return false
        if (isOpening) {
          if (path.depth > depthMax) return false
          expect = this.#open(b)
          at++
        } else {
          this.#rows.learn(at, false)
          const next = this.#run(raw, at, false, end, levels)
          if (next === refused) return false
          expect = next < 0 ? 'value' : 'after'
          at = Math.abs(next)
        }
      }
    }
  }

  /**
   * Values from `start` on (inside it for a string), as long as known glue leads from one to the
   * next. @returns the offset behind the last one; minus the offset of a value which is neither
   * string nor scalar, or `refused` for no value at all.
   */
  #run(bytes: Uint8Array, start: number, isString: boolean, end: number, levels: number): number {
    let at = start
    let isInside = isString
    for (;;) {
      let next = 0
      if (isInside) {
        next = this.#idleEnd(bytes, at, end, levels)
        if (next < 0) {
          const stop = this.#strings.read(bytes, at, end, levels)
          if (this.#strings.isAlien) return refused
          next = this.#strings.next
          this.#stringValue(bytes, at, stop, levels)
        }
      } else {
        next = this.#scalar(bytes, at, end)
        if (next < 0) return refused
      }
      const glue = this.#rows.follow(bytes, next, end, levels)
      const to = this.#rows.at
      if (glue === undefined) return to
      isInside = glue.isString
      const b = bytes[to] ?? 0
      if (!isInside && (b === 0x7b || b === 0x5b || b === quote || b === backslash)) return -to
      at = to
    }
  }

  /**
   * The offset behind a string in which nothing is to be found and which names nothing: the quick look
   * saw nothing there. -1 for any other, which is to be read.
   */
  #idleEnd(bytes: Uint8Array, at: number, end: number, levels: number): number {
    const { path, spots } = this.#scan
    const top = path.depth - 1
    const meaning = path.meaning[top] ?? 0
    const isTelling = (meaning & (CARD | CID | SECRET)) !== 0
    if (isTelling || spots === undefined || path.kind[top] !== MEMBER) return -1
    // No name begins with a digit, and what is all digits is none.
    if ((meaning & NAME) !== 0 && isDigit[bytes[at] ?? 0] === 1) return -1
    const next = this.#idle.string(bytes, at, end, levels)
    if (next >= 0 && (meaning & NAME) !== 0)
      this.members.header(bytes, at, this.#idle.stop, meaning)
    return next
  }

  /** A number or literal; returns the offset behind it, or -1 when it is none. */
  #scalar(bytes: Uint8Array, at: number, end: number): number {
    const stop = scalarEnd(bytes, at, end)
    const isNumber = stop > at && isLetter[bytes[at] ?? 0] === 0
    if (isNumber) this.number(bytes, at, stop, this.members.meaning())
    return stop
  }

  #open(b: number): Expect {
    const isObject = b === 0x7b
    this.#rows.opened(isObject)
    this.#scan.path.push(isObject ? MEMBER : ELEMENT, this.members.meaning())
    return isObject ? 'key' : 'value'
  }

  #close(b: number): boolean {
    const { path } = this.#scan
    if (path.kind[path.depth - 1] !== (b === 0x7d ? MEMBER : ELEMENT)) return false
    this.#rows.closed(b === 0x7d)
    path.pop()
    return true
  }

  #comma(): Expect {
    const { path } = this.#scan
    const top = path.depth - 1
    this.#rows.comma(path.kind[top] === MEMBER)
    if (path.kind[top] === MEMBER) return 'key'
    path.index[top] = (path.index[top] ?? 0) + 1
    return 'value'
  }

  #key(bytes: Uint8Array, start: number, end: number, levels: number): void {
    const { names, path } = this.#scan
    const isRich = this.#strings.digits >= 3 || this.#strings.isOdd
    const isWritten = this.#strings.isOdd && end - start <= keyBytesMax
    const text = isWritten ? keyText(bytes.subarray(start, end), levels) : ''
    const id = text.length > 0 ? -1 - names.meaningOfText(text) : names.id(bytes, start, end)
    this.members.key(id, start, end)
    if (this.#strings.isOdd) path.name[path.depth - 1] = Math.min(0, id)
    if (isRich) this.keyText(bytes, start, end, levels)
  }

  /** What a key itself holds: it is masked as a text is, and stays unlike its neighbours. */
  keyText(bytes: Uint8Array, start: number, end: number, levels: number): void {
    const { findings, path } = this.#scan
    const before = findings.count
    this.#values.string(bytes, start, end, levels, 0)
    if (findings.count === before) return
    this.#scan.hasKeys = true
    distinguish(findings, bytes, end, before, path.serial[path.depth - 1] ?? 0)
  }

  #stringValue(bytes: Uint8Array, start: number, end: number, levels: number): void {
    const { findings } = this.#scan
    const meaning = this.members.meaning()
    const before = findings.count
    const isNumber = this.#strings.digits === end - start && !this.#strings.isOdd
    if (isNumber && (meaning & (SECRET | CID)) === 0) {
      this.#values.digits(bytes, start, end, meaning)
      this.#beside(before, bytes, start, end, false)
    } else if ((meaning & (SECRET | CID | CARD)) !== 0 || !isDateTime(bytes, start, end)) {
      const isRich = this.#strings.digits >= 3 || this.#strings.isOdd || (meaning & SECRET) !== 0
      this.value(bytes, start, end, levels + 1, meaning, isRich, this.#strings.isOdd)
    }
  }

  /** A number token in its place. */
  number(bytes: Uint8Array, start: number, end: number, meaning: number): void {
    const before = this.#scan.findings.count
    if ((meaning & CID) !== 0) this.members.cid(start, end, 1)
    this.#values.number(bytes, start, end, meaning)
    this.#beside(before, bytes, start, end, true)
  }

  /** A cell of an array may be the verification value of the number in a cell before it. */
  #beside(before: number, b: Uint8Array, start: number, end: number, isNumber: boolean): void {
    const { path, findings } = this.#scan
    const top = path.depth - 1
    if (top < 0 || path.kind[top] !== ELEMENT) return
    const frame = path.serial[top] ?? 0
    if (findings.count === before) {
      if (this.#cells.value(b, start, end, frame, isNumber)) return
      if (this.#cells.follows(frame)) this.#cells.cell(b, start, end, isNumber)
      if (!isNumber) this.#cells.name(b, start, end, frame)
    } else if (kindOf(findings.field(before, CODE)) === PAN) this.#cells.card(frame)
  }

  /** A string in its place: as the name of a column, and for what it holds. */
  value(
    b: Uint8Array,
    start: number,
    end: number,
    levels: number,
    meaning: number,
    isRich: boolean,
    isBroken: boolean,
  ): void {
    const before = this.#scan.findings.count
    this.members.header(b, start, end, meaning)
    if ((meaning & CID) !== 0) this.members.cidText(b, start, end)
    if (isRich) this.string(b, start, end, levels, meaning, isBroken)
    this.#beside(before, b, start, end, false)
  }
}
