import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readJson } from '../wire/json.ts'
import { splice } from '../wire/splice.ts'
import { compileGrants } from './grants.ts'
import type { Grant } from './grants.ts'
import { visible } from './visible.ts'

const limits = { bytesMax: 1 << 20, depthMax: 64 }
const bearer = { issuer: 'i', subject: 's', kind: 'person', groups: [], roles: [] }

function shown(text: string, method: string, may: Omit<Grant['may'], 'connection'>): string {
  const access = compileGrants([{ who: {}, may: { connection: 'c', ...may } }])(bearer, 'c')
  assert.ok(access)
  const tree = readJson(Buffer.from(text), limits)
  const { edits } = visible(tree, tree.root, method, access, (id) => id.startsWith('theirs'))
  return Buffer.from(splice(tree.bytes, edits)).toString()
}

test('tools without a grant are cut out and every other byte stays', () => {
  const text =
    '{"result":{"x":1e2,"tools":[ {"name":"a","z":[1]} , {"name":"b"} ,{"name":"c"}],"nextCursor":"q"},"id":1,"jsonrpc":"2.0"}'
  assert.equal(
    shown(text, 'tools/list', { tools: ['b'] }),
    '{"result":{"x":1e2,"tools":[ {"name":"b"}],"nextCursor":"q"},"id":1,"jsonrpc":"2.0"}',
  )
})

test('a public cache scope becomes private, whether or not something was hidden', () => {
  const text = '{"result":{"tools":[],"cacheScope":"public","ttlMs":5}}'
  assert.equal(shown(text, 'tools/list', {}), text.replace('public', 'private'))
  assert.equal(shown(text, 'server/discover', {}), text.replace('public', 'private'))
})

test('an entry without a readable name is hidden', () => {
  const text = '{"result":{"prompts":[{"title":"no name"},{"name":7},3]}}'
  assert.equal(shown(text, 'prompts/list', {}), '{"result":{"prompts":[]}}')
})

test('resource templates are shown where a granted resource may match, tasks of others are not', () => {
  const templates =
    '{"result":{"resourceTemplates":[{"uriTemplate":"demo://a/{id}"},{"uriTemplate":"file:///{p}"}]}}'
  assert.equal(
    shown(templates, 'resources/templates/list', { resources: ['demo://a/*'] }),
    '{"result":{"resourceTemplates":[{"uriTemplate":"demo://a/{id}"}]}}',
  )
  const tasks = '{"result":{"tasks":[{"taskId":"theirs1"},{"taskId":"ours"}]}}'
  assert.equal(shown(tasks, 'tasks/list', {}), '{"result":{"tasks":[{"taskId":"ours"}]}}')
})

test('whatever is granted, the list stays valid JSON and holds just the granted names in order', () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 })
  const granted = fc.subarray(['a', 'b', 'c', 'd'])
  const same = fc.property(names, granted, fc.constantFrom(0, 2), (all, tools, indent) => {
    const text = JSON.stringify({ result: { tools: all.map((name) => ({ name })) } }, null, indent)
    const parsed: unknown = JSON.parse(shown(text, 'tools/list', { tools }))
    const want = all.filter((name) => tools.includes(name)).map((name) => ({ name }))
    assert.deepEqual(parsed, { result: { tools: want } })
  })
  fc.assert(same)
})
