import assert from 'node:assert/strict'
import { test } from 'node:test'
import { piecesOf } from './body.ts'

const bodies: readonly [what: string, body: string, pieces: [string, string][]][] = [
  ['no JSON', 'plain \u0007', [['text', 'plain \u0007']]],
  ['an error', '{"error":{"code":-32602}}', [['error', '{"code":-32602}']]],
  ['params without arguments', '{"params":{"uri":"x"}}', [['params', '{"uri":"x"}']]],
  [
    'a result without content',
    '{"result":{"n":12345678901234567890}}',
    [['result', '{"n":12345678901234567890}']],
  ],
  ['a batch', '[{"id":1}]', [['message', '[{"id":1}]']]],
  [
    'arguments that are no object',
    '{"params":{"arguments":[1]}}',
    [['params', '{"arguments":[1]}']],
  ],
]
for (const [what, body, pieces] of bodies) {
  test(`of ${what} a reader sees every byte that matters`, () => {
    const found = piecesOf(Buffer.from(body)).map(({ name, text }) => [name, text])
    assert.deepEqual(found, pieces)
  })
}
