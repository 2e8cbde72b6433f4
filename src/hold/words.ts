/** Why somebody decides: everybody says so, in words that fit an entry. */
import { Fault } from '../base/fault.ts'

export const justificationLengthMin = 5
export const justificationLengthMax = 2000

/** What counts of a justification. @throws {Fault} `refused`, reason `justification`. */
export function justified(words: unknown): string {
  const text = typeof words === 'string' ? words.toWellFormed().trim() : ''
  // Blanks and marks that nobody sees are no reason.
  const letters = [...text.normalize('NFKC').matchAll(/[\p{L}\p{N}]/gu)].length
  if (letters >= justificationLengthMin && text.length <= justificationLengthMax) return text
  const message = `Say why, with ${justificationLengthMin} letters at least and ${justificationLengthMax} characters at most. Nothing was decided.`
  throw new Fault('refused', message, { facts: { reason: 'justification' } })
}
