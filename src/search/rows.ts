/** Items as rows of a month's index: read back while their call goes on, written as they grow. */
import { exchangeKey } from './exchange-key.ts'
import { beginItem } from './fold.ts'
import { idOf, idsPerUs, usOf } from './month-time.ts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Position } from '../record/read.ts'
import type { Dictionary } from './dictionary.ts'
import type { Draft, IndexedEntry } from './fold.ts'

/** An item of this month and how it stood when it was read. */
export interface Row {
  readonly draft: Draft
  /** Undefined until it has been written. */
  id: number | undefined
  /** Where reading must begin to come by its first entry; undefined: at the start. */
  readonly place: Position | undefined
  /** The texts as they are in the index, to see whether they grew. */
  readonly written: { command: string; output: string }
  /** Of card numbers, new since it was read; some may be in the index already. */
  readonly tokens: Uint8Array[]
}

/** What is shown of a command in a list, in UTF-16 units. */
const excerptLengthMax = 200

const columns =
  'id, writer, first, last, session, principal, ip, forwarded, connection, method, tool, outcome, ' +
  'rule, reason, types, duration, bytes, masked, ticket, client'

/** The statements that read and write rows, prepared once. */
export class Rows {
  readonly #month: string
  readonly #dictionary: Dictionary
  readonly #find: StatementSync
  readonly #lastId: StatementSync
  readonly #putItem: StatementSync
  readonly #addDetail: StatementSync
  readonly #excerpt: StatementSync
  readonly #addName: StatementSync
  readonly #addCard: StatementSync
  readonly #say: StatementSync
  readonly #unsay: StatementSync
  readonly #keepPending: StatementSync
  readonly #dropPending: StatementSync

