/** Time as the rest of the house sees it; tests hand in another one. */
export interface Clock {
  /** Wall time in microseconds since 1970-01-01T00:00:00Z. Never runs backwards in one process. */
  nowUs(): number
  /** Monotonic milliseconds for measuring durations; its zero means nothing. */
  monotonicMs(): number
}

/** The machine's clock. A step backwards is held at the last time seen, so that the record's times
 *  never decrease (PCI DSS v4.0.1 req. 10.6). */
export function systemClock(): Clock {
  let lastUs = 0
  return {
    nowUs(): number {
      const us = Math.round((performance.timeOrigin + performance.now()) * 1000)
      const wallUs = Date.now() * 1000
      // performance.now() does not follow corrections of the wall clock; follow it when they part.
      const now = Math.abs(us - wallUs) > 1_000_000 ? wallUs : us
      lastUs = now > lastUs ? now : lastUs
      return lastUs
    },
    monotonicMs: () => performance.now(),
  }
}

let second = -1
let untilSecond = '' // `2026-11-21T07:48:00.` of that second: there are thousands of times in one.

/** Microseconds since 1970 as `2026-11-21T07:48:00.123456Z`: RFC 3339, UTC, six decimals. */
export function isoMicros(us: number): string {
  const seconds = Math.floor(us / 1_000_000)
  if (seconds !== second) {
    second = seconds
    untilSecond = new Date(seconds * 1000).toISOString().slice(0, 20)
  }
  return `${untilSecond}${String(us - seconds * 1_000_000).padStart(6, '0')}Z`
}
