/** One month asked: its items that fit in order, and how many there are on each day. */
import { isoMicros } from '../base/clock.ts'
import { dayOf, idsPerDay, usOf } from './month-time.ts'
import { whereOf } from './where.ts'
import type { DayCount, Item } from './item.ts'
import type { MonthFile } from './month.ts'
import type { Query } from './query.ts'
import type { Condition } from './where.ts'

/** What is wanted of the month. */
export interface Wanted {
  readonly isNewestFirst: boolean
  /** The last id of the page before; items behind it are wanted. */
  readonly after: number | undefined
  /** At most so many items; 0 for none. */
  readonly limit: number
  readonly isCounted: boolean
}

/** What a month has of it. */
export interface MonthFound {
  /** With their ids, in order. */
  readonly items: readonly { readonly id: number; readonly item: Item }[]
  /** The days that have any, in the order of days. */
  readonly days: readonly DayCount[]
}

/** So many ids are read for a page at least: few results are then counted without another look. */
const idsMin = 256
/** Asks for the time about once in a thousand rows: ids end in zeros, so the microseconds decide. */
const tick = '((ID >> 10) % 997 <> 0 OR in_time())'

/** Everything is read once: ids up to a page's end one by one, and what is behind only counted. */
export function findIn(month: MonthFile, query: Query, wanted: Wanted): MonthFound {
  const { after, isCounted, isNewestFirst, limit } = wanted
  const search = searchOf(month, query)
  const isWhole = isCounted && after === undefined
  const most = isWhole && limit > 0 ? Math.max(limit, idsMin) : limit
  const ids = most > 0 ? idsOf(search, wanted, most) : []
  const items = ids.slice(0, limit).flatMap((id) => {
    const item = itemOf(month, id)
    return item ? [{ id, item }] : []
  })
  if (!isCounted) return { items, days: [] }
  const counts = new Map<number, number>() // By the day's number in the month.
  let { end, first } = search
  if (isWhole) {
    for (const id of ids) tally(counts, Math.floor(id / idsPerDay), 1)
    const last = ids.at(-1)
    if (most > 0 && ids.length < most) first = end
    else if (last !== undefined && isNewestFirst) end = last
    else if (last !== undefined) first = last + 1
  }
  if (first < end) count(search, first, end, counts)
  const days = Array.from(counts, ([day, times]) => ({ day: dayOf(month.name, day), count: times }))
  return { items, days: days.toSorted((a, b) => (a.day < b.day ? -1 : 1)) }
}

/** A query's SQL but for what it selects; it ends in the bounds of `id`, bound last. */
interface Search {
  readonly month: MonthFile
  readonly sql: string
  readonly bound: Condition['bound']
  readonly id: string
  readonly first: number
  readonly end: number
  readonly isCheapByDay: boolean
}

function searchOf(month: MonthFile, query: Query): Search {
  const { end, first, isNested, match, rest } = whereOf(query, month)
  const told = match === undefined ? [] : [{ sql: 'says MATCH ?', bound: [match] }]
  const id = match === undefined ? 'i.id' : 'says.rowid'
  // CROSS JOIN: the texts lead, whatever the planner thinks of them.
  const both = 'says CROSS JOIN item AS i ON i.id = says.rowid'
  const from = match === undefined ? 'item AS i' : rest.length === 0 ? 'says' : both
  const parts = [...told, ...rest]
  const tests = [
    ...parts.map(({ sql }) => `(${sql})`),
    tick.replace('ID', id),
    `${id} >= ?`,
    `${id} < ?`,
  ]
  const sql = `FROM ${from} WHERE ${tests.join(' AND ')}`
  const isCheapByDay = match === undefined && !isNested
  const bound = parts.flatMap((part) => part.bound)
  return { month, sql, bound, id, first, end, isCheapByDay }
}

function idsOf(search: Search, { after, isNewestFirst }: Wanted, most: number): number[] {
  const { bound, id, month, sql } = search
  const first =
    after === undefined || isNewestFirst ? search.first : Math.max(search.first, after + 1)
  const end = after === undefined || !isNewestFirst ? search.end : Math.min(search.end, after)
  const order = `ORDER BY ${id} ${isNewestFirst ? 'DESC' : 'ASC'} LIMIT ?`
  const rows = month.db
    .prepare(`SELECT ${id} AS id ${sql} ${order}`)
    .all(...bound, first, end, most)
  return rows.map((row) => Number(row['id']))
}

/**
 * Adds the items of each day with ids in [first, end). A range for each day is twice as fast as
 * grouping, which sorts what is in order already; where a range would begin anew from the start, it
 * is grouped.
 */
function count(search: Search, first: number, end: number, counts: Map<number, number>): void {
  const { bound, id, isCheapByDay, month, sql } = search
  if (!isCheapByDay) {
    const grouped = `SELECT ${id} / ${idsPerDay} AS day, count(*) AS count ${sql} GROUP BY 1`
    for (const row of month.db.prepare(grouped).all(...bound, first, end)) {
      tally(counts, Number(row['day']), Number(row['count']))
    }
    return
  }
  const statement = month.db.prepare(`SELECT count(*) AS count ${sql}`)
  for (let day = Math.floor(first / idsPerDay); day * idsPerDay < end; day++) {
    const from = Math.max(first, day * idsPerDay)
    const row = statement.get(...bound, from, Math.min(end, (day + 1) * idsPerDay))
    tally(counts, day, Number(row?.['count']))
  }
}

function tally(counts: Map<number, number>, day: number, times: number): void {
  if (times > 0) counts.set(day, (counts.get(day) ?? 0) + times)
}

function itemOf(month: MonthFile, id: number): Item | undefined {
  const row = month
    .prepared(
      `SELECT i.*, d.exchange, d.excerpt, d.segment, d.offset, d.next_index
        FROM item AS i JOIN detail AS d USING (id) WHERE i.id = ?`,
    )
    .get(id)
  if (!row) return undefined
  const words = month.dictionary
  const segment = words.word(row['segment'])
  return {
    writer: words.word(row['writer']) ?? '',
    first: Number(row['first']),
    last: Number(row['last']),
    time: isoMicros(usOf(month.name, id)),
    types: words.types(row['types']),
    outcome: words.word(row['outcome']) ?? '',
    principal: words.who(row['principal']),
    ip: words.word(row['ip']),
    forwarded: words.word(row['forwarded']),
    session: words.word(row['session']),
    exchange: textIn(row['exchange']),
    connection: words.word(row['connection']),
    method: words.word(row['method']),
    tool: words.word(row['tool']),
    rule: words.word(row['rule']),
    reason: words.word(row['reason']),
    ticket: words.word(row['ticket']),
    client: words.word(row['client']),
    durationUs: typeof row['duration'] === 'number' ? row['duration'] : undefined,
    bytes: Number(row['bytes']),
    masked: Number(row['masked']),
    excerpt: textIn(row['excerpt']),
    place:
      segment === undefined
        ? undefined
        : { segment, offset: Number(row['offset']), nextIndex: Number(row['next_index']) },
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
