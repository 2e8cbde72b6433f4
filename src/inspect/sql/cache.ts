/** Facts of statements that were read before, bounded in number and size. */
import { hash, randomBytes } from 'node:crypto'
import type { SqlFact } from '../facts.ts'

export interface CacheBounds {
  readonly entriesMax: number
  /** Of the facts, as JSON; their text is not kept. */
  readonly bytesMax: number
}

interface Entry {
  readonly facts: readonly SqlFact[]
  readonly bytes: number
}

/** What an entry costs besides its facts. */
const entryBytes = 200

/** The one that was not asked for longest goes first. Keys are digests with a secret of this process:
 *  a statement may hold a card number, and none is kept here. */
export class FactCache {
  readonly #entries = new Map<string, Entry>()
  readonly #secret = randomBytes(16).toString('base64')
  readonly #bounds: CacheBounds
  readonly #ids = new WeakMap<object, number>()
  #lastId = 0
  #bytes = 0

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds
  }

  /** @param settings by identity: other settings, other facts. */
  key(text: string, settings: object, at: string): string {
    let id = this.#ids.get(settings)
    if (id === undefined) {
      id = ++this.#lastId
      this.#ids.set(settings, id)
    }
    return hash('sha256', `${this.#secret}${id} ${at.length} ${at}${text}`, 'base64')
  }

  get(key: string): readonly SqlFact[] | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.facts
  }

  set(key: string, facts: readonly SqlFact[]): void {
    const bytes = JSON.stringify(facts).length + entryBytes
    if (bytes > this.#bounds.bytesMax / 8) return
    this.#drop(key)
    this.#entries.set(key, { facts, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.entriesMax && this.#bytes <= this.#bounds.bytesMax)
        break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }

  /** For the figures: how many, and how much. */
  size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#bytes }
  }
}

/** Nobody changes what others are given as well. */
export function frozen(facts: readonly SqlFact[]): readonly SqlFact[] {
  for (const fact of facts) {
    const { columns_returned: returned, ...others } = fact
    for (const names of Object.values(returned)) Object.freeze(names)
    Object.freeze(returned)
    for (const value of Object.values(others)) if (typeof value === 'object') Object.freeze(value)
    Object.freeze(fact)
  }
  return Object.freeze([...facts])
}
