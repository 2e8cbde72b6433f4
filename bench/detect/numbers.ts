/** Numbers with their check digits, made here: neither a list of cards nor the detector's own code. */
import type { Draw } from './draw.ts'

/** The digit which makes `body` pass Luhn (ISO/IEC 7812-1, annex B). */
export function luhnDigit(body: string): string {
  let sum = 0
  for (let i = 0; i < body.length; i++) {
    const digit = Number(body.at(-1 - i))
    sum += i % 2 === 1 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return String((10 - (sum % 10)) % 10)
}

export const passesLuhn = (digits: string): boolean =>
  luhnDigit(digits.slice(0, -1)) === digits.at(-1)

/** First digits from `low` to `high`, of the same width. */
export type Prefixes = readonly (readonly [low: string, high: string])[]

/** One brand, or one length or range of it, as a family of the corpus. */
export interface Brand {
  readonly name: string
  readonly prefixes: Prefixes
  readonly lengths: readonly number[]
  /** Only near a card word, key or column is it a card number. */
  readonly isNeedy?: true
  /** Issued without a check digit as well; such numbers need a word too. */
  readonly isLuhnless?: true
}

const one = (...list: readonly string[]): Prefixes => list.map((prefix) => [prefix, prefix])

/** After ISO/IEC 7812 issuer tables. A number that two brands share counts for either. */
export const brands: readonly Brand[] = [
  { name: 'visa-16', prefixes: one('4'), lengths: [16] },
  { name: 'visa-13', prefixes: one('4'), lengths: [13], isNeedy: true },
  { name: 'visa-19', prefixes: one('4'), lengths: [19] },
  { name: 'mastercard-5', prefixes: [['51', '55']], lengths: [16] },
  { name: 'mastercard-2', prefixes: [['2221', '2720']], lengths: [16] },
  { name: 'amex', prefixes: one('34', '37'), lengths: [15] },
  {
    name: 'discover',
    prefixes: [
      ['6011', '6011'],
      ['644', '649'],
      ['65', '65'],
      ['622126', '622925'],
    ],
    lengths: [16],
  },
  {
    name: 'diners-14',
    prefixes: [
      ['300', '305'],
      ['309', '309'],
      ['36', '36'],
      ['38', '39'],
    ],
    lengths: [14],
  },
  {
    name: 'diners-16',
    prefixes: [
      ['300', '305'],
      ['36', '36'],
      ['38', '39'],
    ],
    lengths: [16],
  },
  { name: 'jcb', prefixes: [['3528', '3589']], lengths: [16] },
  { name: 'jcb-15', prefixes: one('2131', '1800'), lengths: [15], isNeedy: true },
  { name: 'unionpay-16', prefixes: [...one('62'), ['810', '817']], lengths: [16] },
  { name: 'unionpay-17-to-19', prefixes: one('62'), lengths: [17, 18, 19] },
  {
    name: 'unionpay-luhnless',
    prefixes: one('62'),
    lengths: [16, 19],
    isNeedy: true,
    isLuhnless: true,
  },
  {
    name: 'maestro',
    prefixes: [...one('5018', '5020', '5038', '5893', '6304', '6759'), ['6761', '6763']],
    lengths: [16, 18, 19],
  },
  {
    name: 'maestro-12-to-15',
    prefixes: [...one('5018', '5020', '5038', '6304', '6759'), ['6761', '6763']],
    lengths: [12, 13, 14, 15],
    isNeedy: true,
  },
  {
    name: 'maestro-broad',
    prefixes: [...one('500', '502', '564', '569', '575', '589', '670', '677', '679')],
    lengths: [16, 18, 19],
    isNeedy: true,
  },
  { name: 'mir', prefixes: [['2200', '2204']], lengths: [16] },
  {
    name: 'rupay',
    prefixes: [...one('6073', '6079', '6521', '6522', '508')],
    lengths: [16],
    isNeedy: true,
  },
  { name: 'elo', prefixes: one('636297', '636368', '438935', '504175'), lengths: [16] },
  { name: 'hipercard', prefixes: one('606282', '637095'), lengths: [16] },
  { name: 'troy', prefixes: one('9792'), lengths: [16] },
  {
    name: 'verve',
    prefixes: [
      ['506099', '506198'],
      ['507865', '507964'],
    ],
    lengths: [16, 18, 19],
  },
  { name: 'uatp', prefixes: one('1'), lengths: [15], isNeedy: true },
  { name: 'dankort', prefixes: one('5019'), lengths: [16] },
  {
    name: 'other-national',
    prefixes: one('2205', '9704', '9860', '8600', '357111', '60400100', '636', '637'),
    lengths: [16],
    isNeedy: true,
  },
]

/** What answers hold in practice; numbers of these need no word beside them. */
const usual: readonly (readonly [weight: number, brand: string])[] = [
  [40, 'visa-16'],
  [24, 'mastercard-5'],
  [6, 'mastercard-2'],
  [12, 'amex'],
  [6, 'discover'],
  [4, 'diners-14'],
  [4, 'jcb'],
  [4, 'unionpay-16'],
]

export function brandNamed(name: string): Brand {
  const brand = brands.find((each) => each.name === name)
  if (brand === undefined) throw new Error(`no brand ${name}`)
  return brand
}

export const usualBrand = (draw: Draw): Brand => brandNamed(draw.weighted(usual))

/** A number of the brand; it passes Luhn unless the brand issues without. */
export function panOf(draw: Draw, brand: Brand): string {
  const [low, high] = draw.pick(brand.prefixes)
  const prefix = String(draw.int(Number(low), Number(high)))
  const length = draw.pick(brand.lengths)
  const body = prefix + draw.letters(length - 1 - prefix.length, '0123456789')
  const check = luhnDigit(body)
  return body + (brand.isLuhnless ? String((Number(check) + draw.int(1, 9)) % 10) : check)
}

/** Could a scanner without context take it for a card? Range and Luhn of any brand above. */
export function looksLikeCard(digits: string): boolean {
  return (
    passesLuhn(digits) &&
    [...brands, broad].some(
      ({ prefixes, lengths }) =>
        (lengths.includes(digits.length) || digits.length > 16) &&
        prefixes.some(([low, high]) => {
          const head = digits.slice(0, low.length)
          return head >= low && head <= high
        }),
    )
  )
}
const broad: Brand = {
  name: 'broad',
  prefixes: one(
    '30',
    '36',
    '38',
    '39',
    '50',
    '56',
    '57',
    '58',
    '59',
    '6',
    '81',
    '82',
    '353',
    '356',
  ),
  lengths: [12, 13, 14, 15, 16, 17, 18, 19],
}

/** The form that stays when digits must stay digits: `9`, zeros, last four, and never Luhn. */
export function digitForm(digits: string): string {
  const form = `9${'0'.repeat(digits.length - 5)}${digits.slice(-4)}`
  return passesLuhn(form) ? `${form.slice(0, 3)}1${form.slice(4)}` : form
}

/** The groups printed on cards of that length. */
export function cardGroups(length: number): readonly number[] {
  if (length === 16) return [4, 4, 4, 4]
  if (length === 15) return [4, 6, 5]
  if (length === 14) return [4, 6, 4]
  if (length === 19) return [4, 4, 4, 4, 3]
  return [length]
}

export function groupsOf(
  digits: string,
  sizes: readonly number[] = cardGroups(digits.length),
): string[] {
  let at = 0
  return sizes.map((size) => digits.slice(at, (at += size)))
}

/** GS1 General Specifications §7.9: weights 3, 1 from the right. */
export function gtinDigit(body: string): string {
  let sum = 0
  for (let i = 0; i < body.length; i++) sum += Number(body.at(-1 - i)) * (i % 2 === 0 ? 3 : 1)
  return String((10 - (sum % 10)) % 10)
}

/** ISO 13616: check digits over a country and its account number. */
export function iban(country: string, account: string): string {
  const code = (text: string): string =>
    text.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))
  const rest = BigInt(`${code(account)}${code(country)}00`) % 97n
  return `${country}${String(98n - rest).padStart(2, '0')}${account}`
}

/** ISO 2108, ten digits: weights 10 to 2, modulo 11. */
export function isbn10Digit(body: string): string {
  let sum = 0
  for (let i = 0; i < 9; i++) sum += Number(body.charAt(i)) * (10 - i)
  const check = (11 - (sum % 11)) % 11
  return check === 10 ? 'X' : String(check)
}
