/**
 * JSON as texts hold it: whole, cut off at its end, or one value after the other (JSON lines). What
 * cannot be read as that is running text.
 */
import type { Unit } from './spellings.ts'

export interface Member {
  readonly key: Quoted
  readonly value: Node | undefined
}
/** A string; start and end are those of its inside. */
export interface Quoted {
  readonly kind: 'string'
  readonly start: number
  readonly end: number
}
export type Node =
  | Quoted
  | { readonly kind: 'number' | 'literal'; readonly start: number; readonly end: number }
  | { readonly kind: 'object'; readonly members: readonly Member[] }
  | { readonly kind: 'array'; readonly elements: readonly Node[] }

export interface Read {
  readonly values: readonly Node[]
  readonly end: number
}

class Unreadable extends Error {}

/** A text as JSON: an object, a list or a string, and more objects and lists behind it. */
export function readWhole(text: string): Read | undefined {
  return attempt(() => {
    const reader = new Reader(text, 0)
    if (!/^["{[]/.test(reader.rest())) throw new Unreadable()
    const values = [reader.value()]
    while (reader.rest() !== '') {
      if (!/^[{[]/.test(reader.rest())) throw new Unreadable()
      values.push(reader.value())
    }
    return { values, end: text.length }
  })
}

/** The object or list that begins at `at`, amid a text. */
export function readPart(text: string, at: number): Read | undefined {
  return attempt(() => {
    const reader = new Reader(text, at)
    const values = [reader.value()]
    return { values, end: reader.at }
  })
}

function attempt(read: () => Read): Read | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Unreadable || error instanceof RangeError) return undefined
    throw error
  }
}

/** Reads from left to right; where the text ends, whatever is open ends with it. */
class Reader {
  readonly #text: string
  at: number

  constructor(text: string, at: number) {
    this.#text = text
    this.at = at
  }

  /** The text from the next token on. */
  rest(): string {
    while (/^[ \t\n\r]/.test(this.#text.slice(this.at, this.at + 1))) this.at++
    return this.#text.slice(this.at)
  }

  value(): Node {
    const rest = this.rest()
    if (rest.startsWith('{')) return this.#object()
    if (rest.startsWith('[')) return this.#array()
    if (rest.startsWith('"')) return this.#string()
    const start = this.at
    const number = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?=[\s,\]}]|$)/.exec(rest)?.[0]
    const literal = /^(?:true|false|null)(?![A-Za-z])/.exec(rest)?.[0]
    const token = number ?? literal
    if (token === undefined) throw new Unreadable()
    this.at += token.length
    return { kind: number === undefined ? 'literal' : 'number', start, end: this.at }
  }

  #string(): Quoted {
    const start = this.at + 1
    const inside = /^(?:[^"\\]|\\[^])*/.exec(this.#text.slice(start))?.[0] ?? ''
    // A string that is cut off may end in half an escape.
    const isCut = this.#text[start + inside.length] !== '"'
    const end = isCut ? this.#text.length : start + inside.length
    this.at = isCut ? end : end + 1
    return { kind: 'string', start, end }
  }

  #array(): Node {
    const elements: Node[] = []
    this.at++
    for (let rest = this.rest(); rest !== ''; rest = this.rest()) {
      if (this.#isClosed(']')) break
      elements.push(this.value())
      this.#comma(']')
    }
    return { kind: 'array', elements }
  }

  #object(): Node {
    const members: Member[] = []
    this.at++
    for (let rest = this.rest(); rest !== ''; rest = this.rest()) {
      if (this.#isClosed('}')) break
      if (!rest.startsWith('"')) throw new Unreadable()
      const key = this.#string()
      const colon = this.rest()
      if (colon !== '' && !colon.startsWith(':')) throw new Unreadable()
      this.at += colon === '' ? 0 : 1
      const after = this.rest()
      const value = after === '' || after.startsWith('}') ? undefined : this.value()
      members.push({ key, value })
      this.#comma('}')
    }
    return { kind: 'object', members }
  }

  #isClosed(bracket: string): boolean {
    const isClosed = this.rest().startsWith(bracket)
    if (isClosed) this.at++
    return isClosed
  }

  /** Behind a value: a comma, the end of what holds it, or that of the text. */
  #comma(bracket: string): void {
    const rest = this.rest()
    if (rest.startsWith(',')) this.at++
    else if (rest !== '' && !rest.startsWith(bracket)) throw new Unreadable()
  }
}

const short: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** The characters of the inside of a string, each with its place: half of a pair is one of its own.
 *  What is no escape is the two signs that stand there. */
export function unquoted(text: string, { start, end }: Quoted): Unit[] {
  const inside = text.slice(start, end)
  const spelling =
    /(?:\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})|\\u[0-9A-Fa-f]{4}|\\["\\/bfnrt]|[^]/gu
  return [...inside.matchAll(spelling)].map((match) => {
    const [own] = match
    const at = start + match.index
    return { character: characterOf(own), start: at, end: at + own.length }
  })
}

function characterOf(spelling: string): string {
  if (spelling.length === 1 || !spelling.startsWith('\\')) return spelling
  const units = [...spelling.matchAll(/\\u([0-9A-Fa-f]{4})/g)]
  if (units.length > 0)
    return String.fromCharCode(...units.map(([, hex = '']) => Number.parseInt(hex, 16)))
  const letter = spelling.slice(1)
  return short[letter] ?? letter
}
