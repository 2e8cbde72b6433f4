/**
 * Values in which another encoding hides digits or labels: each encoding that shows is taken off,
 * and what lies below is scanned as text. What was found as it stands is not told again.
 */
import { Decoded, encodings } from './decode.ts'
import { HTML, MARKDOWN, PERCENT, QUOTED, signsOf } from './signs.ts'
import { Unescaped } from './unescape.ts'
import type { Scan } from './scan.ts'

/** How many encodings may lie over each other: `%2534` is two. */
const depthMax = 2
const any = HTML | PERCENT | QUOTED | MARKDOWN

/** Scans text that was decoded. */
type Below = (bytes: Uint8Array, length: number, meaning: number) => void

export class Layers {
  readonly #scan: Scan
  readonly #below: Below
  readonly #decoded = Array.from({ length: depthMax }, () => new Decoded())
  #since = 0
  #meaning = 0

  constructor(scan: Scan, below: Below) {
    this.#scan = scan
    this.#below = below
  }

  /**
   * Scans each text that lies under an encoding in [start, end).
   * @param levels as in `TextScanner.scan`.
   * @param signs as `signsOf` gives them.
   * @param since how many findings there were before [start, end) was scanned.
   */
  scan(
    bytes: Uint8Array,
    start: number,
    end: number,
    levels: number,
    signs: number,
    since: number,
    meaning: number,
  ): void {
    if ((signs & any) === 0) return
    this.#since = since
    this.#meaning = meaning
    const { origins } = this.#scan
    const depth = origins.length
    let [text, from, to, left] = [bytes, start, end, levels]
    for (; left > 0 && text.subarray(from, to).includes(0x5c); left--) {
      const inner = new Unescaped(text, from, to)
      origins.push(inner)
      ;[text, from, to] = [inner.bytes, 0, inner.length]
    }
    this.#decode(text, from, to, text === bytes ? signs : signsOf(text, from, to), 0)
    origins.length = depth
  }

  #decode(bytes: Uint8Array, start: number, end: number, signs: number, depth: number): void {
    const decoded = this.#decoded[depth]
    if (decoded === undefined || (signs & any) === 0) return
    const { origins } = this.#scan
    for (const encoding of encodings) {
      if ((signs & encoding) === 0 || !decoded.read(bytes, start, end, encoding)) continue
      origins.push(decoded)
      this.#scan.overlay(this.#since)
      this.#below(decoded.bytes, decoded.length, this.#meaning)
      const more = signsOf(decoded.bytes, 0, decoded.length)
      this.#decode(decoded.bytes, 0, decoded.length, more, depth + 1)
      this.#scan.overlay(-1)
      origins.pop()
    }
  }
}
