/**
 * Names of verification values, PINs and tracks. A name ends where its word ends, so it is looked for
 * from its end: the last three letters by a table, the whole of it letter by letter, with all that
 * may stand between its words left out.
 */
import { CODES, ENDS, LAST, NODES, OTHER, PLACES, SINGLES, SKIP, WINDOW, WORD } from './memory'
import { at, classOf, codeAt, hexOf } from './memory'
import { markSecret, secret, worked } from './found'
import { before, point, start, tagBefore } from './backward'
import { blob } from './base64'

/** What a name tells wherever it stands, as a key only, and that its value is base64. */
export const ANYWHERE: u32 = 1
export const KEY: u32 = 2
export const BLOB: u32 = 4

const BACKSLASH: u32 = 0x5c
const QUOTE: u32 = 0x22
const READINGS_MAX: i32 = 240
// As in `endings.ts`.
const FOLD: u32 = 0x5f5f5f5f
const FACTOR: u32 = 0x05415269
const THREE: u32 = 1
const FOUR: u32 = 2
const WHOLE: u32 = 4
/** What is skipped between the last letters of a name before it is read the long way. */
const SKIPPED_MAX: i32 = 16

let readings: i32 = 0
let told: u32 = 0

// @ts-ignore: decorator
@inline
function isLineEscape(c: u32): bool {
  return c == 0x6e || c == 0x72 || c == 0x74
}

/** Whether a name can end with the three bytes in front of `p`: 1 or 0. */
// @ts-ignore: decorator
@inline
function endBit(p: usize): u32 {
  return bitOf(load<u32>(p - 4))
}

// @ts-ignore: decorator
@inline
function hashOf(letters: u32): u32 {
  return ((letters & FOLD) * FACTOR) >> 16
}

/** The last byte is the highest, the lowest does not count. */
// @ts-ignore: decorator
@inline
function bitOf(x: u32): u32 {
  return <u32>load<u8>(ENDS + <usize>hashOf(x & 0xffffff00)) & THREE
}

/** How many places are noted. */
let noted: i32 = 0
/** The same of words of one letter. */
let singles: i32 = 0

// @ts-ignore: decorator
@inline
function put(to: usize, k: usize, base: u32, left: u64): u64 {
  store<u16>(to + (k << 1), base + <u32>ctz(left))
  return left & (left - 1)
}

/** Notes ends of words in the 64 bytes at `p`. Some are written whether there are so many or not: that
 *  is quicker than to ask. */
// @ts-ignore: decorator
@inline
export function noteFew(p: usize, ends: u64): void {
  let to = PLACES + <usize>(noted << 1)
  noted += <i32>popcnt(ends)
  const base = <u32>(p - WINDOW) + 1
  let left = put(to, 2, base, put(to, 1, base, put(to, 0, base, ends)))
  for (to += 6; left != 0; to += 2) left = put(to, 0, base, left)
}

/** The same where there are many. */
// @ts-ignore: decorator
@inline
export function noteMany(p: usize, ends: u64): void {
  let to = PLACES + <usize>(noted << 1)
  noted += <i32>popcnt(ends)
  const base = <u32>(p - WINDOW) + 1
  let left = put(to, 3, base, put(to, 2, base, put(to, 1, base, put(to, 0, base, ends))))
  left = put(to, 7, base, put(to, 6, base, put(to, 5, base, put(to, 4, base, left))))
  for (to += 16; left != 0; to += 2) left = put(to, 0, base, left)
}

/** Notes words of one letter that end in the 64 bytes at `p`, where that may be the last of a name. */
export function noteSingles(p: usize, ends: u64): void {
  for (let left = ends; left != 0; left &= left - 1) {
    const q = p + <usize>ctz(left)
    if (codeAt(q) & LAST && codeAt(q - 1) & SKIP) {
      store<u16>(SINGLES + <usize>(singles++ << 1), <u32>(q + 1 - WINDOW))
    }
  }
}

/** Looks at the places noted, and forgets them. */
export function settle(): void {
  look(PLACES, chosen())
  look(SINGLES, singles)
  noted = 0
  singles = 0
}

/** Leaves of the places noted, without a branch, those where three letters of a name stand in front. */
// @ts-ignore: decorator
@inline
function chosen(): i32 {
  let likely = 0
  for (let i = 0; i < noted; i++) {
    const place = load<u16>(PLACES + <usize>(i << 1))
    store<u16>(PLACES + <usize>(likely << 1), place)
    likely += <i32>endBit(WINDOW + <usize>place)
  }
  worked(noted)
  return likely
}

/** Looks at so many places for the ends of names. */
function look(places: usize, count: i32): void {
  for (let i = 0; i < count && secret == 0; i++) {
    const end = WINDOW + <usize>load<u16>(places + <usize>(i << 1))
    if (at(end) == 0x5f && goesOn(end)) continue
    const isTwo = (codeAt(end - 2) & WORD) != 0 && (codeAt(end - 3) & SKIP) != 0
    if ((isTwo && isShort(end)) || !mayEnd(end)) continue
    readings = 0
    told = 0
    const isName = walk(end, 0)
    worked(readings + 4)
    if (!isName) continue
    if (told & ANYWHERE) markSecret()
    else if (told & KEY) {
      if (isQuoted(end)) markSecret()
    } else blob(end)
  }
}

/**
 * Whether a name can end in front of `p` by its last four letters, what is skipped left out. It says no
 * to nothing that `walk` could read in another way.
 */
