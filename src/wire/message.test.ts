import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../base/fault.ts'
import { NONE, readJson } from './json.ts'
import { batchMessagesMax, idOf, readMessage, readPosted, targetOf } from './message.ts'
import type { Message } from './message.ts'

const limits = { bytesMax: 1 << 16, depthMax: 32 }
const posted = (text: string) => readPosted(Buffer.from(text), limits)
function one(text: string): Message {
  const body = posted(text)
  assert.ok(body.kind === 'one')
  return body.message
}
const v = '"jsonrpc":"2.0"'

const refused: readonly [what: string, text: string, reason: string][] = [
  ['a text', '"ping"', 'object'],
  ['null', 'null', 'object'],
  ['no version', '{"id":1,"method":"ping"}', 'jsonrpc'],
  ['version 1.0', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 'jsonrpc'],
  ['a numeric version', '{"jsonrpc":2.0,"id":1,"method":"ping"}', 'jsonrpc'],
  ['neither method nor result', `{${v},"id":1}`, 'response'],
  ['a result and an error', `{${v},"id":1,"result":{},"error":{}}`, 'response'],
  ['a method and a result', `{${v},"id":1,"method":"ping","result":{}}`, 'response'],
  ['a method and an error', `{${v},"id":1,"method":"ping","error":{}}`, 'response'],
  ['a numeric method', `{${v},"id":1,"method":1}`, 'method'],
  ['a method with half a surrogate pair', `{${v},"id":1,"method":"\\ud800"}`, 'method'],
  ['a null id', `{${v},"id":null,"method":"ping"}`, 'id'],
  ['a fraction as id', `{${v},"id":1.5,"method":"ping"}`, 'id'],
  ['a boolean id', `{${v},"id":true,"method":"ping"}`, 'id'],
  ['an object as id', `{${v},"id":{},"method":"ping"}`, 'id'],
  ['an id past all bounds', `{${v},"id":1e999,"method":"ping"}`, 'id'],
  ['an id with half a surrogate pair', `{${v},"id":"\\udc00","method":"ping"}`, 'id'],
  ['params in an array', `{${v},"id":1,"method":"ping","params":[]}`, 'params'],
  ['null params', `{${v},"id":1,"method":"ping","params":null}`, 'params'],
  ['a result without id', `{${v},"result":{}}`, 'id'],
  ['a result with a null id', `{${v},"id":null,"result":{}}`, 'id'],
  ['an error that is a text', `{${v},"id":1,"error":"no"}`, 'response'],
  ['an empty array', '[]', 'batch_empty'],
  ['an array in an array', `[[{${v},"id":1,"method":"ping"}]]`, 'object'],
  ['one bad message of two', `[{${v},"id":1,"method":"ping"},{${v},"id":2}]`, 'response'],
  [
    'an array too long',
    `[${Array(batchMessagesMax + 1)
      .fill(`{${v},"method":"a"}`)
      .join()}]`,
    'batch_size',
  ],
]
for (const [what, text, reason] of refused) {
  test(`a body with ${what} is refused: ${reason}`, () => {
    assert.throws(
      () => posted(text),
      (fault) => {
        assert.ok(fault instanceof Fault)
        assert.deepEqual([fault.code, fault.facts['reason']], ['bad_request', reason])
        return true
      },
    )
  })
}

test('a message that is not there is refused', () => {
  const tree = readJson(Buffer.from('{}'), limits)
  assert.throws(() => readMessage(tree, NONE), { code: 'bad_request' })
})

const ids: readonly [token: string, key: string][] = [
  ['0', 'n0'],
  ['-7', 'n-7'],
  ['1.0', 'n1'],
  ['1e0', 'n1'],
  ['12345678901234567890', 'n12345678901234567890'],
  ['"1"', 's1'],
  ['""', 's'],
  ['"\\u00fc"', 'sü'],
  ['"ü"', 'sü'],
]
for (const [token, key] of ids) {
  test(`the id ${token} is kept as it stands, and known as ${key}`, () => {
    for (const rest of ['"method":"ping"', '"result":{}', '"error":{}']) {
      const { idRaw, idKey } = one(`{${rest},"id":${token},${v}}`)
      assert.deepEqual([idRaw, idKey], [token, key])
    }
  })
}

