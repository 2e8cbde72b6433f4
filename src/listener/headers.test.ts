import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headersOf } from './headers.ts'

const headers = headersOf([
  'Host',
  'a.example',
  'Mcp-Name',
  'x',
  'mcp-name',
  'y',
  'HOST',
  'b.example',
])

test('a repeated header is seen as repeated, in any spelling', () => {
  assert.equal(headers.count('mcp-name'), 2)
  assert.deepEqual(headers.all('mcp-name'), ['x', 'y'])
  assert.equal(headers.get('host'), 'a.example')
  assert.equal(headers.count('host'), 2)
})

test('a header that was not sent is undefined, none, and counts nothing', () => {
  assert.equal(headers.get('hos'), undefined)
  assert.deepEqual(headers.all('origin'), [])
  assert.equal(headers.count('origin'), 0)
})

test('a value is never taken for a name', () => {
  assert.equal(headers.count('a.example'), 0)
})

test('all pairs come in order, with lower-case names', () => {
  const names = [...headers.entries()].map(([name]) => name)
  assert.deepEqual(names, ['host', 'mcp-name', 'mcp-name', 'host'])
})
