/**
 * Names of verification values, PINs and tracks. A name ends where its word ends, so it is looked for
 * from its end: the last three letters by a table, the whole of it letter by letter, with all that
 * may stand between its words left out.
 */
import { APART, BEYOND, CODES, ENDS, FILLERS, JOINT, NODES, OTHER, SKIP, TRIM, WORD } from './memory'
import { at, classAt, classOf, codeAt, hexOf } from './memory'
import { emit, markSecret, offset, worked } from './found'
import { before, point, start, tagBefore } from './backward'
import { blob } from './base64'

/** What a name tells where it stands as a key, as a label, and that its value is base64. */
export const KEY: u32 = 1
export const LABEL: u32 = 2
export const BLOB: u32 = 4

const BACKSLASH: u32 = 0x5c
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

/** Whether the three letters in front of `p` can end a word of a table. */
function mayEnd(p: usize, table: usize): bool {
  const a = load<u8>(CODES + <usize>at(p - 1)) & 31
  const b = load<u8>(CODES + <usize>at(p - 2)) & 31
  const c = load<u8>(CODES + <usize>at(p - 3)) & 31
  const index = <u32>a | (<u32>b << 5) | (<u32>c << 10)
  if ((load<u8>(table + <usize>(index >> 3)) >> <u8>(index & 7)) & 1) return true
  // The letters themselves may be spelt in another way.
  const third = at(p - 3)
  return (
    third == 0x25 || third == 0x3d || at(p - 1) == 0x3b || at(p - 4) == BACKSLASH ||
    (at(p - 5) == 0x75 && at(p - 6) == BACKSLASH)
  )
}

/** A byte that ends cells, keys and headers stands at `p`: sets `secret` when a name ends there. */
export function ending(p: usize): void {
  let end = p
  if ((codeAt(end - 1) & WORD) == 0) {
    end = trimmed(p)
    if (end == 0) return
  }
  const last = at(end - 1)
  if (isLineEscape(last) && at(end - 2) == BACKSLASH) return
  if (!mayEnd(end, ENDS)) return
  if (!names(end, KEY | BLOB)) return
  if (told & KEY) markSecret()
  else blob(p)
}

/** The end of the word in front of `p`, past what is no part of a name; 0 for none. */
function trimmed(p: usize): usize {
  let q = p
  while (p - q < PADDING_MAX) {
    if (load<u64>(q - 8) == 0x2020202020202020) {
      q -= 8
      continue
    }
    const code = codeAt(q - 1)
    if (code & TRIM) q--
    else {
      worked(<i32>((p - q) >> 2))
      return code & WORD ? q : 0
    }
  }
  worked(<i32>(PADDING_MAX >> 3))
  markSecret() // A cell so wide that its name is out of reach.
  return 0
}

/** Digits stand at `p`: a label in front of them makes a spot of both. */
export function label(p: usize): void {
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
    if (mayEnd(q, ENDS) && names(q, LABEL)) {
      emit(offset(nameStart), offset(p) + 16)
      return
    }
    if (!mayEnd(q, FILLERS)) {
      // It may be the name of a tag that is left out.
      if (tag == 0) return
      q = tag
      tag = 0
      continue
    }
    while (codeAt(q - 1) & WORD || at(q - 1) == 0x5f) {
      if (++units > LABEL_UNITS_MAX) return
      q--
    }
  }
}

// @ts-ignore: decorator
@inline
function isJointUnit(c: u32): bool {
  return (load<u8>(0x400 + <usize>c) & JOINT) != 0
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
    if (++readings > READINGS_MAX) {
      // Too winding to be told: taken for a name.
      told = wanted
      nameStart = q
      return true
    }
    const c = at(q - 1)
    const code = codeAt(q - 1)
    if (code & SKIP) {
      q--
      continue
    }
    if (c == 0x3e) {
      q = tagBefore(q)
      if (q == 0) return false
      continue
    }
    // As itself first, then as a part of another spelling.
    if (c < 0x80 && code & WORD) {
      const isUpper = c - 0x41 < 26
      if (step(q - 1, q - 1, isUpper ? c | 0x20 : c, node)) return true
      if (isLineEscape(c) && at(q - 2) == BACKSLASH) {
        q -= 2
        continue
      }
      if (hexOf(c) > 15) return false
    }
    before(q)
    if (start == q - 1 && c < 0x80) return false
    const isApart = point < 0x80 ? isSkipUnit(point) : classOf(point) != OTHER
    if (!isApart) return step(start, start, point - 0x41 < 26 ? point | 0x20 : point, node)
    q = start
  }
  return false
}

// @ts-ignore: decorator
@inline
function isSkipUnit(c: u32): bool {
  return (load<u8>(CODES + <usize>c) & SKIP) != 0
}

/** Goes on from `node` by one letter, which begins at `from`. */
function step(from: usize, p: usize, letter: u32, node: u32): bool {
  let child = <u32>load<u16>(NODES + <usize>(node << 3), 2)
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
