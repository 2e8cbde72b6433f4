/** Numbers by value, exactly, without going through a double. */

/** No id or header needs more; a bound on what an exponent can make us write out. */
const digitsMax = 400

/**
 * The integer that a JSON number token stands for, in decimal without leading zeros: `42`, `42.0`,
 * `4.2e1` and `420E-1` are all `42`; `-0` is `0`.
 * @returns undefined for a fraction, for anything that is not a JSON number, and for integers of
 *   more than 400 digits.
 */
export function integerOf(token: string): string | undefined {
  const parts = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token)
  if (parts === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  if (digits === '') return '0'
  const move = Number(exponent) - fraction.length // Zeros to append, or digits to drop.
  if (digits.length + Math.max(move, 0) > digitsMax) return undefined
  if (move >= 0) return `${sign}${digits}${'0'.repeat(move)}`
  const kept = digits.slice(0, move)
  return /^0+$/.test(digits.slice(move)) && kept !== '' ? `${sign}${kept}` : undefined
}
