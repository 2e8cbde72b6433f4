/** The values that are taken out of everything we pass on or write. */
import { Redactor, spellings } from './redactor.ts'

/** Values that were replaced, and tokens, stay hidden for a while: calls in flight still use them. */
const passingMax = 1_000
const droppedAtOnce = 100

export class Hidden {
  /** In force: never forgotten. With how many hold it. */
  readonly #pinned = new Map<string, number>()
  /** Oldest first. Invariant: no value is in both. */
  readonly #passing = new Set<string>()
  #redactor = new Redactor()

  /** Hides a value until `unpin` was called as often. */
  pin(value: string): void {
    const count = this.#pinned.get(value) ?? 0
    this.#pinned.set(value, count + 1)
    if (count === 0 && !this.#passing.delete(value)) this.#redactor.add(spellings(value))
  }

  /** The value is in force no more; it stays hidden like one that `hide` was told. */
  unpin(value: string): void {
    const count = this.#pinned.get(value) ?? 0
    if (count > 1) this.#pinned.set(value, count - 1)
    else if (this.#pinned.delete(value)) this.#keepPassing(value)
  }

  hide(value: string): void {
    if (this.#pinned.has(value) || this.#passing.has(value)) return
    this.#redactor.add(spellings(value))
    this.#keepPassing(value)
  }

  /** `bytes` without any hidden value; the very same array where there is none. */
  redact(bytes: Uint8Array): Uint8Array {
    return this.#redactor.redact(bytes)
  }

  #keepPassing(value: string): void {
    this.#passing.add(value)
    if (this.#passing.size <= passingMax) return
    // Many at once, since the rest is gathered anew.
    for (const oldest of [...this.#passing].slice(0, droppedAtOnce)) this.#passing.delete(oldest)
    this.#redactor = new Redactor()
    for (const each of [...this.#pinned.keys(), ...this.#passing]) {
      this.#redactor.add(spellings(each))
    }
  }
}
