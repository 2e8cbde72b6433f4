/** Which schema the result of a call must fit: lists of tools are read as they pass, never fetched. */
import { fitting } from '../mask/fit.ts'
import type { Fit } from '../mask/fit.ts'
import { NONE, stringAt } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Message } from '../wire/message.ts'
import type { Stations } from './stations.ts'
import type { Known, Leg } from './way.ts'

/** Notes the schemas of a `tools/list` result, and the task that a call became. */
export function learnSchemas(message: Message, leg: Leg, known: Known, at: Stations): void {
  const { tree, node } = message
  const connection = known.connection.name
  const result = tree.get(node, 'result')
  if (result === NONE) return
  if (leg.method === 'tools/list') {
    const tools = tree.get(result, 'tools')
    if (tools === NONE || tree.kind(tools) !== 'array') return
    for (let tool = tree.first(tools); tool !== NONE; tool = tree.next(tool)) {
      const name = stringAt(tree, tree.get(tool, 'name'))
      const schema = tree.get(tool, 'outputSchema')
      const isSchema = schema !== NONE && tree.kind(schema) === 'object'
      if (name !== undefined)
        at.schemas.learn(connection, name, isSchema ? tree.raw(schema) : undefined)
    }
  } else if (leg.method === 'tools/call' && leg.target.kind === 'tool') {
    const taskId = taskIdOf(tree, result)
    if (taskId !== undefined) at.schemas.noteTask(connection, taskId, leg.target.name)
  }
}

/** Flat in the modern era, under `task` before (MCP 2025-11-25, Tasks). */
function taskIdOf(tree: JsonTree, result: Node): string | undefined {
  const flat = stringAt(tree, tree.get(result, 'taskId'))
  return flat ?? stringAt(tree, tree.get(tree.get(result, 'task'), 'taskId'))
}

/** How to fit a message; undefined for all but results of tools whose schema masking could break. */
export function fitOf(message: Message, leg: Leg, known: Known, at: Stations): Fit | undefined {
  if (message.kind !== 'response') return undefined
  const { tree, node } = message
  const connection = known.connection.name
  const tool =
    leg.target.kind === 'task' ? at.schemas.toolOf(connection, leg.target.name) : leg.target.name
  const isResult = leg.method === 'tools/call' || leg.method === 'tasks/result'
  if (tool === undefined || (!isResult && leg.method !== 'tasks/get')) return undefined
  const outer = tree.get(node, 'result')
  // `tasks/get` of the modern era has the result inside.
  const result = isResult ? outer : tree.get(outer, 'result')
  if (tree.get(result, 'structuredContent') === NONE) return undefined
  const schema = at.schemas.of(connection, tool)
  if (schema === undefined || !schema.isTight) return undefined
  const { reveal } = known.plan
  const word = (text: string): string => at.masker.word(text).value
  return fitting({ tree, result, schema, reveal, word })
}
