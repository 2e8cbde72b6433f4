import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pan } from '../../../tests/cards.ts'
import { passes } from './checks.ts'
import { Look } from './masked.fixture.ts'
import { AlsoScanner } from './scanner.ts'
import { patternMistake } from './re2.ts'
import type { CheckName } from './checks.ts'
import type { Pattern } from './pattern.ts'

const employee: Pattern = {
  name: 'employee-id',
  pattern: 'EMP-[0-9]{6}',
  check: 'none',
  replace: 'stars',
  context: [],
}
const look = (...patterns: Partial<Pattern>[]): Look =>
  new Look(
    [],
    patterns.map((pattern, i) => ({ ...employee, name: `p${i}`, ...pattern })),
  )

const refused: readonly [what: string, pattern: string, why: RegExp][] = [
  ['an open group', '(a', /^is no RE2 pattern: missing closing \)$/],
  ['a look ahead', 'a(?=b)', /^is no RE2 pattern: invalid or unsupported Perl syntax$/],
  ['a look behind', '(?<=a)b', /^is no RE2 pattern/],
  ['a back reference', String.raw`(a)\1`, /^is no RE2 pattern: invalid escape sequence$/],
  ['a count above a thousand', 'a{1001}', /^is no RE2 pattern: invalid repeat count$/],
  ['nothing', '', /^matches the empty text/],
  ['what may be nothing', 'a*', /^matches the empty text/],
  ['a beginning', '^', /^matches the empty text/],
  ['an end', '$', /^matches the empty text/],
  ['the edge of a word', String.raw`\b`, /^matches the empty text/],
  ['the inside of a word', String.raw`\B`, /^matches the empty text/],
  ['an alternative that may be nothing', 'abc|x?', /^matches the empty text/],
  ['a long text', 'a'.repeat(1001), /^is longer than 1000 characters/],
  ['repetitions of repetitions', '((a{10}){10}){10}', /^is too large/],
]
for (const [what, pattern, why] of refused) {
  test(`a pattern is refused: ${what}`, () => {
    assert.match(patternMistake(pattern) ?? '', why)
    // What a mistake says is told to whoever reads a log: the pattern itself is not in it.
    assert.ok(pattern.length < 4 || !(patternMistake(pattern) ?? '').includes(pattern))
  })
}
test('a pattern is accepted: classes, counts, case, Unicode, a thousand characters', () => {
  for (const pattern of [
    'EMP-[0-9]{6}',
    String.raw`\b[A-Z]{2}\d{6,8}\b`,
    '(?i)acct[ #]*[0-9]+',
    String.raw`\p{L}+-\d`,
    'a'.repeat(990),
  ]) {
    assert.equal(patternMistake(pattern), undefined, pattern)
  }
})
test('a pattern that was never checked cannot be used', () => {
  assert.throws(() => look({ pattern: '(' }))
})

test('stars stand for letters and digits, and what stands between them stays', () => {
  assert.deepEqual(look({}).at('of EMP-123456, EMP-654321!'), {
    masked: 'of ***-******, ***-******!',
    found: [
      { kind: 'custom', confidence: 'medium', text: 'EMP-123456' },
      { kind: 'custom', confidence: 'medium', text: 'EMP-654321' },
    ],
  })
})
test('beyond ASCII a star stands for each character, and offsets are those of bytes', () => {
  const scanner = look({ pattern: String.raw`Nr\. \p{L}+[0-9]+` })
  assert.equal(scanner.at('größer: Nr. Äöü12 – fertig').masked, 'größer: **. ***** – fertig')
  assert.equal(scanner.at('Nr. 😀1 Nr. ß2').masked, 'Nr. 😀1 **. **')
})
test('what is to be removed leaves its name', () => {
  const scanner = look({ name: 'order-no', replace: 'remove' })
  assert.equal(scanner.at('a EMP-123456 b').masked, 'a [order-no removed] b')
})
test('edges of words and of the text are seen as they are, also in bytes beyond the text', () => {
  const word = look({ pattern: String.raw`\b[0-9]{6}\b` })
  assert.equal(word.at('123456', '', '7').found.length, 1)
  assert.equal(word.at('x123456').found.length, 0)
  assert.equal(look({ pattern: '^[0-9]{6}' }).at('a 123456').found.length, 0)
  assert.equal(look({ pattern: '[0-9]{6}$' }).at('123456 a').found.length, 0)
})

