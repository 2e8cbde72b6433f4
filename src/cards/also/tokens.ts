/** Tokens and secret keys that are known by how they begin, or by the label in front. */
import { crc32 } from 'node:zlib'
import { isDigit, isLetter } from '../bytes.ts'
import { CERTAIN, HIGH, KEY, MEDIUM, PATCH, TOKEN, code } from '../findings.ts'
import { Charset } from './runs.ts'
import type { Check, Format, Labelled } from './formats.ts'
import type { Candidates } from './candidates.ts'

const keyMarker = Buffer.from('[private key removed]')
const tokenMarker = Buffer.from('[token removed]')
const mixedReach = 96
const headerBytesMax = 512
const partsMax = 5
const gapBytesMax = 6
const dot = 0x2e
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const openAiMark = Buffer.from('T3BlbkFJ')

/** What is written in place of a finding of this kind. */
export function removed(kind: number): Uint8Array {
  return kind === KEY ? keyMarker : tokenMarker
}

interface Entry {
  readonly start: Uint8Array
  readonly isFolded: boolean
  readonly isHeader: boolean
  readonly charset: Charset
  readonly min: number
  readonly kind: number
  readonly confidence: number
  readonly check: Check
}

export class Tokens {
  readonly #candidates: Candidates
  readonly #charsets = new Map<string, Charset>()
  /** By the first byte. */
  readonly #entries: Entry[][] = Array.from({ length: 256 }, () => [])
  /** Of the parts of a JWT, one each. */
  readonly #parts: readonly Charset[]
  #end = 0
  #isUsed = false

  constructor(candidates: Candidates, formats: readonly Format[], labelled: readonly Labelled[]) {
    this.#candidates = candidates
    this.#parts = Array.from({ length: partsMax }, () => new Charset('A-Za-z0-9_-'))
    for (const format of formats) this.#add({ ...format, isHeader: false }, format.prefix, false)
    for (const one of labelled) this.#add({ ...one, confidence: HIGH }, one.label, true)
  }

