/**
 * A card number whose groups are spread over neighbouring text items of one message: `4539 1488`,
 * then `0343 6467`. Only whole groups in the sizes cards are written in; the end of an item counts
 * as a separator.
 */
import { brandOf, NEEDS_CONTEXT } from '../cards/ranges.ts'
import { isDigit, isSeparator } from '../cards/bytes.ts'
import { END, FIELDS, HASH, HIGH, LAST4, PAN, PATCH, START, code } from '../cards/findings.ts'
import { isOneDigit, passesLuhn } from '../cards/luhn.ts'
import { MEMBER } from '../cards/path.ts'
import { NONE } from '../wire/json.ts'
import type { Scan } from '../cards/scan.ts'
import type { JsonTree, Node } from '../wire/json.ts'

/** The groupings of card numbers, and those in which some groups stand without a separator. */
const groupings = [
  [12, 4],
  [4, 12],
  [10, 5],
  [4, 11],
  [10, 4],
  [4, 10],
  [16, 3],
  [8, 4, 4],
  [4, 8, 4],
  [4, 4, 8],
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
  [6, 13],
  [8, 8],
]
/** Members whose items a reader sees as one text. */
export const readAsOne: ReadonlySet<string> = new Set(['content', 'contents', 'messages'])
const partBytesMax = 40
/** Among how many findings one is looked for that stands in the same place. */
const recentMax = 4096
/** No number has more groups. */
const groupsMax = 5

/** A run of digits at the rim of an item. */
interface Group {
  readonly item: number
  readonly start: number
  readonly end: number
}

interface Item {
  readonly index: number
  readonly start: number
  readonly end: number
  /** Where the keys stand that lead to the text: pairs of start and end. */
  readonly keys: readonly number[]
}

/** Whether a message has a list whose items are read as one text, where MCP has such lists. */
export function hasItems(tree: JsonTree): boolean {
  if (tree.kind(tree.root) !== 'object') return true
  for (const holder of ['result', 'params']) {
    const node = tree.get(tree.root, holder)
    if (node === NONE || tree.kind(node) !== 'object') continue
    for (const name of readAsOne) {
      const list = tree.get(node, name)
      if (list === NONE || tree.kind(list) !== 'array') continue
      const first = tree.first(list)
      if (first !== NONE && tree.next(first) !== NONE) return true
    }
  }
  return false
}

/** Adds the numbers that begin in one item of `list` and end in another to the findings. */
export function joinItems(tree: JsonTree, list: Node, scan: Scan): void {
  const items = itemsOf(tree, list)
  for (let i = 0; i + 1 < items.length; i++) {
    const groups = groupsFrom(tree.bytes, items, i)
    if (groups !== undefined) i = tryAll(tree.bytes, items, groups, scan, i)
  }
}

/** The text items; of a prompt's messages, the text of their content. */
function itemsOf(tree: JsonTree, list: Node): Item[] {
  const items: Item[] = []
  let index = 0
  for (let n = tree.first(list); n !== NONE; n = tree.next(n), index++) {
    if (tree.kind(n) !== 'object') continue
    const keys: number[] = []
    let text = member(tree, n, 'text', keys)
    const content = text === NONE ? member(tree, n, 'content', keys) : NONE
    if (content !== NONE && tree.kind(content) === 'object')
      text = member(tree, content, 'text', keys)
    if (text === NONE || tree.kind(text) !== 'string') continue
    items.push({ index, start: tree.start(text) + 1, end: tree.end(text) - 1, keys })
  }
  return items
}

/** The value of a member; the place of its key is added to `keys`. */
function member(tree: JsonTree, object: Node, name: string, keys: number[]): Node {
  for (let key = tree.first(object); key !== NONE; key = tree.next(key)) {
    const [start, end] = [tree.start(key) + 1, tree.end(key) - 1]
    if (end - start !== name.length || tree.text(key) !== name) continue
    keys.push(start, end)
    return tree.value(key)
  }
  return NONE
}

/** The groups at the end of item `first` and at the start of what follows; undefined for none. */
function groupsFrom(b: Uint8Array, items: readonly Item[], first: number): Group[] | undefined {
  const at = items[first]
  if (at === undefined) return undefined
  let start = at.end
  while (start > at.start && at.end - start < partBytesMax && isPart(b[start - 1] ?? 0)) start--
  // A group that is cut off by the reach, or goes on to the left as something else, is none.
  const groups = split(b, start, at.end, first)
  if (groups.length === 0) return undefined
  const own = groups.length
  for (let i = first + 1; i < items.length; i++) {
    const item = items[i]
    if (item === undefined) break
    let end = item.start
    while (end < item.end && end - item.start < partBytesMax && isPart(b[end] ?? 0)) end++
    groups.push(...split(b, item.start, end, i))
    if (end < item.end || groups.length > own + groupsMax) break
  }
  return groups.length > own ? groups : undefined
}

