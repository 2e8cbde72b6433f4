import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Scan } from './scan.ts'
import { PlainText } from './table-text.ts'
import { TableScanner } from './tables.ts'
import { TextScanner } from './text.ts'
import { ValueScanner } from './value.ts'
import { Names } from './words.ts'
import { CODE, END, START, kindOf } from './findings.ts'

const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const quoted = (text: string, levels: number): string =>
  levels === 0 ? text : quoted(JSON.stringify(text).slice(1, -1), levels - 1)
const unquoted = (text: string, levels: number): string =>
  levels === 0 ? text : unquoted(String(JSON.parse(`"${text}"`)), levels - 1)

test('what is no escape, or none that ends, is taken as it stands', () => {
  const plain = new PlainText()
  for (const [raw, want] of [
    ['a\\', 'a\\'],
    ['\\u12', 'u12'],
    ['\\q\\u00zz', 'qu00zz'],
  ] as const) {
    const bytes = Buffer.from(raw)
    plain.read(bytes, 0, bytes.length, 1)
    assert.equal(decode(plain.bytes), want)
    assert.equal(plain.rawOf(plain.bytes.length), bytes.length)
  }
})

test('a text without its quoting knows where each part of it stands in the original', () => {
  const plain = new PlainText()
  const escape = fc.constantFrom('\n', '\t', '"', '\\', '\u0001', 'é', '│', '😀', 'x', '1')
  const texts = fc.string({ unit: escape, maxLength: 30 })
  fc.assert(
    fc.property(texts, fc.integer({ min: 0, max: 3 }), fc.nat(), fc.nat(), (text, levels, i, j) => {
      const raw = Buffer.from(`<${quoted(text, levels)}>`)
      plain.read(raw, 1, raw.length - 1, levels)
      assert.equal(decode(plain.bytes), text)
      const signs = Array.from(text)
      const [from = 0, to = 0] = [i, j].map((n) => n % (signs.length + 1)).toSorted((x, y) => x - y)
      const at = Buffer.byteLength(signs.slice(0, from).join(''))
      const end = Buffer.byteLength(signs.slice(0, to).join(''))
      const part = decode(raw.subarray(plain.rawOf(at), plain.rawOf(end)))
      assert.equal(unquoted(part, levels), signs.slice(from, to).join(''))
      plain.leave()
    }),
  )
})

test('characters written as escapes are read as they are meant', () => {
  const plain = new PlainText()
  const raw = Buffer.from(String.raw`\u003ctd\u003e\ud83d\ude00\/\u00e9`)
  plain.read(raw, 0, raw.length, 1)
  assert.equal(decode(plain.bytes), '<td>😀/é')
})

const scan = new Scan(new Names([]))
const values = new ValueScanner(scan, new TextScanner(scan))
/** What is found in a text, and whether it has tables of ours. */
function scanned(text: string, running?: string[]): { isTable: boolean; found: string[] } {
  const bytes = Buffer.from(text)
  const tables = new TableScanner(
    scan,
    values,
    running && ((all, start, end) => running.push(decode(all.subarray(start, end)))),
  )
  scan.begin()
  const isTable = tables.string(bytes, 0, bytes.length, 0)
  const { findings } = scan
  const found = Array.from({ length: findings.count }, (_, i) =>
    decode(bytes.subarray(findings.field(i, START), findings.field(i, END))),
  )
  for (let i = 0; i < findings.count; i++) assert.ok(kindOf(findings.field(i, CODE)) < 4)
  return { isTable, found }
}

test('a text without a table of ours is left to others, with nothing done', () => {
  for (const text of ['', '123', 'cvv 123', 'id,ref\n1,234\n', 'cvv,id\nx,y\n', '<td>123</td>']) {
    assert.deepEqual(scanned(text), { isTable: false, found: [] }, text)
  }
})

test('tables of one line are found', () => {
  for (const text of [
    '<table><tr><th>id</th><th>cvv</th></tr><tr><td>456</td><td>123</td></tr></table>',
    "INSERT INTO t (id, cvv) VALUES (456, '123')",
    "[('id', 'cvv'), (456, '123')]",
    "[['id','cvv'],['456','123']]",
  ])
    assert.deepEqual(scanned(text), { isTable: true, found: ['123'] }, text)
})

test('all that is around cells is handed on as text, once and in order', () => {
  const running: string[] = []
  const text = 'See 12:\nid,cvv,x\n4,123,abc\n5,456,def\n\nand 789\n'
  assert.deepEqual(scanned(text, running), { isTable: true, found: ['123', '456'] })
  assert.equal(running.join('|'), 'See 12:\nid,cvv,x\n|,abc\n5,|,def\n\nand 789\n')
})

test('a text with tables may hold another one in what is around them', () => {
  const outer = Buffer.from('{"a":1}\nid,cvv\n1,123\n')
  const inner = Buffer.from('id,cvv\n2,456\n')
  const found: boolean[] = []
  const tables = new TableScanner(scan, values, (all) => {
    if (all === outer && found.length === 0) {
      found.push(true)
      found.push(tables.string(inner, 0, inner.length, 0))
    }
  })
  scan.begin()
  assert.equal(tables.string(outer, 0, outer.length, 0), true)
  assert.deepEqual(found, [true, true])
  assert.equal(scan.findings.count, 2)
})
