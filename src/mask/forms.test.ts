/** Every digit form there is: none may be taken for a card number, by us or by anybody else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passesLuhn } from '../cards/luhn.ts'
import { fits } from '../cards/ranges.ts'
import { digitForm } from '../cards/write.ts'
import { formOfNumber, stagesMax } from './forms.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const text = (form: Uint8Array | undefined): string => Buffer.from(form ?? []).toString()

/** The digit forms of a number that ends so, the usual one first. */
function all(length: number, last4: string): string[] {
  const usual = bytes('4'.padEnd(length - 4, '1') + last4)
  digitForm(usual, 0, usual.length)
  const forms = Array.from({ length: stagesMax }, (_, i) =>
    text(formOfNumber(usual, i + 1)?.bytes),
  ).filter((form) => form !== '')
  assert.equal(forms[0], text(usual), 'the first one is what is written anyway')
  return forms
}

for (let length = 12; length <= 19; length++) {
  test(`digit forms of ${length} digits keep the last four, fail Luhn and are nobody's`, () => {
    for (let last = 0; last < 10_000; last += 7) {
      const last4 = String(last).padStart(4, '0')
      const forms = all(length, last4)
      assert.ok(forms.length >= 3)
      assert.equal(new Set(forms).size, forms.length)
      for (const form of forms) {
        assert.match(form, /^[1-9]00[01]0*\d{4}$/)
        assert.equal(form.length, length)
        assert.equal(form.slice(-4), last4)
        assert.equal(passesLuhn(Uint8Array.from(form, Number), length), false, form)
        assert.equal(fits(form), undefined, form)
      }
    }
  })
}

test('a number keeps its spelling', () => {
  assert.equal(text(formOfNumber(bytes('9000000000002089.00'), 2)?.bytes), '8000000000002089.00')
  assert.equal(text(formOfNumber(bytes('-9000000000002089'), 2)?.bytes), '-8000000000002089')
  assert.equal(text(formOfNumber(bytes('9.000000000002089e15'), 2)?.bytes), '8.000000000002089e15')
  assert.equal(formOfNumber(bytes('0   '), 1), undefined)
})
