/** What a client asks, in either era. */
import type { Revision } from './schemas.ts'

/** The least that each method needs; the others need nothing. */
const params: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
  'tools/call': { name: 't', arguments: {} },
  'prompts/get': { name: 'p' },
  'resources/read': { uri: 'test://a' },
  'completion/complete': {
    ref: { type: 'ref/prompt', name: 'p' },
    argument: { name: 'a', value: 'b' },
  },
  'tasks/get': { taskId: 't' },
  'tasks/update': { taskId: 't', inputResponses: {} },
  'tasks/cancel': { taskId: 't' },
  'tasks/result': { taskId: 't' },
  'subscriptions/listen': { notifications: {} },
}

const mirrored: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

export interface Ask {
  readonly headers: Record<string, string>
  readonly body: string
}

/** A request of a revision, with the headers that go with it. */
export function ask(
  { name, era }: Pick<Revision, 'name' | 'era'>,
  method: string,
  id: number | string,
  more: object = {},
): Ask {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': name,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const given = { ...params[method], ...more }
  const named: Record<string, unknown> =
    era === 'modern' ? { ...given, _meta: { ...meta, ...Reflect.get(given, '_meta') } } : given
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: named })
  const mirror = named[mirrored[method] ?? '']
  const headers: Record<string, string> = { 'mcp-protocol-version': name }
  if (era === 'legacy') return { headers, body }
  headers['mcp-method'] = method
  if (typeof mirror === 'string') headers['mcp-name'] = mirror
  return { headers, body }
}

/** The method whose answer a result is; a tool's for those that answer none. */
export function methodOf(message: string, { defs }: Revision): string {
  const request = defs[message.replace(/Result$/, 'Request')]
  const method = request?.properties?.['method']?.const
  if (typeof method === 'string' && method !== '') return method
  return message === 'GetTaskResult' ? 'tasks/get' : 'tools/call'
}
