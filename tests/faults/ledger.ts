/**
 * What a record was given and what it promised, kept apart from it: each append with a serial number
 * in each of its entries, and what became of it. `differences` holds a record against that.
 */
import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { EntryInput, Item, Shared } from '../../src/record/entry.ts'
import type { RecordedEntry } from '../../src/record/read.ts'

/**
 * `told`: the caller has its receipt. `failed`: it was told that nothing can be written; the entries
 * may be there. `away`: it was turned away at the door, so they must not be there.
 */
export type Fate = 'waiting' | 'told' | 'failed' | 'away'

export interface Append {
  readonly items: readonly { serial: number; want: object; body: string }[]
  fate: Fate
}

/** An entry made for a serial number, which stands in one of its own fields. */
export type Numbered = (serial: number) => EntryInput

export class Ledger {
  readonly #appends: Append[] = []
  readonly #serials = new Map<number, Append>()
  /** Digests of entries by index that no later reading may find changed. */
  readonly #pinned: string[] = []
  #nextSerial = 1
  lost = 0

  /** Entries for what is about to be appended; the order of these calls is the order of the log. */
  issue(
    shared: Shared,
    making: readonly (readonly [Numbered, Item['body']])[],
  ): { append: Append; items: Item[] } {
    const items: Item[] = []
    const noted = making.map(([make, body]) => {
      const serial = this.#nextSerial++
      const entry = make(serial)
      items.push({ entry, body })
      return { serial, want: wanted(entry, shared), body: digest(body?.value ?? new Uint8Array()) }
    })
    const append: Append = { items: noted, fate: 'waiting' }
    this.#appends.push(append)
    for (const { serial } of noted) this.#serials.set(serial, append)
    return { append, items }
  }

  count(fate: Fate): number {
    return this.#appends.filter((append) => append.fate === fate).length
  }

  /**
   * All in which the record is not what was promised, one sentence each.
   * @param isSettled whether everything in it stands before something durable: then it must stay.
   */
  differences(entries: readonly RecordedEntry[], isSettled: boolean): string[] {
    const found: string[] = []
    const places = this.#places(entries, found)
    let last = -1 // Place of the entry found last: appends stand in the order they were made.
    let lastTold = -1
    for (const { fate, items } of this.#appends) {
      const at = items.map(({ serial }) => places.get(serial))
      const there = at.filter((place) => place !== undefined)
      const name = `append ${items[0]?.serial} (${fate})`
      if (there.length === 0) {
        if (fate === 'told') found.push(`${name}: acknowledged and lost`)
        if (fate === 'told') this.lost++
        continue
      }
      if (fate === 'away') found.push(`${name}: it was refused, and is there`)
      if (there.length < items.length) found.push(`${name}: only a part of it is there`)
      if (there.some((place, i) => place !== (there[0] ?? 0) + i)) {
        found.push(`${name}: its entries do not stand together`)
      }
      if ((there[0] ?? 0) <= last) found.push(`${name}: it is out of order`)
      last = there.at(-1) ?? last
      if (fate === 'told') lastTold = last
      for (const [i, item] of items.entries()) {
        const entry = entries[at[i] ?? -1]
        if (entry) found.push(...altered(item, entry))
      }
    }
    found.push(...this.#pin(entries, isSettled, lastTold))
    return found
  }

  /** Where each serial number stands; what has none must be of recovery's own making. */
  #places(entries: readonly RecordedEntry[], found: string[]): Map<number, number> {
    const places = new Map<number, number>()
    let lastUs = 0
    for (const [place, entry] of entries.entries()) {
      if (entry.index !== place) found.push(`index ${entry.index} stands at ${place}`)
      if (entry.timeUs < lastUs) found.push(`entry ${place}: it is earlier than the one before it`)
      lastUs = entry.timeUs
      const serial = serialOf(entry)
      if (serial === undefined) continue
      if (!this.#serials.has(serial)) found.push(`entry ${place}: nobody appended it`)
      if (places.has(serial)) found.push(`entry ${place}: it is there twice`)
      places.set(serial, place)
    }
    return places
  }

  /** Everything before an acknowledged entry is fixed for ever, whoever made it. */
  #pin(entries: readonly RecordedEntry[], isSettled: boolean, lastTold: number): string[] {
    const found: string[] = []
    for (const [place, known] of this.#pinned.entries()) {
      const entry = entries[place]
      if (!entry) found.push(`entry ${place} was there before, and is gone`)
      else if (fingerprint(entry) !== known) found.push(`entry ${place} is another than before`)
    }
    const end = isSettled ? entries.length : lastTold + 1
    for (const entry of entries.slice(this.#pinned.length, end)) {
      this.#pinned.push(fingerprint(entry))
    }
    return found
  }
}

/** The members that an entry must have, without index, time and body. */
function wanted(entry: EntryInput, shared: Shared): object {
  const outcome =
    'outcome' in entry ? entry.outcome : entry.type === 'call.denied' ? 'denied' : 'ok'
  const connection: unknown = JSON.parse(shared.text.connection)
  const { exchange = null, session = null } = shared
  return { ...entry, outcome, connection, exchange, session, principal: null, source: null, v: 1 }
}

function altered(item: Append['items'][number], entry: RecordedEntry): string[] {
  const { body: _body, index: _index, time: _time, ...fields } = entry.fields
  const found: string[] = []
  if (!isDeepStrictEqual(fields, item.want)) found.push(`entry ${entry.index}: it was altered`)
  if (digest(entry.body() ?? new Uint8Array()) !== item.body) {
    found.push(`entry ${entry.index}: its body was altered`)
  }
  return found
}

/** The serial number where each kind of entry carries it; undefined of what recovery wrote. */
function serialOf({ fields, type }: RecordedEntry): number | undefined {
  if (type === 'gateway.recovered' || fields['reason'] === 'process_ended') return undefined
  const { attempt, bytes, durationUs, reason, status, version } = fields
  const word = type === 'session.opened' || type === 'gateway.started' ? version : reason
  return Number(attempt ?? durationUs ?? status ?? bytes ?? word)
}

/** Of each received call, exactly one end, and none before it; of each session the same. */
export function endsMissing(entries: readonly RecordedEntry[]): string[] {
  const begun = new Map<string, number>() // Name to how many are open.
  const found: string[] = []
  for (const { exchange, index, session, type } of entries) {
    if (type === 'call.received') begun.set(`${exchange}`, (begun.get(`${exchange}`) ?? 0) + 1)
    if (type === 'session.opened') begun.set(`${session}`, 1)
    const ended = type === 'call.finished' ? exchange : session
    if (type !== 'call.finished' && type !== 'session.closed') continue
    const left = (begun.get(`${ended}`) ?? 0) - 1
    if (left < 0) found.push(`entry ${index}: the end of what had not begun, or had ended`)
    begun.set(`${ended}`, left)
  }
  const open = [...begun].filter(([, left]) => left > 0)
  return [...found, ...open.map(([name]) => `${name} has no end`)]
}

function fingerprint(entry: RecordedEntry): string {
  return `${digest(entry.line)} ${digest(entry.body() ?? new Uint8Array())}`
}

function digest(bytes: Uint8Array): string {
  return hash('sha256', bytes)
}
