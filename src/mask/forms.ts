/**
 * What may stand in place of a finding, the usual form first, then those that a schema may want.
 *
 *   card number          ************1111   9000000000001111   8000…, 7000… and so on
 *   verification value   ***                *** or ****        000    100
 *   track                [track removed]    (nothing)
 *
 * Every form of one kind holds the same of the original: the last four of a card number and its
 * separators, of anything else how long it was. None passes Luhn or lies in an issuer's range.
 */
import { CODE, DIGITS, END, MARKER, PAN, PATCH, STARS, START, WORD } from '../cards/findings.ts'
import { formOf, kindOf } from '../cards/findings.ts'
import { isDigit } from '../cards/bytes.ts'
import { passesLuhn } from '../cards/luhn.ts'
import { wholeOf } from '../cards/number.ts'
import { brandOf } from '../cards/ranges.ts'
import { digitForm, stars } from '../cards/write.ts'
import type { Findings } from '../cards/findings.ts'

/** Another form of a finding. */
export interface Form {
  readonly bytes: Uint8Array
  /** It is the schema's own figure: digits in it are none of the original's. */
  readonly isConstant: boolean
  /** It is what an unquoted number becomes, so it need not be kept. */
  readonly isDigitForm?: boolean
}

/** Longer numbers are not read as one by `digitForm`. */
const wholeMax = 19
const star = 0x2a
const zero = 0x30
const word = Buffer.from('***')
const marker = Buffer.from('[track removed]')
const nothing = new Uint8Array(0)
/** First digits of the digit form, in the order in which they are tried. */
const leads = [9, 8, 7, 6, 5, 4, 3, 2, 1]
/** No finding has more forms. */
export const stagesMax: number = 1 + leads.length

/** What the masker writes in place of finding `i` unless it is told otherwise. */
export function usualForm(
  findings: Findings,
  bytes: Uint8Array,
  i: number,
  reveal: 'none' | 'pan',
): Uint8Array {
  const start = findings.field(i, START)
  const end = findings.field(i, END)
  const form = formOf(findings.field(i, CODE))
  if (form === PATCH) return findings.shown.get(i)?.[reveal] ?? findings.patches.get(i) ?? nothing
  if (form === WORD) return word
  if (form === MARKER) return marker
  // A copy: `slice` of a Buffer would be a view of the message.
  const token = Uint8Array.from(bytes.subarray(start, end))
  if (form === STARS) stars(token, 0, token.length)
  else if (form === DIGITS) digitForm(token, 0, token.length)
  else padded(token, '0')
  return token
}

/**
 * The form of a finding in a string at a stage, 1 for the first behind the usual one; undefined
 * where there is none. A finding without a form of its own at a stage keeps the one before.
 */
export function formInString(
  findings: Findings,
  bytes: Uint8Array,
  i: number,
  usual: Uint8Array,
  stage: number,
): Form | undefined {
  // A blob's text cannot be edited once it is encoded.
  if (findings.shown.has(i)) return undefined
  if (kindOf(findings.field(i, CODE)) === PAN) return digitsInString(usual, stage)
  if (word.equals(usual)) {
    const length = lengthOf(bytes.subarray(findings.field(i, START), findings.field(i, END)))
    const texts = ['*'.repeat(length), '0'.repeat(length), `1${'0'.repeat(length - 1)}`]
    const text = texts[stage - 1]
    return text === undefined
      ? undefined
      : { bytes: Buffer.from(text), isConstant: text.startsWith('1') }
  }
  if (stage > 2) return undefined
  if (stage === 1) return plain(usual)
  // What names the thing that was removed may go too; anything else has stars of its own.
  return plain(usual[0] === marker[0] ? nothing : usual.map((b) => (b === star ? zero : b)))
}

const plain = (bytes: Uint8Array): Form => ({ bytes, isConstant: false })

/** Digits in place of stars, the separators as they are. */
function digitsInString(usual: Uint8Array, stage: number): Form | undefined {
  // Where others in the same string change their length, it stays.
  if (stage === 1) return plain(usual)
  let hidden = 0
  const last: number[] = []
  for (const b of usual) {
    if (b === star) hidden++
    else if (isDigit[b] === 1) last.push(b & 15)
  }
  if (last.length !== 4 || hidden === 0) return undefined
  const digits = numberWith(hidden + 4, last, stage - 2)
  if (digits === undefined) return undefined
  if (stage === 2 && digits.length === usual.length && digits.length <= wholeMax) {
    return { bytes: digits.map((digit) => zero + digit), isConstant: false, isDigitForm: true }
  }
  let at = 0
  return plain(usual.map((b) => (b === star || isDigit[b] === 1 ? zero + (digits[at++] ?? 0) : b)))
}

/** The form at a stage of a card number that is an unquoted number, in its own spelling. */
export function formOfNumber(usual: Uint8Array, stage: number): Form | undefined {
  const whole = { length: 0, digits: new Uint8Array(40) }
  wholeOf(usual, 0, usual.length, whole)
  if (whole.length < 12) return undefined
  const last = Array.from(whole.digits.subarray(whole.length - 4, whole.length))
  const digits = numberWith(whole.length, last, stage - 1)
  if (digits === undefined) return undefined
  const form = Uint8Array.from(usual)
  let at = 0
  for (let i = 0; i < form.length && at < digits.length; i++) {
    const b = form[i] ?? 0
    if (isDigit[b] === 1) form[i] = zero + (digits[at++] ?? 0)
    else if (b === 0x65 || b === 0x45) break
  }
  return plain(form)
}

/** The digit form number `rank` of so many digits: a lead, zeros and the last four. */
function numberWith(length: number, last: readonly number[], rank: number): Uint8Array | undefined {
  let left = rank
  for (const lead of leads) {
    const digits = new Uint8Array(length)
    digits.set(last, length - 4)
    digits[0] = lead
    if (passesLuhn(digits, length)) digits[3] = 1
    if (brandOf(digits, length) === 0 && left-- === 0) return digits
  }
  return undefined
}

/** A figure in place of a number of `width` bytes; JSON lets blanks follow a number. */
export function figure(value: number, width: number): Form {
  return { bytes: Buffer.from(String(value).padEnd(width)), isConstant: value !== 0 }
}

function padded(token: Uint8Array, text: string): void {
  token.fill(0x20)
  token.set(Buffer.from(text))
}

/** How many characters the inside of a JSON string has; escapes of a string in it are one. */
function lengthOf(raw: Uint8Array): number {
  const text = Buffer.from(raw).toString('utf8')
  return Array.from(text.replaceAll(/\\+u[0-9a-fA-F]{4}/g, '0')).length
}
