import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cardHash } from '../cards/hash.ts'
import { Sketch, exactMax } from './sketch.ts'

function sketchOf(hashes: Iterable<number>): Sketch {
  const sketch = new Sketch()
  for (const hash of hashes) sketch.add(hash)
  return sketch
}

/** The hashes of numbers without end, each another one, under the key of the seed. */
function* stream(seed: number): Generator<number> {
  const key = Uint32Array.of(seed, 0x5a11)
  const digits = new Uint8Array(16).fill(4, 0, 1)
  for (;;) {
    yield cardHash(digits, 16, key)
    let at = 15
    while (digits[at] === 9) digits[at--] = 0
    digits[at] = (digits[at] ?? 0) + 1
  }
}

const damaged: readonly [what: string, bytes: Uint8Array][] = [
  ['nothing', new Uint8Array(0)],
  ['an unknown form', Uint8Array.of(3, 0, 0, 0, 0)],
  ['half a hash', Uint8Array.of(1, 0, 0)],
  ['too many hashes', Uint8Array.of(1, ...new Uint8Array(257 * 4))],
  ['a register too few', Uint8Array.of(2, ...new Uint8Array(2047))],
  ['a register past the highest rank', Uint8Array.of(2, ...new Uint8Array(2047), 23)],
  ['a register too many', Uint8Array.of(2, ...new Uint8Array(2049))],
]
for (const [what, bytes] of damaged) {
  test(`bytes with ${what} are told as damaged`, () => {
    assert.throws(() => Sketch.from(bytes), { name: 'Fault', code: 'defect' })
  })
}

test('an empty sketch has seen nothing', () => assert.equal(new Sketch().count, 0))

test('a hash seen again changes nothing, few or many of them', () => {
  for (const size of [1, 100, exactMax, exactMax + 1, 5000]) {
    const hashes = [...stream(3).take(size)]
    const sketch = sketchOf(hashes)
    const before = sketch.bytes()
    for (const hash of hashes) assert.equal(sketch.add(hash), false)
    assert.deepEqual(sketch.bytes(), before)
  }
})

test('small counts are exact, and the count never falls behind them', () => {
  const sketch = new Sketch()
  let size = 0
  for (const hash of stream(5).take(exactMax + 1)) {
    assert.equal(sketch.add(hash), true)
    size++
    if (size <= exactMax) assert.equal(sketch.count, size)
  }
  assert.ok(sketch.count > exactMax)
})

test('large counts are estimated: 2.3 % in the mean, and no bias, also near 5000', () => {
  for (const size of [300, 1000, 3000, 5000, 7000, 20_000, 100_000]) {
    const seeds = Array.from({ length: 40 }, (_, i) => i + 1)
    const errors = seeds.map((seed) => sketchOf(stream(seed).take(size)).count / size - 1)
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
    const square = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)
    assert.ok(square < 0.03, `${size}: ${square}`)
    assert.ok(Math.abs(mean) < 0.015, `${size}: ${mean}`)
    assert.ok(Math.max(...errors.map(Math.abs)) < 0.08, `${size}: ${errors.join(' ')}`)
  }
})

test('a count that was asked for follows what is added and merged', () => {
  const [sketch, fresh] = [sketchOf(stream(8).take(1000)), sketchOf(stream(8).take(3000))]
  assert.ok(sketch.count < 1200)
  for (const hash of stream(8).take(2000)) sketch.add(hash)
  assert.ok(sketch.count > 1700)
  sketch.merge(fresh)
  assert.equal(sketch.count, fresh.count)
})

test('full registers give all the hashes there are', () => {
  const full = Sketch.from(Uint8Array.of(2, ...new Uint8Array(2048).fill(22)))
  assert.equal(full.count, 2 ** 32)
})

const sizes = fc.oneof(fc.nat(20), fc.integer({ min: 250, max: 262 }), fc.nat(2000))
test('a merged sketch is the very sketch of the union, whatever the parts and their order', () => {
  const parts = fc.array(fc.record({ from: fc.nat(3000), size: sizes }), { maxLength: 4 })
  const all = [...stream(11).take(5000)]
  const isUnion = fc.property(parts, (cuts) => {
    const sets = cuts.map(({ from, size }) => all.slice(from, from + size))
    const merged = new Sketch()
    for (const set of sets) merged.merge(sketchOf(set))
    const union = sketchOf(sets.flat().toReversed())
    assert.deepEqual(merged.bytes(), union.bytes())
    assert.equal(merged.count, union.count)
    const distinct = new Set(sets.flat()).size
    if (distinct <= exactMax) assert.equal(merged.count, distinct)
  })
  fc.assert(isUnion, { numRuns: 60 })
})

test('merging leaves the other sketch as it was', () => {
  const other = sketchOf(stream(2).take(10))
  const sketch = sketchOf(stream(4).take(300))
  sketch.merge(other)
  assert.deepEqual(other.bytes(), sketchOf(stream(2).take(10)).bytes())
})

test('a sketch comes back from its bytes, in at most 2 KiB and one byte', () => {
  const comesBack = fc.property(sizes, (size) => {
    const sketch = sketchOf(stream(size).take(size))
    const bytes = sketch.bytes()
    assert.ok(bytes.length <= 2049)
    assert.deepEqual(Sketch.from(bytes).bytes(), bytes)
    assert.equal(Sketch.from(bytes).count, sketch.count)
  })
  fc.assert(comesBack, { numRuns: 40 })
})

test('a sketch made from bytes does not write to them', () => {
  const bytes = sketchOf(stream(6).take(300)).bytes()
  const before = Uint8Array.from(bytes)
  Sketch.from(bytes).merge(sketchOf(stream(7).take(300)))
  assert.deepEqual(bytes, before)
})
