import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broken, grouped, needy, pan, published } from '../../tests/cards.ts'
import { readJson } from '../wire/json.ts'
import { detectionOf, pciDetection } from './detection.ts'
import { createMasker } from './masker.ts'
import type { MaskPlan, Masking } from './masker.ts'

const limits = { bytesMax: 1 << 26, depthMax: 64 }
const masker = createMasker({ sealKey: new Uint8Array(32).fill(7) })
const plan: MaskPlan = { reveal: 'none', detect: pciDetection, rule: 'test' }
const reveal: MaskPlan = { ...plan, reveal: 'pan' }
const visa = pan(4, 16)
const amex = pan(37, 15)
const long = pan(62, 19)
const stars = (number: string): string => '*'.repeat(number.length - 4) + number.slice(-4)
const form = (number: string): string => '9' + '0'.repeat(number.length - 5) + number.slice(-4)

interface Seen {
  kept: string
  shown: string
  found: Masking[]
}
function answer(json: string, by: MaskPlan = plan): Seen {
  const { kept, shown, maskings } = masker.answer(
    readJson(Buffer.from(json), limits),
    by,
    'ada@shop',
  )
  return {
    kept: Buffer.from(kept.value).toString(),
    shown: Buffer.from(shown.bytes).toString(),
    found: maskings.list(),
  }
}
const result = (content: string): string => `{"jsonrpc":"2.0","id":1,"result":${content}}`
/** Masks one token in a result and gives back what stands in its place. */
function token(raw: string, by: MaskPlan = plan): string {
  const { kept } = answer(result(`{"a":${raw}}`), by)
  return kept.slice(result('{"a":').length - 1, -2)
}
const text = (value: string): string => String(JSON.parse(token(JSON.stringify(value))))

const left: readonly [what: string, text: string][] = [
  ['milliseconds', '1763711234567'],
  ['nanoseconds', '1763711234567891234'],
  ['a timestamp without separators', '20261121074800'],
  ['a date and time', '2026-11-21T07:48:00.123456Z'],
  ['a phone number', '+14155552671 or +4915123456789012'],
  ['a UUID of digits', `12345678-1234-4111-8111-${pan('4', 12)}`],
  ['a UUID', '550e8400-e29b-41d4-a716-446655440000'],
  ['a digest in hex', `deadbeef${visa}cafebabe0123abcd`],
  ['a decimal', `3.${visa}`],
  ['a decimal that begins so', `${visa}.25`],
  ['a longer run of digits', `1${visa}9999`],
  ['a number that fails Luhn', broken(visa)],
  ['one digit over and over', '0000000000000000'],
  ['a number sign', `#${visa}`],
  ['years and amounts', 'in 2024 we sold 12345 of 100000 for 1,234,567.89'],
  ['a short id', '123456789012'],
  ['three digits of no label', 'room 123, gate 4567'],
  ['a result code of a verification', 'cvv_result: 123x, cvv match'],
  ['a masked number', '************1111'],
  ['four columns of a table', '1001 2002 3003 4004 5005 6006 7007 8008 9009'],
]
for (const [what, value] of left) {
  test(`${what} stays as it is`, () => assert.equal(text(value), value))
}
for (const [brand, number] of needy) {
  test(`a ${brand} number of ${number.length} digits stays without a card word, and goes with one`, () => {
    const { shown } = answer(result(`{"a":"ref ${number} x"}`))
    assert.equal(shown, result(`{"a":"ref ${number} x"}`))
    assert.equal(text(`visa card ${number} x`), `visa card ${stars(number)} x`)
    assert.equal(text(`{"card_no":"${number}"}`), `{"card_no":"${stars(number)}"}`)
  })
}
for (const [brand, number] of published) {
  test(`a published ${brand} number of ${number.length} digits is masked`, () => {
    assert.equal(text(`see ${number}, please`), `see ${stars(number)}, please`)
  })
}

