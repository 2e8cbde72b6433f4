/**
 * A card number whose groups are spread over neighbouring text items of one message: `4539 1488`,
 * then `0343 6467`. Only whole groups in the sizes cards are written in; the end of an item counts
 * as a separator.
 */
import { fits } from '../../src/cards/ranges.ts'
import { isLuhn } from './groups.ts'
import { unquoted } from './json.ts'
import type { Node, Quoted } from './json.ts'
import type { Hit } from './running.ts'

/** Members whose items a reader sees as one text. */
export const listsReadAsOne: ReadonlySet<string> = new Set(['content', 'contents', 'messages'])

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
interface Group {
  readonly item: number
  readonly start: number
  readonly end: number
}

export function joinedHits(text: string, elements: readonly Node[], found: readonly Hit[]): Hit[] {
  const items = elements.flatMap((element) => itemOf(text, element) ?? [])
  const hits: Hit[] = []
  for (let first = 0; first + 1 < items.length; first++) {
    const number = numberFrom(text, items, first, [...found, ...hits])
    hits.push(...number)
    // The next one begins in its last item at the earliest.
    if (number.length > 1) first += number.length - 2
  }
  return hits
}

/** The text of an item; of a prompt's message, that of its content. */
function itemOf(text: string, node: Node): Quoted | undefined {
  const own = memberOf(text, node, 'text')
  const inner = own ?? memberOf(text, memberOf(text, node, 'content'), 'text')
  return inner?.kind === 'string' ? inner : undefined
}

function memberOf(text: string, node: Node | undefined, name: string): Node | undefined {
  if (node?.kind !== 'object') return undefined
  return node.members.find(
    ({ key }) =>
      unquoted(text, key)
        .map(({ character }) => character)
        .join('') === name,
  )?.value
}

function groupsIn(text: string, start: number, end: number, item: number): Group[] {
  return [...text.slice(start, end).matchAll(/[0-9]+/g)].map((match) => ({
    item,
    start: start + match.index,
    end: start + match.index + match[0].length,
  }))
}

/** The number that begins at the end of item `first` and goes on in those behind it. */
function numberFrom(
  text: string,
  items: readonly Quoted[],
  first: number,
  found: readonly Hit[],
): Hit[] {
  const item = items[first]
  if (item === undefined) return []
  const own = text.slice(item.start, item.end)
  const tail = /[0-9 ./_-]{0,40}$/.exec(own)?.[0] ?? ''
  const groups = groupsIn(text, item.end - tail.length, item.end, first)
  for (const [i, next] of items.entries()) {
    if (i <= first) continue
    const head = /^[0-9 ./_-]{0,40}/.exec(text.slice(next.start, next.end))?.[0] ?? ''
    groups.push(...groupsIn(text, next.start, next.start + head.length, i))
    if (head.length < next.end - next.start) break
  }
  for (const [at, group] of groups.entries()) {
    if (group.item !== first) break
    for (const sizes of groupings) {
      const parts = groups.slice(at, at + sizes.length)
      const isSized = sizes.every((size, k) => size === sizeOf(parts[k]))
      if (!isSized || parts.at(-1)?.item === first || !isWhole(text, items, parts)) continue
      const hits = partsHits(text, parts, found)
      if (hits.length > 0) return hits
    }
  }
  return []
}

const sizeOf = (group: Group | undefined): number =>
  group === undefined ? 0 : group.end - group.start

/** Nothing that belongs to a longer word or number touches the first or the last group. */
function isWhole(text: string, items: readonly Quoted[], parts: readonly Group[]): boolean {
  const [head, tail] = [parts[0], parts.at(-1)]
  if (head === undefined || tail === undefined) return false
  const before = head.start > (items[head.item]?.start ?? 0) ? text.charAt(head.start - 1) : ''
  const after = tail.end < (items[tail.item]?.end ?? 0) ? text.charAt(tail.end) : ''
  return !/[A-Za-z0-9_#+]/.test(before + after)
}

/** One hit for each item: digits to stars, but the last four of the number. */
function partsHits(text: string, parts: readonly Group[], found: readonly Hit[]): Hit[] {
  const digits = parts.map(({ start, end }) => text.slice(start, end)).join('')
  const range = fits(digits)
  if (range === undefined || range.need === 'context') return []
  if (new Set(digits).size === 1 || !isLuhn(digits)) return []
  let left = digits.length
  const hits = [...new Set(parts.map(({ item }) => item))].map((item) => {
    const own = parts.filter((part) => part.item === item)
    const [start, end] = [own[0]?.start ?? 0, own.at(-1)?.end ?? 0]
    const put = text.slice(start, end).replaceAll(/[0-9]/g, (digit) => (left-- > 4 ? '*' : digit))
    return { start, end, kind: 'pan' as const, put }
  })
  // What was found beyond a part goes before; what lies within it is replaced.
  const isTaken = (hit: Hit, other: Hit): boolean =>
    other.start < hit.end &&
    other.end > hit.start &&
    (other.start < hit.start || other.end > hit.end)
  return hits.some((hit) => found.some((other) => isTaken(hit, other))) ? [] : hits
}
