/**
 * Reads a message window by window, 64 bytes a step, and says where a careful look for card data is
 * needed. Masks of the bytes that matter are made for all 64 at once, and places taken from them,
 * without asking what is there; every 4 KB the places are looked at:
 *
 *   starts   where a run of digits begins, or a character that may be a digit of another script
 *   ends     what a key, a header or a cell ends with: a name may stand in front
 *   lanes    twenty bytes without space or quote: they may be base64
 */
import { LANES, MASKS, STARTS, VECTORS, WINDOW } from './memory'
import { BEYOND, DIGIT, HIDES, INTRO, JOINER, JOINT, LEADS, at, classAt } from './memory'
import { clear, clearSpots, count, offset, secret, steps, worked } from './found'
import { forget, spellingAt } from './forward'
import * as stretches from './digits'
import * as base64 from './base64'
import { label, note, noteFew, settle } from './names'

export { CLASSES, CODES, ENDS, FILLERS, NODES, PLANES, SPOTS, VECTORS } from './memory'
export { MARGIN_BYTES, WINDOW, WINDOW_BYTES } from './memory'

/** So many bytes are read before their places are looked at. */
const BATCH: usize = 4096
/** Ends in 64 bytes, from which on they are sifted before they are noted. */
const FEW: u64 = 3

/** Up to here, as an offset from the window's start, digits are dealt with. */
let done: i32 = 0
let anyDigit: u64 = 0
let laneBefore: u32 = 0
// How many places are noted.
let starts: i32 = 0
let lanes: i32 = 0

/** Prepares for a message. */
export function begin(): void {
  clear()
  stretches.begin()
  base64.begin()
  done = 0
  anyDigit = 0
  laneBefore = 0
}

/** Whether a name of a secret stands in what was read, and a digit. */
export function hasSecretName(): bool {
  return secret != 0 && anyDigit != 0
}

/** Steps of scalar code since `begin`. */
export function operations(): i32 {
  return steps
}

/**
 * Reads the window of so many bytes; what stands behind it is up to MARGIN_BYTES of what follows, and
 * zeros. Returns how many spots were found.
 */
export function read(bytes: i32, isLast: bool): i32 {
  clearSpots()
  forget()
  const end = WINDOW + <usize>bytes
  base64.goOn(end)
  if (stretches.isOpen) done = offset(stretches.read(WINDOW + <usize>max(done, 0), end))
  for (let p = WINDOW; p < end; p += BATCH) {
    starts = 0
    lanes = 0
    scan(p, min(p + BATCH, end))
    numbers(p, end)
    for (let i = 0; i < lanes; i++) {
      base64.look(WINDOW + <usize>load<u16>(LANES + <usize>(i << 1)) - 16, end)
    }
    settle()
  }
  if (isLast && stretches.isOpen) stretches.close(end)
  stretches.shift(bytes)
  base64.shift(bytes)
  done -= bytes
  return count
}

// @ts-ignore: decorator
@inline
function mask(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16)) |
    (<u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16)) << 32)
  )
}

// @ts-ignore: decorator
@inline
function isDigit(v: v128, zero: v128, ten: v128): v128 {
  return i8x16.lt_u(i8x16.sub(v, zero), ten)
}

/** TAB LF CR " , ; by a table, since each of their low nibbles stands for one of them; and `\ | <`. */
// @ts-ignore: decorator
@inline
function isEnd(v: v128, table: v128, low: v128, fold: v128, bar: v128): v128 {
  return v128.or(
    i8x16.eq(i8x16.swizzle(table, v128.and(v, low)), v),
    i8x16.eq(v128.or(v, fold), bar),
  )
}

/** A bit for each four bytes that could all stand in a run of base64. */
// @ts-ignore: decorator
@inline
function quads(a: v128, b: v128, c: v128, d: v128, coarse: v128, ones: v128): u32 {
  const front = i8x16.narrow_i16x8_s(i8x16.gt_s(a, coarse), i8x16.gt_s(b, coarse))
  const back = i8x16.narrow_i16x8_s(i8x16.gt_s(c, coarse), i8x16.gt_s(d, coarse))
  return i8x16.bitmask(i8x16.eq(i8x16.narrow_i16x8_s(front, back), ones))
}

