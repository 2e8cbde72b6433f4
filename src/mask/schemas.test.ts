import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutputSchemas } from './schemas.ts'

const schema = (name: string, fill = 0): Buffer =>
  Buffer.from(JSON.stringify({ properties: { [name]: { pattern: 'x' } }, fill: 'y'.repeat(fill) }))
const tools = (schemas: OutputSchemas, count: number, connection = 'shop'): boolean[] =>
  Array.from({ length: count }, (_, i) => schemas.of(connection, `t${i}`) !== undefined)

test('a schema is known by connection and tool, and to nobody else', () => {
  const schemas = new OutputSchemas()
  schemas.learn('shop', 'rows', schema('a'))
  assert.equal(schemas.of('shop', 'rows')?.isTight, true)
  assert.equal(schemas.of('shop', 'other'), undefined)
  assert.equal(schemas.of('bank', 'rows'), undefined)
  assert.equal(schemas.of('shop', '__proto__'), undefined)
})

test('the newest list counts; the same schema is not read again', () => {
  const schemas = new OutputSchemas()
  schemas.learn('shop', 'rows', schema('a'))
  const first = schemas.of('shop', 'rows')
  schemas.learn('shop', 'rows', schema('a'))
  assert.equal(schemas.of('shop', 'rows'), first)
  schemas.learn('shop', 'rows', schema('b'))
  assert.notEqual(schemas.of('shop', 'rows'), first)
  schemas.learn('shop', 'rows', undefined)
  assert.equal(schemas.of('shop', 'rows'), undefined)
})

test('the bytes of a message may go on to other uses', () => {
  const schemas = new OutputSchemas()
  const bytes = schema('a')
  schemas.learn('shop', 'rows', bytes)
  bytes.fill(0x20)
  assert.equal(schemas.of('shop', 'rows')?.isTight, true)
})

test('a schema that is too large is not kept, and the one before it is forgotten', () => {
  const schemas = new OutputSchemas()
  schemas.learn('shop', 'rows', schema('a'))
  schemas.learn('shop', 'rows', schema('a', 256 * 1024))
  assert.equal(schemas.of('shop', 'rows'), undefined)
})

test('of too many tools those are forgotten that were not called for longest', () => {
  const schemas = new OutputSchemas()
  for (let i = 0; i < 1024; i++) schemas.learn('shop', `t${i}`, schema('a'))
  schemas.of('shop', 't0')
  for (let i = 0; i < 10; i++) schemas.learn('shop', `new${i}`, schema('a'))
  const known = tools(schemas, 1024)
  assert.equal(known[0], true)
  assert.deepEqual(known.slice(1, 11), Array<boolean>(10).fill(false))
  assert.equal(known.slice(11).every(Boolean), true)
})

test('the schemas of one connection have a size, whatever is listed', () => {
  const schemas = new OutputSchemas()
  schemas.learn('bank', 'rows', schema('a'))
  for (let i = 0; i < 40; i++) schemas.learn('shop', `t${i}`, schema('a', 200 * 1024))
  const known = tools(schemas, 40)
  assert.equal(known.filter(Boolean).length, 20)
  assert.equal(known[39], true)
  assert.notEqual(schemas.of('bank', 'rows'), undefined)
  for (let i = 0; i < 40; i++) schemas.learn('shop', `t${i}`, undefined)
  for (let i = 0; i < 20; i++) schemas.learn('shop', `t${i}`, schema('a', 200 * 1024))
  assert.equal(tools(schemas, 20).every(Boolean), true)
})

test('a task leads to the tool whose call it was', () => {
  const schemas = new OutputSchemas()
  schemas.noteTask('shop', 'early', 'rows')
  schemas.learn('shop', 'rows', schema('a'))
  schemas.noteTask('shop', 'task', 'rows')
  schemas.noteTask('shop', 'other', 'unlisted')
  assert.equal(schemas.toolOf('shop', 'task'), 'rows')
  for (const none of ['early', 'other']) assert.equal(schemas.toolOf('shop', none), undefined)
  for (let i = 0; i < 1024; i++) schemas.noteTask('shop', `n${i}`, 'rows')
  assert.equal(schemas.toolOf('shop', 'task'), undefined)
  assert.equal(schemas.toolOf('shop', 'n1023'), 'rows')
})