const checked: readonly [check: CheckName, good: string, bad: string][] = [
  ['luhn', `C-${pan('79', 10)}`, 'C-7900000001'],
  ['mod97', '5493001KJTIIGC8Y1R12', '5493001KJTIIGC8Y1R13'],
  ['mod11', '943 476 5919', '943 476 5918'],
  ['mod11', '0-8044-2957-X', '0-8044-2957-0'],
]
for (const [check, good, bad] of checked) {
  test(`a match counts only where its check digit fits: ${check}, ${good.length} characters`, () => {
    const scanner = look({ pattern: '[A-Z0-9][A-Z0-9 -]{7,}[A-Z0-9]', check })
    assert.equal(scanner.at(good).found[0]?.confidence, 'high')
    assert.equal(scanner.at(bad).found.length, 0)
  })
}
test('a check wants digits: two at least', () => {
  const bytes = Buffer.from('0 a--')
  for (const check of ['luhn', 'mod97', 'mod11'] as const) {
    assert.equal(passes(check, bytes, 0, 1), false)
    assert.equal(passes(check, bytes, 3, 5), false)
  }
  assert.equal(passes('none', bytes, 3, 5), true)
  // X is ten in the last place only.
  const isbn = Buffer.from('AX 0-8044-2957-X')
  assert.equal(passes('mod11', isbn, 0, isbn.length), true)
})

test('with context words a match is strong near one, and weak without', () => {
  const scanner = look({ pattern: '[0-9]{6}', context: ['employee', 'staff no', 'Prüfnummer'] })
  const sure = (text: string, name = ''): string | undefined =>
    scanner.at(text, name).found[0]?.confidence
  assert.equal(sure('123456'), 'low')
  assert.equal(sure('employees: 123456'), 'low')
  assert.equal(sure('EMPLOYEE 123456'), 'high')
  assert.equal(sure('123456 is a staff_no'), 'high')
  assert.equal(sure('PRÜFNUMMER 123456'), 'high')
  assert.equal(sure(`employee ${'x '.repeat(30)}123456`), 'low')
  assert.equal(sure('123456', 'employee_id'), 'high')
  assert.equal(sure('123456', 'staffno'), 'high')
  assert.equal(sure('123456', 'order'), 'low')
  const both = look({ pattern: '[0-9]{10}', context: ['member'], check: 'luhn' })
  assert.equal(both.at(`member ${pan('79', 10)}`).found[0]?.confidence, 'certain')
  assert.equal(both.at(pan('79', 10)).found[0]?.confidence, 'low')
})
test('a short context word counts in a name only as a word of its own', () => {
  const scanner = look({ pattern: '[0-9]{6}', context: ['id'] })
  assert.equal(scanner.at('123456', 'valid_until').found[0]?.confidence, 'low')
  assert.equal(scanner.at('123456', 'staff_id').found[0]?.confidence, 'high')
})

test('an unquoted number in which the pattern matches becomes 0', () => {
  const scanner = look({ pattern: '[0-9]{6}' })
  assert.deepEqual(scanner.number('123456'), {
    masked: '0',
    found: [{ kind: 'custom', confidence: 'medium', text: '123456' }],
  })
  assert.equal(scanner.number('12345').masked, '12345')
  assert.equal(scanner.number('-1234567.5').masked, '0')
  assert.equal(look({ pattern: '[0-9]+' }).number('0').masked, '0')
  assert.equal(look({ pattern: '[0-9]+' }).number('0').found.length, 0)
})

test('what was written is not found again', () => {
  const removing = look(
    { name: 'a-b', pattern: '[a-z-]{3,}', replace: 'remove' },
    { name: 'c', pattern: '[a-z]+ removed', replace: 'remove' },
  )
  const once = removing.at('abc 123').masked
  assert.equal(once, '[a-b removed] 123')
  assert.deepEqual(removing.at(once).found, [])
  const token = look({ pattern: '[a-z]{5,}' })
  assert.deepEqual(token.at('[token removed], [private key removed]').found, [])
  assert.equal(token.at('[other removed]').found.length, 2)
  const stars = look({ pattern: '.{6}' })
  assert.deepEqual(stars.at('***-**').found, [])
})

test('findings that overlap become one that covers both, as sure as the surer one', () => {
  const scanner = look(
    { name: 'one', pattern: 'A[0-9]{6}', replace: 'remove' },
    { name: 'two', pattern: '[0-9]{6}B', replace: 'remove', check: 'luhn' },
  )
  const { masked, found } = scanner.at('xA000000Bx')
  assert.deepEqual(found, [{ kind: 'custom', confidence: 'high', text: 'A000000B' }])
  assert.equal(masked, 'x[two removed]x')
  const number = new Look(['ssn'], [{ ...employee, pattern: '45-6789 [a-z]+', replace: 'remove' }])
  const both = number.at('SSN 123-45-6789 abc')
  assert.equal(both.masked, 'SSN [employee-id removed]')
  assert.equal(both.found[0]?.confidence, 'high')
})
test('findings are told in the order of their places, whoever found them', () => {
  const scanner = new Look(
    ['ssn', 'iban'],
    [employee, { ...employee, name: 'b', pattern: '#[0-9]+' }],
  )
  const { masked } = scanner.at('#1 EMP-123456 ssn 123-45-6789 EMP-222222 #2')
  assert.equal(masked, '#* ***-****** ssn ***-**-6789 ***-****** #*')
})

