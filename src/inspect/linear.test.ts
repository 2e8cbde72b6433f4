/** Time grows with the text, whatever the text is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findAnswer } from './answer.ts'
import { call } from './request.fixture.ts'
import { findRequest } from './request.ts'

const hard: readonly string[] = [
  "' or ",
  '"',
  '(',
  'or (',
  'union ',
  '/*',
  '--',
  '..',
  '../',
  '.',
  './',
  'http://a ',
  'http:',
  '; ',
  '`id',
  '$(',
  '{{',
  '%2e',
  '&#x',
  '\\u00',
  'curl wget nc ',
  'rm -r ',
  '<img ',
  'ignore all ',
  'send data to ',
  'select ',
  ' ',
  '\n',
  'a\u200b',
  'ｅ',
  'AAAA',
]
const size = 4 * 1024 * 1024
/** Far above what is needed (some tens of milliseconds), far below what anything quadratic would take. */
const withinMs = 4000

for (const part of hard) {
  test(`4 MiB of ${JSON.stringify(part)} are judged in time`, () => {
    const text = part.repeat(Math.ceil(size / part.length))
    const asked = call({ value: text, sql: text.slice(0, 65_536) })
    const from = performance.now()
    findRequest(asked, { tools: () => undefined })
    assert.ok(performance.now() - from < withinMs)
    const answered = performance.now()
    findAnswer(asked.tree, asked.node)
    assert.ok(performance.now() - answered < withinMs)
  })
}

test('an attack at either end of a long text is seen', () => {
  const filler = 'word '.repeat(100_000)
  for (const value of [`' UNION SELECT a, b FROM t -- ${filler}`, `${filler}'; DROP TABLE t; --`]) {
    const { findings } = findRequest(call({ value }), { tools: () => undefined })
    assert.ok(findings.some(({ family }) => family === 'sql_injection'))
  }
})
