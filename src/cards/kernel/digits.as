/**
 * Stretches of digits: digits in any spelling with joiners between them. What may be read in two ways,
 * as `=4111`, counts as that of more digits.
 */
import { BEYOND, DIGIT, HIDES, INTRO, JOINER, LEADS, NUMERAL, OTHER, VISIBLE } from './memory'
import { WINDOW, at, classAt } from './memory'
import { emit, offset, worked } from './found'
import { digitsAtEnd, isDense, isEncoded, next, point, spellingAt, token } from './forward'

const DIGITS_MIN: i32 = 12
/** Joiners that show, between two digits. */
const GAPS_MAX: i32 = 8
/** What may follow a number and belong to it: its date and verification value. */
const TAIL: i32 = 128

/** The stretch at hand goes on behind the window. */
export let isOpen: bool = false
let from: i32 = 0
let last: i32 = 0
let count: i32 = 0
let gaps: i32 = 0
/** How many digits there were when something was seen that hides others. */
let hidAt: i32 = -1
let isHot: bool = false

export function begin(): void {
  isOpen = false
}

/** The window moves on by so many bytes. */
export function shift(bytes: i32): void {
  from -= bytes
  last -= bytes
}

/**
 * Reads the stretch that begins with the digits at `s`, or with a spelling of digits round them that
 * begins at `floor` or later. Returns where it ends.
 */
export function stretch(s: usize, floor: usize, end: usize): usize {
  if (classAt(s - 1) & LEADS) {
    const start = spellingAt(s, floor)
    if (start != 0 && token(start) != OTHER) {
      const stop = begun(start, end)
      if (stop > s) return stop
    }
  }
  return begun(s, end)
}

function begun(p: usize, end: usize): usize {
  from = offset(p)
  last = from
  count = 0
  gaps = 0
  hidAt = -1
  isHot = false
  return read(p, end)
}

/** Takes a stretch of digits enough in [s, p); false when what follows may hide more, or is an exponent. */
export function plain(s: usize, p: usize, hides: u32): bool {
  if (hides != 0 || (at(p) | 0x20) == 0x65) return false
  worked(8)
  emit(offset(s), offset(p) + TAIL)
  return true
}

/** Goes on with an open stretch. */
export function read(start: usize, end: usize): usize {
  let p = start
  while (p < end) {
    const kinds = classAt(p)
    if (kinds & DIGIT) {
      const some = areDigits(load<u64>(p)) ? 8 : 1
      count += some
      gaps = 0
      p += some
      last = offset(p)
    } else if (kinds & JOINER) {
      if (kinds & HIDES) hide(p)
      if (++gaps > GAPS_MAX) break
      p++
    } else {
      if ((kinds & (INTRO | BEYOND)) == 0) break
      const kind = token(p)
      if (kind == OTHER) break
      const behind = next
      const isBelow = isEncoded
      if (isDense) isHot = true
      if (isBullet(point)) hide(p)
      if (!take(p, behind, kind, isBelow)) break
      p = behind
    }
    if (count >= DIGITS_MIN) isHot = true
  }
  worked(<i32>(p - start) + 4)
  // Eight digits at a time may lead behind the window; what follows goes on from there.
  isOpen = p >= end
  if (!isOpen) close(p)
  return p
}

// @ts-ignore: decorator
@inline
function areDigits(x: u64): bool {
  const low = x ^ 0x3030303030303030
  return ((low | (low + 0x0606060606060606)) & 0xf0f0f0f0f0f0f0f0) == 0
}

/** Counts the character in [p, behind); false when it is one joiner too many. */
function take(p: usize, behind: usize, kind: i32, isBelow: bool): bool {
  if (kind == NUMERAL) {
    gaps = 0
    last = offset(behind)
  }
  const digits = digitsAtEnd(p, behind)
  const one = kind == NUMERAL ? 1 : 0
  // Of several encodings any may be undone and the others not.
  count = isBelow ? count + max(one, digits) : max(count + one, digits)
  if (digits > 0) {
    last = offset(behind)
    if (isBelow) {
      gaps = 0
      return true
    }
  }
  return kind != VISIBLE || ++gaps <= GAPS_MAX
}

/** Ends the stretch at hand in front of `p`. */
export function close(p: usize): void {
  isOpen = false
  if (count >= 4) {
    token(p)
    if (isMask(point)) hidden(p)
  }
  const start = WINDOW + <usize>from
  if ((at(p) | 0x20) == 0x65) exponent(start, p, count)
  if (isHot) emit(from, last + TAIL)
}

/** Something hides digits at `p`: asked once between two digits. */
function hide(p: usize): void {
  if (count != hidAt) hidden(p)
  hidAt = count
}

// @ts-ignore: decorator
@inline
function isBullet(c: u32): bool {
  return c == 0x2022 || c == 0x25cf || c == 0xb7
}

function isMask(c: u32): bool {
  return c == 0x2a || (c | 0x20) == 0x78 || c == 0x23 || isBullet(c)
}

/** A number whose middle is hidden: what hides it begins at `start`, digits are in front of it. */
function hidden(start: usize): void {
  if (count < 4) return
  let p = start
  let hides = 0
  let tail = 0
  for (let n = 0; n < 64; n++) {
    const kind = token(p)
    if (isMask(point)) {
      if (tail > 0) return
      hides++
    } else if (kind == NUMERAL) {
      if (hides < 3) return
      if (++tail == 4) {
        emit(from, offset(next))
        return
      }
    } else if (kind == OTHER) return
    p = next
  }
}

/**
 * A JSON number in [start, p) with an exponent at `p`, such as 4.1E15: as a whole number it has more
 * digits than it shows.
 */
export function exponent(start: usize, p: usize, digits: i32): void {
  let q = p + 1
  if (at(q) == 0x2b) q++
  const first = q
  let value = 0
  while (q - first < 3 && at(q) - 0x30 < 10) value = value * 10 + <i32>(at(q++) - 0x30)
  if (q == first || value > 19 || digits + value < DIGITS_MIN || q - start < 8) return
  const before = at(start - 1) == 0x2d ? start - 1 : start
  if (bounds(at(before - 1)) || at(before - 2) == 0x5c) {
    if (bounds(at(q))) emit(offset(before), offset(q))
  }
}

/** Whether a byte can stand beside a number in JSON. */
function bounds(c: u32): bool {
  return c <= 0x20 || c == 0x2c || c == 0x3a || c == 0x5b || c == 0x5d || c == 0x7d || c == 0x5c
}
