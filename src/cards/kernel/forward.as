/**
 * Characters as they are meant, read forward: escapes of JSON strings, then percent-encoding,
 * quoted-printable, character references and tags, in any order and over each other.
 */
import { at, classAt, classOf, cp, decode, hexOf, hexPair, hexQuad, width } from './memory'
import { DIGIT, INVISIBLE, JOINER, OTHER, VISIBLE } from './memory'
import { markSecret } from './found'

const BACKSLASH: u32 = 0x5c
const AMPERSAND: u32 = 0x26
const PERCENT: u32 = 0x25
const EQUALS: u32 = 0x3d
const LESS: u32 = 0x3c
const GREATER: u32 = 0x3e
const DASH: u32 = 0x2d
/** Backslashes before one escape: enough for six strings, one in the other. */
const BACKSLASHES_MAX: usize = 64
const TAG_BYTES_MAX: usize = 800
const LAYERS_MAX: i32 = 12

/** The code point last read, and the address behind it. */
export let point: u32 = 0
export let next: usize = 0
/** More than the escapes of strings was undone. */
export let isEncoded: bool = false
/** Twelve digits in a row stood inside of a tag. */
export let isDense: bool = false
// No comment that begins in here ends before `openTo`.
let openFrom: usize = 0
let openTo: usize = 0

/** To be called when the bytes have moved. */
export function forget(): void {
  openFrom = 0
  openTo = 0
}

/** Reads one character at `p`, with the escapes of any number of strings around it undone. */
export function unit(p: usize): void {
  const c = at(p)
  if (c < 0x80 && c != BACKSLASH) {
    point = c
    next = p + 1
    return
  }
  if (c != BACKSLASH) {
    decode(p)
    point = cp
    next = p + width
    return
  }
  let q = p + 1
  while (at(q) == BACKSLASH && q - p < BACKSLASHES_MAX) q++
  const letter = at(q)
  if (letter == 0x75 && escaped(q)) return
  point = BACKSLASH
  if (letter == 0x6e) point = 0x0a
  else if (letter == 0x72) point = 0x0d
  else if (letter == 0x74) point = 0x09
  else if (letter == 0x2f) point = 0x2f
  next = point == BACKSLASH ? q : q + 1
}

/** `uXXXX` at `q`, behind backslashes. */
function escaped(q: usize): bool {
  const high = hexQuad(q + 1)
  if (high < 0) return false
  point = high
  next = q + 5
  markLetter(point)
  if (point - 0x30 < 10) markSecret()
  if ((high & 0xfc00) != 0xd800 || at(next) != BACKSLASH) return true
  let p = next
  while (at(p) == BACKSLASH && p - next < BACKSLASHES_MAX) p++
  const low = at(p) == 0x75 ? hexQuad(p + 1) : -1
  if (low < 0 || (low & 0xfc00) != 0xdc00) return true
  point = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff)
  next = p + 5
  return true
}

/** What stands at `p` in a number: a class of code points. `point` and `next` are what was read. */
export function token(p: usize): i32 {
  isDense = false
  isEncoded = true
  unit(p)
  for (let layer = 0; layer < LAYERS_MAX; layer++) {
    if (point == PERCENT || point == EQUALS) {
      const sign = point
      const from = next
      const value = pair()
      if (value < 0) {
        next = from
        point = sign
        return sign == EQUALS && softBreak(from) ? INVISIBLE : OTHER
      }
      if (value >= 0x80) return continued(value, sign)
      if (sign == PERCENT) markLetter(value)
      point = value
    } else if (point == AMPERSAND) {
      const kind = reference()
      if (kind != VISIBLE) return kind
    } else if (point == LESS) {
      return tag()
    } else {
      isEncoded = layer > 0
      return point == BACKSLASH ? VISIBLE : classOf(point)
    }
  }
  return OTHER
}

/** Two hex digits behind what was read last, or -1. */
function pair(): i32 {
  unit(next)
  const high = hexOf(point)
  if (high > 15) return -1
  unit(next)
  const low = hexOf(point)
  return low > 15 ? -1 : <i32>(high * 16 + low)
}

/** The rest of a UTF-8 sequence whose bytes are encoded one by one. */
function continued(lead: i32, sign: u32): i32 {
  let more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0
  if (more == 0) return OTHER
  let value: u32 = lead & (0x3f >> more)
  for (; more > 0; more--) {
    unit(next)
    const byte = point == sign ? pair() : -1
    if (byte < 0 || (byte & 0xc0) != 0x80) return OTHER
    value = (value << 6) | (byte & 63)
  }
  point = value
  return classOf(value)
}

/** A line break of quoted-printable: the `=` before it is read. */
function softBreak(from: usize): bool {
  next = from
  for (let n = 0; n < 80; n++) {
    unit(next)
    if (point == 0x0a) return true
    if (point != 0x20 && point != 0x09 && point != 0x0d) return false
  }
  return false
}

