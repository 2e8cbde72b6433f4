/** Runs of the characters that tokens are made of. */

/** A set of bytes, with the end of a run of them; asked again inside that run, it knows. */
export class Charset {
  readonly #has = new Uint8Array(256)
  #bytes: Uint8Array | undefined
  #from = 0
  #to = 0

  /** @param chars the inside of a character class of a regular expression. */
  constructor(chars: string) {
    const test = new RegExp(`[${chars}]`)
    for (let b = 0; b < 128; b++) if (test.test(String.fromCharCode(b))) this.#has[b] = 1
  }

  /** To be called for each text: the same array may hold other bytes by now. */
  forget(): void {
    this.#bytes = undefined
  }

  has(b: number): boolean {
    return this.#has[b] === 1
  }

  /**
   * The end of the run that begins at `at`. Words inside one run each ask for it, so it is looked up
   * where it was found once: time stays linear.
   */
  end(bytes: Uint8Array, at: number, end: number): number {
    if (this.#bytes === bytes && at >= this.#from && at <= this.#to) return this.#to
    let to = at
    while (to < end && this.#has[bytes[to] ?? 0] === 1) to++
    this.#bytes = bytes
    this.#from = at
    this.#to = to
    return to
  }
}
