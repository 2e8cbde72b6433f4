/** Of whom it was warned that nobody uses their account, and when first: a table of `state.sqlite`. */
import { z } from 'zod'
import type { IdleAccount } from './idle.ts'
import { Tables } from './tables.ts'

export interface IdleWarnings {
  /** Milliseconds since 1970; undefined for whom nobody was warned of. */
  warnedMs(issuer: string, subject: string): number | undefined
  /**
   * These are all warnings from now on. Durable on return.
   * @throws {Fault} `record_down` where it cannot be written; all stays as it was.
   */
  keep(warned: readonly Pick<IdleAccount, 'issuer' | 'subject' | 'warnedMs'>[]): void
  close(): void
}

const schema = `
  CREATE TABLE IF NOT EXISTS idle_warning (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, warned_ms INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)) STRICT, WITHOUT ROWID;
`
const form = z.strictObject({ issuer: z.string(), subject: z.string(), warned_ms: z.int() })

/**
 * @param file the path of `state.sqlite`, or `:memory:`.
 * @throws {Fault} `identity_down`, reason `state_file`: it cannot be read in full.
 */
export function openIdleWarnings(file: string): IdleWarnings {
  const tables = Tables.open(file, schema, ['idle_warning'])
  let known = new Map<string, number>()
  try {
    for (const row of tables.rows('idle_warning', 'SELECT * FROM idle_warning', form)) {
      known.set(keyOf(row.issuer, row.subject), row.warned_ms)
    }
  } catch (error) {
    tables.close()
    throw error
  }
  return {
    warnedMs: (issuer, subject) => known.get(keyOf(issuer, subject)),
    keep(warned): void {
      const next = new Map<string, number>()
      for (const each of warned) {
        next.set(keyOf(each.issuer, each.subject), Math.floor(each.warnedMs))
      }
      const isSame =
        next.size === known.size && [...next].every(([key, ms]) => known.get(key) === ms)
      if (isSame) return
      tables.atOnce(() => {
        tables.run('DELETE FROM idle_warning')
        for (const { issuer, subject, warnedMs } of warned) {
          const sql = 'REPLACE INTO idle_warning VALUES (?, ?, ?)'
          tables.run(sql, issuer, subject, Math.floor(warnedMs))
        }
      })
      known = next
    },
    close: () => tables.close(),
  }
}

function keyOf(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject])
}
