/** Tables by which the kernel finds names from their end. */

/** A name in lower case, without what stands between its words, and what it tells. */
export interface Name {
  readonly name: string
  readonly tells: number
}

const nodesMax = 2048

/** As in `names.as`: letters of both cases are one, the last byte is the highest, as sixteen bits. */
const fold = 0x5f5f5f5f
const factor = 0x05415269
const hashOf = (a: number, b: number, c: number, d = 0): number =>
  Math.imul(((a << 24) | (b << 16) | (c << 8) | d) & fold, factor) >>> 16
const three = 1
const four = 2
const whole = 4

/**
 * What can end a name, by its hash, as flags: `three` bytes that a word can end in; `four` letters of
 * ASCII, or three that are a `whole` name, with all that is skipped between them left out. Between
 * the bytes may stand whatever is skipped in names, and each may be an escape. Words of one letter are
 * not among them: `lastsOf`. The factor is one of those by which few words of English have the hash of
 * a name.
 */
export function endingsOf(names: readonly Name[], isSkipped: (b: number) => boolean): Uint8Array {
  const ends = new Uint8Array(0x10000)
  const mark = (flag: number, a: number, b: number, c: number, d = 0): void => {
    const hash = hashOf(a, b, c, d)
    ends[hash] = (ends[hash] ?? 0) | flag
  }
  const gaps = Array.from({ length: 128 }, (_, b) => b).filter(isSkipped)
  const lineBreaks = [...Buffer.from('nrt')]
  for (const [a = 0, b = 0, c = 0] of names.flatMap(({ name }) => spelt(name))) {
    for (const before of [c, ...gaps, ...lineBreaks]) mark(three, a, b, before)
    for (const letter of lineBreaks) mark(three, a, letter, 0x5c)
  }
  for (const { name } of names) {
    const [a = 0, b = 0, c = 0, d = 0] = [...Buffer.from(name)].toReversed()
    if (d === 0) mark(whole, a, b, c)
    else mark(four, a, b, c, d)
  }
  return ends
}

/** The bytes in which names end. */
export function lastsOf(names: readonly Name[]): Set<number> {
  return new Set(names.flatMap(({ name }) => spelt(name)).map(([a = 0]) => a))
}

/** The last three bytes of a word, the last one first: one list for each spelling. */
function spelt(name: string): number[][] {
  let all: number[][] = [[]]
  for (const letter of Array.from(name).slice(-3).toReversed()) {
    all = all.flatMap((end) =>
      end.length >= 3 ? [end] : spellings(letter).map((more) => [...end, ...more]),
    )
  }
  return all.flatMap(([a = 0, ...more]) => {
    const isLetter = a >= 0x61 && a <= 0x7a
    return [a, ...(isLetter ? [a & 95] : [])].map((last) => [last, ...more.slice(0, 2)])
  })
}

/** The bytes of a letter, the last one first: of any case, and of its escape if it is not in ASCII. */
function spellings(letter: string): number[][] {
  const all = casesOf(letter).flatMap((cp) => {
    const text = String.fromCodePoint(cp)
    const escape = cp.toString(16).padStart(4, '0')
    return cp < 0x80 ? [text] : [text, escape, escape.toUpperCase()]
  })
  return all.map((text) => [...Buffer.from(text)].toReversed())
}

/** The last two bytes of each name that ends beyond ASCII. */
export function tailsOf(names: readonly Name[]): (readonly [number, number])[] {
  const last = new Set(names.flatMap(({ name }) => casesOf(Array.from(name).at(-1) ?? '')))
  return [...last].flatMap((cp) => {
    const [end = 0, before = 0] = [...Buffer.from(String.fromCodePoint(cp))].toReversed()
    return cp < 0x80 ? [] : [[before, end] as const]
  })
}

interface Node {
  readonly children: Map<number, Node>
  tells: number
  place: number
}

/**
 * Writes names from their last letter on, as a tree: each node is a letter, its first child, its next
 * sibling (16 bits each), and what the name tells that is complete with it. In front of the first node
 * stands where its children are, for ASCII.
 * @throws {RangeError} when there are more letters than room.
 */
export function writeNodes(names: readonly Name[], memory: Uint8Array, start: number): void {
  const root = treeOf(names)
  const view = new DataView(memory.buffer, memory.byteOffset + start, nodesMax * 8)
  let used = 1
  const write = (node: Node): number => {
    if (node.place > 0 || node.children.size === 0) return node.place
    const first = used
    node.place = first
    used += node.children.size
    if (used > nodesMax)
      throw new RangeError(`The kernel has no room for ${used} letters of names.`)
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
  const table = new DataView(memory.buffer, memory.byteOffset + start - 256, 256)
  for (const [i, cp] of [...root.children.keys()].entries())
    if (cp < 0x80) table.setUint16(cp * 2, root.place + i, true)
}

function treeOf(names: readonly Name[]): Node {
  const empty = (): Node => ({ children: new Map(), tells: 0, place: 0 })
  const root = empty()
  for (const { name, tells } of names) {
    let node = root
    for (const letter of Array.from(name).toReversed()) {
      const child = node.children.get(letter.codePointAt(0) ?? 0) ?? empty()
      for (const same of casesOf(letter)) node.children.set(same, child)
      node = child
    }
    node.tells |= tells
  }
  return root
}

/** The code points which `toLowerCase` makes into this letter; ASCII is folded by the kernel. */
function casesOf(letter: string): number[] {
  const upper = letter.toUpperCase()
  const folds = [letter, letter === 'k' ? '\u212a' : letter]
  if (letter >= '\u0080' && upper.toLowerCase() === letter) folds.push(upper)
  return [...new Set(folds.map((text) => text.codePointAt(0) ?? 0))]
}
