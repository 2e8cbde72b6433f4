/**
 * Masked results against the `outputSchema` of a real server, judged by real clients: both SDKs
 * check `structuredContent` themselves and throw where it does not fit.
 */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server'
import type { CallToolResult } from '@modelcontextprotocol/server'
import { pan } from '../cards.ts'
import { clientKinds, connectClient } from '../peers/clients.ts'
import type { TestClient } from '../peers/clients.ts'
import { answerResult, legacyCall, openHouse } from './house.ts'
import type { House } from './house.ts'

const visa = pan(4, 16)
const amex = pan(37, 15)
const last4 = visa.slice(-4)
const row = { pan: visa, number: Number(visa), cvv: '737', cvc: 7371, status: 'active' }
const rowSchema = {
  type: 'object',
  properties: {
    pan: { type: 'string', pattern: '^[0-9]{16}$' },
    number: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    cvv: { type: 'string', pattern: '^\\d{3}$' },
    cvc: { type: 'integer', minimum: 100, maximum: 9999 },
    status: { type: 'string', enum: ['active', 'closed'] },
  },
  required: ['pan', 'number', 'cvv', 'cvc', 'status'],
  additionalProperties: false,
}
const list = { type: 'object', properties: { rows: { type: 'array', items: rowSchema } } }
const tools: Readonly<Record<string, { schema: object; value: object }>> = {
  cards: { schema: list, value: { rows: [row, row] } },
  /** Nothing masked can be one of these. */
  pinned: {
    schema: { type: 'object', properties: { card: { type: 'string', enum: [amex, 'none'] } } },
    value: { card: amex },
  },
  /** Breaks its own schema; there to show that clients look. */
  wrong: { schema: list, value: { rows: [{ ...row, status: 'lost' }] } },
}

function cardServer(): McpServer {
  const mcp = new McpServer({ name: 'cards', version: '1.0.0' }, { capabilities: { tools: {} } })
  for (const [name, { schema }] of Object.entries(tools)) {
    const outputSchema = fromJsonSchema(schema)
    mcp.registerTool(name, { description: name, outputSchema }, () => answerOf(name))
  }
  // The SDK's own handler would refuse what does not fit.
  mcp.server.setRequestHandler('tools/call', ({ params }) => answerOf(params.name))
  return mcp
}

function answerOf(name: string): CallToolResult {
  const value = { ...tools[name]?.value }
  return {
    content: [{ type: 'text', text: JSON.stringify(value, null, 2) }],
    structuredContent: value,
  }
}

type Handler = (req: IncomingMessage, res: ServerResponse, body?: unknown) => Promise<void>
let house: House
let token = ''
before(async () => {
  house = await openHouse()
  token = await house.token({ subject: 'sam', groups: ['staff'] })
  const serve = toNodeHandler(createMcpHandler(cardServer)) as Handler
  house.behind.script = (got, res, req) =>
    serve(req, res, got.body === '' ? undefined : JSON.parse(got.body))
})
after(() => house.stop())

async function withClient<T>(
  kind: (typeof clientKinds)[number],
  use: (client: TestClient) => Promise<T>,
): Promise<T> {
  const client = await connectClient(kind, { url: house.mcp, token })
  try {
    await client.listTools()
    return await use(client)
  } finally {
    await client.close()
  }
}

test('before its list was seen, nothing is known of a tool: the usual forms stand', async () => {
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const call = legacyCall('tools/call', '{"name":"cards","arguments":{}}')
  const answer = await (await house.post(call, headers)).text()
  assert.ok(answer.includes(`"pan":"************${last4}"`), answer)
})

for (const kind of clientKinds) {
  test(`the ${kind} client takes a masked result, and its text says the same`, async () => {
    const { json, text, isError } = await withClient(kind, (client) => client.callTool('cards'))
    assert.equal(isError, false)
    const { structuredContent } = JSON.parse(json) as { structuredContent: unknown }
    const form = `9000${'0'.repeat(8)}${last4}`
    const masked = { pan: form, number: Number(form), cvv: '000', cvc: 100, status: 'active' }
    assert.deepEqual(structuredContent, { rows: [masked, masked] })
    assert.deepEqual(JSON.parse(text), structuredContent)
  })

  test(`the ${kind} client refuses what does not fit, whoever made it so`, async () => {
    await assert.rejects(withClient(kind, (client) => client.callTool('wrong')))
  })

  test(`the ${kind} client is told where nothing fits`, async () => {
    const { text, json, isError } = await withClient(kind, (client) => client.callTool('pinned'))
    assert.equal(isError, true)
    assert.match(text, /withheld.* \/result\/structuredContent\/card\b/)
    assert.equal(json.includes('structuredContent":'), false)
  })
}

test('the result of a task is fitted to the tool whose call became the task', async () => {
  const { script } = house.behind
  const result = JSON.stringify({ content: [], structuredContent: tools['cards']?.value })
  const answers: Readonly<Record<string, string>> = {
    'tools/list': `{"tools":[{"name":"slow","outputSchema":${JSON.stringify(list)}}]}`,
    'tools/call': '{"task":{"taskId":"t-1","status":"working"}}',
    'tasks/result': result,
    'tasks/get': `{"taskId":"t-1","status":"completed","result":${result}}`,
  }
  house.behind.script = (got, res) => {
    const method = /"method":"([^"]*)"/.exec(got.body)?.[1] ?? ''
    answerResult(got, res, answers[method] ?? '{}')
  }
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const ask = async (method: string, params: string): Promise<string> =>
    (await house.post(legacyCall(method, params), headers)).text()
  const before = await ask('tasks/result', '{"taskId":"t-1"}')
  assert.ok(before.includes(`"************${last4}"`))
  await ask('tools/list', '{}')
  await ask('tools/call', '{"name":"slow","arguments":{},"task":{}}')
  for (const method of ['tasks/result', 'tasks/get']) {
    const fitted = await ask(method, '{"taskId":"t-1"}')
    assert.ok(fitted.includes(`"pan":"90000000`) && fitted.includes('"cvv":"000"'), fitted)
    const other = await ask(method, '{"taskId":"t-2"}')
    assert.ok(other.includes(`"************${last4}"`), other)
  }
  house.behind.script = script
})

test('the record says what was withheld and why, and holds no card', async () => {
  const ends = (await house.entries()).filter(({ outcome }) => outcome === 'withheld')
  assert.equal(ends.length, clientKinds.length)
  for (const { reason } of ends) assert.equal(reason, 'schema')
  const bytes = house.allBytes() + house.log()
  for (const card of [visa, amex]) assert.equal(bytes.includes(card), false)
})