const masked: readonly [what: string, text: string, masked: string][] = [
  ['groups of four', grouped(visa, [4, 4, 4, 4], ' '), grouped(stars(visa), [4, 4, 4, 4], ' ')],
  ['groups with dashes', grouped(visa, [4, 4, 4, 4], '-'), grouped(stars(visa), [4, 4, 4, 4], '-')],
  ['groups with dots', grouped(visa, [4, 4, 4, 4], '.'), grouped(stars(visa), [4, 4, 4, 4], '.')],
  [
    'groups two blanks apart',
    grouped(visa, [4, 4, 4, 4], '  '),
    grouped(stars(visa), [4, 4, 4, 4], '  '),
  ],
  ['groups of Amex', grouped(amex, [4, 6, 5], ' '), grouped(stars(amex), [4, 6, 5], ' ')],
  ['five groups', grouped(long, [4, 4, 4, 4, 3], ' '), grouped(stars(long), [4, 4, 4, 4, 3], ' ')],
  [
    'no-break spaces',
    grouped(visa, [4, 4, 4, 4], '\u00a0'),
    grouped(stars(visa), [4, 4, 4, 4], '\u00a0'),
  ],
  [
    'en dashes',
    grouped(visa, [4, 4, 4, 4], '\u2013'),
    grouped(stars(visa), [4, 4, 4, 4], '\u2013'),
  ],
  ['soft hyphens between all digits', Array.from(visa).join('\u00ad'), stars(visa)],
  ['zero-width spaces between all digits', Array.from(visa).join('\u200b'), stars(visa)],
  [
    'Arabic digits',
    Array.from(visa)
      .map((d) => String.fromCodePoint(0x660 + Number(d)))
      .join(''),
    stars(visa),
  ],
  [
    'full-width digits',
    Array.from(visa)
      .map((d) => String.fromCodePoint(0xff10 + Number(d)))
      .join(''),
    stars(visa),
  ],
  [
    'mathematical digits',
    Array.from(visa)
      .map((d) => String.fromCodePoint(0x1d7d8 + Number(d)))
      .join(''),
    stars(visa),
  ],
  ['a number in Cyrillic prose', `карта ${visa} принята`, `карта ${stars(visa)} принята`],
  ['a word glued to the number', `pan${visa}`, `pan${stars(visa)}`],
  ['a date before the number', `2026-01-15 ${visa}`, `2026-01-15 ${stars(visa)}`],
  ['two numbers in a row', `${visa} ${amex}`, `${stars(visa)} ${stars(amex)}`],
  ['a number at the end of a sentence', `It was ${visa}.`, `It was ${stars(visa)}.`],
  ['a number Excel made a decimal', `${visa}.0 x`, `${stars(visa)}.0 x`],
  [
    'a label although Luhn fails',
    `Card number: ${broken(visa)}`,
    `Card number: ${stars(broken(visa))}`,
  ],
  [
    'SQL that is echoed',
    `select * from c where pan = '${visa}'`,
    `select * from c where pan = '${stars(visa)}'`,
  ],
  [
    'a labelled value',
    'CVV: 123, cvc2 "456" (security code is 789)',
    'CVV: ***, cvc2 "***" (security code is ***)',
  ],
  ['a label in Spanish', 'código de seguridad: 123', 'código de seguridad: ***'],
  ['a four-digit value', 'cvv=1234;', 'cvv=***;'],
  ['a labelled PIN', 'PIN: 4821', 'PIN: ***'],
  ['expiry and value behind a number', `${visa}|12|2027|123`, `${stars(visa)}|12|2027|***`],
  ['expiry and value with a slash', `${visa} 12/27 123 ok`, `${stars(visa)} 12/27 *** ok`],
  ['track 1', `%B${visa}^DOE/JOHN^27121010000000000?!`, '[track removed]!'],
  ['track 2', `;${visa}=27121010000012300000?`, '[track removed]'],
  ['track 2 of a chip', `${visa}D27121010000F x`, '[track removed] x'],
]
for (const [what, value, want] of masked) {
  test(`${what}: masked in a string`, () => assert.equal(text(value), want))
  test(`${what}: masked in plain text`, () => {
    const shown = masker.text(Buffer.from(value), plan).shown.bytes
    assert.equal(Buffer.from(shown).toString(), want)
  })
  test(`${what}: masked in JSON in a string in a string`, () => {
    const inner = JSON.stringify({ note: value, n: 1 })
    const outer = text(JSON.stringify({ inner }))
    assert.deepEqual(JSON.parse(JSON.parse(outer).inner), { note: want, n: 1 })
  })
  test(`${what}: masking it again changes nothing`, () => assert.equal(text(want), want))
}

