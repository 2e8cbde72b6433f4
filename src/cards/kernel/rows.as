/**
 * Passes over values of rows in which nothing is to be found, and numbers in card columns, from glue to glue: what stands between two
 * values is compared with what stood there in the row before, and the value behind is looked over. What
 * is not plain is left to the careful scanner, which knows the same rules (`rows.ts`, `idle.ts`).
 *
 *   glue, 512 bytes    0  after: the name whose value it follows     16  flags, below
 *                      4  the frame, that is how deep it stands      20  the name it ends with
 *                      8  what that frame is in                      32  its bytes
 *                     12  its length, 0 for none
 */
import { CARDS, CARDS_MAX, GLUES, PASSED, TEXT, TEXT_SPOTS, VECTORS, WAYS, at } from './memory'

const STRING: i32 = 1
const NEXT_ROW: i32 = 2
const NAMING: i32 = 4
const CARD: i32 = 8

const BACKSLASH: u32 = 0x5c
const QUOTE: u32 = 0x22
/** As in `idle.ts`. */
const NUMBER_BYTES_MIN: usize = 10
const DIGITS_MIN: i32 = 3

/** Where the inside of the string last read ends. */
let stop: usize = 0

/** The first spot of the text that ends behind what was asked last. */
let spot: i32 = 0

/** To be called when the text is another one. */
export function beginText(): void {
  spot = 0
}

/**
 * Passes over what it can from `from` on, in offsets of TEXT: `end` is that of the text. Numbers in card
 * columns are written to CARDS, and what it came to to PASSED: offset, name, rows, the text that may
 * name something (its end is 0 for none), and how many numbers.
 */
export function pass(
  from: i32,
  end: i32,
  after: i32,
  frame: i32,
  outer: i32,
  marks: i32,
): void {
  const limit = TEXT + <usize>end
  let p = TEXT + <usize>from
  let name = after
  let rows = 0
  let cards = 0
  let namedFrom = 0
  let namedTo = 0
  for (;;) {
    const way = (name ^ (frame << 4)) & (WAYS - 1)
    const glue = GLUES + (<usize>way << 9)
    const length = <usize>load<i32>(glue, 12)
    if (length == 0 || load<i32>(glue) != name || load<i32>(glue, 4) != frame) break
    const to = p + length
    if (load<i32>(glue, 8) != outer || to >= limit || !isSame(p, glue + 32, length)) break
    const flags = load<i32>(glue, 16)
    const behind = flags & STRING ? stringEnd(to, limit, <usize>marks) : scalarEnd(to, limit)
    if (behind == 0) break
    const row = flags & NEXT_ROW ? 1 : 0
    if (flags & CARD) {
      if (cards == CARDS_MAX || !isNumber(to, stop)) break
      const card = CARDS + <usize>(cards++ * 20)
      store<i32>(card, <i32>(to - TEXT))
      store<i32>(card, <i32>(stop - TEXT), 4)
      store<i32>(card, rows + row, 8)
      store<i32>(card, way, 12)
      store<i32>(card, <i32>(p - TEXT), 16)
    } else if (flags & STRING && !isQuiet(to, stop)) {
      if (!isTime(to, stop) && !isHarmless(to, stop)) break
    }
    // One text a row that may name something is kept.
    if (flags & NAMING && namedTo != 0 && row == 0) break
    rows += row
    if (row != 0) namedTo = 0
    if (flags & NAMING) {
      namedFrom = <i32>(to - TEXT)
      namedTo = <i32>(stop - TEXT)
    }
    name = load<i32>(glue, 20)
    p = behind
  }
  store<i32>(PASSED, <i32>(p - TEXT))
  store<i32>(PASSED, name, 4)
  store<i32>(PASSED, rows, 8)
  store<i32>(PASSED, namedFrom, 12)
  store<i32>(PASSED, namedTo, 16)
  store<i32>(PASSED, cards, 20)
}

/** Whether no spot stands in [from, to). */
function isQuiet(from: usize, to: usize): bool {
  const start = <i32>(from - TEXT)
  while (spot > 0 && load<i32>(TEXT_SPOTS + <usize>((spot - 1) << 3), 4) > start) spot--
  while (load<i32>(TEXT_SPOTS + <usize>(spot << 3), 4) <= start) spot++
  return load<i32>(TEXT_SPOTS + <usize>(spot << 3)) >= <i32>(to - TEXT)
}

