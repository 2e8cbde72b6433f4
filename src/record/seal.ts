/**
 * Counts for seals. A seal says what the log holds since the one before it, so that a quiet hour is
 * as provable as a busy one: whoever reads the log counts anew and must find the same.
 */
import type { EntryType } from './entry.ts'

/** What a seal covers: the entries behind the last seal, or behind the start of the process. */
export interface SealCounts {
  /** Index of the first entry it covers; its last is the one before the seal. */
  readonly since: number
  readonly fromUs: number
  /** `call.received`. */
  readonly accepted: number
  /** `call.denied` and `auth.refused`. */
  readonly denied: number
}

/** Counts entries as they are appended, in the order of the log. */
export class SealCounter {
  #since = 0
  #fromUs = 0
  #accepted = 0
  #denied = 0

  /** @param nextIndex of the first entry that this process appends. */
  constructor(nextIndex: number, nowUs: number) {
    this.#restart(nextIndex, nowUs)
  }

  get counts(): SealCounts {
    return {
      since: this.#since,
      fromUs: this.#fromUs,
      accepted: this.#accepted,
      denied: this.#denied,
    }
  }

  note(type: EntryType, index: number, timeUs: number): void {
    if (type === 'call.received') this.#accepted++
    else if (type === 'call.denied' || type === 'auth.refused') this.#denied++
    else if (type === 'seal') this.#restart(index + 1, timeUs)
    else if (type === 'gateway.started') this.#restart(index, timeUs)
  }

  #restart(since: number, fromUs: number): void {
    this.#since = since
    this.#fromUs = fromUs
    this.#accepted = this.#denied = 0
  }
}
