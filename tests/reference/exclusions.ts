/**
 * What the comparison leaves out, and why: where the fast scanner is known to disagree, or a limit
 * of it is no promise. Each is to go when its reason does; `README.md` lists them in words.
 */
import { readWhole, unquoted } from './json.ts'
import { doubt, reading } from './readings.ts'
import type { Node } from './json.ts'
import type { Reading } from './readings.ts'
import type { Answer } from './reference.ts'

/** Rules that the fast scanner has otherwise; cases whose answer depends on one are left out. */
const readings: readonly Reading[] = [
  // Within a stretch that is normalised, distances are those of what is left of it.
  'distances of signs',
  // A word that is cut at forty bytes is taken for a word.
  'cut words',
  // A sign beyond ASCII that touches a word of cards is taken for a letter of it.
  'words with their punctuation',
  // A number wrapped over lines is not seen where the line above ends in digits; the second look
  // then withholds the message.
  'wrapped numbers begin a row',
  // A number told digit by digit is not seen behind groups of four, nor where its first digit alone
  // is of another script.
  'no digits one by one',
  // How long a text may be that names a column or a value is asked of its spelling.
  'lengths as they are spelt',
]

/** Texts in which the fast scanner is wrong by the looks of them. */
const looks: readonly RegExp[] = [
  // Numbers that came partly masked, in other than the plainest ways: a matter of the record only.
  /[0-9][ ./_-]?[0-9]{0,4}[ ./_-][*xX#]|[0-9][ ./_-][0-9]{0,4}[*xX#]{2}|[*xX#]{2}[ ./_-]?[0-9]{1,4}(?:[ ./_-][0-9]|[^\0-\x7f])/,
  // A number told digit by digit may begin amid a longer row of digits.
  /(?:[0-9][ ./_-]){12}[0-9]/,
  // A track behind two layers of percent-encoding withholds the message.
  /%25(?:[A-Fa-f0-9]{2})/,
]

/** Whether a text is left out by its looks. */
export const isOdd = (text: string): boolean => looks.some((look) => look.test(text))

/** The answer of the reference; undefined where it depends on what is left out. */
export function answerOf(ask: (text: string) => Answer, text: string): Answer | undefined {
  doubt.isAny = false
  const answer = ask(text)
  // Where one masking uncovers what another would mask, the second look withholds the message.
  const again = ask(answer.kept)
  if (doubt.isAny || again.kept !== answer.kept) return undefined
  const isSame = (other: Reading): boolean => {
    reading.now = other
    const { kept, shown } = ask(text)
    return kept === answer.kept && shown === answer.shown
  }
  try {
    return readings.every(isSame) ? answer : undefined
  } finally {
    reading.now = undefined
  }
}

/** Every text that a message holds, in JSON in strings as well. */
export function textsIn(text: string): string[] {
  const read = /^\s*["{[]/.test(text) ? readWhole(text) : undefined
  if (read === undefined) return [text]
  const inside = (node: Node | undefined): string[] => {
    if (node?.kind === 'array') return node.elements.flatMap(inside)
    if (node?.kind === 'object')
      return node.members.flatMap(({ key, value }) => [...inside(key), ...inside(value)])
    if (node?.kind !== 'string') return []
    const characters = unquoted(text, node).map(({ character }) => character)
    return textsIn(characters.join(''))
  }
  return read.values.flatMap(inside)
}

/** Base64, and JSON amid a text, are not read where signs of theirs are written as escapes. */
export const isEscaped = (message: string): boolean =>
  /\\u/.test(message) &&
  textsIn(message).some((text) => /[A-Za-z0-9+/_-]{24}|[{[]\s*"|\[\s*[{[]/.test(text))
