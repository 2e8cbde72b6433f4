/** Operators of document databases where a plain value should stand, and their JavaScript in texts. */
import type { Piece, Sighting } from './piece.ts'
import { union } from './union.ts'

const code = /^\$(?:where|function|accumulator)$/
const comparison =
  /^\$(?:ne|gt|gte|lt|lte|nin|in|regex|exists|not|or|and|nor|eq|all|elemMatch|expr|jsonSchema|mod|text|type|size)$/
/** Arguments that are queries of a document database. */
const queries =
  /(?:^|\/)(?:filter|query|pipeline|match|\$match|selector|where|projection|aggregation|stages?|update|conditions?|criteria|find|mongo\w{0,12})(?:\/|$)/i

/** A key of an object in the arguments. @param at pointer of the key, from the arguments. */
export function nosqlKey(key: string, at: string): Sighting | undefined {
  if (!key.startsWith('$') && !/\[\$(?:ne|gt|regex|where|in|nin|exists)\]$/.test(key))
    return undefined
  if (code.test(key)) return { what: 'code_operator', confidence: 'high' }
  if (/\[\$\w{1,10}\]$/.test(key)) return { what: 'operator', confidence: 'high' }
  if (!comparison.test(key)) return undefined
  const isSecret = /(?:pass(?:word|wd)?|pwd|token|secret|otp|pin)\/\$\w{1,10}$/i.test(
    at.slice(-128),
  )
  const isTop = /^\/[^/]{1,64}\/\$(?:ne|gt|gte|lt|lte|nin|in|regex|exists)$/.test(at)
  const isQuery = queries.test(at.slice(0, 512))
  return { what: 'operator', confidence: isQuery && !isSecret && !isTop ? 'low' : 'high' }
}

const closing = union('', [
  /^[^'"]{0,80}['"]\s{0,4}(?:[)\]}]{1,3}\s{0,4};|;|\|\||&&)\s{0,4}(?:return\b|var\b|while\s{0,4}\(|this\.\w|sleep\s{0,4}\(|db\.\w|it=|function\s{0,4}\()/,
  /\|\|\s{0,4}['"]?1['"]?\s{0,4}={2,3}\s{0,4}['"]?1|\bthis\.\w{1,30}\.match\s{0,4}\(/,
  /;\s{0,4}(?:return\s{1,4}true|while\s{0,4}\(\s{0,4}(?:true|1)\s{0,4}\))/,
])
const inside = /\{\s{0,4}['"]?\$(?:where|ne|gt|gte|lt|regex|nin|exists|or|in|not)['"]?\s{0,4}:/

/** An operator without a field, where a value should stand: `{"$gt": ""}`, `[$ne]=1`, `, $where: '1'`. */
const alone = union('', [
  /^\s{0,4}\{\s{0,4}['"]?\$(?:ne|gt|gte|lt|lte|nin|regex|exists)['"]?\s{0,4}:[^:{}]{0,80}\}\s{0,4}$/,
  /^\w{0,20}\[\$(?:ne|gt|gte|lt|regex|exists|nin|in|where)\]\s{0,2}=/,
  /^[^{]{0,20}\$where['"]?\s{0,4}:/,
])

/** A text that closes a string of JavaScript, or is itself a condition where a value should stand. */
export function nosqlText(text: string, of: Pick<Piece, 'role' | 'at'>): Sighting | undefined {
  if (!/[$]|\|\||;|&&/.test(text)) return undefined
  const part = text.slice(0, 16_384)
  if (closing.test(part))
    return { what: 'script', confidence: of.role === 'code' ? 'medium' : 'high' }
  if (alone.test(part)) return { what: 'operator', confidence: 'high' }
  if (!inside.test(part)) return undefined
  if (/\$where['"]?\s{0,4}:/.test(part))
    return { what: 'code_operator', confidence: of.role === 'code' ? 'medium' : 'high' }
  return {
    what: 'operator',
    confidence: queries.test(of.at) || of.role !== 'value' ? 'low' : 'high',
  }
}