test('escaped digits are seen, at every level', () => {
  const escaped = Array.from(visa)
    .map((d) => `\\u003${d}`)
    .join('')
  assert.equal(JSON.parse(token(`"${escaped}"`)), stars(visa))
  assert.equal(token(`"\\u003${visa[0]}${visa.slice(1)}!"`), `"${stars(visa)}!"`)
  assert.equal(token(`"${visa.slice(0, 8)}\\u003${visa[8]}${visa.slice(9)}"`), `"${stars(visa)}"`)
  const inner = JSON.stringify(`{"a":"${escaped}"}`)
  assert.equal(JSON.parse(JSON.parse(token(inner))).a, stars(visa))
  const dotnet = `"{\\u0022pan\\u0022:\\u0022${visa}\\u0022,\\u0022cvv\\u0022:\\u0022123\\u0022}"`
  assert.equal(JSON.parse(token(dotnet)), `{"pan":"${stars(visa)}","cvv":"***"}`)
})

const numbers: readonly [raw: string, masked: string][] = [
  [visa, form(visa)],
  [`-${visa}`, `-${form(visa)}`],
  [`${visa}.0`, `${form(visa)}.0`],
  [`${visa[0]}.${visa.slice(1)}E15`, `9.${form(visa).slice(1)}E15`],
  [long, form(long)],
  [form(visa), form(visa)],
  [broken(visa), broken(visa)],
  ['3.1415926535897931', '3.1415926535897931'],
  ['1763711234567891234', '1763711234567891234'],
  ['9007199254740993', '9007199254740993'],
  ['1e400', '1e400'],
]
for (const [raw, want] of numbers) {
  test(`the number of ${raw.length} bytes keeps its type and spelling`, () => {
    assert.equal(token(raw), want)
    assert.equal(token(JSON.stringify(`{"a":${raw}}`)), JSON.stringify(`{"a":${want}}`))
  })
}

