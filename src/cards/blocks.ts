/** PIN blocks named in a text: `PIN block (ISO-0): 2E30…`, of 16 or 32 hex digits (ISO 9564), and
 *  field 52 of ISO 8583. */

/** From the shortest label on. */
export const blockBytesMin = 20
const named =
  /(?:pin[\s_-]{0,2}(?:block|blk|data)|\bepb|\b(?:f|de|field|bit)[\s_-]?0?52)\b[^0-9A-Za-z]{0,4}(?:(?:pin[\s_-]?data|iso|format|fmt|hex)[\s_-]?(?:format[\s_-]?)?\d?[^0-9A-Za-z]{0,4}){0,2}(?:(?:is|was)[^0-9A-Za-z]{0,3})?([0-9A-F]{32}|[0-9A-F]{16})(?![0-9A-Za-z])/gi

/** Calls `found` with the start and end of each in [start, end). */
export function eachBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  found: (from: number, to: number) => void,
): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
  if (!/[a-z]/i.test(text)) return
  for (const match of text.matchAll(named)) {
    const to = start + match.index + match[0].length
    found(to - (match[1]?.length ?? 0), to)
  }
}
