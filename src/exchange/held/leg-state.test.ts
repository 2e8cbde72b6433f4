import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { readPosted } from '../../wire/message.ts'
import type { Message } from '../../wire/message.ts'
import { readState, withoutState, writeState } from './leg-state.ts'

const hash = (text: string): string =>
  createHmac('sha256', 'key').update(text).digest('base64url').slice(0, 32)
const limits = { bytesMax: 100_000, depthMax: 32 }

function message(params: string): Message {
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`
  const posted = readPosted(Buffer.from(text), limits)
  assert.ok(posted.kind === 'one')
  return posted.message
}
const binding = 'shop\nissuer\nada'
const state = writeState({ ticket: 'tk_abc', legs: 2 }, message('{"name":"x"}'), binding, hash)
const withState = (text: string): Message => message(`{"name":"x","requestState":"${text}"}`)

test('a state is read back by whom it was given to', () => {
  assert.deepEqual(readState(withState(state), binding, hash), { ticket: 'tk_abc', legs: 2 })
})
const foreign: readonly [what: string, text: string, of?: string][] = [
  ['another principal', state, 'shop\nissuer\nbob'],
  ['another connection', state, 'vault\nissuer\nada'],
  ['another ticket', state.replace('tk_abc', 'tk_abd')],
  ['fewer legs', state.replace('.2.', '.1.')],
  ['a tag cut short', state.slice(0, -1)],
  ['nothing but our prefix', 'sallyport-held.'],
]
for (const [what, text, of = binding] of foreign) {
  test(`a state of ours with ${what} is refused`, () => {
    assert.throws(() => readState(withState(text), of, hash), { code: 'bad_params' })
  })
}
const others: readonly [what: string, params: string][] = [
  ['another tool', `{"name":"y","requestState":"${state}"}`],
  ['other arguments', `{"name":"x","arguments":{},"requestState":"${state}"}`],
]
for (const [what, params] of others) {
  test(`a state of ours with ${what} is refused`, () => {
    assert.throws(() => readState(message(params), binding, hash), { code: 'bad_params' })
  })
}
test('a state of the server is none of ours, and stays', () => {
  const theirs = withState('opaque-of-the-server')
  assert.equal(readState(theirs, binding, hash), undefined)
})

const cuts: readonly [before: string, after: string][] = [
  ['{"name":"x","requestState":"s"}', '{"name":"x"}'],
  ['{"requestState":"s","name":"x"}', '{"name":"x"}'],
  ['{"requestState":"s"}', '{}'],
  ['{ "requestState" : "s" , "inputResponses" : {} , "name" : "x" }', '{ "name" : "x" }'],
  ['{"name":"x","requestState":"s","inputResponses":{"a":1}}', '{"name":"x"}'],
  [
    '{"name":"x","requestState":"s","arguments":{"requestState":1}}',
    '{"name":"x","arguments":{"requestState":1}}',
  ],
  ['{"name":"x" , "inputResponses":{} , "_meta":{}}', '{"name":"x"  , "_meta":{}}'],
]
for (const [before, after] of cuts) {
  test(`without its state ${before} is ${after}`, () => {
    const text = Buffer.from(withoutState(message(before))).toString()
    assert.equal(text, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${after}}`)
  })
}
