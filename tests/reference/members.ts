/** Members and cells of JSON: what a key, or the header of a column, says about the value beside it. */
import {
  CARD,
  CELL,
  CHILD,
  CID,
  CONTEXT,
  CVV,
  FILLER,
  LIST,
  NAME,
  OTHER_NUMBER,
  PIN,
  POSTAL,
  SECRET,
  meaningOf,
} from '../../src/cards/words.ts'
import { readPart, readWhole, unquoted } from './json.ts'
import { doubt, reading } from './readings.ts'
import { kindsOf, valueAmong } from './rows.ts'
import { removed } from './running.ts'
import { numberPut, valueHits } from './values.ts'
import type { Node, Quoted } from './json.ts'
import type { Hit } from './running.ts'
import type { Kind } from './rows.ts'

type Strings = Extract<Node, { kind: 'string' }>
type Numbers = Extract<Node, { kind: 'number' | 'literal' }>
type Objects = Extract<Node, { kind: 'object' }>
type Arrays = Extract<Node, { kind: 'array' }>

/** In how many strings, one in the other, JSON is looked for. */
const levelsMax = 5
/** How many brackets amid a text may lead to no JSON. */
const triesMax = 16
/** A longer text is no name of a column. */
const nameBytesMax = 64

/** What a message says of the columns of its lists of lists, by their index. */
export type Columns = Map<number, number>

/** Where a value stands: the lists and objects that hold it matter as far as this. */
export interface Place {
  /** What its key or column says of it. */
  readonly meaning: number
  /** In a list: its index. */
  readonly index?: number | undefined
}

/** Reads a message, or any text, once; `columns` grows by what its headers say. */
export class Reading {
  readonly columns: Columns
  readonly #level: number

  constructor(columns: Columns, level = 0) {
    this.columns = columns
    this.#level = level
  }

