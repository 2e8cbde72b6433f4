/**
 * Patterns that a server chose. V8's own engine backtracks, so one pattern could stop the gateway;
 * RE2's way takes time in proportion to the text, and refuses what it cannot do in that time
 * (look-around, back references).
 */
import { RE2JS } from 're2js'

const patternLengthMax = 1024

export interface LinearPattern {
  /** Whether it matches anywhere in the text (JSON Schema core §6.4: patterns are not anchored). */
  test(text: string): boolean
  /** What a test of so long a text may cost, in steps of about one comparison. */
  cost(textLength: number): number
}

/** Reads an ECMA-262 pattern; undefined for one that cannot be matched in linear time. */
export function linearPattern(source: string): LinearPattern | undefined {
  if (source.length > patternLengthMax) return undefined
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(source))
    // Each state of the program may be live at each character, though mostly one is.
    const perCharacter = 1 + (compiled.programSize() >> 5)
    return {
      test: (text) => compiled.test(text),
      cost: (textLength) => 8 + textLength * perCharacter,
    }
  } catch {
    // Not a pattern of this engine: who asks treats it as one that says nothing.
    return undefined
  }
}
