/** What an argument does to a statement once it has left the literal that it should be. */
import type { Confidence } from './facts.ts'
import type { Sighting } from './piece.ts'
import { isJoining, readExpression } from './sql-expression.ts'
import type { Traits } from './sql-expression.ts'
import type { Token, Tokens } from './sql-tokens.ts'
import { isStatement } from './sql-verbs.ts'

/** Where the words stand. */
export interface Context {
  /** The quote which the argument closed; empty where it never was in one. */
  readonly quote: string
  /** What stands before, in the literal. */
  readonly prefix: string
  /** Where the quote stands; -1 where there was none. */
  readonly at: number
}

const sighting = (what: string, confidence: Confidence): Sighting => ({ what, confidence })
/** What an attacker leaves open for the quote of the statement: a figure, a word, nothing. */
const valuable = /^[\w%.@-]{0,24}$/
const wordy = /\p{L}{2,30}\s{1,4}\p{L}{2,30}/u

/**
 * Judges what follows after the literal. Tokens start right behind it.
 * @returns undefined where it is no continuation of a statement.
 */
export function continuation(tokens: Tokens, of: Context): Sighting | undefined {
  const { list } = tokens
  let at = 0
  while (list[at]?.kind === ')' && at < 8) at++
  const token = list[at]
  if (token === undefined) return undefined
  if (token.kind === 'C') return commentTail(token, of, at > 0)
  if (token.kind === ';') return stacked(list, at, of)
  if (isJoining(token)) return joined(list, at, of)
  if (token.kind === 'k') return worded(list, at, of, tokens)
  if (token.kind === 'i') return named(list, at)
  if (of.quote === '') return undefined
  if (token.kind === ',') return inserted(list, at)
  if (token.kind === 'o') return calculated(list, at, of)
  return undefined
}

/** Whether the statement goes on in peace behind `at`: a comment takes the rest, or a string does. */
function isClosed(list: readonly Token[], at: number, quote: string): boolean {
  let i = at
  while (list[i]?.kind === ')') i++
  const token = list[i]
  if (token === undefined) return quote === '' || list[i - 1]?.kind === 'S'
  if (isClause(list, i)) return true
  return token.kind === 'C' || token.kind === ';'
}

/** Another clause of the same statement. */
function isClause(list: readonly Token[], at: number): boolean {
  const [token, next] = list.slice(at, at + 2)
  if (token?.kind !== 'k' || next === undefined) return false
  if (token.text === 'ORDER' || token.text === 'GROUP') return next.text === 'BY'
  if (token.text === 'LIMIT' || token.text === 'OFFSET') return next.kind === 'n'
  if (token.text === 'UNION') return /^(?:ALL|SELECT|DISTINCT)$/.test(next.text)
  if (token.text === 'INTO') return /^(?:OUTFILE|DUMPFILE)$/.test(next.text) || next.kind === 'v'
  if (token.text === 'IF') return next.kind === '('
  return /^(?:HAVING|PROCEDURE|WAITFOR)$/.test(token.text)
}

function commentTail(token: Token, of: Context, hasBracket: boolean): Sighting | undefined {
  const isWordy = wordy.test(token.text) && wordy.test(`${of.prefix} x`)
  if (of.quote === '') {
    const isBlind = /^\s{0,3}[-+]?\s{0,3}$/.test(token.text) && /^\s*-?\d/.test(of.prefix)
    return isBlind && token.text !== '' ? sighting('comment_tail', 'high') : undefined
  }
  if (isWordy) return undefined
  const isShort = !/[\p{L}\d]{2}/u.test(token.text)
  const isName = /^[\w.@+-]{0,64}$/.test(of.prefix)
  if (isShort || isName || hasBracket) return sighting('comment_tail', 'high')
  return sighting('comment_tail', 'low')
}

/** `; DROP TABLE …` */
function stacked(list: readonly Token[], at: number, of: Context): Sighting | undefined {
  const next = list[at + 1]
  if (isStatement(list, at + 1)) return sighting('stacked', of.quote === '' ? 'high' : 'certain')
  if (of.quote === '') return undefined
  if (next?.kind === 'C') return sighting('comment_tail', 'high')
  return undefined
}