/** Whether [p, end) is twelve to nineteen digits and nothing else. */
function isNumber(p: usize, end: usize): bool {
  const length = end - p
  if (length < 12 || length > 19) return false
  for (let q = p; q < end; q++) if (at(q) - 0x30 >= 10) return false
  return true
}

/** Whether the bytes are the same; behind both stand sixteen more that may be read. */
// @ts-ignore: decorator
@inline
function isSame(p: usize, q: usize, length: usize): bool {
  let i: usize = 0
  for (; i + 16 <= length; i += 16) {
    if (v128.any_true(v128.xor(v128.load(p + i), v128.load(q + i)))) return false
  }
  const differ = i8x16.bitmask(i8x16.ne(v128.load(p + i), v128.load(q + i)))
  return (differ & ((1 << <i32>(length - i)) - 1)) == 0
}

/** The address behind the string that begins at `p`, or 0 when it holds escapes. */
function stringEnd(p: usize, limit: usize, marks: usize): usize {
  const slash = v128.load(VECTORS, 96)
  const quote = i8x16.splat(0x22)
  let q = p
  for (;;) {
    if (q >= limit) return 0
    const v = v128.load(q)
    const found = i8x16.bitmask(v128.or(i8x16.eq(v, slash), i8x16.eq(v, quote)))
    if (found != 0) {
      q += <usize>ctz(found)
      break
    }
    q += 16
  }
  stop = q
  const closing = q + marks
  if (closing >= limit || at(closing) != QUOTE) return 0
  for (; q < closing; q++) if (at(q) != BACKSLASH) return 0
  return closing + 1
}

/** The same of a short number, or of a literal. */
function scalarEnd(p: usize, limit: usize): usize {
  let q = p
  if (at(q) - 0x30 < 10) {
    while (at(q) - 0x30 < 10) q++
    if (at(q) == 0x2e && at(q + 1) - 0x30 < 10) {
      q++
      while (at(q) - 0x30 < 10) q++
    }
  } else {
    while ((at(q) | 0x20) - 0x61 < 26) q++
    const c = at(p)
    const isWord = q - p == 4 ? c == 0x74 || c == 0x6e : q - p == 5 && c == 0x66
    if (!isWord) return 0
  }
  const c = at(q)
  const goesOn =
    c - 0x30 < 10 || (c | 0x20) - 0x61 < 26 || c == 0x2b || c == 0x2d || c == 0x2e
  return q - p >= NUMBER_BYTES_MIN || q >= limit || goesOn ? 0 : q
}

/** Whether a string holds neither digits enough nor anything beyond ASCII. */
function isHarmless(p: usize, end: usize): bool {
  const zero = v128.load(VECTORS)
  const ten = v128.load(VECTORS, 16)
  let digits = 0
  for (let q = p; q < end; q += 16) {
    const v = v128.load(q)
    const own = end - q < 16 ? (1 << <i32>(end - q)) - 1 : 0xffff
    if ((i8x16.bitmask(v) & own) != 0) return false
    digits += popcnt(i8x16.bitmask(i8x16.lt_u(i8x16.sub(v, zero), ten)) & own)
  }
  return digits < DIGITS_MIN
}

/** Whether a string is a date and time and nothing else, as `around.ts` has it. */
function isTime(p: usize, end: usize): bool {
  const length = end - p
  if (length < 19 || length > 32 || at(p + 4) != 0x2d || at(p + 7) != 0x2d) return false
  const middle = at(p + 10)
  if ((middle != 0x54 && middle != 0x20) || at(p + 13) != 0x3a || at(p + 16) != 0x3a) return false
  let run = 0
  for (let q = p; q < end; q++) {
    const c = at(q)
    if (c - 0x30 < 10) {
      if (++run > 9) return false
      continue
    }
    run = 0
    if (q - p == 10) continue
    // `: . + - Z`
    if (c != 0x3a && c != 0x2e && c != 0x2b && c != 0x2d && c != 0x5a) return false
  }
  return true
}
