import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ibanLengths } from './iban.ts'
import { Look } from './masked.fixture.ts'

const look = new Look(['iban'])
const off = new Look([])

/** The account with its country and the check digits that fit: ISO 13616-1. */
function iban(country: string, account: string): string {
  const rest = Array.from(`${account}${country}00`).reduce(
    (sum, c) => (sum * (/[A-Z]/.test(c) ? 100 : 10) + Number.parseInt(c, 36)) % 97,
    0,
  )
  return `${country}${String(98 - rest).padStart(2, '0')}${account}`
}
const fours = (text: string, separator: string): string =>
  text.replaceAll(/(.{4})(?=.)/g, `$1${separator}`)
const german = iban('DE', `3704004405${'3201300'}0`)
const british = iban('GB', `NWBK601613${'31926819'}`)
const french = iban('FR', `200410100505000${'13M02606'}`)

const kept: readonly [what: string, text: string][] = [
  ['a wrong check digit', german.replace(/^DE../, 'DE88')],
  ['one character too many', `${german}0`],
  ['one character too few', german.slice(0, -1)],
  ['a letter in front', `X${german}`],
  ['a letter behind', `${german}x`],
  ['a country without such numbers', `US${german.slice(2)}`],
  ['small and great letters mixed', `dE${german.slice(2)}`],
  ['a letter where the country has digits', german.replace(/.$/, 'A')],
  ['groups of five', german.replaceAll(/(.{5})/g, '$1 ')],
  ['two separators', `${fours(german.slice(0, 12), ' ')}-${fours(german.slice(12), '-')}`],
  ['a line break between groups', fours(german, '\n')],
  ['stars', `${german.slice(0, 4)}${'*'.repeat(18)}`],
]
for (const [what, text] of kept) {
  test(`no account number: ${what}`, () => {
    assert.deepEqual(look.at(`pay ${text} now`), { masked: `pay ${text} now`, found: [] })
  })
}
test('check digits go from 02 to 98: what has the same remainder is none', () => {
  const seen = new Set<string>()
  for (let i = 0; seen.size < 4 && i < 2000; i++) {
    const right = iban('DE', String(i).padStart(18, '0'))
    const same = { '02': '99', '97': '00', '98': '01', '03': '' }[right.slice(2, 4)]
    if (same === undefined) continue
    seen.add(same)
    assert.equal(look.at(right).found.length, 1)
    if (same !== '') assert.equal(look.at(`DE${same}${right.slice(4)}`).found.length, 0, same)
  }
  assert.equal(seen.size, 4)
})
test('account numbers are left alone unless they are asked for', () => {
  assert.equal(off.at(german).masked, german)
  assert.equal(new Look(['ssn', 'routing', 'tokens', 'private_keys']).at(german).masked, german)
})

const masked: readonly [what: string, text: string, want: string][] = [
  ['alone', german, `DE${'*'.repeat(16)}3000`],
  ['in groups of four', fours(german, ' '), 'DE** **** **** **** **30 00'],
  ['with dashes', fours(german, '-'), 'DE**-****-****-****-**30-00'],
  ['with no-break spaces', fours(german, '\u00a0'), fours(`DE${'*'.repeat(16)}3000`, '\u00a0')],
  ['with narrow ones', fours(german, '\u202f'), fours(`DE${'*'.repeat(16)}3000`, '\u202f')],
  ['in small letters', british.toLowerCase(), `gb${'*'.repeat(16)}6819`],
  ['with letters in the account', french, `FR${'*'.repeat(21)}2606`],
]
for (const [what, text, want] of masked) {
  test(`country and last four stay of an account number ${what}`, () => {
    const { masked: out, found } = look.at(`to ${text}.`)
    assert.equal(out, `to ${want}.`)
    assert.deepEqual(found, [{ kind: 'iban', confidence: 'high', text }])
  })
}
test('a name or a label makes it certain; with them a wrong check digit is still somebody’s account', () => {
  const wrong = german.replace(/^DE../, 'DE01')
  assert.equal(look.at(german, 'iban').found[0]?.confidence, 'certain')
  assert.equal(look.at(german, 'creditor_iban').found[0]?.confidence, 'certain')
  assert.equal(look.at(`IBAN: ${german}`).found[0]?.confidence, 'certain')
  assert.equal(look.at(wrong, 'iban').found[0]?.confidence, 'medium')
  assert.equal(look.at(`your IBAN is ${wrong}`).found[0]?.confidence, 'medium')
})
test('the registry is whole: 89 countries, from 15 to 33 characters', () => {
  assert.equal(ibanLengths.size, 89)
  assert.deepEqual([Math.min(...ibanLengths.values()), Math.max(...ibanLengths.values())], [15, 33])
  const some = { AD: 24, BR: 29, CH: 21, DE: 22, FR: 27, GB: 22, LC: 32, MT: 31, NO: 15, SC: 31 }
  for (const [country, length] of Object.entries(some)) {
    assert.equal(ibanLengths.get(country), length, country)
  }
})
test('an account of digits is found in every country that allows digits throughout', () => {
  let count = 0
  for (const [country, length] of ibanLengths) {
    const text = iban(country, '7'.repeat(length - 4))
    const { found } = look.at(`${text},`)
    if (found.length === 0) continue
    count++
    assert.equal(found[0]?.text, text)
  }
  assert.ok(count >= 50, String(count))
})
test('what was masked is not found again, wherever it stood', () => {
  const account = fc.stringMatching(/^[0-9]{18}$/)
  const separator = fc.constantFrom('', ' ', '-', '\u00a0')
  const around = fc.string({ maxLength: 20 })
  const quiet = fc.property(
    account,
    separator,
    around,
    around,
    (digits, between, before, after) => {
      const once = look.at(
        `${before} ${fours(iban('DE', digits), between)} ${after}`,
        'iban',
      ).masked
      assert.equal(look.at(once, 'iban').masked, once)
      assert.ok(!once.includes(digits))
    },
  )
  fc.assert(quiet, { numRuns: 200 })
})
test('bytes in front of the text and behind it are not part of it', () => {
  assert.equal(look.at(german, '', 'X1').found.length, 1)
  assert.equal(look.at(german.slice(0, -4), '', german.slice(-4)).found.length, 0)
})
