import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wallOf } from './wall.ts'

test('a zone there is not is a mistake of the configuration', () => {
  assert.throws(() => wallOf('Mars/Olympus'), { code: 'config_bad' })
})

const moments: readonly [zone: string, at: string, date: string, weekday: string, time: string][] =
  [
    ['UTC', '2026-01-05T00:00:00Z', '2026-01-05', 'mon', '0:0'],
    ['UTC', '2026-12-31T23:59:59.999Z', '2026-12-31', 'thu', '23:59'],
    ['Europe/Berlin', '2026-12-31T23:30:00Z', '2027-01-01', 'fri', '0:30'],
    ['Europe/Berlin', '2026-03-29T00:59:59Z', '2026-03-29', 'sun', '1:59'],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29', 'sun', '3:0'],
    ['America/New_York', '2026-01-05T04:59:00Z', '2026-01-04', 'sun', '23:59'],
    ['Asia/Kathmandu', '2026-01-05T18:15:00Z', '2026-01-06', 'tue', '0:0'],
  ]
for (const [zone, at, date, weekday, time] of moments) {
  test(`${at} is ${weekday} ${date} ${time} in ${zone}`, () => {
    const nowMs = Date.parse(at)
    const wall = wallOf(zone)(nowMs)
    const [hour, minute] = time.split(':').map(Number)
    assert.deepEqual(wall, { date, weekday, hour, minute, nowMs })
    const later = wallOf(zone)(nowMs + 60_000)
    assert.notEqual(later.minute, wall.minute)
  })
}
