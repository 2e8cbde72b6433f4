/**
 * Expressions as a tree of operators. How tightly operators bind differs a little between servers; what
 * depends on it here is only whether a WHERE is always true, so the common order is taken.
 */
import type { Expr } from './statement.ts'
import { callOf, operand } from './other-operands.ts'
import type { Cursor } from './other-cursor.ts'
import { queryInParens, isQuery } from './other-query.ts'
import { Unread } from './other-tokens.ts'

const power: Readonly<Record<string, number>> = {
  ':=': 1, '=>': 1, OR: 2, XOR: 3, AND: 4, '&&': 4, '=': 6, '==': 6, '<=>': 6, '<>': 6, '!=': 6, '^=': 6,
  '~=': 6, '<': 6, '>': 6, '<=': 6, '>=': 6, '!<': 6, '!>': 6, '|': 7, '&': 8, '<<': 9, '>>': 9, '+': 10,
  '-': 10, '*': 11, '/': 11, '%': 11, DIV: 11, MOD: 11, '^': 12, '||': 13, '->': 14, '->>': 14,
} // prettier-ignore
const not = 5
const comparison = 6
const tight = 20

const names: Readonly<Record<string, string>> = {
  '==': '=', '!=': '<>', '^=': '<>', '~=': '<>', '!<': '>=', '!>': '<=', '&&': 'and', '<=>': 'is_not_distinct',
} // prettier-ignore

/** A chain of different operators of one strength stands as deep as it is long. */
const chainMax = 400

export function expression(cursor: Cursor, least = 0): Expr {
  return cursor.deeper(() => {
    let left = prefix(cursor)
    for (let nested = 0; nested <= chainMax;) {
      const more = infix(cursor, left, least)
      if (more === undefined) return left
      if (!growing.has(more)) nested += 1
      left = more
    }
    throw new Unread('too_deep')
  })
}

function operator(name: string, args: readonly Expr[]): Expr {
  return { kind: 'operator', operator: name, args }
}

/** A condition: what stands in WHERE, ON and HAVING. */
export function condition(cursor: Cursor): Expr {
  const before = cursor.condition
  cursor.condition = true
  const expr = expression(cursor)
  cursor.condition = before
  return expr
}

function prefix(cursor: Cursor): Expr {
  if (cursor.eat('NOT')) return operator('not', [expression(cursor, not)])
  if (cursor.eatSign('!')) return operator('not', [expression(cursor, tight)])
  for (const word of ['PRIOR', 'CONNECT_BY_ROOT', 'BINARY']) {
    if (cursor.is(word) && !cursor.isSign('(', 1) && cursor.isOperand(1)) {
      cursor.next()
      return { kind: 'other', args: [expression(cursor, tight)] }
    }
  }
  const sign = cursor.peek()
  if (sign.kind === 'sign' && ['-', '+', '~'].includes(sign.text)) {
    cursor.next()
    const of = expression(cursor, tight)
    if (of.kind === 'literal' && typeof of.value === 'number' && sign.text !== '~') {
      return { kind: 'literal', value: sign.text === '-' ? -of.value : of.value }
    }
    return operator(sign.text, [of])
  }
  return operand(cursor)
}

function infix(cursor: Cursor, left: Expr, least: number): Expr | undefined {
  const special = comparison >= least ? predicate(cursor, left) : undefined
  if (special !== undefined) return special
  const postfix = suffix(cursor, left)
  if (postfix !== undefined) return postfix
  const token = cursor.peek()
  if (token.kind !== 'sign' && token.kind !== 'word') return undefined
  const isOr = token.text === '||' && cursor.mysql
  const strength = isOr ? 2 : Object.hasOwn(power, token.text) ? power[token.text] : undefined
  if (strength === undefined || strength < least || (isOr && least > 2)) return undefined
  cursor.next()
  if (strength === comparison) {
    const compared = quantified(cursor, left)
    if (compared !== undefined) return compared
  }
  const right = expression(cursor, strength + 1)
  const plain = names[token.text] ?? token.text.toLowerCase()
  return joined(isOr && cursor.condition ? 'or' : plain, left, right)
}

/** `a AND b AND c` as one operator of three, so that no chain is too deep for its reader. */
function joined(name: string, left: Expr, right: Expr): Expr {
  const flat = ['and', 'or', '+', '||'].includes(name)
  if (flat && left.kind === 'operator' && left.operator === name && left.args.length > 1) {
    return extend(left, right)
  }
  return operator(name, [bare(left, right), bare(right, left)])
}

/** The arrays of chains that are being read: growing one in place keeps a long chain linear. */
const growing = new WeakMap<Expr, Expr[]>()
function extend(left: Expr & { kind: 'operator' }, right: Expr): Expr {
  const args = growing.get(left) ?? [...left.args]
  args.push(right)
  const made: Expr = { kind: 'operator', operator: left.operator, args }
  growing.set(made, args)
  return made
}

/** `"a" = "a"` of MySQL, where either may be a string: compared with each other, they are taken as such. */
function bare(of: Expr, beside: Expr): Expr {
  const [text, column] = of.kind === 'other' ? of.args : []
  const is = of.kind === 'other' && of.args.length === 2 && text?.kind === 'literal'
  const same = is && column?.kind === 'column'
  return same && text !== undefined && (beside.kind === 'other' || beside.kind === 'literal')
    ? text
    : of
}

