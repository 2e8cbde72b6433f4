/**
 * Words for a terminal or a page. What stands in the record was said by others: a query or an answer
 * may hold the codes by which a terminal moves its cursor, changes its title or hides text, marks
 * that turn the direction in which text is read, and letters that nobody sees.
 */

/**
 * What is not shown as it is: control characters but tab and line feed; line separators; marks that
 * turn the direction (Unicode Bidirectional Algorithm, UAX #9); blanks without width, tags and
 * selectors beyond the first sixteen, in which text can be smuggled; half surrogates. The joiners
 * U+200C and U+200D stay: Persian and emoji need them.
 */
export const odd: RegExp =
  /(?![\n\t])\p{Cc}|\p{Cs}|[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e01ef}]/gu

/** The text with every such character spelt out as JSON does, `\u001b`; tabs and line ends stay. */
export function visible(text: string): string {
  return text.replace(odd, spelt)
}

/** For a place that has one line: line ends and tabs are spelt out too. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** One character as the escapes of its UTF-16 units. Inside a JSON string it means the same. */
export function spelt(character: string): string {
  let text = ''
  for (let i = 0; i < character.length; i++) {
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  }
  return text
}

/** A duration in microseconds as `1 d 02:03:04.567890`, `2:03.456789`, `12.345678 s` or `0.123 ms`. */
export function duration(us: number): string {
  if (us < 1_000_000) return `${(us / 1000).toFixed(3)} ms`
  if (us < 60_000_000) return `${(us / 1_000_000).toFixed(6)} s`
  const seconds = Math.floor(us / 1_000_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const parts = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
  const days = Math.floor(seconds / 86_400)
  const clock = `${parts.map(two).join(':')}.${String(us % 1_000_000).padStart(6, '0')}`
  return days > 0 ? `${days} d ${clock}` : clock
}

/** A whole number with its thousands apart. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A count with its noun: `1 call`, `2 calls`, `2 entries`. */
export function counted(value: number, noun: string, nouns: string = `${noun}s`): string {
  return `${grouped(value)} ${value === 1 ? noun : nouns}`
}