  /** The hits in a text: as JSON where it is that, and else JSON amid running text. */
  text(text: string, meaning: number): Hit[] {
    const isInString = this.#level > 0
    const mayBe = isInString ? /^\s*["{[]/.test(text) : /^(?:\s+["{[]|[{[])/.test(text)
    if (this.#level >= levelsMax) return valueHits(text, meaning)
    const whole = mayBe ? readWhole(text) : undefined
    // A string that is cut off in a string: its last escape may be of either.
    if (whole !== undefined && /^\s*"/.test(text) && !text.endsWith('"')) doubt.isAny = true
    if (whole !== undefined)
      return whole.values.flatMap((node) => this.node(text, node, { meaning }))
    return this.#fragments(text, meaning)
  }

  /** What stands before, between and behind JSON is read by itself. */
  #fragments(text: string, meaning: number): Hit[] {
    const hits: Hit[] = []
    let rest = 0
    let tries = 0
    const opening = /[{[](?=\s*")|\[(?=\s*[{[])/g
    const running = (to: number): void => {
      const part = text.slice(rest, to)
      hits.push(...valueHits(part, meaning).map((hit) => moved(hit, rest)))
    }
    for (
      let match = opening.exec(text);
      match !== null && tries < triesMax;
      match = opening.exec(text)
    ) {
      const read = readPart(text, match.index)
      if (read === undefined) tries++
      else {
        running(match.index)
        hits.push(...read.values.flatMap((node) => this.node(text, node, { meaning })))
        rest = read.end
        opening.lastIndex = read.end
      }
    }
    running(text.length)
    return hits
  }

  /** The hits in a value, as offsets of the text it stands in. */
  node(text: string, node: Node, place: Place): Hit[] {
    switch (node.kind) {
      case 'string':
        return this.#string(text, node, place.meaning)
      case 'number':
        return numberHits(text, node, place.meaning)
      case 'object':
        return this.object(text, node, place)
      case 'array':
        return this.#array(text, node, place)
      case 'literal':
        return []
    }
  }

  #string(text: string, node: Strings, meaning: number): Hit[] {
    const inner = new Reading(this.columns, this.#level + 1)
    return requoted(text, node, (inside) => inner.text(inside, meaning))
  }

  object(text: string, node: Objects, place: Place): Hit[] {
    const hits: Hit[] = []
    const keys = new Map<string, number>()
    let pair = 0
    let hasCard = false
    let isNearCard = false
    let cid: Hit | undefined
    for (const { key, value } of node.members) {
      const name = insideOf(text, key)
      hits.push(...keyHits(text, key, keys))
      const own = meaningOf(name)
      if ((own & CARD) !== 0) hasCard = true
      if ((own & CONTEXT) !== 0) isNearCard = true
      // `{"f":[{"v":…},{"v":…}]}`: an object a cell.
      const isCell = (own & CELL) !== 0 && place.index !== undefined
      const column = isCell ? (this.columns.get(place.index ?? -1) ?? 0) : 0
      // A postal code stands in an address; this one stands beside a card.
      const near = (own & POSTAL) !== 0 && isNearCard ? CONTEXT : 0
      const meaning = meaningOfMember(own, place.meaning, pair | column) | near
      if (value === undefined) continue
      hits.push(...this.member(text, name, value, { meaning }, node))
      if (value.kind === 'string' && (own & NAME) !== 0) {
        const named = nameIn(text, value)
        pair |= named & (CARD | SECRET | OTHER_NUMBER)
        // `columns: [{name: 'pan'}]`.
        if ((place.meaning & LIST) !== 0 && place.index !== undefined)
          this.#column(place.index, named)
      }
      if ((own & CID) !== 0) cid = cidHit(text, value) ?? cid
    }
    // A customer's id, but for a card's object.
    return hasCard && cid !== undefined ? [...hits, cid] : hits
  }

  /** A value under a key. */
  member(text: string, _name: string, value: Node, place: Place, _holder: Objects): Hit[] {
    return this.node(text, value, place)
  }

  #array(text: string, node: Arrays, place: Place): Hit[] {
    const isCells = place.index !== undefined
    const cells = node.elements.map((element, index) => {
      const column = isCells ? (this.columns.get(index) ?? 0) : 0
      const meaning = place.meaning | column
      const isHeader = isCells && place.index === 0
      if (element.kind === 'string' && (isHeader || (place.meaning & LIST) !== 0))
        this.#column(index, nameIn(text, element))
      return { element, hits: this.node(text, element, { meaning, index }) }
    })
    return [...cells.flatMap(({ hits }) => hits), ...besides(text, cells)]
  }

  #column(index: number, meaning: number): void {
    if (meaning !== 0) this.columns.set(index, (this.columns.get(index) ?? 0) | meaning)
  }
}

/** What a key says of its value, and what is around them. */
function meaningOfMember(own: number, outer: number, pair: number): number {
  const meaning = own | (outer & CONTEXT)
  if ((own & CHILD) === 0) return meaning
  // `{"cvv":{"value":…}}`, `{"name":"cvv","value":…}`, `{"card":{"number":…}}`
  const isCard = (outer & CONTEXT) !== 0 && (own & FILLER) !== 0
  return meaning | pair | (outer & (CARD | SECRET)) | (isCard ? CARD : 0)
}

/** What a text means as the name of a column. */
function nameIn(text: string, node: Quoted): number {
  const name = insideOf(text, node)
  if (lengthOf(text, node) > nameBytesMax) return 0
  return meaningOf(name) & (CARD | SECRET | CONTEXT | OTHER_NUMBER)
}

/** How many bytes of UTF-8 a string takes. */
const lengthOf = (text: string, node: Quoted): number =>
  Buffer.byteLength(
    reading.now === 'lengths as they are spelt'
      ? text.slice(node.start, node.end)
      : insideOf(text, node),
  )

function insideOf(text: string, node: Quoted): string {
  return unquoted(text, node)
    .map(({ character }) => character)
    .join('')
}

const moved = (hit: Hit, by: number): Hit => ({ ...hit, start: hit.start + by, end: hit.end + by })

/** Hits in the inside of a string as hits in the text around it. */
export function requoted(text: string, node: Quoted, read: (inside: string) => Hit[]): Hit[] {
  const units = unquoted(text, node)
  const starts: number[] = []
  for (const { character, start } of units)
    for (let k = 0; k < character.length; k++) starts.push(start)
  starts.push(node.end)
  const quoted = (put: string): string => JSON.stringify(put).slice(1, -1)
  return read(units.map(({ character }) => character).join('')).map((hit) => ({
    start: starts[hit.start] ?? node.end,
    end: starts[hit.end] ?? node.end,
    kind: hit.kind,
    put: quoted(hit.put),
    shown: hit.shown === undefined ? undefined : quoted(hit.shown),
  }))
}

function numberHits(text: string, { start, end }: Numbers, meaning: number): Hit[] {
  const token = text.slice(start, end)
  const found = numberPut(token, meaning)
  if (found === undefined) return []
  const { kind, put, isLow } = found
  return [{ start, end, kind, put, shown: isLow ? token : undefined }]
}

/** A key is masked as a text is, and stays unlike the other keys of its object. */
function keyHits(text: string, key: Quoted, keys: Map<string, number>): Hit[] {
  const hits = requoted(text, key, (inside) => valueHits(inside, 0))
  const last = hits.at(-1)
  if (last === undefined) return []
  const masked = apply(
    text.slice(key.start, key.end),
    hits.map((hit) => moved(hit, -key.start)),
  )
  const count = (keys.get(masked) ?? 0) + 1
  keys.set(masked, count)
  if (count > 1) hits.push({ ...last, start: key.end, end: key.end, put: `~${count}` })
  return hits
}

function cidHit(text: string, value: Node): Hit | undefined {
  if (value.kind !== 'string' && value.kind !== 'number') return undefined
  const { start, end, kind } = value
  if (!/^[0-9]{3,4}$/.test(text.slice(start, end))) return undefined
  return { start, end, kind: 'cvv', put: kind === 'number' ? '0' : removed }
}

interface Cell {
  readonly element: Node
  readonly hits: readonly Hit[]
}

/** Verification values in cells of one list: behind a cell that names one, or beside a card number. */
function besides(text: string, cells: readonly Cell[]): Hit[] {
  const hits: Hit[] = []
  const isScalar = ({ element }: Cell): boolean =>
    element.kind === 'string' || element.kind === 'number'
  const plain = cells.filter(isScalar)
  const taken = new Set<number>()
  for (const [i, cell] of plain.entries()) {
    const name = nameOf(cells, cell)
    const named = name?.element.kind === 'string' ? nameOfNext(text, name.element) : 0
    const kind = cell.hits.length > 0 ? undefined : valueNamed(contentOf(text, cell.element), named)
    if (kind === undefined) continue
    hits.push(whole(cell.element, kind))
    taken.add(i)
  }
  for (const [i, { hits: found }] of plain.entries()) {
    if (found[0]?.kind !== 'pan') continue
    const tokens: Set<Kind>[] = []
    const behind: number[] = []
    for (let k = i + 1; k < plain.length; k++) {
      const cell = plain[k]
      if (cell === undefined || cell.hits[0]?.kind === 'pan') break
      if (cell.hits.length > 0 || taken.has(k)) continue
      tokens.push(kindsOf(contentOf(text, cell.element)))
      behind.push(k)
    }
    const value = behind[valueAmong(tokens)?.index ?? -1]
    const element = value === undefined ? undefined : plain[value]?.element
    if (element !== undefined) hits.push(whole(element, 'cvv'))
  }
  return hits
}

/** The cell whose text may name this one: the one before it. What holds card data of its own, or
 *  nothing at all, is passed over; a list with values between ends that. */
function nameOf(cells: readonly Cell[], cell: Cell): Cell | undefined {
  for (let i = cells.indexOf(cell) - 1; i >= 0; i--) {
    const before = cells[i]
    if (before === undefined) return undefined
    const { kind } = before.element
    if ((kind === 'string' || kind === 'number') && before.hits.length === 0) return before
    if (hasCells(before.element)) return undefined
  }
  return undefined
}

/** Whether a list with values stands in a value. */
function hasCells(node: Node | undefined): boolean {
  if (node?.kind === 'object') return node.members.some(({ value }) => hasCells(value))
  if (node?.kind !== 'array') return false
  return node.elements.some(({ kind }) => kind !== 'literal') || node.elements.some(hasCells)
}

const contentOf = (text: string, node: Node): string =>
  node.kind === 'string'
    ? insideOf(text, node)
    : node.kind === 'number'
      ? text.slice(node.start, node.end)
      : ''

function nameOfNext(text: string, node: Quoted): number {
  const name = insideOf(text, node)
  const length = lengthOf(text, node)
  const isName = length >= 3 && length <= 96 && !/^[0-9]/.test(name)
  return isName ? meaningOf(name) & (CVV | PIN) : 0
}

function valueNamed(text: string, named: number): 'cvv' | 'pin' | undefined {
  if ((named & CVV) !== 0 && /^[0-9]{3,4}$/.test(text)) return 'cvv'
  return (named & PIN) !== 0 && /^[0-9]{4,12}$/.test(text) ? 'pin' : undefined
}

function whole(node: Node, kind: 'cvv' | 'pin'): Hit {
  if (node.kind !== 'string' && node.kind !== 'number') throw new Error('only scalars are masked')
  return { start: node.start, end: node.end, kind, put: node.kind === 'number' ? '0' : removed }
}

/** A text with its hits written over; hits must not overlap. */
export function apply(text: string, hits: readonly Hit[], isShown = false): string {
  let out = ''
  let done = 0
  for (const hit of hits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (hit.start < done) throw new Error('hits overlap')
    out += text.slice(done, hit.start) + (isShown ? (hit.shown ?? hit.put) : hit.put)
    done = hit.end
  }
  return out + text.slice(done)
}
