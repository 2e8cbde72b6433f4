/** What an expression is, as far as its text tells: literals, and what is computed of them alone. */
import type { Expr, Literal } from './statement.ts'

/** `known` with its value; `open` where it depends on something, or where databases would differ. */
export type Folded = { readonly known: true; readonly value: Literal } | { readonly known: false }

const open: Folded = { known: false }
const isTrue = known(true)
const isFalse = known(false)

function known(value: Literal): Folded {
  return { known: true, value }
}

/** Folds what can be folded. Of `and` and `or` one side may be enough: `1=1 OR x` is true. */
export function fold(expr: Expr): Folded {
  switch (expr.kind) {
    case 'literal':
      return known(expr.value)
    case 'cast':
      return foldCast(fold(expr.of), expr.type)
    case 'operator':
      return foldOperator(expr.operator, expr.args)
    case 'call':
      return expr.beside.length ? open : foldCall(expr.name, expr.args)
    case 'case':
      return foldCase(expr)
    case 'query':
      return expr.use === 'exists' && isOneRow(expr) ? isTrue : foldScalar(expr)
    case 'parameter':
    case 'column':
    case 'star':
    case 'other':
      return open
    default:
      return expr satisfies never
  }
}

/** The truth of a value as a condition: undefined where it is not known, false for null. */
export function truth(folded: Folded): boolean | undefined {
  if (!folded.known) return undefined
  const { value } = folded
  if (typeof value === 'string') {
    const word = value.trim().toLowerCase()
    if (/^(t|true|y|yes|on)$/.test(word)) return true
    if (/^(f|false|n|no|off)$/.test(word)) return false
    return Number.parseFloat(word) ? true : undefined
  }
  return Boolean(value)
}

function foldCast(of: Folded, type: string): Folded {
  if (!of.known || of.value === null) return of
  if (/bool/.test(type)) {
    const value = truth(of)
    return value === undefined ? open : known(value)
  }
  if (/int|numeric|decimal|float|double|real|number/.test(type)) {
    const number = Number(of.value)
    return Number.isNaN(number) ? open : known(/int/.test(type) ? Math.round(number) : number)
  }
  return /char|text|string|name/.test(type) ? known(textOf(of.value)) : open
}

function textOf(value: Literal): string {
  return value === null ? '' : String(value)
}

function foldOperator(operator: string, args: readonly Expr[]): Folded {
  if (operator === 'and' || operator === 'or') return foldLogic(operator, args)
  const values = args.map(fold)
  const [first = open, ...rest] = values
  switch (operator) {
    case 'not': {
      const value = truth(first)
      if (first.known && first.value === null) return known(null)
      return value === undefined ? open : known(!value)
    }
    case 'is_null':
      return first.known ? known(first.value === null) : open
    case 'is_not_null':
      return first.known ? known(first.value !== null) : open
    case 'is_true':
      return first.known ? decided(truth(first)) : open
    case 'is_false':
      return first.known ? decided(negated(first.value === null ? true : truth(first))) : open
    case 'in':
      return foldIn(first, rest)
    case 'not_in':
      return inverted(foldIn(first, rest))
    case 'between':
      return foldBetween(values)
    case 'not_between':
      return inverted(foldBetween(values))
    default:
      return foldPair(operator, values)
  }
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value
}

function decided(value: boolean | undefined): Folded {
  return value === undefined ? open : known(value)
}

function inverted(folded: Folded): Folded {
  return folded.known && typeof folded.value === 'boolean' ? known(!folded.value) : folded
}

function foldLogic(operator: 'and' | 'or', args: readonly Expr[]): Folded {
  const values = args.map((arg) => fold(arg))
  const decisive = operator === 'or'
  if (values.some((value) => truth(value) === decisive && isSure(value))) return known(decisive)
  if (!values.every((value) => value.known && truth(value) !== undefined)) return open
  return values.some((value) => value.known && value.value === null)
    ? known(null)
    : known(!decisive)
}

function isSure(value: Folded): boolean {
  return value.known && value.value !== null
}

function foldIn(left: Folded, items: readonly Folded[]): Folded {
  const found = items.map((item) => compare('=', left, item))
  if (found.some((item) => truth(item) === true)) return isTrue
  return found.every((item) => item.known && item.value === false) ? isFalse : open
}

function foldBetween([value = open, low = open, high = open]: readonly Folded[]): Folded {
  const above = compare('>=', value, low)
  const below = compare('<=', value, high)
  if (truth(above) && truth(below)) return isTrue
  const isOut = [above, below].some((part) => part.known && part.value === false)
  return isOut ? isFalse : open
}

const comparisons = new Set(['=', '==', '<>', '!=', '<', '<=', '>', '>=', '<=>', 'is', 'is_not'])