/** `OR 1=1`, `AND SLEEP(5)`, `|| (SELECT …)` */
function joined(list: readonly Token[], at: number, of: Context): Sighting | undefined {
  const traits = readExpression(list, at + 1)
  if (traits === undefined) return undefined
  const isQuoted = of.quote !== ''
  const closed = isClosed(list, traits.end, of.quote)
  if (traits.hasQuery) return sighting('boolean', isQuoted ? 'certain' : 'high')
  const isBitwise = /^[|&]$/.test(list[at]?.text ?? '')
  if (traits.isConstant) {
    if (closed) return sighting('tautology', isQuoted ? 'certain' : 'high')
    const isWhole = traits.end >= list.length
    return sighting('tautology', isWhole ? 'high' : 'medium')
  }
  const isFigure = /^\s*\(?[-+]?\d+(?:\.\d+)?\)*\s*$/.test(of.prefix)
  if (traits.hasCall && (isQuoted ? closed : isFigure)) return sighting('boolean', 'high')
  if (traits.isCompared) {
    if (isQuoted) return sighting('boolean', closed ? 'high' : 'medium')
    return isFigure && closed ? sighting('boolean', 'high') : undefined
  }
  if (isBitwise) return undefined
  return alone(list, traits, closed, of)
}

/** `' or 1--`, `' or 'a`: one literal is all that follows. */
function alone(
  list: readonly Token[],
  traits: Traits,
  closed: boolean,
  of: Context,
): Sighting | undefined {
  const last = list[traits.end - 1]
  if (!traits.isLiteral) {
    const isCommented = list[traits.end]?.kind === 'C'
    return isCommented && of.quote !== '' && of.prefix === ''
      ? sighting('boolean', 'high')
      : undefined
  }
  if (of.quote === '') {
    const next = list[traits.end]
    const isTruth = last?.text === 'TRUE' || next?.kind === 'C' || isClause(list, traits.end)
    return isTruth && /^\s*-?\d+\s*$/.test(of.prefix) ? sighting('tautology', 'high') : undefined
  }
  if (closed) {
    const isOdd = last?.kind === 'S' && !valuable.test(last.text)
    return isOdd ? undefined : sighting('literal', 'high')
  }
  const isWhole = traits.end >= list.length
  return isWhole && last?.kind === 'n' && of.prefix === ''
    ? sighting('tautology', 'high')
    : undefined
}

/** UNION, HAVING, ORDER BY, LIMIT, LIKE, INTO OUTFILE, PROCEDURE ANALYSE, WAITFOR, IF … */
function worded(
  list: readonly Token[],
  at: number,
  of: Context,
  tokens: Tokens,
): Sighting | undefined {
  const isQuoted = of.quote !== ''
  const word = list[at]?.text ?? ''
  const next = list[at + 1]
  if (/^(?:UNION|EXCEPT|INTERSECT|MINUS)$/.test(word)) return union(list, at, tokens, of)
  if (word === 'WAITFOR')
    return /^(?:DELAY|TIME)$/.test(next?.text ?? '') ? sighting('time_delay', 'certain') : undefined
  if (word === 'INTO' && /^(?:OUTFILE|DUMPFILE)$/.test(next?.text ?? ''))
    return sighting('file_access', 'certain')
  if (word === 'PROCEDURE' && next?.text === 'ANALYSE') return sighting('error_based', 'certain')
  if (word === 'IF' && next?.kind === '(') {
    const traits = readExpression(list, at)
    return traits?.hasCall ? sighting('boolean', isQuoted ? 'high' : 'medium') : undefined
  }
  const isFigure = /^\s*\(?[-+]?\d+\)*\s*$/.test(of.prefix)
  if (!isQuoted && !isFigure) return bareOrder(list, at)
  if (word === 'HAVING' || (/^(?:GROUP|ORDER)$/.test(word) && next?.text === 'BY')) {
    const traits = readExpression(list, word === 'HAVING' ? at + 1 : at + 2)
    if (traits === undefined) return undefined
    let end = traits.end
    while (list[end]?.kind === ',' || list[end]?.kind === 'n') end++
    if (list[end]?.text === 'HAVING') return sighting('probing', 'high')
    return isClosed(list, end, of.quote)
      ? sighting('probing', 'high')
      : sighting('probing', 'medium')
  }
  if (word === 'LIMIT' && next?.kind === 'n') {
    return isClosed(list, at + 2, of.quote) || list[at + 2]?.text === 'INTO'
      ? sighting('probing', 'high')
      : undefined
  }
  if (!isQuoted) {
    const one = compared(list, at, of)
    return one?.confidence === 'certain' ? { ...one, confidence: 'high' } : undefined
  }
  // Transact-SQL needs no semicolon between statements.
  if (
    /^(?:INSERT|CREATE|DROP|DELETE|EXEC|EXECUTE|SHUTDOWN|UPDATE|DECLARE|ALTER|TRUNCATE)$/.test(word)
  ) {
    const isApart = (list[at]?.start ?? 0) > of.at + 1 || /\w$/.test(of.prefix)
    return isApart && isStatement(list, at) ? sighting('stacked', 'high') : undefined
  }
  return compared(list, at, of)
}

