/** Private keys: PEM and PGP blocks, PuTTY's files, JSON Web Keys, and values named as keys. */
import { isDigit, isLetter } from '../bytes.ts'
import { CERTAIN, HIGH, KEY, MEDIUM, PATCH, code } from '../findings.ts'
import { AWS_NAME, JWK_NAME, KEY_NAME } from './names.ts'
import { Charset } from './runs.ts'
import { removed } from './tokens.ts'
import type { Candidates } from './candidates.ts'

const dash = 0x2d
const backslash = 0x5c
const quote = 0x22
const labelBytesMax = 80
const dashesMax = 5
/** A key of 16,384 bits takes 13 KiB; PGP blocks with many subkeys more. */
const blockBytesMax = 256 * 1024
const bodyCharsMin = 32
const lineCharsMin = 32
const headersMax = 6
const shortsMax = 2
const headerBytesMax = 200
/** How far round `"kty"` the other members of a key are looked for. */
const jwkReach = 8192

const begins = Buffer.from('BEGIN ')
const privateKey = Buffer.from('PRIVATE KEY')
const privateLines = Buffer.from('Private-Lines:')
const base64 = new Charset('A-Za-z0-9+/=')
const marker = removed(KEY)

/** Members of a JSON Web Key that are secret: RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2. */
const jwkSecrets = /"(?:d|p|q|dp|dq|qi|k)"\s{0,8}:\s{0,8}"([A-Za-z0-9_-]{22,4096})"/g

export class Keys {
  readonly #candidates: Candidates
  // The text at hand.
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  /** Where the next `-END ` and `-BEGIN ` stand, looked up once for all blocks; -1: not yet. */
  #nextEnd = -1
  #nextBegin = -1
  /** Up to where objects were looked into. */
  #jwkDone = 0

  constructor(candidates: Candidates) {
    this.#candidates = candidates
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#nextEnd = -1
    this.#nextBegin = -1
    this.#jwkDone = start
  }