/** The loop over [from, end). Its constants come from memory: as literals they are made anew at each
 *  use, which takes twice the time. */
function scan(from: usize, end: usize): void {
  const table = v128.load(VECTORS)
  const low = v128.load(VECTORS, 16)
  const fold = v128.load(VECTORS, 32)
  const bar = v128.load(VECTORS, 48)
  const zero = v128.load(VECTORS, 64)
  const ten = v128.load(VECTORS, 80)
  const coarse = v128.load(VECTORS, 96)
  const ones = v128.load(VECTORS, 112)
  let lane = laneBefore
  let digitBefore: u64 = 0
  let all: u64 = 0
  let masks = MASKS
  for (let p = from; p < end; p += 64) {
    const a = v128.load(p)
    const b = v128.load(p, 16)
    const c = v128.load(p, 32)
    const d = v128.load(p, 48)
    const digits = mask(
      isDigit(a, zero, ten),
      isDigit(b, zero, ten),
      isDigit(c, zero, ten),
      isDigit(d, zero, ten),
    )
    let ends = mask(
      isEnd(a, table, low, fold, bar),
      isEnd(b, table, low, fold, bar),
      isEnd(c, table, low, fold, bar),
      isEnd(d, table, low, fold, bar),
    )
    const quad = (quads(a, b, c, d, coarse, ones) << 4) | lane
    lane = quad >> 16
    const pairs = quad & (quad >> 1)
    const long = pairs & (pairs >> 2) & (quad >> 4)
    store<u64>(masks, digits)
    masks += 8
    let first = digits & ~((digits << 1) | digitBefore)
    digitBefore = digits >> 63
    if (i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d))) != 0) first |= seeds(p)
    if (end - p < 64) {
      const inside = (<u64>1 << <u64>(end - p)) - 1
      first &= inside
      ends &= inside
    }
    all |= first
    noteStarts(p, first)
    const places = ends & ~(ends << 1)
    if (popcnt(places) > FEW) sift(p, places, ends)
    else noteFew(p, places)
    if (long != 0) noteLanes(p, long)
  }
  laneBefore = lane
  anyDigit |= all
}

// @ts-ignore: decorator
@inline
function noteStarts(p: usize, first: u64): void {
  let to = STARTS + <usize>(starts << 1)
  const base = <u32>(p - WINDOW)
  starts += <i32>popcnt(first)
  store<u16>(to, base + <u32>ctz(first))
  let left = first & (first - 1)
  store<u16>(to, base + <u32>ctz(left), 2)
  left &= left - 1
  for (; left != 0; left &= left - 1) {
    store<u16>(to, base + <u32>ctz(left), 4)
    to += 2
  }
}

/** Bit k: twenty bytes from four times k - 4 on. They are noted with 16 added, to be no less than 0. */
function noteLanes(p: usize, long: u32): void {
  for (let left = long; left != 0; left &= left - 1) {
    store<u16>(LANES + <usize>(lanes++ << 1), <u32>(p - WINDOW) + (ctz(left) << 2))
  }
}

/**
 * Notes places in front of which a name may stand: behind blanks those before which something stands
 * that is no end, nor the sign behind one, as the `n` of an escaped line break and the colon behind a
 * quote are. Of what is in front of the block all is believed.
 */
function sift(p: usize, places: u64, ends: u64): void {
  const space = v128.load(VECTORS, 128)
  const blanks = mask(
    i8x16.eq(v128.load(p), space),
    i8x16.eq(v128.load(p, 16), space),
    i8x16.eq(v128.load(p, 32), space),
    i8x16.eq(v128.load(p, 48), space),
  )
  const behindBlank = (blanks << 1) | <u64>(at(p - 1) == 0x20)
  const solid = ~(blanks | ends | (ends << 1))
  const begins = blanks & ~(blanks << 1) & ((solid << 1) | 1)
  // Adding the first bit of a run of blanks carries to the bit behind the run.
  const sum = (blanks + begins) | (behindBlank & 1)
  note(p, places & (~behindBlank | (sum & ~blanks)))
}

/** Bytes at which a character begins that may be a digit of another script. */
function seeds(p: usize): u64 {
  return mask(seed(p), seed(p + 16), seed(p + 32), seed(p + 48))
}

