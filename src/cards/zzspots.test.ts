import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { grouped, needy, pan, published } from '../../tests/cards.ts'
import { DIGIT, OTHER, classOf, isDigit, raisedOf } from './bytes.ts'
import { END, START } from './findings.ts'
import { JsonScanner } from './json.ts'
import { compileKernel } from './kernel/compile.ts'
import { Scan } from './scan.ts'
import { Spots } from './spots.ts'
import { TextScanner } from './text.ts'
import { ValueScanner } from './value.ts'
import { BLOCK, CID, CVV, Names, PIN, TRACK, meaningOf, namesOf } from './words.ts'

const secret = CVV | PIN | BLOCK | CID
const card = pan(4, 16)
const spots = new Spots()
const each = (text: string, respell: (digit: string) => string): string =>
  text.replaceAll(/\d/g, respell)
const within = (text: string, by: string): string => grouped(text, [4, 4, 4, 4], by)

/** Whether a spot shares a byte with [start, end), or all is to be looked at. */
function isSeen(of: Spots, start: number, end: number): boolean {
  if (of.hasSecretName) return true
  for (let i = 0; i < of.count; i++)
    if ((of.at[i] ?? 0) < end && (of.to[i] ?? 0) > start) return true
  return false
}
function told(text: string | Uint8Array, windowBytes?: number): string {
  spots.read(typeof text === 'string' ? Buffer.from(text) : text, windowBytes)
  const list = Array.from({ length: spots.count }, (_, i) => `${spots.at[i]}-${spots.to[i]}`)
  return list.join(' ') + (spots.hasSecretName ? ' name' : '')
}

const disguised: readonly (readonly [how: string, text: string])[] = [
  ['as it is', card],
  ['in groups', within(card, ' ')],
  ['with dashes and blanks', within(card, ' - ')],
  ['with slashes, as JSON escapes them', within(card, String.raw`\/`)],
  ['with underscores', within(card, '_')],
  ['over lines', within(card, '\r\n')],
  ['over lines of a string', within(card, String.raw`\n`)],
  ['with no-break spaces', within(card, '\u00a0')],
  ['with them as escapes', within(card, String.raw`\u00a0`)],
  ['with them as escapes in strings of strings', within(card, String.raw`\\\\u00a0`)],
  ['with many invisible characters', within(card, '\u200b'.repeat(5000))],
  ['with other invisible characters', within(card, '\u2060\ufe0f\u{e0020}')],
  ['in Arabic digits', each(card, (d) => String.fromCodePoint(0x660 + Number(d)))],
  ['in fullwidth digits', each(card, (d) => String.fromCodePoint(0xff10 + Number(d)))],
  ['in mathematical digits', each(card, (d) => String.fromCodePoint(0x1d7ce + Number(d)))],
  ['in those as escapes', each(card, (d) => `\\ud835\\udfc${'ef'.charAt(Number(d) % 2)}`)],
  ['in raised digits', each(card, (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(d)))],
  ['as escapes', each(card, (d) => String.raw`\u003${d}`)],
  ['as references', each(card, (d) => `&#${48 + Number(d)};`)],
  ['as hex references', each(card, (d) => `&#x3${d};`)],
  ['as references without a semicolon', each(card, (d) => `&#x3${d}`)],
  ['as references in references', each(card, (d) => `&amp;#x3${d};`)],
  ['as references whose sign is an escape', each(card, (d) => String.raw`\u0026#x3${d};`)],
  ['with named references', within(card, '&nbsp;&zwnj;')],
  ['percent-encoded', each(card, (d) => `%3${d}`)],
  ['percent-encoded twice', each(card, (d) => `%253${d}`)],
  ['with encoded blanks', within(card, '%20')],
  ['with blanks of a form', within(card, '+')],
  ['percent-encoded fullwidth', each(card, (d) => `%EF%BC%9${d}`)],
  ['quoted-printable', each(card, (d) => `=3${d}`)],
  ['over soft line breaks', within(card, '=\r\n')],
  ['over those of a string', within(card, String.raw`=\r\n`)],
  ['between tags', within(card, '</b><span class="x12345">')],
  ['between tags as escapes', within(card, String.raw`\u003cb\u003e`)],
  ['between comments', within(card, '<!-- a < b -->')],
  ['in an attribute between tags', `1<b title="${card}">2`],
  ['in bold', within(card, '**')],
  ['behind a sign that is none', `?pan=${card}`],
  ['behind a sign that is none, in groups', `?pan=${within(card, ' ')}`],
  ['partly hidden', `${card.slice(0, 6)}******${card.slice(-4)}`],
  ['partly hidden by letters', `${card.slice(0, 6)}XXXXXX${card.slice(-4)}`],
  ['partly hidden by bullets', `${card.slice(0, 4)} •••• •••• ${card.slice(-4)}`],
  ['partly hidden in groups', `${card.slice(0, 4)} ${card.slice(4, 6)}** **** ${card.slice(-4)}`],
  ['with an exponent', '[4.200000000e15]'],
  ['with an exponent of a whole number', '{"a":-42000000e+8}'],
  ['as a track', `%B${card}^ROE/J^2512101?`],
  ['in base64', Buffer.from(`the card is ${card}, thanks`).toString('base64')],
  [
    'in base64url behind a line break',
    `a\\n${Buffer.from(`{"pan":"${card}"}`).toString('base64url')}`,
  ],
  ['as a short blob', `{"blob": "${Buffer.from(card.slice(0, 15)).toString('base64')}"}`],
  [
    'as a blob with control characters',
    `{"blob":"${Buffer.from(`\u0007 ${card} and more of it`).toString('base64')}"}`,
  ],
  ['as a blob with escapes', String.raw`{\"blob\":\"\u002b` + 'aaaa"'],
]
const rims: readonly (readonly [before: string, behind: string])[] = [
  ['', ''],
  ['see ', ', thanks'],
  ['{"a":"', '"}'],
]
for (const [how, text] of disguised) {
  test(`a number is seen ${how}`, () => {
    for (const [before, behind] of rims) {
      told(before + text + behind)
      const start = Buffer.byteLength(before)
      assert.ok(isSeen(spots, start, start + Buffer.byteLength(text)), `${before}${text}`)
    }
  })
}
test('numbers of every brand are seen, with their verification values', () => {
  for (const [, number] of [...published, ...needy]) {
    const text = `${number} 12/27 123`
    told(text)
    assert.equal(spots.count, 1)
    assert.ok((spots.to[0] ?? 0) >= text.length)
  }
})

