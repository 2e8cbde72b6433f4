import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Weekday, WindowConfig } from '../config/types.ts'
import { compileWindows, windowWords } from './windows.ts'

const minuteMs = 60_000
const every: Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const work: Weekday[] = every.slice(0, 5)

function hours(text: string, timezone = 'UTC', days: readonly Weekday[] = every): WindowConfig {
  const [from = 0, to = 0] = text.split('-').map((part) => {
    const [hour = 0, minute = 0] = part.split(':').map(Number)
    return hour * 60 + minute
  })
  return { days, fromMinute: from, toMinute: to, timezone }
}

test('a time zone that is none is refused', () => {
  assert.throws(() => compileWindows([hours('08:00-18:00', 'Mars/Olympus')]), {
    code: 'config_bad',
  })
})

// 2026-11-20 is a Friday.
const cases: readonly [what: string, window: WindowConfig, time: string, isOpen: boolean][] = [
  ['a minute before it opens', hours('08:00-18:00'), '2026-11-20T07:59:59.999Z', false],
  ['as it opens', hours('08:00-18:00'), '2026-11-20T08:00:00Z', true],
  ['just before it closes', hours('08:00-18:00'), '2026-11-20T17:59:59.999Z', true],
  ['as it closes', hours('08:00-18:00'), '2026-11-20T18:00:00Z', false],
  ['on another day', hours('08:00-18:00', 'UTC', work), '2026-11-21T09:00:00Z', false],
  ['at the end of the day', hours('08:00-24:00'), '2026-11-20T23:59:59Z', true],
  ['at midnight behind that', hours('08:00-24:00'), '2026-11-21T00:00:00Z', false],
  [
    'past midnight, of the day before',
    hours('22:00-06:00', 'UTC', ['fri']),
    '2026-11-21T05:59:00Z',
    true,
  ],
  [
    'past midnight, at its end',
    hours('22:00-06:00', 'UTC', ['fri']),
    '2026-11-21T06:00:00Z',
    false,
  ],
  [
    'early on its day, which began the day before',
    hours('22:00-06:00', 'UTC', ['fri']),
    '2026-11-20T03:00:00Z',
    false,
  ],
  ['from Sunday to Monday', hours('22:00-06:00', 'UTC', ['sun']), '2026-11-23T01:00:00Z', true],
  ['a window of no length', hours('08:00-08:00'), '2026-11-20T08:00:00Z', false],
  ['no day at all', hours('00:00-24:00', 'UTC', []), '2026-11-20T08:00:00Z', false],
  ['by another clock', hours('08:00-18:00', 'Asia/Kolkata'), '2026-11-20T02:30:00Z', true],
  [
    'by another clock, a minute earlier',
    hours('08:00-18:00', 'Asia/Kolkata'),
    '2026-11-20T02:29:00Z',
    false,
  ],
  [
    'when the day is another there',
    hours('00:00-06:00', 'Pacific/Auckland', ['sat']),
    '2026-11-20T12:00:00Z',
    true,
  ],
  // Europe/Berlin goes from +1 to +2 on 2026-03-29 at 01:00 UTC, and back on 2026-10-25 at 01:00 UTC.
  ['in summer', hours('08:00-18:00', 'Europe/Berlin'), '2026-07-01T06:00:00Z', true],
  [
    'in winter at the same moment of UTC',
    hours('08:00-18:00', 'Europe/Berlin'),
    '2026-12-01T06:00:00Z',
    false,
  ],
  [
    'before the hour that is left out',
    hours('01:30-02:30', 'Europe/Berlin'),
    '2026-03-29T00:59:59Z',
    true,
  ],
  [
    'behind the hour that is left out',
    hours('01:30-02:30', 'Europe/Berlin'),
    '2026-03-29T01:00:00Z',
    false,
  ],
  [
    'in the hour that is left out, which is in no window',
    hours('02:00-03:00', 'Europe/Berlin'),
    '2026-03-29T01:00:00Z',
    false,
  ],
  [
    'in the hour that comes twice, first',
    hours('02:00-03:00', 'Europe/Berlin'),
    '2026-10-25T00:30:00Z',
    true,
  ],
  [
    'in the hour that comes twice, again',
    hours('02:00-03:00', 'Europe/Berlin'),
    '2026-10-25T01:30:00Z',
    true,
  ],
  [
    'between the two halves of a window',
    hours('02:00-02:30', 'Europe/Berlin'),
    '2026-10-25T00:45:00Z',
    false,
  ],
  ['in its second half', hours('02:00-02:30', 'Europe/Berlin'), '2026-10-25T01:15:00Z', true],
  [
    'where clocks change by half an hour',
    hours('02:00-03:00', 'Australia/Lord_Howe'),
    '2026-10-03T15:30:00Z',
    true,
  ],
]
for (const [what, window, time, isOpen] of cases) {
  test(`${what} (${time}) a window of ${windowWords(window)} is ${isOpen ? 'open' : 'closed'}`, () => {
    assert.equal(compileWindows([window])(Date.parse(time)).isOpen, isOpen)
  })
}

