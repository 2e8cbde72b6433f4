/**
 * Texts made of pieces near the borders of the scanner's decisions: numbers that are just right or
 * just wrong, labels just near enough or too far, separators of every kind.
 */
import fc from 'fast-check'
import { broken, grouped, needy, pan, published } from '../cards.ts'

const list = (words: string): string[] => words.split('|')
const prefixes = list(
  '4:16|4:13|4:18|4:19|51:16|2221:16|34:15|37:15|36:14|300:14|36:16|36:15|6011:16|65:19|65:18|3530:16|62:16|62:19|62:17|62:14|2200:16|2200:19|6759:16|6759:14|5018:12|56:16|1:15|9792:16|636297:16|506099:19|2131:15|60:16',
)

/** A number which an issuer could give out. */
const card: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...prefixes), fc.stringMatching(/^[0-9]{10}$/))
      .map(([kind, fill]) => pan(kind.split(':')[0] ?? '', Number(kind.split(':')[1]), fill)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...published, ...needy).map(([, number]) => number) },
)
/** Or one that is wrong by its last digit, or something else. */
export const digits: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: card },
  { weight: 2, arbitrary: card.map(broken) },
  { weight: 2, arbitrary: fc.stringMatching(/^[0-9]{1,24}$/) },
  { weight: 1, arbitrary: fc.constantFrom('0'.repeat(16), '1763711234567', '20261121074800') },
)

const sizes: readonly (readonly number[])[] = [
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
  [6, 13],
  [8, 8],
  [4, 4, 4, 4, 2],
  [4, 4, 4, 1],
  [4, 4, 4, 3],
  [4, 4, 5],
  [4, 3, 3, 3],
  [4, 4, 8],
  [4, 12],
  [5, 5, 6],
  [2, 2, 2, 2, 2, 2, 2, 2],
  [3, 3, 3, 3, 3, 1],
  [4, 4, 4],
  Array.from({ length: 16 }, () => 1),
]
const separators = list(
  ' |-|.|/|_|  |--| - | -|- |\n| \n|\r\n|,|\t|   |:|+|%20|=\n|<b>|</b>| / |\\|&#32;|`|*',
)

/** A number in groups, mostly of sizes that cards are written in, mostly with one separator. */
const cutBy = (separator: fc.Arbitrary<string>, least = 4): fc.Arbitrary<string> =>
  fc
    .record({
      number: digits,
      cut: fc.constantFrom(...sizes.filter(([first = 0]) => first >= least)),
      by: separator,
      other: separator,
      odd: fc.nat({ max: 40 }),
    })
    .map(({ number, cut, by, other, odd }) => {
      const parts = grouped(number, cut, '\0').split('\0')
      return parts.map((part, i) => (i === 0 ? '' : i === odd ? other : by) + part).join('')
    })
export const inGroups: fc.Arbitrary<string> = cutBy(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(' ', '-') },
    { weight: 4, arbitrary: fc.constantFrom(...separators) },
  ),
  1,
)

type Spelling = (character: string) => string
/** With some or all of its characters written in another way. */
const spelt = (text: fc.Arbitrary<string>, ways: readonly Spelling[]): fc.Arbitrary<string> =>
  fc
    .tuple(text, fc.constantFrom(...ways), fc.integer({ min: 1, max: 0xffffff }))
    .map(([clear, spell, which]) =>
      Array.from(clear, (c, i) => ((which >>> i) & 1 ? spell(c) : c)).join(''),
    )
const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0')
const encodings: readonly Spelling[] = [
  (c) => `&#${c.charCodeAt(0)};`,
  (c) => `&#x${hex(c)};`,
  (c) => `&#00${c.charCodeAt(0)};`,
  (c) => `%${hex(c)}`,
  (c) => `%25${hex(c)}`,
  (c) => `=${hex(c).toUpperCase()}`,
  (c) => `<b>${c}</b>`,
  (c) => `**${c}**`,
]

const labels = list(
  'CVV|cvc2|security code|CVV code|código de seguridad|cryptogramme|güvenlik kodu|セキュリティコード|安全码|код безопасности|PIN|pin code|Geheimzahl|PIN number|cid|card number|PAN|ccn|номер карты|カード番号|card verification value|cvv2|kod|PIN no.',
)
const words = list(
  'card|visa|credit|карта|カード|expiry|checkout|order|Order no|invoice id|tracking number|phone|parcel|imei|is|was|the|of|code|my|for|x|and|Japan|discard|cardigan|postcards|panorama|hello|zażółć|日本|J. Doe|Müller|ES54|ref|a|no|valid|is not|6)|12.50 EUR|a1b2|0x',
)
const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...words) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 45 }).map((n) => 'abcdefgh '.repeat(6).slice(0, n)),
  },
)
export const short: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[0-9]{3,4}$/),
  fc.stringMatching(/^[0-9]{1,13}$/),
  fc.constantFrom(...list('12/27|01/2030|2027-03|12|2027|1227|27|122027|5|2027-12-31|12:30|12.5')),
)
const marks = fc.constantFrom(
  ...': | |=| = |;|,|, |\n|\t|. |.|: "|"|\'| (|) |#| #|+| +|-| - |/|_|&|>|<|*|?|!|\\|[|]|{|}|~|@| |  |: |\r\n'.split(
    '|',
  ),
  '|',
  '',
)
/** Signs beyond ASCII which are no space, dash or dot. */
const wideMarks = fc.constantFrom(...list('：|，|“|”|（|）|…|日|é'))

