/** Times, durations and sizes as people write them in a query. */

/** A span of time in microseconds: the first it names, and one past its last. */
export interface Span {
  readonly startUs: number
  readonly endUs: number
}

const unitUs: Readonly<Record<string, number>> = {
  us: 1,
  µs: 1,
  ms: 1000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
  w: 604_800_000_000,
}
const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1_000_000,
  gb: 1_000_000_000,
  kib: 1024,
  mib: 1_048_576,
  gib: 1_073_741_824,
}

/** `500ms`, `1.5s`, `2m` in microseconds; undefined when it is none. */
export function durationUs(text: string): number | undefined {
  return scaled(text, unitUs)
}

/** `100`, `10kb`, `1.5MiB` in bytes; undefined when it is none. */
export function sizeBytes(text: string): number | undefined {
  return scaled(text, unitBytes)
}

/** A whole number; undefined when it is none. */
export function wholeNumber(text: string): number | undefined {
  return scaled(text, { '': 1 })
}

function scaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const parts = /^(\d{1,15}(?:\.\d{1,6})?)([a-zµ]{0,3})$/.exec(text.toLowerCase())
  const unit = parts ? units[parts[2] ?? ''] : undefined
  if (unit === undefined) return undefined
  const value = Number(parts?.[1]) * unit
  const whole = Math.round(value)
  // Half a byte is a mistake of the writer; a rounding error of the float is not.
  const isWhole = Math.abs(value - whole) < 1e-6 * Math.max(1, Math.abs(value))
  return isWhole && Number.isSafeInteger(whole) ? whole : undefined
}

const timePattern =
  /^(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?)?)?$/i

/**
 * The time that `text` names: a month, day, minute, second or fraction of one (ISO 8601, UTC unless
 * an offset says otherwise), `now`, or a time ago such as `-7d` or `-90m`.
 * @returns undefined when it is no time, or none of the calendar.
 */
export function timeSpan(text: string, nowUs: number): Span | undefined {
  if (text === 'now') return { startUs: nowUs, endUs: nowUs + 1 }
  if (text.startsWith('-')) {
    const ago = durationUs(text.slice(1))
    if (ago === undefined || ago > nowUs) return undefined
    return { startUs: nowUs - ago, endUs: nowUs - ago + 1 }
  }
  const parts = timePattern.exec(text)
  return parts ? namedSpan(parts) : undefined
}

function namedSpan(parts: RegExpExecArray): Span | undefined {
  const [, year, month, day, hour, minute, second, fraction, zone] = parts
  const [y, m, d] = [Number(year), Number(month), Number(day ?? 1)]
  const [h, min, s] = [Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0)]
  const ms = Date.UTC(y, m - 1, d, h, min, s)
  const isReal = new Date(ms).toISOString().startsWith(`${year}-${month}-${day ?? '01'}`)
  if (y < 1970 || h > 23 || min > 59 || s > 59 || m < 1 || m > 12 || !isReal) return undefined
  const shift = zoneUs(zone)
  if (shift === undefined) return undefined
  const startUs = ms * 1000 + Number((fraction ?? '').padEnd(6, '0')) - shift
  if (day === undefined) return { startUs, endUs: Date.UTC(y, m, 1) * 1000 }
  return { startUs, endUs: startUs + grainUs({ hour, second, fraction }) }
}

/** How long the smallest part is that was written. */
function grainUs(given: {
  hour: string | undefined
  second: string | undefined
  fraction: string | undefined
}): number {
  if (given.hour === undefined) return 86_400_000_000
  if (given.second === undefined) return 60_000_000
  return given.fraction === undefined ? 1_000_000 : 10 ** (6 - given.fraction.length)
}

function zoneUs(zone: string | undefined): number | undefined {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0
  const [hours, minutes] = zone.slice(1).split(':').map(Number)
  if (hours === undefined || minutes === undefined || hours > 18 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000_000
}
