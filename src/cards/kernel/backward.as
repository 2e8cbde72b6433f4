/** Characters in front of an address, in any spelling: what `forward.as` reads, from its end. */
import { at, cp, decode, hexOf, hexPair, hexQuad, width } from './memory'

const BACKSLASH: u32 = 0x5c
const PERCENT: u32 = 0x25
const EQUALS: u32 = 0x3d
const TAG_BYTES_MAX: usize = 300
/** Stands for a character reference by name. */
export const NAMED: u32 = 0x200b

/** The code point last read, and where it begins. */
export let point: u32 = 0
export let start: usize = 0

/** Reads the character in front of `p`. Where it can be read as itself too, it is not. */
export function before(p: usize): void {
  const c = at(p - 1)
  point = c
  start = p - 1
  if (c >= 0x80) beyond(p)
  else if (hexOf(c) < 16) encoded(p)
  else if (c == 0x3b) reference(p)
}

function beyond(p: usize): void {
  let q = p - 1
  while ((at(q) & 0xc0) == 0x80 && p - q < 4) q--
  decode(q)
  point = 0xfffd
  if (q + width != p) return
  point = cp
  start = q
}

/** `\u0041`, `%41`, `=41`, and `%C3%A4`. */
function encoded(p: usize): void {
  if (at(p - 5) == 0x75 && at(p - 6) == BACKSLASH) {
    const value = hexQuad(p - 4)
    if (value >= 0) {
      point = value
      start = backslashes(p - 5)
      return
    }
  }
  const value = hexPair(p - 2)
  const sign: usize = value < 0 ? 0 : signBefore(p - 2)
  if (sign == 0) return
  if (value < 0x80) {
    point = value
    start = sign
    return
  }
  const lead = hexPair(sign - 2)
  const first: usize = lead >= 0xc2 && lead < 0xe0 ? signBefore(sign - 2) : 0
  if (first == 0) return
  point = ((lead & 31) << 6) | (value & 63)
  start = first
}

function backslashes(p: usize): usize {
  let q = p - 1
  while (at(q - 1) == BACKSLASH && p - q < 64) q--
  return q
}

/** Where the `%` or `=` begins that ends in front of `p`, once more encoded or not; 0 for none. */
function signBefore(p: usize): usize {
  const c = at(p - 1)
  if (c == PERCENT || c == EQUALS) return p - 1
  if (hexOf(c) > 15) return 0
  const value = hexPair(p - 2)
  if (value != PERCENT && value != EQUALS) return 0
  if (at(p - 5) == 0x75 && at(p - 6) == BACKSLASH && hexPair(p - 4) == 0) return backslashes(p - 5)
  return at(p - 3) == PERCENT || at(p - 3) == EQUALS ? p - 3 : 0
}

/** A character reference that ends with the `;` in front of `p`. */
function reference(p: usize): void {
  let q = p - 1
  while (p - q < 16 && (at(q - 1) == 0x23 || hexOf(at(q - 1)) < 10 || isLetter(at(q - 1)))) q--
  let amp: usize = 0
  if (at(q - 1) == 0x26) amp = q - 1
  else if (at(q - 1) == 0x3b && load<u32>(q - 5) == 0x706d6126) amp = q - 5
  else if (at(q - 1) == BACKSLASH && load<u32>(q) == 0x32303075 && at(q + 4) == 0x36) {
    amp = backslashes(q)
    q += 5
  } else if (at(q - 1) == PERCENT && load<u16>(q) == 0x3632) {
    amp = q - 1
    q += 2
  }
  if (amp == 0) return
  start = amp
  point = NAMED
  if (at(q) != 0x23) return
  q++
  const isHex = (at(q) | 0x20) == 0x78
  if (isHex) q++
  point = 0
  for (; q < p - 1; q++) point = point * (isHex ? 16 : 10) + hexOf(at(q))
}

// @ts-ignore: decorator
@inline
function isLetter(c: u32): bool {
  return (c | 0x20) - 0x61 < 26
}

/** Where the tag begins that ends in front of `p`; 0 for none near. */
export function tagBefore(p: usize): usize {
  const max = p - TAG_BYTES_MAX
  for (let q = p - 1; q > max; q--) {
    const c = at(q - 1)
    if (c == 0x3c) return q - 1
    if (c == 0x3e) return 0
    // `<` as an escape.
    if ((c | 0x20) == 0x63 && load<u32>(q - 5) == 0x33303075 && at(q - 6) == BACKSLASH) return q - 6
  }
  return 0
}
