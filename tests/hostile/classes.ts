/**
 * Which places are opaque and which are echoes, told by the definitions of the specification. What is
 * not named here is content. This table is written from the specification alone: it shares nothing
 * with the one that the masker goes by.
 */
import type { Place } from './places.ts'

/** Where a client sends a value back: a message with `alias` in it, and the way to it. */
export interface Back {
  /** The only era that has it; both when absent. */
  readonly era?: 'legacy' | 'modern'
  readonly message: (alias: unknown) => Record<string, unknown>
  readonly path: readonly (string | number)[]
}

export interface Class {
  /** The owner of the place; `*` stands for anything. */
  readonly at: string
  readonly is: 'opaque' | 'echo'
  /** Where it goes back to; none for what a client only compares. */
  readonly back?: readonly Back[]
  /** What stands for it must be a URI. */
  readonly isUri?: true
  /** It is the keys of an object that are meant. */
  readonly isKey?: true
  /** An echo of these: what the client must have said before. None for an answer's id. */
  readonly said?: readonly Back[]
}

const asks = (method: string, ...path: (string | number)[]): Back => ({
  message: (alias) => ({ jsonrpc: '2.0', id: 2, method, ...nested(['params', ...path], alias) }),
  path: ['params', ...path],
})

function nested(path: readonly (string | number)[], value: unknown): Record<string, unknown> {
  const [key = '', ...rest] = path
  const below = rest.length === 0 ? value : nested(rest, value)
  return typeof key === 'number' ? ([below] as never) : { [key]: below }
}

const answers: Back = {
  message: (alias) => ({ jsonrpc: '2.0', id: alias, result: {} }),
  path: ['id'],
}
const inLegacy = (back: Back): Back => ({ ...back, era: 'legacy' })
const inModern = (back: Back): Back => ({ ...back, era: 'modern' })
const cursors: readonly Back[] = [
  asks('tools/list', 'cursor'),
  asks('prompts/list', 'cursor'),
  asks('resources/list', 'cursor'),
  asks('resources/templates/list', 'cursor'),
  inLegacy(asks('tasks/list', 'cursor')),
]
const tasks: readonly Back[] = [
  asks('tasks/get', 'taskId'),
  asks('tasks/cancel', 'taskId'),
  inLegacy(asks('tasks/result', 'taskId')),
  inLegacy(asks('tools/call', '_meta', 'io.modelcontextprotocol/related-task', 'taskId')),
  inModern(asks('tasks/update', 'taskId')),
  inModern(asks('subscriptions/listen', 'notifications', 'taskIds', 0)),
]
const resources: readonly Back[] = [
  asks('resources/read', 'uri'),
  asks('completion/complete', 'ref', 'uri'),
  inLegacy(asks('resources/subscribe', 'uri')),
  inLegacy(asks('resources/unsubscribe', 'uri')),
  inModern(asks('subscriptions/listen', 'notifications', 'resourceSubscriptions', 0)),
]
const progress: readonly Back[] = [inLegacy(asks('notifications/progress', 'progressToken'))]
const rounds: readonly Back[] = [
  inModern(asks('tools/call', 'requestState')),
  inModern(asks('prompts/get', 'requestState')),
  inModern(asks('resources/read', 'requestState')),
]

const names: readonly Back[] = ['tools/call', 'prompts/get', 'resources/read', 'tasks/update'].map(
  (method) => ({
    ...asks(method, 'inputResponses'),
    era: 'modern',
    message: (alias) => ({
      jsonrpc: '2.0',
      id: 2,
      method,
      params: { inputResponses: { [String(alias)]: {} } },
    }),
  }),
)
const ids: readonly Back[] = [
  { message: (id) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: {} }), path: ['id'] },
]
const tokens: readonly Back[] = [asks('tools/call', '_meta', 'progressToken')]

export const classes: readonly Class[] = [
  { at: 'request.id', is: 'opaque', back: [answers] },
  { at: 'result.id', is: 'echo' },
  { at: 'error.id', is: 'echo' },
  { at: 'CancelledNotification*.requestId', is: 'echo', said: ids },
  { at: 'ProgressNotification*.progressToken', is: 'echo', said: tokens },
  { at: '*._meta.progressToken', is: 'opaque', back: progress },
  { at: '*.io.modelcontextprotocol/subscriptionId', is: 'echo', said: ids },
  { at: '*.nextCursor', is: 'opaque', back: cursors },
  { at: 'PaginatedRequestParams.cursor', is: 'opaque' },
  { at: '*.requestState', is: 'opaque', back: rounds },
  { at: 'InputRequests.{key}', is: 'opaque', isKey: true, back: names },
  { at: '*.taskId', is: 'opaque', back: tasks },
  { at: '*.taskIds[]', is: 'opaque', back: tasks },
  { at: '*.elicitationId', is: 'opaque' },
  { at: 'Resource.uri', is: 'opaque', back: resources, isUri: true },
  { at: 'ResourceLink.uri', is: 'opaque', back: resources, isUri: true },
  { at: 'TextResourceContents.uri', is: 'opaque', back: resources, isUri: true },
  { at: 'BlobResourceContents.uri', is: 'opaque', back: resources, isUri: true },
  { at: 'ResourceUpdatedNotification*.uri', is: 'opaque', back: resources, isUri: true },
  { at: '*.resourceSubscriptions[]', is: 'opaque', back: resources, isUri: true },
  { at: 'ToolUseContent.id', is: 'opaque' },
  { at: 'ToolResultContent.toolUseId', is: 'opaque' },
]

/**
 * Names that sound like a round trip and are content all the same. A template is filled in by the
 * client, so it cannot be sealed; what is made from a masked one names nothing at the server.
 */
const contentAllTheSame: readonly string[] = ['ResourceTemplate.uriTemplate']

const patterns = classes.map((row) => ({ row, pattern: patternOf(row.at) }))

function patternOf(at: string): RegExp {
  return new RegExp(
    `^${at
      .split('*')
      .map((part) => part.replaceAll(/[.[\]{}/]/g, '\\$&'))
      .join('.*')}$`,
  )
}

/** The row of a place; undefined for content. */
export function classOf(place: Place): Class | undefined {
  const isKey = place.form === 'key'
  return patterns.find(
    ({ row, pattern }) => (row.isKey ?? false) === isKey && pattern.test(place.owner),
  )?.row
}

/** Whether a place of content is named like something that a server wants back. */
export function soundsOpaque({ owner, form }: Place): boolean {
  const isNamed = /(?:cursor|token|state|uri|[a-z]Ids?(?:\[\])?|\.id|uris?(?:\[\])?|nonce|handle)$/i
  return form !== 'key' && isNamed.test(owner) && !contentAllTheSame.includes(owner)
}

/** Where a place's alias goes back to, in its own era. */
export function waysBack(place: Place, era: 'legacy' | 'modern'): readonly Back[] {
  return (classOf(place)?.back ?? []).filter((back) => back.era === undefined || back.era === era)
}
