/**
 * Names of verification values, PINs and tracks. A name ends where its word ends, so it is looked for
 * from its end: the last three letters by a table, the whole of it letter by letter, with all that
 * may stand between its words left out.
 */
import { BEYOND, CLASSES, CODES, ENDS, FILLERS, JOINT, NODES, OTHER, PLACES } from './memory'
import { SKIP, TRIM, WINDOW, WORD } from './memory'
import { at, classAt, classOf, codeAt, hexOf } from './memory'
import { emit, markSecret, offset, secret, worked } from './found'
import { before, point, start, tagBefore } from './backward'
import { blob } from './base64'

/** What a name tells where it stands as a key, as a label, and that its value is base64. */
export const KEY: u32 = 1
export const LABEL: u32 = 2
export const BLOB: u32 = 4

const BACKSLASH: u32 = 0x5c
const QUOTE: u32 = 0x22
const READINGS_MAX: i32 = 240
const LABEL_UNITS_MAX: i32 = 64
const LABEL_BYTES_MAX: usize = 900
const FILLERS_MAX: i32 = 4
const PADDING_MAX: usize = 1800

let readings: i32 = 0
let wanted: u32 = 0
let told: u32 = 0

// @ts-ignore: decorator
@inline
function isLineEscape(c: u32): bool {
  return c == 0x6e || c == 0x72 || c == 0x74
}

/** The bit of a table for the three bytes in front of `p`: seven bits of the last, six of the others, by
 *  which letters of both cases are one and differ from digits and most signs. */
// @ts-ignore: decorator
@inline
function bitOf(p: usize, table: usize): u32 {
  const x = load<u32>(p - 4)
  const y = (x & 0x1f1f00) | ((x >> 1) & 0x202000)
  const index = ((x >> 24) & 127) | ((y >> 9) & 0x1f80) | ((y << 5) & 0x7e000)
  return (<u32>load<u8>(table + <usize>(index >> 3)) >> (index & 7)) & 1
}

// @ts-ignore: decorator
@inline
function mayEnd(p: usize, table: usize): bool {
  return bitOf(p, table) != 0
}

/** Whether the last letters in front of `p` may be in a spelling that hides them from the tables. */
function isSpelt(p: usize): bool {
  const c = at(p - 3)
  return c == 0x25 || c == 0x3d || at(p - 1) == 0x3b
}

/** How many places are noted. */
let noted: i32 = 0

/** Notes up to three places, needed or not: that is quicker than to ask how many there are. */
// @ts-ignore: decorator
@inline
export function noteFew(p: usize, ends: u64): void {
  const to = PLACES + <usize>(noted << 1)
  const base = <u32>(p - WINDOW)
  noted += <i32>popcnt(ends)
  store<u16>(to, base + <u32>ctz(ends))
  const second = ends & (ends - 1)
  store<u16>(to, base + <u32>ctz(second), 2)
  store<u16>(to, base + <u32>ctz(second & (second - 1)), 4)
}

/** Notes any number of places. */
export function note(p: usize, ends: u64): void {
  for (let left = ends; left != 0; left &= left - 1) {
    store<u16>(PLACES + <usize>(noted++ << 1), <u32>(p - WINDOW) + <u32>ctz(left))
  }
}

/** Looks at the places noted, and forgets them. */
export function settle(): void {
  // First, without a branch, to those where three letters of a name stand in front.
  let likely = 0
  for (let i = 0; i < noted; i++) {
    const place = load<u16>(PLACES + <usize>(i << 1))
    store<u16>(PLACES + <usize>(likely << 1), place)
    likely += <i32>bitOf(WINDOW + <usize>place, ENDS)
  }
  worked(noted)
  noted = 0
  for (let i = 0; i < likely; i++) {
    if (secret != 0) return
    const p = WINDOW + <usize>load<u16>(PLACES + <usize>(i << 1))
    let end = p
    if (codeAt(p - 1) & TRIM) {
      end = trimmed(p)
      if (end == 0 || !mayEnd(end, ENDS)) continue
    }
    ending(end, p)
  }
}

/** Sets `secret` when a name ends in front of `end`; it is followed by what stands at `p`. */
function ending(end: usize, p: usize): void {
  if ((codeAt(end - 1) & WORD) == 0 || !names(end, KEY | BLOB)) return
  if (told & KEY) markSecret()
  else blob(p)
}