const places = [
  0, 1, 250, 255, 256, 257, 500, 511, 512, 513, 2040, 4090, 12_280, 12_288, 16_380, 16_384, 20_000,
]
test('a match is found wherever it stands in a long text, whole up to two thousand bytes', () => {
  for (const length of [6, 200, 300, 600, 2000]) {
    const scanner = look({ pattern: 'x[0-9]+y', replace: 'remove', name: 'n' })
    for (const at of places) {
      const text = `${'ä'.repeat(at)}x${'1'.repeat(length)}y${' '.repeat(40_000)}`
      const { found, masked } = scanner.at(text)
      assert.equal(found.length, 1, `${length} at ${at}`)
      assert.equal(masked, `${'ä'.repeat(at)}[n removed]${' '.repeat(40_000)}`)
    }
  }
})
test('a match that goes on as long as it can is found whole as well', () => {
  const scanner = look({ pattern: '[0-9]{5,}', replace: 'remove', name: 'n' })
  for (const at of [...places, 1800, 2048, 2500, 3500]) {
    const text = `${'x'.repeat(at)}${'1'.repeat(1500)}${'x'.repeat(9000)}`
    assert.equal(
      scanner.at(text).masked,
      `${'x'.repeat(at)}[n removed]${'x'.repeat(9000)}`,
      String(at),
    )
  }
})
test('what stands before a match is seen though another match ended there', () => {
  const scanner = look({ pattern: String.raw`[0-9]{3}|\b[a-z]{3}` })
  assert.equal(scanner.at('123abc abc').masked, '***abc ***')
  assert.equal(scanner.at('ä12 é123abc').masked, 'ä12 é***abc')
})
test('what is longer than any window is found in pieces, without a gap', () => {
  const text = 'a1'.repeat(30_000)
  const { masked } = look({ pattern: '[a-z0-9]{4,}' }).at(`(${text})`)
  assert.equal(masked, `(${'*'.repeat(60_000)})`)
})
test('matching is the same as matching by hand, in long texts as in short ones', () => {
  const scanner = look({ pattern: String.raw`\b[A-Z]{2}[0-9]{3,5}\b` })
  const part = fc.oneof(
    fc.stringMatching(/^[A-Z]{1,3}[0-9]{2,6}$/),
    fc.constantFrom(' ', 'é', 'x', '-', ' '.repeat(500)),
  )
  const same = fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
    const text = parts.join('')
    const want = text.replaceAll(/(?<![A-Za-z0-9_])[A-Z]{2}[0-9]{3,5}(?![A-Za-z0-9_])/g, (all) =>
      '*'.repeat(all.length),
    )
    assert.equal(scanner.at(text).masked, want)
  })
  fc.assert(same, { numRuns: 200 })
})
test('a pattern that takes too long withholds the message and says which one it is', () => {
  const slow = look({ name: 'slow-one', pattern: '(?s)E.*D|E' })
  assert.throws(() => slow.at('E'.repeat(400_000)), {
    name: 'Fault',
    code: 'mask_failed',
    message: /"slow-one" takes too long/,
  })
})
test('each message has its own time', () => {
  const scan = { found: (): void => {} }
  const scanner = new AlsoScanner(scan, {
    also: [],
    patterns: [{ ...employee, pattern: '(?s)E.*D|E' }],
  })
  const bytes = Buffer.from('E'.repeat(2000))
  for (let i = 0; i < 20; i++) {
    scanner.begin()
    scanner.scan(bytes, 0, bytes.length, '')
  }
})
test('without detectors and patterns there is nothing to do', () => {
  const scan = { found: (): void => assert.fail('nothing was asked for') }
  const idle = new AlsoScanner(scan, { also: [], patterns: [] })
  assert.equal(idle.isIdle, true)
  idle.scan(Buffer.from('SSN 123-45-6789'), 0, 15, 'ssn')
  idle.number(Buffer.from('123456789'), 0, 9, 'ssn')
  assert.equal(new AlsoScanner(scan, { also: ['ssn'], patterns: [] }).isIdle, false)
  assert.equal(new AlsoScanner(scan, { also: [], patterns: [employee] }).isIdle, false)
})
