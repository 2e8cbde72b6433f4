/**
 * Verification values that have no name: three or four digits beside a card number and its date, in
 * a line of text or in the cells of a list. Never three digits alone.
 */

/** What a token of a line, or a cell, can be. A token can be several things. */
export type Kind = 'date' | 'month' | 'year' | 'value' | 'group' | 'number'

const isMonth = (text: string): boolean => Number(text) >= 1 && Number(text) <= 12
/** The years in which a card can be valid. */
const isYear = (text: string): boolean => Number(text) >= 15 && Number(text) <= 45

export function kindsOf(token: string): Set<Kind> {
  const kinds = new Set<Kind>()
  const length = Buffer.byteLength(token)
  if (length > 7) return /^[0-9]/.test(token) ? kinds.add('number') : kinds
  const dated = /^([0-9]{1,2})[/.-](?:[0-9]{2}|20[0-9]{2})$/.exec(token)
  if (dated !== null && isMonth(dated[1] ?? '')) return kinds.add('date')
  const yearFirst = /^20[0-9]{2}[/.-]([0-9]{2})$/.exec(token)
  if (yearFirst !== null && isMonth(yearFirst[1] ?? '')) return kinds.add('date')
  if (!/^[0-9]+$/.test(token)) return kinds
  if (length > 4) kinds.add('number')
  if (length === 3 || length === 4) kinds.add('value')
  if (length === 4) kinds.add('group')
  if (length <= 2 && isMonth(token)) kinds.add('month')
  if (length === 2 || /^20[0-9]{2}$/.test(token)) kinds.add('year')
  const [head, tail] = [token.slice(0, 2), token.slice(2)]
  // MMYY, YYMM, MMYYYY.
  const isShort =
    length === 4 && ((isMonth(head) && isYear(tail)) || (isMonth(tail) && isYear(head)))
  if (isShort || (length === 6 && isMonth(head) && tail.startsWith('20'))) kinds.add('date')
  return kinds
}

/** How many tokens that are nothing of ours may stand between a number and its date. */
const strangersMax = 3

/**
 * Which of the tokens behind a card number is its verification value, and whether it stands behind
 * the date; undefined when there is none among these.
 */
export function valueAmong(
  tokens: readonly Set<Kind>[],
): { index: number; isBehind: boolean } | undefined {
  let strangers = 0
  for (const [i, kinds] of tokens.entries()) {
    // A month by itself is part of a date, or stands between a value and its date.
    let j = i - 1
    while (tokens[j]?.has('month') === true) j--
    const before = tokens[j]
    const isMonthAndYear = kinds.has('year') && tokens[i - 1]?.has('month') === true
    // Groups of four after each other are the next number, not a value and its date.
    if (kinds.has('group') && before?.has('group') === true) return undefined
    if (isMonthAndYear || kinds.has('date')) {
      if (before?.has('value') === true) return { index: j, isBehind: false }
      const next = tokens[i + 1]
      if (next?.has('value') === true) return { index: i + 1, isBehind: true }
      // Four digits that read as a date were the value: here is the date.
      const isUnsure = !isMonthAndYear && kinds.has('value')
      return isUnsure && next?.has('date') === true ? { index: i, isBehind: false } : undefined
    }
    if (kinds.has('number')) return undefined
    if (kinds.size === 0 && ++strangers > strangersMax) return undefined
  }
  return undefined
}
