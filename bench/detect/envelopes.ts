/**
 * The messages of MCP in which a text or a value can stand: results of tools, resources and
 * prompts, notifications, errors, requests either way (MCP 2025-06-18 and 2026-07-28, schema).
 */
import type { Draw } from './draw.ts'
import { compact, pretty, print, styles } from './print.ts'
import type { Style, Value } from './print.ts'
import type { Scene } from './scene.ts'
import { aside, filler, product, tableName } from './words.ts'

const style = (draw: Draw): Style =>
  draw.weighted(styles.map((each) => [each === compact ? 8 : 1, each] as const))

/** A JSON-RPC 2.0 message: `body` beside version and, if it is no notification, an id. */
export function message(scene: Scene, body: { readonly [key: string]: Value }): string {
  const { draw } = scene
  const id: Value = draw.chance(0.8) ? draw.int(1, 9999) : `req-${draw.hex(6)}`
  const isNotification = typeof body['method'] === 'string' && body['method'].startsWith('notif')
  const head = isNotification ? { jsonrpc: '2.0' } : { jsonrpc: '2.0', id }
  const parts = draw.chance(0.8) ? { ...head, ...body } : { ...body, ...head }
  return print(parts, style(draw))
}

const block = (text: string): Value => ({ type: 'text', text })
export const toolResult = (...texts: readonly string[]): { readonly [key: string]: Value } => ({
  result: { content: texts.map(block) },
})

/** Where a plain text can stand, by name. */
const textPlaces: {
  readonly [name: string]: (scene: Scene, text: string) => { readonly [key: string]: Value }
} = {
  'tool-text': (_, text) => toolResult(text),
  'tool-text-among-others': ({ draw }, text) => ({
    result: {
      content: draw.shuffle([
        block(text),
        block(aside(draw)),
        block(`Found in ${tableName(draw)}.`),
      ]),
      isError: draw.chance(0.2),
    },
  }),
  'tool-error': (_, text) => ({ result: { content: [block(text)], isError: true } }),
  'structured-text': (_, text) => ({
    result: { content: [block(text)], structuredContent: { result: text } },
  }),
  'embedded-resource': ({ draw }, text) => ({
    result: {
      content: [
        {
          type: 'resource',
          resource: { uri: `file:///notes/${draw.letters(6)}.txt`, mimeType: 'text/plain', text },
        },
      ],
    },
  }),
  'resource-read': ({ draw }, text) => ({
    result: {
      contents: [{ uri: `file:///export/${draw.letters(6)}.txt`, mimeType: 'text/plain', text }],
    },
  }),
  prompt: ({ draw }, text) => ({
    result: {
      description: `Draft about the ${product(draw)}`,
      messages: [{ role: draw.pick(['user', 'assistant']), content: block(text) }],
    },
  }),
  'log-notification': ({ draw }, text) => ({
    method: 'notifications/message',
    params: {
      level: draw.pick(['info', 'debug', 'warning', 'error']),
      logger: 'checkout',
      data: draw.chance(0.5) ? text : { message: text, worker: draw.int(1, 32) },
    },
  }),
  'error-message': ({ draw }, text) => ({
    error: { code: draw.pick([-32000, -32602, -32603]), message: text },
  }),
  'error-data': ({ draw }, text) => ({
    error: {
      code: -32603,
      message: 'Internal error',
      data: draw.chance(0.5) ? text : { detail: text, isRetryable: false },
    },
  }),
  progress: ({ draw }, text) => ({
    method: 'notifications/progress',
    params: { progressToken: draw.hex(8), progress: draw.int(1, 99), total: 100, message: text },
  }),
  sampling: ({ draw }, text) => ({
    method: 'sampling/createMessage',
    params: {
      messages: [{ role: 'user', content: block(text) }],
      systemPrompt: 'You answer briefly.',
      maxTokens: draw.pick([256, 512, 1024]),
    },
  }),
  'sampling-answer': (_, text) => ({
    result: { role: 'assistant', content: block(text), model: 'small-1', stopReason: 'endTurn' },
  }),
  elicitation: (_, text) => ({
    method: 'elicitation/create',
    params: {
      message: text,
      requestedSchema: {
        type: 'object',
        properties: { ok: { type: 'boolean' } },
        required: ['ok'],
      },
    },
  }),
  'tool-description': ({ draw }, text) => ({
    result: {
      tools: [
        { name: `lookup_${tableName(draw)}`, description: text, inputSchema: { type: 'object' } },
      ],
    },
  }),
  'tool-call': ({ draw }, text) => ({
    method: 'tools/call',
    params: {
      name: draw.pick(['send_mail', 'add_note', 'search', 'run_query']),
      arguments: { [draw.pick(['text', 'body', 'query', 'note'])]: text },
    },
  }),
  completion: ({ draw }, text) => ({
    result: { completion: { values: [text], total: draw.int(1, 5), hasMore: false } },
  }),
}
export const textPlaceNames: readonly string[] = Object.keys(textPlaces)

/** The text somewhere; half of the time where most texts stand, in a tool's result. */
export function textMessage(scene: Scene, text: string): string {
  const { draw } = scene
  const name = draw.chance(0.5) ? 'tool-text' : draw.pick(textPlaceNames)
  return textMessageAt(scene, name, text)
}

export function textMessageAt(scene: Scene, name: string, text: string): string {
  const place = textPlaces[name]
  if (place === undefined) throw new Error(`no place ${name}`)
  return message(scene, place(scene, text))
}

/** A text with or without something before and after it. */
export function surrounded(scene: Scene, text: string, joint = '\n'): string {
  const { draw } = scene
  return [filler(draw), text, filler(draw)].filter((part) => part !== '').join(joint)
}

/** An object or list as servers hand it out: structured, printed into a text, or both. */
export function valueMessage(scene: Scene, value: Value): string {
  const { draw } = scene
  const printed = print(value, draw.pick(styles))
  return draw.weighted<() => string>([
    [4, () => message(scene, toolResult(printed))],
    [3, () => message(scene, structured(value))],
    [2, () => message(scene, toolResult(`${aside(draw)}\n\n${print(value, pretty)}`))],
    [1, () => message(scene, resource(draw, printed))],
    [1, () => message(scene, logged(value))],
    [1, () => message(scene, { error: { code: -32000, message: 'Failed', data: value } })],
    [1, () => message(scene, called(draw, value))],
  ])()
}

/** As `structuredContent` with its printed copy in a text, as the specification asks. */
export const structured = (value: Value): { readonly [key: string]: Value } => {
  const inside = Array.isArray(value) ? { rows: value } : value
  return {
    result: { content: [block(print(inside))], structuredContent: inside },
  }
}

const resource = (draw: Draw, text: string): { readonly [key: string]: Value } => ({
  result: {
    contents: [
      { uri: `db://${tableName(draw)}/${draw.int(1, 999)}`, mimeType: 'application/json', text },
    ],
  },
})
const logged = (value: Value): { readonly [key: string]: Value } => ({
  method: 'notifications/message',
  params: { level: 'info', data: value },
})
const called = (draw: Draw, value: Value): { readonly [key: string]: Value } => ({
  method: 'tools/call',
  params: {
    name: draw.pick(['create_payment', 'insert_row', 'upsert']),
    arguments: Array.isArray(value) ? { rows: value } : value,
  },
})
