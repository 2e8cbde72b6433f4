/** How fast somebody is told: so many at once, and then one after each pause. */
export class Bucket {
  readonly #burst: number
  readonly #everyMs: number
  #left: number
  #sinceMs: number

  /** @param nowMs of any clock that does not run backwards. */
  constructor(burst: number, everyMs: number, nowMs: number) {
    this.#burst = burst
    this.#everyMs = everyMs
    this.#left = burst
    this.#sinceMs = nowMs
  }

  /** How many may go now. */
  left(nowMs: number): number {
    const came = Math.floor((nowMs - this.#sinceMs) / this.#everyMs)
    if (came > 0) {
      this.#left = Math.min(this.#burst, this.#left + came)
      this.#sinceMs += came * this.#everyMs
    }
    return this.#left
  }

  take(): void {
    this.#left--
  }
}