test('keys tell: cards even where Luhn fails, verification values, PINs, tracks', () => {
  const rows = (list: object): string => JSON.stringify({ rows: [list, list, list] }, null, 2)
  const clear = {
    id: 7,
    card_number: broken(visa),
    cvv: '123',
    card_cvc: 456,
    pin: '1234',
    pinBlock: 'A1B2C3D4E5F60718',
    track2: `${visa}=2512101`,
    cvv_result: 'M',
    cvv2: 'none',
    note: 'ok',
  }
  const want = {
    ...clear,
    card_number: stars(broken(visa)),
    cvv: '***',
    card_cvc: 0,
    pin: '***',
    pinBlock: '***',
    track2: '[track removed]',
  }
  assert.deepEqual(JSON.parse(text(rows(clear))), { rows: [want, want, want] })
  assert.deepEqual(JSON.parse(token(JSON.stringify(clear))), want)
})
test('a number is told once, however it is spelt and what stands before it', () => {
  const spaced = grouped(visa, [4, 4, 4, 4], '\u00a0')
  const { found, kept } = answer(result(JSON.stringify(`${visa} or ${spaced}, ${amex}`)))
  assert.equal(found.length, 3)
  assert.equal(
    JSON.parse(kept).result,
    `${stars(visa)} or ${grouped(stars(visa), [4, 4, 4, 4], '\u00a0')}, ${stars(amex)}`,
  )
})
test('any of its signs may be an escape, alone or with others', () => {
  const number = `(${grouped(visa, [4, 4, 4, 4], '-')})`
  for (let mask = 1; mask < 2000; mask++) {
    // A different choice of signs each time, many of them beside each other.
    const bits = Math.imul(mask, 0x9e3779b1) >>> 0
    const spelt = Array.from(number, (c, i) =>
      (bits >>> i) & 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c,
    )
    const want = `(${grouped(stars(visa), [4, 4, 4, 4], '-')})`
    assert.equal(JSON.parse(token(`"${spelt.join('')}"`)), want, `choice ${mask}`)
  }
})
test('groups that go on in escapes are read to their end', () => {
  // The first thirteen digits are a number of their own where a card word is near.
  const head = pan('60116000', 13)
  const whole = pan(head, 16)
  const spelt = `${grouped(head, [4, 4, 4, 1], '-')}\\u003${whole[13]}${whole.slice(14)}`
  const want = grouped(stars(whole), [4, 4, 4, 4], '-')
  assert.equal(JSON.parse(token(`"card ${spelt}"`)), `card ${want}`)
})
test('verification values keep their kind: numbers of four digits, one lost zero, flags', () => {
  const seen = (value: string): string => token(`{"cvv":${value}}`)
  assert.equal(seen('1234'), '{"cvv":0   }')
  assert.equal(seen('12'), '{"cvv":0 }')
  assert.equal(seen('"1234"'), '{"cvv":"***"}')
  assert.equal(seen('1'), '{"cvv":1}')
  assert.equal(seen('true'), '{"cvv":true}')
  assert.equal(seen('12345'), '{"cvv":12345}')
  assert.equal(seen('["123","456"]'), '{"cvv":["***","***"]}')
  assert.equal(seen('{"value":"123"}'), '{"cvv":{"value":"***"}}')
})
test('a cid is a verification value beside a card number only, whichever comes first', () => {
  const other = { cid: '1234', name: 'x' }
  assert.deepEqual(JSON.parse(token(JSON.stringify(other))), other)
  const first = token(JSON.stringify({ cid: '1234', pan: amex }))
  assert.deepEqual(JSON.parse(first), { cid: '***', pan: stars(amex) })
  const last = token(JSON.stringify({ pan: amex, cid: 1234 }))
  assert.deepEqual(JSON.parse(last), { pan: stars(amex), cid: 0 })
})
test('columns tell, wherever the header stands', () => {
  const table = {
    columns: ['id', 'pan', 'cvv'],
    rows: [
      [1, broken(visa), 123],
      [2, visa, '456'],
    ],
  }
  const want = [
    [1, stars(broken(visa)), 0],
    [2, stars(visa), '***'],
  ]
  assert.deepEqual(JSON.parse(text(JSON.stringify(table))).rows, want)
  const late = { rows: table.rows, columns: [{ name: 'id' }, { name: 'pan' }, { name: 'cvv' }] }
  assert.deepEqual(JSON.parse(token(JSON.stringify(late))).rows, want)
  const first = [['id', 'pan', 'cvv'], ...table.rows]
  assert.deepEqual(JSON.parse(text(JSON.stringify(first))).slice(1), want)
})
const tables: readonly (readonly [what: string, text: string, masked: string])[] = [
  [
    'CSV',
    `id,pan,cvv\n1,${broken(visa)},123\n2,${visa},"456"`,
    `id,pan,cvv\n1,${stars(broken(visa))},***\n2,${stars(visa)},"***"`,
  ],
  [
    'CSV with quotes, CRLF and commas in cells',
    `"name","cvv","n"\r\n"Doe, J","123","456"\r\n`,
    `"name","cvv","n"\r\n"Doe, J","***","456"\r\n`,
  ],
  ['tabs', `id\tcvv2\tzip\n1\t123\t12345`, `id\tcvv2\tzip\n1\t***\t12345`],
  [
    'Markdown',
    `Rows:\n\n| id | CVV | n |\n|----|-----|---|\n| 1 | 123 | 456 |\n| 2 | 789 | 12 |\n\nCall 123.`,
    `Rows:\n\n| id | CVV | n |\n|----|-----|---|\n| 1 | *** | 456 |\n| 2 | *** | 12 |\n\nCall 123.`,
  ],
  [
    'a database shell',
    ` id | pan | cvv\n----+-----+-----\n  1 | ${broken(visa)} | 123\n(1 row)`,
    ` id | pan | cvv\n----+-----+-----\n  1 | ${stars(broken(visa))} | ***\n(1 row)`,
  ],
  [
    'a drawn box',
    `+----+-----+\n| id | cvv |\n+----+-----+\n| 12 | 123 |\n+----+-----+`,
    `+----+-----+\n| id | cvv |\n+----+-----+\n| 12 | *** |\n+----+-----+`,
  ],
  ['no column of ours', 'id,zip,code\n1,123,456\n', 'id,zip,code\n1,123,456\n'],
]
for (const [what, value, want] of tables) {
  test(`columns of tables in text: ${what}`, () => {
    assert.equal(text(value), want)
    assert.equal(JSON.parse(text(JSON.stringify({ a: value }))).a, want)
    assert.equal(Buffer.from(masker.text(Buffer.from(value), plan).shown.bytes).toString(), want)
    assert.equal(text(want), want)
  })
}
test('a configured column is a card column', () => {
  const by = { ...plan, detect: detectionOf({ columns: ['*.cc_*'] }) }
  assert.equal(token(`{"cc_main":"${broken(visa)}"}`, by), `{"cc_main":"${stars(broken(visa))}"}`)
  assert.equal(token(`{"cc_main":"${broken(visa)}"}`), `{"cc_main":"${broken(visa)}"}`)
})
test('keys that are card numbers are masked and stay apart', () => {
  const twin = pan(`51${'0'.repeat(9)}`, 16)
  const other = published.find(([, n]) => n.slice(-4) === twin.slice(-4))?.[1] ?? twin
  const { kept, found } = answer(result(`{"${visa}":1,"${twin}":2,"x":{"${visa}":3}}`))
  assert.ok(!kept.includes(visa) && !kept.includes(other))
  assert.deepEqual(Object.values(JSON.parse(kept).result), [1, 2, { [stars(visa)]: 3 }])
  assert.ok(found.every(({ at }) => !at.includes(visa)))
  const same = Array.from({ length: 3 }, (_, i) => `"${sameEnd(i)}":${i}`).join()
  const keys = Object.keys(JSON.parse(answer(result(`{${same}}`)).kept).result)
  assert.deepEqual(keys, [
    `${'*'.repeat(12)}0000`,
    `${'*'.repeat(12)}0000~2`,
    `${'*'.repeat(12)}0000~3`,
  ])
})
/** Different numbers with the same last four digits. */
function sameEnd(i: number): string {
  for (let n = i * 1000; ; n++) {
    const number = `4${String(n).padStart(11, '0')}0000`
    if (pan(number.slice(0, 15), 16) === number && n > 0) return number
  }
}

