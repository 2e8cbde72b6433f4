import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Look } from './masked.fixture.ts'

const look = new Look(['ssn', 'routing'])
const ssnOnly = new Look(['ssn'])
const routingOnly = new Look(['routing'])
const ssn = '123-45-6789'
const plain = '123456789'
const routing = '021000021'

const kept: readonly [what: string, text: string, name: string][] = [
  ['a bare number of nine digits', `order ${plain}`, ''],
  ['nine digits under another name', plain, 'order_id'],
  ['area 000', '000-45-6789', 'ssn'],
  ['area 666', '666-45-6789', 'ssn'],
  ['an area from 900 on', '900-45-6789', 'ssn'],
  ['group 00', '123-00-6789', 'ssn'],
  ['serial 0000', '123-45-0000', 'ssn'],
  ['a longer number with dashes', '123-45-6789-0', 'ssn'],
  ['the tail of one', '0-123-45-6789', ''],
  ['a letter behind', '123-45-6789A', 'ssn'],
  ['a decimal', '0.123456789', 'ssn'],
  ['a phone number', '+123456789', 'ssn'],
  ['two kinds of separator', '123-45 6789', 'ssn'],
  ['blanks without a word near', '123 45 6789', ''],
  ['the last four', '6789', 'ssn_last4'],
  ['stars', '***-**-6789', 'ssn'],
  ['ten digits', '1234567890', 'ssn'],
  ['a routing number alone', routing, ''],
  ['a routing number with a wrong check digit', '021000022', 'routing_number'],
  ['a first pair that no district has', '130000006', 'routing_number'],
  ['zeros', '000000000', 'routing_number'],
  ['a date', 'on 12-34-56', ''],
  ['an account of eight digits alone', 'account 12345678', ''],
  ['an amount', '$021000021', 'aba'],
  ['a number behind a masked one', 'sort code ******, 000000', ''],
]
for (const [what, text, name] of kept) {
  test(`left as it is: ${what}`, () => {
    assert.deepEqual(look.at(text, name), { masked: text, found: [] })
  })
}