test('requests, notifications and responses are told apart, extra members or not', () => {
  const request = one(`{${v},"id":1,"method":"to\\u006fls/list","params":{"cursor":"c"},"more":1}`)
  assert.deepEqual([request.kind, request.method], ['request', 'tools/list'])
  assert.equal(request.tree.text(request.tree.get(request.params, 'cursor')), 'c')
  const notification = one(`{${v},"method":"notifications/initialized"}`)
  assert.deepEqual(
    [notification.kind, notification.idRaw, notification.params],
    ['notification', undefined, NONE],
  )
  const response = one(`{${v},"id":1,"result":null}`)
  assert.deepEqual([response.kind, response.method], ['response', undefined])
})

test('an error about a request that could not be read has no id', () => {
  for (const id of ['', '"id":null,']) {
    const { kind, idRaw, idKey } = one(`{${v},${id}"error":{"code":-32700,"message":""}}`)
    assert.deepEqual([kind, idRaw, idKey], ['response', undefined, undefined])
  }
})

test('a batch gives its messages in order, each with its own node', () => {
  const body = posted(
    ` [ {${v},"id":1,"method":"a"} , {${v},"method":"b"}, {${v},"id":"c","result":{}} ] `,
  )
  assert.ok(body.kind === 'batch')
  assert.deepEqual(
    body.messages.map(({ tree, node, kind }) => [kind, Buffer.from(tree.raw(node)).toString()]),
    [
      ['request', `{${v},"id":1,"method":"a"}`],
      ['notification', `{${v},"method":"b"}`],
      ['response', `{${v},"id":"c","result":{}}`],
    ],
  )
})

test('the id of a bad message is found where there is one that an answer may carry', () => {
  const id = (text: string) => idOf(readJson(Buffer.from(text), limits), 0)
  assert.equal(id('{"id":7}'), '7')
  assert.equal(id('{"id":"\\u0061"}'), '"\\u0061"')
  for (const text of ['{"id":null}', '{"id":[1]}', '{}', '[]', '1'])
    assert.equal(id(text), undefined)
})

const call = (method: string, params?: string): Message =>
  one(`{${v},"id":1,"method":"${method}"${params === undefined ? '' : `,"params":${params}`}}`)

const targets: readonly [method: string, params: string | undefined, kind: string, name: string][] =
  [
    ['tools/call', '{"name":"a\\u002fb","arguments":{"name":"c"}}', 'tool', 'a/b'],
    ['prompts/get', '{"name":"p"}', 'prompt', 'p'],
    ['resources/read', '{"uri":"file:///x","name":"no"}', 'resource', 'file:///x'],
    ['resources/subscribe', '{"uri":"u"}', 'resource', 'u'],
    ['resources/unsubscribe', '{"uri":"u"}', 'resource', 'u'],
    ['tasks/get', '{"taskId":"t"}', 'task', 't'],
    ['tasks/result', '{"taskId":"t"}', 'task', 't'],
    ['tasks/update', '{"taskId":"t"}', 'task', 't'],
    ['tasks/cancel', '{"taskId":"t"}', 'task', 't'],
    ['completion/complete', '{"ref":{"type":"ref/prompt","name":"p"}}', 'prompt', 'p'],
    ['completion/complete', '{"ref":{"type":"ref/resource","uri":"u"}}', 'resource', 'u'],
    ['tools/list', '{"name":"x"}', 'none', ''],
    ['tasks/list', undefined, 'none', ''],
    ['constructor', undefined, 'none', ''],
  ]
for (const [method, params, kind, name] of targets) {
  test(`${method} is about: ${kind} ${name}`, () => {
    assert.deepEqual(targetOf(call(method, params)), { kind, name })
  })
}

const untargeted: readonly [method: string, params: string | undefined][] = [
  ['tools/call', undefined],
  ['tools/call', '{}'],
  ['tools/call', '{"name":1}'],
  ['tools/call', '{"name":null}'],
  ['tools/call', '{"name":"\\ud800"}'],
  ['tools/call', '{"uri":"x"}'],
  ['prompts/get', '{"name":["p"]}'],
  ['resources/read', '{"name":"x"}'],
  ['tasks/get', '{"taskId":7}'],
  ['completion/complete', '{}'],
  ['completion/complete', '{"ref":{"type":"ref/other","name":"x"}}'],
  ['completion/complete', '{"ref":{"type":"ref/prompt","uri":"x"}}'],
]
for (const [method, params] of untargeted) {
  test(`${method} with params ${params ?? 'absent'} names nothing and is refused`, () => {
    assert.throws(() => targetOf(call(method, params)), { code: 'bad_params' })
  })
}

test('a response and a notification are about nothing', () => {
  assert.equal(targetOf(one(`{${v},"id":1,"result":{"name":"x"}}`)).kind, 'none')
  assert.equal(targetOf(one(`{${v},"method":"notifications/progress"}`)).kind, 'none')
})
