/**
 * Where one JSON token ends (RFC 8259 §6, §7). Nothing is decoded: bytes in, an offset out.
 *
 * Nothing here may read past the end: V8 would make every later read slower, for good. So `viewOf`
 * sees to it that a message ends in a byte at which all tokens but strings stop.
 */
import { Fault } from '../base/fault.ts'

/** 1 for each byte that may follow a backslash by itself, 2 for `u`. */
const escapes = new Uint8Array(256)
for (const byte of Buffer.from('"\\/bfnrt')) escapes[byte] = 1
escapes[0x75] = 2

/** 1 for each hexadecimal digit. */
const hexadecimal = new Uint8Array(256)
for (const byte of Buffer.from('0123456789abcdefABCDEF')) hexadecimal[byte] = 1

/** A message seen as bytes and, at any offset, as words of four bytes. */
export interface View {
  /** The message; or a copy with a NUL behind it, where it does not end in a bracket or brace. */
  readonly bytes: Uint8Array
  /** The message's own length. */
  readonly length: number
  readonly words: DataView
  /** A word may be read at offsets below this one. */
  readonly wordsEnd: number
}

/** Prepares a message for reading. */
export function viewOf(message: Uint8Array): View {
  const length = message.length
  const last = length > 0 ? message[length - 1] : 0
  // One class only: reading from a Buffer here and a bare Uint8Array there would slow down both.
  const bytes =
    last === 0x7d || last === 0x5d
      ? Buffer.from(message.buffer, message.byteOffset, length)
      : Buffer.concat([message, nul])
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { bytes, length, words, wordsEnd: bytes.length - 3 }
}

const nul = new Uint8Array(1)

/** A refusal of the message as JSON: the offset and the kind of mistake, never what stands there. */
export function badJson(reason: string, what: string, offset: number): Fault {
  const message = `The message is not acceptable JSON: ${what} at byte ${offset}. Nothing was forwarded.`
  return new Fault('bad_json', message, { facts: { reason, offset } })
}

/**
 * Finds the end of a string.
 * @param from the byte after the opening quote.
 * @returns the offset of the closing quote, or its complement (`~offset`, negative) when there is
 *   a backslash on the way.
 * @throws {Fault} `bad_json` at a control character, a wrong escape, or the end of the message.
 */
export function stringEnd(view: View, from: number): number {
  const { bytes, words, wordsEnd } = view
  let at = from
  let isEscaped = false
  for (;;) {
    let hit = 0
    while (at < wordsEnd) {
      hit = stops(words.getInt32(at, true))
      if (hit !== 0) {
        at += bitsBefore(hit) >> 3
        break
      }
      at += 4
    }
    if (hit === 0) at = tailEnd(bytes, at)
    const byte = bytes[at] ?? 0
    if (byte === 0x22) return isEscaped ? ~at : at
    if (byte !== 0x5c) throw unfit(view, at)
    isEscaped = true
    at = escapeEnd(bytes, at)
  }
}

/** As the words would say, for the last few bytes; the last one itself if none of them stops. */
function tailEnd(bytes: Uint8Array, from: number): number {
  const last = bytes.length - 1
  let at = Math.min(from, last)
  while (at < last) {
    const byte = bytes[at] ?? 0
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c) break
    at++
  }
  return at
}

/**
 * Non-zero if one of the four bytes is a quote, a backslash or below 0x20. The lowest bit set lies
 * in the first such byte; bits above it may be wrong, since borrows run upwards.
 *
 * A byte b is below n (n <= 0x80, b < 0x80) exactly if b - n has its high bit. Flipping bit 1 moves
 * the quote, 0x22, down to 0x20 and keeps controls below that, while 0x20 and 0x21 go up.
 */
export function stops(word: number): number {
  const quoteOrControl = (word ^ 0x02020202) - 0x21212121
  const backslash = (word ^ 0x5c5c5c5c) - 0x01010101
  return (quoteOrControl | backslash) & ~word & 0x80808080
}

/** The offset behind an escape that begins at `at`. */
function escapeEnd(bytes: Uint8Array, at: number): number {
  const kind = escapes[bytes[at + 1] ?? 0]
  if (kind === 1) return at + 2
  if (kind !== 2) throw badJson('escape', 'an escape that JSON does not have', at)
  for (let i = at + 2; i < at + 6; i++) {
    if (hexadecimal[bytes[i] ?? 0] !== 1) {
      throw badJson('escape', 'a \\u escape without four hexadecimal digits', at)
    }
  }
  return at + 6
}

/** How many bits of a word (0, 8, 16 or 24) lie ahead of the byte that `stops` has found. */
export function bitsBefore(hit: number): number {
  return (31 - Math.clz32(hit & -hit)) & 0x18
}

function unfit(view: View, at: number): Fault {
  const isControl = (view.bytes[at] ?? 0) < 0x20 && at < view.length
  return isControl
    ? badJson('control', 'a control character inside a string', at)
    : badJson('syntax', 'the end of the message inside a string', view.length)
}

/**
 * Finds the end of a number (RFC 8259 §6: no leading zeros, no `+1`, no `.5`, no `1.`).
 * @param from its first byte: a minus or a digit.
 * @returns the offset behind its last byte.
 * @throws {Fault} `bad_json` when a digit is missing.
 */
export function numberEnd(bytes: Uint8Array, from: number): number {
  let at = from
  let byte = bytes[at] ?? 0
  if (byte === 0x2d) byte = bytes[++at] ?? 0
  if (byte === 0x30) byte = bytes[++at] ?? 0
  else {
    at = digitsEnd(bytes, at)
    byte = bytes[at] ?? 0
  }
  if (byte === 0x2e) {
    at = digitsEnd(bytes, at + 1)
    byte = bytes[at] ?? 0
  }
  if (byte === 0x65 || byte === 0x45) {
    byte = bytes[++at] ?? 0
    at = digitsEnd(bytes, byte === 0x2b || byte === 0x2d ? at + 1 : at)
  }
  return at
}

/** The offset behind one or more digits. */
function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from
  let byte = bytes[at] ?? 0
  while (byte >= 0x30 && byte <= 0x39) byte = bytes[++at] ?? 0
  if (at === from) throw badJson('syntax', 'no value or an incomplete number', at)
  return at
}

/** The offset of the next byte that is not white space (RFC 8259 §2: blank, tab, LF, CR). */
export function solid(bytes: Uint8Array, from: number): number {
  let at = from
  let byte = bytes[at] ?? 0
  if (byte > 0x20) return at
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at] ?? 0
  return at
}
