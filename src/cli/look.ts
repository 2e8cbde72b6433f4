/** A look at the record: recorded itself, before its first line is read, and again with how much it
 *  showed. What is shown was checked against the newest checkpoint while it was read. */
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import { readRecord } from '../record/read.ts'
import type { RecordedEntry } from '../record/read.ts'
import { replay } from '../replay/replay.ts'
import { sessionLines } from '../replay/sessions.ts'
import { parseQuery } from '../search/parse.ts'
import { withCard } from '../search/query.ts'
import type { Query } from '../search/query.ts'
import { leafHash, verifyInclusion } from '../tlog/merkle.ts'
import { differs, proofOf, prover, signedTree } from '../verify/prove.ts'
import { recordBy } from './answer.ts'
import type { Look, ReplayLook, SearchLook } from './asked.ts'
import type { Desk } from './desk.ts'
import { searchLines } from './search-lines.ts'
import { version } from './version.ts'

/** What a look needs when nobody records it: only for a copy of a data folder. */
export type Viewing = Pick<Desk, 'place' | 'origin' | 'clock' | 'find' | 'cardToken'>

/** How much was shown so far. */
interface Shown {
  count: number
}

/**
 * Records the look, then gives its lines.
 * @throws {Fault} `record_down`, `record_full`: what cannot be recorded is not shown; `bad_params`
 *   for a query that is none; `refused` for a card number where those are not searched for;
 *   `session_unknown` when nothing fits.
 */
export async function look(wanted: Look, by: string, desk: Desk): Promise<AsyncIterable<string>> {
  const { clock, masker } = desk
  // A query that is none, or that holds a card number, is refused before it is recorded.
  const query = queryOf(wanted)
  if (query !== undefined) parseQuery(query, clock.nowUs())
  const card = wanted.what === 'search' ? wanted.card : undefined
  if (card !== undefined && !desk.cardToken) throw cardSearchOff()
  const viewed = wanted.what === 'replay' ? wanted.ids.join(' ') : undefined
  const entry = {
    type: 'record.viewed' as const,
    what: wanted.what,
    by: 'cli' as const,
    viewed: viewed === undefined ? undefined : masker.word(viewed).value,
    query: query === undefined ? undefined : masker.word(withLast4(query, card)),
  }
  await recordBy(by, entry, desk)
  const shown: Shown = { count: 0 }
  const lines = await started(linesOf(wanted, desk, shown))
  return (async function* (): AsyncGenerator<string> {
    try {
      yield* lines
    } finally {
      // However it ended: whoever read half of it has seen that half.
      await recordBy(by, { ...entry, shown: shown.count }, desk)
    }
  })()
}

/** The lines of a look. */
export async function* linesOf(
  wanted: Look,
  at: Viewing,
  shown: Shown = { count: 0 },
): AsyncGenerator<string> {
  if (wanted.what === 'search') yield* found(wanted, at, shown)
  else if (wanted.what === 'replay') yield* replayed(wanted, at, shown)
  else {
    for await (const line of sessionLines(readRecord(at.place), wanted.format)) {
      shown.count++
      yield line
    }
  }
}

async function* found(
  { card, cursor, format, limit, order, query }: SearchLook,
  at: Viewing,
  shown: Shown,
): AsyncGenerator<string> {
  const parsed = parseQuery(query, at.clock.nowUs())
  const token = card === undefined ? undefined : at.cardToken?.(card)
  if (card !== undefined && !token) throw cardSearchOff()
  const whole = token ? withCard(parsed, token) : parsed
  const page = await at.find(whole, { limit, order, ...(cursor !== undefined && { cursor }) })
  shown.count = page.items.length
  yield* searchLines(page, format)
}

async function* replayed(wanted: ReplayLook, at: Viewing, shown: Shown): AsyncGenerator<string> {
  const { format, ids, isProven, query } = wanted
  const names = new Set(ids)
  if (query !== undefined) {
    for (const id of await sessionsOf(parseQuery(query, at.clock.nowUs()), at)) names.add(id)
  }
  const fits = ({ exchange, session }: RecordedEntry): boolean =>
    names.has(session ?? '') || names.has(exchange ?? '')
  const shows = (entry: RecordedEntry): boolean => {
    const isShown = fits(entry)
    if (isShown) shown.count++
    return isShown
  }
  const title =
    names.size === 1 ? `Replay of ${ids[0] ?? query ?? ''}` : 'Replay of several sessions'
  const proof = isProven ? await prover(at.place) : undefined
  yield* replay(checked(readRecord(at.place), fits, at), {
    format,
    shows,
    title,
    origin: at.origin,
    version,
    proof,
  })
}

/** Every entry, those that are shown checked against the tree that was signed.
 *  @throws {Fault} `record_down`, reason `tree_differs`. */
async function* checked(
  entries: AsyncIterable<RecordedEntry>,
  fits: (entry: RecordedEntry) => boolean,
  { place }: Viewing,
): AsyncGenerator<RecordedEntry> {
  const isSigned = (await place.disk.list(join(place.dir, place.writer))).includes('checkpoint')
  const tree = isSigned ? await signedTree(place) : undefined
  for await (const entry of entries) {
    // What came after the newest checkpoint is not signed yet.
    if (tree && entry.index < tree.checkpoint.size && fits(entry)) {
      const { root, size } = tree.checkpoint
      const hashes = await proofOf(tree, entry.index)
      const leaf = leafHash(entry.line)
      if (!verifyInclusion(entry.index, size, leaf, hashes, root)) throw differs(entry.index)
    }
    yield entry
  }
}

/** Sessions and, of calls without one, exchanges of all that a query finds. */
async function sessionsOf(query: Query, at: Viewing): Promise<string[]> {
  const names = new Set<string>()
  for (let cursor: string | undefined; ;) {
    const page = await at.find(query, {
      limit: 1000,
      order: 'oldest',
      isCounted: false,
      ...(cursor !== undefined && { cursor }),
    })
    for (const { exchange, session } of page.items) {
      const name = session ?? exchange
      if (name !== undefined) names.add(name)
    }
    if (page.cursor === undefined) return Array.from(names)
    cursor = page.cursor
  }
}

function queryOf(wanted: Look): string | undefined {
  return wanted.what === 'sessions' ? undefined : wanted.query
}

/** All that the record learns of a card number that was searched for. */
function withLast4(query: string, card: string | undefined): string {
  return card === undefined ? query : `card ending ${card.slice(-4)} ${query}`.trim()
}

function cardSearchOff(): Fault {
  return new Fault(
    'refused',
    'Search by a full card number is off. Set record.card_search to true and restart: what is ' +
      'recorded from then on is found. The number you gave was not kept.',
    { facts: { reason: 'card_search_off' } },
  )
}

/** Waits for the first line, so that a session nobody knows is told before anything is printed. */
async function started(lines: AsyncGenerator<string>): Promise<AsyncGenerator<string>> {
  const first = await lines.next()
  return (async function* (): AsyncGenerator<string> {
    if (first.done === true) return
    yield first.value
    yield* lines
  })()
}
