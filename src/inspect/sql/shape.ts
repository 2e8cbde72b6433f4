/** What the columns of a table, a subquery or a result are made of. */
import type { Where } from '../facts.ts'
import type { TableName } from './statement.ts'

/** What a value is made of, as far as it could be had back from it. */
export interface Made {
  /** Names of columns of tables, lower case; `*` where they are not known. */
  readonly columns: ReadonlySet<string>
  /** A cardholder value is, or may be, among them. */
  readonly card: boolean
  /** Values of many rows stand in it. */
  readonly collected: boolean
}

export const madeOfNothing: Made = { columns: new Set(), card: false, collected: false }

/** More names in one value are `*`. */
const namesMax = 500

export function unite(parts: readonly Made[]): Made {
  const [first = madeOfNothing, ...others] = parts.filter((part) => part !== madeOfNothing)
  if (!others.length) return first
  const columns = new Set(first.columns)
  for (const { columns: more } of others) for (const column of more) columns.add(column)
  return {
    columns: columns.size > namesMax ? new Set(['*']) : columns,
    card: parts.some(({ card }) => card),
    collected: parts.some(({ collected }) => collected),
  }
}

export interface ShapeColumn {
  readonly name: string
  readonly made: Made
}

/** The rows of a relation or a query. */
export interface Shape {
  readonly columns: readonly ShapeColumn[]
  /** It may have more columns, of any name; what these are made of. They come before `columns` that
   *  stand after a star, so places count only where it is undefined. */
  readonly rest: Made | undefined
  /** A named column of `rest` is a column of this table. */
  readonly table: TableName | undefined
  /** A named column of `rest` may be made of anything in it: names tell nothing after a UNION of stars,
   *  nor of what a function returns. */
  readonly isMixed: boolean
  /** Tables that stand in its FROM. */
  readonly tables: readonly TableName[]
  readonly where: Where
  /** -1: no limit, or none that is known. */
  readonly limit: number
}

export const emptyShape: Shape = {
  columns: [],
  rest: undefined,
  table: undefined,
  isMixed: false,
  tables: [],
  where: 'none',
  limit: -1,
}

/** Everything a row holds. */
export function rowOf(shape: Shape): Made {
  const parts = shape.columns.map(({ made }) => made)
  return unite(shape.rest ? [...parts, shape.rest] : parts)
}

/** `AS t(a, b)`: the first columns get these names. */
export function renamed(shape: Shape, names: readonly string[]): Shape {
  if (!names.length) return shape
  if (shape.rest) {
    // Which column a place is, nobody knows: each of the names may be any.
    const any = rowOf(shape)
    const columns = names.map((name) => ({ name, made: any }))
    return { ...shape, columns: [...columns, ...shape.columns] }
  }
  const columns = shape.columns.map(({ name, made }, i) => ({ name: names[i] ?? name, made }))
  const more = names.slice(columns.length).map((name) => ({ name, made: madeOfNothing }))
  return { ...shape, columns: [...columns, ...more] }
}

/** UNION: column by column; where places are not known, each may be any of the other side. */
export function merged(left: Shape, right: Shape): Shape {
  const isOpen = left.rest !== undefined || right.rest !== undefined
  if (isOpen) {
    const all = unite([rowOf(left), rowOf(right)])
    const columns = [...left.columns, ...right.columns].map(({ name }) => ({ name, made: all }))
    const tables = distinct([...left.tables, ...right.tables])
    return bounded({ ...left, columns, rest: all, table: undefined, isMixed: true, tables })
  }
  const columns = left.columns.map(({ name, made }, i) => {
    const other = right.columns[i]
    return { name, made: other ? unite([made, other.made]) : made }
  })
  return { ...left, columns, tables: distinct([...left.tables, ...right.tables]) }
}

/** A row of more columns has columns of any name: stars over stars double with each step. */
const columnsMax = 4096

function bounded(shape: Shape): Shape {
  if (shape.columns.length <= columnsMax) return shape
  return { ...shape, columns: [], rest: rowOf(shape), table: undefined, isMixed: true }
}

/** Each table once. */
export function distinct(tables: readonly TableName[]): readonly TableName[] {
  if (tables.length < 2) return tables
  return [...new Map(tables.map((table) => [`${table.schema}.${table.name}`, table])).values()]
}

/** The columns of several relations beside each other. */
export function joined(shapes: readonly Shape[]): Shape {
  const rests = shapes.flatMap(({ rest }) => (rest ? [rest] : []))
  const [only, ...others] = shapes
  return bounded({
    ...emptyShape,
    columns: shapes.flatMap(({ columns }) => columns),
    rest: rests.length ? unite(rests) : undefined,
    table: others.length ? undefined : only?.table,
    isMixed: shapes.some(({ isMixed }) => isMixed),
    tables: distinct(shapes.flatMap(({ tables }) => tables)),
  })
}

/** What stands in FROM under a name. */
export interface Named {
  /** Alias, or the table's name; empty for a join or subquery without alias. */
  readonly name: string
  /** Where the table stands without an alias: its schema. */
  readonly schema: string
  readonly shape: Shape
  /** Part of a join under an alias: found by name, but no part of `*`. */
  readonly isInside: boolean
}

/** Names of CTEs; one that reads itself is asked for while it is being found out. */
export type CteShape = () => Shape

export interface Scope {
  readonly outer: Scope | undefined
  readonly ctes: Map<string, CteShape>
  readonly relations: Named[]
  /** Names of the output columns, for ORDER BY and GROUP BY. */
  readonly outputs: Map<string, Made>
}

export function scopeIn(outer: Scope | undefined): Scope {
  return { outer, ctes: new Map(), relations: [], outputs: new Map() }
}

export function cteOf(scope: Scope | undefined, name: string): CteShape | undefined {
  for (let at = scope; at; at = at.outer) {
    const found = at.ctes.get(name)
    if (found) return found
  }
  return undefined
}
