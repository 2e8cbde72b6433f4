/**
 * The form of a tool: what its server's list says of it, hashed whole and part by part. What is kept
 * of the text is masked and cut; the hashes are over all of it.
 */
import { hash } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import type { Masker } from '../mask/masker.ts'
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import { spell } from './pins-spelling.ts'

/** Members of a tool that are told apart; any further one is of `other`. */
export const partNames = [
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
  'icons',
  'execution',
  'other',
] as const
export type PartName = (typeof partNames)[number]

/** SHA-256 of each part that is there, hex. */
export type Parts = Readonly<Partial<Record<PartName, string>>>

/** What is kept of each part: descriptions as they are, the rest as JSON over several lines. */
export type Texts = Readonly<Partial<Record<PartName, string>>>

export interface Form {
  /** SHA-256 of the canonical JSON of the tool without its `_meta`, hex. */
  readonly sha256: string
  readonly parts: Parts
  /** As the annotations say it: `readOnlyHint` and `destructiveHint` are `true`. */
  readonly isReadOnly: boolean
  readonly isDestructive: boolean
}

function sha256Of(text: string): string {
  return hash('sha256', text, 'hex')
}

/** @param tool an object of `tree`. */
export function formOf(tree: JsonTree, tool: Node): Form {
  const members: (readonly [name: string, text: string])[] = []
  for (let key = tree.first(tool); key !== NONE; key = tree.next(key)) {
    const name = tree.text(key)
    // May differ from answer to answer, and is for programs (MCP, `_meta`).
    if (name !== '_meta') members.push([name, spell(tree, tree.value(key))])
  }
  members.sort(([a], [b]) => (a < b ? -1 : 1))
  const parts: Partial<Record<PartName, string>> = {}
  for (const [name, text] of members) {
    if (isPart(name) && name !== 'other') parts[name] = sha256Of(text)
  }
  const others = members.filter(([name]) => name !== 'name' && (!isPart(name) || name === 'other'))
  if (others.length > 0) parts.other = sha256Of(whole(others))
  const annotations = tree.get(tool, 'annotations')
  return {
    sha256: sha256Of(whole(members)),
    parts,
    isReadOnly: isTrue(tree, tree.get(annotations, 'readOnlyHint')),
    isDestructive: isTrue(tree, tree.get(annotations, 'destructiveHint')),
  }
}

function whole(members: readonly (readonly [name: string, text: string])[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

const names: ReadonlySet<string> = new Set(partNames)

function isPart(name: string): name is PartName {
  return names.has(name)
}

function isTrue(tree: JsonTree, node: Node): boolean {
  return node !== NONE && tree.kind(node) === 'true'
}

/** Of one part, in UTF-16 units. */
export const textMax = 16_384
/** A masked text may be this much shorter than what it was made of, and still hold no half number. */
const slack = 256

/**
 * @param max units kept of each part.
 * @returns texts without card data: what cannot be masked is not kept.
 */
export function textsOf(
  tree: JsonTree,
  tool: Node,
  words: Masker['words'],
  max: number = textMax,
): Texts {
  const found: Partial<Record<PartName, string>> = {}
  for (let key = tree.first(tool); key !== NONE; key = tree.next(key)) {
    const name = tree.text(key)
    if (name === '_meta' || name === 'name') continue
    const value = tree.value(key)
    const isText = tree.kind(value) === 'string'
    const text = isText ? tree.text(value) : spell(tree, value, 2)
    if (isPart(name) && name !== 'other') found[name] = masked(text, words, max)
    else found.other = join(found.other, masked(`${name}: ${text}`, words, max), max)
  }
  return found
}

function join(before: string | undefined, text: string, max: number): string {
  return before === undefined ? text : cutTo(`${before}\n${text}`, max)
}

function masked(text: string, words: Masker['words'], max: number): string {
  // Cut twice: what the first cut halved is gone with the second.
  const isLong = text.length > max
  const first = isLong ? text.slice(0, max + slack) : text
  try {
    const { value } = words([first.toWellFormed()])
    return isLong ? cutNote(value[0] ?? '', max, text.length) : (value[0] ?? '')
  } catch (error) {
    // The hash stands: the tool is pinned, and only nobody can read what it said.
    if (error instanceof Fault) return '(This text could not be masked, so it is not kept.)'
    throw error
  }
}

function cutNote(text: string, max: number, length: number): string {
  const kept = Math.max(0, Math.min(max, text.length - slack))
  return `${text.slice(0, kept).toWellFormed()}\n(Cut: ${length} characters in all, ${kept} kept; the hash is over all.)`
}

function cutTo(text: string, max: number): string {
  return text.length > max ? cutNote(text, max, text.length) : text
}

/** Parts whose hashes differ, in the order of `partNames`. */
export function changedParts(before: Parts, after: Parts): PartName[] {
  return partNames.filter((name) => before[name] !== after[name])
}
