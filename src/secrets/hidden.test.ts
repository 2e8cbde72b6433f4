/** Many hidden values at once: against the search for each, which is tried on its own elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Hidden } from './hidden.ts'
import { redactBytes, Redactor } from './redactor.ts'

test('of any bytes and any number of needles, looking for all at once finds what each finds', () => {
  // Few letters, so that needles overlap, contain each other and stand at both ends.
  const letters = fc.array(fc.constantFrom(...Buffer.from('ab-')), { minLength: 8, maxLength: 12 })
  const needles = fc.array(letters, { minLength: 17, maxLength: 60 })
  const parts = fc.array(fc.oneof(letters, fc.array(fc.nat({ max: 255 }), { maxLength: 5 })), {
    maxLength: 12,
  })
  const same = fc.property(needles, parts, fc.array(fc.nat({ max: 16 })), (many, texts, put) => {
    const all = many.map((one) => Buffer.from(one))
    const bytes = Buffer.concat(
      [...texts.map((text) => Buffer.from(text)), ...put.map((i) => all[i] ?? '')].map((b) =>
        Buffer.from(b),
      ),
    )
    const redactor = new Redactor()
    redactor.add(all)
    assert.deepEqual(Buffer.from(redactor.redact(bytes)), Buffer.from(redactBytes(bytes, all)))
  })
  fc.assert(same, { numRuns: 500 })
})

test('a thousand tokens do not push out what is in force, and the oldest of them go first', () => {
  const hidden = new Hidden()
  hidden.pin('a-secret-in-force')
  hidden.hide('the-first-token')
  for (let i = 0; i < 999; i++) hidden.hide(`token-number-${i}`)
  const shown = (text: string): string => Buffer.from(hidden.redact(Buffer.from(text))).toString()
  assert.equal(shown('a-secret-in-force the-first-token'), '[secret] [secret]')
  hidden.hide('one-more-token')
  assert.equal(shown('a-secret-in-force the-first-token'), '[secret] the-first-token')
  assert.equal(shown('one-more-token token-number-998'), '[secret] [secret]')
})

test('a value that two places hold stays in force until both have another', () => {
  const hidden = new Hidden()
  const flood = (): void => {
    for (let i = 0; i < 2_500; i++) hidden.hide(`token-number-${i}`)
  }
  const isHidden = (): boolean => hidden.redact(Buffer.from('a-shared-secret')).length === 8
  hidden.hide('a-shared-secret')
  hidden.pin('a-shared-secret')
  hidden.pin('a-shared-secret')
  hidden.unpin('a-shared-secret')
  flood()
  assert.ok(isHidden())
  hidden.unpin('a-shared-secret')
  hidden.unpin('a-shared-secret')
  assert.ok(isHidden()) // Calls in flight may still have it.
  flood()
  assert.ok(!isHidden())
})