const nameRims: readonly (readonly [before: string, behind: string])[] = [
  ['{"', '":1}'],
  ['{"customer_', '": "12"}'],
  ['x\n', ' 123'],
  [String.raw`[\"`, String.raw`\",1]`],
  ['1 <', '>'],
  ['(ab, ', ')\nVALUES (1, 1)'],
]
test('every name of a secret is seen, in every case and with anything between its words', () => {
  for (const name of namesOf(secret)) {
    const letters = Array.from(name)
    const title = (letters[0] ?? '').toUpperCase() + letters.slice(1).join('')
    for (const text of [name, name.toUpperCase(), title, letters.join('_'), letters.join('. ')]) {
      if ((meaningOf(text) & secret) === 0) continue
      for (const [before, behind] of nameRims) {
        told(before + text + behind)
        assert.ok(spots.hasSecretName, before + text + behind)
      }
    }
  }
})
test('names beyond ASCII are seen as escapes, and with digits directly behind', () => {
  for (const name of namesOf(secret).filter((text) => /[^ -~]/.test(text))) {
    const escaped = name.replaceAll(
      /[^ -~]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    assert.match(told(`{"${escaped}":1}`), /name/, escaped)
    assert.match(told(`1 ${escaped}\\uff1a 1`), /name/, escaped)
    if (/[^ -~]$/.test(name)) {
      assert.match(told(`${name}123`), /name/)
      assert.match(told(`${name}：12`), /name/)
    }
  }
})
test('names of tracks are seen as keys', () => {
  for (const name of namesOf(TRACK)) {
    assert.match(told(`{"${name}":"0"}`), /name/)
    assert.match(told(String.raw`{\"card_${name.toUpperCase()}\" : 0}`), /name/)
  }
})
const spelt: readonly (readonly [how: string, text: string, isName: boolean])[] = [
  ['as words', 'Card Verification Value: 1', true],
  ['as one word', 'customerCvvCode=1', true],
  ['with tags', 'C<b>VV</b>: 1', true],
  ['with references', 'C&zwnj;V&#86;: 1', true],
  [
    'before a long tag',
    `${'a '.repeat(300)}CVV is <b class="${'x'.repeat(220)}">1 ${'b '.repeat(300)}`,
    true,
  ],
  ['in a header of columns', `${'ab cd '.repeat(30)}CVV ${'ef gh '.repeat(30)}\n1 2`, true],
  ['with an escape of a letter', String.raw`{"c\u0076v":1}`, true],
  ['with an encoded letter', '%43VV%3A%20123', true],
  ['with a tab between letters', String.raw`{"c\tvv":1}`, true],
  ['behind an escaped line break', String.raw`a\ncvv: 1`, true],
  ['with underscores behind', '{"cvv__":1}', true],
  ['with the Kelvin sign', '{"trac\u212a":1}', true],
  ['without a digit anywhere', '{"cvv":null}', false],
  ['inside of other words', 'opinion 1 accident pinned spin cvvx', false],
  ['as a part of another key', '{"cvv_result":1}', false],
  ['of a track in a sentence', 'we keep track of 3 orders', false],
]
for (const [how, text, isName] of spelt) {
  test(`a name ${isName ? 'is seen' : 'is none'} ${how}`, () => {
    told(text)
    assert.equal(spots.hasSecretName, isName)
  })
}

const typical: readonly (readonly [what: string, text: string])[] = [
  [
    'rows',
    '[{"id":12345,"name":"Ada Winter","city":"Kraków","amount":136.01,"ref":"tk2quc87knnf"}]',
  ],
  ['ids of eleven digits', '{"id":12345678901,"other":"98765432109"}'],
  [
    'times',
    '["2026-01-15T10:30:00.123Z","2026-01-15 10:30:00+02:00","2026-01-15T10:30:00.123456+02:00"]',
  ],
  ['dates and prices', '2026-01-15, 15.01.2026; 1,234,567.89 and 12.50 or 99.99/100'],
  ['UUIDs', '3f2504e0-4f89-41d3-9a0c-0305e82c3301 c9bf9e57-1685-4c89-bafb-ff5af830be8a'],
  ['addresses', 'customer17@example.com https://example.com/orders/48151?page=42&size=50#top'],
  [
    'hashes',
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 d41d8cd98f00b204e980',
  ],
  ['telephones of eleven digits', '+1 (555) 010-4477, 0171 234567, +49 30 1234567'],
  ['entities and tags', '<td class="n">12</td><td class="n">34</td> &amp; 5 &lt; 6'],
  ['other scripts', 'В 2026 году 15 заказов; 二〇二六年15件の注文; año 2026 – más'],
  ['escapes of other scripts', String.raw`\u0412 2026 \u0433\u043e\u0434\u0443 15 \u0437\u0430`],
  ['long words', 'Donaudampfschifffahrtsgesellschaft, internationalization_of_components 12'],
  [
    'base64 of no text',
    Buffer.from('\x00\x01\xff\x80binary, 3 of it'.repeat(3), 'latin1').toString('base64'),
  ],
  ['a picture', '{"blob":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"}'],
]
for (const [what, text] of typical) {
  test(`nothing is seen in ${what}`, () => assert.equal(told(text), ''))
}
test('nothing is seen in ordinary prose', () => {
  assert.equal(
    told(
      `In 2023 about 41% of purchases were contactless; the rest went through the chip. The acquirer
      keeps track of fees (0.2% to 1.5%), and passes the request on. "It is a matter of opinion,"
      said one engineer, "whether the security of the old systems was an accident or a design."
      Nobody could verify that claim, or decide it, in 12 years. Spinning, shopping and helping;
      verification of 48 orders a day; the code on page 17, and the number 5.`.repeat(40),
    ),
    '',
  )
})

// The contract once more, slowly: what characters mean is spelt out as patterns.
const points = Array.from({ length: 0x20000 }, (_, cp) => cp).filter((cp) => cp >= 0x80)
const sign = (cp: number): string => String.fromCodePoint(cp)
const numerals = points
  .filter((cp) => classOf(cp) >= DIGIT || raisedOf(cp) >= DIGIT)
  .map(sign)
  .join('')
const joiners = points
  .filter((cp) => classOf(cp) !== OTHER && classOf(cp) < DIGIT)
  .map(sign)
  .join('')
const slashes = String.raw`\\{1,8}`
const digitPattern = `(?:[0-9${numerals}]|${slashes}u003[0-9]|&#x3[0-9];|&#(?:4[89]|5[0-7]);|%(?:25)?3[0-9]|=3[0-9])`
const joinPattern = `(?:[\\s./_+*~\`-]|[${joiners}]|${slashes}(?:[nrt/]|u00a0|u200b)?|&nbsp;|<\\/?[a-z][^<>]{0,60}>|=\\r?\\n|%(?:25)?20|=20)`
const stretch = new RegExp(`${digitPattern}(?:${joinPattern}{0,8}?${digitPattern}){11,}`, 'gu')

/** Places that must be seen, in bytes, by the slow way. */
function reference(text: string): [start: number, end: number][] {
  const places: [number, number][] = []
  const add = (index: number, length: number): number => {
    const start = Buffer.byteLength(text.slice(0, index))
    return places.push([start, start + Buffer.byteLength(text.slice(index, index + length))])
  }
  for (const { index, 0: found } of text.matchAll(stretch)) add(index, found.length)
  for (const { index, 0: run } of text.matchAll(/[A-Za-z0-9+/_-]{24,}/g)) {
    const head = Buffer.from(run.slice(0, 24), 'base64')
    const isText = !/[^\t\n\r -~]/.test(head.toString('latin1'))
    if (isText) add(index, run.length)
  }
  for (const { index, 0: found } of text.matchAll(/\d{6}(?:\*{3,9}|x{3,9}|#{3,9})\d{4}/g))
    add(index, found.length)
  if (!new RegExp(digitPattern, 'u').test(text)) return places
  // Every row of up to six words is a name when it means one.
  for (const { index, 0: word } of text.matchAll(/[A-Za-z0-9_]+(?![_\p{L}\p{M}\p{N}])/gu)) {
    const end = index + word.length
    const starts = [...text.slice(0, end).matchAll(/(?<![A-Za-z0-9])[A-Za-z]/g)].slice(-4)
    for (const { index: start } of starts) {
      const name = text.slice(start, end)
      if (!/[,;{}<>&%=\\]/.test(name) && (meaningOf(name) & secret) !== 0) add(start, name.length)
    }
  }
  return places
}
const list = (text: string): string[] => text.split('·')
const joins = list(
  ' ·-·.·/·_·\u00a0·\u200b·\u2009·\n·\\n·\\/·\\u00a0·\\\\u200b·+·**·`·&nbsp;·%20·=20·=\r\n·<b>·</td><td>·<·>·&·%·=',
)
const spelledDigits = list('&#52;·&#x35;·%34·%2536·=37·٤·５·𝟜·²·\\u0034·\\ud835\\udfd8')
const words = list(
  'a· of ·, ·": "·\\"·{·é·ж·安·😀·x·e·T·:·\u0000·\\·\\\\·cvv·CVV·pin·security code·track·opinion·cid·安全码·prüfnummer· is ',
)
const shapes = list('******·XXXX·####·••••·e15·E+9·-·"blob":"·<!--·-->')
const pieces = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[0-9]{1,9}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-9]{10,20}$/) },
  { weight: 6, arbitrary: fc.constantFrom(...joins, ...spelledDigits) },
  { weight: 2, arbitrary: fc.constantFrom(...words, ...shapes) },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 40 }).map((s) => Buffer.from(s).toString('base64')),
  },
)
const texts = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''))

