/**
 * Reads a message window by window, 64 bytes a step, and says where a careful look for card data is
 * needed. Masks of the bytes that matter are made for all 64 at once; every 4 KB the places that they
 * show are looked at:
 *
 *   starts   where a run of digits begins, or a character that may be a digit of another script
 *   ends     where a word ends: a name may end with it
 *   lanes    twenty bytes without space or quote: they may be base64
 */
import { CODES, LANES, MASKS, STARTS, VECTORS, WINDOW, WORD_ENDS, WORD_STARTS } from './memory'
import { BEYOND, DIGIT, HIDES, INTRO, JOINER, LEADS, WORD, at, classAt } from './memory'
import { clear, clearSpots, count, offset, secret, steps, worked } from './found'
import { forget, spellingAt } from './forward'
import { isDigit, isSign, isWord, mask, pairs, quads } from './vectors'
import * as stretches from './digits'
import * as base64 from './base64'
import { noteFew, noteMany, noteSingles, settle } from './names'

export { BASE64, CLASSES, CODES, ENDS, NODES, PLANES, SPOTS, VECTORS } from './memory'
export { MARGIN_BYTES, STARTS, WINDOW, WINDOW_BYTES } from './memory'
export { CARDS, GLUES, PASSED, TEXT, TEXT_BYTES, TEXT_SPOTS, TEXT_SPOTS_MAX, WAYS } from './memory'
export { beginText, pass } from './rows'
export { beginRuns, runs } from './runs'

/** So many bytes are read before their places are looked at: 64 blocks, a bit of a mask for each. */
const BATCH: usize = 4096

const SEEDS: usize = VECTORS + 192
const TAILS: usize = VECTORS + 256
/** The signs `% # =`. */
const SIGNS: usize = VECTORS + 320

/** Up to here, as an offset from the window's start, digits are dealt with. */
let done: i32 = 0
let anyDigit: u64 = 0
let laneBefore: u32 = 0
// How many places are noted.
let starts: i32 = 0
let lanes: i32 = 0
// Blocks of the batch with something beyond ASCII, with what shows lines, tables or tags, and with three
// digits in a row; those of the batch before.
let beyond: u64 = 0
let broken: u64 = 0
let numeric: u64 = 0
let brokenBefore: u64 = 0

/** Prepares for a message. */
export function begin(): void {
  clear()
  stretches.begin()
  base64.begin()
  done = 0
  anyDigit = 0
  laneBefore = 0
  brokenBefore = ~0
}

/** Whether a name of a secret stands in what was read, and a digit. */
export function hasSecretName(): bool {
  return secret != 0 && anyDigit != 0
}

/** Whether a run of base64 was seen that begins as text. */
export function hasBase64(): bool {
  return base64.seen
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
    broken = 0
    numeric = 0
    beyond = 0
    scanDigits(p, min(p + BATCH, end))
    numbers(p, end)
    for (let i = 0; i < lanes; i++) {
      base64.look(WINDOW + <usize>load<u16>(LANES + <usize>(i << 1)) - 16, end)
    }
    if (secret == 0) {
      words(p, min(p + BATCH, end))
      brokenBefore = broken
    }
  }
  if (isLast && stretches.isOpen) stretches.close(end)
  stretches.shift(bytes)
  base64.shift(bytes)
  done -= bytes
  return count
}

/** Digits and lanes of [from, end). The constants come from memory: as literals they are made anew at
 *  each use, which takes twice the time. */
function scanDigits(from: usize, end: usize): void {
  const zero = v128.load(VECTORS)
  const ten = v128.load(VECTORS, 16)
  const coarse = v128.load(VECTORS, 112)
  const ones = v128.load(VECTORS, 128)
  let lane = laneBefore
  let digitBefore: u64 = 0
  let any: u64 = 0
  let block: u64 = 0
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
    const quad = (quads(a, b, c, d, coarse, ones) << 4) | lane
    lane = quad >> 16
    const two = quad & (quad >> 1)
    const long = two & (two >> 2) & (quad >> 4)
    let first = digits & ~((digits << 1) | digitBefore)
    digitBefore = digits >> 63
    if (i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d))) != 0) {
      beyond |= <u64>1 << block
      first |= pairs(p, p + 1, SEEDS)
    }
    if (end - p < 64) first &= inside(p, end)
    store<u64>(MASKS + (<usize>block << 3), digits)
    any |= first
    noteStarts(p, first)
    if (long != 0) noteLanes(p, long)
    // Three digits in a row, or what may be of three that begin or end elsewhere.
    const three = digits & (((digits >> 1) & (digits >> 2)) | 3 | (<u64>3 << 62))
    numeric |= <u64>(three != 0) << block
    block++
  }
  laneBefore = lane
  anyDigit |= any
}

/** The bits of a block that stand for bytes in front of `end`. */
// @ts-ignore: decorator
@inline
function inside(p: usize, end: usize): u64 {
  return (<u64>1 << <u64>(end - p)) - 1
}