  constructor(db: DatabaseSync, month: string, dictionary: Dictionary) {
    this.#month = month
    this.#dictionary = dictionary
    this.#find = db.prepare(
      `SELECT i.*, d.exchange, p.open, p.is_ended, p.command, p.output FROM detail AS d
        JOIN item AS i USING (id) LEFT JOIN pending AS p ON p.item = d.id
        WHERE d.exchange_key = ? AND d.exchange = ? AND i.writer = ?`,
    )
    this.#lastId = db.prepare('SELECT max(id) AS id FROM item WHERE id >= ? AND id < ?')
    this.#putItem = db.prepare(
      `INSERT OR REPLACE INTO item(${columns}) VALUES (${columns.replace(/\w+/g, '?')})`,
    )
    this.#addDetail = db.prepare('INSERT INTO detail VALUES (?, ?, ?, NULL, ?, ?, ?)')
    this.#excerpt = db.prepare('UPDATE detail SET excerpt = ? WHERE id = ?')
    this.#addName = db.prepare('INSERT OR IGNORE INTO named VALUES (?, ?)')
    this.#addCard = db.prepare('INSERT OR IGNORE INTO card VALUES (?, ?)')
    this.#say = db.prepare('INSERT INTO says(rowid, command, output) VALUES (?, ?, ?)')
    this.#unsay = db.prepare('DELETE FROM says WHERE rowid = ?')
    this.#keepPending = db.prepare('INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    this.#dropPending = db.prepare('DELETE FROM pending WHERE item = ?')
  }

  /** A row to be, for an item that begins with `entry`. */
  begin(writer: string, entry: IndexedEntry, place: Position | undefined): Row {
    const draft = beginItem(writer, entry)
    return { draft, id: undefined, place, written: { command: '', output: '' }, tokens: [] }
  }

  /** The row of an exchange, if this month has one. */
  find(writer: string, exchange: string): Row | undefined {
    const number = this.#dictionary.number('writer', writer)
    const row = this.#find.get(exchangeKey(exchange), exchange, number)
    if (!row) return undefined
    const draft = this.#draftOf(row, writer)
    const { command, output } = draft
    const written = { command, output }
    return { draft, id: Number(row['id']), place: undefined, written, tokens: [] }
  }

  /**
   * Writes a row as it is now.
   * @param closedBy kept for the item's exchange if it ends in a later month: index of that entry.
   */
  write(row: Row, closedBy?: number): void {
    const { draft } = row
    const isNew = row.id === undefined
    const id = (row.id ??= this.#newId(draft.timeUs))
    this.#writeItem(id, draft)
    if (isNew) this.#writeDetail(id, draft, row.place)
    const named = [
      ['table', draft.tables],
      ['column', draft.columns],
      ['person', draft.people],
      ['of', draft.of],
    ] as const
    for (const [kind, names] of named) {
      for (const name of names) this.#addName.run(this.#dictionary.number(kind, name), id)
    }
    for (const token of row.tokens) this.#addCard.run(token, id)
    this.#writeTexts(id, row)
    if (draft.open > 0 || closedBy !== undefined) {
      const { command, exchange = '', isEnded, open, output, writer } = draft
      const texts = open > 0 ? [command, output] : ['', '']
      const [kept = '', said = ''] = texts
      const ended = Number(isEnded)
      this.#keepPending.run(id, writer, exchange, open, ended, closedBy ?? null, kept, said)
    } else if (!isNew) this.#dropPending.run(id)
  }

  #writeItem(id: number, draft: Draft): void {
    const { bytes, durationUs, first, last, masked, principal, types, writer } = draft
    const words = this.#dictionary
    this.#putItem.run(
      id,
      words.number('writer', writer),
      first,
      last,
      words.number('session', draft.session),
      words.whoNumber(principal),
      words.number('ip', draft.ip),
      words.number('ip', draft.forwarded),
      words.number('connection', draft.connection),
      words.number('method', draft.method),
      words.number('tool', draft.tool),
      words.number('outcome', draft.outcome),
      words.number('rule', draft.rule),
      words.number('reason', draft.reason),
      words.typeBits(types),
      durationUs ?? null,
      bytes,
      masked,
      words.number('ticket', draft.ticket),
      words.number('client', draft.client),
    )
  }

  #writeDetail(id: number, { exchange }: Draft, place: Position | undefined): void {
    const key = exchange === undefined ? null : exchangeKey(exchange)
    const segment = this.#dictionary.number('segment', place?.segment)
    const { nextIndex = null, offset = null } = place ?? {}
    this.#addDetail.run(id, exchange ?? null, key, segment, offset, nextIndex)
  }

  #writeTexts(id: number, { draft, written }: Row): void {
    const { command, output } = draft
    if (command === written.command && output === written.output) return
    if (written.command !== '' || written.output !== '') this.#unsay.run(id)
    this.#say.run(id, command, output)
    if (command !== written.command) this.#excerpt.run(excerptOf(command), id)
    written.command = command
    written.output = output
  }

  /** In the order of time; what shares a microsecond is in the order in which it came. */
  #newId(timeUs: number): number {
    const base = idOf(this.#month, timeUs)
    const last = this.#lastId.get(base, base + idsPerUs)?.['id']
    return typeof last === 'number' ? last + 1 : base
  }

  #draftOf(row: Record<string, unknown>, writer: string): Draft {
    const words = this.#dictionary
    const text = (name: string): string => (typeof row[name] === 'string' ? row[name] : '')
    return {
      writer,
      first: Number(row['first']),
      last: Number(row['last']),
      timeUs: usOf(this.#month, Number(row['id'])),
      session: words.word(row['session']),
      exchange: text('exchange'),
      principal: words.who(row['principal']),
      ip: words.word(row['ip']),
      forwarded: words.word(row['forwarded']),
      connection: words.word(row['connection']),
      method: words.word(row['method']),
      tool: words.word(row['tool']),
      outcome: words.word(row['outcome']) ?? '',
      rule: words.word(row['rule']),
      reason: words.word(row['reason']),
      types: new Set(words.types(row['types'])),
      durationUs: typeof row['duration'] === 'number' ? row['duration'] : undefined,
      bytes: Number(row['bytes']),
      masked: Number(row['masked']),
      ticket: words.word(row['ticket']),
      client: words.word(row['client']),
      open: Number(row['open'] ?? 0),
      isEnded: row['open'] === null || row['is_ended'] === 1,
      command: text('command'),
      output: text('output'),
      tables: new Set(),
      columns: new Set(),
      people: new Set(),
      of: new Set(),
    }
  }
}

function excerptOf(command: string): string | null {
  return command === '' ? null : command.slice(0, excerptLengthMax).toWellFormed()
}
