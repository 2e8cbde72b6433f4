/** What the bytes of vectors are. Constants are handed in: as literals they would be made anew each time. */
import { VECTORS } from './memory'

// @ts-ignore: decorator
@inline
export function mask(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16)) |
    (<u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16)) << 32)
  )
}

// @ts-ignore: decorator
@inline
export function isDigit(v: v128, zero: v128, ten: v128): v128 {
  return i8x16.lt_u(i8x16.sub(v, zero), ten)
}

/** Letters and digits; by their sign bit, so that all bytes beyond ASCII are in words too. */
// @ts-ignore: decorator
@inline
export function isWord(v: v128, zero: v128, ten: v128, lower: v128, first: v128, all: v128): v128 {
  const letters = i8x16.lt_u(i8x16.sub(v128.or(v, lower), first), all)
  return v128.or(v128.or(letters, isDigit(v, zero, ten)), v)
}

/** A backslash, a bar, or `<`. */
// @ts-ignore: decorator
@inline
export function isSign(v: v128, fold: v128, bar: v128): v128 {
  return i8x16.eq(v128.or(v, fold), bar)
}

/** A bit for each four bytes that could all stand in a run of base64. */
// @ts-ignore: decorator
@inline
export function quads(a: v128, b: v128, c: v128, d: v128, coarse: v128, ones: v128): u32 {
  const front = i8x16.narrow_i16x8_s(i8x16.gt_s(a, coarse), i8x16.gt_s(b, coarse))
  const back = i8x16.narrow_i16x8_s(i8x16.gt_s(c, coarse), i8x16.gt_s(d, coarse))
  return i8x16.bitmask(i8x16.eq(i8x16.narrow_i16x8_s(front, back), ones))
}

/** Where the bytes from `p` and from `q` on are pairs of a table, in 64 places. */
export function pairs(p: usize, q: usize, table: usize): u64 {
  const low = v128.load(VECTORS, 144)
  const oneLow = v128.load(table)
  const oneHigh = v128.load(table, 16)
  const twoLow = v128.load(table, 32)
  const twoHigh = v128.load(table, 48)
  const none = v128.load(VECTORS, 160)
  return mask(
    pair(p, q, low, oneLow, oneHigh, twoLow, twoHigh, none),
    pair(p + 16, q + 16, low, oneLow, oneHigh, twoLow, twoHigh, none),
    pair(p + 32, q + 32, low, oneLow, oneHigh, twoLow, twoHigh, none),
    pair(p + 48, q + 48, low, oneLow, oneHigh, twoLow, twoHigh, none),
  )
}

/** The same in sixteen places, by the nibbles of both bytes: a table gives eight bits for each. */
// @ts-ignore: decorator
@inline
export function pair(
  p: usize,
  q: usize,
  low: v128,
  oneLow: v128,
  oneHigh: v128,
  twoLow: v128,
  twoHigh: v128,
  none: v128,
): v128 {
  const one = v128.load(p)
  const two = v128.load(q)
  const ones = v128.and(
    i8x16.swizzle(oneLow, v128.and(one, low)),
    i8x16.swizzle(oneHigh, v128.and(i16x8.shr_u(one, 4), low)),
  )
  const twos = v128.and(
    i8x16.swizzle(twoLow, v128.and(two, low)),
    i8x16.swizzle(twoHigh, v128.and(i16x8.shr_u(two, 4), low)),
  )
  return i8x16.ne(v128.and(ones, twos), none)
}
