/**
 * Runs of the base64 and base64url alphabets (RFC 4648 §4, §5) whose first bytes are text. Hashes,
 * keys and pictures soon hold other bytes.
 */
import { BASE64, MARGIN_BYTES, VECTORS, WINDOW, at } from './memory'
import { emit, offset, worked } from './found'

const RUN_MIN: usize = 24
/** The signs `+ / - _`. */
const SIGNS: usize = VECTORS + 368
const BACKSLASH: u32 = 0x5c

// What the run at hand is which goes on behind the window.
const NONE: i32 = 0
const BINARY: i32 = 1
const TEXT: i32 = 2
let mode: i32 = NONE
/** Whether a run was seen that begins as text, since `begin`. */
export let seen: bool = false
/** Up to here, as an offset, runs are dealt with. */
export let done: i32 = 0

export function begin(): void {
  mode = NONE
  seen = false
  done = 0
}

/** The window moves on by so many bytes. */
export function shift(bytes: i32): void {
  done -= bytes
}

// @ts-ignore: decorator
@inline
function isAlphabet(c: u32): bool {
  return load<u8>(BASE64 + <usize>c) < 64
}

/** The value of a character of the alphabets, or 64. */
// @ts-ignore: decorator
@inline
function valueAt(p: usize): u32 {
  return load<u8>(BASE64 + <usize>load<u8>(p))
}

/** Goes on with a run that began before the window. */
export function goOn(end: usize): void {
  if (mode == NONE) return
  const stop = alphabetEnd(WINDOW, end)
  if (mode == TEXT) emit(0, offset(stop))
  if (stop < end) mode = NONE
  done = offset(stop)
}

/** Twenty bytes that may be of a run stand at `p`: looks at the run that covers them, if one does. */
export function look(p: usize, end: usize): void {
  if (offset(p) + 20 <= done) return
  // A run of 24 that covers them stands in those and the four before and behind, too.
  let runs = alphabet(v128.load(p - 4)) | (alphabet(v128.load(p + 12)) << 16)
  runs &= runs >> 1
  runs &= runs >> 2
  runs &= runs >> 4
  runs &= (runs >> 8) & (runs >> 16)
  worked(2)
  if (runs != 0) run(p - 4 + <usize>ctz(runs), end)
}

function run(p: usize, end: usize): void {
  const floor = WINDOW + <usize>max(done, -MARGIN_BYTES)
  let begins = p
  while (begins > floor && isAlphabet(at(begins - 1))) begins--
  // The letter of an escape in front is no part of it.
  const isText =
    isLikely(begins, false) || (at(begins - 1) == BACKSLASH && isLikely(begins + 1, false))
  const stop = alphabetEnd(p, end)
  worked(<i32>(p - begins) + 8)
  if (isText) {
    seen = true
    emit(offset(begins), offset(stop))
  }
  if (stop >= end) mode = isText ? TEXT : BINARY
  done = offset(stop)
}

/** A bit for each byte that can stand in a run. */
// @ts-ignore: decorator
@inline
function alphabet(v: v128): u32 {
  // Its constants come from memory, as those of the loop in `kernel.as`.
  const lower = v128.or(v, v128.load(VECTORS, 32))
  const letters = i8x16.lt_u(i8x16.sub(lower, v128.load(VECTORS, 48)), v128.load(VECTORS, 64))
  const digits = i8x16.lt_u(i8x16.sub(v, v128.load(VECTORS)), v128.load(VECTORS, 16))
  const pluses = v128.or(i8x16.eq(v, v128.load(SIGNS)), i8x16.eq(v, v128.load(SIGNS, 16)))
  const dashes = v128.or(i8x16.eq(v, v128.load(SIGNS, 32)), i8x16.eq(v, v128.load(SIGNS, 48)))
  return i8x16.bitmask(v128.or(v128.or(letters, digits), v128.or(pluses, dashes)))
}

function alphabetEnd(start: usize, end: usize): usize {
  let p = start
  for (; p < end; p += 16) {
    const all = alphabet(v128.load(p))
    if (all != 0xffff) {
      p += ctz(~all)
      break
    }
  }
  worked(<i32>((p - start) >> 3))
  return min(p, end)
}

/** Whether what the first 24 characters at `p` stand for is the beginning of a text in UTF-8. */
function isLikely(p: usize, isControl: bool): bool {
  let more = 0
  for (let i: usize = 0; i < RUN_MIN; i += 4) {
    const q = p + i
    const one = valueAt(q)
    const two = valueAt(q + 1)
    const three = valueAt(q + 2)
    const four = valueAt(q + 3)
    if ((one | two | three | four) > 63) return true
    const bits = (one << 18) | (two << 12) | (three << 6) | four
    for (let shift = 16; shift >= 0; shift -= 8) {
      const b = (bits >> shift) & 0xff
      if (more > 0) {
        if ((b & 0xc0) != 0x80) return false
        more--
      } else if (b < 0x20 || b == 0x7f) {
        if (b == 0 || (!isControl && b != 9 && b != 10 && b != 13)) return false
      } else if (b >= 0x80) {
        if (b < 0xc2 || b > 0xf4) return false
        more = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3
      }
    }
  }
  return true
}

/**
 * The key `blob` ends at `p`: its value is base64 whatever its length, and may hold any
 * text.
 */
export function blob(p: usize): void {
  let q = p
  let quotes = 0
  for (; q < p + 64; q++) {
    const c = at(q)
    if (c == 0x22) {
      if (++quotes == 2) break
    } else if (c != 0x3a && c != BACKSLASH && c > 0x20) return
  }
  if (quotes < 2) return
  q++
  worked(32)
  if (isAlphabet(at(q)) && isLikely(q, true)) emit(offset(q), offset(q) + <i32>RUN_MIN)
  else if (!isAlphabet(at(q)) && at(q) != 0x22) emit(offset(q), offset(q) + <i32>RUN_MIN)
}
