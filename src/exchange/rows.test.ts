import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readJson } from '../wire/json.ts'
import { rowsOf } from './rows.ts'

const many = (count: number, of: unknown): unknown[] => Array.from({ length: count }, () => of)
const text = (value: string): object => ({ content: [{ type: 'text', text: value }] })
const cases: readonly [what: string, result: object, rows: number][] = [
  ['nothing', {}, 0],
  ['a sentence, with a comma', text('Done, as it was asked.'), 1],
  ['structured rows', { structuredContent: { rows: many(7, { id: 1 }) } }, 7],
  ['rows below rows', { structuredContent: [{ inner: many(9, [1]) }] }, 9],
  ['a list of words is no table', { structuredContent: { tags: many(50, 'x') } }, 0],
  ['JSON in a text', text(JSON.stringify({ data: { rows: many(12, { id: 1 }) } })), 12],
  ['JSON with blanks around', text(`\n ${JSON.stringify(many(3, [1]))} \n`), 3],
  ['a text that only begins as JSON', text('[x\na,b\nc,d'), 2],
  ['comma separated lines', text('id,name\n1,a\n2,b'), 3],
  ['a Markdown table', text('| a |\n| - |\n| 1 |'), 3],
]
for (const [what, result, rows] of cases) {
  test(`rows of ${what}: ${rows}`, () => {
    const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
    const tree = readJson(bytes, { bytesMax: bytes.length, depthMax: 64 })
    assert.equal(rowsOf(tree, tree.root), rows)
  })
}
