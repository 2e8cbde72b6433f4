/** Whether a condition on one relation of a query leaves few rows of the others as well. */
import type { Expr, Relation, Select } from './statement.ts'

/** Columns by whose equality a row finds the few that belong to it. */
const linkNames = /(?:^|_)(?:id|uuid|guid|key|no|num|number|ref|pan|token|email|code)$|id$/

/** More rows of a derived table are as good as all of them. */
const fewRows = 100

/**
 * Whether each table is joined to the others by an equality of columns: without one, what is named by a
 * key in one table stands beside every row of the other.
 */
export function isLinked({ from, where }: Pick<Select, 'from' | 'where'>): boolean {
  const relations = from.flatMap(leavesOf)
  const many = relations.filter((relation) => !isFew(relation))
  if (many.length < 2) return true
  const links = [...from.flatMap(linksOf), ...linksIn(where)]
  return links.length >= many.length - 1
}

function leavesOf(relation: Relation): Relation[] {
  if (relation.kind !== 'join') return [relation]
  return [...leavesOf(relation.left), ...leavesOf(relation.right)]
}

/** What it is computed from has been looked at where it stands. */
function isFew(relation: Relation): boolean {
  if (relation.kind === 'call') return true
  if (relation.kind !== 'query') return false
  const { query } = relation
  if (query.kind === 'values') return true
  if (query.kind === 'change') return false
  if (query.kind === 'select' && query.from.length === 0) return true
  return typeof query.limit === 'number' && query.limit <= fewRows
}

function linksOf(relation: Relation): string[] {
  if (relation.kind !== 'join') return []
  const { left, on, right, using } = relation
  const common = using.filter((name) => linkNames.test(name)).slice(0, 1)
  return [...linksOf(left), ...linksOf(right), ...linksIn(on), ...common]
}

/** The equalities of a conjunction. */
function linksIn(expr: Expr | undefined): string[] {
  if (expr?.kind !== 'operator') return []
  if (expr.operator === 'and') return expr.args.flatMap(linksIn)
  const [left, right] = expr.args
  if (!['=', '==', '<=>'].includes(expr.operator)) return []
  if (left?.kind !== 'column' || right?.kind !== 'column') return []
  const isOfTwo =
    left.qualifier.join('.') !== right.qualifier.join('.') || left.qualifier.length === 0
  const isLink = linkNames.test(left.name) || linkNames.test(right.name)
  return isOfTwo && isLink ? [left.name] : []
}