// @ts-ignore: decorator
@inline
function seed(p: usize): v128 {
  const low = v128.load(VECTORS, 16)
  const lead = v128.load(p)
  const second = v128.load(p, 1)
  const leads = v128.and(
    i8x16.swizzle(v128.load(VECTORS, 144), v128.and(lead, low)),
    i8x16.swizzle(v128.load(VECTORS, 160), v128.and(i16x8.shr_u(lead, 4), low)),
  )
  const seconds = v128.and(
    i8x16.swizzle(v128.load(VECTORS, 176), v128.and(second, low)),
    i8x16.swizzle(v128.load(VECTORS, 192), v128.and(i16x8.shr_u(second, 4), low)),
  )
  return i8x16.gt_u(v128.and(leads, seconds), i8x16.splat(0))
}

const GOES_ON: u32 = DIGIT | JOINER | INTRO | BEYOND | HIDES

/** Deals with the digits that begin at the places noted; `from` is where the masks begin. */
function numbers(from: usize, end: usize): void {
  worked(starts)
  // First, without a branch, what is one or two digits and nothing more is sorted out.
  let left = 0
  for (let k = 0; k < starts; k++) {
    const place = load<u16>(STARTS + <usize>(k << 1))
    const s = WINDOW + <usize>place
    const digits = load<u64>(MASKS + (((s - from) >> 6) << 3)) >> ((s - from) & 63)
    const length = <u32>ctz(~digits)
    const around = (classAt(s - 1) & LEADS) | (classAt(s + <usize>length) & GOES_ON)
    store<u16>(STARTS + <usize>(left << 1), place)
    left += <i32>((around | (length - 1 >= 2 ? 1 : 0)) != 0)
  }
  for (let k = 0; k < left; k++) {
    const place = <i32>load<u16>(STARTS + <usize>(k << 1))
    if (place < done) continue
    const s = WINDOW + <usize>place
    const stop = plainEnd(s, from)
    if (stop != 0) done = offset(stop)
    else {
      const reached = stretches.stretch(s, WINDOW + <usize>done, end)
      done = max(offset(reached), place + 1)
    }
  }
}

/**
 * Deals with the digits from `s` on, with single joiners between them, and returns where they end; 0
 * when there is more to them than that, or they go on behind the block.
 */
// @ts-ignore: decorator
@inline
function plainEnd(s: usize, from: usize): usize {
  // Zeros come in from above, so the end of the block ends a run.
  let digits = load<u64>(MASKS + (((s - from) >> 6) << 3)) >> ((s - from) & 63)
  let more = <u32>ctz(~digits)
  const before = classAt(s - 1)
  if (more == 0 || (before & LEADS && isSpelt(s))) return 0
  const last = s | 63
  let total = more
  let e = s + <usize>more
  let behind = classAt(e)
  while (behind & GOES_ON) {
    if (behind & DIGIT) return 0
    if (at(e) == 0x5c && at(e + 1) == 0x22) break
    if ((behind & JOINER) == 0 || e >= last) return 0
    digits = (digits >> more) >> 1
    more = <u32>ctz(~digits)
    if (more == 0) {
      if (classAt(e + 1) & GOES_ON) return 0
      break
    }
    total += more
    e += <usize>more + 1
    behind = classAt(e)
  }
  if (total >= 12) return 0
  if (total >= 3 && before & (JOINT | BEYOND)) label(s)
  if ((at(e) | 0x20) == 0x65) stretches.exponent(s, e, <i32>total)
  return e
}

/** Whether digits at `s` may be the rest of a character in another spelling. */
function isSpelt(s: usize): bool {
  // Mostly they are part of a word, with no sign of one near.
  const v = v128.load(s - 16)
  const signs = v128.or(
    v128.or(i8x16.eq(v, i8x16.splat(0x5c)), i8x16.eq(v, i8x16.splat(0x25))),
    v128.or(i8x16.eq(v, i8x16.splat(0x23)), i8x16.eq(v, i8x16.splat(0x3d))),
  )
  return i8x16.bitmask(signs) >>> 5 != 0 && spellingAt(s, WINDOW + <usize>done) != 0
}