/** `= ANY (SELECT …)`, `> ALL (1, 2)`. */
function quantified(cursor: Cursor, left: Expr): Expr | undefined {
  const quantifier = ['ANY', 'ALL', 'SOME'].find((word) => cursor.is(word) && cursor.isSign('(', 1))
  if (quantifier === undefined) return undefined
  cursor.next()
  const query = cursor.attempt(() => queryInParens(cursor))
  if (query !== undefined) return { kind: 'query', use: 'compare', left, query }
  const items = cursor.inParens(() => cursor.list(() => expression(cursor)))
  return { kind: 'other', args: [left, ...items] }
}

/** COLLATE and AT TIME ZONE, `::type`. */
function suffix(cursor: Cursor, left: Expr): Expr | undefined {
  if (cursor.eat('COLLATE')) {
    cursor.next()
    return { kind: 'other', args: [left] }
  }
  if (cursor.eat('AT', 'TIME', 'ZONE')) return { kind: 'other', args: [left, operand(cursor)] }
  if (cursor.eat('AT', 'LOCAL')) return { kind: 'other', args: [left] }
  return undefined
}

const likes: Readonly<Record<string, string>> = {
  LIKE: 'like', REGEXP: 'like', RLIKE: 'like', GLOB: 'like', MATCH: 'like',
  LIKEC: 'like', LIKE2: 'like', LIKE4: 'like',
} // prettier-ignore

function predicate(cursor: Cursor, left: Expr): Expr | undefined {
  if (cursor.eat('IS')) return is(cursor, left)
  if (cursor.eat('ISNULL')) return operator('is_null', [left])
  if (cursor.eat('NOTNULL')) return operator('is_not_null', [left])
  if (cursor.eat('NOT', 'NULL')) return operator('is_not_null', [left])
  if (cursor.eat('SOUNDS', 'LIKE'))
    return operator('like', [left, expression(cursor, comparison + 1)])
  if (cursor.eat('MEMBER', 'OF') || cursor.eat('MEMBER')) {
    return operator('in', [left, expression(cursor, comparison + 1)])
  }
  const negated = cursor.is('NOT')
  const word = cursor.peek(negated ? 1 : 0)
  if (word.kind !== 'word') return undefined
  const prefixed = negated ? 'not_' : ''
  const like = Object.hasOwn(likes, word.text) ? likes[word.text] : undefined
  if (like === undefined && word.text !== 'IN' && word.text !== 'BETWEEN') return undefined
  if (negated) cursor.next()
  cursor.next()
  if (word.text === 'IN') return within(cursor, left, `${prefixed}in`)
  const first = expression(cursor, comparison + 1)
  if (word.text === 'BETWEEN') {
    cursor.expect('AND')
    return operator(`${prefixed}between`, [left, first, expression(cursor, comparison + 1)])
  }
  const escape = cursor.eat('ESCAPE') ? [expression(cursor, tight)] : []
  return operator(`${prefixed}${like}`, [left, first, ...escape])
}

function is(cursor: Cursor, left: Expr): Expr {
  const negated = cursor.eat('NOT')
  const suffixed = negated ? '_not' : ''
  if (cursor.eat('NULL') || cursor.eat('UNKNOWN')) return operator(`is${suffixed}_null`, [left])
  for (const word of ['TRUE', 'FALSE']) {
    if (!cursor.eat(word)) continue
    if (!negated) return operator(`is_${word.toLowerCase()}`, [left])
    return operator('not', [operator(`is_${word.toLowerCase()}`, [left])])
  }
  if (cursor.eat('DISTINCT', 'FROM')) {
    const name = negated ? 'is_not_distinct' : 'is_distinct'
    return operator(name, [left, expression(cursor, comparison + 1)])
  }
  if (cursor.eat('JSON')) {
    const [open, shut] = [
      cursor.eat('WITH') || cursor.eat('STRICT') || cursor.eat('LAX'),
      cursor.eat('UNIQUE'),
    ]
    if (open || shut) cursor.eat('KEYS')
    return { kind: 'other', args: [left] }
  }
  // SQLite: IS compares any two values.
  return operator(negated ? '<>' : '=', [left, expression(cursor, comparison + 1)])
}

function within(cursor: Cursor, left: Expr, name: string): Expr {
  if (cursor.isSign('(') && isQuery(cursor, 1)) {
    const query = cursor.attempt(() => queryInParens(cursor))
    if (query !== undefined) return { kind: 'query', use: 'compare', left, query }
  }
  if (cursor.isSign('(')) {
    const items = cursor.inParens(() =>
      cursor.isSign(')') ? [] : cursor.list(() => expression(cursor)),
    )
    return operator(name, [left, ...items])
  }
  // SQLite: `a IN t` reads the whole of a table, `a IN f(x)` that of a function.
  const item = operand(cursor)
  if (item.kind !== 'column' || cursor.dialect !== 'sqlite') return operator(name, [left, item])
  cursor.notes.reads.push({ schema: item.qualifier.join('.'), name: item.name })
  return operator(name, [left, { kind: 'other', args: [callOf('', 'in_table', []), item] }])
}
