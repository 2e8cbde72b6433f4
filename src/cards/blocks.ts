/** PIN blocks named in a text: `PIN block (ISO-0): 2E30…`, of 16 or 32 hex digits (ISO 9564). */

const reach = 96
/** From the shortest label on. */
export const blockBytesMin = 25
const words = ['lock', 'LOCK'].map((word) => Buffer.from(word))
const named =
  /pin[\s_-]{0,2}block\b[^0-9A-Za-z]{0,4}(?:(?:iso|format|fmt|hex)[\s_-]?(?:format[\s_-]?)?\d?[^0-9A-Za-z]{0,4}){0,2}(?:(?:is|was|=)[^0-9A-Za-z]{0,3})?([0-9A-F]{32}|[0-9A-F]{16})(?![0-9A-Za-z])/i

/** Calls `found` with the start and end of each in [start, end). */
export function eachBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  found: (from: number, to: number) => void,
): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  for (const word of words) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      const from = Math.max(0, at - 6)
      const match = named.exec(text.toString('latin1', from, at + reach))
      if (match === null) continue
      const to = start + from + match.index + match[0].length
      found(to - (match[1]?.length ?? 0), to)
    }
  }
}