/** `ORDER BY 5--` behind a name. */
function bareOrder(list: readonly Token[], at: number): Sighting | undefined {
  const [first, second, third, fourth] = list.slice(at, at + 4)
  const isOrder = first?.text === 'ORDER' && second?.text === 'BY' && third?.kind === 'n'
  return isOrder && fourth?.kind === 'C' ? sighting('probing', 'high') : undefined
}

function union(
  list: readonly Token[],
  at: number,
  tokens: Tokens,
  of: Context,
): Sighting | undefined {
  let i = at + 1
  while (/^(?:ALL|DISTINCT|DISTINCTROW)$/.test(list[i]?.text ?? '') || list[i]?.kind === '(') i++
  if (!/^(?:SELECT|VALUES|TABLE)$/.test(list[i]?.text ?? '')) return undefined
  if (tokens.hasInnerComment || tokens.hasVersioned) return sighting('union', 'certain')
  while (/^(?:ALL|DISTINCT|TOP)$/.test(list[i + 1]?.text ?? '') || list[i + 1]?.kind === '(') i++
  const first = list[i + 1]
  const second = list[i + 2]
  if (first === undefined) return undefined
  const isValue = /^[nsSvo]$/.test(first.kind) || /^(?:NULL|TRUE|USER|CASE|IF)$/.test(first.text)
  const isList = second !== undefined && /^[,(.o:sC)]$/.test(second.kind)
  const hasFrom =
    /\d|^$/.test(of.prefix) && list.slice(i + 2, i + 12).some(({ text }) => text === 'FROM')
  return isValue || isList || hasFrom || second?.text === 'FROM'
    ? sighting('union', 'certain')
    : undefined
}

/** `'='`, `' LIKE '%`, `'-sleep(5)-'`, `'||(SELECT …)||'` */
function calculated(list: readonly Token[], at: number, of: Context): Sighting | undefined {
  const sign = list[at]?.text ?? ''
  const traits = readExpression(list, at + 1)
  if (traits === undefined) return undefined
  const closed = isClosed(list, traits.end, of.quote)
  if (traits.hasQuery) return sighting('expression', closed ? 'certain' : 'high')
  if (!closed) return undefined
  if (traits.hasCall) return sighting('expression', 'high')
  const last = list[traits.end - 1]
  if (last?.kind === 'S' && !valuable.test(last.text)) return undefined
  if (/[=<>]/.test(sign))
    return traits.isLiteral ? sighting('tautology', 'high') : sighting('boolean', 'medium')
  const isTight = of.prefix.length <= 40 && traits.isLiteral && !/\s/.test(last?.text ?? '')
  return isTight && list[traits.end]?.kind === 'C'
    ? sighting('expression', 'high')
    : sighting('expression', 'medium')
}

/** `' LIKE '%`, `' IN ('x') --`, `' IS NULL --`, `' BETWEEN 'a' AND 'z` */
function compared(list: readonly Token[], at: number, of: Context): Sighting | undefined {
  const word = list[at]?.text ?? ''
  if (!/^(?:LIKE|RLIKE|REGEXP|ILIKE|IN|BETWEEN|IS|NOT|SOUNDS|DIV|MOD|COLLATE)$/.test(word))
    return undefined
  // The literal that was closed is the left side.
  const made: Token[] = [{ kind: 's', text: '', start: 0 }, ...list.slice(at)]
  const traits = readExpression(made, 0)
  if (traits === undefined || traits.end < 3) return undefined
  if (traits.hasQuery) return sighting('boolean', 'certain')
  const last = made[traits.end - 1]
  if (!isClosed(made, traits.end, of.quote)) return undefined
  if (last?.kind === 'S' && wordy.test(last.text)) return undefined
  return sighting('boolean', traits.isLiteral || traits.hasCall ? 'high' : 'medium')
}

/** `', (SELECT …))--`, `', 1, 1)#`: further values of an INSERT. */
function inserted(list: readonly Token[], at: number): Sighting | undefined {
  let end = at
  let isTelling = false
  let count = 0
  while (list[end]?.kind === ',' && count++ < 40) {
    const traits = readExpression(list, end + 1)
    if (traits === undefined) return undefined
    isTelling ||= traits.hasQuery || traits.hasCall
    end = traits.end
  }
  const hasBracket = list[end]?.kind === ')'
  if (hasBracket) end++
  const isCommented = list[end]?.kind === 'C' || (list[end]?.kind === ';' && hasBracket)
  if (isCommented && (hasBracket || isTelling)) return sighting('insert', 'certain')
  return isTelling && end >= list.length ? sighting('insert', 'high') : undefined
}

/** `' x_cmdshell …` and the like are judged by what they name, elsewhere. */
function named(list: readonly Token[], at: number): Sighting | undefined {
  const isHandler = list[at]?.text === 'WAITFOR'
  return isHandler ? sighting('time_delay', 'high') : undefined
}
