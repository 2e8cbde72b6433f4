/** A text of a dialect as statements, whichever parser reads it. The parsers are loaded at first use. */
import type { Dialect } from '../facts.ts'
import { openOther, type ReadOther } from './other.ts'
import { isPostgresLoaded, loadPostgres, readPostgres } from './postgres.ts'
import type { Statement, Unreadable } from './statement.ts'

let other: ReadOther | undefined

/** Whether `parse` can be called for this dialect. */
export function isLoaded(dialect: Dialect): boolean {
  return dialect === 'postgresql' ? isPostgresLoaded() : other !== undefined
}

export async function load(dialect: Dialect): Promise<void> {
  if (dialect === 'postgresql') await loadPostgres()
  else other = await openOther()
}

/**
 * Reads a text; `load` must have been awaited.
 * @throws where a parser did not survive it: this thread must not use it again.
 */
export function parse(text: string, dialect: Dialect): readonly Statement[] | Unreadable {
  if (text.includes('\0')) return { problem: 'nul' }
  if (dialect === 'postgresql') return readPostgres(text)
  if (!other) throw new Error('The parser was not loaded.')
  if (!text.isWellFormed()) return { problem: 'syntax' }
  return other(text, dialect)
}

/** What nests in a grammar: parentheses, operators, and words that may follow each other. */
const nesting =
  /[([{]|[-+*/%^|&<>=~!@#:.]+|\b(?:not|and|or|union|intersect|except|minus|case|select|join|is|like|between|collate|at|begin|if|isnull|notnull)\b/gi
/** Below this no text is deep enough for the stack of the gateway's own thread. */
const shortChars = 1500
const nestingMax = 1200

/** Whether a text may nest so deeply that a parser runs out of stack. Never true for a short one. */
export function mayBeDeep(text: string): boolean {
  if (text.length <= shortChars) return false
  let count = 0
  for (const _ of text.matchAll(nesting)) {
    count += 1
    if (count > nestingMax) return true
  }
  return false
}
