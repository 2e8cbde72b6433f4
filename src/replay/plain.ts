/**
 * Words for a terminal. What stands in the record was said by others: a query or an answer may hold
 * the codes by which a terminal moves its cursor, changes its title or hides text.
 */

/** Control characters but tab and line feed; line separators; marks that turn the direction. */
const unsafe = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** The text with every such character spelt out as `\u001b`; tabs and line ends stay. */
export function visible(text: string): string {
  return text.replace(unsafe, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** For a place that has one line: line ends and tabs are spelt out too. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
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
