import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { clientKinds, connectClient, inspect, inspectTool } from './clients.ts'
import { missingServer, startServer } from './servers.ts'
import type { RunningServer, ServerName } from './servers.ts'

const names: readonly ServerName[] = ['everything', 'shop', 'fixture']
const skip = names.map(missingServer).find((why) => why !== undefined) ?? false
const running = new Map<ServerName, RunningServer>()
const sql = "select id, brand, pan from cards where brand = 'visa' order by id limit 3"

function at(name: ServerName): { url: string } {
  const url = running.get(name)?.url
  assert.ok(url)
  return { url }
}

before(async () => {
  if (skip !== false) return
  for (const name of names) running.set(name, await startServer(name))
})
after(async () => {
  for (const server of running.values()) await server.close()
})

test('a modern client cannot connect to a server of the legacy era', { skip }, async () => {
  await assert.rejects(connectClient('v2-modern', at('everything')))
})

for (const kind of clientKinds) {
  test(`the ${kind} client queries the shop`, { skip }, async () => {
    const client = await connectClient(kind, at('shop'))
    try {
      assert.deepEqual(await client.listTools(), ['execute_sql', 'search_objects'])
      const answer = await client.callTool('execute_sql', { sql })
      assert.equal(answer.isError, false)
      assert.equal(answer.text.match(/"brand": "visa"/g)?.length, 3)
      const modern = kind === 'v2-auto' || kind === 'v2-modern'
      assert.equal(client.version === '2026-07-28', modern)
    } finally {
      await client.close()
    }
  })
}

for (const kind of clientKinds.filter((one) => one !== 'v2-modern')) {
  test(`the ${kind} client calls server-everything`, { skip }, async () => {
    const client = await connectClient(kind, at('everything'))
    try {
      assert.ok((await client.listTools()).length >= 13)
      const echoed = await client.callTool('echo', { message: 'there and back' })
      assert.equal(echoed.text, 'Echo: there and back')
      assert.ok((await client.listPrompts()).includes('simple-prompt'))
      assert.equal((await client.listResources()).length, 7)
    } finally {
      await client.close()
    }
  })
}

test('the environment that server-everything shows has nothing of ours', { skip }, async () => {
  const client = await connectClient('v1', at('everything'))
  try {
    const { text } = await client.callTool('get-env')
    const shown: unknown = JSON.parse(text)
    assert.deepEqual(Object.keys(Object(shown)).sort(), ['NODE_ENV'])
  } finally {
    await client.close()
  }
})

for (const kind of clientKinds) {
  test(`the ${kind} client reads the fixture`, { skip }, async () => {
    const client = await connectClient(kind, at('fixture'))
    try {
      assert.ok((await client.listTools()).includes('test_simple_text'))
      assert.equal((await client.callTool('test_error_handling')).isError, true)
      assert.match(await client.readResource('test://static-text'), /Static text/)
    } finally {
      await client.close()
    }
  })
}

test(
  'the Inspector lists and calls tools, and tells a failed call by its exit code',
  { skip },
  async () => {
    const listed = await inspect(at('shop'), ['--method', 'tools/list'])
    assert.equal(listed.code, 0, listed.stderr)
    assert.match(listed.stdout, /execute_sql/)
    for (const era of ['legacy', 'modern'] as const) {
      const called = await inspectTool(at('shop'), 'execute_sql', { sql }, era)
      assert.equal(called.code, 0, called.stderr)
      assert.match(called.stdout, /visa/)
    }
    assert.notEqual((await inspectTool(at('shop'), 'no_such_tool', {})).code, 0)
  },
)
