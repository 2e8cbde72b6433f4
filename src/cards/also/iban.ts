/**
 * International bank account numbers: ISO 13616-1. Country, two check digits, and the account in the
 * form which the country registered; all of it passes MOD 97-10 (ISO/IEC 7064).
 */
import { isDigit, isLetter } from '../bytes.ts'

/**
 * Country and form of its account: n digits, a letters, c either. SWIFT IBAN Registry, releases
 * 101–103 (2026) as publicly transcribed; Brazil's bank code may hold letters since release 103.
 */
const registry = `AD n8c12 AE n19 AL n8c16 AT n16 AZ a4c20 BA n16 BE n12 BG a4n6c8 BH a4c14 BI n23
  BR c8n15a1c1 BY c4n4c16 CH n5c12 CR n18 CY n8c16 CZ n20 DE n18 DJ n23 DK n14 DO c4n20 EE n16
  EG n25 ES n20 FI n14 FK a2n12 FO n14 FR n10c11n2 GB a4n14 GE a2n16 GI a4c15 GL n14 GR n7c16
  GT c24 HN a4n20 HR n17 HU n24 IE a4n14 IL n19 IQ a4n15 IS n22 IT a1n10c12 JO a4n4c18 KW a4c22
  KZ n3c13 LB n4c20 LC a4c24 LI n5c12 LT n16 LU n3c13 LV a4c13 LY n21 MC n10c11n2 MD c20 ME n18
  MK n3c10n2 MN n16 MR n23 MT a4n5c18 MU a4n19a3 NI a4n20 NL a4n10 NO n11 OM n3c16 PK a4c16 PL n24
  PS a4c21 PT n21 QA a4c21 RO a4c16 RS n18 RU n14c15 SA n2c18 SC a4n20a3 SD n14 SE n20 SI n15
  SK n20 SM a1n10c12 SO n19 ST n21 SV a4n20 TL n19 TN n20 TR n6c16 UA n6c19 VA n18 VG a4n16 XK n16
  YE a4n4c18`

const digit = 1
const letter = 2
const classes: Readonly<Record<string, number>> = { n: digit, a: letter, c: digit | letter }
/** By country (26 × first letter + second): the class of each character of the account. */
const forms: (Uint8Array | undefined)[] = []
for (const [, country = '', form = ''] of registry.matchAll(/([A-Z]{2}) ([nac0-9]+)/g)) {
  const parts = [...form.matchAll(/([nac])(\d+)/g)].flatMap(([, kind = '', count = '']) =>
    Array.from({ length: Number(count) }, () => classes[kind] ?? 0),
  )
  forms[(country.charCodeAt(0) - 65) * 26 + country.charCodeAt(1) - 65] = Uint8Array.from(parts)
}

/** Country codes with the length of their numbers, for tests and documents. */
export const ibanLengths: ReadonlyMap<string, number> = new Map(
  forms.flatMap((form, i) => {
    if (form === undefined) return []
    const country = String.fromCharCode(65 + Math.floor(i / 26), 65 + (i % 26))
    return [[country, form.length + 4] as const]
  }),
)

const head = 4

/**
 * The end of an IBAN that begins at `at`, where a word begins.
 * @returns its end; minus its end when all but the check digits is right; 0 for none.
 */
export function ibanEnd(bytes: Uint8Array, at: number, end: number): number {
  const c0 = (bytes[at] ?? 0) | 32
  const c1 = (bytes[at + 1] ?? 0) | 32
  if (at + head > end || isDigit[bytes[at + 2] ?? 0] === 0 || isDigit[bytes[at + 3] ?? 0] === 0) {
    return 0
  }
  if (isLetter[bytes[at] ?? 0] === 0 || isLetter[bytes[at + 1] ?? 0] === 0) return 0
  const form = forms[(c0 - 97) * 26 + c1 - 97]
  // One case throughout: hashes and words mix them.
  const small = (bytes[at] ?? 0) & 32
  if (form === undefined || ((bytes[at + 1] ?? 0) & 32) !== small) return 0
  const separator = separatorAt(bytes, at + head, end)
  const first = bytes[at + head] ?? 0
  let i = at + head
  let rest = 0
  for (let n = 0; n < form.length; n++) {
    if (n % 4 === 0 && separator > 0) {
      if (bytes[i] !== first || separatorAt(bytes, i, end) !== separator) return 0
      i += separator
    }
    const b = i < end ? (bytes[i] ?? 0) : 0
    if (isDigit[b] === 1) {
      if (((form[n] ?? 0) & digit) === 0) return 0
      rest = (rest * 10 + b - 48) % 97
    } else {
      const isFitting = isLetter[b] === 1 && ((form[n] ?? 0) & letter) !== 0 && (b & 32) === small
      if (!isFitting) return 0
      rest = (rest * 100 + (b | 32) - 87) % 97
    }
    i++
  }
  const next = i < end ? (bytes[i] ?? 0) : 0
  if (isDigit[next] === 1 || isLetter[next] === 1) return 0
  const check = ((bytes[at + 2] ?? 0) - 48) * 10 + (bytes[at + 3] ?? 0) - 48
  rest = (((rest * 100 + c0 - 87) % 97) * 100 + c1 - 87) % 97
  rest = (rest * 100 + check) % 97
  return rest === 1 && check >= 2 && check <= 98 ? i : -i
}

/** The width of what may stand between two groups of four; 0 for none. */
function separatorAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0
  const b = bytes[at] ?? 0
  if (b === 0x20 || b === 0x2d) return 1
  if (b === 0xc2 && bytes[at + 1] === 0xa0) return 2
  return b === 0xe2 && bytes[at + 1] === 0x80 && bytes[at + 2] === 0xaf ? 3 : 0
}

/** Country and last four stay, as on a bank's own letters; everything between turns into stars. */
export function maskedIban(bytes: Uint8Array, start: number, end: number): Uint8Array {
  // A copy: `slice` of a Buffer would be a view of the message.
  const out = Uint8Array.from(bytes.subarray(start, end))
  let kept = 0
  for (let i = out.length - 1; i >= 2; i--) {
    const b = out[i] ?? 0
    if (isDigit[b] === 0 && isLetter[b] === 0) continue
    if (kept < 4) kept++
    else out[i] = 0x2a
  }
  return out
}
