/** Whether a text is itself a statement of SQL, and whether something was smuggled into it. */
import { surer } from './prose.ts'
import type { Sighting } from './piece.ts'
import { dangerOf, harmOf } from './sql-danger.ts'
import { isJoining, readExpression } from './sql-expression.ts'
import { sqlTokens } from './sql-tokens.ts'
import type { Token } from './sql-tokens.ts'
import { isStatement } from './sql-verbs.ts'
import { union } from './union.ts'

const verbs =
  /(?:explain\s{1,8}(?:analyze\s{1,8})?)?(select|with|insert|update|delete|merge|replace|drop|create|alter|truncate|grant|revoke|copy|exec|execute|call|declare|load|attach|backup|begin|table|do|bulk|restore|shutdown|waitfor|use|pragma|vacuum|set)\b/iy
const ahead =
  /[\s(;{\p{Cc}\p{Cf}]+|--[^\n]*\n|#[^\n]*\n|\/\*!\d{0,6}|\/\*[\s\S]*?\*\/|\*\/|<<\w{1,128}>>/uy

/**
 * Where the first word of a statement stands: behind blanks, comments, brackets, and what nobody sees.
 * It stands inside of a comment that servers run.
 */
export function firstWord(text: string): number {
  let at = 0
  for (;;) {
    ahead.lastIndex = at
    const found = ahead.exec(text)
    if (found === null) break
    at += found[0].length
  }
  return at
}

const clauses = /\b(?:where|group\s{1,4}by|order\s{1,4}by|limit|join|having|on|values|set)\b/i
const loud = /[*=;'"(),]|\b[A-Z]{4,}\b/

/**
 * Whether the whole text is a statement, as strictly as prose demands.
 * @param isProse sentences are expected: signs of SQL besides words must be there.
 */
export function isWholeStatement(text: string, isProse: boolean): boolean {
  verbs.lastIndex = firstWord(text)
  const found = verbs.exec(text)
  if (found === null) return false
  const verb = (found[1] ?? '').toUpperCase()
  if (isProse && !loud.test(text.slice(0, 4096))) return false
  const { list } = sqlTokens(text, found.index + found[0].length - verb.length)
  if (verb === 'WITH')
    return list
      .slice(1, 40)
      .some((t, i) => t.text === 'AS' && /^(?:\(|k)$/.test(list[i + 2]?.kind ?? ''))
  if (verb === 'DO') return list[1]?.kind === 's' || list[1]?.kind === 'S'
  if (verb === 'BULK') return list[1]?.text === 'INSERT'
  if (verb === 'BEGIN') return list[1]?.kind === ';' || isStatement(list, 1)
  if (isStatement(list, 0)) return true
  if (verb !== 'SELECT') return false
  const hasFrom = list.slice(1, 100).some((t) => t.text === 'FROM')
  return hasFrom && clauses.test(text.slice(0, 8192))
}

const partMax = 65_536
const unionsMax = 16

/**
 * What smells of an injected part inside a whole statement. Legitimate statements have ORs between
 * columns, unions of like tables, comments, many CTEs: none of that is a sighting.
 */
export function smuggled(text: string): Sighting | undefined {
  const tokens = sqlTokens(text.slice(0, partMax), 0, 4000)
  const { list } = tokens
  let seen: Sighting | undefined
  if (tokens.hasVersioned) seen = { what: 'versioned_comment', confidence: 'high' }
  const spoken = list
    .map(({ kind, text: word }) => (kind === 's' || kind === 'S' ? "''" : kind === 'C' ? '' : word))
    .join(' ')
    .replaceAll(' . ', '.')
  const harm = harmOf(spoken)
  if (harm !== undefined) seen = surer(seen, { what: harm, confidence: 'high' })
  else if (
    dangerOf(spoken) === 'error_based' &&
    /0x7e|\(\s?SELECT\b/i.test(spoken) &&
    /extractvalue|updatexml|gtid|utl_|ctxsys|name_const/i.test(spoken)
  ) {
    seen = surer(seen, { what: 'error_based', confidence: 'high' })
  }
  let unions = 0
  for (let i = 0; i < list.length; i++) {
    const token = list[i]
    if (token?.text === 'OR' || token?.text === '||') seen = surer(seen, always(list, i))
    else if (token?.text === 'UNION' && unions++ < unionsMax)
      seen = surer(seen, foreignUnion(list, i))
    else if (token?.kind === ';') seen = surer(seen, stackedAfter(list, i))
    else if (token?.kind === 'C') seen = surer(seen, cutOff(list, i))
  }
  return seen
}

const ends = /^(?:ORDER|GROUP|LIMIT|UNION|HAVING|FETCH|OFFSET|RETURNING|FOR|THEN|END|ELSE|WHEN)$/

/** `… OR '1'='1'`: one side of an OR is always true. */
function always(list: readonly Token[], at: number): Sighting | undefined {
  let end = at + 1
  for (let open = 0; end < list.length && end < at + 24; end++) {
    const token = list[end]
    if (token?.kind === '(') open++
    else if (token?.kind === ')' && --open < 0) break
    else if (
      open === 0 &&
      (isJoining(token) ||
        token?.kind === ';' ||
        token?.kind === 'C' ||
        ends.test(token?.text ?? ''))
    )
      break
  }
  const side = list.slice(at + 1, end)
  const plain = side.filter(({ kind }) => kind !== '(' && kind !== ')')
  if (list[at]?.text === '||' && plain.length < 3) return undefined
  const traits = readExpression(plain, 0)
  if (traits === undefined || traits.end < plain.length) return undefined
  return isTrue(plain) ? { what: 'tautology', confidence: 'high' } : undefined
}

function isTrue(side: readonly Token[]): boolean {
  const [left, sign, right] = side
  if (left === undefined) return false
  if (side.length === 1)
    return left.text === 'TRUE' || (left.kind === 'n' && Number(left.text) !== 0)
  if (sign?.kind === '.' && side.length === 7) {
    const words = side.map(({ text }) => text)
    return words.slice(0, 3).join('') === words.slice(4).join('') && words[3] === '='
  }
  if (side.length !== 3 || sign === undefined || right === undefined) return false
  const isLiteral = /^[nsS]$/.test(left.kind) && /^[nsS]$/.test(right.kind)
  const isSame = left.text === right.text && (left.kind === right.kind || isLiteral)
  if (!isLiteral) return left.kind === 'i' && isSame && /^(?:=|LIKE|<=|>=)$/.test(sign.text)
  if (/^(?:=|LIKE|<=>)$/.test(sign.text)) return isSame
  if (/^(?:<>|!=)$/.test(sign.text)) return !isSame
  const [a, b] = [Number(left.text), Number(right.text)]
  if (sign.text === '>') return a > b
  if (sign.text === '<') return a < b
  return (sign.text === '>=' && a >= b) || (sign.text === '<=' && a <= b)
}

const secrets =
  /^(?:PAN|CARD_?NUMBER|CARDNO|CREDIT_CARD(?:_NUMBER)?|CVV2?|CVC2?|SSN|PASSWORD|PASSWD|PASSWORD_HASH|PWD|PASS|PASSWORDHASH|HASHED_PASSWORD|SECRET|SECRETS|API_KEY|APIKEY|TOKEN|AUTHENTICATION_STRING|ROLPASSWORD|PASSWORD_DIGEST)$/
const about = union('', [
  /\b(?:VERSION|DATABASE|USER|CURRENT_USER|SCHEMA|SESSION_USER|SYSTEM_USER|CURRENT_DATABASE|SQLITE_VERSION|DB_NAME|SUSER_NAME) \(/,
  /@@(?:VERSION|HOSTNAME|DATADIR|SERVERNAME)/,
])

/** A UNION that fetches what the statement before it is not about. */
function foreignUnion(list: readonly Token[], at: number): Sighting | undefined {
  let from = at + 1
  while (/^(?:ALL|DISTINCT|\(|SELECT)$/.test(list[from]?.text ?? '')) from++
  let end = from
  while (
    end < list.length &&
    end < from + 120 &&
    !/^(?:FROM|UNION|;)$/.test(list[end]?.text ?? '') &&
    list[end]?.kind !== 'C'
  )
    end++
  const outputs = list.slice(from, end)
  const left = list.slice(0, at)
  const spoken = outputs.map(({ text, kind }) => (kind === 's' ? "''" : text)).join(' ')
  const rest = list
    .slice(end, end + 12)
    .map(({ text }) => text)
    .join(' ')
    .replaceAll(' . ', '.')
  const taken = outputs.filter(({ kind, text }) => kind === 'i' && secrets.test(text))
  const isForeign = taken.length > 0 && !left.some(({ text }) => secrets.test(text))
  const isCatalogue =
    dangerOf(rest) === 'catalogue' &&
    dangerOf(
      left
        .map(({ text }) => text)
        .join(' ')
        .replaceAll(' . ', '.'),
    ) === undefined
  const before = list[at - 1]
  const hasFilter =
    left.some(({ text }) => text === 'WHERE') &&
    before !== undefined &&
    /^[nsS)]$/.test(before.kind)
  if (isForeign || isCatalogue) return { what: 'union', confidence: hasFilter ? 'high' : 'medium' }
  if (about.test(spoken) && hasFilter) return { what: 'union', confidence: 'high' }
  if (!hasFilter) return undefined
  const values = outputs.filter(({ kind, text }) => kind === 'n' || text === 'NULL').length
  const isPadded =
    values >= 2 && outputs.every(({ kind, text }) => /^[ns,]$/.test(kind) || text === 'NULL')
  if (isPadded && list[end]?.text !== 'FROM') return { what: 'union', confidence: 'high' }
  const sign = list[at - 2]
  const isEmptied =
    (before.kind === 's' && before.text === '') ||
    (sign?.text === '-' && before.text === '1') ||
    (sign?.text === '=' && list[at - 3]?.kind === 'n' && before.kind === 'n')
  const isOpen = list.slice(at).some(({ kind }) => kind === 'C')
  return isEmptied || isOpen ? { what: 'union', confidence: 'high' } : undefined
}

const grave =
  /^(?:DROP|TRUNCATE|SHUTDOWN|EXEC|EXECUTE|GRANT|REVOKE|ALTER|XP_CMDSHELL|DECLARE|WAITFOR)$/
const changing = /^(?:DELETE|UPDATE|INSERT|CREATE|MERGE|REPLACE|COPY|CALL|LOAD|ATTACH|BACKUP)$/

/** A statement that changes something behind one that reads. */
function stackedAfter(list: readonly Token[], at: number): Sighting | undefined {
  let first = at - 1
  while (first >= 0 && list[first]?.kind !== ';' && at - first < 400) first--
  const before = list.slice(first + 1, at)
  if (!/^(?:SELECT|WITH)$/.test(before.find(({ kind }) => kind !== '(')?.text ?? ''))
    return undefined
  const verb = list[at + 1]?.text ?? ''
  if (!isStatement(list, at + 1)) return undefined
  if (grave.test(verb)) return { what: 'stacked', confidence: 'high' }
  if (!changing.test(verb)) return undefined
  const isLiteral = /^[ns]$/.test(list[at - 1]?.kind ?? '')
  const isOpen = list.at(-1)?.kind === 'C' || list.at(-1)?.kind === 'S'
  return { what: 'stacked', confidence: isLiteral || isOpen ? 'high' : 'medium' }
}

/** A comment at the end which takes part of the statement with it: a quote is left over. */
function cutOff(list: readonly Token[], at: number): Sighting | undefined {
  const comment = list[at]?.text ?? ''
  const before = list[at - 1]
  if (before === undefined) return undefined
  const quotes = comment.split("'").length - 1
  if (quotes % 2 === 1 && /^\s{0,4}'|^\s{0,4}%?'|=\s{0,4}'|'\s{0,4}\)?$/.test(comment.trim()))
    return { what: 'comment_tail', confidence: 'high' }
  if (
    /\b(?:pass(?:word|wd)?|pwd|token|secret|active|deleted|owner|tenant)\w{0,12}\s{0,4}(?:=|is\b|in\b|<>)/i.test(
      comment,
    ) &&
    /^\s{0,4}(?:and|or)\b/i.test(comment)
  ) {
    return { what: 'comment_tail', confidence: /pass|pwd/i.test(comment) ? 'high' : 'medium' }
  }
  return undefined
}
