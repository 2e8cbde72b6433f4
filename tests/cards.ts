/** Numbers for tests, made here so that no file of the repository holds a card number. */
import { luhnDigit } from '../src/cards/luhn.ts'

/**
 * A number of `length` digits that starts with `prefix` and passes Luhn.
 * @param fill the digits between prefix and check digit, repeated; by default `0123456789…` turned.
 */
export function pan(prefix: string | number, length: number, fill = '7208431965'): string {
  let body = String(prefix)
  for (let i = 0; body.length < length - 1; i++) body += fill.charAt(i % fill.length)
  body = body.slice(0, length - 1)
  return body + String(luhnDigit(Uint8Array.from(body, (digit) => Number(digit))))
}

/** The same number with a wrong last digit. */
export function broken(number: string): string {
  return number.slice(0, -1) + String((Number(number.at(-1)) + 1) % 10)
}

/** Cuts a number into groups: `grouped(n, [4, 6, 5], ' ')`. */
export function grouped(number: string, sizes: readonly number[], separator: string): string {
  let at = 0
  return sizes.map((size) => number.slice(at, (at += size))).join(separator)
}

/** The look of the numbers which payment providers publish for tests, brand by brand. */
export const published: readonly (readonly [brand: string, number: string])[] = [
  ['visa', pan('4', 16, '1')],
  ['visa', pan('42', 16, '42')],
  ['visa', pan('4012888888', 16, '8')],
  ['visa', pan('4000056655', 16, '6')],
  ['mastercard', pan('555555555555', 16, '4')],
  ['mastercard', pan('510510510510', 16, '5')],
  ['mastercard', pan('2223003122', 16, '0')],
  ['mastercard', pan('52008282', 16, '8')],
  ['amex', pan('3782822463', 15, '1000')],
  ['amex', pan('3714496353', 15, '9843')],
  ['discover', pan('6011', 16, '1')],
  ['discover', pan('6011000990', 16, '1394')],
  ['diners', pan('3056930902', 14, '59')],
  ['diners', pan('3852000002', 14, '32')],
  ['diners', pan('36', 14, '227')],
  ['jcb', pan('3530111333', 16, '0')],
  ['jcb', pan('3566002020', 16, '360')],
  ['unionpay', pan('62', 16, '0')],
  ['unionpay', pan('621094', 19, '0')],
  ['mir', pan('2200', 16, '7')],
  ['elo', pan('636368', 16, '0')],
  ['hipercard', pan('606282', 16, '5')],
  ['troy', pan('9792', 16, '03')],
  ['verve', pan('506099', 16, '5')],
  ['rupay', pan('6076', 16, '5')],
  ['maestro', pan('6759', 16, '6498')],
  ['dankort', pan('5019', 16, '7170')],
]

/** Of ranges so short or wide that only a card word, key or column makes them a finding. */
export const needy: readonly (readonly [brand: string, number: string])[] = [
  ['visa', pan('4', 13, '2')],
  ['maestro', pan('5641', 16, '8210')],
  ['maestro', pan('5018', 12, '0000')],
  ['uatp', pan('1354', 15, '1')],
]
