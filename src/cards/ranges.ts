/**
 * Which digits can be a card number: issuer ranges with their lengths, as of 2026-11.
 *
 * Sources: ISO/IEC 7812 issuer tables as publicly transcribed, cross-checked with the npm package
 * `credit-card-type`. Issuers change ranges; this file is the one place that knows them.
 */

/**
 * What must stand near a number of the range: nothing, or a card word, key or column. `rare`: the
 * length is allowed and hardly ever issued, so by itself it is only a weak sign.
 */
type Need = 'nothing' | 'rare' | 'context'

/** One row: every prefix in `prefixes` (inclusive, equal number of digits) with any of `lengths`. */
interface Range {
  readonly brand: string
  readonly prefixes: readonly (readonly [from: number, to: number])[]
  readonly lengths: readonly number[]
  readonly need: Need
}

const all = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
const one = (...prefixes: number[]): [number, number][] => prefixes.map((p) => [p, p])

/** Common ranges stand first: where two rows fit, the first names the brand. */
const ranges: readonly Range[] = [
  { brand: 'amex', prefixes: one(34, 37), lengths: [15], need: 'nothing' },
  { brand: 'mir', prefixes: [[2200, 2204]], lengths: [16, 19], need: 'nothing' },
  { brand: 'mir', prefixes: [[2200, 2204]], lengths: [17, 18], need: 'rare' },
  {
    brand: 'mastercard',
    prefixes: [
      [2221, 2720],
      [51, 55],
    ],
    lengths: [16],
    need: 'nothing',
  },
  { brand: 'jcb', prefixes: [[3528, 3589]], lengths: [16, 19], need: 'nothing' },
  { brand: 'jcb', prefixes: [[3528, 3589]], lengths: [17, 18], need: 'rare' },
  { brand: 'jcb', prefixes: one(2131, 1800), lengths: [15], need: 'nothing' },
  {
    brand: 'diners',
    prefixes: [
      [300, 305],
      [309, 309],
      [36, 36],
      [38, 39],
    ],
    lengths: [14, 16],
    need: 'nothing',
  },
  {
    brand: 'diners',
    prefixes: [
      [300, 305],
      [309, 309],
      [36, 36],
      [38, 39],
    ],
    lengths: [15, 17, 18, 19],
    need: 'rare',
  },
  {
    brand: 'elo',
    prefixes: one(
      401178,
      401179,
      431274,
      438935,
      451416,
      457393,
      457631,
      457632,
      504175,
      506726,
      506739,
      627780,
      636297,
      636368,
      650031,
      651652,
      655000,
    ),
    lengths: [16],
    need: 'nothing',
  },
  {
    brand: 'elo',
    prefixes: [
      [506699, 506778],
      [509000, 509999],
      [650035, 650051],
      [650405, 650439],
      [650485, 650538],
      [650541, 650598],
      [650700, 650718],
      [650720, 650727],
      [650901, 650920],
      [651653, 651679],
      [655001, 655019],
      [655021, 655058],
    ],
    lengths: [16],
    need: 'nothing',
  },
  {
    brand: 'hipercard',
    prefixes: one(384100, 384140, 384160, 606282, 637095, 637568, 637599, 637609, 637612),
    lengths: [16],
    need: 'nothing',
  },
  {
    brand: 'verve',
    prefixes: [
      [506099, 506198],
      [507865, 507964],
      [650002, 650027],
    ],
    lengths: [16, 18, 19],
    need: 'nothing',
  },
  { brand: 'troy', prefixes: one(9792), lengths: [16], need: 'nothing' },
  {
    brand: 'discover',
    prefixes: [
      [6011, 6011],
      [644, 649],
      [65, 65],
    ],
    lengths: [16, 19],
    need: 'nothing',
  },
  {
    brand: 'discover',
    prefixes: [
      [6011, 6011],
      [644, 649],
      [65, 65],
    ],
    lengths: [17, 18],
    need: 'rare',
  },
  {
    brand: 'rupay',
    prefixes: [
      [60, 60],
      [81, 82],
      [508, 508],
      [353, 353],
      [356, 356],
    ],
    lengths: [16],
    need: 'nothing',
  },
  {
    brand: 'unionpay',
    prefixes: [
      [62, 62],
      [810, 817],
    ],
    lengths: all(16, 19),
    need: 'nothing',
  },
  {
    brand: 'unionpay',
    prefixes: [
      [62, 62],
      [810, 817],
    ],
    lengths: [14, 15],
    need: 'rare',
  },
  { brand: 'dankort', prefixes: one(5019), lengths: [16], need: 'nothing' },
  { brand: 'visa', prefixes: one(4), lengths: [16, 19], need: 'nothing' },
  { brand: 'visa', prefixes: one(4), lengths: [13, 18], need: 'rare' },
  {
    brand: 'maestro',
    prefixes: one(5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763),
    lengths: all(14, 19),
    need: 'nothing',
  },
  { brand: 'napas', prefixes: one(9704), lengths: [16, 19], need: 'nothing' },
  { brand: 'humo', prefixes: one(9860), lengths: [16], need: 'nothing' },
  { brand: 'uzcard', prefixes: one(8600), lengths: [16], need: 'nothing' },
  { brand: 'naranja', prefixes: one(589562), lengths: [16], need: 'nothing' },
  // Short, wide or rare: every twelfth id would fit, so something near must speak of cards.
  { brand: 'maestro', prefixes: one(493698), lengths: [12, 14, 15, 17], need: 'context' },
  { brand: 'borica', prefixes: one(2205), lengths: [16], need: 'context' },
  { brand: 'ukrcard', prefixes: [[604001, 604200]], lengths: all(16, 19), need: 'context' },
  { brand: 'interpayment', prefixes: one(636), lengths: all(16, 19), need: 'context' },
  { brand: 'instapayment', prefixes: [[637, 639]], lengths: [16], need: 'context' },
  {
    brand: 'maestro',
    prefixes: [
      [50, 50],
      [56, 59],
      [60, 60],
      [63, 63],
      [67, 67],
      [61, 61],
      [64, 64],
      [66, 66],
      [68, 69],
    ],
    lengths: all(12, 19),
    need: 'context',
  },
  { brand: 'uatp', prefixes: one(1), lengths: [15], need: 'context' },
]

