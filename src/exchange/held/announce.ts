/**
 * Says that calls may become tasks, where holds are on: clients of the extension take a task only from
 * who announces it (MCP 2026-07-28, `server/discover`; extension Tasks). It is put into the server's own
 * answer, beside everything that stands there.
 */
import { NONE } from '../../wire/json.ts'
import type { JsonTree, Node } from '../../wire/json.ts'
import type { Edit } from '../../wire/splice.ts'

const member = '"io.modelcontextprotocol/tasks":{}'

/** @param message an answer to `server/discover`. @returns no edit where it announces them itself. */
export function announceTasks(tree: JsonTree, message: Node): readonly Edit[] {
  const capabilities = tree.get(tree.get(message, 'result'), 'capabilities')
  if (capabilities === NONE || tree.kind(capabilities) !== 'object') return []
  const extensions = tree.get(capabilities, 'extensions')
  if (extensions === NONE) return [first(tree, capabilities, `"extensions":{${member}}`)]
  if (tree.kind(extensions) !== 'object') return []
  const isThere = tree.get(extensions, 'io.modelcontextprotocol/tasks') !== NONE
  return isThere ? [] : [first(tree, extensions, member)]
}

/** A member ahead of all others of an object. */
function first(tree: JsonTree, object: Node, text: string): Edit {
  const at = tree.start(object) + 1
  const comma = tree.size(object) > 0 ? ',' : ''
  return { start: at, end: at, bytes: Buffer.from(`${text}${comma}`) }
}
