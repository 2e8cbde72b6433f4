/**
 * SQL injection by parse: the argument is put behind the opening of a literal ('…', "…", `…`, a number,
 * inside brackets or LIKE '%…'), and what it does there is read as SQL. One literal is what it should be.
 */
import { surer } from './prose.ts'
import type { Sighting } from './piece.ts'
import { continuation } from './sql-continuation.ts'
import { dangerOf, harmOf } from './sql-danger.ts'
import { readExpression } from './sql-expression.ts'
import { sqlTokens } from './sql-tokens.ts'
import type { Tokens } from './sql-tokens.ts'
import { isStatement } from './sql-verbs.ts'

const placesMax = 24
/** Tokens by which the beginning of a statement is known. */
const startMax = 12

/** A quote behind which a statement could go on. */
const leaving =
  /['"`´](?=[\s)\u00a0]{0,16}(?:(?:or|and|xor|union|except|intersect|minus|having|group|order|limit|like|rlike|regexp|in|between|is|not|into|procedure|waitfor|if|div|mod|sounds|collate|insert|create|drop|delete|exec|execute|shutdown|update|declare|alter|truncate)\b|\/\*|--|#|;|\|\||&&|[-+*/%=<>!^|&,]))/gi
const semicolon = /;(?=[\s(]{0,16}(?:[a-z]{2,12}\b|\/\*))/gi
const uniting = /(?<![a-z_])(?:union|except|intersect)(?![a-z_])/gi
const tautological =
  /\b(?:or|\|\|)[\s(+]{1,16}(?:(\d{1,12})\s{0,8}=\s{0,8}\1|'([^']{0,40})'\s{0,8}(?:=|like)\s{0,8}'\2'?|"([^"]{0,40})"\s{0,8}(?:=|like)\s{0,8}"\3"?)[\s)]{0,8}(?:--|#|\/\*|;|$)/gi
const bareStart =
  /^[\s(]{0,16}(?:[-+]?(?:\d[\d.]{0,20}|\.\d{1,20})(?:e[+-]?\d{1,3})?(?![\w.])|[-+]?(?:\d[\d.]{0,20}|\.\d{1,20})(?:e[+-]?\d{1,3})?(?=union|or\b|and\b)|[\w.@-]{1,64})?/
const leadingWord =
  /^[\s)]{0,8}(?:or|and|xor|union|order\s{1,4}by|having|group\s{1,4}by|\|\||&&)[\s(!'"/+-]/i
const calling = /^[\s(!+~-]{0,16}(?:[\w.]{1,60}\s{0,4}\(|select\b|case\b|@@|not\b)/i
const bypass = /^\s{0,4}(['"])\s{0,4}[-+*^&|=%<>/]{1,2}\s{0,4}\1\s{0,4}$/
const idle = /^[\p{L}\p{N}\s.,:_@!?+-]*$/u
const idleWords = /union|\b(?:having|waitfor|or|and|order|xor|procedure)\b|\d(?:or|and)\b|--/i

/**
 * @param text one layer of the argument, decoded.
 * @returns the surest of what was seen; undefined for what stays one literal.
 */
export function sqlInjection(text: string): Sighting | undefined {
  if (idle.test(text) && !idleWords.test(text)) return undefined
  if (bypass.test(text)) return { what: 'expression', confidence: 'high' }
  let seen: Sighting | undefined
  let count = 0
  for (const { index, 0: quote } of text.matchAll(leaving)) {
    if (count++ >= placesMax) break
    const prefix = text.slice(Math.max(0, index - 80), index)
    const tokens = sqlTokens(text, index + 1)
    const isFirst = !text.slice(Math.max(0, index - 400), index).includes(quote)
    const one = continuation(tokens, { quote, prefix, at: index })
    const isWeak = !isFirst || quote === '`' || quote === '´'
    seen = surer(seen, isWeak && one !== undefined ? lowered(one, text, index) : one)
    if (seen?.confidence === 'certain') return seen
  }
  seen = surer(seen, bare(text))
  seen = surer(seen, anywhere(text))
  return seen
}

/** What is nothing else even where a quote closes what somebody quotes or programs. */
const plainWords = /^(?:tautology|union|stacked|time_delay|file_access)$/

/** Behind a later quote it may be the end of a string that somebody quotes. */
function lowered(one: Sighting, text: string, index: number): Sighting {
  const isPlain = plainWords.test(one.what)
  if (isPlain && (one.confidence === 'certain' || text.length < 80 || index < 40)) return one
  return one.confidence === 'low' ? one : { ...one, confidence: 'medium' }
}

/** `1 OR 1=1`, `5) UNION SELECT …`, `sleep(5)#`: where the argument stands in no quotes. */
function bare(text: string): Sighting | undefined {
  const prefix = bareStart.exec(text)?.[0] ?? ''
  let seen: Sighting | undefined
  if (leadingWord.test(text)) {
    seen = continuation(sqlTokens(text, 0), { quote: '', prefix: '0', at: -1 })
    if (seen?.what === 'probing' && !/--|#|\/\*/.test(text))
      seen = { ...seen, confidence: 'medium' }
  } else if (prefix.trim() !== '') {
    const tokens = sqlTokens(text, prefix.length)
    seen = continuation(tokens, { quote: '', prefix: prefix.replaceAll('(', ''), at: -1 })
  }
  return calling.test(text) ? surer(seen, expression(sqlTokens(text, 0), text)) : seen
}

/** A CASE that is decided before any row is looked at. */
const decided = /\bcase\s{1,8}when[\s(]{1,8}\d{1,8}\s{0,4}=\s{0,4}\d{1,8}[\s)]/i

/** The whole argument as an expression that waits, reads files or asks for tables. */
function expression(tokens: Tokens, text: string): Sighting | undefined {
  const { list } = tokens
  const traits = readExpression(list, 0)
  if (traits === undefined || (!traits.hasCall && !traits.hasQuery)) return undefined
  const last = list[traits.end]
  if (last !== undefined && last.kind !== 'C' && last.kind !== ';') return undefined
  const danger = dangerOf(text.slice(0, 4096))
  if (danger !== undefined) return { what: danger, confidence: 'high' }
  if (traits.hasQuery || decided.test(text)) return { what: 'expression', confidence: 'high' }
  return undefined
}

/** What needs no literal to be left: it is nothing else wherever it stands. */
function anywhere(text: string): Sighting | undefined {
  let seen: Sighting | undefined
  let count = 0
  for (const { index } of text.matchAll(semicolon)) {
    if (count++ >= placesMax) break
    const { list } = sqlTokens(text, index + 1, startMax)
    const first = list[0]?.text ?? ''
    if (/^(?:SET|IF|KILL|PRAGMA|CALL|BEGIN|COPY)$/.test(first)) continue
    if (isStatement(list, 0)) {
      seen = surer(seen, { what: 'stacked', confidence: 'high' })
      break
    }
  }
  count = 0
  for (const { index } of text.matchAll(uniting)) {
    if (count++ >= placesMax) break
    const one = continuation(sqlTokens(text, index), { quote: '', prefix: '0', at: -1 })
    if (one !== undefined) return one
  }
  if (tautological.test(text)) seen = surer(seen, { what: 'tautology', confidence: 'high' })
  tautological.lastIndex = 0
  return surer(seen, named(text))
}

const inContext =
  /(?:\b(?:and|or|xor|select|union|where|having|case|when|then|if|by|set|values)\b|[;'")(=,|&^%*<>]|\|\||&&|--|\*\/)[\s(!~+-]{0,16}(?:(?:pg_)?sleep|benchmark|extractvalue|updatexml|load_file|xp_\w{4,20}|dbms_\w{2,30}\.\w{2,30}|utl_\w{2,20}\.\w{2,30}|ctxsys\.|waitfor\s{1,8}delay|randomblob|sys_e(?:xec|val)|pg_read_file|gtid_subset|json_keys|name_const|procedure\s{1,8}analyse)\b/i

/** Dangerous functions where an expression stands before them. */
function named(text: string): Sighting | undefined {
  const found = inContext.exec(text)
  if (found === null) return undefined
  const near = text.slice(found.index, found.index + 400)
  const danger = dangerOf(near) ?? harmOf(near)
  if (danger === undefined || danger === 'catalogue') return undefined
  // Programs sleep as well: `time.sleep(5)`, `await sleep(5)`.
  const isProgram = /\.sleep\s{0,4}\(|await\s|=>|\bdef\s|\bfunction\b|\bthread\b|\bimport\b/i.test(
    text.slice(0, 4096),
  )
  return { what: danger, confidence: isProgram ? 'low' : 'high' }
}
