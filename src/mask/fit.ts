/**
 * Keeps masked results valid against the tool's `outputSchema`: where the usual form breaks it, the
 * next form that fits is written; where none fits, the result is withheld.
 *
 * Why: clients check `structuredContent` themselves and refuse a result that does not fit (MCP
 * 2025-11-25, Tools: output schema). What the server sent and does not fit by itself is no affair of
 * masking, and is delivered with the usual forms; so is what takes too long to weigh.
 */
import { Fault } from '../base/fault.ts'
import { START } from '../cards/findings.ts'
import { NONE } from '../wire/json.ts'
import { delivered, within } from './edited.ts'
import { instanceOf, isElements, isMembers, unchanged } from './instance.ts'
import { mirror } from './mirror.ts'
import { Spot, setForm, valueOf } from './spot.ts'
import { usualForm } from './forms.ts'
import type { Findings } from '../cards/findings.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Edited } from './edited.ts'
import type { Changes, Instance } from './instance.ts'
import type { Complaint, Run } from './rule.ts'
import type { Span } from './spot.ts'
import type { OutputSchema } from './validate.ts'

/**
 * Changes the findings of a message so that what is written in their places fits.
 * @throws {Fault} `mask_failed` with `facts.reason` `schema` when nothing does.
 */
export type Fit = (findings: Findings, message: Uint8Array) => void

/** A tool result, and what it must fit. */
export interface Fitting {
  readonly tree: JsonTree
  /** The object with `structuredContent` and `content`. */
  readonly result: Node
  readonly schema: OutputSchema
  /** What the plan leaves in clear on delivery. */
  readonly reveal: 'none' | 'pan'
  /** Masks a key for an error text. */
  readonly word: (text: string) => string
}

/** Larger results keep the usual forms. */
const contentBytesMax = 8 * 1024 * 1024
/** What one result may cost, in steps of some 50 ns; most take two for each byte. */
const stepsMin = 1_000_000
const stepsPerByte = 4
const stepsMax = 20_000_000
const roundsMax = 32
const pointerLengthMax = 400

/** The way to fit one result; to be called before anything is written. */
export function fitting(of: Fitting): Fit {
  return (findings, message) => fit({ findings, message, reveal: of.reveal }, of)
}

function fit(edited: Edited, of: Fitting): void {
  const { tree, schema } = of
  if (!schema.isTight) return
  const content = tree.get(of.result, 'structuredContent')
  if (content === NONE || tree.end(content) - tree.start(content) > contentBytesMax) return
  const all = delivered(edited)
  const inside = within(edited.findings, all, tree.start(content), tree.end(content))
  if (inside.length === 0) return
  const changes = new Spots(edited, inside)
  const masked = instanceOf(tree, content, changes)
  const left = Math.min(
    stepsMax,
    stepsMin + stepsPerByte * (tree.end(content) - tree.start(content)),
  )
  const run: Run = { left, depth: 0, complaints: undefined }
  let complaints = schema.weigh(masked, run)
  if (complaints === undefined || complaints.length === 0) return
  const before = schema.weigh(changes.cleared(tree, content, masked), run)
  if (before === undefined || before.length > 0) return
  changes.restore()
  for (let round = 0; complaints.length > 0; round++) {
    const suspects = suspectsOf(complaints)
    const moved = [...suspects].filter(([spot, own]) => spot.next(own))
    if (moved.length === 0 || round >= roundsMax) throw withheld(of, suspects, changes)
    complaints = schema.weigh(masked, run)
    if (complaints === undefined) return
  }
  const changed = changes.spots.filter((spot) => spot.stage > 0)
  for (const spot of changed) write(edited.findings, spot)
  mirror(edited, of, changed, all)
}

/** Puts a spot in each place that has findings, and masks the keys that have some. */
class Spots implements Changes {
  readonly spots: Spot[] = []
  readonly #usual: (string | number)[] = []
  /** Where the first key stands that is masked. */
  keyStart = -1
  readonly #of: Edited
  readonly #order: readonly number[]
  /** Invariant: the values are asked for in the order in which they stand. */
  #next = 0

  constructor(of: Edited, order: readonly number[]) {
    this.#of = of
    this.#order = order
  }