test('all that the slow way marks is seen', () => {
  const property = fc.property(texts, (text) => {
    told(text)
    for (const [start, end] of reference(text))
      assert.ok(isSeen(spots, start, end), `${start}-${end}`)
  })
  fc.assert(property, { numRuns: 500000 })
})
test('wherever it stands, and however it is cut into windows, a text gives the same spots', () => {
  const property = fc.property(texts, fc.nat(200), fc.nat(200), (text, before, behind) => {
    const bytes = Buffer.from(`${'.'.repeat(before)}|${text}|${'.'.repeat(behind)}`)
    const whole = told(bytes)
    for (const windowBytes of [64, 128, 4096]) assert.equal(told(bytes, windowBytes), whole)
    for (const [start, end] of reference(text))
      assert.ok(isSeen(spots, before + 1 + start, before + 1 + end))
  })
  fc.assert(property, { numRuns: 5000 })
})
test('any bytes of any length are read', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assert.equal(told(bytes, 64), told(bytes))
    for (let i = 0; i < spots.count; i++) {
      const [at = 0, to = 0] = [spots.at[i], spots.to[i]]
      assert.ok(at < to && to <= bytes.length && at > (spots.to[i - 1] ?? -1))
    }
  })
  fc.assert(property, { numRuns: 8000 })
  for (let length = 0; length <= 200; length++) {
    told(Buffer.alloc(length, '7'))
    assert.equal(spots.count, length < 12 ? 0 : 1)
  }
})
test('what one message left behind is not seen in the next', () => {
  told(`${card.repeat(9000)} cvv`)
  assert.equal(told(''), '')
  assert.equal(told('1'), '')
  assert.equal(told(`${'a'.repeat(40_000)} 12`), '')
})
test('many spots of a large message come in order, and apart', () => {
  const row = `{"id":1,"pan":"${card}","note":"${'lorem ipsum '.repeat(20)}"},\n`
  told(row.repeat(1000))
  assert.equal(spots.count, 1000)
  for (let i = 1; i < spots.count; i++)
    assert.equal((spots.at[i] ?? 0) - (spots.at[i - 1] ?? 0), row.length)
})

