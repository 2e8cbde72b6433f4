/** Reads over the strings of a JSON text that may itself lie in strings, and notes what they hold. */
import { hexAt, isDigit } from './bytes.ts'

const backslash = 0x5c
const quote = 0x22

// Inside a string: a digit counts 1, a byte beyond ASCII marks the sum, quote and backslash stop.
const beyondAscii = 1 << 26
const weight = new Int32Array(256)
for (let b = 0; b < 256; b++) weight[b] = b >= 0x80 ? beyondAscii : (isDigit[b] ?? 0)
weight[backslash] = -1
weight[quote] = -1

/** Facts of the string last read. */
export class StringReader {
  /** The offset behind the closing quote. */
  next = 0
  digits = 0
  /** It holds an escape, or something beyond ASCII, or is cut off. */
  isOdd = false
  /** A sign of ASCII in it is written as an escape of a string around the text. */
  isAlien = false

  /** Reads to the end of a string: returns where its inside ends. */
  read(bytes: Uint8Array, start: number, end: number, levels: number): number {
    const marks = (1 << levels) - 1
    const modulus = (2 << levels) - 1
    this.isAlien = false
    let sum = 0
    let isOdd = false
    let at = start
    for (;;) {
      let w = 0
      while (at < end && (w = weight[bytes[at] ?? 0] ?? 0) >= 0) {
        sum |= w & beyondAscii
        sum += w & 1
        at++
      }
      if (at >= end) break
      let c = at
      while (c < end && bytes[c] === backslash) c++
      if (c < end && bytes[c] === quote && ((c - at) & modulus) === marks) {
        this.digits = sum & (beyondAscii - 1)
        this.isOdd = isOdd || sum >= beyondAscii
        this.next = c + 1
        return at
      }
      isOdd = true
      // An escape of an outer string may spell one of our own signs: not to be read from here.
      const unit = c < end && bytes[c] === 0x75 && c - at <= marks ? hexAt(bytes, c + 1) : -1
      if (unit >= 0 && unit < 0x80) this.isAlien = true
      at = c + 1
    }
    this.digits = sum & (beyondAscii - 1)
    this.isOdd = true
    this.next = end
    return end
  }
}
