/** The clock on the wall of a zone, for rules that look at `time`. */
import { Fault } from '../base/fault.ts'
import type { TimeFact } from '../cel/call-parts.ts'

type Wall = (nowMs: number) => TimeFact

const minuteMs = 60_000
const walls = new Map<string, Wall>()

/** @param zone IANA name, from the configuration. @throws {Fault} `config_bad` where there is no such zone. */
export function wallOf(zone: string): Wall {
  const wall = walls.get(zone) ?? openWall(zone)
  walls.set(zone, wall)
  return wall
}

function openWall(timeZone: string): Wall {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    })
  } catch (cause) {
    const message = 'A rule names a time zone that is none, such as Europe/Berlin or UTC.'
    throw new Fault('config_bad', message, { cause })
  }
  let known: { minute: number; fact: Omit<TimeFact, 'nowMs'> } | undefined
  return (nowMs) => {
    // No zone there is today changes its offset within a minute of UTC.
    const minute = Math.floor(nowMs / minuteMs)
    if (known?.minute !== minute) known = { minute, fact: factAt(format, nowMs) }
    return { ...known.fact, nowMs }
  }
}

function factAt(format: Intl.DateTimeFormat, nowMs: number): Omit<TimeFact, 'nowMs'> {
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  return {
    hour: Number(part('hour')),
    minute: Number(part('minute')),
    weekday: part('weekday').toLowerCase(),
    date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
  }
}
