/**
 * Reads JSON once and writes down where everything lies: a flat array of integers, the tape.
 *
 *     scalar   [ kind | start ][ end ]
 *     key      [ kind | start ][ end ][ hash ]  followed by its value
 *     object   [ kind | start ][ end ][ after ][ size ]  keys with values ...  [ CLOSE ]
 *     array    [ kind | start ][ end ][ after ][ size ]  elements ...          [ CLOSE ]
 *
 * `kind` takes the upper 4 bits of its integer, `start` the lower 28. `start` and `end` are byte
 * offsets of the value, `after` is the tape index behind its CLOSE. A CLOSE also ends the tape.
 */
import { isUtf8 } from 'node:buffer'
import { Fault } from '../base/fault.ts'
import { badJson, bitsBefore, numberEnd, solid, stops, stringEnd, viewOf } from './scan.ts'
import type { View } from './scan.ts'

/** How large and how deep a message may be. Depth counts open objects and arrays. */
export interface JsonLimits {
  readonly bytesMax: number
  readonly depthMax: number
}

export const CLOSE = 0
export const OBJECT = 1
export const ARRAY = 2
export const STRING = 3
export const ESCAPED_STRING = 4
const NUMBER = 5
const TRUE = 6
const FALSE = 7
const NULL = 8
export const KEY = 9
export const ESCAPED_KEY = 10

// In the functions that see every byte such figures stand as they are, or are taken into a local
// first: V8 does not fold the constants of a module into code, which costs a sixth of the speed.
export const KIND_SHIFT = 28
export const START_MASK = 0x0fffffff

/** What the layout can address, whatever the limits say: an offset has 28 bits. */
const BYTES_CEILING = START_MASK
/** Objects with more keys are checked for duplicates by a Set of texts, whose hashes are seeded. */
const FEW_KEYS = 64
/** A working tape larger than this (in integers) is given back after use. */
const KEPT_TAPE = 1 << 22

/**
 * Reads a whole message.
 * @returns the tape, which belongs to the caller.
 * @throws {Fault} `too_large`, or `bad_json` with `facts.reason` and `facts.offset`.
 */
export function readTape(bytes: Uint8Array, limits: JsonLimits): Int32Array {
  check(bytes, limits)
  const view = viewOf(bytes)
  const first = solid(view.bytes, 0)
  if (first >= view.length) throw badJson('empty', 'no value', first)
  const top = fill(view, first, limits.depthMax)
  const tape = working.slice(0, top)
  if (working.length > KEPT_TAPE) working = new Int32Array(1 << 12)
  return tape
}

function check(bytes: Uint8Array, limits: JsonLimits): void {
  const bytesMax = Math.min(limits.bytesMax, BYTES_CEILING)
  if (bytes.length > bytesMax) {
    const message = `The message has ${bytes.length} bytes, allowed are ${bytesMax}. Nothing was forwarded.`
    throw new Fault('too_large', message, { facts: { reason: 'size', bytesMax } })
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw badJson('bom', 'a byte order mark', 0)
  }
  if (!isUtf8(bytes)) throw badJson('utf8', 'a byte that is not UTF-8', firstWrong(bytes))
}

/** The offset up to which `bytes` is valid UTF-8, by halving: each byte is looked at a few times. */
function firstWrong(bytes: Uint8Array): number {
  let good = 0 // Invariant: bytes [0, good) are valid, and bytes [0, bad) are not.
  let bad = bytes.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    let cut = middle // A cut may fall into a character of up to four bytes: step back to its start.
    while (cut > good && cut > middle - 4 && !isUtf8(bytes.subarray(good, cut))) cut--
    if (cut > good && cut > middle - 4) {
      good = cut
      if (cut < middle && bad - good <= 4) break
    } else bad = middle
  }
  return good
}

/** Written by `fill`, one message after the other, and copied out: trees share nothing. */
let working = new Int32Array(1 << 12)

function grown(tape: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  working = new Int32Array(tape.length * 2)
  working.set(tape)
  return working
}

/**
 * Writes the tape of the message whose value begins at `first`; returns the tape's length.
 *
 * While a container is open, its `end` holds the tape index of the one around it (-1 for the root)
 * and the `size` of the one around it is up to date: the tape is its own stack.
 */
