/** The tables of the kernel, made of what the scanner itself knows of bytes and characters. */
import { DIGIT, INVISIBLE, OTHER, classOf, raisedOf } from '../bytes.ts'
import { isDigit, isMask, isSeparator } from '../bytes.ts'
import { CARD, meaningOf } from '../words.ts'
import { endingsOf, lastsOf, tailsOf, writeNodes } from './endings.ts'
import { names } from './names.ts'

/** Where the tables stand, as `memory.as` says. */
export interface Layout {
  readonly BASE64: number
  readonly CLASSES: number
  readonly CODES: number
  readonly VECTORS: number
  readonly ENDS: number
  readonly NODES: number
  readonly SPOTS: number
  readonly PLANES: number
}

// Classes of bytes, codes of bytes, classes of code points: as in `memory.as`.
const digit = 1
const joiner = 2
const intro = 4
const beyond = 8
const hides = 16
const leads = 32
const word = 1
const skip = 2
const last = 4
const visible = 1
const invisible = 2
const numeral = 3

const planesEnd = 0x20000
const alphabets = ['+/', '-_'].map(
  (signs) => `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${signs}`,
)

/** Writes all tables into the kernel's memory. */
export function writeTables(memory: Uint8Array, layout: Layout): void {
  for (let b = 0; b < 256; b++) {
    memory[layout.CLASSES + b] = classes(b)
    memory[layout.CODES + b] = codes(b)
  }
  const planes = memory.subarray(layout.PLANES, layout.PLANES + planesEnd)
  writePlanes(planes)
  // The constants of the loop in `kernel.as`, in its order.
  const constants = [0x30, 10, 0x20, 0x61, 26, 0x0e, 0x5c, 0x2a, 0xff, 0x0f, 0, 0x60]
  memory.set(vectors(constants), layout.VECTORS)
  memory.set(pairTables(firstBytes(planes), 0), layout.VECTORS + 192)
  memory.set(pairTables(tailsOf(names), 1), layout.VECTORS + 256)
  memory.set(vectors(Buffer.from('%#=+/-_|')), layout.VECTORS + 320)
  const isSkipped = (b: number): boolean => memory[layout.CODES + b] === skip
  memory.set(endingsOf(names, isSkipped), layout.ENDS)
  for (const b of lastsOf(names)) memory[layout.CODES + b] = (memory[layout.CODES + b] ?? 0) | last
  memory.set(base64(), layout.BASE64)
  writeNodes(names, memory, layout.NODES)
}

/** The value of each byte in base64 or base64url, 64 for none. */
function base64(): Uint8Array {
  const values = new Uint8Array(256).fill(64)
  for (const alphabet of alphabets)
    for (const [value, c] of Buffer.from(alphabet).entries()) values[c] = value
  return values
}

function classes(b: number): number {
  const c = String.fromCharCode(b)
  if (b >= 0x80) return beyond
  let sum = 0
  if (isDigit[b] === 1) sum |= digit
  // Between digits: what divides them, in forms, in Markdown, and blanks of any kind.
  else if (isSeparator[b] !== 0 || /[\s+*~`]/.test(c)) sum |= joiner
  if (/[\\&%=<]/.test(c)) sum |= intro
  if (isMask[b] === 1) sum |= hides
  if (/[ux#%=a-f]/i.test(c)) sum |= leads
  return sum
}

function codes(b: number): number {
  const c = String.fromCharCode(b)
  if (b >= 0x80 || /[a-z0-9]/i.test(c)) return word
  // What `words.ts` takes for the space between two words, and what other spellings leave behind.
  const isApart = (meaningOf(`card${c}number`) & CARD) !== 0
  return isApart || /[\\=+]/.test(c) ? skip : 0
}

/** What each code point is in a number. */
function writePlanes(planes: Uint8Array): void {
  for (let cp = 0x80; cp < 0x10000; cp++) planes[cp] = plane(cp)
  // Of few categories: to ask each code point beyond the basic plane takes longer than all the rest.
  for (const cp of pointsOf(/[\p{Nd}\p{Pd}\p{Cf}\p{Zs}\p{Po}]/gu, false)) planes[cp] = plane(cp)
  for (const cp of pointsOf(/\p{No}/gu, true)) if (raisedOf(cp) >= DIGIT) planes[cp] = numeral
}

function plane(cp: number): number {
  const meaning = classOf(cp)
  if (meaning === INVISIBLE) return invisible
  if (meaning >= DIGIT) return numeral
  return meaning === OTHER && cp !== 0x2028 && cp !== 0x2029 ? 0 : visible
}

/** The code points of the second plane that match, and of the first if `isAll`. */
function pointsOf(pattern: RegExp, isAll: boolean): number[] {
  const units = new Uint16Array(3 * 0x10000)
  for (let cp = 0; cp < 0x10000; cp++) {
    units[cp] = cp
    units[0x10000 + cp * 2] = 0xd800 + (cp >> 10)
    units[0x10001 + cp * 2] = 0xdc00 + (cp & 0x3ff)
  }
  const text = Buffer.from(units.buffer).toString('utf16le', isAll ? 0 : 0x20000)
  return (text.match(pattern) ?? []).map((found) => found.codePointAt(0) ?? 0)
}

/** The first two bytes of each digit beyond ASCII. */
function firstBytes(planes: Uint8Array): (readonly [number, number])[] {
  const encoder = new TextEncoder()
  const pairs: (readonly [number, number])[] = []
  for (let cp = planes.indexOf(numeral); cp >= 0; cp = planes.indexOf(numeral, cp + 1)) {
    const bytes = encoder.encode(String.fromCodePoint(cp))
    pairs.push([bytes[0] ?? 0, bytes[1] ?? 0])
  }
  return pairs
}

/**
 * Pairs of bytes by the nibbles of both, in eight buckets by one of the two: low and high nibble of
 * the first byte, then of the second.
 */
function pairTables(pairs: readonly (readonly [number, number])[], by: 0 | 1): Uint8Array {
  const tables = new Uint8Array(64)
  const buckets = new Map<number, number>()
  for (const pair of pairs) {
    const [one, two] = pair
    const bucket = buckets.get(pair[by]) ?? 1 << (buckets.size & 7)
    buckets.set(pair[by], bucket)
    for (const [table, nibble] of [one & 15, one >> 4, two & 15, two >> 4].entries())
      tables[table * 16 + nibble] = (tables[table * 16 + nibble] ?? 0) | bucket
  }
  return tables
}

/** Vectors of sixteen equal bytes. */
function vectors(bytes: Iterable<number>): Uint8Array {
  return Buffer.concat(Array.from(bytes, (b) => new Uint8Array(16).fill(b)))
}
