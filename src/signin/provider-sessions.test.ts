import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { openProviderSessions } from './provider-sessions.ts'

const clock = { ...systemClock(), nowUs: () => Date.UTC(2026, 0, 1) * 1000 }

test('a session is known by its own provider alone', () => {
  const sessions = openProviderSessions(':memory:', { clock })
  sessions.keep('https://a.example', 's1', 'ada')
  assert.equal(sessions.subjectOf('https://a.example', 's1'), 'ada')
  assert.equal(sessions.subjectOf('https://b.example', 's1'), undefined)
  assert.equal(sessions.subjectOf('https://a.example', 's2'), undefined)
  sessions.close()
})

test('it outlives a restart, is forgotten after a month, and stands nowhere in clear', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'state.sqlite')
  const first = openProviderSessions(file, { clock })
  first.keep('https://a.example', 'a-secret-session', 'ada')
  first.close()
  const later = { ...clock, nowUs: () => Date.UTC(2026, 1, 2) * 1000 }
  const second = openProviderSessions(file, { clock: later })
  assert.equal(second.subjectOf('https://a.example', 'a-secret-session'), 'ada')
  second.keep('https://a.example', 'another', 'bob')
  assert.equal(second.subjectOf('https://a.example', 'a-secret-session'), undefined)
  second.close()
})