function fill(view: View, first: number, depthMax: number): number {
  const bytes = view.bytes
  const plain = STRING << 28
  const escaped = ESCAPED_STRING << 28
  let tape = working
  let top = 0
  let at = first
  let node = -1 // The innermost open container.
  let isObject = false // Whether `node` is one.
  let size = 0 // Its members so far.
  let depth = 0
  for (;;) {
    // A value begins at `at`. It takes at most 7 integers: a container and its first key.
    if (top + 16 > tape.length) tape = grown(tape)
    const byte = bytes[at] ?? 0
    if (byte === 0x7b || byte === 0x5b) {
      if (++depth > depthMax) throw badJson('depth', `more than ${depthMax} levels`, at)
      if (node >= 0) tape[node + 3] = size
      isObject = byte === 0x7b
      tape[top] = ((isObject ? OBJECT : ARRAY) << 28) | at
      tape[top + 1] = node
      node = top
      top += 4
      size = 0
      if ((bytes[++at] ?? 0) <= 0x20) at = solid(bytes, at)
      if (bytes[at] !== (isObject ? 0x7d : 0x5d)) {
        if (isObject) {
          at = writeKey(view, at, tape, top)
          top += 3
        }
        continue
      }
    } else {
      if (byte === 0x22) {
        const quote = stringEnd(view, at + 1)
        tape[top] = (quote < 0 ? escaped : plain) | at
        at = (quote < 0 ? ~quote : quote) + 1
        tape[top + 1] = at
      } else at = writeScalar(view, at, tape, top)
      top += 2
      size++
      if ((bytes[at] ?? 0) <= 0x20) at = solid(bytes, at)
    }
    // A value ended, or an empty container is about to: close what closes here.
    while (node >= 0 && bytes[at] !== 0x2c) {
      if (bytes[at] !== (isObject ? 0x7d : 0x5d)) throw unclosed(isObject, at)
      if (top + 16 > tape.length) tape = grown(tape)
      const outer = tape[node + 1] ?? 0
      tape[top++] = CLOSE
      tape[node + 1] = ++at
      tape[node + 2] = top
      tape[node + 3] = size
      if (isObject && size > 1) refuseDuplicates(bytes, tape, node)
      depth--
      node = outer
      isObject = node >= 0 && (tape[node] ?? 0) >>> 28 === OBJECT
      if (node < 0) break
      size = (tape[node + 3] ?? 0) + 1
      if (at >= view.length) throw unclosed(isObject, at)
      if ((bytes[at] ?? 0) <= 0x20) at = solid(bytes, at)
    }
    if (node < 0) break
    if ((bytes[++at] ?? 0) <= 0x20) at = solid(bytes, at)
    if (isObject) {
      at = writeKey(view, at, tape, top)
      top += 3
    }
  }
  refuseMore(view, at)
  tape[top] = CLOSE
  return top + 1
}

function refuseMore(view: View, from: number): void {
  const at = from < view.length ? solid(view.bytes, from) : from
  if (at < view.length) throw badJson('trailing', 'more after the value', at)
}

function unclosed(isObject: boolean, at: number): Fault {
  return badJson('syntax', `${isObject ? 'an object' : 'an array'} that does not go on or end`, at)
}

/** Writes the number or word that begins at `at`; returns the offset behind it. */
function writeScalar(view: View, at: number, tape: Int32Array, top: number): number {
  const byte = view.bytes[at] ?? 0
  if (byte < 0x61) {
    const end = numberEnd(view.bytes, at)
    tape[top] = (NUMBER << 28) | at
    tape[top + 1] = end
    return end
  }
  // A whole word is left wherever a good one stands: something follows it, if only the added NUL.
  const word = at < view.wordsEnd ? view.words.getInt32(at, true) : 0
  const isFalse = word === 0x736c6166 && view.bytes[at + 4] === 0x65
  if (word === 0x65757274) tape[top] = (TRUE << 28) | at
  else if (word === 0x6c6c756e) tape[top] = (NULL << 28) | at
  else if (isFalse) tape[top] = (FALSE << 28) | at
  else throw badJson('syntax', 'an unknown word', at)
  const end = at + (isFalse ? 5 : 4)
  tape[top + 1] = end
  return end
}