const scan = new Scan(new Names([]))
const json = new JsonScanner(scan, new ValueScanner(scan, new TextScanner(scan)))
/** The findings of the careful scanner in bytes of a text, which may be JSON. */
function carefully(bytes: Uint8Array): [start: number, end: number][] {
  scan.begin()
  json.begin()
  json.string(bytes, 0, bytes.length, 0, 0, true)
  const { findings } = scan
  return Array.from({ length: findings.count }, (_, i) => [
    findings.field(i, START),
    findings.field(i, END),
  ])
}
const found = fc.oneof(
  fc.constantFrom(...published, ...needy).map(([, number]) => number),
  fc.stringMatching(/^[0-9]{3,4}$/),
  fc.stringMatching(/^[0-9A-F]{16}$/),
)
const respellings: readonly ((text: string) => string)[] = [
  (text) => text,
  ...disguised.slice(1, 34).map(([, sample]) => {
    const gap = sample.slice(4, sample.indexOf(card.slice(4, 8), 4))
    const isGap = sample.startsWith(card.slice(0, 4)) && sample.indexOf(card.slice(4, 8), 4) > 4
    return (text: string) => (isGap ? (text.match(/.{1,4}/gs) ?? []).join(gap) : text)
  }),
  (text) => each(text, (d) => `&#x3${d};`),
  (text) => each(text, (d) => `%3${d}`),
  (text) => each(text, (d) => `=3${d}`),
  (text) => each(text, (d) => sign(0x660 + Number(d))),
]
const leads = fc.constantFrom(
  ...list(
    '·see ·cvv: ·CVV is ·PIN ·security code - ·card ·номер карты ·安全码：·pin block ·<cvv>·cvv=',
  ),
  ...list(
    'track2 ·F52: ·Kartenprüfnummer lautet ·the code on the card is ·ref ·CVV&nbsp;·pin\u2014',
  ),
)
const values = fc
  .tuple(
    leads,
    found,
    fc.constantFrom(...respellings),
    fc.constantFrom('', ' 12/27 123', '.', '</b>', ' ok'),
  )
  .map(([lead, value, respell, tail]) => lead + respell(value) + tail)
