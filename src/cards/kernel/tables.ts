/** The tables of the kernel, made of what the scanner itself knows of bytes, characters and names. */
import { DIGIT, INVISIBLE, OTHER, classOf, raisedOf } from '../bytes.ts'
import { isDigit, isMask, isSeparator } from '../bytes.ts'
import { CARD, meaningOf } from '../words.ts'
import { names } from './names.ts'

/** Where the tables stand, as `memory.as` says. */
export interface Layout {
  readonly CLASSES: number
  readonly CODES: number
  readonly PAIRS: number
  readonly ENDS: number
  readonly NODES: number
  readonly SPOTS: number
  readonly PLANES: number
  readonly VECTORS: number
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
const visible = 1
const invisible = 2
const numeral = 3

const planesEnd = 0x20000
const nodesMax = 2048
/** Writes all tables into the kernel's memory. */
export function writeTables(memory: Uint8Array, layout: Layout): void {
  for (let b = 0; b < 256; b++) {
    memory[layout.CLASSES + b] = classes(b)
    memory[layout.CODES + b] = codes(b)
  }
  const planes = memory.subarray(layout.PLANES, layout.PLANES + planesEnd)
  for (let cp = 0x80; cp < planesEnd; cp++) planes[cp] = plane(cp)
  for (const cp of raised()) planes[cp] = numeral
  memory.set(vectors(), layout.VECTORS)
  memory.set(seeds(planes), layout.VECTORS + 192)
  memory.set(tails(), layout.VECTORS + 256)
  const threes = ends()
  memory.set(threes, layout.ENDS)
  memory.set(pairsOf(threes), layout.PAIRS)
  writeNodes(memory, layout.NODES)
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
  if (!isApart && !/[\\=+]/.test(c)) return 0
  return skip
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

/** The first two bytes of each digit beyond ASCII. */
function seeds(planes: Uint8Array): Uint8Array {
  const pairs: (readonly [number, number])[] = []
  const encoder = new TextEncoder()
  for (let cp = 0x80; cp < planesEnd; cp++) {
    if (planes[cp] !== numeral) continue
    const [lead = 0, second = 0] = encoder.encode(String.fromCodePoint(cp))
    pairs.push([lead, second])
  }
  return pairTables(pairs, 0)
}

/** The last two bytes of each name that ends beyond ASCII. */
function tails(): Uint8Array {
  const pairs: (readonly [number, number])[] = []
  for (const { name } of names) {
    for (const cp of cases(Array.from(name).at(-1) ?? '')) {
      const [last = 0, before = 0] = [...Buffer.from(String.fromCodePoint(cp))].toReversed()
      if (cp >= 0x80) pairs.push([before, last])
    }
  }
  return pairTables(pairs, 1)
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

/** The constants of the loop in `kernel.as`, in its order. */
function vectors(): Uint8Array {
  const all = [0x30, 10, 0x20, 0x61, 26, 0x0e, 0x5c, 0x2a, 0xff, 0x0f]
  return Buffer.concat(all.map((b) => new Uint8Array(16).fill(b)))
}

/** Six bits of a byte: the same for both cases of a letter. */
const six = (b: number): number => (b & 31) | ((b >> 1) & 32)
const sixes = Array.from({ length: 64 }, (_, code) => code)

/**
 * A bit for the last three bytes that a word can end in: seven bits of the last one, six of the others.
 * Between its letters may stand whatever is skipped in names, and each may be an escape.
 */
function ends(): Uint8Array {
  const bits = new Uint8Array(0x10000)
  const gaps = new Set<number>()
  for (let b = 0; b < 128; b++) {
    if ((codes(b) & skip) !== 0) gaps.add(six(b))
  }
  const mark = (a: number, b: number, c: number): void => {
    const index = a | (b << 7) | (c << 13)
    bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7))
  }
  const markAll = (a: number, b: number): void => sixes.forEach((c) => mark(a, b, c))
  for (const { name } of names) {
    for (const [a = 0, b, c] of spelt(Array.from(name).toReversed())) {
      if (b === undefined || c === undefined) continue
      mark(a, b, c)
      for (const gap of gaps) {
        // Directly behind a backslash stands the letter of an escape.
        if (gap !== six(0x5c)) markAll(a, gap)
        mark(a, b, gap)
      }
      // So do escaped line breaks and tabs.
      for (const letter of Buffer.from('nrt')) {
        mark(a, six(letter), six(0x5c))
        mark(a, b, six(letter))
      }
    }
  }
  return bits
}

/** The same for the last two bytes, seven bits of each, the first one lowest. */
function pairsOf(threes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(0x800)
  for (let index = 0; index < threes.length * 8; index++) {
    if (((threes[index >> 3] ?? 0) & (1 << (index & 7))) === 0) continue
    const last = index & 127
    const before = (index >> 7) & 63
    // Six bits stand for two bytes, such as both cases of a letter.
    const first = before < 32 ? before : before + 32
    for (const b of [first, first + 32]) {
      const pair = (b & 127) | (last << 7)
      bits[pair >> 3] = (bits[pair >> 3] ?? 0) | (1 << (pair & 7))
    }
  }
  return bits
}

/** The last three bytes of a word, the last one first: one list for each spelling. */
function spelt(letters: readonly string[]): number[][] {
  let all: number[][] = [[]]
  for (const letter of letters.slice(0, 3)) {
    all = all.flatMap((bytes) =>
      bytes.length >= 3 ? [bytes] : spellings(letter).map((more) => [...bytes, ...more]),
    )
  }
  return all.flatMap(([a = 0, ...more]) => {
    const others = more.slice(0, 2).map(six)
    const upper = a >= 0x61 && a <= 0x7a ? [[a & 0x5f, ...others]] : []
    return [[a & 127, ...others], ...upper]
  })
}

/** The bytes of a letter, the last one first: of any case, and of its escape if it is not in ASCII. */
function spellings(letter: string): number[][] {
  const all = cases(letter).flatMap((cp) => {
    const text = String.fromCodePoint(cp)
    const escape = cp.toString(16).padStart(4, '0')
    return cp < 0x80 ? [text] : [text, escape, escape.toUpperCase()]
  })
  return all.map((text) => [...Buffer.from(text)].toReversed())
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
  // In front of the nodes stands where the children of the first one are, for ASCII.
  const table = new DataView(memory.buffer, memory.byteOffset + start - 256, 256)
  for (const [i, cp] of [...root.children.keys()].entries())
    if (cp < 0x80) table.setUint16(cp * 2, root.place + i, true)
}

/** The code points which `toLowerCase` makes into this letter; ASCII is folded by the kernel. */
function cases(letter: string): number[] {
  const upper = letter.toUpperCase()
  const folds = [letter, letter === 'k' ? '\u212a' : letter]
  if (letter >= '\u0080' && upper.toLowerCase() === letter) folds.push(upper)
  return folds.map((text) => text.codePointAt(0) ?? 0)
}

