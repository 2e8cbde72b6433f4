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

/** The operands of the outermost `&&` or `||`, however they are bracketed; else the node alone. */
export function operandsOf(node: ASTNode, op: '&&' | '||'): ASTNode[] {
  if (node.op !== op) return [node]
  return node.args.flatMap((inner) => operandsOf(inner, op))
}

/**
 * The variables an expression looks at, those that run along its lists left out: `sql`, and where a
 * member is asked for by name, `tool.changed`.
 */
export function readsOf(node: ASTNode, running: ReadonlySet<string> = new Set()): Set<string> {
  if (node.op === 'id') return new Set(running.has(node.args) ? [] : [node.args])
  if (node.op === '.') {
    const [of, member] = node.args
    if (of.op === 'id') return new Set(running.has(of.args) ? [] : [`${of.args}.${member}`])
  }
  if (node.op === 'rcall' && loops.has(node.args[0])) {
    const [, over, [variable, ...body]] = node.args
    const inside = new Set(running)
    if (variable?.op === 'id') inside.add(variable.args)
    const found = body.map((each) => readsOf(each, inside))
    return new Set([readsOf(over, running), ...found].flatMap((some) => [...some]))
  }
  return new Set(innerNodes(node).flatMap((inner) => [...readsOf(inner, running)]))
}

/** Calls whose first argument runs along a list. */
export const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter'])

function nodesIn(value: unknown): ASTNode[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn)
  return isNode(value) ? [value] : []
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