/** Writes the key that begins at `at`; returns the offset of the value behind its colon. */
function writeKey(view: View, at: number, tape: Int32Array, top: number): number {
  const { bytes, words, wordsEnd } = view
  if (bytes[at] !== 0x22) throw badJson('syntax', 'no key in quotes', at)
  let hash = 0 // Only tells keys apart quickly; equal hashes are compared byte by byte.
  let i = at + 1
  // A colon, a value and a brace follow a key, so a whole word is left wherever a good key ends.
  while (i < wordsEnd) {
    const word = words.getInt32(i, true)
    const hit = stops(word)
    if (hit !== 0) {
      const bits = bitsBefore(hit)
      hash = ((hash << 5) - hash + (word & ((1 << bits) - 1))) | 0
      i += bits >> 3
      break
    }
    hash = ((hash << 5) - hash + word) | 0
    i += 4
  }
  let kind = KEY
  if (i >= wordsEnd || bytes[i] !== 0x22) {
    i = escapedKeyEnd(view, at)
    kind = ESCAPED_KEY
  }
  tape[top] = (kind << 28) | at
  tape[top + 1] = ++i
  tape[top + 2] = hash ^ (hash >>> 15)
  if ((bytes[i] ?? 0) <= 0x20) i = solid(bytes, i)
  if (bytes[i] !== 0x3a) throw badJson('syntax', 'no colon after a key', i)
  if ((bytes[++i] ?? 0) <= 0x20) i = solid(bytes, i)
  return i
}

/** The closing quote of the key at `at`, which has an escape or does not end. */
function escapedKeyEnd(view: View, at: number): number {
  const quote = stringEnd(view, at + 1)
  const end = quote < 0 ? ~quote : quote
  if (!textOf(view.bytes, at, end + 1).isWellFormed()) {
    throw badJson('key_surrogate', 'a key with half a surrogate pair', at)
  }
  return end
}

/** Slot -> [round, tape index of a key]. What another round left counts as empty. */
const slots = new Int32Array(512)
let round = 0

function refuseDuplicates(bytes: Uint8Array, tape: Int32Array, node: number): void {
  const size = tape[node + 3] ?? 0
  if (size > FEW_KEYS) return refuseSameTexts(bytes, tape, node)
  if (round === 0x7fffffff) {
    slots.fill(0)
    round = 0
  }
  const current = ++round
  const escaped = ESCAPED_KEY
  let key = node + 4
  for (let n = 0; n < size; n++) {
    const word = tape[key] ?? 0
    if (word >>> 28 === escaped) return refuseSameTexts(bytes, tape, node)
    let slot = ((tape[key + 2] ?? 0) & 0xff) << 1
    // Ends: at most FEW_KEYS of the 256 slots are taken in one round.
    while (slots[slot] === current) {
      const other = slots[slot + 1] ?? 0
      if (isSameKey(bytes, tape, other, key)) throw duplicate(word & START_MASK)
      slot = (slot + 2) & 0x1ff
    }
    slots[slot] = current
    slots[slot + 1] = key
    key = after(tape, key + 3)
  }
}

function isSameKey(bytes: Uint8Array, tape: Int32Array, one: number, other: number): boolean {
  if (tape[one + 2] !== tape[other + 2]) return false
  let a = (tape[one] ?? 0) & START_MASK
  const start = (tape[other] ?? 0) & START_MASK
  const end = tape[other + 1] ?? 0
  if ((tape[one + 1] ?? 0) - a !== end - start) return false
  for (let b = start; b < end; b++) if (bytes[a++] !== bytes[b]) return false
  return true
}

/** For many keys or escaped ones. The letter in front keeps V8 from hashing digits as an index. */
function refuseSameTexts(bytes: Uint8Array, tape: Int32Array, node: number): void {
  const seen = new Set<string>()
  const last = (tape[node + 2] ?? 0) - 1
  for (let key = node + 4; key < last; key = after(tape, key + 3)) {
    const start = (tape[key] ?? 0) & START_MASK
    const text = `k${textOf(bytes, start, tape[key + 1] ?? 0)}`
    if (seen.has(text)) throw duplicate(start)
    seen.add(text)
  }
}

function duplicate(at: number): Fault {
  return badJson('duplicate_key', 'a key that its object already has', at)
}

/** The tape index behind the value at `node`. */
export function after(tape: Int32Array, node: number): number {
  const kind = (tape[node] ?? 0) >>> 28
  return kind === OBJECT || kind === ARRAY ? (tape[node + 2] ?? 0) : node + 2
}

/** Decodes the string token [start, end), quotes included, which has been read before. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
  if (!text.includes('\\')) return text.slice(1, -1)
  const value: unknown = JSON.parse(text) // A string token that was found valid: cannot throw.
  return String(value)
}
