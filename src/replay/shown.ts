/** Which entries a replay shows, with their proofs, and in the end which they were. */
import { Fault } from '../base/fault.ts'
import type { RecordedEntry } from '../record/read.ts'

/** Either says it of each entry, or names sessions and exchanges whose entries are shown. */
export type Shows = ((entry: RecordedEntry) => boolean) | ReadonlySet<string>

/** The proof of one entry as a tlog-proof (C2SP); undefined while no checkpoint covers it. */
export type Prove = (index: number) => Promise<string | undefined>

/** An entry that is shown. `proof` is missing when nobody asked for proofs, null when there is none
 *  yet. */
export interface Shown {
  readonly entry: RecordedEntry
  readonly proof?: string | null
}

/** What a whole replay says of itself. */
export interface Frame {
  readonly title: string
  /** The name of the log, as its checkpoints bear it. */
  readonly origin: string | undefined
  /** Our own version, where a format asks who made it. */
  readonly version: string
}

/**
 * The entries that are shown, in the order of the log; each is let go before the next is read.
 * @throws {Fault} `session_unknown` when there is none.
 */
export async function* pick(
  entries: AsyncIterable<RecordedEntry>,
  shows: Shows,
  proof: Prove | undefined,
): AsyncGenerator<Shown> {
  const fits = typeof shows === 'function' ? shows : byName(shows)
  let isFound = false
  for await (const entry of entries) {
    if (!fits(entry)) continue
    isFound = true
    yield proof ? { entry, proof: (await proof(entry.index)) ?? null } : { entry }
  }
  if (isFound) return
  const message = 'The record has no such session, and no call that fits. List the sessions first.'
  throw new Fault('session_unknown', message)
}

function byName(names: ReadonlySet<string>): (entry: RecordedEntry) => boolean {
  return ({ exchange, session }) => names.has(session ?? '') || names.has(exchange ?? '')
}

/** Indexes as ranges: `0-4, 7, 9-12`. */
export class Ranges {
  /** Invariant: first and last of each range, ascending, no two of them touching. */
  readonly #ranges: [first: number, last: number][] = []
  count = 0

  /** Takes the next index: greater than all before. */
  add(index: number): void {
    this.count++
    const last = this.#ranges.at(-1)
    if (last && last[1] === index - 1) last[1] = index
    else this.#ranges.push([index, index])
  }

  toString(): string {
    return this.#ranges.map(([a, b]) => (a === b ? String(a) : `${a}-${b}`)).join(', ')
  }
}