const shapes: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('', ';', '%B', 'b'),
      digits,
      fc.constantFrom('=', 'D', '^DOE/JOHN^'),
      fc.constantFrom('27121010000000000', '271210', '2712', '2712101', '^101'),
      fc.constantFrom('', '?', 'F', 'FX', '?!'),
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(digits, fc.integer({ min: 3, max: 9 }), fc.constantFrom('*', 'x', 'X', '#'))
    .map(
      ([n, head, mask]) =>
        n.slice(0, head) + mask.repeat(Math.max(0, n.length - head - 4)) + n.slice(-4),
    ),
  digits.map(
    (n) =>
      `5A0${Math.ceil(n.length / 2)
        .toString(16)
        .toUpperCase()}${n}${n.length % 2 ? 'F' : ''}9F02`,
  ),
  digits.map((n) => `${`5712${n}D2712201${'0'.repeat(20)}`.slice(0, 40)}9F`),
  fc.constantFrom('PIN block: 0412AC89ABCDEF67', 'DE 52 0412AC89ABCDEF670412AC89ABCDEF67'),
  digits.map((n) => `12345678-1234-4111-8111-${n.slice(0, 12)}`),
  digits.map((n) => `deadbeef${n}cafe`),
)
const base64: fc.Arbitrary<string> = fc
  .tuple(fc.oneof(digits, inGroups), fc.boolean())
  .map(([n, isLong]) => {
    const clear = isLong
      ? `the number of the one whom you meant is ${n}, and the cvv of it is 123, as was said`
      : `my card ${n}, cvv 123`
    return (
      Buffer.from(clear)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\r\n')
  })

const number = fc.oneof(
  { weight: 4, arbitrary: digits },
  { weight: 6, arbitrary: inGroups },
  { weight: 2, arbitrary: spelt(fc.oneof(digits, inGroups), encodings) },
)
const joined = (
  pieces: fc.Arbitrary<string>,
  between: fc.Arbitrary<string>,
): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(pieces, between), { minLength: 1, maxLength: 9 })
    .map((parts) => parts.flat().join(''))

/** Running text whose digits, spaces and dashes are those of ASCII; its letters are of any script. */
export const text: fc.Arbitrary<string> = joined(
  fc.oneof(
    { weight: 6, arbitrary: number },
    { weight: 5, arbitrary: fc.constantFrom(...labels) },
    { weight: 4, arbitrary: word },
    { weight: 5, arbitrary: short },
    { weight: 1, arbitrary: fc.oneof(shapes, base64) },
  ),
  fc.oneof({ weight: 9, arbitrary: marks }, { weight: 1, arbitrary: wideMarks }),
)

const zeros = [0x660, 0x6f0, 0x966, 0xe50, 0xff10, 0x1d7ce, 0x1d7f6, 0x1e950]
const scripts: readonly Spelling[] = zeros.map(
  (zero) => (c) => (/[0-9]/.test(c) ? String.fromCodePoint(zero + Number(c)) : c),
)
const invisible: readonly Spelling[] = ['\u200b', '\u2060\u00ad', '\ufe0f\u20e3', '\u0336'].map(
  (sign) => (c) => c + sign,
)
const wide = fc.constantFrom(
  '\u00a0',
  '\u2013',
  '\u2009',
  '\u00ad',
  '\u200b',
  '\u301c',
  '\u30fb',
  '\u2215',
  '\u2212',
  '&nbsp;',
  '&#8211;',
  '%C2%A0',
)

/** Text with a number in digits, spaces and dashes of other kinds, or with invisible characters. */
export const disguised: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(word, { maxLength: 3 }),
    fc.oneof(
      {
        weight: 2,
        arbitrary: spelt(fc.oneof(card, cutBy(fc.constantFrom(' ', '-', '.'))), [
          ...scripts,
          ...invisible,
        ]),
      },
      { weight: 2, arbitrary: cutBy(wide) },
    ),
    fc.array(word, { maxLength: 3 }),
    fc.constantFrom(...list(' |: |, |\n| (|) |; |. |="|" ')),
  )
  .map(([before, number, behind, by]) => [...before, number, ...behind].join(by))
