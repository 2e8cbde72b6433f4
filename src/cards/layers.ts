/**
 * Values in which another encoding hides digits or labels: each encoding that shows is taken off,
 * and what lies below is scanned as text. What was found as it stands is not told again.
 */
import { Decoded, encodings, encodingsOf } from './decode.ts'
import { Unescaped } from './unescape.ts'
import type { Scan } from './scan.ts'

/** How many encodings may lie over each other: `%2534` is two. */
const depthMax = 2
const escapeStart = Buffer.from(String.raw`\u00`)
const softBreak = Buffer.from('=\\')

type Below = (bytes: Uint8Array, start: number, end: number) => void

export class Layers {
  readonly #scan: Scan
  readonly #decoded = Array.from({ length: depthMax }, () => new Decoded())

  constructor(scan: Scan) {
    this.#scan = scan
  }

  /**
   * Calls `below` with each text that lies under an encoding in [start, end).
   * @param levels as in `TextScanner.scan`.
   * @param since how many findings there were before [start, end) was scanned.
   */
  scan(
    bytes: Uint8Array,
    start: number,
    end: number,
    levels: number,
    since: number,
    below: Below,
  ): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
    const isEscaped =
      levels > 0 && text.includes(0x5c) && (text.includes(escapeStart) || text.includes(softBreak))
    let found = encodingsOf(bytes, start, end)
    if (found === 0 && !isEscaped) return
    const { origins } = this.#scan
    let plain = bytes
    let [from, to] = [start, end]
    const depth = origins.length
    if (levels > 0 && text.includes(0x5c)) {
      for (let level = 0; level < levels && plain.subarray(from, to).includes(0x5c); level++) {
        const inner = new Unescaped(plain, from, to)
        origins.push(inner)
        plain = inner.bytes
        from = 0
        to = inner.length
      }
      found = encodingsOf(plain, from, to)
    }
    this.#decode(plain, from, to, found, 0, since, below)
    origins.length = depth
  }

  #decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    found: number,
    depth: number,
    since: number,
    below: Below,
  ): void {
    const decoded = this.#decoded[depth]
    if (decoded === undefined) return
    const { origins } = this.#scan
    for (const encoding of encodings) {
      if ((found & encoding) === 0 || !decoded.read(bytes, start, end, encoding)) continue
      origins.push(decoded)
      this.#scan.overlay(since)
      below(decoded.bytes, 0, decoded.length)
      const more = encodingsOf(decoded.bytes, 0, decoded.length)
      if (more !== 0) this.#decode(decoded.bytes, 0, decoded.length, more, depth + 1, since, below)
      this.#scan.overlay(-1)
      origins.pop()
    }
  }
}