/** The end of the word in front of `p`, past what is no part of a name; 0 for none. */
function trimmed(p: usize): usize {
  let q = p
  while (load<u64>(q - 8) == 0x2020202020202020) {
    q -= 8
    if (p - q > PADDING_MAX) return padded()
  }
  while (codeAt(q - 1) & TRIM) {
    q--
    if (p - q > PADDING_MAX) return padded()
  }
  worked(<i32>((p - q) >> 2))
  // The letter of an escaped line break ends no name.
  return isLineEscape(at(q - 1)) && at(q - 2) == BACKSLASH ? 0 : q
}

/** A cell so wide that its name is out of reach. */
function padded(): usize {
  worked(<i32>PADDING_MAX)
  markSecret()
  return 0
}

/**
 * Digits stand at `p`: a label in front of them makes a spot of both. What most often stands in front
 * of a value in JSON is passed at once: there the name was looked at when its quote came.
 */
export function label(p: usize): void {
  const x = load<u64>(p - 8)
  let end: usize = 0
  if (x >> 32 == 0x203a225c) end = p - 4
  else if (x >> 40 == 0x203a22) end = p - 3
  else if (x >> 48 == 0x3a22) end = p - 2
  else if (x >> 16 == 0x225c203a225c) end = p - 6
  else if (x >> 32 == 0x22203a22) end = p - 4
  else if (x >> 40 == 0x223a22) end = p - 3
  if (end != 0 && codeAt(end - 1) & WORD && !mayEnd(end, FILLERS)) return
  lookBack(p)
}

function lookBack(p: usize): void {
  let q = p
  let tag: usize = 0
  let units = 0
  for (let words = 0; words < FILLERS_MAX; words++) {
    // What stands between the label and its value.
    for (;;) {
      if (++units > LABEL_UNITS_MAX || p - q > LABEL_BYTES_MAX) return
      const kinds = classAt(q - 1)
      if (kinds & JOINT) {
        if (at(q - 1) == 0x3e) {
          const begins = tagBefore(q)
          if (begins != 0) tag = begins
        }
        q--
        continue
      }
      if (isLineEscape(at(q - 1)) && at(q - 2) == BACKSLASH) {
        q -= 2
        continue
      }
      before(q)
      if (start == q - 1 && (kinds & BEYOND) == 0) break
      const isJoint = point < 0x80 ? isJointUnit(point) : classOf(point) != OTHER
      if (!isJoint) break
      q = start
    }
    worked(units)
    if ((codeAt(q - 1) & WORD) == 0 && at(q - 1) != 0x3b) return
    if ((mayEnd(q, ENDS) || isSpelt(q)) && names(q, LABEL)) {
      emit(offset(nameStart), offset(p) + 16)
      return
    }
    if (mayEnd(q, FILLERS)) {
      while (codeAt(q - 1) & WORD || at(q - 1) == 0x5f) {
        if (++units > LABEL_UNITS_MAX) return
        q--
      }
    } else {
      // It may be the name of a tag that is left out.
      if (tag == 0) return
      q = tag
      tag = 0
    }
  }
}

// @ts-ignore: decorator
@inline
function isJointUnit(c: u32): bool {
  return (load<u8>(CLASSES + <usize>c) & JOINT) != 0
}

let nameStart: usize = 0

/** Whether a name ends in front of `p` that tells one of `what`. */
function names(p: usize, what: u32): bool {
  readings = 0
  wanted = what
  told = 0
  const is = walk(p, 0)
  worked(readings + 4)
  return is
}

/** Whether the letters in front of `p` lead from `node` to the whole of a name. */
function walk(p: usize, node: u32): bool {
  let q = p
  while (true) {
    while (codeAt(q - 1) & SKIP) {
      // Nothing goes over the quote in front of a key.
      if (at(q - 1) == QUOTE && opens(q - 1)) return false
      q -= load<u64>(q - 8) == 0x2020202020202020 ? 8 : 1
      if (++readings > READINGS_MAX) return wound(q)
    }
    if (++readings > READINGS_MAX) return wound(q)
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
function wound(p: usize): bool {
  told = wanted
  nameStart = p
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
      const tells = <u32>load<u8>(here, 6) & wanted
      if (tells != 0 && begins(from)) {
        told = tells
        nameStart = from
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
