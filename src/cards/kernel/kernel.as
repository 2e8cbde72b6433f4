/**
 * Reads a message window by window, 64 bytes a step, and says where a careful look for card data is
 * needed. Masks of the bytes that matter are made for all 64 at once; the rest is done one by one:
 *
 *   digits       each run of them; what goes on is followed by `digits.as`
 *   seeds        first bytes of characters that may be digits of other scripts
 *   endings      what a key, a header or a cell ends with: a name may stand in front
 *   lanes        eight bytes without space or quote; two in a row may be base64
 */
import { BEYOND, DIGIT, HIDES, INTRO, JOINER, JOINT, LEADS, SEEDS, WINDOW } from './memory'
import { at, classAt } from './memory'
import { clear, clearSpots, count, secret, steps, worked } from './found'
import { forget } from './forward'
import * as stretches from './digits'
import * as base64 from './base64'
import { ending, label } from './names'

export { CLASSES, CODES, SEEDS, ENDS, FILLERS, NODES, SPOTS, PLANES } from './memory'
export { WINDOW, WINDOW_BYTES, MARGIN_BYTES } from './memory'

/** Up to here, as an offset from the window's start, digits are dealt with. */
let done: i32 = 0
let anyDigit: u64 = 0
// The last bits of the block before.
let endedBefore: u64 = 0
let laneBefore: u32 = 0

/** Prepares for a message. */
export function begin(): void {
  clear()
  stretches.begin()
  base64.begin()
  done = 0
  anyDigit = 0
  endedBefore = 0
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
  if (stretches.isOpen) goOn(end)
  for (let p = WINDOW; p < end; p += 64) block(p, end)
  if (isLast && stretches.isOpen) stretches.close(end)
  stretches.shift(bytes)
  base64.shift(bytes)
  done -= bytes
  return count
}

function goOn(end: usize): void {
  const p = stretches.read(WINDOW + <usize>max(done, 0), end)
  done = <i32>(p - WINDOW)
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
function isDigit(v: v128): v128 {
  return i8x16.lt_u(i8x16.sub(v, i8x16.splat(0x30)), i8x16.splat(10))
}

// Of these each low nibble stands for one byte: TAB LF CR " , ;
const endings = i8x16(-1, -1, 0x22, -1, -1, -1, -1, -1, -1, 0x09, 0x0a, 0x3b, 0x2c, 0x0d, -1, 0)

/** Those, and `\ | <`. */
// @ts-ignore: decorator
@inline
function isEnding(v: v128): v128 {
  return v128.or(
    i8x16.eq(i8x16.swizzle(endings, v128.and(v, i8x16.splat(0x0f))), v),
    i8x16.eq(v128.or(v, i8x16.splat(0x60)), i8x16.splat(0x7c)),
  )
}

/** Lanes of eight bytes that could stand in a run of base64. */
// @ts-ignore: decorator
@inline
function lanes(v: v128): u32 {
  return i64x2.bitmask(i64x2.eq(i8x16.gt_s(v, i8x16.splat(<i8>base64.COARSE)), i64x2.splat(-1)))
}

function block(p: usize, end: usize): void {
  const a = v128.load(p)
  const b = v128.load(p, 16)
  const c = v128.load(p, 32)
  const d = v128.load(p, 48)
  const inside: u64 = end - p < 64 ? (<u64>1 << <u64>(end - p)) - 1 : ~0
  let hot = mask(isDigit(a), isDigit(b), isDigit(c), isDigit(d)) & inside
  const ended = mask(isEnding(a), isEnding(b), isEnding(c), isEnding(d)) & inside
  const digits = hot
  if (i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d))) != 0) hot |= seeds(p) & inside
  const full = (lanes(a) | (lanes(b) << 2) | (lanes(c) << 4) | (lanes(d) << 6)) << 1 | laneBefore
  const pairs = full & (full >> 1)
  if (pairs != 0) encoded(p, end, pairs)
  laneBefore = full >> 8
  if (hot != 0) {
    anyDigit |= hot
    numbers(p, end, digits, hot)
  }
  const first = ended & ~((ended << 1) | endedBefore)
  endedBefore = ended >> 63
  if (first != 0 && secret == 0) endsOf(p, first)
}

/** Bytes at which a character begins that may be a digit of another script. */
function seeds(p: usize): u64 {
  return mask(seed(p), seed(p + 16), seed(p + 32), seed(p + 48))
}

// @ts-ignore: decorator
@inline
function seed(p: usize): v128 {
  const low = i8x16.splat(0x0f)
  const lead = v128.load(p)
  const second = v128.load(p, 1)
  const leads = v128.and(
    i8x16.swizzle(v128.load(SEEDS), v128.and(lead, low)),
    i8x16.swizzle(v128.load(SEEDS, 16), i8x16.shr_u(lead, 4)),
  )
  const seconds = v128.and(
    i8x16.swizzle(v128.load(SEEDS, 32), v128.and(second, low)),
    i8x16.swizzle(v128.load(SEEDS, 48), i8x16.shr_u(second, 4)),
  )
  return i8x16.ne(v128.and(leads, seconds), i8x16.splat(0))
}

function encoded(p: usize, end: usize, pairs: u32): void {
  // Bit k: lanes k - 1 and k of the block, counted from the last one of the block before.
  for (let left = pairs; left != 0; left &= left - 1) {
    const q = p + <usize>(ctz(left) << 3) - 8
    if (<i32>(q + 15 - WINDOW) >= base64.done) base64.look(q, end)
  }
}

function endsOf(p: usize, first: u64): void {
  let left = first
  for (; left != 0; left &= left - 1) ending(p + <usize>ctz(left))
  worked(<i32>popcnt(first))
}

/** Deals with each run of digits that begins in the block at `p`. */
function numbers(p: usize, end: usize, digits: u64, hot: u64): void {
  let left = hot
  const over = done - <i32>(p - WINDOW)
  if (over > 0) left = over > 63 ? 0 : left & (~(<u64>0) << over)
  while (left != 0) {
    const i = ctz(left)
    const s = p + <usize>i
    let length = ctz(~(digits >> i))
    if (i + length > 64) length = 64 - i
    const e = s + <usize>length
    worked(1)
    if (length > 0 && (i + length < 64 || at(e) - 0x30 >= 10) && isPlain(s, e)) {
      done = <i32>(e - WINDOW)
    } else {
      const floor = WINDOW + <usize>done
      const stop = stretches.stretch(s, floor, end)
      done = max(<i32>(stop - WINDOW), <i32>(s - WINDOW) + 1)
    }
    const to = done - <i32>(p - WINDOW)
    if (to > 63) return
    left = hot & (~(<u64>0) << to)
  }
}

/** Deals with the run of digits [s, e) when it is nothing but itself; else false. */
// @ts-ignore: decorator
@inline
function isPlain(s: usize, e: usize): bool {
  const length = e - s
  const before = classAt(s - 1)
  const behind = classAt(e)
  if (length >= 12 || before & LEADS) return false
  const goesOn: u32 = DIGIT | JOINER | INTRO | BEYOND | HIDES
  if (behind & goesOn) {
    const next = at(e + 1)
    const isQuote = next == 0x22 && at(e) == 0x5c
    if (!isQuote && ((behind & JOINER) == 0 || classAt(e + 1) & goesOn)) return false
  }
  if (length >= 3 && before & (JOINT | BEYOND)) label(s)
  if ((at(e) | 0x20) == 0x65) stretches.exponent(s, e, <i32>length)
  return true
}
