/**
 * The patterns of `matches()`, by RE2 as the standard asks for: time is proportional to the text,
 * whatever pattern and text are. Each stands in the configuration, and is compiled once.
 */
import { RE2JS } from 're2js'

const patternCharactersMax = 300
/** Steps of the compiled program: what one character may cost. */
const programMax = 300
/** No longer text is looked at: the condition does not hold. */
export const textCharactersMax = 4096

interface Learnt {
  readonly compiled: RE2JS
  /** Steps for one character of the text. */
  readonly perCharacter: number
}

const learnt = new Map<string, Learnt>()

/** Compiles a pattern. @returns what is wrong with it, or undefined. */
export function learnPattern(pattern: string): string | undefined {
  if (learnt.has(pattern)) return undefined
  if (pattern.length > patternCharactersMax) {
    return `has a pattern of more than ${patternCharactersMax} characters`
  }
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch {
    return 'has a pattern that is none of RE2 (no look-around, no back references)'
  }
  const size = compiled.programSize()
  if (size > programMax)
    return 'has a pattern that is too large once its repetitions are written out'
  learnt.set(pattern, { compiled, perCharacter: 1 + size })
  return undefined
}

/** Whether a pattern that was learnt matches anywhere in a text. @throws {RangeError} for a longer text. */
export function matchesPattern(text: string, pattern: string): boolean {
  const known = learnt.get(pattern)
  if (!known || text.length > textCharactersMax)
    throw new RangeError('text or pattern out of bounds')
  return known.compiled.test(text)
}

/** Steps for one character of the text; Infinity for a pattern nobody learnt. */
export function patternCost(pattern: unknown): number {
  return (typeof pattern === 'string' && learnt.get(pattern)?.perCharacter) || Infinity
}
