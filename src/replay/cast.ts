/**
 * A replay as a terminal recording: asciicast v3 (docs.asciinema.org/manual/asciicast/v3), lines of
 * JSON. The text of the replay appears at the times of the log.
 */
import { spelt, odd, oneLine } from './plain.ts'
import { scenes } from './text.ts'
import { calledText } from './tell.ts'
import type { Frame, Shown } from './shown.ts'

const term = { cols: 120, rows: 40 }

/**
 * A header, then events `[interval, code, data]`; the interval is in seconds since the event before,
 * exact to the microsecond. Each call begins with a marker (`m`), by which players jump. Proofs stand
 * in comments: a line with the entry, a line with its proof.
 */
export async function* cast(shown: AsyncIterable<Shown>, frame: Frame): AsyncGenerator<string> {
  let beforeUs: number | undefined
  for await (const { of, text } of scenes(shown, frame)) {
    if (of && beforeUs === undefined) yield header(of.entry.timeUs, frame)
    // Times never decrease in the log; the closing lines come with the last entry.
    const nowUs = of?.entry.timeUs ?? beforeUs ?? 0
    let interval = (nowUs - (beforeUs ?? nowUs)) / 1_000_000
    beforeUs = nowUs
    const mark = of && markOf(of)
    if (mark !== undefined) {
      yield line([interval, 'm', mark])
      interval = 0
    }
    yield line([interval, 'o', text.replaceAll('\n', '\r\n')])
    if (of?.proof !== undefined) yield proofComments(of)
  }
}

function header(firstUs: number, { title }: Frame): string {
  const timestamp = Math.floor(firstUs / 1_000_000)
  return line({ version: 3, term, timestamp, title: oneLine(title) })
}

function markOf({ entry: { connection, fields, type } }: Shown): string | undefined {
  if (type !== 'call.received' && type !== 'call.denied') return undefined
  const on = connection === undefined ? '' : ` on ${connection}`
  const end = type === 'call.denied' ? ', denied' : ''
  return oneLine(`${calledText(fields)}${on}${end}`)
}

function proofComments({ entry, proof }: Shown): string {
  const text = JSON.stringify(proof ?? null)
  return `# entry ${entry.index}: ${safe(entry.line.toString('utf8'))}\n# proof ${entry.index}: ${safe(text)}\n`
}

const safe = (json: string): string => json.replace(odd, spelt)
const line = (value: unknown): string => `${safe(JSON.stringify(value))}\n`
