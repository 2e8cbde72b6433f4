import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ACCOUNT_NAME,
  AWS_NAME,
  IBAN_NAME,
  JWK_NAME,
  KEY_NAME,
  NameFlags,
  ROUTING_NAME,
  SORT_NAME,
  SSN_NAME,
  flagsOf,
} from './names.ts'
import { Vocabulary } from './vocabulary.ts'

const meanings: readonly [name: string, flag: number][] = [
  ['', 0],
  ['id', 0],
  ['lessn', 0],
  ['sessnid', 0],
  ['session', 0],
  ['account_number', 0],
  ['account', 0],
  ['alphabet', 0],
  ['abacus', 0],
  ['public_key', 0],
  ['key', 0],
  ['dd', 0],
  ['routing_key_name', 0],
  ['ssn', SSN_NAME],
  ['customer_ssn', SSN_NAME],
  ['customerssn', SSN_NAME],
  ['ssn-number', SSN_NAME],
  ['socialsecuritynumber', SSN_NAME],
  ['social security no', SSN_NAME],
  ['owner.ssn.value', SSN_NAME],
  ['routing', ROUTING_NAME],
  ['routingnumber', ROUTING_NAME],
  ['bank_routing_number', ROUTING_NAME],
  ['aba', ROUTING_NAME],
  ['aba_of_bank', ROUTING_NAME],
  ['rtn', ROUTING_NAME],
  ['transit_number', ROUTING_NAME],
  ['sort_code', SORT_NAME],
  ['banksortcode', SORT_NAME],
  ['bank_account_number', ACCOUNT_NAME],
  ['checkingaccount', ACCOUNT_NAME],
  ['iban', IBAN_NAME],
  ['creditor-iban', IBAN_NAME],
  ['iban_of_payer', IBAN_NAME],
  ['private_key', KEY_NAME],
  ['tls.privatekeypem', KEY_NAME],
  ['aws_secret_access_key', AWS_NAME],
  ['secretaccesskey', AWS_NAME],
  ['d', JWK_NAME],
  ['qi', JWK_NAME],
]
for (const [name, flag] of meanings) {
  test(`the name "${name}" means ${flag === 0 ? 'nothing of ours' : 'what it says'}`, () => {
    assert.equal(flagsOf(name), flag)
  })
}
test('names are remembered, as often as they come and however many there are', () => {
  const names = new NameFlags()
  for (let i = 0; i < 3000; i++) names.of(`column_${i}`)
  assert.equal(names.of('ssn'), SSN_NAME)
  assert.equal(names.of('ssn'), SSN_NAME)
  assert.equal(names.of('number_12345678'), 0)
})

const words = new Vocabulary(['sort code', 'ssn', 'Größe', '卡号'])
const stands = (text: string, from = 0): boolean => {
  const bytes = Buffer.from(text)
  return words.stands(bytes, from, bytes.length, 0)
}
test('words stand as words, in any case, with any separator between', () => {
  for (const text of [
    'ssn',
    'SSN!',
    'the sort code',
    'Sort-Code',
    'sort_code',
    'sortcode',
    'größe 4',
    'GRÖSSE',
    '的卡号是',
  ]) {
    assert.equal(stands(text), true, text)
  }
  for (const text of ['assn', 'ssns', 'sort  of  code', 'sorts code', '', 'ss']) {
    assert.equal(stands(text), false, text)
  }
})
test('a label stands in front, with fillers between, and not across other words', () => {
  const labels = (text: string): boolean => {
    const bytes = Buffer.from(text)
    return words.labels(bytes, 0, bytes.indexOf('9'))
  }
  for (const text of [
    'ssn 9',
    'SSN: 9',
    'ssn=9',
    '"ssn":"9',
    'ssn is 9',
    'his ssn number is 9',
    'sort code #9',
    '(ssn) 9',
  ]) {
    assert.equal(labels(text), true, text)
  }
  for (const text of [
    '9 ssn',
    'ssn and then 9',
    'xssn 9',
    `ssn ${'is '.repeat(20)}9`,
    'ssn. Total 9',
    'ssn of the user 9',
  ]) {
    assert.equal(labels(text), false, text)
  }
})