const changes: readonly [what: string, window: WindowConfig, time: string, until: string][] = [
  ['ahead of its beginning', hours('08:00-18:00'), '2026-11-20T07:30:12Z', '2026-11-20T08:00:00Z'],
  ['ahead of its end', hours('08:00-18:00'), '2026-11-20T08:00:00Z', '2026-11-20T18:00:00Z'],
  [
    'ahead of the clocks going forward',
    hours('01:30-02:30', 'Europe/Berlin'),
    '2026-03-29T00:45:00Z',
    '2026-03-29T01:00:00Z',
  ],
  [
    'ahead of the clocks going back',
    hours('01:30-02:30', 'Europe/Berlin'),
    '2026-10-25T00:45:00Z',
    '2026-10-25T01:00:00Z',
  ],
]
for (const [what, window, time, until] of changes) {
  test(`${what} a window says when it may change`, () => {
    const { untilMs } = compileWindows([window])(Date.parse(time))
    assert.equal(new Date(untilMs).toISOString(), new Date(until).toISOString())
  })
}

test('one of several windows is enough, and the earliest change counts', () => {
  const ask = compileWindows([hours('08:00-09:00'), hours('12:00-13:00')])
  assert.equal(ask(Date.parse('2026-11-20T12:30:00Z')).isOpen, true)
  assert.equal(ask(Date.parse('2026-11-20T10:00:00Z')).untilMs, Date.parse('2026-11-20T12:00:00Z'))
})

test('no window is never open', () => assert.equal(compileWindows([])(0).isOpen, false))

test('a clock that runs backwards is answered anew', () => {
  const ask = compileWindows([hours('08:00-18:00')])
  assert.equal(ask(Date.parse('2026-11-20T09:00:00Z')).isOpen, true)
  assert.equal(ask(Date.parse('2026-11-20T07:00:00Z')).isOpen, false)
})

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Pacific/Apia',
  'America/St_Johns',
]
const anyWindow = fc.record({
  days: fc.subarray(every),
  fromMinute: fc.nat({ max: 1439 }),
  toMinute: fc.integer({ min: 1, max: 1440 }),
  timezone: fc.constantFrom(...zones),
})
const anyTime = fc.integer({ min: Date.parse('2025-01-01'), max: Date.parse('2028-01-01') })
/** Close to the days on which clocks change, in many of these zones. */
const nearChange = fc
  .tuple(
    fc.constantFrom(
      '2026-03-08',
      '2026-03-29',
      '2026-10-25',
      '2026-11-01',
      '2026-10-04',
      '2026-04-05',
      '2026-02-15',
      '2026-03-22',
    ),
    fc.integer({ min: -86_400_000, max: 86_400_000 }),
  )
  .map(([day, ms]) => Date.parse(day) + ms)
const time = fc.oneof(anyTime, nearChange)

/** Model: the words of a clock in English, and every minute of the window written out. */
function isOpenByWords(window: WindowConfig, ms: number): boolean {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: window.timezone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  })
  const now = format.format(ms).toLowerCase().replace(',', '')
  return window.days.some((day) => {
    const last = window.toMinute > window.fromMinute ? window.toMinute : window.toMinute + 1440
    if (window.toMinute === window.fromMinute) return false
    for (let minute = window.fromMinute; minute < last; minute++) {
      const on = every[(every.indexOf(day) + Math.floor(minute / 1440)) % 7] ?? ''
      const two = (value: number): string => String(value).padStart(2, '0')
      const text = `${on} ${two(Math.floor((minute % 1440) / 60))}:${two(minute % 60)}`
      if (text === now) return true
    }
    return false
  })
}

test('a window is open when the clock on the wall says so', () => {
  fc.assert(
    fc.property(anyWindow, time, (window, ms) => {
      assert.equal(compileWindows([window])(ms).isOpen, isOpenByWords(window, ms))
    }),
  )
})

test('until the moment it names nothing changes, and that moment is ahead', () => {
  fc.assert(
    fc.property(fc.array(anyWindow, { minLength: 1, maxLength: 3 }), time, (windows, ms) => {
      const { isOpen, untilMs } = compileWindows(windows)(ms)
      assert.ok(untilMs > ms && untilMs <= ms + 25 * 60 * minuteMs)
      for (let i = 0; i <= 40; i++) {
        const at = i === 40 ? untilMs - 1 : ms + Math.floor(((untilMs - ms) * i) / 40)
        assert.equal(compileWindows(windows)(at).isOpen, isOpen, new Date(at).toISOString())
      }
    }),
    { numRuns: 60 },
  )
})

test('the words of a window name its days', () => {
  assert.equal(
    windowWords(hours('08:00-18:00', 'Europe/Berlin', work)),
    'mon-fri 08:00-18:00 Europe/Berlin',
  )
  assert.equal(windowWords(hours('22:00-06:00', 'UTC', ['sat', 'mon'])), 'mon,sat 22:00-06:00 UTC')
})
