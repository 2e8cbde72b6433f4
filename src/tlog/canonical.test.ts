import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalize } from './canonical.ts'

interface Vectors {
  readonly numbers: { ieee754: string; json: string | null }[]
  readonly documents: { name: string; input: string; outputHex: string }[]
  readonly reject: { why: string; input: string | null }[]
  readonly keyOrder: { unsorted: string[]; sorted: string[] }[]
  readonly numberGenerator: { staticU64: string[] }
  readonly numberFileDigests: { lines: number; sha256: string }[]
}
const file = new URL('../../tests/vectors/jcs.json', import.meta.url)
const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8'))

function double(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}

const unspeakable: readonly [what: string, value: unknown][] = [
  ['NaN', Number.NaN],
  ['infinity', -Infinity],
  ['a bigint', 1n],
  ['undefined', undefined],
  ['a member that is undefined', { a: undefined }],
  ['a hole in an array', Array(2)],
  ['a function', () => 0],
  ['a symbol', Symbol('x')],
  ['half a surrogate pair', 'a\ud83d'],
  ['half a surrogate pair in a key', { '\ude00': 1 }],
]
for (const [what, value] of unspeakable) {
  test(`${what} has no canonical form, and the message does not quote it`, () => {
    assert.throws(() => canonicalize([value]), { name: 'Fault', code: 'defect' })
  })
}
test('every rejected document of the vectors is rejected, or spelt otherwise than it came', () => {
  for (const { input, why } of vectors.reject) {
    if (input === null) continue
    let text: string | undefined
    try {
      text = canonicalize(JSON.parse(input))
    } catch {
      continue
    }
    assert.notEqual(text, input, why)
  }
})
test('numbers are spelt as RFC 8785, appendix B has them', () => {
  for (const { ieee754, json } of vectors.numbers) {
    const value = double(BigInt(`0x${ieee754}`))
    if (json === null) assert.throws(() => canonicalize(value), { code: 'defect' })
    else assert.equal(canonicalize(value), json)
  }
})
test("the author's documents come out byte by byte", () => {
  for (const { input, name, outputHex } of vectors.documents) {
    assert.equal(Buffer.from(canonicalize(JSON.parse(input))).toString('hex'), outputHex, name)
  }
})
test('keys stand in the order of their UTF-16 units', () => {
  for (const { sorted, unsorted } of vectors.keyOrder) {
    const text = canonicalize(Object.fromEntries(unsorted.map((key) => [key, 0])))
    assert.equal(text, `{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`)
  }
})
test("the first 10,000 lines of the author's number file have his digest", () => {
  const want = vectors.numberFileDigests.find(({ lines }) => lines === 10_000)
  const digest = createHash('sha256')
  let lines = 0
  for (const bits of numberFile()) {
    if (lines++ === 10_000) break
    digest.update(`${bits.toString(16)},${canonicalize(double(bits))}\n`)
  }
  assert.equal(digest.digest('hex'), want?.sha256)
})
test('__proto__ is a member like any other', () => {
  assert.equal(
    canonicalize(JSON.parse('{"b":1,"__proto__":{"x":1}}')),
    '{"__proto__":{"x":1},"b":1}',
  )
})
test('whatever JSON says, its canonical form says the same, and is its own canonical form', () => {
  const same = fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
    fc.pre(JSON.stringify(value).isWellFormed() && !JSON.stringify(value).includes('\\ud'))
    const text = canonicalize(value)
    const plain: unknown = JSON.parse(JSON.stringify(value))
    assert.deepEqual(JSON.parse(text), plain)
    assert.equal(canonicalize(JSON.parse(text)), text)
  })
  fc.assert(same)
})

function* numberFile(): Generator<bigint> {
  for (const hex of vectors.numberGenerator.staticU64) yield BigInt(`0x${hex}`)
  for (let i = 0n; i < 2000n; i++) yield 0x0010000000000000n + i
  for (let block = Buffer.alloc(32); ;) {
    block = createHash('sha256').update(block).digest()
    for (let i = 0; i < 32; i += 8) {
      const bits = block.readBigUInt64LE(i)
      const value = double(bits)
      if (value !== 0 && Number.isFinite(value)) yield bits
    }
  }
}
