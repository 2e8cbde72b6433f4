/** Moments as people write them on the command line. */
import { parseDuration } from '../config/units.ts'

const dayForm = /^\d{4}-\d\d-\d\d$/
const momentForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/
const dayMs = 86_400_000

/** The forms of `parseMoment`, for a message. */
export const momentForms =
  '2026-12-31T17:00:00Z (or with an offset such as +01:00), or +2h from now (s, m, h, d)'

/**
 * A moment with its zone (RFC 3339), or `+` and a duration from now.
 * @returns milliseconds since 1970; NaN when it has another form or is no date.
 */
export function parseMoment(text: string, nowMs: number): number {
  if (text.startsWith('+')) return nowMs + parseDuration(text.slice(1))
  return momentForm.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
}

/** The same, or a day: its end in UTC, as it is the last day somebody has. */
export function parseEnd(text: string, nowMs: number): number {
  if (!dayForm.test(text)) return parseMoment(text, nowMs)
  return isDay(text) ? Date.parse(`${text}T00:00:00Z`) + dayMs : Number.NaN
}

/** `Date` takes the 31st of every month, and means the next one. */
function isDay(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}