/**
 * A character reference; its `&` is read. VISIBLE when `point` is what it stands for and may itself
 * begin something.
 */
function reference(): i32 {
  unit(next)
  if (point == 0x23) return numeric()
  let name: u64 = 0
  for (let n = 0; n < 32; n++) {
    if (point - 0x30 >= 10 && (point | 0x20) - 0x61 >= 26) break
    name = (name << 8) | point
    unit(next)
  }
  if (name == 0 || point != 0x3b) return OTHER
  if (name == 0x616d70) point = AMPERSAND
  else if (name == 0x6c74) point = LESS
  else if (name == 0x657175616c73) point = EQUALS
  else if (name == 0x706572636e74) point = PERCENT
  else return INVISIBLE
  return VISIBLE
}

function numeric(): i32 {
  unit(next)
  const isHex = (point | 0x20) == 0x78
  if (isHex) unit(next)
  let value: u32 = 0
  let digits = 0
  let behind = next
  for (; digits < 10; digits++) {
    const digit = hexOf(point)
    if (digit > (isHex ? 15 : 9)) break
    value = value > 0xffffff ? value : value * (isHex ? 16 : 10) + digit
    behind = next
    unit(next)
  }
  if (digits == 0) return OTHER
  if (point != 0x3b) next = behind
  markLetter(value)
  point = value
  return VISIBLE
}

/** A letter that need not be spelt so may be one of a name, which is then not seen. */
function markLetter(c: u32): void {
  if ((c | 0x20) - 0x61 < 26) markSecret()
}

/** A tag whose `<` is read: left out, with whatever is in it. */
function tag(): i32 {
  let p = next
  unit(p)
  if (point == 0x21 && at(next) == DASH) return comment(next)
  const isTag = (point | 0x20) - 0x61 < 26 || point == 0x2f || point == 0x21 || point == 0x3f
  if (!isTag) return OTHER
  let run = 0
  const limit = p + TAG_BYTES_MAX
  while (p < limit) {
    unit(p)
    if (point == LESS || at(p) == 0) return OTHER
    if (point == AMPERSAND && at(next) == 0x67 && at(next + 1) == 0x74) {
      next += 3
      return INVISIBLE
    }
    const kinds = classAt(p)
    if (kinds & DIGIT) {
      if (++run >= 12) isDense = true
    } else if ((kinds & JOINER) == 0) run = 0
    p = next
    if (point == GREATER) return INVISIBLE
  }
  return OTHER
}

/** `<!-- … -->`, from its first dash on. Where none ends is remembered, so that it is asked once. */
function comment(from: usize): i32 {
  const limit = from + TAG_BYTES_MAX
  let p = from >= openFrom && from < openTo ? openTo : from
  let run = 0
  for (; p < limit; p++) {
    const c = at(p)
    if (c == 0) return OTHER
    if (c - 0x30 < 10) {
      if (++run >= 12) isDense = true
    } else if ((classAt(p) & JOINER) == 0) run = 0
    if (c == GREATER && at(p - 1) == DASH && at(p - 2) == DASH && p >= from + 4) {
      next = p + 1
      return INVISIBLE
    }
  }
  if (from < openFrom || from >= openTo) openFrom = from
  openTo = limit
  return OTHER
}

/** How many digits stand at the end of [start, end). */
export function digitsAtEnd(start: usize, end: usize): i32 {
  let p = end
  while (p > start && at(p - 1) - 0x30 < 10) p--
  return <i32>(end - p)
}

/**
 * Where the other spelling begins to which digits at `s` may belong, not before `floor`; 0 for none.
 */
export function spellingAt(s: usize, floor: usize): usize {
  let q = s
  while (s - q < 8 && hexOf(at(q - 1)) < 16) q--
  const c = at(q - 1)
  let start: usize = 0
  if (c == 0x75 && at(q - 2) == BACKSLASH) start = q - 2
  else if (c == PERCENT || c == EQUALS) start = leadOf(q - 1, c)
  else {
    const hash = (c | 0x20) == 0x78 ? q - 2 : q - 1
    if (at(hash) != 0x23) return 0
    if (at(hash - 1) == AMPERSAND) start = hash - 1
    else if (load<u32>(hash - 5) == 0x706d6126 && at(hash - 1) == 0x3b) start = hash - 5
  }
  return start >= floor ? start : 0
}

/** The first byte of the UTF-8 sequence of which one byte is encoded at `p`. */
function leadOf(p: usize, sign: u32): usize {
  let q = p
  for (let n = 0; n < 3; n++) {
    const byte = hexPair(q + 1)
    if (byte < 0x80 || byte >= 0xc0 || at(q - 3) != sign || hexPair(q - 2) < 0x80) break
    q -= 3
  }
  return q
}
