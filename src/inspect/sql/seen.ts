/** What was seen in one statement so far, and what of it is of cardholders. */
import { Fault } from '../../base/fault.ts'
import type { Dialect, Where } from '../facts.ts'
import { doingOf, isSystem, telltale } from './functions.ts'
import { emptyShape, type Made, type Shape } from './shape.ts'
import type { TableName } from './statement.ts'

/** What a connection says about its data; made once for it. */
export interface SqlSettings {
  /** Undefined: every grammar is tried. */
  readonly dialect: Dialect | undefined
  /** Whether a column holds cardholder data: asked with `pan`, `cards.pan` and `public.cards.pan`. */
  readonly columns: (name: string) => boolean
  /** Whether a table does: asked with `cards` and `public.cards`. */
  readonly tables: (name: string) => boolean
  /** The columns of each table, in order, by `cards` or `public.cards`, all in lower case. */
  readonly schema: ReadonlyMap<string, readonly string[]>
  /** The connection names its cardholder tables: a star over another one is then no cardholder data. */
  readonly namesTables?: boolean
}

/** Marks are only ever set. */
export interface Marks {
  writes: boolean
  ddl: boolean
  dcl: boolean
  exports: boolean
  files: boolean
  dynamic: boolean
  session: boolean
  transaction: boolean
  locks: boolean
  touches: boolean
  writesCards: boolean
  returnsCards: boolean
  whereLess: boolean
  /** A value holds cardholder data of rows that no WHERE names by a key. */
  unbound: boolean
}

/** A statement of more parts is not looked at to its end. */
const partsMax = 400_000
const tooMany = `The statement has over ${partsMax} parts, so it was not read to its end.`

export class Seen {
  readonly dialect: Dialect
  readonly settings: SqlSettings
  readonly verbs: Set<string> = new Set()
  readonly tablesRead: Set<string> = new Set()
  readonly tablesWritten: Set<string> = new Set()
  readonly columnsRead: Set<string> = new Set()
  readonly columnsWritten: Set<string> = new Set()
  readonly functions: Set<string> = new Set()
  readonly dangerous: Set<string> = new Set()
  /** What the WHERE of each UPDATE and DELETE leaves. */
  readonly wheres: Where[] = []
  readonly marks: Marks = {
    writes: false,
    ddl: false,
    dcl: false,
    exports: false,
    files: false,
    dynamic: false,
    session: false,
    transaction: false,
    locks: false,
    touches: false,
    writesCards: false,
    returnsCards: false,
    whereLess: false,
    unbound: false,
  }
  #parts = 0

  constructor(dialect: Dialect, settings: SqlSettings) {
    this.dialect = dialect
    this.settings = settings
  }

  /** Counts a part of the statement. @throws {Fault} `too_large` */
  count(): void {
    this.#parts += 1
    if (this.#parts > partsMax) throw new Fault('too_large', tooMany)
  }

  readTable(table: TableName): void {
    this.tablesRead.add(fullName(table))
    this.#lookAt(table)
  }

  writeTable(table: TableName): void {
    this.tablesWritten.add(fullName(table))
    this.#lookAt(table)
    if (this.isCardTable(table)) this.marks.writesCards = true
  }

  #lookAt(table: TableName): void {
    if (this.isCardTable(table)) this.marks.touches = true
    const tells = telltale(table.schema, table.name)
    if (tells === 'nothing') return
    this.dangerous.add(fullName(table))
    if (tells === 'values') this.marks.touches = true
  }

  isCardTable(table: TableName): boolean {
    return formsOf(table).some((form) => this.settings.tables(form))
  }

  /** Whether a column is one of cardholders, in a table where that is known. */
  isCardColumn(name: string, table: TableName | undefined): boolean {
    if (this.settings.columns(name)) return true
    return (
      table !== undefined && formsOf(table).some((form) => this.settings.columns(`${form}.${name}`))
    )
  }

  /** A column of a table is read. */
  column(name: string, table: TableName | undefined): Made {
    this.columnsRead.add(name)
    const tells = table && telltale(table.schema, table.name) === 'values'
    const card = this.isCardColumn(name, table) || tells === true
    if (card) this.marks.touches = true
    return { columns: new Set([name]), card, collected: false }
  }

  writeColumn(name: string, tables: readonly TableName[]): void {
    this.columnsWritten.add(name)
    const isCard = [undefined, ...tables].some((table) => this.isCardColumn(name, table))
    if (!isCard) return
    this.marks.touches = true
    this.marks.writesCards = true
  }

  /** The rows of a table: its columns by the schema, or any column there may be. */
  rowsOf(table: TableName): Shape {
    const known = this.columnsOf(table)
    const shape = { ...emptyShape, table, tables: [table] }
    if (known) {
      const columns = known.map((name) => ({ name, made: this.#made(name, table) }))
      return { ...shape, columns, rest: undefined }
    }
    return { ...shape, columns: [], rest: this.#star(table) }
  }

  #made(name: string, table: TableName): Made {
    return { columns: new Set([name]), card: this.isCardColumn(name, table), collected: false }
  }

  #star(table: TableName): Made {
    return { columns: new Set(['*']), card: this.#mayHoldCards(table), collected: false }
  }

  #mayHoldCards(table: TableName): boolean {
    if (this.isCardTable(table)) return true
    const tells = telltale(table.schema, table.name)
    if (tells !== 'nothing') return tells === 'values'
    if (isSystem(table.schema, table.name, this.dialect)) return false
    return this.settings.namesTables !== true
  }

  columnsOf(table: TableName): readonly string[] | undefined {
    for (const form of formsOf(table)) {
      const known = this.settings.schema.get(form)
      if (known) return known
    }
    if (table.schema) return undefined
    const first = { postgresql: 'public', sqlserver: 'dbo', sqlite: 'main' } as const
    const usual = Object.entries(first).find(([dialect]) => dialect === this.dialect)?.[1]
    return usual === undefined ? undefined : this.settings.schema.get(`${usual}.${table.name}`)
  }

  /** A function is called. @returns whether its value may hold any column of any table. */
  call(schema: string, name: string): boolean {
    const full = schema ? `${schema}.${name}` : name
    this.functions.add(full)
    const doing = doingOf(schema, name, this.dialect, this.settings.dialect !== undefined)
    if (doing.dangerous) this.dangerous.add(full)
    if (doing.writes) this.marks.writes = true
    if (doing.exports) this.marks.exports = true
    if (doing.files) this.marks.files = true
    if (doing.dynamic) this.marks.dynamic = true
    if (doing.session) this.marks.session = true
    if (doing.locks) this.marks.locks = true
    if (doing.opaque) this.marks.touches = true
    return doing.opaque
  }
}

/** What nobody can see into. */
export const madeOfAnything: Made = { columns: new Set(['*']), card: true, collected: true }

function fullName({ schema, name }: TableName): string {
  return schema ? `${schema}.${name}` : name
}

/** `a.b.c`, `b.c`, `c`: a table is asked for by each of its names. */
function formsOf({ schema, name }: TableName): string[] {
  if (!schema) return [name]
  const last = schema.slice(schema.lastIndexOf('.') + 1)
  return last === schema
    ? [`${schema}.${name}`, name]
    : [`${schema}.${name}`, `${last}.${name}`, name]
}
