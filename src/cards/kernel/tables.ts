/** The tables of the kernel, made of what the scanner itself knows of bytes, characters and names. */
import { DIGIT, INVISIBLE, OTHER, classOf, hexValue, raisedOf } from '../bytes.ts'
import { isDigit, isJoint, isMask, isSeparator } from '../bytes.ts'
import { CARD, meaningOf } from '../words.ts'
import { names } from './names.ts'

/** Where the tables stand, as `memory.as` says. */
export interface Layout {
  readonly CLASSES: number
  readonly CODES: number
  readonly SEEDS: number
  readonly ENDS: number
  readonly FILLERS: number
  readonly NODES: number
  readonly SPOTS: number
  readonly PLANES: number
}

// Classes of bytes, codes of letters, classes of code points: as in `memory.as`.
const digit = 1
const joiner = 2
const intro = 4
const beyond = 8
const hides = 16
const leads = 32
const joint = 64
const hex = 128
const apart = 27
const numberCode = 28
const beyondCode = 29
const word = 0x20
const skip = 0x40
const trim = 0x80
const visible = 1
const invisible = 2
const numeral = 3

const planesEnd = 0x20000
const nodesMax = 2048
/** What ends a key, a header or a cell: as `isEnding` of `kernel.as`. */
const endings = '\t\n\r",;\\|<'

/** Writes all tables into the kernel's memory. */
export function writeTables(memory: Uint8Array, layout: Layout): void {
  for (let b = 0; b < 256; b++) {
    memory[layout.CLASSES + b] = classes(b)
    memory[layout.CODES + b] = codes(b)
  }
  const planes = memory.subarray(layout.PLANES, layout.PLANES + planesEnd)
  for (let cp = 0x80; cp < planesEnd; cp++) planes[cp] = plane(cp)
  for (const cp of raised()) planes[cp] = numeral
  memory.set(seeds(planes), layout.SEEDS)
  memory.set(ends(names.map(({ name }) => name)), layout.ENDS)
  memory.set(ends(names.filter(({ isFiller }) => isFiller).map(({ name }) => name)), layout.FILLERS)
  writeNodes(memory, layout.NODES)
}

