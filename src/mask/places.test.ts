import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readJson } from '../wire/json.ts'
import { leaving, places, placesOf, prepare, returning, rowsFor } from './places.ts'
import type { Mapping, Places } from './places.ts'

const row = (at: string, is: Mapping['is']): Mapping => ({
  in: 'params',
  at,
  is,
  way: 'out',
  eras: 'both',
  why: 'a test',
})

/** What a table finds, as kind and text. */
function found(json: string, by: Places = leaving): string[] {
  const tree = readJson(Buffer.from(json), { bytesMax: 1 << 20, depthMax: 600 })
  return placesOf(tree, by).map(({ node, start, kind }) => {
    assert.equal(start, tree.start(node))
    return `${kind} ${Buffer.from(tree.raw(node)).toString()}`
  })
}

test('rows that contradict each other are refused', () => {
  const clash = [row('a', 'result'), row('a', 'block')]
  assert.throws(() => prepare(clash), { name: 'Broken' })
  assert.throws(() => prepare([row('a b', 'uri'), row('a', 'block')]), { name: 'Broken' })
})

const nothing: readonly (readonly [string, string])[] = [
  ['a text', '"id"'],
  ['a number', '7'],
  ['an empty batch', '[]'],
  ['a batch of other things', '["id",1,null,[{"id":1}]]'],
  ['no id', '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}'],
  ['values of other kinds', '{"id":{},"result":{"nextCursor":[1],"taskId":true,"contents":{}}}'],
  ['names further down', '{"result":{"x":{"nextCursor":"a"},"structuredContent":{"uri":"a"}}}'],
  [
    'names that only begin alike',
    '{"result":{"nextCursors":"a","nextCurso":"b","nextCursoR":"c"}}',
  ],
]
for (const [what, json] of nothing) {
  test(`${what} has no place but content`, () => assert.deepEqual(found(json), []))
}

test('places come in their order, whatever the order of the members', () => {
  const json = '{"result":{"tasks":[{"taskId":"a"},{"taskId":"b"}],"nextCursor":"c"},"id":1}'
  const kinds = found(json).map((text) => text.split(' ')[1])
  assert.deepEqual(kinds, ['"a"', '"b"', '"c"', '1'])
})

test('a name is found however it is spelt, and a longer one in escapes is another', () => {
  assert.deepEqual(found('{"result":{"next\\u0043ursor":"a"}}'), ['opaque "a"'])
  assert.deepEqual(found('{"r\\u0065sult":{"nextCursor":"a"}}'), ['opaque "a"'])
  assert.deepEqual(found('{"result":{"\\u006eext":"a"}}'), [])
})

test('each message of a batch has its own places', () => {
  const json = '[{"method":"roots/list","id":"q"},{"id":2,"result":{"taskId":"t"}}]'
  assert.deepEqual(found(json).slice(0, 1), ['opaque "q"'])
  assert.deepEqual(found(json).slice(2), ['opaque "t"'])
})

test('content within content is followed, alone or in lists, as deep as it goes', () => {
  const inner = '{"type":"resource_link","uri":"u"}'
  const block = `{"type":"tool_result","toolUseId":"x","content":[${inner}]}`
  for (const content of [block, `[${block}]`]) {
    const json = `{"method":"sampling/createMessage","params":{"messages":[{"content":${content}}]}}`
    assert.deepEqual(found(json), ['opaque "x"', 'uri "u"'])
  }
  const deep = `${'{"content":['.repeat(250)}{"uri":"u"}${']}'.repeat(250)}`
  assert.deepEqual(found(`{"result":{"content":[${deep}]}}`), ['uri "u"'])
})

test('a client gets nothing undone in what it says itself', () => {
  const json =
    '{"id":"a","method":"tools/call","params":{"_meta":{"progressToken":"b"},"name":"c"}}'
  assert.deepEqual(found(json, returning), [])
  const answer = '{"id":"a","result":{"nextCursor":"b","content":{"uri":"c"}}}'
  assert.deepEqual(found(answer, returning), ['answer "a"'])
})

test('every row says why, once', () => {
  const names = places.map(({ in: from, at, way }) => `${from} ${at} ${way === 'said' ? way : ''}`)
  assert.equal(new Set(names).size, places.length)
  assert.ok(places.every(({ why }) => why.length > 8))
  assert.ok(rowsFor('said').every(({ way }) => way === 'said'))
})
