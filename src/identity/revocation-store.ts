/**
 * The list of stops: in memory to be looked at for every call, and in a table of `state.sqlite`.
 *
 * A stop holds before it is written, and is lifted after that was written: whatever fails in between
 * leaves it in force here. A row that cannot be read is never passed over; the list does not open.
 */
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { json } from './directory-rows.ts'
import type { Revocation, Revocations, Stoppable, Target } from './revocations.ts'
import { StopIndex } from './stop-index.ts'
import type { Held } from './stop-index.ts'
import { Tables } from './tables.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS revocation (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, reason TEXT NOT NULL, made_by TEXT NOT NULL,
    source TEXT NOT NULL, made_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER,
    begun INTEGER NOT NULL, recorded INTEGER NOT NULL) STRICT;
`

/**
 * @param file the path of `state.sqlite`, or `:memory:`.
 * @throws {Fault} `identity_down`, reason `state_file`: the list cannot be read in full.
 */
export function openRevocations(file: string, { clock }: { clock: Clock }): Revocations {
  const tables = Tables.open(file, schema, ['revocation'])
  try {
    return new StoredRevocations(tables, clock)
  } catch (error) {
    tables.close()
    throw error
  }
}

interface Kept extends Held {
  /** Told by `tick`, or in force from the beginning. */
  isBegun: boolean
  /** It has its entry in the record. */
  isRecorded: boolean
}

const none: readonly Revocation[] = Object.freeze([])

class StoredRevocations implements Revocations {
  readonly #tables: Tables
  readonly #clock: Clock
  readonly #index = new StopIndex()
  /** By id, in the order in which they were made. */
  readonly #kept = new Map<string, Kept>()
  /** Stops that `add` could not write. */
  readonly #unwritten = new Set<Kept>()
  /** Told as begun by the last `tick`; written by the next one, when whoever asked has heard it. */
  #told: Kept[] = []
  /** Before this moment `tick` has nothing to do for what is planned or ends. */
  #dueMs = Infinity
  #isOpen = true

  constructor(tables: Tables, clock: Clock) {
    this.#tables = tables
    this.#clock = clock
    const sql = 'SELECT * FROM revocation ORDER BY made_ms, rowid'
    for (const row of tables.rows('revocation', sql, rowForm)) this.#keep(row)
  }

  find(of: Stoppable, connection: string | undefined, nowMs: number): Revocation | undefined {
    if (!this.#isOpen) throw closed()
    return this.#index.find(of, connection, nowMs)
  }

  add(of: Omit<Revocation, 'id'>): Revocation {
    if (!this.#isOpen) throw closed()
    const revocation = Object.freeze({ ...whole(of), id: newId('rv') })
    const isBegun = revocation.fromMs <= this.#clock.nowUs() / 1000
    const kept = this.#keep({ revocation, isBegun, isRecorded: false })
    this.#unwritten.add(kept)
    // A crash from here to the end of the write leaves no stop, and nobody was told of one.
    this.#write(kept)
    return revocation
  }

  lift(id: string): Revocation | undefined {
    const kept = this.#kept.get(id)
    if (kept === undefined) return undefined
    this.#tables.run('DELETE FROM revocation WHERE id = ?', id)
    // It is gone on disk: a crash here leaves it lifted, which is what was asked.
    this.#forget(kept)
    return kept.revocation
  }

  list(): readonly Revocation[] {
    return [...this.#kept.values()].map(({ revocation }) => revocation).toReversed()
  }

  tick(atMs: number): readonly Revocation[] {
    for (const kept of this.#unwritten) this.#later(() => this.#write(kept))
    this.#later(() => this.#writeTold())
    if (atMs < this.#dueMs) return none
    const begun: Revocation[] = []
    for (const kept of this.#kept.values()) {
      const { fromMs, untilMs = Infinity } = kept.revocation
      if (untilMs < atMs) {
        this.#later(() => this.lift(kept.revocation.id))
      } else if (!kept.isBegun && fromMs <= atMs) {
        kept.isBegun = true
        kept.inForceMs = 0
        this.#told.push(kept)
        begun.push(kept.revocation)
      }
    }
    this.#dueMs = Math.min(...[...this.#kept.values()].map(dueMsOf))
    return begun
  }

  recorded(id: string): void {
    const kept = this.#kept.get(id)
    if (kept === undefined) return
    kept.isRecorded = true
    // Lost with the power, or not written at all, it is recorded a second time after a restart.
    const sql = 'UPDATE revocation SET recorded = 1 WHERE id = ?'
    this.#later(() => this.#tables.behind(() => void this.#tables.run(sql, id)))
  }

  unrecorded(): readonly Revocation[] {
    const those = [...this.#kept.values()].filter(({ isRecorded }) => !isRecorded)
    return those.map(({ revocation }) => revocation)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#later(() => this.#writeTold())
    this.#tables.close()
  }

  #keep({ isBegun, isRecorded, revocation }: Row): Kept {
    const inForceMs = isBegun ? 0 : revocation.fromMs
    const kept: Kept = { revocation, inForceMs, isBegun, isRecorded }
    this.#kept.set(revocation.id, kept)
    this.#index.add(kept)
    this.#dueMs = Math.min(this.#dueMs, dueMsOf(kept))
    return kept
  }

  #forget(kept: Kept): void {
    this.#kept.delete(kept.revocation.id)
    this.#index.remove(kept)
    this.#unwritten.delete(kept)
    this.#told = this.#told.filter((each) => each !== kept)
  }

  #write(kept: Kept): void {
    const { by, fromMs, id, madeMs, reason, source, target, untilMs = null } = kept.revocation
    const words = [id, JSON.stringify(target), reason, by, source]
    const flags = [kept.isBegun ? 1 : 0, kept.isRecorded ? 1 : 0]
    const sql = 'INSERT INTO revocation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
    this.#tables.run(sql, ...words, madeMs, fromMs, untilMs, ...flags)
    this.#unwritten.delete(kept)
  }

  #writeTold(): void {
    if (this.#told.length === 0) return
    this.#tables.atOnce(() => {
      for (const { revocation } of this.#told) {
        this.#tables.run('UPDATE revocation SET begun = 1 WHERE id = ?', revocation.id)
      }
    })
    this.#told = []
  }

  /** Going on is safe: what could not be written stays as it is in memory, where the stop holds, and
   *  is tried again with the next tick. */
  #later(work: () => unknown): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
  }
}

/** When `tick` has to look at a stop again. */
function dueMsOf({ isBegun, revocation: { fromMs, untilMs = Infinity } }: Kept): number {
  return isBegun ? untilMs : Math.min(fromMs, untilMs)
}

/** In whole milliseconds, rounded to the side that stops more. */
function whole(of: Omit<Revocation, 'id'>): Omit<Revocation, 'id'> {
  const { target, untilMs } = of
  const { beforeMs } = target.kind === 'tokens-before' ? target : { beforeMs: 0 }
  const rounded = target.kind === 'tokens-before' ? { beforeMs: Math.ceil(beforeMs) } : {}
  return {
    ...of,
    target: Object.freeze({ ...target, ...rounded }),
    madeMs: Math.floor(of.madeMs),
    fromMs: Math.floor(of.fromMs),
    ...(untilMs === undefined ? {} : { untilMs: Math.ceil(untilMs) }),
  }
}

function closed(): Fault {
  const message = 'The list of stops is closed, so nobody is let in. The gateway is stopping.'
  return new Fault('identity_down', message, { facts: { reason: 'revocations_closed' } })
}

const word = z.string()
const moment = z.int()
const targetForm: z.ZodType<Target> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('principal'), issuer: word, subject: word }),
  z.strictObject({ kind: z.literal('client'), client: word }),
  z.strictObject({ kind: z.literal('token'), token: word }),
  z.strictObject({ kind: z.literal('sign-in'), signIn: word }),
  z.strictObject({
    kind: z.literal('tokens-before'),
    issuer: word,
    subject: word,
    beforeMs: moment,
  }),
  z.strictObject({ kind: z.literal('connection'), connection: word }),
  z.strictObject({ kind: z.literal('everything') }),
])

interface Row {
  readonly revocation: Revocation
  readonly isBegun: boolean
  readonly isRecorded: boolean
}

const flag = z.union([z.literal(0), z.literal(1)])
const rowForm: z.ZodType<Row> = z
  .strictObject({
    id: word.startsWith('rv_'),
    target: json.pipe(targetForm),
    reason: word,
    made_by: word,
    source: z.enum(['cli', 'console', 'api', 'scim', 'logout', 'idle', 'replay']),
    made_ms: moment,
    from_ms: moment,
    until_ms: moment.nullable(),
    begun: flag,
    recorded: flag,
  })
  .transform((row) => ({
    isBegun: row.begun === 1,
    isRecorded: row.recorded === 1,
    revocation: Object.freeze({
      id: row.id,
      target: Object.freeze(row.target),
      reason: row.reason,
      by: row.made_by,
      source: row.source,
      madeMs: row.made_ms,
      fromMs: row.from_ms,
      ...(row.until_ms === null ? {} : { untilMs: row.until_ms }),
    }),
  }))
