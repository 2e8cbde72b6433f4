import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wordsOf } from './text.ts'

const cases: readonly [what: string, body: string, words: string[]][] = [
  [
    'a call: its arguments',
    '{"id":7,"method":"m","params":{"name":"t","arguments":{"sql":"a\\nb","n":12}}}',
    ['a\nb', '12'],
  ],
  [
    'a call without arguments: its params',
    '{"params":{"uri":"x","_meta":{"progressToken":5}}}',
    ['x'],
  ],
  [
    'an answer: its result',
    '{"id":7,"result":{"content":[{"type":"text","text":"row"}],"isError":false}}',
    ['text', 'row'],
  ],
  ['an error', '{"error":{"code":-32602,"message":"no"}}', ['-32602', 'no']],
  ['a batch: all of it', '[{"a":"b"},["c"]]', ['b', 'c']],
  ['what is no JSON: the text', 'plain words', ['plain words']],
  ['nothing: nothing', '{}', []],
]
for (const [what, body, words] of cases) {
  test(`of ${what} is searched`, () => {
    assert.deepEqual(wordsOf(Buffer.from(body), 1000), { words, isCut: false })
  })
}
test('what goes beyond the bound is left out, and that is told', () => {
  const body = Buffer.from('{"result":["abcdef","ghijkl","mnopqr"]}')
  assert.deepEqual(wordsOf(body, 10), { words: ['abcdef', 'ghi'], isCut: true })
  assert.deepEqual(wordsOf(body, 7), { words: ['abcdef'], isCut: true })
  assert.deepEqual(wordsOf(body, 20), { words: ['abcdef', 'ghijkl', 'mnopqr'], isCut: false })
  assert.equal(wordsOf(Buffer.from('x'.repeat(50)), 10).isCut, true)
})
