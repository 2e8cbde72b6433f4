/**
 * The output schemas that servers listed, by connection and tool. A schema that is not known, or is
 * too large, is not asked for: then the usual forms stand.
 */
import { OutputSchema } from './validate.ts'

const toolsMax = 1024
const schemaBytesMax = 256 * 1024
/** Of one connection, all its schemas. */
const bytesMax = 4 * 1024 * 1024
const connectionsMax = 1024
/** Tasks of one connection whose results are awaited. */
const tasksMax = 1024

interface Known {
  readonly bytes: Uint8Array
  /** Made when first asked for. */
  schema: OutputSchema | undefined
}

interface Connection {
  /** The least recently listed or called first. */
  readonly tools: Map<string, Known>
  readonly tasks: Map<string, string>
  bytes: number
}

export class OutputSchemas {
  readonly #connections = new Map<string, Connection>()

  /**
   * Takes what a list says of a tool; the newest list counts.
   * @param schema the JSON text of its `outputSchema`, which is copied; undefined where it has none.
   */
  learn(connection: string, tool: string, schema: Uint8Array | undefined): void {
    const isKept = schema !== undefined && schema.length <= schemaBytesMax
    const at = this.#connection(connection, isKept)
    if (at === undefined) return
    const known = at.tools.get(tool)
    if (known !== undefined) forget(at, tool, known)
    if (!isKept) return
    const isSame = known !== undefined && Buffer.compare(known.bytes, schema) === 0
    const now = isSame ? known : { bytes: Uint8Array.from(schema), schema: undefined }
    at.tools.set(tool, now)
    at.bytes += now.bytes.length
    for (const [name, oldest] of at.tools) {
      if (at.tools.size <= toolsMax && at.bytes <= bytesMax) break
      forget(at, name, oldest)
    }
  }

  /** The schema of a tool, as its server gave it. */
  of(connection: string, tool: string): OutputSchema | undefined {
    const at = this.#connections.get(connection)
    const known = at?.tools.get(tool)
    if (at === undefined || known === undefined) return undefined
    at.tools.delete(tool)
    at.tools.set(tool, known)
    known.schema ??= read(known.bytes)
    return known.schema
  }

  /** A call was answered by a task: its result will come under the task's name. */
  noteTask(connection: string, taskId: string, tool: string): void {
    const at = this.#connection(connection, false)
    if (at === undefined || !at.tools.has(tool)) return
    at.tasks.delete(taskId)
    at.tasks.set(taskId, tool)
    const [oldest] = at.tasks.keys()
    if (at.tasks.size > tasksMax && oldest !== undefined) at.tasks.delete(oldest)
  }

  /** The tool whose call became the task. */
  toolOf(connection: string, taskId: string): string | undefined {
    return this.#connections.get(connection)?.tasks.get(taskId)
  }

  #connection(name: string, isMade: boolean): Connection | undefined {
    const known = this.#connections.get(name)
    // Names come from the configuration, so there are never that many.
    if (known !== undefined || !isMade || this.#connections.size >= connectionsMax) return known
    const made = { tools: new Map<string, Known>(), tasks: new Map<string, string>(), bytes: 0 }
    this.#connections.set(name, made)
    return made
  }
}

function forget(at: Connection, tool: string, known: Known): void {
  at.tools.delete(tool)
  at.bytes -= known.bytes.length
}

function read(bytes: Uint8Array): OutputSchema {
  const schema: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
  return new OutputSchema(schema)
}
