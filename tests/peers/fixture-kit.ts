/** What the files of the fixture server share: the shape of a tool, small content makers. */
import { inputRequired } from '@modelcontextprotocol/server'
import type {
  CallToolResult,
  InputRequest,
  InputRequiredResult,
  ServerContext,
  StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'

export type ToolAnswer = CallToolResult | InputRequiredResult
export type ToolArguments = Readonly<Record<string, unknown>>

/** One tool of the fixture. `run` gets the checked arguments. */
export interface FixtureTool {
  readonly name: string
  readonly description: string
  readonly inputSchema?: StandardSchemaWithJSON
  run(args: ToolArguments, ctx: ServerContext): ToolAnswer | Promise<ToolAnswer>
}

/** A 1×1 red pixel. */
export const pngBase64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
/** A WAV file without a single sample. */
export const wavBase64 = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='

export function text(words: string): CallToolResult {
  return { content: [{ type: 'text', text: words }] }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

/** A form of one field, as an input request. */
export function ask(message: string, field: string, type: 'string' | 'boolean'): InputRequest {
  const property = type === 'string' ? { type: 'string' as const } : { type: 'boolean' as const }
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: property }, required: [field] },
  })
}

/** A completion of the client's model, as an input request. */
export function askModel(words: string, maxTokens: number): InputRequest {
  const message = { role: 'user' as const, content: { type: 'text' as const, text: words } }
  return inputRequired.createMessage({ messages: [message], maxTokens })
}

/** A member of something whose shape is not known; undefined when it is not there. */
export function member(value: unknown, ...path: string[]): unknown {
  let at = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = Reflect.get(at, key)
  }
  return at
}