function classes(b: number): number {
  const c = String.fromCharCode(b)
  if (b >= 0x80) return beyond
  let sum = 0
  if (isDigit[b] === 1) sum |= digit
  else if (isSeparator[b] !== 0 || /[\s+]/.test(c)) sum |= joiner
  if (/[\\&%=<]/.test(c)) sum |= intro
  if (isMask[b] === 1) sum |= hides
  if (/[ux#%=a-f]/i.test(c)) sum |= leads
  if (isJoint[b] === 1 || c === '+') sum |= joint
  return hexValue[b] === 0 ? sum : sum | hex
}

function codes(b: number): number {
  const c = String.fromCharCode(b)
  if (b >= 0x80) return beyondCode | word
  if (/[a-z]/i.test(c)) return (b & 31) | word
  if (isDigit[b] === 1) return numberCode | word
  // What `words.ts` takes for the space between two words, and what other spellings leave behind.
  const isApart = (meaningOf(`card${c}number`) & CARD) !== 0
  if (!isApart && !/[\\=+]/.test(c)) return 0
  return apart | skip | (isApart && !endings.includes(c) ? trim : 0)
}

function plane(cp: number): number {
  const meaning = classOf(cp)
  if (meaning === INVISIBLE) return invisible
  if (meaning >= DIGIT) return numeral
  return meaning === OTHER && cp !== 0x2028 && cp !== 0x2029 ? 0 : visible
}

/** Digits in card columns only. They are of one category, which is quicker asked than each of them. */
function raised(): number[] {
  const all = Array.from({ length: planesEnd / 64 }, (_, row) =>
    String.fromCodePoint(...Array.from({ length: 64 }, (__, i) => row * 64 + i)),
  )
  const found = all.join('').match(/\p{No}/gu) ?? []
  return found.map((text) => text.codePointAt(0) ?? 0).filter((cp) => raisedOf(cp) >= DIGIT)
}

/**
 * For the first two bytes of each digit beyond ASCII: tables by the nibbles of both, in eight
 * buckets of first bytes. Low and high nibble of the first byte, then of the second.
 */
function seeds(planes: Uint8Array): Uint8Array {
  const tables = new Uint8Array(64)
  const buckets = new Map<number, number>()
  const encoder = new TextEncoder()
  for (let cp = 0x80; cp < planesEnd; cp++) {
    if (planes[cp] !== numeral) continue
    const [lead = 0, second = 0] = encoder.encode(String.fromCodePoint(cp))
    const bucket = buckets.get(lead) ?? 1 << (buckets.size & 7)
    buckets.set(lead, bucket)
    for (const [table, nibble] of [lead & 15, lead >> 4, second & 15, second >> 4].entries())
      tables[table * 16 + nibble] = (tables[table * 16 + nibble] ?? 0) | bucket
  }
  return tables
}

/**
 * A bit for each three codes, the last one lowest, that the end of one of `words` can have. Between
 * its letters may stand anything that `words.ts` skips, and letters may be escapes.
 */
function ends(words: readonly string[]): Uint8Array {
  const bits = new Uint8Array(4096)
  const any = Array.from({ length: 32 }, (_, code) => code)
  const mark = (set: readonly (readonly number[])[]): void => {
    for (const a of set[0] ?? any)
      for (const b of set[1] ?? any)
        for (const c of set[2] ?? any) {
          const index = a | (b << 5) | (c << 10)
          bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7))
        }
  }
  const escaped = [beyondCode, numberCode, 1, 2, 3, 4, 5, 6]
  for (const text of words) {
    const letters = Array.from(text).toReversed()
    const known: number[][] = []
    for (let i = 0; i < 3; i++) {
      if (i > 0) mark([...known, [apart]])
      const letter = letters[i]
      if (letter === undefined) {
        // In front of a shorter word stands what is no letter of it.
        mark([...known, [0, apart, numberCode, beyondCode]])
        break
      }
      const code = codes(letter.codePointAt(0) ?? 0) & 31
      known.push(code === beyondCode ? escaped : [code])
      if (code === beyondCode || i === 2) {
        mark(known)
        break
      }
    }
  }
  return bits
}

interface Node {
  readonly children: Map<number, Node>
  tells: number
  place: number
}

/** Names from their last letter on, as a tree of nodes: letter, first child, next sibling, meaning. */
function writeNodes(memory: Uint8Array, start: number): void {
  const empty = (): Node => ({ children: new Map(), tells: 0, place: 0 })
  const root = empty()
  for (const { name, tells } of names) {
    if (tells === 0) continue
    let node = root
    for (const letter of Array.from(name).toReversed()) {
      const cp = letter.codePointAt(0) ?? 0
      const child = node.children.get(cp) ?? empty()
      for (const same of cases(letter)) node.children.set(same, child)
      node = child
    }
    node.tells |= tells
  }
  const view = new DataView(memory.buffer, memory.byteOffset + start, nodesMax * 8)
  let used = 1
  const write = (node: Node): number => {
    if (node.place > 0 || node.children.size === 0) return node.place
    const first = used
    node.place = first
    used += node.children.size
    if (used > nodesMax) throw new RangeError(`The kernel has no room for ${used} letters of names.`)
    let at = first
    for (const [cp, child] of node.children) {
      const isLast = at === first + node.children.size - 1
      view.setUint16(at * 8, cp, true)
      view.setUint16(at * 8 + 4, isLast ? 0 : at + 1, true)
      view.setUint8(at * 8 + 6, child.tells)
      view.setUint16(at++ * 8 + 2, write(child), true)
    }
    return first
  }
  view.setUint16(2, write(root), true)
}

/** The code points which `toLowerCase` makes into this letter; ASCII is folded by the kernel. */
function cases(letter: string): number[] {
  const upper = letter.toUpperCase()
  const folds = [letter, letter === 'k' ? '\u212a' : letter]
  if (letter >= '\u0080' && upper.toLowerCase() === letter) folds.push(upper)
  return folds.map((text) => text.codePointAt(0) ?? 0)
}

