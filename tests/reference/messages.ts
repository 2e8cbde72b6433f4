/** Messages of a server: values with names that tell, in lists, objects and JSON in strings. */
import fc from 'fast-check'
import { digits, disguised, inGroups, short, text } from './generate.ts'

/** JSON as it is written: numbers as they stand, members in their order. */
type Value =
  | string
  | boolean
  | null
  | { readonly token: string }
  | readonly Value[]
  | { readonly members: readonly (readonly [key: string, value: Value])[] }

const token: fc.Arbitrary<Value> = fc
  .oneof(
    fc
      .tuple(
        digits.filter((number) => /^[1-9][0-9]/.test(number)),
        fc.constantFrom('plain', 'minus', 'point', 'whole', 'exponent'),
      )
      .map(([number, way]) => {
        if (way === 'minus') return `-${number}`
        if (way === 'point') return `${number[0]}.${number.slice(1)}e${number.length - 1}`
        if (way === 'whole') return `${number}.0`
        return way === 'exponent' ? `${number}e2` : number
      }),
    fc.integer({ min: 0, max: 12_345 }).map(String),
  )
  .map((spelt) => ({ token: spelt }))

const names =
  'id name note value text data number code pan card_number cardNo card cvv card_cvc security_code pin pincode pinBlock track2 cid order_id tracking_number phone key label columns rows fields cvv_result zip credit_limit billing.card.number expiry geheimzahl n items content'.split(
    ' ',
  )
const key: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...names) },
  { weight: 1, arbitrary: digits.filter((number) => number.length > 7) },
)
const leaf: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: disguised },
  { weight: 3, arbitrary: fc.oneof(digits, inGroups) },
  { weight: 2, arbitrary: short },
  { weight: 2, arbitrary: fc.constantFrom(...names, 'CVV', 'PIN number', 'código de seguridad') },
  { weight: 3, arbitrary: token },
  { weight: 1, arbitrary: fc.constantFrom<Value>(true, null, '', 'A1B2C3D4E5F60718') },
)

type Write = (text: string) => string
const plainly: Write = (string) => JSON.stringify(string)

function written(value: Value, indent: string, write: Write): string {
  if (typeof value === 'string') return write(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if ('token' in value) return value.token
  if ('members' in value) {
    const colon = indent === '' ? ':' : ': '
    const members = value.members.map(
      ([name, inner]) => indent + write(name) + colon + written(inner, indent, write),
    )
    return `{${members.join(',')}}`
  }
  return `[${value.map((inner) => indent + written(inner, indent, write)).join(',')}]`
}
const compact = (value: Value): string => written(value, '', plainly)
const pretty = (value: Value): string => written(value, '\n', plainly)

const tree: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: leaf },
    {
      weight: 3,
      arbitrary: fc
        .uniqueArray(fc.tuple(key, tie('value')), { maxLength: 5, selector: ([name]) => name })
        .map((members) => ({ members })),
    },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 6 }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('value'), fc.constantFrom(compact, pretty))
        .map(([value, write]) => write(value)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(text, tie('value'), text)
        .map(([before, value, behind]) => before + compact(value) + behind),
    },
  ),
})).value

const items = fc
  .array(
    fc.oneof(
      tree.map((value) => (typeof value === 'string' ? value : compact(value))),
      inGroups,
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((texts) =>
    texts.map((one) => ({
      members: [
        ['type', 'text'],
        ['text', one],
      ] as const,
    })),
  )
const result: fc.Arbitrary<Value> = fc.oneof(
  tree.map((value) => ({ members: [['structuredContent', value]] as const })),
  items.map((value) => ({ members: [['content', value]] as const })),
)

/** A message as JSON; in some of them every few characters are written as escapes, but
 *  for points: the second look, which does not read escapes, would take decimals for numbers. */
export const message: fc.Arbitrary<string> = fc
  .tuple(result, fc.integer({ min: 0, max: 8 }))
  .map(([value, odd]) => {
    let count = 0
    const write: Write = (string) => {
      const characters = Array.from(string, (character) =>
        odd > 0 && ++count % (odd * 4 + 1) === 0 && character !== '.'
          ? escaped(character)
          : plainly(character).slice(1, -1),
      )
      return `"${characters.join('')}"`
    }
    return `{"jsonrpc":"2.0","id":1,"result":${written(value, '', write)}}`
  })

const escaped = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