test('reveal delivers the numbers, never a secret, and the record stays masked', () => {
  const inner = JSON.stringify({ pan: visa, cvv: '1234', n: Number(visa), pin: 4821 })
  const { kept, shown } = answer(result(JSON.stringify(inner)), reveal)
  const want = { pan: visa, cvv: '***', n: Number(visa), pin: 0 }
  assert.deepEqual(JSON.parse(JSON.parse(shown).result), want)
  assert.ok(!kept.includes(visa))
})
test('a partly masked number is left on delivery and reduced in the record', () => {
  for (const [value, want] of [
    ['411111******1111', `${'*'.repeat(12)}1111`],
    ['411111xxxxxx1111', '******xxxxxx1111'],
    ['4111 11** **** 1111', '**** **** **** 1111'],
  ]) {
    const { kept, shown } = answer(result(JSON.stringify(value)))
    assert.equal(JSON.parse(shown).result, value)
    assert.equal(JSON.parse(kept).result, want)
  }
})
test('text in base64 is masked by its type and stays base64', () => {
  const blob = Buffer.from(`card,cvv\n${visa},x CVV 123`).toString('base64')
  const json = result(`{"contents":[{"uri":"a","mimeType":"text/csv","blob":"${blob}"}]}`)
  const { kept, shown } = answer(json)
  const read = (message: string): string =>
    Buffer.from(JSON.parse(message).result.contents[0].blob, 'base64').toString()
  assert.equal(read(kept), `card,cvv\n${stars(visa)},x CVV ***`)
  assert.equal(shown, kept)
  assert.equal(read(answer(json, reveal).shown), `card,cvv\n${visa},x CVV ***`)
  assert.equal(read(answer(json, reveal).kept), read(kept))
  const image = json.replace('text/csv', 'image/png')
  assert.equal(answer(image).shown, image)
})

