/** Mistakes in the file: where they stand, what is wrong, what to do. */
import { isMap, isNode, isPair, isScalar, isSeq } from 'yaml'
import type { Document, LineCounter, Node } from 'yaml'
import type { z } from 'zod'
import { offsetWithin } from './within.ts'

/** Keys and indexes from the top of the file to a value. */
export type Path = readonly (string | number)[]

export interface Mistake {
  readonly line: number
  readonly column: number
  /** `connections[0].url`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  /** Absolute path of another file in which it stands: a profile's. */
  readonly file?: string
}

/** A file that was read as YAML, with its positions. */
export interface Source {
  readonly document: Document
  readonly lines: LineCounter
  readonly text: string
}

/** `['connections', 0, 'url']` as `connections[0].url`. */
export function showPath(path: Path): string {
  return path.reduce<string>(
    (shown, part) =>
      typeof part === 'number' ? `${shown}[${part}]` : shown === '' ? part : `${shown}.${part}`,
    '',
  )
}

/** A mistake at a path; where the path has no node (a missing key), at the nearest one above. */
export function mistakeAt(source: Source, path: Path, message: string, atKey?: string): Mistake {
  const { line, column } = positionOf(source, path, atKey)
  return { line, column, path: showPath(atKey === undefined ? path : [...path, atKey]), message }
}

/** Line and column, both from 1. */
export function positionOf(
  { document, lines }: Source,
  path: Path,
  atKey?: string,
): { line: number; column: number } {
  let node: unknown = document.contents
  let offset = startOf(node)
  for (const part of path) {
    const { key, value } = step(node, part)
    if (value === undefined) break
    offset = startOf(value) ?? startOf(key) ?? offset
    node = value
  }
  const key = atKey === undefined ? undefined : step(node, atKey).key
  const { line, col } = lines.linePos(startOf(key) ?? offset ?? 0)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

function step(node: unknown, part: string | number): { key?: Node; value?: unknown } {
  if (isSeq(node)) return { value: node.items[Number(part)] }
  if (!isMap(node)) return {}
  for (const pair of node.items) {
    if (isPair(pair) && isScalar(pair.key) && pair.key.value === part) {
      return { key: pair.key, value: pair.value ?? pair.key }
    }
  }
  return {}
}

/** One or more mistakes from one finding of the schema. Values never stand in a message. */
export function fromIssue(source: Source, issue: z.core.$ZodIssue, known: KnownKeys): Mistake[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => mistakeAt(source, path, unknownKey(key, known(path)), key))
  }
  const mistake = mistakeAt(source, path, explain(issue, valueAt(source, path)))
  const at: unknown = issue.code === 'custom' ? issue.params?.['at'] : undefined
  return [typeof at === 'number' ? { ...mistake, ...placeWithin(source, path, at) } : mistake]
}

/** The place of a character of a text: of a condition's, which has its own lines. */
function placeWithin(
  source: Source,
  path: Path,
  at: number,
): { line: number; column: number } | undefined {
  const offset = offsetWithin(source.text, source.document.getIn([...path], true), at)
  if (offset === undefined) return undefined
  const { line, col } = source.lines.linePos(offset)
  return { line, column: col }
}

/** The keys a mapping at this path may have. */
export type KnownKeys = (path: Path) => readonly string[]

function valueAt({ document }: Source, path: Path): unknown {
  return document.getIn([...path])
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text (put it in quotes if it looks like a number)',
  object: 'a mapping of keys to values',
  array: 'a list',
  number: 'a number',
  int: 'a whole number',
}

function explain(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return 'is missing'
      if (!issue.message.startsWith('Invalid input')) return issue.message
      return `must be ${kinds[issue.expected] ?? issue.expected}${value === null ? '; it is empty' : ''}`
    case 'invalid_value':
      return value === undefined ? 'is missing' : `must be ${oneOf(issue.values.map(String))}`
    case 'invalid_union':
      if ('options' in issue) return kindOf(value, issue.options.map(String))
      return issue.message
    case 'too_small':
      if (issue.origin === 'array') return 'must have at least one item'
      if (issue.origin === 'string') return 'must not be empty'
      return `must be at least ${issue.minimum}`
    case 'too_big':
      if (issue.origin === 'string') return `must have at most ${issue.maximum} characters`
      if (issue.origin === 'array') return `must have at most ${issue.maximum} items`
      return `must be at most ${issue.maximum}`
    case 'invalid_format':
    case 'custom':
      return issue.message
    case 'unrecognized_keys':
    case 'invalid_element':
    case 'invalid_key':
    case 'not_multiple_of':
      return 'has a form that is not understood'
  }
}

function kindOf(value: unknown, options: readonly string[]): string {
  return value === undefined
    ? `is missing; write ${oneOf(options)}`
    : `must be ${oneOf(options)}; this version knows no other`
}

/** `"a"`, or `one of "a", "b"`. */
function oneOf(words: readonly string[]): string {
  const shown = words.map((word) => `"${word}"`).join(', ')
  return words.length === 1 ? shown : `one of ${shown}`
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  if (near !== undefined) return `is no key of this mapping; did you mean "${near}"?`
  const all = known.length === 0 ? '' : `; known here: ${known.join(', ')}`
  return `is no key of this mapping${all}`
}

/** The word that differs least, if it differs by no more than a third of its letters. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of words) {
    const away = distance(word.toLowerCase().slice(0, 64), candidate.toLowerCase())
    if (away < least && away <= Math.max(1, Math.floor(candidate.length / 3))) {
      best = candidate
      least = away
    }
  }
  return best
}

/** Levenshtein distance with one row. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap))
    }
    row = next
  }
  return row[b.length] ?? 0
}
