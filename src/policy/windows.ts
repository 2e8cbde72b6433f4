/**
 * Times of the week in which a grant holds, by the clock on the wall of a time zone. Where the clock
 * is put back, the hour that comes twice counts twice; where it is put forward, the hour that is left
 * out is in no window.
 */
import { Fault } from '../base/fault.ts'
import type { Weekday, WindowConfig } from '../config/types.ts'

export interface Opening {
  readonly isOpen: boolean
  /** Until this moment nothing changes, in milliseconds since 1970; not later than a week from now. */
  readonly untilMs: number
}

const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const dayMinutes = 1440
const minuteMs = 60_000

/** The clock on the wall. */
interface Wall {
  /** 0 is Monday. */
  readonly day: number
  /** Since midnight. */
  readonly minute: number
  /** Local time less UTC, in milliseconds. */
  readonly offsetMs: number
}

/**
 * Compiles windows; one that is open is enough. A window whose end is not behind its beginning goes on
 * past midnight and belongs to the day on which it begins; one of no length is never open.
 * @returns what is at a moment, in milliseconds since 1970; asked again within `untilMs` it costs a
 *   comparison.
 * @throws {Fault} `config_bad` for a time zone that the IANA database has not.
 */
export function compileWindows(windows: readonly WindowConfig[]): (nowMs: number) => Opening {
  const zones = new Map<string, (ms: number) => Wall>()
  for (const { timezone } of windows) {
    if (!zones.has(timezone)) zones.set(timezone, wallOf(timezone))
  }
  let known: Opening & { readonly fromMs: number } = { isOpen: false, fromMs: 0, untilMs: 0 }
  return (nowMs) => {
    if (nowMs >= known.fromMs && nowMs < known.untilMs) return known
    let [isOpen, untilMs] = [false, Infinity]
    for (const window of windows) {
      const wall = zones.get(window.timezone)
      if (!wall) continue
      isOpen ||= isIn(window, wall(nowMs))
      untilMs = Math.min(untilMs, nextChange(window, wall, nowMs))
    }
    known = { isOpen, fromMs: nowMs, untilMs }
    return known
  }
}

function isIn({ days, fromMinute, toMinute }: WindowConfig, { day, minute }: Wall): boolean {
  const has = (of: number): boolean => days.includes(weekdays[of % 7] ?? 'mon')
  if (fromMinute < toMinute) return has(day) && minute >= fromMinute && minute < toMinute
  if (fromMinute === toMinute) return false
  return (has(day) && minute >= fromMinute) || (has(day + 6) && minute < toMinute)
}

/** The next moment at which a window may open or close: a border of it, or a change of the clocks. */
function nextChange(
  { fromMinute, toMinute }: WindowConfig,
  wall: (ms: number) => Wall,
  nowMs: number,
): number {
  const now = wall(nowMs)
  // Borders of all days alike: a moment too many is asked about, none is left out.
  const ahead = [fromMinute, toMinute].map((border) => {
    const minutes = (border - now.minute + dayMinutes) % dayMinutes
    return minutes === 0 ? dayMinutes : minutes
  })
  const startMs = Math.floor(nowMs / minuteMs) * minuteMs
  const changeMs = startMs + Math.min(...ahead) * minuteMs
  if (wall(changeMs).offsetMs === now.offsetMs) return changeMs
  // The clocks change before: the first minute that has another offset. There is one change a day at most.
  let [low, high] = [startMs / minuteMs, changeMs / minuteMs]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (wall(middle * minuteMs).offsetMs === now.offsetMs) low = middle
    else high = middle
  }
  return high * minuteMs
}

function wallOf(timeZone: string): (ms: number) => Wall {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (cause) {
    const message = 'A window names a time zone that is none, such as Europe/Berlin or UTC.'
    throw new Fault('config_bad', message, { cause })
  }
  return (ms) => {
    const parts = format.formatToParts(ms)
    const part = (type: Intl.DateTimeFormatPartTypes): number =>
      Number(parts.find((each) => each.type === type)?.value)
    const [hour, minute] = [part('hour'), part('minute')]
    const [year, month, day] = [part('year'), part('month'), part('day')]
    const localMs = Date.UTC(year, month - 1, day, hour, minute, part('second'))
    const weekday = (new Date(localMs).getUTCDay() + 6) % 7
    const offsetMs = localMs - Math.floor(ms / 1000) * 1000
    return { day: weekday, minute: hour * 60 + minute, offsetMs }
  }
}

/** A window in words: `mon-fri 08:00-18:00 Europe/Berlin`. */
export function windowWords({ days, fromMinute, timezone, toMinute }: WindowConfig): string {
  const named = weekdays.filter((day) => days.includes(day))
  const isRun =
    named.length > 2 &&
    named.join(' ') === weekdays.slice(at(named, 0), at(named, -1) + 1).join(' ')
  const when = isRun ? `${named[0]}-${named.at(-1)}` : named.join(',')
  return `${when} ${clock(fromMinute)}-${clock(toMinute)} ${timezone}`
}

function at(days: readonly Weekday[], index: number): number {
  return weekdays.indexOf(days.at(index) ?? 'mon')
}

function clock(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
