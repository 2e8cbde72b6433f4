/** The inspector: what a message is about, and what is smuggled in it. */
import type { JsonTree, Node } from '../wire/json.ts'
import type { Message } from '../wire/message.ts'
import { findAnswer } from './answer.ts'
import type { Finding, Inspected, SqlFact } from './facts.ts'
import { KnownCalls } from './known.ts'
import { findRequest } from './request.ts'
import type { SqlText } from './request.ts'
import type { InspectSettings } from './settings.ts'
import { unreadableFact } from './sql/build.ts'
import type { SqlSettings } from './sql/seen.ts'

export { inspectSettings } from './settings.ts'
export type { InspectSettings } from './settings.ts'

/** Reads statements: `src/inspect/sql/reader.ts`. */
interface Reader {
  read(text: string, of: SqlSettings, at: string): readonly SqlFact[] | Promise<readonly SqlFact[]>
  close(): Promise<void>
}

/** What only the caller knows. */
interface Beside {
  /** Names of tools that the connection is known to have. */
  readonly tools?: readonly string[]
}

export interface Inspector {
  /** A client's message. Neither throws nor rejects; a promise only where a worker reads the SQL. */
  request(message: Message, of: InspectSettings, beside?: Beside): Inspected | Promise<Inspected>
  /** A server's message. */
  answer(tree: JsonTree, node: Node): readonly Finding[]
  close(): Promise<void>
}

/** @param options.sql closed with the inspector. */
export function createInspector({ sql }: { readonly sql: Reader }): Inspector {
  const calls = new KnownCalls()
  const inspect = (message: Message, of: InspectSettings, beside: Beside): Seen => {
    const found = findRequest(message, { tools: of.tools, known: beside.tools ?? [] })
    const { findings, unread } = found
    const read = found.sql.map((one) => factsOf(sql, one, of))
    // What nobody read counts as the worst.
    if (unread !== undefined) read.push([unreadFact(unread, of)])
    const settled = read.filter((one): one is readonly SqlFact[] => !(one instanceof Promise))
    if (settled.length === read.length) return { findings, sql: settled.flat() }
    return Promise.all(read.map(async (one) => await one)).then((all) => ({
      findings,
      sql: all.flat(),
    }))
  }
  return {
    request: (message, of, beside = {}) => {
      const key = beside.tools === undefined ? calls.key(message, of) : undefined
      const known = key === undefined ? undefined : calls.get(key)
      if (known !== undefined) return known
      const seen = inspect(message, of, beside)
      // A statement that came out too slow is read again when there is more time.
      if (key !== undefined && !(seen instanceof Promise) && !isHasty(seen)) calls.set(key, seen)
      return seen
    },
    answer: (tree, node) => findAnswer(tree, node),
    close: () => sql.close(),
  }
}

type Seen = Inspected | Promise<Inspected>

function isHasty({ sql }: Inspected): boolean {
  return sql.some(({ problem }) => problem === 'too_slow')
}

function unreadFact(at: string, { dialect = 'postgresql' }: InspectSettings): SqlFact {
  return unreadableFact('too_large', dialect, at)
}

/** What only looks like SQL and does not parse is prose; what is declared to be SQL never is. */
function factsOf(
  sql: Reader,
  { text, at, isDeclared }: SqlText,
  of: InspectSettings,
): readonly SqlFact[] | Promise<readonly SqlFact[]> {
  const keep = (facts: readonly SqlFact[]): readonly SqlFact[] =>
    isDeclared || facts.some(({ parsed }) => parsed) ? facts : []
  const facts = sql.read(text, of, at)
  return facts instanceof Promise ? facts.then(keep) : keep(facts)
}
