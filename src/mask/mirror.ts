/**
 * Servers repeat `structuredContent` as JSON in a text item of `content` (MCP 2025-11-25, Tools:
 * structured content, for older clients). Where a form was changed to fit the schema, the same place
 * of the repetition gets the same form, so that both still say the same.
 */
import { Fault } from '../base/fault.ts'
import { Unescaped } from '../cards/unescape.ts'
import { NONE, readJson } from '../wire/json.ts'
import { formInString, usualForm } from './forms.ts'
import { within } from './edited.ts'
import { numberOf } from './instance.ts'
import { setForm } from './spot.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Fitting } from './fit.ts'
import type { Form } from './forms.ts'
import type { Edited } from './edited.ts'
import type { Spot } from './spot.ts'

const limits = { bytesMax: 16 * 1024 * 1024, depthMax: 512 }
/** Text items looked at; servers write one, or one for each row. */
const itemsMax = 64

/** @param order the findings that are written over on delivery, by place. */
export function mirror(
  edited: Edited,
  of: Fitting,
  changed: readonly Spot[],
  order: readonly number[],
): void {
  const { tree, result } = of
  const content = tree.get(result, 'structuredContent')
  const items = tree.get(result, 'content')
  if (changed.length === 0 || items === NONE || tree.kind(items) !== 'array') return
  const spots = new Map(changed.map((spot) => [spot.span.start, spot]))
  let count = 0
  for (let item = tree.first(items); item !== NONE && count < itemsMax; item = tree.next(item)) {
    const text = tree.get(item, 'text')
    if (text === NONE || tree.kind(text) !== 'string') continue
    count++
    const [start, end] = [tree.start(text) + 1, tree.end(text) - 1]
    if (within(edited.findings, order, start, end).length === 0) continue
    const plain = new Unescaped(tree.bytes, start, end)
    const inner = readInner(plain.bytes.subarray(0, plain.length))
    if (inner === undefined) continue
    for (const whole of [content, onlyMember(tree, content)]) {
      const pairs = new Pairs(tree, inner, spots)
      if (whole === NONE || !pairs.areEqual(whole, inner.root)) continue
      for (const [spot, node] of pairs.found)
        follow(
          edited,
          spot,
          order,
          plain.startOf(inner.start(node)),
          plain.startOf(inner.end(node)),
        )
      break
    }
  }
}

/** What some frameworks put the value in, since it must be an object: `{"result": …}`. */
function onlyMember(tree: JsonTree, content: Node): Node {
  return tree.kind(content) === 'object' && tree.size(content) === 1
    ? tree.value(tree.first(content))
    : NONE
}

function readInner(bytes: Uint8Array): JsonTree | undefined {
  const first = bytes[0] ?? 0
  if (first !== 0x7b && first !== 0x5b) return undefined
  try {
    return readJson(bytes, limits)
  } catch (error) {
    // It repeats nothing, then; what was found in it keeps its usual form.
    if (error instanceof Fault) return undefined
    throw error
  }
}

/** Writes the forms of a spot over the findings of its twin in [start, end) of the message. */
function follow(
  edited: Edited,
  spot: Spot,
  order: readonly number[],
  start: number,
  end: number,
): void {
  const { findings } = edited
  const twins = within(findings, order, start, end)
  if (twins.length !== spot.span.found.length) return
  for (const [index, i] of twins.entries()) {
    const form = spot.formOf(index)
    if (form === undefined) continue
    if (!spot.span.isString) {
      setForm(findings, i, form)
      continue
    }
    const own = ownForm(edited, i, spot.stage)
    if (own !== undefined) setForm(findings, i, own)
  }
}

/** A form with its own separators and escapes: that of the stage, or the last one before. */
function ownForm(
  { findings, message, reveal }: Edited,
  i: number,
  stage: number,
): Form | undefined {
  const usual = usualForm(findings, message, i, reveal)
  for (let at = stage; at > 0; at--) {
    const form = formInString(findings, message, i, usual, at)
    if (form !== undefined) return form
  }
  return undefined
}

/** Walks two values side by side and notes which places of the one are spots of the other. */
class Pairs {
  readonly found: [spot: Spot, node: Node][] = []
  readonly #outer: JsonTree
  readonly #inner: JsonTree
  readonly #spots: ReadonlyMap<number, Spot>

  constructor(outer: JsonTree, inner: JsonTree, spots: ReadonlyMap<number, Spot>) {
    this.#outer = outer
    this.#inner = inner
    this.#spots = spots
  }

  areEqual(a: Node, b: Node): boolean {
    const [outer, inner] = [this.#outer, this.#inner]
    const kind = outer.kind(a)
    if (kind !== inner.kind(b) || outer.size(a) !== inner.size(b)) return false
    if (kind === 'object') return this.#members(a, b)
    if (kind === 'array') {
      let other = inner.first(b)
      for (let n = outer.first(a); n !== NONE; n = outer.next(n), other = inner.next(other))
        if (!this.areEqual(n, other)) return false
      return true
    }
    const isString = kind === 'string'
    const spot = this.#spots.get(outer.start(a) + (isString ? 1 : 0))
    if (spot !== undefined) this.found.push([spot, b])
    if (isString) return this.#isSameText(a, b)
    return kind !== 'number' || numberOf(outer.raw(a)) === numberOf(inner.raw(b))
  }

  /** The same keys in any order; mostly it is the same order. */
  #members(a: Node, b: Node): boolean {
    const [outer, inner] = [this.#outer, this.#inner]
    let byName: Map<string, Node> | undefined
    let other = inner.first(b)
    for (let key = outer.first(a); key !== NONE; key = outer.next(key)) {
      let twin = other
      if (byName !== undefined || !this.#isSameText(key, other)) {
        byName ??= namesOf(inner, b)
        twin = byName.get(outer.text(key)) ?? NONE
      } else other = inner.next(other)
      if (twin === NONE || !this.areEqual(outer.value(key), inner.value(twin))) return false
    }
    return true
  }

  /** Whether two strings or keys have the same text; mostly they are spelt alike. */
  #isSameText(a: Node, b: Node): boolean {
    const [outer, inner] = [this.#outer, this.#inner]
    const [start, other] = [outer.start(a), inner.start(b)]
    const length = outer.end(a) - start
    let i = inner.end(b) - other === length ? 0 : -1
    while (i >= 0 && i < length && outer.bytes[start + i] === inner.bytes[other + i]) i++
    if (i === length) return true
    return (outer.isEscaped(a) || inner.isEscaped(b)) && outer.text(a) === inner.text(b)
  }
}

function namesOf(tree: JsonTree, object: Node): Map<string, Node> {
  const names = new Map<string, Node>()
  for (let key = tree.first(object); key !== NONE; key = tree.next(key))
    names.set(tree.text(key), key)
  return names
}