test('opaque values are sealed for the client, masked in the record, and come back whole', () => {
  const cursor = `after:${visa}`
  const { kept, shown } = answer(result(`{"tools":[],"nextCursor":"${cursor}"}`))
  assert.equal(JSON.parse(kept).result.nextCursor, `after:${stars(visa)}`)
  const alias: string = JSON.parse(shown).result.nextCursor
  assert.match(alias, /^sp1\.[\w-]+$/)
  assert.equal(
    JSON.parse(answer(result(`{"nextCursor":"${cursor}"}`)).shown).result.nextCursor,
    alias,
  )
  const asked = Buffer.from(
    `{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"${alias}"}}`,
  )
  const undone = masker.undo(readJson(asked, limits), 'ada@shop')
  assert.equal(JSON.parse(Buffer.from(undone).toString()).params.cursor, cursor)
  const refused = { name: 'Fault', code: 'bad_params' }
  assert.throws(() => masker.undo(readJson(asked, limits), 'eve@shop'), refused)
  const forged = Buffer.from(asked.toString().replace(alias, `${alias.slice(0, -2)}AA`))
  assert.throws(() => masker.undo(readJson(forged, limits), 'ada@shop'), refused)
})
test('a request of the server keeps an id that the client can answer', () => {
  const asked = `{"jsonrpc":"2.0","id":${visa},"method":"roots/list"}`
  const { kept, shown } = answer(asked)
  assert.equal(kept, asked.replace(visa, form(visa)))
  const posted = Buffer.from(
    `{"jsonrpc":"2.0","id":${JSON.stringify(JSON.parse(shown).id)},"result":{}}`,
  )
  const undone = Buffer.from(masker.undo(readJson(posted, limits), 'ada@shop')).toString()
  assert.equal(undone, `{"jsonrpc":"2.0","id":${visa},"result":{}}`)
})
test("the client's own words come back as they were", () => {
  const { kept, shown } = answer(`{"jsonrpc":"2.0","id":"${visa}","result":{}}`)
  assert.ok(shown.includes(visa) && !kept.includes(visa))
  const call = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":"${visa}"}}}`
  masker.asked(readJson(Buffer.from(call), limits), plan, 'ada@shop')
  const progress = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"${visa}","progress":1}}`
  assert.equal(answer(progress).shown, progress)
})
test('a URI in a place for one becomes an alias that is a URI', () => {
  const { shown } = answer(result(`{"contents":[{"uri":"card://${visa}","text":"x"}]}`))
  assert.match(JSON.parse(shown).result.contents[0].uri, /^sallyport:sp1\./)
})
test('errors, notifications and tool descriptions are content', () => {
  for (const message of [
    `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no ${visa}","data":{"q":["${visa}"]}}}`,
    `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${visa}","level":"info"}}`,
    result(`{"tools":[{"name":"t","description":"such as ${visa}"}],"_meta":{"x":${visa}}}`),
    `[${result(`"${visa}"`)},${result('1').replace('"id":1', '"id":2')}]`,
  ]) {
    const { kept, shown } = answer(message)
    assert.ok(!kept.includes(visa) && kept === shown)
  }
})

