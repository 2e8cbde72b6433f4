import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPosted } from '../wire/message.ts'
import type { Message } from '../wire/message.ts'
import { KnownCalls } from './known.ts'

function call(params: string, method = 'tools/call', id = '"id":1,'): Message {
  const text = `{"jsonrpc":"2.0",${id}"method":"${method}","params":${params}}`
  const posted = readPosted(Buffer.from(text), { bytesMax: 1_000_000, depthMax: 64 })
  assert.ok(posted.kind === 'one')
  return posted.message
}
const settings = {}
const usual = '{"name":"query","arguments":{"sql":"select 1"}}'

test('the same call has the same key, whatever its id and metadata', () => {
  const calls = new KnownCalls()
  const key = calls.key(call(usual), settings)
  assert.ok(key)
  const other = '{"_meta":{"a":1},"arguments":{"sql":"select 1"},"name":"query"}'
  assert.equal(calls.key(call(other, 'tools/call', '"id":2,'), settings), key)
})
const others: readonly [what: string, params: string, method?: string][] = [
  ['other arguments', '{"name":"query","arguments":{"sql":"select 2"}}'],
  ['another tool', '{"name":"quer","arguments":{"sql":"select 1"}}'],
  ['another method', usual, 'prompts/get'],
  ['another spelling', '{"name":"query","arguments":{"sql":"select\\u0020 1"}}'],
  ['no arguments', '{"name":"query"}'],
]
for (const [what, params, method] of others) {
  test(`a call with ${what} has another key`, () => {
    const calls = new KnownCalls()
    assert.notEqual(calls.key(call(params, method), settings), calls.key(call(usual), settings))
  })
}
test('other settings, other facts', () => {
  const calls = new KnownCalls()
  assert.notEqual(calls.key(call(usual), settings), calls.key(call(usual), {}))
})
const unkept: readonly [what: string, message: Message][] = [
  ['a notification', call(usual, 'tools/call', '')],
  ['another method', call('{"uri":"a"}', 'resources/read')],
  ['large arguments', call(`{"name":"q","arguments":{"a":"${'x'.repeat(20_000)}"}}`)],
  ['answers beside the arguments', call('{"name":"q","arguments":{},"inputResponses":{"a":1}}')],
  ['no name', call('{"arguments":{}}')],
]
for (const [what, message] of unkept) {
  test(`${what}: looked at each time`, () => {
    assert.equal(new KnownCalls().key(message, settings), undefined)
  })
}
test('no more calls are kept than there is room for, and the oldest go', () => {
  const calls = new KnownCalls()
  const seen = { sql: [], findings: [] }
  for (let i = 0; i < 5000; i++) calls.set(`k${i}`, seen)
  assert.equal(calls.get('k0'), undefined)
  assert.equal(calls.get('k4999'), seen)
})
