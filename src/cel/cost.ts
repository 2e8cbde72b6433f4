/**
 * What an expression may cost, in steps of some twenty nanoseconds, as a function of how large its
 * facts are: an upper bound, reckoned along its tree. CEL has no loops but over lists, so there is one.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import { countNodes, innerNodes, loops } from './nodes.ts'
import { patternCost, textCharactersMax } from './patterns.ts'
import type { Size } from './size.ts'

export type Cost = (size: Size) => number

/** More is not begun: about a tenth of a second. */
export const stepsMax = 5_000_000

/** What an expression must be good for when it is read. */
export const typicalSize: Size = { longest: 100, values: 400, text: 256 }

/** No facts within these bounds cost more than facts of this size. */
const boundSize: Size = { ...typicalSize, each: typicalSize.values }

/** Whether a cost has to be reckoned for facts of some size: not where the bound is cheap enough. */
export function costCheck(cost: Cost): (size: Size) => boolean {
  const isCheap = cost(boundSize) <= stepsMax
  const { longest, text, values } = boundSize
  return (size) =>
    (isCheap && size.longest <= longest && size.values <= values && size.text <= text) ||
    // `!(… > …)` would let a cost through that is no number.
    cost(size) <= stepsMax
}

/** No list that is written out is longer. */
const writtenMax = 200

/** The cost of the node and all below it. @param elements variables that run along lists of facts. */
export function costOf(node: ASTNode, elements: ReadonlySet<string> = new Set()): Cost {
  if (node.op === 'rcall' && loops.has(node.args[0])) {
    return loopCost(node.args[1], node.args[2], elements)
  }
  const below = innerNodes(node).map((inner) => costOf(inner, elements))
  const own = ownCost(node, elements)
  return (size) => below.reduce((sum, cost) => sum + cost(size), own(size))
}

function loopCost(
  over: ASTNode,
  [variable, ...body]: readonly ASTNode[],
  elements: ReadonlySet<string>,
): Cost {
  const inside = new Set(elements)
  if (variable?.op === 'id') {
    inside.delete(variable.args)
    if (isOfFacts(over, elements)) inside.add(variable.args)
  }
  const list = costOf(over, elements)
  const each = body.map((node) => costOf(node, inside))
  return (size) => {
    const once = each.reduce((sum, cost) => sum + cost(size), 2)
    return list(size) + Math.max(size.longest, writtenMax) * once
  }
}

/** Of all languages. */
const variables: ReadonlySet<string> = new Set(
  'principal claims connection call sql findings exposure tool time source'.split(' '),
)

/** Whether a list is one of the facts or part of it, so that its elements together are no larger. */
function isOfFacts(node: ASTNode, elements: ReadonlySet<string>): boolean {
  if (node.op === 'id') return variables.has(node.args) || elements.has(node.args)
  if (node.op === 'rcall') return node.args[0] === 'filter' && isOfFacts(node.args[1], elements)
  return (node.op === '.' || node.op === '[]') && isOfFacts(node.args[0], elements)
}

/** A text is compared or searched many characters a step. */
const charactersAStep = 16

function ownCost(node: ASTNode, elements: ReadonlySet<string>): Cost {
  const text = (size: Size): number => 1 + size.text / charactersAStep
  if (node.op === 'rcall' && node.args[0].startsWith('matches')) {
    const perCharacter = patternCost(node.args[2][0]?.args)
    return (size) => 10 + Math.min(size.text, textCharactersMax) * perCharacter
  }
  if (node.op === 'call' || node.op === 'rcall') return text
  if (node.op !== '==' && node.op !== '!=' && node.op !== 'in') return () => 1
  const [left, right] = node.args
  const narrow = node.op === 'in' ? [right] : [left, right]
  // Beside a literal there is one comparison.
  if (narrow.some((side) => side.op === 'value')) return text
  // A loop compares each of its elements, which together are no more than the facts.
  if (narrow.some((side) => isElement(side, elements))) {
    return (size) => 1 + (size.each ?? size.values / Math.max(1, size.longest)) + text(size)
  }
  // Else each side may be all there is, and a list that is written out may name it several times.
  const times = narrow.reduce(
    (sum, side) => sum + (isOfFacts(side, elements) ? 1 : countNodes(side)),
    0,
  )
  return (size) => size.values * times + text(size)
}

function isElement(node: ASTNode, elements: ReadonlySet<string>): boolean {
  if (node.op === 'id') return elements.has(node.args)
  return (node.op === '.' || node.op === '[]') && isElement(node.args[0], elements)
}