function mayEnd(p: usize): bool {
  let q = p
  let letters: u32 = 0
  let count = 0
  let skipped = 0
  while (true) {
    const c = at(q - 1)
    if ((c | 0x20) - 0x61 < 26 || c - 0x30 < 10) {
      if (isLineEscape(c) && at(q - 2) == BACKSLASH) return true
      if (hexOf(c) < 16) {
        const sign = at(q - 3)
        if (sign == 0x25 || sign == 0x3d || (at(q - 5) == 0x75 && at(q - 6) == BACKSLASH)) return true
      }
      letters |= c << (24 - (count << 3))
      count++
      if (count == 3 && load<u8>(ENDS + <usize>hashOf(letters)) & WHOLE) return true
      if (count == 4) return (load<u8>(ENDS + <usize>hashOf(letters)) & FOUR) != 0
    } else if (codeAt(q - 1) & SKIP) {
      if (++skipped > SKIPPED_MAX) return true
    } else return c >= 0x80 || c == 0x3e || c == 0x3b
    q--
  }
  return true
}

/**
 * Whether a word of two letters in front of `p` ends no name, by what stands in front of it: another
 * letter that is not the third of a name, or a quote that opens a string.
 */
function isShort(p: usize): bool {
  const gap = at(p - 3)
  let before = at(p - 4)
  if (gap == QUOTE) {
    if (before == BACKSLASH) before = at(p - 5)
    return before == 0x20 || before == 0x2c || before == 0x3a || before == 0x5b || before == 0x7b
  }
  if ((before | 0x20) - 0x61 >= 26 || at(p - 5) == BACKSLASH) return false
  return bitOf((load<u32>(p - 4) & 0xffff0000) | (before << 8)) == 0
}

/** Whether a word goes on behind the underscores at `p`. */
function goesOn(p: usize): bool {
  let q = p
  while (at(q) == 0x5f && q - p < 32) q++
  return at(q) < 0x80 && (codeAt(q) & WORD) != 0
}

/** Whether a string ends behind a name that ends at `p`. */
function isQuoted(p: usize): bool {
  let q = p
  while (q - p < 32 && at(q) != QUOTE && codeAt(q) & SKIP) q++
  return at(q) == QUOTE
}

/** Whether the letters in front of `p` lead from `node` to the whole of a name. */
function walk(p: usize, node: u32): bool {
  let q = p
  while (true) {
    while (codeAt(q - 1) & SKIP) {
      // Nothing goes over the quote in front of a key.
      if (at(q - 1) == QUOTE && opens(q - 1)) return false
      q -= load<u64>(q - 8) == 0x2020202020202020 ? 8 : 1
      if (++readings > READINGS_MAX) return wound()
    }
    if (++readings > READINGS_MAX) return wound()
    const c = at(q - 1)
    // As itself first, then as a part of another spelling.
    if (c < 0x80) {
      if ((c | 0x20) - 0x61 < 26 || c - 0x30 < 10) {
        if (step(q - 1, q - 1, c - 0x41 < 26 ? c | 0x20 : c, node)) return true
        if (isLineEscape(c) && at(q - 2) == BACKSLASH) {
          q -= 2
          continue
        }
        if (hexOf(c) > 15) return false
      } else if (c == 0x3e) {
        q = tagBefore(q)
        if (q == 0) return false
        continue
      } else if (c != 0x3b) return false
    }
    before(q)
    if (start == q - 1 && c < 0x80) return false
    const isApart = point < 0x80 ? isSkipUnit(point) : classOf(point) != OTHER
    if (!isApart) return step(start, start, point - 0x41 < 26 ? point | 0x20 : point, node)
    q = start
  }
  return false
}

/** A quote behind a comma, a brace or the blanks of a new line. */
function opens(quote: usize): bool {
  let q = quote
  while (at(q - 1) == BACKSLASH) q--
  const c = at(q - 1)
  return c == 0x2c || c == 0x7b || (c == 0x20 && load<u64>(q - 8) == 0x2020202020202020)
}

/** Too winding to be told: taken for a name. */
function wound(): bool {
  told = ANYWHERE
  return true
}

// @ts-ignore: decorator
@inline
function isSkipUnit(c: u32): bool {
  return (load<u8>(CODES + <usize>c) & SKIP) != 0
}

/** Goes on from `node` by one letter, which begins at `from`. */
function step(from: usize, p: usize, letter: u32, node: u32): bool {
  // The first letter of all has a table: 128 nodes in front of the others.
  let child: u32 = 0
  if (node == 0 && letter < 0x80) child = load<u16>(NODES - 256 + <usize>(letter << 1))
  else child = load<u16>(NODES + <usize>(node << 3), 2)
  while (child != 0) {
    const here = NODES + <usize>(child << 3)
    if (load<u16>(here) == letter) {
      const tells = <u32>load<u8>(here, 6)
      if (tells != 0 && begins(from)) {
        told = tells
        return true
      }
      return walk(p, child)
    }
    child = load<u16>(here, 4)
  }
  return false
}

/** Whether a word of a name can begin at `p`. */
function begins(p: usize): bool {
  const c = at(p)
  const previous = at(p - 1)
  if (hexOf(previous) > 9 && (previous | 0x20) - 0x61 >= 26) return true
  if ((c | 0x20) - 0x61 >= 26 || c - 0x41 < 26) return true
  if (at(p - 2) == BACKSLASH) return true
  return at(p - 3) == 0x25 || at(p - 3) == 0x3d || (at(p - 5) == 0x75 && at(p - 6) == BACKSLASH)
}
