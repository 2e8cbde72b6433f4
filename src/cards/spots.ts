/**
 * The quick look: reads the bytes of a whole message and says where a careful one is needed. It finds
 * nothing itself; where it sees no spot, and no name, the careful scanner would find nothing.
 *
 * The work is done by a WebAssembly module (`kernel/kernel.as`) with vectors of 16 bytes.
 */
import { feed, kernel } from './kernel/start.ts'

/** Spots nearer than this become one, as in `found.as`. */
const near = 64

/** Places in a message which need a careful look. Keep one and use it again: its arrays grow and stay. */
export class Spots {
  /** How many there are. */
  count = 0
  /** Where spot i begins; ascending. */
  at: Int32Array = new Int32Array(64)
  /** Where it ends. Spots do not touch. */
  to: Int32Array = new Int32Array(64)
  /**
   * A name of a verification value, PIN or track may stand in the message as a key or header, and a
   * digit does: what they name has no spot, so all of it is to be looked at.
   */
  hasSecretName = false
  /** Text in base64 may stand in the message: a run of 24 characters and more that begins as text. */
  hasBase64 = false
  /** Steps of the part that goes byte by byte; grows with the message and never faster. */
  steps = 0

  /** Reads a message, or any other bytes. Windows may be made smaller, for tests: by 64 bytes. */
  read(bytes: Uint8Array, windowBytes: number = kernel.windowBytes): void {
    const { length } = bytes
    this.count = 0
    kernel.begin()
    for (let base = 0; base === 0 || base < length; base += windowBytes) {
      const found = kernel.read(
        feed(bytes, base, windowBytes),
        base + windowBytes >= length ? 1 : 0,
      )
      for (let i = 0; i < found; i++) {
        this.#add(base + (kernel.spots[i * 2] ?? 0), base + (kernel.spots[i * 2 + 1] ?? 0), length)
      }
    }
    this.hasSecretName = kernel.hasSecretName() !== 0
    this.hasBase64 = kernel.hasBase64() !== 0
    this.steps = kernel.operations()
  }

  /** Spots of one window are ascending; the first may reach back into what was found before it. */
  #add(start: number, end: number, length: number): void {
    let from = Math.max(0, start)
    let to = Math.min(end, length)
    while (this.count > 0 && from <= (this.to[this.count - 1] ?? 0) + near) {
      this.count--
      from = Math.min(from, this.at[this.count] ?? 0)
      to = Math.max(to, this.to[this.count] ?? 0)
    }
    if (this.count === this.at.length) this.#grow()
    this.at[this.count] = from
    this.to[this.count++] = to
  }

  #grow(): void {
    const [at, to] = [this.at, this.to]
    this.at = new Int32Array(this.count * 2)
    this.to = new Int32Array(this.count * 2)
    this.at.set(at)
    this.to.set(to)
  }
}
