/** Text of a server for people: nothing in it is hidden, moves a cursor or turns the reading. */

/**
 * What is shown by its code point: control characters but tab and line feed, half surrogates, private
 * and unassigned characters, line separators, blanks other than the space, and all that Unicode calls
 * ignorable or formatting: marks without width, bidirectional marks, tags, selectors, fillers.
 */
const hidden =
  /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

/** The text with each such character as `<U+200B>`. */
export function plain(text: string): string {
  return text.replace(hidden, codePoint)
}

/** Whether there is one of them. */
export function hasHidden(text: string): boolean {
  return text.search(hidden) >= 0
}

// oxlint-disable-next-line no-control-regex -- everything that is not ASCII
const notAscii = /[^\x00-\x7f]/gu

/** Everything but ASCII by its code point: where two texts only look alike. */
export function bare(text: string): string {
  return plain(text).replace(notAscii, codePoint)
}

/** For a place that has one line, cut to `max` UTF-16 units. */
export function lineOf(text: string, max: number = 256): string {
  const line = plain(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  return line.length > max ? `${line.slice(0, max).toWellFormed()}…` : line
}

function codePoint(character: string): string {
  const value = character.codePointAt(0) ?? 0
  return `<U+${value.toString(16).toUpperCase().padStart(4, '0')}>`
}