test('a message without findings comes back as the very same bytes', () => {
  const bytes = Buffer.from(result('{"a":"hello","b":[1,2,3]}'))
  const { kept, shown, maskings } = masker.answer(readJson(bytes, limits), plan, 'x')
  assert.equal(kept.value, bytes)
  assert.equal(shown.bytes, bytes)
  assert.deepEqual([maskings.count, maskings.groups(), maskings.list()], [0, [], []])
})
test('groups tell kind, brand, place and last four of each', () => {
  const rows = [
    { pan: visa, cvv: 123 },
    { pan: pan(40, 16), cvv: 456 },
  ]
  const message = result(`{"content":[{"text":${JSON.stringify(JSON.stringify({ rows }))}}]}`)
  const { maskings } = masker.answer(readJson(Buffer.from(message), limits), plan, 'x')
  const at = '/result/content/*/text#/rows/*'
  assert.deepEqual(maskings.groups(), [
    {
      kind: 'pan',
      brand: 'visa',
      confidence: 'certain',
      at: `${at}/pan`,
      rule: 'test',
      each: [`0,0:${visa.slice(-4)}`, `0,1:${pan(40, 16).slice(-4)}`],
    },
    { kind: 'cvv', confidence: 'certain', at: `${at}/cvv`, rule: 'test', each: ['0,0', '0,1'] },
  ])
  assert.equal(maskings.list()[2]?.at, '/result/content/0/text#/rows/1/pan')
})
test('a request is masked for the record', () => {
  const asked = `{"jsonrpc":"2.0","id":"${visa}","method":"tools/call","params":{"name":"q","arguments":{"sql":"select '${visa}'"}}}`
  const { kept, maskings } = masker.asked(readJson(Buffer.from(asked), limits), plan, 'ada@shop')
  assert.equal(Buffer.from(kept.value).toString(), asked.replaceAll(visa, stars(visa)))
  assert.equal(maskings.count, 2)
})
test('words, plain data and event ids are masked or sealed', () => {
  assert.equal(masker.word(`tool-${visa}`).value, `tool-${stars(visa)}`)
  assert.deepEqual(masker.words({ sub: visa, groups: ['a', visa], n: 1 }).value, {
    sub: stars(visa),
    groups: ['a', stars(visa)],
    n: 1,
  })
  assert.equal(masker.seal('event-7', 'b'), 'event-7')
  const alias = masker.seal(`event-${visa}`, 'b')
  assert.ok(!alias.includes(visa))
  assert.equal(masker.unseal(alias, 'b'), `event-${visa}`)
  assert.throws(() => masker.unseal(alias, 'c'), { code: 'bad_params' })
})
test('our own answers are scanned as well', () => {
  const shown = masker.ours(Buffer.from(`{"error":{"message":"no tool ${visa}"}}`)).bytes
  assert.equal(Buffer.from(shown).toString(), `{"error":{"message":"no tool ${stars(visa)}"}}`)
})
test('text that only begins like JSON is scanned as text', () => {
  for (const value of [
    `[INFO] card ${grouped(visa, [4, 4, 4, 4], ' ')} used`,
    `{"a": 1} and then ${visa}`,
    `{"cut": "off ${visa}`,
    `{"a":"${visa}"`,
    `{pan: ${visa}, cvv: 123}`,
    `{'pan': '${visa}', 'cvv': '123'}`,
  ]) {
    const seen = text(value)
    assert.ok(!seen.replaceAll(/\D/g, '').includes(visa) && !/[^\d]123[^\d]/.test(seen), seen)
  }
})
test('the same glue between rows does not hide another key', () => {
  const rows = [
    { a: 'x', cvv: '111' },
    { a: 'x', cvv: '222' },
    { a: 'x', cvx: '333' },
    { b: 1, cvv: '444' },
  ]
  const want = [
    { a: 'x', cvv: '***' },
    { a: 'x', cvv: '***' },
    { a: 'x', cvx: '333' },
    { b: 1, cvv: '***' },
  ]
  assert.deepEqual(JSON.parse(text(JSON.stringify(rows))), want)
  const nested = {
    card: [{ no: broken(visa) }, { no: broken(visa) }],
    room: [{ no: broken(visa) }, { no: broken(visa) }],
  }
  const seen = JSON.parse(text(JSON.stringify(nested)))
  assert.deepEqual(seen.room, nested.room)
  assert.deepEqual(seen.card, [{ no: stars(broken(visa)) }, { no: stars(broken(visa)) }])
})