  /** First and second bytes with which one of them can begin. */
  get pairs(): (readonly [first: number, second: number])[] {
    return this.#entries.flatMap((entries, first) =>
      entries.flatMap(({ start, isFolded }) => {
        const second = start[1] ?? 0
        const pair = [first, second] as const
        return isFolded ? [pair, [first, second & ~32] as const] : [pair]
      }),
    )
  }

  /** Prepares for another text. */
  begin(): void {
    if (!this.#isUsed) return
    this.#isUsed = false
    for (const charset of this.#charsets.values()) charset.forget()
    for (const part of this.#parts) part.forget()
  }

  /** What begins at `at`, where a word begins: returns its end, or 0. */
  at(bytes: Uint8Array, at: number, end: number): number {
    this.#end = end
    for (const entry of this.#entries[bytes[at] ?? 0] ?? []) {
      if (!startsWith(bytes, at, end, entry)) continue
      this.#isUsed = true
      const to = entry.isFolded ? this.#labelled(bytes, at, entry) : this.#formed(bytes, at, entry)
      if (to > 0) return to
    }
    return 0
  }

  #add(
    rest: Omit<Entry, 'start' | 'charset' | 'isFolded'> & { chars: string },
    start: string,
    isFolded: boolean,
  ): void {
    let charset = this.#charsets.get(rest.chars)
    if (charset === undefined) {
      charset = new Charset(rest.chars)
      this.#charsets.set(rest.chars, charset)
    }
    const { isHeader, min, kind, confidence, check } = rest
    const entry = {
      start: Buffer.from(start),
      isFolded,
      isHeader,
      charset,
      min,
      kind,
      confidence,
      check,
    }
    const first = entry.start[0] ?? 0
    this.#entries[first]?.push(entry)
    if (isFolded) this.#entries[first - 32]?.push(entry)
  }

  #formed(bytes: Uint8Array, at: number, entry: Entry): number {
    const from = at + entry.start.length
    const to = trimmed(bytes, from, entry.charset.end(bytes, from, this.#end))
    if (to - from < entry.min) return 0
    if (entry.check === 'jwt') return this.#jwt(bytes, at)
    const confidence = this.#confidence(bytes, from, to, entry)
    return confidence < 0 ? 0 : this.#tell(at, to, entry.kind, confidence)
  }

  #labelled(bytes: Uint8Array, at: number, entry: Entry): number {
    const from = valueAfter(bytes, at + entry.start.length, this.#end, entry.isHeader)
    if (from < 0) return 0
    const to = trimmed(bytes, from, entry.charset.end(bytes, from, this.#end))
    if (to - from < entry.min) return 0
    const confidence = this.#confidence(bytes, from, to, entry)
    return confidence < 0 ? 0 : this.#tell(from, to, entry.kind, confidence)
  }

  #tell(from: number, to: number, kind: number, confidence: number): number {
    this.#candidates.add(from, to, code(kind, confidence, PATCH), removed(kind))
    return to
  }

  /** How sure it is; -1 for not at all. */
  #confidence(bytes: Uint8Array, from: number, to: number, entry: Entry): number {
    const { check, confidence } = entry
    switch (check) {
      case 'none':
        return confidence
      case 'exact':
        return to - from === entry.min && !isAlnum(this.#byte(bytes, to)) ? confidence : -1
      case 'mixed':
        return isMixed(bytes, from, to) ? confidence : -1
      case 'crc62':
        return crcConfidence(bytes, from, to)
      case 'openai':
        return this.#openAi(bytes, from, to, confidence)
      case 'basic':
        return isCredential(bytes, from, to) ? confidence : -1
      case 'pem': {
        const head = decoded(bytes, from - 14, Math.min(to, from + 90))
        return head.includes('PRIVATE KEY') ? confidence : -1
      }
      case 'jwt':
        return -1
    }
  }

  #openAi(bytes: Uint8Array, from: number, to: number, confidence: number): number {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(to - from, 512))
    if (text.includes(openAiMark)) return CERTAIN
    // `sk-` and a word of a longer name, as classes of style sheets have it, is none.
    const next = this.#byte(bytes, to)
    return isMixed(bytes, from, to) && next !== 0x2d && next !== 0x5f ? confidence : -1
  }

  /** Two to five parts, of which the first is a header that names its algorithm. */
  #jwt(bytes: Uint8Array, at: number): number {
    let to = at
    let parts = 0 // How many dots were passed.
    for (let from = at; parts < partsMax; parts++) {
      const stop = this.#parts[parts]?.end(bytes, from, this.#end) ?? from
      if (parts === 1 && stop - from < 8) return 0
      if (stop > from) to = stop
      if (this.#byte(bytes, stop) !== dot || stop === from) break
      from = stop + 1
    }
    if (parts === 0) return 0
    const head = decoded(
      bytes,
      at,
      Math.min(this.#parts[0]?.end(bytes, at, this.#end) ?? at, at + headerBytesMax),
    )
    if (!/"(?:alg|enc)"\s*:/.test(head)) return 0
    return this.#tell(at, to, TOKEN, CERTAIN)
  }

  #byte(bytes: Uint8Array, at: number): number {
    return at < this.#end ? (bytes[at] ?? 0) : 0
  }
}

const isAlnum = (b: number): boolean => isDigit[b] === 1 || isLetter[b] === 1

function startsWith(bytes: Uint8Array, at: number, end: number, entry: Entry): boolean {
  const { start, isFolded } = entry
  if (at + start.length > end) return false
  for (let i = 1; i < start.length; i++) {
    const b = bytes[at + i] ?? 0
    const isSame = b === start[i] || (isFolded && isLetter[b] === 1 && (b | 32) === start[i])
    if (!isSame) return false
  }
  return true
}

/** Where the value behind a label begins: `=`, `:`, quotes and blanks between; -1 without them. */
function valueAfter(bytes: Uint8Array, at: number, end: number, isHeader: boolean): number {
  const max = Math.min(end, at + gapBytesMax)
  let i = at
  let isAssigned = false
  for (; i < max; i++) {
    const b = bytes[i] ?? 0
    if (b === 0x3d || b === 0x3a) isAssigned = true
    else if (b !== 0x20 && b !== 0x09 && b !== 0x22 && b !== 0x27 && b !== 0x60 && b !== 0x3e) break
  }
  return i > at && (isAssigned || isHeader) ? i : -1
}

/** Without the full stops of the sentence. */
function trimmed(bytes: Uint8Array, from: number, to: number): number {
  let end = to
  while (end > from && bytes[end - 1] === dot) end--
  return end
}

function isMixed(bytes: Uint8Array, from: number, to: number): boolean {
  let digits = 0
  let letters = 0
  for (let i = from; i < to && i < from + mixedReach; i++) {
    digits += isDigit[bytes[i] ?? 0] ?? 0
    letters += isLetter[bytes[i] ?? 0] ?? 0
  }
  return digits > 0 && letters > 0
}

/**
 * GitHub's and npm's checksum: six characters behind thirty ("Behind GitHub's new authentication
 * token formats", 2021). One that fits is proof; one that does not may be of a format to come.
 */
function crcConfidence(bytes: Uint8Array, from: number, to: number): number {
  if (to - from !== 36) return HIGH
  let value = crc32(bytes.subarray(from, to - 6))
  for (let i = to - 1; i >= to - 6; i--) {
    if (bytes[i] !== base62.charCodeAt(value % 62)) return MEDIUM
    value = Math.floor(value / 62)
  }
  return CERTAIN
}

/** Both alphabets of base64, as text of single bytes. */
function decoded(bytes: Uint8Array, from: number, to: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
  return Buffer.from(text, 'base64').toString('latin1')
}

/** Whether it is `name:password`, printable. */
function isCredential(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > 1024) return false
  return /^[\x20-\x39\x3b-\x7e]+:[\x20-\x7e]+$/.test(decoded(bytes, from, to))
}
