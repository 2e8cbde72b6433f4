/**
 * `Mcp-Param-*` headers repeat arguments which a tool's schema marks with `x-mcp-header`
 * (MCP 2026-07-28, Streamable HTTP). The schema is known once a list with the tool has passed;
 * before that the headers are passed on and the server checks them.
 */
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import { checkParamMirrors } from '../wire/message.ts'
import type { HeaderView, Message } from '../wire/message.ts'
import { paramMirrors, writeParamMirrors } from '../wire/mirrors.ts'
import type { ParamMirror } from '../wire/mirrors.ts'

/** Bounds what lists of servers can make us keep. */
const toolsMax = 10_000

export class ToolMirrors {
  readonly #known = new Map<string, readonly ParamMirror[]>()

  /** Takes what a `tools/list` result says of its tools; the newest list counts. */
  learn(connection: string, tree: JsonTree, result: Node): void {
    const tools = tree.get(result, 'tools')
    if (tools === NONE || tree.kind(tools) !== 'array') return
    for (let tool = tree.first(tools); tool !== NONE; tool = tree.next(tool)) {
      const name = tree.get(tool, 'name')
      const schema = tree.get(tool, 'inputSchema')
      if (name === NONE || tree.kind(name) !== 'string') continue
      const key = `${connection}\n${tree.text(name)}`
      const mirrors = schema === NONE ? [] : paramMirrors(tree, schema)
      if (mirrors.length === 0) this.#known.delete(key)
      else if (this.#known.size < toolsMax) this.#known.set(key, mirrors)
    }
  }

  /** The headers of a call that is made here. */
  headersOf(connection: string, tool: string, message: Message): [name: string, value: string][] {
    return writeParamMirrors(message, this.#known.get(`${connection}\n${tool}`) ?? [])
  }

  /** @throws {Fault} `header_mismatch` when a header and its argument differ, or one is missing. */
  check(connection: string, message: Message, headers: HeaderView): void {
    if (message.method !== 'tools/call' || this.#known.size === 0) return
    const { tree, params } = message
    const name = tree.get(params, 'name')
    if (name === NONE || tree.kind(name) !== 'string') return
    const mirrors = this.#known.get(`${connection}\n${tree.text(name)}`)
    if (mirrors !== undefined) checkParamMirrors(message, headers, mirrors)
  }
}
