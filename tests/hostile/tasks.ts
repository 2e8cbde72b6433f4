/**
 * What a server says in the tasks extension of 2026-07-28 (`io.modelcontextprotocol/tasks`,
 * specification/draft/tasks.md of modelcontextprotocol/ext-tasks), on the definitions of that
 * revision. The extension is published as checks in code, not as data, so it is written down here;
 * `masker.test.ts` compares the names with what those checks look at.
 */
import type { Definitions, Schema } from './schemas.ts'

const text: Schema = { type: 'string' }
const integer: Schema = { type: 'integer' }
const of = (name: string): Schema => ({ $ref: `#/$defs/${name}` })

const taskFields: Record<string, Schema> = {
  taskId: text,
  statusMessage: text,
  createdAt: text,
  lastUpdatedAt: text,
  ttlMs: { type: ['integer', 'null'] },
  pollIntervalMs: integer,
}
const required = ['taskId', 'createdAt', 'lastUpdatedAt', 'ttlMs', 'status']

function task(status: string, more: Record<string, Schema> = {}): Schema {
  return {
    type: 'object',
    properties: { ...taskFields, status: { const: status }, ...more },
    required: [...required, ...Object.keys(more)],
  }
}

/** The five states of a task, with what each brings. */
const states: readonly Schema[] = [
  task('working'),
  task('input_required', { inputRequests: of('InputRequests') }),
  task('completed', { result: { anyOf: [of('CallToolResult'), of('Result')] } }),
  task('failed', { error: of('Error') }),
  task('cancelled'),
]

const result = (more: Schema): Schema => ({
  type: 'object',
  ...more,
  properties: { ...more.properties, resultType: text, _meta: of('ResultMetaObject') },
  required: [...(more.required ?? []), 'resultType'],
})

export const tasksExtension: Definitions = {
  CreateTaskResult: result({
    properties: { ...taskFields, status: { const: 'working' } },
    required,
  }),
  GetTaskResult: { anyOf: states.map(result) },
  UpdateTaskResult: result({}),
  CancelTaskResult: result({}),
  TaskStatusNotification: {
    type: 'object',
    properties: {
      jsonrpc: { const: '2.0' },
      method: { const: 'notifications/tasks' },
      params: { anyOf: states.map((state) => withMeta(state)) },
    },
    required: ['jsonrpc', 'method', 'params'],
  },
  TaskSubscriptionsAcknowledgedNotification: {
    type: 'object',
    properties: {
      jsonrpc: { const: '2.0' },
      method: { const: 'notifications/subscriptions/acknowledged' },
      params: {
        type: 'object',
        properties: {
          notifications: {
            type: 'object',
            properties: { taskIds: { type: 'array', items: text } },
          },
        },
        required: ['notifications'],
      },
    },
    required: ['jsonrpc', 'method', 'params'],
  },
}

function withMeta(state: Schema): Schema {
  return { ...state, properties: { ...state.properties, _meta: of('NotificationMetaObject') } }
}