  slot(tree: JsonTree, node: Node): Spot | undefined {
    const isString = tree.kind(node) === 'string'
    const rim = isString ? 1 : 0
    const span = this.#span(tree.start(node) + rim, tree.end(node) - rim, isString)
    if (span === undefined) return undefined
    const spot = new Spot(this.#of, span)
    this.spots.push(spot)
    return spot
  }

  key(tree: JsonTree, key: Node): string {
    const span = this.#span(tree.start(key) + 1, tree.end(key) - 1, true)
    if (span === undefined) return tree.text(key)
    if (this.keyStart < 0) this.keyStart = span.start
    const { findings, message, reveal } = this.#of
    const usual = span.found.map((i) => usualForm(findings, message, i, reveal))
    return String(valueOf(this.#of, span, usual))
  }

  /** The value as the server sent it: the same with clear spots, unless its keys differ. */
  cleared(tree: JsonTree, content: Node, masked: Instance): Instance {
    if (this.keyStart >= 0) return instanceOf(tree, content, unchanged)
    for (const spot of this.spots) {
      this.#usual.push(spot.value)
      spot.value = spot.clear()
    }
    return masked
  }

  /** Puts the usual forms back. */
  restore(): void {
    for (const [at, value] of this.#usual.entries()) {
      const spot = this.spots[at]
      if (spot !== undefined) spot.value = value
    }
  }

  #span(start: number, end: number, isString: boolean): Span | undefined {
    const found: number[] = []
    for (let i = this.#order[this.#next]; i !== undefined; i = this.#order[this.#next]) {
      if (this.#of.findings.field(i, START) >= end) break
      found.push(i)
      this.#next++
    }
    return found.length === 0 ? undefined : { start, end, isString, found }
  }
}

/**
 * The spots that may be to blame, with what is said of them: those that are complained of
 * themselves; where there is none, all below what is complained of.
 */
function suspectsOf(complaints: readonly Complaint[]): Map<Spot, Complaint[]> {
  const suspects = new Map<Spot, Complaint[]>()
  for (const complaint of complaints) {
    if (!(complaint.at instanceof Spot)) continue
    const own = suspects.get(complaint.at)
    if (own === undefined) suspects.set(complaint.at, [complaint])
    else own.push(complaint)
  }
  if (suspects.size > 0) return suspects
  const seen = new Set<Instance>()
  for (const { at } of complaints) below(at, seen, suspects)
  return suspects
}

function below(at: Instance, seen: Set<Instance>, into: Map<Spot, Complaint[]>): void {
  if (at instanceof Spot) into.set(at, [])
  else if (isElements(at) || isMembers(at)) {
    if (seen.has(at)) return
    seen.add(at)
    for (const one of at.values()) below(one, seen, into)
  }
}

function write(findings: Findings, spot: Spot): void {
  for (const [index, i] of spot.span.found.entries()) {
    const form = spot.formOf(index)
    if (form !== undefined) setForm(findings, i, form)
  }
}

function withheld(
  of: Fitting,
  suspects: ReadonlyMap<Spot, unknown>,
  { spots, keyStart }: Spots,
): Fault {
  const [spot = spots[0]] = suspects.keys()
  const at = pointerTo(of, spot?.span.start ?? keyStart)
  return new Fault(
    'mask_failed',
    `The call ran, and its answer is withheld: the outputSchema of the tool takes no masked value at ${at}. Widen the schema there (a text without enum or pattern), or leave the field out of the call.`,
    { facts: { reason: 'schema', at } },
  )
}

/** The pointer to what stands at an offset, `*` for each index, its keys masked; cut off if long. */
function pointerTo({ tree, word }: Fitting, offset: number): string {
  let pointer = ''
  let at: Node = tree.root
  while (tree.start(at) < offset) {
    const isObject = tree.kind(at) === 'object'
    let child = tree.first(at)
    const valueIn = (n: Node): Node => (isObject ? tree.value(n) : n)
    while (child !== NONE && tree.end(valueIn(child)) < offset) child = tree.next(child)
    if (child === NONE || pointer.length > pointerLengthMax) return pointer
    const key = isObject ? word(tree.text(child)).replaceAll('~', '~0').replaceAll('/', '~1') : '*'
    pointer += isObject && key === '*' ? '/~2a' : `/${key}`
    at = valueIn(child)
  }
  return pointer
}