function foldPair(operator: string, values: readonly Folded[]): Folded {
  const [left = open, right = open] = values
  if (comparisons.has(operator)) return compare(operator, left, right)
  if (!left.known) return open
  if (values.length === 1) return foldUnary(operator, left.value)
  if (!right.known) return open
  if (left.value === null || right.value === null) return known(null)
  if (operator === '||') return known(textOf(left.value) + textOf(right.value))
  if (operator === 'like' || operator === 'ilike') return foldLike(left.value, right.value)
  if (operator === 'not_like') return inverted(foldLike(left.value, right.value))
  return foldSum(operator, Number(left.value), Number(right.value))
}

function foldUnary(operator: string, value: Literal): Folded {
  const number = Number(value)
  if (value === null || Number.isNaN(number)) return open
  return operator === '-' ? known(-number) : operator === '+' ? known(number) : open
}

function foldLike(value: Literal, pattern: Literal): Folded {
  if (/^%+$/.test(textOf(pattern))) return isTrue
  if (/[%_\\]/.test(textOf(pattern))) return open
  return compare('=', known(value), known(pattern))
}

function foldSum(operator: string, a: number, b: number): Folded {
  if (Number.isNaN(a) || Number.isNaN(b)) return open
  if (operator === '+') return known(a + b)
  if (operator === '-') return known(a - b)
  if (operator === '*') return known(a * b)
  return open
}

/** Equality of text differs between databases (case, blanks at the end, collations): what is only
 *  nearly equal stays open. */
function compare(operator: string, left: Folded, right: Folded): Folded {
  if (!left.known || !right.known) return open
  const [a, b] = [left.value, right.value]
  if (a === null || b === null) {
    return operator === '<=>' || operator === 'is' ? known(a === b) : known(null)
  }
  const order = orderOf(a, b)
  if (order === undefined) return open
  if (operator === '=' || operator === '==' || operator === '<=>' || operator === 'is') {
    return known(order === 0)
  }
  if (operator === '<>' || operator === '!=' || operator === 'is_not') return known(order !== 0)
  if (typeof a === 'string' && typeof b === 'string' && order !== 0) return open
  if (operator === '<') return known(order < 0)
  if (operator === '<=') return known(order <= 0)
  return operator === '>' ? known(order > 0) : known(order >= 0)
}

function orderOf(a: Literal, b: Literal): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') {
    if (a === b) return 0
    return a.trim().toLowerCase() === b.trim().toLowerCase() ? undefined : a < b ? -1 : 1
  }
  const [x, y] = [numberOf(a), numberOf(b)]
  if (Number.isNaN(x) || Number.isNaN(y)) return undefined
  return Math.sign(x - y)
}

function numberOf(value: Literal): number {
  return typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
}

function foldCall(name: string, args: readonly Expr[]): Folded {
  const values = args.map(fold)
  const [first = open, second = open] = values
  if (name === 'coalesce' || name === 'ifnull' || name === 'nvl' || name === 'isnull') {
    const given = values.find((value) => !value.known || value.value !== null)
    return given ?? (values.length ? known(null) : open)
  }
  if (name === 'true') return isTrue
  if (!first.known || first.value === null) return open
  const text = textOf(first.value)
  if (name === 'length' || name === 'char_length' || name === 'len') return known(text.length)
  if (name === 'lower') return known(text.toLowerCase())
  if (name === 'upper') return known(text.toUpperCase())
  if (name === 'trim' && values.length === 1) return known(text.trim())
  if (name === 'abs') return Number.isNaN(Number(text)) ? open : known(Math.abs(Number(text)))
  if (name === 'concat' && values.every((value) => value.known)) {
    return known(values.map((value) => (value.known ? textOf(value.value) : '')).join(''))
  }
  if (name === 'nullif' && second.known) {
    const isSame = truth(compare('=', first, second))
    return isSame === undefined ? open : isSame ? known(null) : first
  }
  return open
}

function foldCase(expr: Extract<Expr, { kind: 'case' }>): Folded {
  for (const { when, then } of expr.whens) {
    const subject = expr.subject
    const chosen = truth(subject ? compare('=', fold(subject), fold(when)) : fold(when))
    if (chosen === undefined) return open
    if (chosen) return fold(then)
  }
  return expr.otherwise ? fold(expr.otherwise) : known(null)
}

type Subquery = Extract<Expr, { kind: 'query' }>

/** `EXISTS (SELECT 1)`: no table, so a row. */
function isOneRow({ query }: Subquery): boolean {
  return query.kind === 'values' || (query.kind === 'select' && !query.from.length && !query.where)
}

/** `(SELECT 1)`, `1 IN (SELECT 1)`. */
function foldScalar({ use, left, query }: Subquery): Folded {
  if (query.kind !== 'select' || query.from.length || query.where || query.limit !== undefined)
    return open
  const [output, ...others] = query.outputs
  if (!output || others.length) return open
  if (use === 'scalar') return fold(output.expr)
  return use === 'compare' && left ? foldIn(fold(left), [fold(output.expr)]) : open
}
