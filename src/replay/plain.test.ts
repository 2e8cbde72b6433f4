import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { counted, duration, grouped, oneLine, visible } from './plain.ts'
import { hostile } from './sample.fixture.ts'

test('what moves a cursor, hides or turns text is spelt out', () => {
  assert.equal(
    visible('a\tb\nc\r\u001b]0;x\u0007\u202e\u2028'),
    'a\tb\nc\\u000d\\u001b]0;x\\u0007\\u202e\\u2028',
  )
  assert.equal(oneLine('a\nb\tc'), 'a\\nb\\tc')
})

test('durations are exact to the microsecond', () => {
  const texts = [0, 999_999, 1_000_000, 59_999_999, 60_000_001, 3_600_000_000].map(duration)
  assert.deepEqual(texts, [
    '0.000 ms',
    '999.999 ms',
    '1.000000 s',
    '59.999999 s',
    '00:01:00.000001',
    '01:00:00.000000',
  ])
  assert.deepEqual([0, 999, 1000, 1_234_567].map(grouped), ['0', '999', '1,000', '1,234,567'])
})

test('a count agrees with its noun', () => {
  assert.deepEqual(
    [counted(1, 'call'), counted(0, 'call'), counted(2000, 'entry', 'entries')],
    ['1 call', '0 calls', '2,000 entries'],
  )
})

test('half surrogates, tags, marks of direction and blanks without width are spelt out', () => {
  assert.equal(
    visible('a\ud800b\u{e0041}\u200b\u00ad\ufeff\u2066'),
    'a\\ud800b\\udb40\\udc41\\u200b\\u00ad\\ufeff\\u2066',
  )
  const joined = 'a\u200db \u{1f600} \u00e9 \u05d0'
  assert.equal(visible(joined), joined)
})

test('whatever was said, one line stays one line without control characters', () => {
  const isPlain = (text: string): void => {
    assert.doesNotMatch(oneLine(text), /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
  }
  for (const text of hostile) isPlain(text)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), isPlain))
})
