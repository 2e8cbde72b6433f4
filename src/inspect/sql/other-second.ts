/**
 * A second opinion on a text, from a grammar that is not ours: sqlparser-rs of the Apache project, as
 * WebAssembly. It can only make the verdict worse. Where it reads a text too, both must see the same number
 * of statements, the same tables, and agree on whether rows are changed; where it cannot (it knows about
 * nine of ten vendor statements), ours stands alone, which is safe because ours refuses whatever it does
 * not know, and keeps every name, call and query of what it reads loosely.
 *
 * Long chains of operators run it out of its stack, after which it answers nothing until the process
 * ends; so it is only asked about texts of few tokens, far below that.
 */
import type { Statement } from './statement.ts'
import { type Other, nameOf } from './other-tokens.ts'

/** Measured with 0.62.0: 1,000 additions break it, 400 do not. */
export const secondTokensMax = 300

/** Says whether another grammar contradicts what was read. */
export type Contradicts = (text: string, dialect: Other, read: readonly Statement[]) => boolean

const grammars = {
  mysql: 'mysql',
  mariadb: 'mysql',
  sqlserver: 'mssql',
  sqlite: 'sqlite',
  oracle: 'oracle',
} as const

/** Loads the other grammar: 3.5 MB, about 100 ms, once. */
export async function loadSecond(): Promise<Contradicts> {
  const { init, parse } = await import('@guanmingchiu/sqlparser-ts')
  await init()
  return (text, dialect, read) => {
    let theirs: unknown[]
    try {
      theirs = parse(text, grammars[dialect])
    } catch {
      // It knows less than the servers do: no opinion.
      return false
    }
    return contradicts(theirs, read)
  }
}

interface View {
  readonly tables: Set<string>
  /** Names of CTEs and aliases, which stand where tables stand. */
  readonly others: Set<string>
  changes: boolean
}

function contradicts(theirs: readonly unknown[], read: readonly Statement[]): boolean {
  if (theirs.length !== read.length) return true
  return read.some((statement, i) => {
    const their = theirs[i]
    const isQuery = isRecord(their) && 'Query' in their
    const isChange = isRecord(their) && changing.some((key) => key in their)
    // Of definitions and commands the first word is all there is to compare.
    if (statement.body === undefined || !(isQuery || isChange)) {
      return (statement.verb === 'SELECT') !== isQuery && statement.nested === undefined
    }
    const [ours, other] = [emptyView(), emptyView()]
    ourView(statement, ours)
    theirView(their, other)
    return ours.changes !== other.changes || !same(ours, other)
  })
}

const emptyView = (): View => ({ tables: new Set(), others: new Set(), changes: false })

function same(a: View, b: View): boolean {
  const known = new Set([...a.others, ...b.others])
  const missing = (from: View, to: View) =>
    [...from.tables].some((table) => !to.tables.has(table) && !known.has(table))
  return !missing(a, b) && !missing(b, a)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

const changing = ['Insert', 'Update', 'Delete', 'Merge']

/** Their tree: tables are `{ Table: { name: [{ Identifier: { value } }] } }` and the like. */
function theirView(node: unknown, view: View): void {
  if (!isRecord(node)) return
  for (const [key, value] of Object.entries(node)) {
    if (changing.includes(key) && isRecord(value) && !Array.isArray(node)) view.changes = true
    if (key === 'Table' && isRecord(value)) {
      addTheirs(value['name'], isRecord(value['args']) ? view.others : view.tables)
    }
    if (key === 'TableName') addTheirs(value, view.tables)
    if (key === 'into' && isRecord(value)) addTheirs(value['name'], view.tables)
    if (key === 'alias' && isRecord(value)) addName(value['name'], view.others)
    theirView(value, view)
  }
}

function addTheirs(parts: unknown, to: Set<string>): void {
  const last: unknown = Array.isArray(parts) ? parts.at(-1) : undefined
  if (isRecord(last)) addName(last['Identifier'], to)
}

function addName(identifier: unknown, to: Set<string>): void {
  const name = isRecord(identifier) ? identifier['value'] : undefined
  // A table variable of SQL Server is a parameter for us.
  if (typeof name === 'string' && !name.startsWith('@')) to.add(nameOf(name))
}

/** Our tree, walked without knowing it: whatever has the shape of a table is one. */
function ourView(node: unknown, view: View): void {
  if (!isRecord(node)) return
  if (node['kind'] === 'change') view.changes = true
  for (const [key, value] of Object.entries(node)) {
    const isTable = (key === 'table' || key === 'into') && isRecord(value)
    if (isTable && typeof value['name'] === 'string') view.tables.add(value['name'])
    if (key === 'alias' && typeof value === 'string') view.others.add(value)
    if (key === 'ctes' && Array.isArray(value)) {
      for (const cte of value)
        if (isRecord(cte) && typeof cte['name'] === 'string') view.others.add(cte['name'])
    }
    ourView(value, view)
  }
}