const isPart = (b: number): boolean => isDigit[b] === 1 || isSeparator[b] === 1

function split(b: Uint8Array, start: number, end: number, item: number): Group[] {
  const groups: Group[] = []
  for (let i = start; i < end; i++) {
    if (isDigit[b[i] ?? 0] !== 1) continue
    let to = i + 1
    while (to < end && isDigit[b[to] ?? 0] === 1) to++
    groups.push({ item, start: i, end: to })
    i = to
  }
  return groups
}

/** Tells the first number of these groups; returns the item with which the next one may begin. */
function tryAll(
  b: Uint8Array,
  items: readonly Item[],
  groups: readonly Group[],
  scan: Scan,
  at: number,
): number {
  const first = groups[0]?.item ?? 0
  for (let a = 0; a < groups.length && groups[a]?.item === first; a++) {
    for (const sizes of groupings) {
      const parts = groups.slice(a, a + sizes.length)
      const fits = sizes.every((size, k) => {
        const part = parts[k]
        return part !== undefined && part.end - part.start === size
      })
      if (!fits || parts.at(-1)?.item === first || !isWhole(b, items, parts)) continue
      if (tell(b, items, parts, scan)) return (parts.at(-1)?.item ?? at + 1) - 1
    }
  }
  return at
}

/** Nothing that belongs to a longer word or number touches the first or the last group. */
function isWhole(b: Uint8Array, items: readonly Item[], parts: readonly Group[]): boolean {
  const [head, tail] = [parts[0], parts.at(-1)]
  if (head === undefined || tail === undefined) return false
  const before = head.start > (items[head.item]?.start ?? 0) ? (b[head.start - 1] ?? 0) : 0
  const after = tail.end < (items[tail.item]?.end ?? 0) ? (b[tail.end] ?? 0) : 0
  return !/[A-Za-z0-9_#+]/.test(String.fromCharCode(before, after))
}

function tell(b: Uint8Array, items: readonly Item[], parts: readonly Group[], scan: Scan): boolean {
  const digits = new Uint8Array(24)
  let length = 0
  for (const part of parts) {
    for (let i = part.start; i < part.end; i++) digits[length++] = (b[i] ?? 0) & 15
  }
  const brand = brandOf(digits, length)
  if (brand === 0 || (brand & NEEDS_CONTEXT) !== 0) return false
  if (isOneDigit(digits, length) || !passesLuhn(digits, length)) return false
  const spans = [...new Set(parts.map((part) => part.item))].map((item) => {
    const own = parts.filter((part) => part.item === item)
    return { item, start: own[0]?.start ?? 0, end: own.at(-1)?.end ?? 0 }
  })
  if (spans.some((span) => isTaken(scan, span))) return false
  let done = 0
  let told = -1
  for (const { item, start, end } of spans) {
    const patch = Buffer.from(b.subarray(start, end))
    for (let i = 0; i < patch.length; i++) {
      if (isDigit[patch[i] ?? 0] === 1 && length - done++ > 4) patch[i] = 0x2a
    }
    told = place(scan, items[item], start, end, code(PAN, HIGH, PATCH, brand), patch)
  }
  // The number is told once, by its last part.
  const last = told * FIELDS
  scan.findings.rows[last + LAST4] = Number(digits.subarray(length - 4, length).join(''))
  scan.findings.rows[last + HASH] = scan.hashOf(digits, length)
  return true
}

/** Whether something was found that goes beyond a part; what lies within it is replaced. */
function isTaken({ findings }: Scan, { start, end }: { start: number; end: number }): boolean {
  for (let i = findings.count - 1; i >= Math.max(0, findings.count - recentMax); i--) {
    const [from, to] = [findings.field(i, START), findings.field(i, END)]
    if (from < end && to > start && (from < start || to > end)) return true
  }
  return false
}

function place(
  scan: Scan,
  item: Item | undefined,
  start: number,
  end: number,
  what: number,
  patch: Uint8Array,
): number {
  const { path, findings } = scan
  for (let i = findings.count - 1; i >= Math.max(0, findings.count - recentMax); i--) {
    if (findings.field(i, START) < start || findings.field(i, END) > end) continue
    findings.replace(i, { start, end, what, patch }, -1, 0)
    return i
  }
  path.index[path.depth - 1] = item?.index ?? 0
  const { depth } = path
  const keys = item?.keys ?? []
  for (let k = 0; k < keys.length; k += 2) {
    path.push(MEMBER, 0)
    path.nameStart[path.depth - 1] = keys[k] ?? 0
    path.nameEnd[path.depth - 1] = keys[k + 1] ?? 0
  }
  const at = findings.count
  scan.found(start, end, what, -1)
  findings.patches.set(at, patch)
  while (path.depth > depth) path.pop()
  return at
}
