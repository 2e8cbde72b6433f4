/** The pins in `state.sqlite`. */
import { Tables } from '../identity/tables.ts'
import type { Parts, Texts } from './pins-form.ts'
import { lengthForm, listForm, pinForm, pinValues, putList, putText } from './pins-rows.ts'
import { schema, tableNames, textForm, upsertPin } from './pins-rows.ts'
import type { ListRow, PinRow, TextRow } from './pins-rows.ts'

/** Which form of a tool. */
export type Place = 'pinned' | 'pending'

const ofTool = 'connection = ? AND key = ?'

export class PinTables {
  readonly #tables: Tables

  /** @throws {Fault} `identity_down`, reason `state_file`. */
  constructor(file: string) {
    this.#tables = Tables.open(file, schema, tableNames)
  }

  /** @throws {Fault} `identity_down` for a row that cannot be read: none is passed over. */
  all(): { readonly lists: readonly ListRow[]; readonly pins: readonly PinRow[] } {
    const lists = this.#tables.rows('tool_list', 'SELECT * FROM tool_list', listForm)
    const pins = this.#tables.rows(
      'tool_pin',
      'SELECT * FROM tool_pin ORDER BY pinned_ms, rowid',
      pinForm,
    )
    return { lists, pins }
  }

  /** Everything or nothing of it is written. @throws {Fault} `record_down`. */
  atOnce(work: () => void): void {
    this.#tables.atOnce(work)
  }

  putPin(row: PinRow): void {
    this.#tables.run(upsertPin, ...pinValues(row))
  }

  putList({ connection, isComplete, isExcessive }: ListRow): void {
    this.#tables.run(putList, connection, Number(isComplete), Number(isExcessive))
  }

  putText({ connection, key }: Pick<PinRow, 'connection' | 'key'>, of: Place, row: TextRow): void {
    const texts = JSON.stringify(row.texts)
    this.#tables.run(putText, connection, key, of, texts.length, JSON.stringify(row.parts), texts)
  }

  dropText({ connection, key }: Pick<PinRow, 'connection' | 'key'>, of: Place): void {
    this.#tables.run(`DELETE FROM tool_text WHERE ${ofTool} AND of = ?`, connection, key, of)
  }

  /** @throws {Fault} `identity_down` for a row that cannot be read. */
  text({ connection, key }: Pick<PinRow, 'connection' | 'key'>, of: Place): TextRow {
    const sql = `SELECT parts, texts FROM tool_text WHERE ${ofTool} AND of = ?`
    const [found] = this.#tables.rows('tool_text', sql, textForm, connection, key, of)
    return found ?? missing
  }

  /** UTF-16 units of all texts of a connection. */
  lengthOf(connection: string): number {
    const sql = 'SELECT COALESCE(SUM(length), 0) AS length FROM tool_text WHERE connection = ?'
    return this.#tables.rows('tool_text', sql, lengthForm, connection)[0]?.length ?? 0
  }

  /** These stand in the record now. What is lost of it with the power is recorded twice. */
  setTold(connection: string, keys: readonly string[]): void {
    const sql = `UPDATE tool_pin SET untold = 0 WHERE ${ofTool}`
    this.#tables.behind(() => {
      for (const key of keys) this.#tables.run(sql, connection, key)
    })
  }

  forget(connection: string): void {
    this.#tables.atOnce(() => {
      for (const table of tableNames) {
        this.#tables.run(`DELETE FROM ${table} WHERE connection = ?`, connection)
      }
    })
  }

  close(): void {
    this.#tables.close()
  }
}

const missing: { readonly parts: Parts; readonly texts: Texts } = { parts: {}, texts: {} }
