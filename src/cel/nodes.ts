/** The tree of an expression, as the library gives it. */
import type { ASTNode } from '@marcbachmann/cel-js'

/** The nodes right below a node. */
export function innerNodes(node: ASTNode): ASTNode[] {
  const { args }: { readonly args: unknown } = node
  return nodesIn(args)
}

/** How many nodes there are, the node itself included. */
export function countNodes(node: ASTNode): number {
  return innerNodes(node).reduce((count, inner) => count + countNodes(inner), 1)
}

function nodesIn(value: unknown): ASTNode[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn)
  return isNode(value) ? [value] : []
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
