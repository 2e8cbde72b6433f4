import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readJson } from '../../wire/json.ts'
import { splice } from '../../wire/splice.ts'
import { announceTasks } from './announce.ts'

const tasks = '"io.modelcontextprotocol/tasks":{}'
const cases: readonly [what: string, before: string, after: string][] = [
  ['without extensions', '{"capabilities":{}}', `{"capabilities":{"extensions":{${tasks}}}}`],
  [
    'beside what it has',
    '{"capabilities":{"tools":{}}}',
    `{"capabilities":{"extensions":{${tasks}},"tools":{}}}`,
  ],
  [
    'beside other extensions',
    '{"capabilities":{"extensions":{"a":1}}}',
    `{"capabilities":{"extensions":{${tasks},"a":1}}}`,
  ],
  [
    'that announces them itself',
    `{"capabilities":{"extensions":{${tasks}}}}`,
    `{"capabilities":{"extensions":{${tasks}}}}`,
  ],
  ['without capabilities', '{}', '{}'],
  ['that is no good', '{"capabilities":{"extensions":7}}', '{"capabilities":{"extensions":7}}'],
]
for (const [what, before, after] of cases) {
  test(`tasks are announced by a server ${what}`, () => {
    const bytes = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":${before}}`)
    const tree = readJson(bytes, { bytesMax: bytes.length, depthMax: 16 })
    const text = Buffer.from(splice(bytes, announceTasks(tree, tree.root))).toString()
    assert.equal(text, `{"jsonrpc":"2.0","id":1,"result":${after}}`)
  })
}
