/** Two keys of one object may look the same when masked: then the later gets a number behind it. */
import { CODE, END, FIELDS, MARKER, PATCH, START, STARS, formOf, withForm } from './findings.ts'
import { starred } from './write.ts'
import type { Findings } from './findings.ts'
import type { Names } from './words.ts'

const seen: WeakMap<Findings, Map<string, number>> = new WeakMap()

/**
 * Gives the key that ends at `end`, and holds the findings from `first` on, a suffix `~2`, `~3`… when
 * its object (named by `serial`) has had the same masked key before.
 */
export function distinguish(
  findings: Findings,
  bytes: Uint8Array,
  end: number,
  first: number,
  serial: number,
): void {
  const last = findings.count - 1
  let text = `${serial}:`
  for (let i = first; i <= last; i++)
    text += Buffer.from(written(findings, bytes, i)).toString('latin1')
  let counts = seen.get(findings)
  if (counts === undefined) {
    counts = new Map<string, number>()
    seen.set(findings, counts)
  }
  const count = (counts.get(text) ?? 0) + 1
  counts.set(text, count)
  if (count === 1) return
  const stop = findings.field(last, END)
  const patch = Buffer.concat([
    written(findings, bytes, last),
    bytes.subarray(stop, end),
    Buffer.from(`~${count}`),
  ])
  const at = last * FIELDS
  findings.rows[at + END] = end
  findings.rows[at + CODE] = withForm(findings.field(last, CODE), PATCH)
  findings.patches.set(last, patch)
}

function written(findings: Findings, bytes: Uint8Array, i: number): Uint8Array {
  const form = formOf(findings.field(i, CODE))
  if (form === STARS) return starred(bytes, findings.field(i, START), findings.field(i, END))
  if (form === PATCH) return findings.patches.get(i) ?? new Uint8Array(0)
  return Buffer.from(form === MARKER ? '[track removed]' : '***')
}

/** The text of a key that stands in `levels` strings, one in the other. */
export function keyText(bytes: Uint8Array, levels: number): string {
  let text = Buffer.from(bytes).toString('utf8')
  for (let i = 0; i < levels && text.includes('\\'); i++) {
    try {
      const inner: unknown = JSON.parse(`"${text}"`)
      if (typeof inner === 'string') text = inner
    } catch {
      // A key of text that only looked like JSON: its bytes as they are name it as well.
      return text
    }
  }
  return text
}

const backslash = 0x5c
/** More than any text is looked into. */
const levelsMax = 6
/** As `Names.word` remembers them. */
const wordBytesMax = 24

/** The meanings of a name that stands as a value, whose letters may be written as escapes. */
export function meaningAt(names: Names, bytes: Uint8Array, start: number, end: number): number {
  let digits = 0
  for (let i = start; i < end; i++) {
    const b = bytes[i] ?? 0
    if (b === backslash) return names.meaningOfText(keyText(bytes.subarray(start, end), levelsMax))
    if ((b ^ 0x30) < 10) digits++
  }
  // What has hardly a digit is remembered: rows say the same few things again and again.
  return digits <= 2 && end - start <= wordBytesMax
    ? names.word(bytes, start, end)
    : names.meaning(bytes, start, end)
}
