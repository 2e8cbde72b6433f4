/** The tables of the pins, and what a row of them must be. */
import type { SQLInputValue } from 'node:sqlite'
import { z } from 'zod'
import { json, words } from '../identity/directory-rows.ts'
import type { Form, Parts, Texts } from './pins-form.ts'
import { partNames } from './pins-form.ts'

export const schema = `
  CREATE TABLE IF NOT EXISTS tool_list (
    connection TEXT PRIMARY KEY, complete INTEGER NOT NULL, excess INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tool_pin (
    connection TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
    pinned TEXT NOT NULL, beside TEXT NOT NULL, pending TEXT, changes INTEGER NOT NULL,
    returns INTEGER NOT NULL, back_ms INTEGER, unsteady INTEGER NOT NULL, late INTEGER NOT NULL,
    untold INTEGER NOT NULL, pinned_ms INTEGER NOT NULL, UNIQUE (connection, key)) STRICT;
  CREATE TABLE IF NOT EXISTS tool_text (
    connection TEXT NOT NULL, key TEXT NOT NULL, of TEXT NOT NULL, length INTEGER NOT NULL,
    parts TEXT NOT NULL, texts TEXT NOT NULL, UNIQUE (connection, key, of)) STRICT;
`
export const tableNames = ['tool_list', 'tool_pin', 'tool_text'] as const

/** What is in force of a form; the parts and texts lie in a table of their own. */
export type Pinned = Pick<Form, 'sha256' | 'isReadOnly' | 'isDestructive'> & {
  /** Masked, and cut for the rules. */
  readonly description: string
}

/** A form that is not the pinned one, and waits for a person. */
export type Pending = Pinned & {
  /** Of this very difference: another form, or another pinned one, has another id. */
  readonly id: string
  readonly sinceMs: number
}

/** What is known of a tool; each change makes a new one. */
export interface PinState {
  readonly pinned: Pinned
  /** Hashes of forms that a person accepted beside the pinned one. */
  readonly beside: readonly string[]
  readonly pending: Pending | undefined
  /** How often another form was seen, and the pinned one again, since a person last decided. */
  readonly changes: number
  readonly returns: number
  /** Since when the pinned form is back; undefined while another is shown. */
  readonly backMs: number | undefined
  /** It went to and fro, or was another again and again: only a person ends that. */
  readonly isUnsteady: boolean
  /** First seen when the list of its connection was complete already. */
  readonly isLate: boolean
  /** Something of it is not in the record yet. */
  readonly isUntold: boolean
}

export interface PinRow {
  readonly connection: string
  /** The name, or its hash where the name is long or holds digits. */
  readonly key: string
  /** Masked, one line: for people. */
  readonly name: string
  readonly pinnedMs: number
  readonly state: PinState
}

export const upsertPin = `
  INSERT INTO tool_pin VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (connection, key) DO UPDATE SET
    pinned = excluded.pinned, beside = excluded.beside, pending = excluded.pending,
    changes = excluded.changes, returns = excluded.returns, back_ms = excluded.back_ms,
    unsteady = excluded.unsteady, late = excluded.late, untold = excluded.untold
`
export const putText = 'REPLACE INTO tool_text VALUES (?, ?, ?, ?, ?, ?)'
export const putList = 'REPLACE INTO tool_list VALUES (?, ?, ?)'

/** The values of `upsertPin`. */
export function pinValues({ connection, key, name, pinnedMs, state }: PinRow): SQLInputValue[] {
  const { backMs, beside, changes, isLate, isUnsteady, isUntold, pending, pinned, returns } = state
  const forms = [
    JSON.stringify(pinned),
    JSON.stringify(beside),
    pending === undefined ? null : JSON.stringify(pending),
  ]
  const counts = [changes, returns, backMs ?? null]
  const flags = [isUnsteady, isLate, isUntold].map(Number)
  return [connection, key, name, ...forms, ...counts, ...flags, pinnedMs]
}

const text = z.string()
const count = z.int().min(0)
const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1)
const sha256 = text.regex(/^[0-9a-f]{64}$/)
const pinned = { sha256, description: text, isReadOnly: z.boolean(), isDestructive: z.boolean() }
const pending = z.strictObject({ ...pinned, id: text.startsWith('tc_'), sinceMs: z.int() })

export const pinForm: z.ZodType<PinRow> = z
  .strictObject({
    connection: text.min(1),
    key: text,
    name: text,
    pinned: json.pipe(z.strictObject(pinned)),
    beside: words.pipe(z.array(sha256)),
    pending: json.pipe(pending).nullable(),
    changes: count,
    returns: count,
    back_ms: z.int().nullable(),
    unsteady: flag,
    late: flag,
    untold: flag,
    pinned_ms: z.int(),
  })
  .refine(({ back_ms, pending, unsteady }) => pending !== null || (back_ms === null && !unsteady))
  .transform((row) => ({
    connection: row.connection,
    key: row.key,
    name: row.name,
    pinnedMs: row.pinned_ms,
    state: {
      pinned: row.pinned,
      beside: row.beside,
      pending: row.pending ?? undefined,
      changes: row.changes,
      returns: row.returns,
      backMs: row.back_ms ?? undefined,
      isUnsteady: row.unsteady,
      isLate: row.late,
      isUntold: row.untold,
    },
  }))

export interface ListRow {
  readonly connection: string
  /** A list without a further page has passed. */
  readonly isComplete: boolean
  /** It has more tools than are pinned. */
  readonly isExcessive: boolean
}

export const listForm: z.ZodType<ListRow> = z
  .strictObject({ connection: text.min(1), complete: flag, excess: flag })
  .transform(({ complete, connection, excess }) => ({
    connection,
    isComplete: complete,
    isExcessive: excess,
  }))

/** Hashes and kept texts of a form. */
export interface TextRow {
  readonly parts: Parts
  readonly texts: Texts
}

const named = (value: z.ZodType<string>): z.ZodType<Parts> =>
  z.partialRecord(z.enum(partNames), value)

export const textForm: z.ZodType<TextRow> = z.strictObject({
  parts: json.pipe(named(sha256)),
  texts: json.pipe(named(text)),
})

export const lengthForm: z.ZodType<{ readonly length: number }> = z.strictObject({ length: count })