const masked: readonly [what: string, text: string, name: string, want: string, sure: string][] = [
  ['a social security number by itself', ssn, '', '***-**-6789', 'low'],
  ['one behind its label', `SSN: ${ssn}`, '', 'SSN: ***-**-6789', 'high'],
  ['one with the word behind it', `${ssn} (SSN)`, '', '***-**-6789 (SSN)', 'high'],
  ['one under its name', ssn, 'customer_ssn', '***-**-6789', 'certain'],
  ['one under a name in one word', plain, 'employeessn', '*****6789', 'certain'],
  ['one under a name in full', plain, 'social-security-number', '*****6789', 'certain'],
  ['digits behind a label', `his SSN is ${plain}.`, '', 'his SSN is *****6789.', 'high'],
  [
    'digits behind a longer one',
    `social security no. ${plain}`,
    '',
    'social security no. *****6789',
    'high',
  ],
  ['blanks with a word near', 'ssn: 123 45 6789', '', 'ssn: *** ** 6789', 'high'],
  ['blanks with a word behind', '123 45 6789 is an ssn', '', '*** ** 6789 is an ssn', 'medium'],
  ['dashes of a word processor', '123‑45‑6789', 'ssn', '***‑**‑6789', 'certain'],
  [
    'a routing number behind its label',
    `routing number ${routing}`,
    '',
    'routing number *****0021',
    'high',
  ],
  ['one with its word behind it', `${routing} (ABA)`, '', '*****0021 (ABA)', 'high'],
  ['one near a bank', `bank of ours: ${routing}`, '', 'bank of ours: *****0021', 'medium'],
  ['one under its name', routing, 'bank_routing_number', '*****0021', 'certain'],
  ['one under a short name', routing, 'aba', '*****0021', 'certain'],
  ['a sort code behind its label', 'sort code 12-34-56', '', 'sort code **-**-**', 'high'],
  ['one without dashes', 'sort code: 123456', '', 'sort code: ******', 'high'],
  ['one under its name', '12-34-56', 'sort_code', '**-**-**', 'high'],
  ['an account under its name', '12345678901', 'bank_account_number', '*******8901', 'high'],
]
for (const [what, text, name, want, sure] of masked) {
  test(`${what} is masked, ${sure}`, () => {
    const { masked: out, found } = look.at(text, name)
    assert.equal(out, want)
    assert.equal(found[0]?.confidence, sure)
    assert.deepEqual(look.at(out, name).found, [])
  })
}
test('the account beside a sort code goes with it, on either side', () => {
  const one = look.at('sort code 12-34-56, account number 12345678')
  assert.equal(one.masked, 'sort code **-**-**, account number ****5678')
  const other = look.at('account 12345678, sort code 12-34-56')
  assert.equal(other.masked, 'account ****5678, sort code **-**-**')
  assert.equal(other.found.length, 2)
  const far = look.at(`sort code 12-34-56 ${'and so on '.repeat(6)}12345678`)
  assert.equal(far.found.length, 1)
  const cut = look.at(`123412345678${'.'.repeat(30)}sort code 12-34-56`)
  assert.deepEqual(
    cut.found.map(({ text }) => text),
    ['12-34-56'],
  )
})
test('each of the two is found only where it is asked for', () => {
  assert.equal(ssnOnly.at(`routing number ${routing}`).found.length, 0)
  assert.equal(routingOnly.at(`SSN: ${ssn}`).found.length, 0)
  assert.equal(ssnOnly.at(`SSN: ${ssn}`).found[0]?.kind, 'ssn')
  assert.equal(routingOnly.at(routing, 'routing').found[0]?.kind, 'routing')
})
test('a label says which of the two nine digits are', () => {
  const both = '322271627' // Right as either.
  assert.equal(look.at(`SSN ${both}`).found[0]?.kind, 'ssn')
  assert.equal(look.at(`routing ${both}`).found[0]?.kind, 'routing')
})

const numbers: readonly [what: string, text: string, name: string, want: string][] = [
  ['a social security number', '123456789', 'ssn', '0'],
  ['one that lost its zeros', '1456789', 'ssn', '0'],
  ['an impossible one', '666456789', 'ssn', '666456789'],
  ['one under another name', '123456789', 'id', '123456789'],
  ['a routing number that lost its zero', '21000021', 'routing_number', '0'],
  ['a wrong one', '21000022', 'routing_number', '21000022'],
  ['an account', '12345678', 'bank_account', '0'],
  ['a sort code', '123456', 'sort_code', '0'],
  ['a fraction', '123456.789', 'ssn', '123456.789'],
  ['what was written', '0', 'ssn', '0'],
]
for (const [what, text, name, want] of numbers) {
  test(`an unquoted number under a name: ${what}`, () => {
    assert.equal(look.number(text, name).masked, want)
  })
}
test('whatever stands around, masking twice is masking once, and no masked digit stays', () => {
  const digits = fc.stringMatching(/^[0-9]{3}-[0-9]{2}-[0-9]{4}$/)
  const words = fc.constantFrom('ssn ', 'SSN: ', 'routing ', 'bank ', 'x ', 'sort code ', '')
  const name = fc.constantFrom('', 'ssn', 'routing_number', 'sort_code', 'bank_account')
  const texts = fc.array(fc.tuple(words, fc.oneof(digits, fc.stringMatching(/^[0-9]{1,12}$/))), {
    maxLength: 6,
  })
  const quiet = fc.property(texts, name, (parts, key) => {
    const text = parts.map(([word, number]) => word + number).join(', ')
    const once = look.at(text, key).masked
    assert.equal(look.at(once, key).masked, once)
    assert.equal(Buffer.byteLength(once), Buffer.byteLength(text))
  })
  fc.assert(quiet, { numRuns: 500 })
})
