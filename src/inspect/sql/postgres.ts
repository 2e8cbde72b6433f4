/**
 * PostgreSQL as PostgreSQL itself reads it: `libpg-query`, the server's own grammar (18), compiled to
 * WebAssembly. It is loaded when the first statement comes, never before.
 */
import type * as Library from 'libpg-query'
import { isFields, listOf, nameOf, nodeOf, partOf, wordOf, type Fields } from './postgres-nodes.ts'
import { statementOf } from './postgres-statements.ts'
import type { Statement, Unreadable } from './statement.ts'

let library: typeof Library | undefined
let loading: Promise<typeof Library> | undefined

/** Loads the parser, 2 MiB of it, once. */
export async function loadPostgres(): Promise<void> {
  loading ??= import('libpg-query').then(async (loaded) => {
    await loaded.loadModule()
    return loaded
  })
  library = await loading
}

export function isPostgresLoaded(): boolean {
  return library !== undefined
}

/**
 * Reads a text. `loadPostgres` must have been awaited.
 * @returns `syntax` for what the grammar refuses. What the text holds besides statements (comments,
 *   empty statements) gives no statement.
 * @throws whatever stops the parser in its middle, such as a stack that is too small: the module is not
 *   to be used again after that.
 */
export function readPostgres(text: string): readonly Statement[] | Unreadable {
  if (!library) throw new Error('The parser was not loaded.')
  const wellFormed = text.toWellFormed()
  if (text.includes('\0')) return { problem: 'nul' }
  if (wellFormed !== text) return { problem: 'syntax' }
  if (text.trim() === '') return { problem: 'empty' }
  const tree = treeOf(text, library)
  if (tree === 'syntax' || tree === 'too_deep') return { problem: tree }
  const raws = listOf(isFields(tree) ? tree['stmts'] : undefined).filter(isFields)
  const comments = commentsOf(text, library)
  return raws.map((raw, i) => {
    const statement = checked(statementOf(nodeOf(raw['stmt'])), raw['stmt'])
    const begin = i === 0 ? 0 : numberOf(raw['stmt_location'])
    const next = raws[i + 1]
    const end = next ? numberOf(next['stmt_location']) : Infinity
    return comments.some(({ start }) => start >= begin && start < end)
      ? { ...statement, comments: true }
      : statement
  })
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function treeOf(text: string, parser: typeof Library): unknown {
  try {
    return parser.parseSync(text)
  } catch (error) {
    if (!(error instanceof parser.SqlError)) throw error
    if (/memory exhausted|stack depth/.test(error.message)) return 'too_deep'
  }
  // This build cannot look past a comment in `NOT /* */ IN` or `WITH /* */ TIES`; the server can.
  const comments = commentsOf(text, parser)
  if (!comments.length) return 'syntax'
  const bytes = Buffer.from(text)
  for (const { start, end } of comments) bytes.fill(' ', start, end)
  try {
    return parser.parseSync(bytes.toString())
  } catch (error) {
    if (error instanceof parser.SqlError) return 'syntax'
    throw error
  }
}

/** Where comments stand, in bytes. None where the text is not made of tokens. */
function commentsOf(
  text: string,
  parser: typeof Library,
): readonly { readonly start: number; readonly end: number }[] {
  if (!text.includes('--') && !text.includes('/*')) return []
  try {
    return parser.scanSync(text).tokens.filter(({ tokenName }) => /COMMENT/.test(tokenName))
  } catch (error) {
    // A comment or a quotation without its end: the grammar has refused it, or will.
    if (error instanceof RangeError || (error instanceof Error && error.name === 'RuntimeError')) {
      throw error
    }
    return []
  }
}

/**
 * The translation is compared with the tree it came from: a table or function that got lost on the way
 * would be one nobody looks at, so the statement then counts as not understood.
 */
function checked(statement: Statement, tree: unknown): Statement {
  const names = new Set<string>()
  collect(tree, names)
  const kept = JSON.stringify(statement)
  for (const name of names) {
    if (!kept.includes(JSON.stringify(name))) return { ...statement, problem: 'unknown_statement' }
  }
  return statement
}

function collect(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of listOf(value)) collect(item, names)
    return
  }
  if (!isFields(value)) return
  if (wordOf(value['relname'])) names.add(nameOf(value['relname']))
  const call = partOf(value['FuncCall'] ?? value['funccall'])?.['funcname']
  if (Array.isArray(call)) names.add(lastName(call))
  for (const key in value) {
    const field = value[key]
    if (typeof field === 'object') collect(field, names)
  }
}

function lastName(parts: readonly unknown[]): string {
  const last: Fields = nodeOf(parts.at(-1)).fields
  return nameOf(last['sval'])
}
