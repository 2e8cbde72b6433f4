/** What a search gives back. */
import type { Position } from '../record/read.ts'
import type { Draft } from './fold.ts'

/** One call with all that became of it, or one other entry. */
export interface Item {
  readonly writer: string
  /** Index of its first entry in the writer's log, and of the last that is known. */
  readonly first: number
  readonly last: number
  /** Of its first entry: RFC 3339 in UTC with microseconds. */
  readonly time: string
  readonly types: readonly string[]
  /** `open` until a call has ended. */
  readonly outcome: string
  readonly principal: Draft['principal']
  readonly ip: string | undefined
  readonly forwarded: string | undefined
  readonly session: string | undefined
  readonly exchange: string | undefined
  readonly connection: string | undefined
  readonly method: string | undefined
  readonly tool: string | undefined
  readonly rule: string | undefined
  readonly reason: string | undefined
  readonly ticket: string | undefined
  readonly client: string | undefined
  readonly durationUs: number | undefined
  readonly bytes: number
  readonly masked: number
  /** How its command begins, masked; undefined when it has none or its text was taken away. */
  readonly excerpt: string | undefined
  /** From where `readRecord` comes by its first entry soon; undefined: from the start. */
  readonly place: Position | undefined
}

/** How many items fit on one day (UTC). */
export interface DayCount {
  /** `2026-11-21`. */
  readonly day: string
  readonly count: number
}

/** A page of results. */
export interface Found {
  readonly items: readonly Item[]
  /** For the next page; undefined on the last. */
  readonly cursor: string | undefined
  /** All that fit, and by day in the order of days; undefined where they were not asked for. */
  readonly total: number | undefined
  readonly days: readonly DayCount[] | undefined
}

export interface SearchOptions {
  /** Items on a page: 1 to 1,000, 50 by default. */
  readonly limit?: number | undefined
  /** Of the page before, with the same query. */
  readonly cursor?: string | undefined
  readonly order?: 'newest' | 'oldest' | undefined
  /** Whether to count; by default on the first page only. */
  readonly isCounted?: boolean | undefined
  /** When to give up, on the clock of `performance.now()` in this thread. */
  readonly deadlineMs?: number | undefined
}