const keys = fc.constantFrom(
  'id',
  'pan',
  'cvv',
  'card_pin',
  'note',
  'cardNumber',
  'track1',
  'cid',
  'pinBlock',
  'значение',
)
const documents = fc.oneof(
  values,
  fc
    .array(fc.dictionary(keys, values, { maxKeys: 4 }), { maxLength: 3 })
    .map((list) => JSON.stringify(list)),
  fc
    .array(fc.dictionary(keys, values, { maxKeys: 4 }), { maxLength: 3 })
    .map((list) => JSON.stringify({ text: JSON.stringify(list, null, 2) })),
  fc
    .array(values, { minLength: 2, maxLength: 4 })
    .map((list) => `id,pan,cvv,pin\n1,${list.join(',')}`),
  fc
    .array(values, { minLength: 2, maxLength: 3 })
    .map((list) => `id   pan   cvv\n1  ${list.join('  ')}`),
  fc
    .array(values, { minLength: 1, maxLength: 3 })
    .map((list) => `| pan | cvv |\n|---|---|\n| ${list.join(' | ')} |`),
)
test('all that the careful scanner finds was seen', () => {
  let count = 0
  const property = fc.property(documents, (text) => {
    const bytes = Buffer.from(text)
    const all = carefully(bytes)
    count += all.length
    told(bytes)
    let reach = 0
    for (const [start, end] of all) {
      // What has no name of its own stands behind a number, in its line or list.
      const isBehind = spots.count > 0 && start >= (spots.at[0] ?? 0) && reach > 0
      assert.ok(isSeen(spots, start, end) || isBehind, `${start}-${end} of ${JSON.stringify(text)}`)
      reach = Math.max(reach, end)
    }
  })
  fc.assert(property, { numRuns: 500000 })
  assert.ok(count > 1000, 'the documents hold what can be found')
})

