/**
 * Statements of a connection, read: the facts of each. Small ones are read at once, those that were read
 * before come from the cache, long and deep ones are read by a thread that is ended when it takes too
 * long. Whatever cannot be read has the worst facts.
 */
import { Fault } from '../../base/fault.ts'
import type { Dialect, SqlFact } from '../facts.ts'
import { factsOf, unreadableFact } from './build.ts'
import { FactCache, frozen } from './cache.ts'
import { isLoaded, load, mayBeDeep, parse } from './parse.ts'
import type { SqlSettings } from './seen.ts'
import type { Statement, Unreadable } from './statement.ts'
import { ReadingThread } from './thread.ts'
import { worstOf } from './worst.ts'

export type { SqlSettings } from './seen.ts'

export interface SqlReaderOptions {
  /** A longer text is `too_large`; 1 MiB. */
  readonly textBytesMax?: number
  /** A longer text is read by the thread; 16 KiB. */
  readonly ownThreadCharsMax?: number
  /** What takes the thread longer is `too_slow`; 2 seconds. */
  readonly withinMs?: number
  /** Texts that may wait for the thread; 64. */
  readonly waitingMax?: number
  readonly cacheEntriesMax?: number
  readonly cacheBytesMax?: number
}

export interface SqlReader {
  /**
   * The facts of each statement of a text, at least one. Never throws and never rejects.
   * @param of by identity: settings are made once for a connection.
   * @param at JSON pointer of the argument the text was in.
   */
  read(text: string, of: SqlSettings, at: string): readonly SqlFact[] | Promise<readonly SqlFact[]>
  /** Ends the thread. What is asked later is `too_slow` where it needs the thread. */
  close(): Promise<void>
}

type Read = readonly Statement[] | Unreadable

/** A connection that does not say its dialect speaks one of these, and is taken at its worst. */
const guesses = ['postgresql', 'mysql', 'sqlserver'] as const

export function createSqlReader(options: SqlReaderOptions = {}): SqlReader {
  return new CachedReader(options)
}

class CachedReader implements SqlReader {
  readonly #textBytesMax: number
  readonly #ownThreadCharsMax: number
  readonly #cache: FactCache
  readonly #thread: ReadingThread
  /** Dialects whose parser did not survive in this thread. */
  readonly #broken = new Set<Dialect>()

  constructor(options: SqlReaderOptions) {
    this.#textBytesMax = options.textBytesMax ?? 1024 * 1024
    this.#ownThreadCharsMax = options.ownThreadCharsMax ?? 4 * 1024
    const { withinMs = 2000, waitingMax = 64 } = options
    this.#thread = new ReadingThread({ withinMs, waitingMax })
    const { cacheEntriesMax: entriesMax = 4096, cacheBytesMax: bytesMax = 16 * 1024 * 1024 } =
      options
    this.#cache = new FactCache({ entriesMax, bytesMax })
  }

  read(
    text: string,
    of: SqlSettings,
    at: string,
  ): readonly SqlFact[] | Promise<readonly SqlFact[]> {
    const dialect = of.dialect ?? guesses[0]
    if (Buffer.byteLength(text) > this.#textBytesMax) {
      return frozen([unreadableFact('too_large', dialect, at)])
    }
    const key = this.#cache.key(text, of, at)
    const cached = this.#cache.get(key)
    if (cached) return cached
    const dialects = of.dialect ? [of.dialect] : guesses
    const reads = dialects.map((one) => this.#statements(text, one))
    const settled = reads.filter((read): read is Read => !(read instanceof Promise))
    if (settled.length === reads.length) return this.#facts(settled, dialects, of, at, key)
    const promised = reads.map((read) => Promise.resolve(read))
    return Promise.all(promised).then((all) => this.#facts(all, dialects, of, at, key))
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  #statements(text: string, dialect: Dialect): Read | Promise<Read> {
    const isLong = text.length > this.#ownThreadCharsMax || mayBeDeep(text)
    if (isLong || this.#broken.has(dialect)) return this.#thread.ask(text, dialect)
    if (isLoaded(dialect)) return this.#parse(text, dialect)
    return load(dialect).then(
      () => this.#parse(text, dialect),
      // The parser is not there: nothing can be known of any statement.
      () => ({ problem: 'syntax' }),
    )
  }

  #parse(text: string, dialect: Dialect): Read | Promise<Read> {
    try {
      return parse(text, dialect)
    } catch {
      // The stack ran out in the middle of the parser. A thread of its own has more, and may break.
      this.#broken.add(dialect)
      return this.#thread.ask(text, dialect)
    }
  }

  #facts(
    reads: readonly Read[],
    dialects: readonly Dialect[],
    of: SqlSettings,
    at: string,
    key: string,
  ): readonly SqlFact[] {
    const all = reads.map((read, i) => {
      const dialect = dialects[i] ?? guesses[0]
      const given = factsOfRead(read, dialect, of, at)
      const isGuess = of.dialect === undefined && dialect === 'sqlserver'
      return isGuess && isBareCall(given) ? [unreadableFact('syntax', dialect, at)] : given
    })
    const facts = frozen(worstOf(all, at))
    // Another time the thread may be quicker.
    if (!facts.some(({ problem }) => problem === 'too_slow')) this.#cache.set(key, facts)
    return facts
  }
}

/** To SQL Server any words are the call of a procedure; where nobody says that it is one, they are words
 *  (its `EXEC` alone is read by none of the others, and then counts as unread). */
function isBareCall(facts: readonly SqlFact[]): boolean {
  return facts.some(({ verb }) => verb === 'EXECUTE')
}

function factsOfRead(
  read: Read,
  dialect: Dialect,
  of: SqlSettings,
  at: string,
): readonly SqlFact[] {
  if ('problem' in read) return [unreadableFact(read.problem, dialect, at)]
  try {
    return factsOf(read, dialect, of, at)
  } catch (error) {
    // A tree too deep for our own stack: the parser has done its work and is whole.
    const problem = error instanceof Fault ? 'too_large' : 'too_deep'
    return [unreadableFact(problem, dialect, at)]
  }
}
