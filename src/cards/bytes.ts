/** What single bytes and code points mean to the scanner. Tables, so that a look is one load. */

/** ASCII digits. */
export const isDigit: Uint8Array = new Uint8Array(256)
/** Bytes at which a sample stops: ASCII digits, and everything beyond ASCII. */
export const isHot: Uint8Array = new Uint8Array(256)
/** ASCII letters. */
export const isLetter: Uint8Array = new Uint8Array(256)
/** Hex digits, as values + 1; 0 for the rest. */
export const hexValue: Uint8Array = new Uint8Array(256)
/** What stands between two groups of one number. */
export const isSeparator: Uint8Array = new Uint8Array(256)
/** What a gap between two groups of one number can begin with: those, or a line break. */
export const mayJoin: Uint8Array = new Uint8Array(256)
/** What other systems put in place of digits. */
export const isMask: Uint8Array = new Uint8Array(256)
/** What may stand between a label and its value. */
export const isJoint: Uint8Array = new Uint8Array(256)
/** Bytes behind digits which may go on with them in another spelling: a backslash, beyond ASCII. */
export const goesOn: Uint8Array = new Uint8Array(256)
/** Bytes before digits which may belong to them: those too, and what an escape can end in. */
export const leadsIn: Uint8Array = new Uint8Array(256)
/** What a word of a label is made of: letters, digits, everything beyond ASCII. */
export const isWord: Uint8Array = new Uint8Array(256)