// Each makes one of the parts look far, again and again.
const hostile: readonly (readonly [what: string, unit: string])[] = [
  ['digits', '7'],
  ['digits apart', '7a'],
  ['short groups', '12 '],
  ['invisible characters behind digits', '\u200b'],
  ['escapes of them', String.raw`\u200b`],
  ['encoded ones', '%E2%80%8B'],
  ['encoded blanks', '%C2%A0'],
  ['backslashes', '\\'],
  ['tags without an end', '1<a'],
  ['comments without an end', '1<!--'],
  ['ampersands', '1&a'],
  ['long references', '&#00000000'],
  ['hidden digits', '1234*'],
  ['bullets', '1234•'],
  ['soft breaks', '1=   '],
  ['quotes', '":"'],
  ['blanks', ' '],
  ['blanks and a name', '            cvv,'],
  ['ends of names', 'code '],
  ['letters of names', 'd i c '],
  ['escaped letters of names', String.raw`\n\r\t`],
  ['closed tags', 'v>1'],
  ['base64', 'QUJD'],
  ['base64 of nothing', 'AAAA'],
  ['paths', '/usr/share/'],
  ['keys of blobs', '"blob":"'],
  ['digits of another script', '٤'],
  ['letters of another script', 'н'],
  ['escaped letters of another script', String.raw`\u043d`],
]
test('twice the bytes are at most about twice the steps', () => {
  for (const [what, unit] of hostile) {
    for (const before of ['', `${'1'.repeat(11)} `, 'cv']) {
      const steps = [60_000, 120_000, 240_000].map((bytes) => {
        told(before + unit.repeat(Math.ceil(bytes / Buffer.byteLength(unit))))
        return spots.steps
      })
      const [one = 0, two = 0, four = 0] = steps
      assert.ok(two < one * 2.2 + 4000 && four < two * 2.2 + 4000, `${what}: ${steps.join(' ')}`)
      assert.ok(four < 240_000 * 60, `${what}: ${four}`)
    }
  }
})

test('the kernel is made from its source', async () => {
  const made = await compileKernel()
  const kept = readFileSync(new URL('kernel/kernel.wasm', import.meta.url))
  assert.ok(kept.equals(made), 'run node src/cards/kernel/compile.ts')
})
test('every digit of other scripts begins a stretch', () => {
  for (const cp of points) {
    if (classOf(cp) < DIGIT && raisedOf(cp) < DIGIT) continue
    told(`x${sign(cp).repeat(12)}x`)
    assert.equal(spots.count, 1, cp.toString(16))
  }
  assert.equal(isDigit[0x37], 1)
})
