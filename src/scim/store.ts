/**
 * What directories told, in `state.sqlite`: users, groups, and who is in which. Durable on return
 * (`synchronous=FULL`): what was answered with success is there after a power cut.
 */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { Fault } from '../base/fault.ts'
import { isObject } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import { bad } from './refusal.ts'

const table = (name: string, unique: string): string => `
  CREATE TABLE IF NOT EXISTS ${name} (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL ${unique},
    external TEXT UNIQUE, version INTEGER NOT NULL, made INTEGER NOT NULL,
    changed INTEGER NOT NULL, body TEXT NOT NULL);`

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 2000;
  ${table('scim_user', 'UNIQUE')}
  ${table('scim_group', '')}
  CREATE INDEX IF NOT EXISTS scim_group_name ON scim_group (name);
  CREATE TABLE IF NOT EXISTS scim_member (
    parent TEXT NOT NULL, member TEXT NOT NULL, PRIMARY KEY (parent, member)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS scim_member_of ON scim_member (member);
`

/** A user or group. */
export interface Row {
  readonly id: string
  /** `userName` or `displayName` in lower case. */
  readonly name: string
  /** What `externalId` means: subject of a user, object id of a group. */
  readonly external?: string
  /** Counts from 1 with each change. */
  readonly version: number
  /** Milliseconds since 1970. */
  readonly madeMs: number
  readonly changedMs: number
  /** All attributes but those that only the gateway writes, and members. */
  readonly body: Attributes
}

/** One kind of resources, in the order they were made. */
export interface Rows {
  byId(id: string): Row | undefined
  /** @param name in lower case. */
  byName(name: string): Row[]
  byExternal(external: string): Row | undefined
  /** @param skip how many to leave out first. */
  page(skip: number, count: number): Row[]
  count(): number
  /** Up to `count` behind a place of `mark`, where 0 is the beginning. */
  after(mark: number, count: number): { rows: Row[]; mark: number }
  /** @throws {Fault} `bad_request` (uniqueness) when another one has its name or externalId. */
  check(row: Pick<Row, 'id' | 'name' | 'external'>): void
}

export interface ScimStore {
  readonly users: Rows
  readonly groups: Rows
  /** @throws {Fault} `bad_request` (uniqueness), `too_large` when there are too many. */
  saveUser(row: Row): void
  removeUser(id: string): void
  /** The group and the change of its members, both or neither. */
  saveGroup(row: Row, members: { added: readonly string[]; removed: readonly string[] }): void
  removeGroup(id: string): void
  members(group: string): Set<string>
  groupsOf(member: string): Row[]
  close(): void
}

const rowsMax = 200_000

/** @param file the path of `state.sqlite`, or `:memory:`; tables are made where they are missing. */
export function openScimStore(file: string): ScimStore {
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
  const db = new DatabaseSync(file)
  db.exec(schema)
  return new SqliteStore(db)
}

class SqliteStore implements ScimStore {
  readonly #db: DatabaseSync
  readonly #sql: Statements
  readonly users: TableRows
  readonly groups: TableRows

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#sql = statements(db)
    this.users = new TableRows(this.#sql, 'scim_user', true)
    this.groups = new TableRows(this.#sql, 'scim_group', false)
  }

  saveUser(row: Row): void {
    this.#whole(() => this.users.save(row))
  }

  removeUser(id: string): void {
    this.#whole(() => {
      this.#sql('DELETE FROM scim_member WHERE member = ?').run(id)
      this.#sql('DELETE FROM scim_user WHERE id = ?').run(id)
    })
  }

  saveGroup(row: Row, members: { added: readonly string[]; removed: readonly string[] }): void {
    const out = this.#sql('DELETE FROM scim_member WHERE parent = ? AND member = ?')
    const into = this.#sql('INSERT OR IGNORE INTO scim_member VALUES (?, ?)')
    this.#whole(() => {
      this.groups.save(row)
      for (const member of members.removed) out.run(row.id, member)
      for (const member of members.added) into.run(row.id, member)
    })
  }

  removeGroup(id: string): void {
    this.#whole(() => {
      this.#sql('DELETE FROM scim_member WHERE parent = ?1 OR member = ?1').run(id)
      this.#sql('DELETE FROM scim_group WHERE id = ?').run(id)
    })
  }

  members(group: string): Set<string> {
    const rows = this.#sql('SELECT member FROM scim_member WHERE parent = ?').all(group)
    return new Set(rows.map((row) => text(row['member'])))
  }

  groupsOf(member: string): Row[] {
    return this.groups.all(
      'id IN (SELECT parent FROM scim_member WHERE member = ?) ORDER BY seq',
      member,
    )
  }

  close(): void {
    this.#db.close()
  }

  /** All of it or nothing. A crash inside leaves the state before: SQLite takes back what it finds. */
  #whole(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

class TableRows implements Rows {
  readonly #sql: Statements
  readonly #table: string
  readonly #isNameUnique: boolean

  constructor(sql: Statements, name: string, isNameUnique: boolean) {
    this.#sql = sql
    this.#table = name
    this.#isNameUnique = isNameUnique
  }

  byId(id: string): Row | undefined {
    return this.all('id = ?', id)[0]
  }

  byName(name: string): Row[] {
    return this.all('name = ? ORDER BY seq', name)
  }

  byExternal(external: string): Row | undefined {
    return this.all('external = ?', external)[0]
  }

  page(skip: number, count: number): Row[] {
    return this.all('true ORDER BY seq LIMIT ? OFFSET ?', count, skip)
  }

  count(): number {
    return Number(this.#sql(`SELECT count(*) AS n FROM ${this.#table}`).get()?.['n'] ?? 0)
  }

  after(mark: number, count: number): { rows: Row[]; mark: number } {
    const found = this.#sql(`SELECT * FROM ${this.#table} WHERE seq > ? ORDER BY seq LIMIT ?`)
    const rows = found.all(mark, count)
    return { rows: rows.map(toRow), mark: Number(rows.at(-1)?.['seq'] ?? mark) }
  }

  check({ id, name, external }: Pick<Row, 'id' | 'name' | 'external'>): void {
    const others = [
      ...(this.#isNameUnique ? this.byName(name) : []),
      ...(external === undefined ? [] : [this.byExternal(external)]),
    ]
    if (others.some((other) => other !== undefined && other.id !== id)) {
      const what = this.#isNameUnique ? 'userName or externalId' : 'externalId'
      throw bad('uniqueness', `Another resource has this ${what}.`)
    }
  }

  /** Inside a transaction. */
  save(row: Row): void {
    this.check(row)
    if (row.version === 1 && this.count() >= rowsMax) {
      throw new Fault('too_large', `There are ${rowsMax} of these already, which is the most.`)
    }
    const { id, name, external = null, version, madeMs, changedMs } = row
    this.#sql(
      `INSERT INTO ${this.#table} (id, name, external, version, made, changed, body)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,
       external = excluded.external, version = excluded.version, changed = excluded.changed,
       body = excluded.body`,
    ).run(id, name, external, version, madeMs, changedMs, JSON.stringify(row.body))
  }

  all(where: string, ...values: SQLInputValue[]): Row[] {
    return this.#sql(`SELECT * FROM ${this.#table} WHERE ${where}`)
      .all(...values)
      .map(toRow)
  }
}

type Statements = (sql: string) => StatementSync

/** Prepares each text once. Texts are made of constants only; what was sent is bound. */
function statements(db: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>()
  return (sql) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const made = db.prepare(sql)
    prepared.set(sql, made)
    return made
  }
}

function toRow(row: Record<string, unknown>): Row {
  const body: unknown = JSON.parse(text(row['body']))
  return {
    id: text(row['id']),
    name: text(row['name']),
    ...(row['external'] === null ? {} : { external: text(row['external']) }),
    version: Number(row['version']),
    madeMs: Number(row['made']),
    changedMs: Number(row['changed']),
    body: isObject(body) ? body : {},
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
