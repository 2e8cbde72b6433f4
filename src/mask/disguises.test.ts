/** What hides card data, and what only looks like it: the whole masker on one text at a time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { readJson } from '../wire/json.ts'
import { answer, plan } from '../../tests/masking.ts'

const visa = pan(4, 16, '539148803')
const diners = pan(36, 14)
const fours = grouped(visa, [4, 4, 4, 4], ' ')
const [a = '', b = '', c = '', d = ''] = fours.split(' ')
const stars = (number: string): string =>
  Array.from(number)
    .map((sign, i) => (/\d/.test(sign) && i < number.length - 4 ? '*' : sign))
    .join('')
const each = (number: string, spell: (digit: string) => string): string =>
  Array.from(number).map(spell).join('')
const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase()

/** Masks one text of a tool result. */
function masked(text: string): string {
  const shown = answer(
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } }),
  )
  const message: { result: { content: [{ text: string }] } } = JSON.parse(shown)
  return message.result.content[0].text
}
const last = visa.slice(-4)
const head = visa.slice(0, 12)

const hidden: readonly [what: string, text: string, want: string][] = [
  [
    'decimal references',
    `no. ${each(visa, (x) => `&#${x.charCodeAt(0)};`)}!`,
    `no. ${'&#42;'.repeat(12)}${each(last, (x) => `&#${x.charCodeAt(0)};`)}!`,
  ],
  [
    'hexadecimal references',
    each(visa, (x) => `&#x3${x};`),
    `${'&#x2a;'.repeat(12)}${each(last, (x) => `&#x3${x};`)}`,
  ],
  ['references amid digits', `&#52;${visa.slice(1)}`, `&#42;${stars(visa).slice(1)}`],
  ['named spaces', fours.replaceAll(' ', '&nbsp;'), stars(fours).replaceAll(' ', '&nbsp;')],
  ['soft hyphens by name', fours.replaceAll(' ', '&shy;'), stars(visa)],
  [
    'inline tags',
    `<b>${a}</b><i class="x">${b}</i><br-x>${c}`.slice(0, 0) +
      `<b>${a}</b><i class="x">${b}</i><span>${c}</span>${d}`,
    `<b>****</b><i class="x">****</i><span>****</span>${d}`,
  ],
  ['comments', `${head}<!-- x -->${last}`, `${'*'.repeat(12)}<!-- x -->${last}`],
  [
    'percent-encoding',
    `q=${each(visa, (x) => `%3${x}`)}&n=1`,
    `q=${'%2A'.repeat(12)}${each(last, (x) => `%3${x}`)}&n=1`,
  ],
  [
    'percent-encoding twice',
    each(visa, (x) => `%253${x}`),
    '%252A'.repeat(12) + each(last, (x) => `%253${x}`),
  ],
  [
    'plus signs of a form',
    `n=${fours.replaceAll(' ', '+')}`,
    `n=${stars(fours).replaceAll(' ', '+')}`,
  ],
  ['quoted-printable', each(visa, (x) => `=3${x}`), '=2A'.repeat(12) + each(last, (x) => `=3${x}`)],
  ['a soft line break of a mail', `${a}${b}=\r\n${c}${d}`, `********=\r\n****${d}`],
  ['slashes', fours.replaceAll(' ', '/'), stars(fours).replaceAll(' ', '/')],
  ['underscores', fours.replaceAll(' ', '_'), stars(fours).replaceAll(' ', '_')],
  ['dashes with blanks', fours.replaceAll(' ', ' - '), stars(fours).replaceAll(' ', ' - ')],
  ['a wave dash', fours.replaceAll(' ', '\u301c'), stars(fours).replaceAll(' ', '\u301c')],
  ['a Mongolian separator', visa.replace(a, `${a}\u180e`), stars(visa)],
  ['a wrapped line', `${a} ${b}\n${c} ${d}`, `**** ****\n**** ${d}`],
  ['letters of another script directly before', `卡${fours}号`, `卡${stars(fours)}号`],
  ['several numbers in a row', `${fours} ${fours}`, `${stars(fours)} ${stars(fours)}`],
  [
    'several numbers, one a line',
    `${fours}\n${visa}\n${fours}`,
    `${stars(fours)}\n${stars(visa)}\n${stars(fours)}`,
  ],
  [
    'an order of the line above',
    `Order 92767\n${fours}\n409.87 EUR`,
    `Order 92767\n${stars(fours)}\n409.87 EUR`,
  ],
  ['a hash sign behind a card word', `cc#${visa}`, `cc#${stars(visa)}`],
  [
    'raised digits in a card column',
    JSON.stringify({ pan: each(visa, (x) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(x))) }),
    JSON.stringify({ pan: stars(visa) }),
  ],
  [
    'an object amid a sentence',
    `see {"pan": 4.${visa.slice(1)}e15, "x": 1} there`,
    `see {"pan": 9.${'0'.repeat(11)}${last}e15, "x": 1} there`,
  ],
  [
    'base64',
    `data:text/plain;base64,${Buffer.from(`my card is ${visa}`).toString('base64')}`,
    `data:text/plain;base64,${Buffer.from(`my card is ${stars(visa)}`).toString('base64')}`,
  ],
  ['a tag of EMV with the number', `9F1A5A08${visa}9F02`, `9F1A5A08${stars(visa)}9F02`],
  ['a tag of EMV with the track', `5711${visa}D26122011234567890`, '5711[track removed]'],
]
for (const [what, text, want] of hidden) {
  test(`a number behind ${what} is masked where it stands`, () => assert.equal(masked(text), want))
}