  /** A whole value by its name. True when it was one. */
  named(name: number): boolean {
    if ((name & (KEY_NAME | AWS_NAME | JWK_NAME)) === 0) return false
    const bytes = this.#bytes
    let from = this.#start
    let to = this.#end
    while (from < to && (bytes[from] ?? 0) <= 0x20) from++
    while (to > from && (bytes[to - 1] ?? 0) <= 0x20) to--
    const length = to - from
    const text = (max: number): string =>
      Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(length, max)).toString('latin1')
    let confidence = -1
    if ((name & AWS_NAME) !== 0 && length === 40 && /^[A-Za-z0-9/+]{40}$/.test(text(40))) {
      confidence = CERTAIN
    } else if ((name & KEY_NAME) !== 0 && length >= 40 && isOneRun(bytes, from, to)) {
      confidence = HIGH
    } else if ((name & JWK_NAME) !== 0 && isJwkLength(length) && /^[\w-]+$/.test(text(4096))) {
      // One letter is little of a name: it must look random as well.
      if (/[0-9]/.test(text(64)) && /[a-z]/.test(text(64)) && /[A-Z]/.test(text(64))) {
        confidence = MEDIUM
      }
    }
    if (confidence >= 0) this.#tell(from, to, confidence)
    return confidence >= 0
  }

  /** A block whose first dash is at `at`: returns its end, or 0. */
  block(at: number): number {
    const bytes = this.#bytes
    let i = at
    while (i < this.#end && bytes[i] === dash) i++
    if (i - at < 4) return 0
    if (bytes[i] === 0x20) i++
    if (!this.#hasAt(begins, i)) return 0
    const body = this.#headEnd(i + begins.length)
    if (body === 0) return 0
    const to = this.#terminated(body) || bodyEnd(bytes, body, this.#end)
    if (to === 0) return 0
    this.#tell(at, to, CERTAIN)
    return to
  }

  /** `Private-Lines:` of a PuTTY key file at `at`: returns the end of the lines, or 0. */
  putty(at: number): number {
    if (!this.#hasAt(privateLines, at)) return 0
    const bytes = this.#bytes
    let from = at + privateLines.length
    while (from < this.#end && (bytes[from] === 0x20 || isDigit[bytes[from] ?? 0] === 1)) from++
    const to = bodyEnd(bytes, from, this.#end)
    if (to === 0) return 0
    const first = skipJoints(bytes, from, this.#end)
    this.#tell(first, to, CERTAIN)
    return to
  }

  /** A JSON Web Key in running text, round the `kty` at `at`: tells its secret members. */
  jwk(at: number): void {
    const bytes = this.#bytes
    const isKey = bytes[at - 1] === quote && bytes[at + 3] === quote && at > this.#start
    if (!isKey || at < this.#jwkDone) return
    let from = at
    const min = Math.max(this.#jwkDone, at - jwkReach)
    this.#jwkDone = at
    while (from > min && bytes[from - 1] !== 0x7b) from--
    if (from === min) return
    let to = at
    const max = Math.min(this.#end, at + jwkReach)
    while (to < max && bytes[to] !== 0x7d) to++
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
    for (const found of text.matchAll(jwkSecrets)) {
      const value = found[1] ?? ''
      const start = from + found.index + found[0].length - 1 - value.length
      this.#tell(start, start + value.length, HIGH)
    }
    this.#jwkDone = to
  }

  #tell(from: number, to: number, confidence: number): void {
    this.#candidates.add(from, to, code(KEY, confidence, PATCH), marker)
  }

  #hasAt(word: Uint8Array, at: number): boolean {
    if (at + word.length > this.#end) return false
    for (let i = 0; i < word.length; i++) if (this.#bytes[at + i] !== word[i]) return false
    return true
  }

  /** Behind the dashes of a head whose label, from `at` on, names a private key; else 0. */
  #headEnd(at: number): number {
    const bytes = this.#bytes
    const max = Math.min(this.#end, at + labelBytesMax)
    let i = at
    let isPrivate = false
    for (; i < max && bytes[i] !== dash; i++) {
      if (bytes[i] === 0x0a) return 0
      if (this.#hasAt(privateKey, i)) isPrivate = true
    }
    return isPrivate && i < max ? this.#beyondDashes(i) : 0
  }

  /** The end of a block that has one, and enough in it for a key; else 0. */
  #terminated(body: number): number {
    const stop = (this.#nextEnd = this.#next('END ', body, this.#nextEnd))
    if (stop - body > blockBytesMax || stop >= this.#end) return 0
    const other = (this.#nextBegin = this.#next('BEGIN ', body, this.#nextBegin))
    if (other < stop) return 0
    const bytes = this.#bytes
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + body, stop - body)
    // Where a block was removed before, this end was that one's.
    if (text.includes('[private key removed]')) return 0
    let chars = 0
    for (let i = body; i < stop && chars < bodyCharsMin; i++) {
      if (isLetter[bytes[i] ?? 0] === 1 || isDigit[bytes[i] ?? 0] === 1) chars++
    }
    if (chars < bodyCharsMin) return 0
    const max = Math.min(this.#end, stop + labelBytesMax)
    let i = stop + 4
    while (i < max && bytes[i] !== dash && bytes[i] !== 0x0a) i++
    return this.#beyondDashes(i)
  }

  /** Behind the dashes at `at`, of which those of a next block may be the very next ones. */
  #beyondDashes(at: number): number {
    const max = Math.min(this.#end, at + dashesMax)
    let i = at
    while (i < max && this.#bytes[i] === dash) i++
    return i
  }

  /** Where the next `word` behind a dash (and perhaps a blank) begins, at `from` or later. */
  #next(word: string, from: number, known: number): number {
    if (known >= from) return known
    const bytes = this.#bytes
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, this.#end)
    for (let at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
      if (bytes[at - 1] === dash || (bytes[at - 1] === 0x20 && bytes[at - 2] === dash)) return at
    }
    return this.#end
  }
}

/** What may stand between two lines of a key: white space, escapes, signs of source code. */
function skipJoints(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  for (; i < end; i++) {
    const b = bytes[i] ?? 0
    if (b === backslash && i + 1 < end) {
      const c = bytes[i + 1] ?? 0
      if (c !== 0x6e && c !== 0x72 && c !== 0x74) return i
      i++
    } else if (b > 0x20 && b !== quote && b !== 0x27 && b !== 0x2c && b !== 0x3e && b !== 0x7c) {
      return i
    }
  }
  return i
}

/**
 * The end of the lines of base64 from `at` on, for a key without its last line: long lines, then a
 * short one or two. 0 when there is none, as in a sentence that speaks of such keys.
 */
function bodyEnd(bytes: Uint8Array, at: number, end: number): number {
  let done = 0
  let headers = 0
  let shorts = 0
  let i = skipJoints(bytes, at, end)
  while (i < end) {
    let to = i
    while (to < end && base64.has(bytes[to] ?? 0)) to++
    if (to - i >= lineCharsMin) done = to
    else if (done > 0) {
      // The last line of the key, and the checksum of PGP; a word of prose is neither.
      const isLine = to > i && (to >= end || isOdd(bytes, i, to))
      if (!isLine || ++shorts > shortsMax) return done
      done = to
    } else {
      // `Proc-Type: 4,ENCRYPTED` and its like stand before the lines.
      const line = headerEnd(bytes, i, end)
      if (line === 0 || ++headers > headersMax) return 0
      to = line
    }
    i = skipJoints(bytes, to, end)
  }
  return done
}

/** Whether it holds what words do not: a digit, or a sign of base64. */
function isOdd(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (isLetter[bytes[i] ?? 0] === 0) return true
  return false
}

/** The end of a line `Name: value`, or 0. */
function headerEnd(bytes: Uint8Array, at: number, end: number): number {
  const max = Math.min(end, at + headerBytesMax)
  let i = at
  while (i < max && (isLetter[bytes[i] ?? 0] === 1 || (i > at && bytes[i] === dash))) i++
  if (i === at || bytes[i] !== 0x3a) return 0
  for (; i < max; i++) {
    if (bytes[i] === 0x0a || (bytes[i] === backslash && bytes[i + 1] === 0x6e)) return i
  }
  return 0
}

/** One run of base64, as a key in DER is kept. */
function isOneRun(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    if (!base64.has(bytes[i] ?? 0) && bytes[i] !== dash && bytes[i] !== 0x5f) return false
  }
  return true
}

/** Base64url of 32, 48, 56, 57 and 66 bytes (curves), of primes and exponents of RSA from 512 bits. */
function isJwkLength(length: number): boolean {
  return [43, 64, 75, 76, 86, 88].includes(length) || (length >= 171 && length <= 2731)
}
