/** Whether two texts say the same, however their JSON is spelt. */
import { readWhole, unquoted } from './json.ts'
import type { Node } from './json.ts'

/** A text as plain data: strings of JSON in it read as JSON, numbers as they stand. */
export function saidBy(text: string): unknown {
  const read = /^\s*["{[]/.test(text) ? readWhole(text) : undefined
  if (read === undefined) return text.replaceAll(/0 +(?=[,}\]])/g, '0')
  return { json: read.values.map((node) => saidByNode(text, node)) }
}

function saidByNode(text: string, node: Node | undefined): unknown {
  if (node === undefined) return 'cut'
  switch (node.kind) {
    case 'string':
      return saidBy(
        unquoted(text, node)
          .map(({ character }) => character)
          .join(''),
      )
    case 'number':
    case 'literal':
      return { token: text.slice(node.start, node.end) }
    case 'array':
      return node.elements.map((element) => saidByNode(text, element))
    case 'object':
      return node.members.map(({ key, value }) => [saidByNode(text, key), saidByNode(text, value)])
  }
}