const secrets: readonly [what: string, text: string, want: string][] = [
  ['behind number and date', `${visa} 12/27 123`, `${stars(visa)} 12/27 ***`],
  ['in front of the date', `${visa};123;12/27`, `${stars(visa)};***;12/27`],
  ['behind month and year', `${visa}|12|2027|123`, `${stars(visa)}|12|2027|***`],
  ['behind a name and the date', `${visa},J. Doe,12/27,123`, `${stars(visa)},J. Doe,12/27,***`],
  [
    'in the cells of a list',
    JSON.stringify([['J. Doe', visa, '12/27', '123']]),
    JSON.stringify([['J. Doe', stars(visa), '12/27', '***']]),
  ],
  ['in cells that are numbers', `[["${visa}",12,2027,456]]`, `[["${stars(visa)}",12,2027,0  ]]`],
  ['of a name in several words', 'güvenlik kodu: 631', 'güvenlik kodu: ***'],
  ['of a name in another script', 'セキュリティコード：994', 'セキュリティコード：***'],
  ['of a card whose PIN is told', `The PIN of the card is 63722.`, `The PIN of the card is ***.`],
  [
    'of a PIN block',
    `PIN block (ISO-0): ${hex('\u0004\u00124\u009f').slice(0, 8)}${hex('abcd')}`,
    'PIN block (ISO-0): ***',
  ],
  ['of a tabbed line', `${visa}\t11/28\t908`, `${stars(visa)}\t11/28\t***`],
]
for (const [what, text, want] of secrets) {
  test(`a value ${what} is removed`, () => assert.equal(masked(text), want))
}

const paired: readonly [what: string, text: string, want: string][] = [
  [
    'a pair',
    '[{"name":"Security code","value":"404"}]',
    '[{"name":"Security code","value":"***"}]',
  ],
  [
    'a typed pair',
    '{"key":"cvv","value":{"stringValue":"775"}}',
    '{"key":"cvv","value":{"stringValue":"***"}}',
  ],
  ['a typed value', '{"cvv":{"S":"365"}}', '{"cvv":{"S":"***"}}'],
  ['names and values in turn', '["cvv","972","pin","4821"]', '["cvv","***","pin","***"]'],
  ['a numbered list', '5) "cvv"\n6) "646"', '5) "cvv"\n6) "***"'],
]
for (const [what, text, want] of paired) {
  test(`a value in ${what} is removed`, () => assert.equal(masked(text), want))
}

const left: readonly [what: string, text: string][] = [
  ['a number that is named an order', `{"order_id":"${visa}","tracking_number":"${visa}"}`],
  ['a number whose label says parcel', `Parcel ${visa} has left`],
  ['an amount behind number and date', `on 2024-12-01 at 12:30 for 250 EUR`],
  ['a postal code', 'Delivery to pin code 110001, New Delhi'],
  ['a path with the letters of a label', 'https://example.org/csc/312'],
  ['an IBAN in groups', `IBAN ES54 ${fours} 1589`],
  ['cells of a table', `<td>${a}</td><td>${b}</td><td>${c}</td><td>${d}</td>`],
  ['four columns', `${a}\n${b}\n${c}\n${d}`],
  [
    'base64 that is no text',
    Buffer.from(Array.from({ length: 60 }, (_, i) => (i * 37) % 256)).toString('base64'),
  ],
  [
    'a number that fails Luhn behind references',
    each(broken(visa), (x) => `&#${x.charCodeAt(0)};`),
  ],
]
for (const [what, text] of left) {
  test(`${what} stays`, () => assert.equal(masked(text), text))
}

test('whole groups over neighbouring items are one number; other cuts are none', () => {
  const items = (...texts: string[]): string =>
    answer(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        result: { content: texts.map((text) => ({ type: 'text', text })) },
      }),
    )
  const texts = (shown: string): string[] => {
    const message: { result: { content: { text: string }[] } } = JSON.parse(shown)
    return message.result.content.map(({ text }) => text)
  }
  assert.deepEqual(texts(items(`no. ${a} ${b}`, `${c} ${d} x`)), ['no. **** ****', `**** ${d} x`])
  assert.deepEqual(texts(items(a, b, c, d)), ['****', '****', '****', d])
  assert.deepEqual(texts(items(head, last)), ['*'.repeat(12), last])
  const odd = [visa.slice(0, 7), visa.slice(7)]
  assert.deepEqual(texts(items(...odd)), odd)
  const apart = [`${a} ${b}`, 'and then', `${c} ${d}`]
  assert.deepEqual(texts(items(...apart)), apart)
})

test('whatever the bytes are, text comes out whole, and the same each time', () => {
  const piece = fc.constantFrom(
    visa,
    a,
    '&#52;',
    '%34',
    '%25',
    '=3',
    '=\r\n',
    '<b>',
    '</b>',
    '<!--',
    '{"',
    '[',
    '\\u0034',
    '"',
    '\\',
    'cvv',
    ': 123',
    '\u0664',
    '\ud83d',
    '\n',
    ',',
    '|',
    ' ',
    diners,
    'PIN block',
    'QUJD'.repeat(9),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const text = pieces.join('')
      const json = JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        result: { content: [{ type: 'text', text }] },
      })
      const once = answer(json)
      assert.equal(answer(json), once)
      assert.equal(answer(once), once)
      const tree = readJson(Buffer.from(once), { bytesMax: 1 << 24, depthMax: 64 })
      assert.equal(tree.kind(tree.root), 'object')
      assert.ok(plan.rule !== '')
    }),
    { numRuns: 300 },
  )
})
