/** The tables of one month's index. Nothing in them is evidence: they are made from the log. */
import type { DatabaseSync } from 'node:sqlite'

/** Another number here and every index is made anew. */
const schemaVersion = 3

/** Marks our files among others: "Spix". */
const applicationId = 0x53706978

/**
 * `item` is narrow, and what is asked most stands first: most questions are answered by reading all
 * of it. What is shown of an item and never asked for stands in `detail`. Names stand once, in `word` and `who`. `says`
 * holds the words of texts and not the texts. `pending` holds those of calls that have not ended.
 * `card` has the tokens of card numbers in the messages of an item, where those are kept.
 * `progress.applied` counts what this file has taken in, `next_index` and its place what all have.
 */
const tables = `
  CREATE TABLE setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE progress(writer TEXT PRIMARY KEY, applied INTEGER NOT NULL,
    segment TEXT, offset INTEGER, next_index INTEGER) WITHOUT ROWID;
  CREATE TABLE word(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, text TEXT NOT NULL,
    folded TEXT NOT NULL, UNIQUE(kind, text));
  CREATE INDEX word_folded ON word(kind, folded);
  CREATE TABLE type(bit INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  CREATE TABLE who(id INTEGER PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL,
    name TEXT NOT NULL, kind TEXT NOT NULL, issuer_folded TEXT NOT NULL,
    subject_folded TEXT NOT NULL, name_folded TEXT NOT NULL,
    UNIQUE(subject, issuer, name, kind));
  CREATE TABLE item(id INTEGER PRIMARY KEY, outcome INTEGER, connection INTEGER, tool INTEGER,
    types INTEGER, masked INTEGER, duration INTEGER, bytes INTEGER, rule INTEGER, reason INTEGER,
    method INTEGER, principal INTEGER, ip INTEGER, forwarded INTEGER, session INTEGER,
    writer INTEGER, ticket INTEGER, client INTEGER, first INTEGER, last INTEGER);
  CREATE INDEX item_session ON item(session) WHERE session IS NOT NULL;
  CREATE INDEX item_principal ON item(principal);
  CREATE INDEX item_client ON item(client) WHERE client IS NOT NULL;
  CREATE INDEX item_ticket ON item(ticket) WHERE ticket IS NOT NULL;
  CREATE TABLE detail(id INTEGER PRIMARY KEY, exchange TEXT, exchange_key INTEGER, excerpt TEXT,
    segment INTEGER, offset INTEGER, next_index INTEGER);
  CREATE INDEX detail_exchange ON detail(exchange_key) WHERE exchange_key IS NOT NULL;
  CREATE TABLE named(word INTEGER NOT NULL, item INTEGER NOT NULL,
    PRIMARY KEY(word, item)) WITHOUT ROWID;
  CREATE TABLE card(token BLOB NOT NULL, item INTEGER NOT NULL,
    PRIMARY KEY(token, item)) WITHOUT ROWID;
  CREATE TABLE pending(item INTEGER PRIMARY KEY, writer TEXT NOT NULL, exchange TEXT NOT NULL,
    open INTEGER NOT NULL, is_ended INTEGER NOT NULL, closed_by INTEGER, command TEXT NOT NULL,
    output TEXT NOT NULL);
`

const says = `
  CREATE VIRTUAL TABLE says USING fts5(command, output, content='', contentless_delete=1,
    tokenize='unicode61 remove_diacritics 2')
`

/** Names the kinds of `word`. */
export const wordKinds = [
  'connection',
  'tool',
  'method',
  'outcome',
  'rule',
  'reason',
  'table',
  'column',
  'ip',
  'client',
  'session',
  'ticket',
  'writer',
  'segment',
  'person',
  'of',
] as const
export type WordKind = (typeof wordKinds)[number]

/** How one file is opened. */
export interface FileMode {
  readonly isReadOnly: boolean
  /** Whether outputs are searched; a file made otherwise is made anew. */
  readonly indexOutputs: boolean
  /** Whether tokens of card numbers are kept; a file made otherwise is made anew. */
  readonly cardSearch: boolean
  /** Memory for pages, in KiB. */
  readonly cacheKib: number
}

/** Sets a connection up. @throws SQLite's error when the file is no database. */
export function prepare(db: DatabaseSync, mode: FileMode): void {
  // A folder of an index may be looked at by two processes for a moment.
  db.exec(`PRAGMA busy_timeout = 5000; PRAGMA cache_size = -${mode.cacheKib}`)
  db.exec('PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF')
  if (mode.isReadOnly) return
  db.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec('PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 2000')
  // What is deleted here was said by somebody: its bytes go with it.
  db.exec('PRAGMA secure_delete = ON')
}

/** Whether the file is as this version makes it. @throws SQLite's error when it is damaged. */
export function isCurrent(db: DatabaseSync, mode: FileMode): boolean {
  if (pragma(db, 'application_id') !== applicationId) return false
  if (pragma(db, 'user_version') !== schemaVersion) return false
  if (mode.isReadOnly) return true
  const isSet = (name: string, value: boolean): boolean => {
    const row = db.prepare('SELECT value FROM setting WHERE name = ?').get(name)
    return row?.['value'] === Number(value)
  }
  return isSet('outputs', mode.indexOutputs) && isSet('cards', mode.cardSearch)
}

/** Makes all tables in a new file, in one transaction. */
export function createTables(db: DatabaseSync, mode: FileMode): void {
  db.exec(`BEGIN; ${tables}; ${says};
    INSERT INTO setting VALUES ('outputs', ${Number(mode.indexOutputs)}),
      ('cards', ${Number(mode.cardSearch)}), ('forgotten', 0);
    PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT`)
}

/**
 * Takes all text of a month away, and what was read out of it: the words, the excerpts, the names in
 * SQL, the tokens of card numbers, the texts of calls that are under way.
 */
export function dropText(db: DatabaseSync): void {
  const inSql = `${wordKinds.indexOf('table')}, ${wordKinds.indexOf('column')}`
  db.exec(`BEGIN; DROP TABLE says; ${says}; DELETE FROM card;
    DELETE FROM named WHERE word IN (SELECT id FROM word WHERE kind IN (${inSql}));
    DELETE FROM word WHERE kind IN (${inSql});
    UPDATE detail SET excerpt = NULL WHERE excerpt IS NOT NULL;
    UPDATE pending SET command = '', output = '';
    UPDATE setting SET value = 1 WHERE name = 'forgotten'; COMMIT`)
  // A stop here: the words are in no page, and perhaps in the log beside the file; opening it for
  // writing goes on.
  sweep(db)
}

/** Ends what `dropText` began. */
export function sweep(db: DatabaseSync): void {
  // The log beside the file still holds pages of before.
  db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
  db.exec("UPDATE setting SET value = 2 WHERE name = 'forgotten'")
}

/** 0: texts are there; 1: they are going; 2: they are gone. */
export function forgottenState(db: DatabaseSync): number {
  const row = db.prepare("SELECT value FROM setting WHERE name = 'forgotten'").get()
  return Number(row?.['value'])
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name]
}