for (let b = 0; b < 256; b++) {
  const c = String.fromCharCode(b)
  if (/[0-9]/.test(c)) isDigit[b] = 1
  if (/[0-9]/.test(c) || b >= 0x80) isHot[b] = 1
  if (/[A-Za-z]/.test(c)) isLetter[b] = 1
  if (/[0-9A-Fa-f]/.test(c)) hexValue[b] = Number.parseInt(c, 16) + 1
  if (/[ ./_-]/.test(c)) isSeparator[b] = 1
  if (/[ ./_\-\n\r\\]/.test(c)) mayJoin[b] = 1
  if (/[*xX#]/.test(c)) isMask[b] = 1
  if (/[\s:="'`()[\]\\>#|,*~{}-]/.test(c)) isJoint[b] = 1
  if (b >= 0x80 || c === '\\') goesOn[b] = 1
  if (b >= 0x80 || /[A-Fa-fu]/.test(c)) leadsIn[b] = 1
  if (/[A-Za-z0-9_]/.test(c) || b >= 0x80) isWord[b] = 1
}

/** Classes of code points; digits are `DIGIT + value`. */
export const OTHER = 0
export const SPACE = 1
export const DASH = 2
export const DOT = 3
export const INVISIBLE = 4
export const SLASH = 5
export const DIGIT = 16

// Decimal digits of every script stand in runs of ten, in order (Unicode 17, general category Nd).
// Only their zeros are listed; a test compares the list with what the runtime knows.
const zeros: readonly number[] = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50,
  0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
  0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30,
  0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0,
  0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16130,
  0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140,
  0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
]

const ranges: readonly (readonly [from: number, to: number, meaning: number])[] = [
  [0xa0, 0xa0, SPACE],
  [0xad, 0xad, INVISIBLE],
  [0xb7, 0xb7, DOT],
  [0x300, 0x36f, INVISIBLE], // marks that strike through or sit on a digit
  [0x58a, 0x58a, DASH],
  [0x5be, 0x5be, DASH],
  [0x61c, 0x61c, INVISIBLE],
  [0x115f, 0x1160, INVISIBLE],
  [0x1400, 0x1400, DASH],
  [0x1680, 0x1680, SPACE],
  [0x17b4, 0x17b5, INVISIBLE],
  [0x1806, 0x1806, DASH],
  [0x180b, 0x180f, INVISIBLE],
  [0x2000, 0x200a, SPACE],
  [0x200b, 0x200f, INVISIBLE],
  [0x2010, 0x2015, DASH],
  [0x2022, 0x2022, DOT],
  [0x2024, 0x2024, DOT],
  [0x2027, 0x2027, DOT],
  [0x202a, 0x202e, INVISIBLE],
  [0x202f, 0x202f, SPACE],
  [0x2043, 0x2043, DASH],
  [0x2044, 0x2044, SLASH],
  [0x205f, 0x205f, SPACE],
  [0x2060, 0x206f, INVISIBLE],
  [0x20d0, 0x20f0, INVISIBLE], // among them the key cap of emoji
  [0x2212, 0x2212, DASH],
  [0x2215, 0x2215, SLASH],
  [0x22c5, 0x22c5, DOT],
  [0x2e17, 0x2e17, DASH],
  [0x2e1a, 0x2e1a, DASH],
  [0x2e3a, 0x2e3b, DASH],
  [0x2e40, 0x2e40, DASH],
  [0x2e5d, 0x2e5d, DASH],
  [0x3000, 0x3000, SPACE],
  [0x3002, 0x3002, DOT],
  [0x301c, 0x301c, DASH],
  [0x3030, 0x3030, DASH],
  [0x30a0, 0x30a0, DASH],
  [0x30fb, 0x30fb, DOT],
  [0x3164, 0x3164, INVISIBLE],
  [0xfe00, 0xfe0f, INVISIBLE],
  [0xfe31, 0xfe32, DASH],
  [0xfe58, 0xfe58, DASH],
  [0xfe63, 0xfe63, DASH],
  [0xfeff, 0xfeff, INVISIBLE],
  [0xff0d, 0xff0d, DASH],
  [0xff0e, 0xff0e, DOT],
  [0xff0f, 0xff0f, SLASH],
  [0xff3f, 0xff3f, DASH],
  [0xff61, 0xff61, DOT],
  [0xff65, 0xff65, DOT],
  [0xffa0, 0xffa0, INVISIBLE],
  [0xfff9, 0xfffb, INVISIBLE],
  [0x10ead, 0x10ead, DASH],
  [0x1d173, 0x1d17a, INVISIBLE],
  [0xe0000, 0xe01ef, INVISIBLE],
]

// The basic plane as a table: a look at each character of a text in another script has to be cheap.
const plane = new Uint8Array(0x10000)
for (const [from, to, meaning] of ranges)
  if (from < 0x10000) plane.fill(meaning, from, Math.min(to, 0xffff) + 1)
for (const zero of zeros)
  for (let i = 0; i < 10; i++) if (zero < 0x10000) plane[zero + i] = DIGIT + i

/** The class of a code point beyond ASCII. */
export function classOf(cp: number): number {
  if (cp < 0x10000) return plane[cp] ?? OTHER
  for (const [from, to, meaning] of ranges) if (cp >= from && cp <= to) return meaning
  for (const zero of zeros)
    if (zero >= 0x10000 && cp >= zero && cp < zero + 10) return DIGIT + cp - zero
  return OTHER
}

/** Raised, lowered and enclosed digits (Unicode general category No), which stand for digits only in
 *  a column of card numbers: `DIGIT + value`, else OTHER. */
export function raisedOf(cp: number): number {
  if (cp === 0xb9) return DIGIT + 1
  if (cp === 0xb2 || cp === 0xb3) return DIGIT + cp - 0xb0
  for (const [first, last, value] of raised) {
    if (cp >= first && cp <= last) return DIGIT + value + cp - first
  }
  return OTHER
}

const raised: readonly (readonly [first: number, last: number, value: number])[] = [
  [0x2070, 0x2070, 0],
  [0x2074, 0x2079, 4],
  [0x2080, 0x2089, 0],
  [0x2460, 0x2468, 1], // circled
  [0x24ea, 0x24ea, 0],
  [0x2474, 0x247c, 1], // in parentheses
  [0x24f5, 0x24fd, 1], // double circled
  [0x24ff, 0x24ff, 0], // negative circled
  [0x2776, 0x277e, 1],
  [0x2780, 0x2788, 1],
  [0x278a, 0x2792, 1],
  [0x1f100, 0x1f100, 0],
]

const follows = (bytes: Uint8Array, at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80

/** How many bytes the UTF-8 sequence at `at` takes; 1 for a stray byte. */
export function widthAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0
  if (lead < 0xc2 || lead > 0xf4 || !follows(bytes, at + 1)) return 1
  if (lead < 0xe0) return 2
  if (!follows(bytes, at + 2)) return 1
  if (lead < 0xf0) return 3
  return follows(bytes, at + 3) ? 4 : 1
}

/** The code point of the UTF-8 sequence at `at`; stray bytes give U+FFFD. */
export function codePointAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0
  if (lead < 0x80) return lead
  const width = widthAt(bytes, at)
  if (width === 1) return 0xfffd
  const second = (bytes[at + 1] ?? 0) & 63
  if (width === 2) return ((lead & 31) << 6) | second
  const third = (bytes[at + 2] ?? 0) & 63
  if (width === 3) return ((lead & 15) << 12) | (second << 6) | third
  const cp = ((lead & 7) << 18) | (second << 12) | (third << 6) | ((bytes[at + 3] ?? 0) & 63)
  return cp > 0x10ffff ? 0xfffd : cp
}

/** The four hex digits at `at`, or -1. */
export function hexAt(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = at; i < at + 4; i++) {
    const digit = hexValue[bytes[i] ?? 0] ?? 0
    if (digit === 0) return -1
    value = value * 16 + digit - 1
  }
  return value
}
