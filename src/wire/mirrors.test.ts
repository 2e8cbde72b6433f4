import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../base/fault.ts'
import type { HeaderView } from './headers.ts'
import { readJson } from './json.ts'
import { readPosted } from './message.ts'
import type { Message } from './message.ts'
import {
  checkMirrors,
  checkParamMirrors,
  decodeMirror,
  encodeMirror,
  paramMirrors,
} from './mirrors.ts'

const limits = { bytesMax: 1 << 16, depthMax: 32 }
type Sent = Readonly<Record<string, string | readonly string[] | undefined>>
function headersOf(sent: Sent): HeaderView {
  const all = (name: string): readonly string[] => [sent[name] ?? []].flat()
  return { get: (name) => all(name)[0], count: (name) => all(name).length }
}
const M = '2026-07-28'
const meta = { 'io.modelcontextprotocol/protocolVersion': M }
function messageOf(method: string, params: object, id: number | undefined = 1): Message {
  const text = JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } })
  const posted = readPosted(Buffer.from(text), limits)
  assert.ok(posted.kind === 'one')
  return posted.message
}
/** The bytes of `text` as HTTP hands them over. */
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`
function mismatch(check: () => void): string {
  try {
    check()
  } catch (fault) {
    if (fault instanceof Fault && fault.code === 'header_mismatch')
      return String(fault.facts['reason'])
    throw fault
  }
  return 'fine'
}

const call = { 'mcp-protocol-version': M, 'mcp-method': 'tools/call' }
const named: readonly [what: string, sent: Sent, name: unknown, outcome: string][] = [
  ['no version', { 'mcp-method': 'tools/call', 'mcp-name': 'a' }, 'a', 'missing'],
  [
    'another version',
    { ...call, 'mcp-protocol-version': '2025-11-25', 'mcp-name': 'a' },
    'a',
    'different',
  ],
  ['no method', { 'mcp-protocol-version': M, 'mcp-name': 'a' }, 'a', 'missing'],
  ['another method', { ...call, 'mcp-method': 'tools/list', 'mcp-name': 'a' }, 'a', 'different'],
  [
    'a method in capitals',
    { ...call, 'mcp-method': 'Tools/Call', 'mcp-name': 'a' },
    'a',
    'different',
  ],
  [
    'a method twice',
    { ...call, 'mcp-method': ['tools/call', 'tools/call'], 'mcp-name': 'a' },
    'a',
    'repeated',
  ],
  ['no name', call, 'a', 'missing'],
  ['another name', { ...call, 'mcp-name': 'b' }, 'a', 'different'],
  ['a name in capitals', { ...call, 'mcp-name': 'A' }, 'a', 'different'],
  ['an empty name', { ...call, 'mcp-name': '' }, 'a', 'different'],
  ['two names', { ...call, 'mcp-name': ['a', 'b'] }, 'a', 'repeated'],
  ['a name the body lacks', { ...call, 'mcp-name': 'a' }, undefined, 'different'],
  ['a name that is a number in the body', { ...call, 'mcp-name': '1' }, 1, 'different'],
  ['a name in bare latin1', { ...call, 'mcp-name': 'ü' }, 'ü', 'malformed'],
  ['a name in bare UTF-8', { ...call, 'mcp-name': latin1('ü') }, 'ü', 'malformed'],
  [
    'a name whose UTF-8 reads as latin1',
    { ...call, 'mcp-name': latin1('ü') },
    latin1('ü'),
    'malformed',
  ],
  ['an encoded name', { ...call, 'mcp-name': base64('München €') }, 'München €', 'fine'],
  ['an encoded ASCII name', { ...call, 'mcp-name': base64('a') }, 'a', 'fine'],
  ['an encoded name of another text', { ...call, 'mcp-name': base64('b') }, 'a', 'different'],
  ['base64 without padding', { ...call, 'mcp-name': '=?base64?YQ?=' }, 'a', 'malformed'],
  ['base64 with stray bits', { ...call, 'mcp-name': '=?base64?YR==?=' }, 'a', 'malformed'],
  ['base64 with a blank', { ...call, 'mcp-name': '=?base64?Y Q==?=' }, 'a', 'malformed'],
  ['base64 of the URL alphabet', { ...call, 'mcp-name': '=?base64?Pz8_?=' }, '???', 'malformed'],
  ['base64 of no UTF-8', { ...call, 'mcp-name': '=?base64?/w==?=' }, '\ufffd', 'malformed'],
  ['a sentinel in capitals', { ...call, 'mcp-name': '=?BASE64?YQ==?=' }, 'a', 'different'],
  [
    'a sentinel in capitals, meant',
    { ...call, 'mcp-name': '=?BASE64?YQ==?=' },
    '=?BASE64?YQ==?=',
    'fine',
  ],
  ['a sentinel without its end', { ...call, 'mcp-name': '=?base64?YQ==' }, '=?base64?YQ==', 'fine'],
  [
    'a name that looks encoded, bare',
    { ...call, 'mcp-name': '=?base64?YQ==?=' },
    '=?base64?YQ==?=',
    'different',
  ],
  [
    'a name that looks encoded, encoded',
    { ...call, 'mcp-name': base64('=?base64?YQ==?=') },
    '=?base64?YQ==?=',
    'fine',
  ],
  [
    'half a surrogate pair in the body',
    { ...call, 'mcp-name': base64('\ufffd') },
    '\ud800',
    'different',
  ],
  ['the same name', { ...call, 'mcp-name': 'a' }, 'a', 'fine'],
  ['a name with blanks inside', { ...call, 'mcp-name': 'a b' }, 'a b', 'fine'],
]
for (const [what, sent, name, outcome] of named) {
  test(`tools/call with ${what}: ${outcome}`, () => {
    const message = messageOf('tools/call', { name })
    assert.equal(
      mismatch(() => checkMirrors(message, headersOf(sent))),
      outcome,
    )
  })
}

test('each method mirrors the member that names its target', () => {
  const rows = [
    ['prompts/get', 'name'],
    ['resources/read', 'uri'],
    ['tasks/get', 'taskId'],
    ['tasks/update', 'taskId'],
    ['tasks/cancel', 'taskId'],
  ] as const
  for (const [method, member] of rows) {
    const message = messageOf(method, { [member]: 'x' })
    const sent = { 'mcp-protocol-version': M, 'mcp-method': method }
    assert.equal(
      mismatch(() => checkMirrors(message, headersOf(sent))),
      'missing',
      method,
    )
    assert.equal(
      mismatch(() => checkMirrors(message, headersOf({ ...sent, 'mcp-name': 'y' }))),
      'different',
    )
    assert.equal(
      mismatch(() => checkMirrors(message, headersOf({ ...sent, 'mcp-name': 'x' }))),
      'fine',
    )
  }
  const list = messageOf('tools/list', { name: 'x' })
  const sent = { 'mcp-protocol-version': M, 'mcp-method': 'tools/list', 'mcp-name': 'other' }
  assert.equal(
    mismatch(() => checkMirrors(list, headersOf(sent))),
    'fine',
  )
})

test('a notification needs no headers, but those it has must agree', () => {
  const notification = messageOf('notifications/cancelled', {})
  const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled' })
  const posted = readPosted(Buffer.from(text), limits)
  assert.ok(posted.kind === 'one' && notification.kind === 'request')
  assert.equal(
    mismatch(() => checkMirrors(posted.message, headersOf({}))),
    'fine',
  )
  const sent = { 'mcp-method': 'tools/call' }
  assert.equal(
    mismatch(() => checkMirrors(posted.message, headersOf(sent))),
    'different',
  )
})

test('no refusal repeats a value of the header or of the body', () => {
  const message = messageOf('tools/call', { name: 'SECRET1', arguments: { a: 'SECRET1' } })
  const sent = { ...call, 'mcp-name': 'SECRET2', 'mcp-param-a': 'SECRET2' }
  const checks = [
    () => checkMirrors(message, headersOf(sent)),
    () => checkParamMirrors(message, headersOf(sent), [{ header: 'mcp-param-a', path: ['a'] }]),
  ]
  for (const check of checks) {
    assert.throws(check, (fault) => {
      assert.ok(fault instanceof Fault)
      return !/SECRET/.test(JSON.stringify([fault.message, fault.facts]))
    })
  }
})

test('any text survives the header, and comes out as plain as HTTP allows', () => {
  const back = fc.property(
    fc.string({ unit: 'binary' }).map((s) => s.toWellFormed()),
    (text) => {
      const value = encodeMirror(text)
      assert.match(value, /^$|^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/)
      assert.equal(decodeMirror(value), text)
    },
  )
  fc.assert(back, { numRuns: 500 })
  for (const plain of ['', 'a', 'a b', '=?base64?', '?=']) assert.equal(encodeMirror(plain), plain)
  for (const text of [' a', 'a ', 'a\tb', 'ü', '=?base64??='])
    assert.match(encodeMirror(text), /^=\?base64\?/)
})

const schema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    count: { type: 'integer', 'x-mcp-header': 'count' },
    deep: {
      type: 'object',
      properties: { flag: { type: 'boolean', 'x-mcp-header': 'Deep-Flag' } },
    },
    plain: { type: 'string' },
    price: { type: 'number', 'x-mcp-header': 'Price' },
    blank: { type: 'string', 'x-mcp-header': 'no token' },
    empty: { type: 'string', 'x-mcp-header': '' },
    odd: { type: 'string', 'x-mcp-header': 7 },
    same: { type: 'string', 'x-mcp-header': 'Same' },
    again: { type: 'string', 'x-mcp-header': 'SAME' },
    list: { type: 'array', items: { type: 'string', 'x-mcp-header': 'Item' } },
    either: { anyOf: [{ type: 'string', 'x-mcp-header': 'Either' }] },
  },
}
const mirrors = (() => {
  const tree = readJson(Buffer.from(JSON.stringify(schema)), limits)
  return paramMirrors(tree, tree.root)
})()

test('the annotations of a schema are found where they are allowed, and only there', () => {
  assert.deepEqual(mirrors, [
    { header: 'mcp-param-region', path: ['region'] },
    { header: 'mcp-param-count', path: ['count'] },
    { header: 'mcp-param-deep-flag', path: ['deep', 'flag'] },
  ])
  const tree = readJson(Buffer.from('[1]'), limits)
  assert.deepEqual(paramMirrors(tree, tree.root), [])
})

const params: readonly [args: string, sent: Sent, outcome: string][] = [
  ['{"region":"eu"}', {}, 'missing'],
  ['{"region":"eu"}', { 'mcp-param-region': 'us' }, 'different'],
  ['{"region":"eu"}', { 'mcp-param-region': 'EU' }, 'different'],
  ['{"region":"eu"}', { 'mcp-param-region': ['eu', 'eu'] }, 'repeated'],
  ['{"region":"München"}', { 'mcp-param-region': 'M\xfcnchen' }, 'malformed'],
  ['{"region":"München"}', { 'mcp-param-region': base64('München') }, 'fine'],
  ['{"region":"eu"}', { 'mcp-param-region': 'eu' }, 'fine'],
  ['{}', { 'mcp-param-region': 'eu' }, 'different'],
  ['{"region":null}', { 'mcp-param-region': 'null' }, 'different'],
  ['{"region":null}', {}, 'fine'],
  ['{"region":["eu"]}', { 'mcp-param-region': 'eu' }, 'different'],
  ['{"count":42}', { 'mcp-param-count': '43' }, 'different'],
  ['{"count":42}', { 'mcp-param-count': '042' }, 'different'],
  ['{"count":42}', { 'mcp-param-count': '0x2a' }, 'different'],
  ['{"count":42}', {}, 'missing'],
  ['{"count":42.5}', { 'mcp-param-count': '42.5' }, 'different'],
  ['{"count":9007199254740993}', { 'mcp-param-count': '9007199254740992' }, 'different'],
  ['{"count":42}', { 'mcp-param-count': '42' }, 'fine'],
  ['{"count":42.0}', { 'mcp-param-count': '42' }, 'fine'],
  ['{"count":42}', { 'mcp-param-count': '42.0' }, 'fine'],
  ['{"count":"42"}', { 'mcp-param-count': '42.0' }, 'different'],
  ['{"deep":{"flag":true}}', { 'mcp-param-deep-flag': 'false' }, 'different'],
  ['{"deep":{"flag":true}}', { 'mcp-param-deep-flag': 'True' }, 'different'],
  ['{"deep":{"flag":false}}', { 'mcp-param-deep-flag': 'false' }, 'fine'],
  ['{"deep":7}', {}, 'fine'],
  ['{"plain":"x"}', { 'mcp-param-plain': 'y' }, 'fine'],
]
for (const [args, sent, outcome] of params) {
  test(`arguments ${args} under ${JSON.stringify(sent)}: ${outcome}`, () => {
    const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":${args}}}`
    const posted = readPosted(Buffer.from(text), limits)
    assert.ok(posted.kind === 'one')
    const { message } = posted
    assert.equal(
      mismatch(() => checkParamMirrors(message, headersOf(sent), mirrors)),
      outcome,
    )
  })
}
