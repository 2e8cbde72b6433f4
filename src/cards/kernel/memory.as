/**
 * Where everything stands in the kernel's memory, and what the bytes of its tables mean. The tables
 * are written once by `tables.ts`; the window moves over the message.
 *
 *   0x00400  classes of bytes (256), codes of bytes (256), vectors and tables for `kernel.as`
 *            (512), values in base64 (256)
 *   0x01000  spots found in the window: pairs of start and end, i32, from the window's start
 *   0x04000  names, letter by letter from their end (8 a node)
 *   0x08000  of the 4 KB at hand: where digits begin, where names may end (8 KB each, two bytes a place),
 *            masks of digits, of ends and beginnings of words (512 each), lanes
 *   0x10000  for the last three bytes of a word, by their hash: 1 where names can end so (64 KB)
 *   0x20000  what stands between two values of rows (512 bytes each)
 *   0x30000  classes of the code points below 0x20000 (a byte each)
 *   0x50000  2048 bytes in front of the window, the window, 2048 bytes behind it, zeros
 *   0x60000  a part of a text whose rows are passed over (64 KB), its spots, card numbers in its columns
 */
export const CLASSES: usize = 0x400
export const CODES: usize = 0x500
export const VECTORS: usize = 0x600
export const BASE64: usize = 0x800
export const SPOTS: usize = 0x1000
export const ENDS: usize = 0x10000
export const NODES: usize = 0x4000
export const STARTS: usize = 0x8000
export const PLACES: usize = 0xa000
/** Words of one letter, two bytes a place. */
export const SINGLES: usize = 0xe000
export const MASKS: usize = 0xc000
export const WORD_ENDS: usize = 0xc200
export const WORD_STARTS: usize = 0xc400
export const LANES: usize = 0xd000
export const PLANES: usize = 0x30000
/** What a pass over rows came to: six i32. */
export const PASSED: usize = 0xf00
export const GLUES: usize = 0x20000
/** How many there are. */
export const WAYS: i32 = 128
export const TEXT: usize = 0x60000
export const TEXT_BYTES: i32 = 0x10000
/** Spots of the text: pairs of start and end, i32, from its start; what ends them ends nowhere. */
export const TEXT_SPOTS: usize = 0x70100
export const TEXT_SPOTS_MAX: i32 = 6000
/** Card numbers of columns: start, end, rows, the glue before and where it stands. */
export const CARDS: usize = 0x7d000
export const CARDS_MAX: i32 = 500
export const WINDOW: usize = 0x50800
/** Bytes of a window; as many as the margin are kept in front of it and read ahead behind it. */
export const WINDOW_BYTES: i32 = 0x8000
export const MARGIN_BYTES: i32 = 0x800

// Classes of bytes.
export const DIGIT: u32 = 1
/** Stands between the groups of a number. */
export const JOINER: u32 = 2
/** Begins a character in another spelling, or a tag: `\ & % = <`. */
export const INTRO: u32 = 4
export const BEYOND: u32 = 8 // no ASCII
/** Stands where a system has hidden digits. */
export const HIDES: u32 = 16
/** In front of digits: they may be the rest of another spelling. */
export const LEADS: u32 = 32

// Codes of bytes in names.
export const WORD: u32 = 1 // letters, digits, no ASCII
export const SKIP: u32 = 2 // left out when names are compared
export const LAST: u32 = 4 // names end in it

// Classes of code points.
export const OTHER: i32 = 0
export const VISIBLE: i32 = 1
export const INVISIBLE: i32 = 2
export const NUMERAL: i32 = 3

// @ts-ignore: decorator
@inline
export function at(p: usize): u32 {
  return load<u8>(p)
}

// @ts-ignore: decorator
@inline
export function classAt(p: usize): u32 {
  return load<u8>(CLASSES + <usize>load<u8>(p))
}

// @ts-ignore: decorator
@inline
export function codeAt(p: usize): u32 {
  return load<u8>(CODES + <usize>load<u8>(p))
}

/** What a code point is in a number. */
export function classOf(cp: u32): i32 {
  if (cp < 0x80) {
    const kinds = <u32>load<u8>(CLASSES + <usize>cp)
    return kinds & DIGIT ? NUMERAL : kinds & JOINER ? VISIBLE : OTHER
  }
  if (cp < 0x20000) return load<u8>(PLANES + <usize>cp)
  return cp >= 0xe0000 && cp < 0xf0000 ? INVISIBLE : OTHER
}

/** The value of a hex digit; more than 15 for anything else. */
export function hexOf(c: u32): u32 {
  if (c - 0x30 < 10) return c - 0x30
  const letter = (c | 0x20) - 0x61
  return letter < 6 ? letter + 10 : 16
}

/** The value of two hex digits at `p`, or -1. */
export function hexPair(p: usize): i32 {
  const high = hexOf(at(p))
  const low = hexOf(at(p + 1))
  return high > 15 || low > 15 ? -1 : <i32>(high * 16 + low)
}

/** The value of four hex digits at `p`, or -1. */
export function hexQuad(p: usize): i32 {
  const high = hexPair(p)
  const low = high < 0 ? -1 : hexPair(p + 2)
  return low < 0 ? -1 : high * 256 + low
}

export let cp: u32 = 0
export let width: u32 = 0

/** Reads the UTF-8 sequence at `p` into `cp` and `width`; a stray byte gives U+FFFD and 1. */
export function decode(p: usize): void {
  const lead = at(p)
  const second = at(p + 1)
  cp = 0xfffd
  width = 1
  if (lead < 0xc2 || lead > 0xf4 || (second & 0xc0) != 0x80) return
  if (lead < 0xe0) {
    cp = ((lead & 31) << 6) | (second & 63)
    width = 2
    return
  }
  const third = at(p + 2)
  if ((third & 0xc0) != 0x80) return
  if (lead < 0xf0) {
    cp = ((lead & 15) << 12) | ((second & 63) << 6) | (third & 63)
    width = 3
    return
  }
  const fourth = at(p + 3)
  if ((fourth & 0xc0) != 0x80) return
  cp = ((lead & 7) << 18) | ((second & 63) << 12) | ((third & 63) << 6) | (fourth & 63)
  width = 4
}