/** Ends of words in [from, end). */
function scanWords(from: usize, end: usize): void {
  const zero = v128.load(VECTORS)
  const ten = v128.load(VECTORS, 16)
  const lower = v128.load(VECTORS, 32)
  const letter = v128.load(VECTORS, 48)
  const all = v128.load(VECTORS, 64)
  const control = v128.load(VECTORS, 80)
  const fold = v128.load(VECTORS, 176)
  const bar = v128.load(SIGNS, 112)
  const slash = v128.load(VECTORS, 96)
  let block: u64 = 0
  for (let p = from; p < end; p += 64) {
    const a = v128.load(p)
    const b = v128.load(p, 16)
    const c = v128.load(p, 32)
    const d = v128.load(p, 48)
    const inWord = mask(
      isWord(a, zero, ten, lower, letter, all),
      isWord(b, zero, ten, lower, letter, all),
      isWord(c, zero, ten, lower, letter, all),
      isWord(d, zero, ten, lower, letter, all),
    )
    // What may be a line break, as it is or behind a backslash, and the signs of tables and tags.
    const controls = i8x16.lt_u(i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d)), control)
    const signs = v128.or(
      v128.or(isSign(a, fold, bar), isSign(b, fold, bar)),
      v128.or(isSign(c, fold, bar), isSign(d, fold, bar)),
    )
    const next = load<u8>(p, 64)
    let ends = inWord & ~((inWord >> 1) | (<u64>(codeOf(next) & WORD) << 63))
    if ((beyond >> block) & 1) {
      // Signs beyond ASCII may be of a word or not.
      const strange = mask(a, b, c, d)
      ends |= pairs(p - 1, p, TAILS)
      ends |= inWord & ~strange & ((strange >> 1) | (<u64>(next >> 7) << 63))
    }
    if (end - p < 64) ends &= inside(p, end)
    const before = load<u8>(p - 1)
    const starts = inWord & ~((inWord << 1) | <u64>(codeOf(before) & WORD))
    const slashes = mask(
      i8x16.eq(a, slash),
      i8x16.eq(b, slash),
      i8x16.eq(c, slash),
      i8x16.eq(d, slash),
    )
    // A letter by itself behind a backslash is that of an escape.
    ends &= ~(starts & ((slashes << 1) | <u64>(before == 0x5c)))
    store<u64>(WORD_ENDS + (<usize>block << 3), ends)
    store<u64>(WORD_STARTS + (<usize>block << 3), starts)
    broken |= <u64>(i8x16.bitmask(v128.or(controls, signs)) != 0) << block
    block++
  }
}

/** Where blanks stand in the 64 bytes at `p`. */
// @ts-ignore: decorator
@inline
function blanksAt(p: usize): u64 {
  const blank = v128.load(VECTORS, 32)
  return mask(
    i8x16.eq(v128.load(p), blank),
    i8x16.eq(v128.load(p, 16), blank),
    i8x16.eq(v128.load(p, 32), blank),
    i8x16.eq(v128.load(p, 48), blank),
  )
}

// @ts-ignore: decorator
@inline
function codeOf(c: u32): u32 {
  return load<u8>(CODES + <usize>c)
}

/**
 * Looks at the ends of words: at all of them near line breaks and tags, where headers of tables stand,
 * and in front of numbers, where labels do; elsewhere at those which no blank follows.
 */
function words(from: usize, end: usize): void {
  scanWords(from, end)
  // Four blocks before and behind them; what follows the batch is not known yet.
  const before = brokenBefore >> 60 != 0 ? <u64>15 : 0
  let near = broken | (broken << 1) | (broken >> 1)
  near |= (near << 1) | (near >> 1)
  near |= (near << 2) | (near >> 2)
  near |= numeric | (numeric >> 1) | before | (<u64>15 << 60)
  let slot: usize = 0
  for (let p = from; p < end; p += 64) {
    let ends = load<u64>(WORD_ENDS + slot)
    if (near & 1) noteMany(p, ends)
    else {
      ends &= ~blanksAt(p + 1)
      noteFew(p, ends)
    }
    const single = ends & load<u64>(WORD_STARTS + slot)
    if (single != 0) noteSingles(p, single)
    near >>= 1
    slot += 8
  }
  settle()
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

const GOES_ON: u32 = DIGIT | JOINER | INTRO | BEYOND | HIDES

/** Deals with the digits that begin at the places noted; `from` is where the masks begin. */
function numbers(from: usize, end: usize): void {
  worked(starts)
  // First what is a few digits and nothing more is sorted out, almost without a branch.
  let left = 0
  for (let k = 0; k < starts; k++) {
    const place = load<u16>(STARTS + <usize>(k << 1))
    const s = WINDOW + <usize>place
    const digits = load<u64>(MASKS + (((s - from) >> 6) << 3)) >> ((s - from) & 63)
    const length = <u32>ctz(~digits)
    const behind = classAt(s + <usize>length)
    // A single joiner with nothing of a number behind ends it as well.
    const last = behind == JOINER ? classAt(s + <usize>length + 1) : behind
    const leads = classAt(s - 1) & LEADS && hasSigns(s) ? LEADS : 0
    const around = leads | (last & GOES_ON)
    store<u16>(STARTS + <usize>(left << 1), place)
    left += <i32>((around | <u32>(length - 1 >= 5)) != 0)
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
  if (more == 0 || (classAt(s - 1) & LEADS && isSpelt(s))) return 0
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
  if (total >= 12) return stretches.plain(s, e, behind & HIDES) ? e : 0
  if ((at(e) | 0x20) == 0x65) stretches.exponent(s, e, <i32>total)
  return e
}

/** Whether digits at `s` may be the rest of a character in another spelling. */
function isSpelt(s: usize): bool {
  return hasSigns(s) && spellingAt(s, WINDOW + <usize>done) != 0
}

/** Whether a sign of such a spelling is near: mostly the digits are part of a word, and there is none. */
// @ts-ignore: decorator
@inline
function hasSigns(s: usize): bool {
  const v = v128.load(s - 16)
  const signs = v128.or(
    v128.or(i8x16.eq(v, v128.load(VECTORS, 96)), i8x16.eq(v, v128.load(SIGNS))),
    v128.or(i8x16.eq(v, v128.load(SIGNS, 16)), i8x16.eq(v, v128.load(SIGNS, 32))),
  )
  return i8x16.bitmask(signs) >>> 5 != 0
}