/** Names by the number that `brandOf` gives; 0 is no brand. */
export const brands: readonly string[] = ['', ...new Set(ranges.map((range) => range.brand))]

// One byte a six-digit prefix and length class would be 8 MB; few ranges need more than four
// digits, so four index a table, and those few are asked one by one.
const lengthsMin = 12
const perPrefix = 8
/** In what `brandOf` gives: found only where a card word, key or column stands near. */
export const NEEDS_CONTEXT = 128
/** In what `brandOf` gives: a weak sign by itself. */
export const RARE = 256
const byFour = new Uint16Array(10_000 * perPrefix)
const isDeep = new Uint8Array(10_000)
interface Deep {
  readonly from: number
  readonly to: number
  readonly lengthBits: number
  readonly brand: number
}
const deep: Deep[] = []

const bitsOf = (lengths: readonly number[]): number =>
  lengths.reduce((bits, length) => bits | (1 << (length - lengthsMin)), 0)

function spread(range: Range): void {
  const { need } = range
  const flags = need === 'context' ? NEEDS_CONTEXT : need === 'rare' ? RARE : 0
  const brand = brands.indexOf(range.brand) | flags
  for (const [from, to] of range.prefixes) {
    const digits = String(from).length
    if (digits > 4) {
      const over = 10 ** (digits - 4)
      deep.push({ from, to, lengthBits: bitsOf(range.lengths), brand })
      for (let p = Math.floor(from / over); p <= Math.floor(to / over); p++) isDeep[p] = 1
      continue
    }
    const scale = 10 ** (4 - digits)
    for (let p = from * scale; p < (to + 1) * scale; p++) {
      for (const length of range.lengths) {
        const at = p * perPrefix + length - lengthsMin
        if (byFour[at] === 0) byFour[at] = brand
      }
    }
  }
}
for (const range of ranges) spread(range)

/**
 * The brand whose range and length the digits fit, or 0. Luhn is not asked here.
 * @param digits values 0–9, at least `length` of them.
 * @returns an index into `brands`, with `NEEDS_CONTEXT` or `RARE`.
 */
export function brandOf(digits: Uint8Array, length: number): number {
  if (length < lengthsMin || length > 19) return 0
  const four =
    (digits[0] ?? 0) * 1000 + (digits[1] ?? 0) * 100 + (digits[2] ?? 0) * 10 + (digits[3] ?? 0)
  if (isDeep[four] === 1) {
    const six = four * 100 + (digits[4] ?? 0) * 10 + (digits[5] ?? 0)
    for (const row of deep) {
      const fits = six >= row.from && six <= row.to
      if (fits && (row.lengthBits & (1 << (length - lengthsMin))) !== 0) return row.brand
    }
  }
  return byFour[four * perPrefix + length - lengthsMin] ?? 0
}

/** Whether numbers of this brand are also issued without a Luhn digit. */
export function isLuhnOptional(brand: number): boolean {
  return brands[brand & 127] === 'unionpay'
}

/** What a number that is masked must stay out of: used by the cross-checks of the tests. */
export function fits(digits: string): { brand: string; need: Need } | undefined {
  const values = Uint8Array.from(digits, (digit) => Number(digit))
  const brand = brandOf(values, values.length)
  if (brand === 0) return undefined
  const need = (brand & NEEDS_CONTEXT) !== 0 ? 'context' : (brand & RARE) !== 0 ? 'rare' : 'nothing'
  return { brand: brands[brand & 127] ?? '', need }
}
