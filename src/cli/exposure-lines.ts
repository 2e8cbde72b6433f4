/** What is asked of exposure on the command line and on the socket, and its answer as lines. */
import { Fault } from '../base/fault.ts'
import { windowDaysMax } from '../policy/exposure.ts'
import type { ExposureOf } from '../policy/exposure.ts'
import { oneLine } from '../replay/plain.ts'

export interface ExposureAsked {
  readonly what: 'exposure'
  readonly days: number
  /** A subject or name, exactly; undefined for everybody. */
  readonly principal?: string | undefined
  readonly format: 'text' | 'jsonl'
}

/** Gives the exposures of a window. */
type List = (wanted: ExposureAsked) => Promise<ExposureOf[]>

/** The number of days in an option or a query; undefined where it is none from 1 to 90. */
export function daysOf(given: string): number | undefined {
  const days = Number(given)
  return /^\d{1,2}$/.test(given) && days >= 1 && days <= windowDaysMax ? days : undefined
}

/**
 * The answer as lines, each with its line end: a table for people, or one JSON object a line.
 * @throws {Fault} `path_unknown` for a principal who was shown nothing.
 */
export async function exposureLines(wanted: ExposureAsked, list: List): Promise<string[]> {
  const { days, format, principal } = wanted
  const found = await list(wanted)
  const window = days === 1 ? 'today (UTC)' : `in the last ${days} days (UTC, today included)`
  if (principal !== undefined && found.length === 0) {
    throw new Fault(
      'path_unknown',
      `Nobody of this subject or name was shown a card number ${window}. See everybody with "sallyport exposure".`,
    )
  }
  if (format === 'jsonl') return found.map((one) => `${JSON.stringify({ ...one, days })}\n`)
  if (found.length === 0) return [`No card number was shown to anybody ${window}.\n`]
  const rows = found.map(({ subject, name, issuer, clear, masked }) => [
    oneLine(name === undefined ? subject : `${subject} (${name})`),
    oneLine(issuer),
    String(clear),
    String(masked),
  ])
  const title = `Distinct card numbers shown ${window}; beyond 256 an estimate.\n`
  return [title, ...tableOf([['WHO', 'ISSUER', 'CLEAR', 'MASKED'], ...rows])]
}

/** Columns as wide as their widest cell; words to the left, figures to the right. */
function tableOf(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) => {
    const cells = row.map((cell, i) => {
      const width = widths[i] ?? 0
      return i < 2 ? cell.padEnd(width) : cell.padStart(width)
    })
    return `${cells.join('  ')}\n`
  })
}
