import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Frontier, verifyConsistency, verifyInclusion } from './merkle.ts'
import {
  consistencyProof,
  decodeBundle,
  encodeBundle,
  HashReader,
  inclusionProof,
  newTiles,
  parseTilePath,
  rootOf,
  TileBuilder,
  tilePath,
  tilesOf,
} from './tiles.ts'
import type { TileReader } from './tiles.ts'
import { entry, hex, leaf, leavesOf, readerOf, tilesOver, vectors } from './vectors.fixture.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const copy = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
const all = leavesOf(70_000)

test('no path but the one spelling of a tile is read', () => {
  const tooLarge = ['tile/0/x999/x999/x999/x999/x999/999', 'tile/0/x009/x007/x199/x254/x740/992']
  const more = ['tile/0/000\n', 'tile/0/x000/x001/001', 'tile/0/٠٠٠', 'tile/0/', '', ...tooLarge]
  for (const path of [...vectors.tilePathsInvalid, ...more]) {
    assert.equal(parseTilePath(path), undefined, JSON.stringify(path))
  }
})
test('what is no tile has no path', () => {
  const tile = { level: 0, index: 0, width: 256 }
  for (const wrong of [
    { level: 64 },
    { level: -1 },
    { index: 0.5 },
    { width: 0 },
    { width: 257 },
  ]) {
    assert.throws(() => tilePath({ ...tile, ...wrong }), { name: 'Broken' })
  }
})
test('paths and tiles of the vectors are each other', () => {
  for (const { path, ...tile } of vectors.tilePaths) {
    assert.equal(tilePath(tile), path)
    assert.deepEqual(parseTilePath(path), tile)
  }
})
test('every tile is read from its own path', () => {
  const level = fc.oneof(fc.nat({ max: 63 }), fc.constant('entries' as const))
  const where = fc.record({
    level,
    index: fc.oneof(fc.maxSafeNat(), fc.nat({ max: 2000 })),
    width: fc.integer({ min: 1, max: 256 }),
  })
  const back = fc.property(where, (tile) => {
    assert.deepEqual(parseTilePath(tilePath(tile)), { ...tile })
  })
  fc.assert(back)
})

test('bundles that are cut short, or hold more or fewer entries, are refused', () => {
  const rows: [bytes: Buffer, width: number][] = [
    ...vectors.entryBundles.invalid.map(({ hex: bytes }): [Buffer, number] => [hex(bytes), 1]),
    [Buffer.alloc(0), 1],
    [encodeBundle([entry(0), entry(1)]), 1],
    [encodeBundle([entry(0)]), 2],
  ]
  for (const [bytes, width] of rows) {
    assert.throws(() => decodeBundle(bytes, width), { name: 'Unproven', code: 'bundle_malformed' })
  }
  assert.throws(() => encodeBundle([Buffer.alloc(65_536)]), { name: 'Broken' })
  assert.throws(() => encodeBundle([]), { name: 'Broken' })
  assert.throws(() => encodeBundle(Array(257).fill(Buffer.alloc(0))), { name: 'Broken' })
})
test('the bundles of the vectors come out byte by byte, and go in again', () => {
  for (const { bytes, entries, hex: want, path, sha256: digest } of vectors.entryBundles.bundles) {
    const [from, to] = entries
    const inside = Array.from({ length: to - from }, (_, i) => entry(from + i))
    const bundle = encodeBundle(inside)
    assert.equal(bundle.length, bytes)
    assert.equal(sha256(bundle), digest)
    if (want !== undefined) assert.equal(bundle.toString('hex'), want)
    assert.deepEqual(decodeBundle(bundle, parseTilePath(path)?.width ?? 0).map(copy), inside)
  }
  const { edge } = vectors.entryBundles
  const rare = [Buffer.alloc(0), Buffer.from('hi'), Buffer.alloc(65_535, 0xff)]
  const bundle = encodeBundle(rare)
  assert.equal(bundle.length, edge.bytes)
  assert.equal(bundle.toString('hex', 0, edge.prefixHex.length / 2), edge.prefixHex)
  assert.equal(sha256(bundle), edge.sha256)
  assert.deepEqual(decodeBundle(bundle, 3), rare)
})
test('what goes into a bundle comes out, and never out of a shorter one', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 })
  const back = fc.property(entries, fc.nat(), (inside, cut) => {
    const bundle = encodeBundle(inside)
    const out = decodeBundle(bundle, inside.length)
    assert.deepEqual(out.map(copy), inside.map(copy))
    const shorter = bundle.subarray(0, cut % bundle.length)
    assert.throws(() => decodeBundle(shorter, inside.length), { code: 'bundle_malformed' })
  })
  fc.assert(back)
})

for (const { manifestSha256, size, tileCount, tiles, totalBytes } of vectors.tiles.sizes) {
  test(`a tree of ${size} has the tiles of the vectors`, () => {
    const built = tilesOver(all.slice(0, size))
    const lines = [...tilesOf(size)].map((tile) => {
      return `${tilePath(tile)} ${sha256(built.get(tilePath(tile)) ?? Buffer.of())}\n`
    })
    assert.equal(lines.length, tileCount)
    assert.equal(built.size, tileCount)
    assert.equal(sha256(Buffer.from(lines.join(''))), manifestSha256)
    assert.equal(
      [...built.values()].reduce((sum, { length }) => sum + length, 0),
      totalBytes,
    )
    for (const { bytes, path, sha256: digest } of tiles) {
      assert.equal(built.get(path)?.length, bytes)
      assert.equal(sha256(built.get(path) ?? Buffer.of()), digest)
    }
  })
}
test('a tree of size 0 has no tile', () => assert.deepEqual([...tilesOf(0)], []))
test('a builder gives exactly the tiles that are new, however the leaves came, restarts included', async () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: 700 }), fc.boolean()), { maxLength: 8 })
  const same = fc.asyncProperty(steps, async (asked) => {
    const disk = new Map<string, Buffer>()
    let builder = new TileBuilder()
    let old = 0
    for (const [count, isRestarted] of asked) {
      const size = old + count
      for (let at = old; at < size; at += 99) {
        builder.append(Buffer.concat(all.slice(at, Math.min(size, at + 99))))
      }
      const taken = builder.take()
      const paths = taken.map(({ tile }) => tilePath(tile))
      const want = [...newTiles(old, size)].map(tilePath)
      assert.deepEqual(paths.toSorted(), want.toSorted())
      for (const { bytes, tile } of taken) disk.set(tilePath(tile), bytes)
      for (const tile of tilesOf(size)) assert.ok(disk.has(tilePath(tile)))
      if (isRestarted) builder = await TileBuilder.from(size, readerOf(disk))
      old = size
    }
    const whole = tilesOver(all.slice(0, old))
    for (const [path, bytes] of whole) assert.deepEqual(disk.get(path), bytes, path)
    const frontier = new Frontier()
    for (const hash of all.slice(0, old)) frontier.append(hash)
    assert.equal(builder.size, old)
    assert.deepEqual(builder.frontier().hashes(), frontier.hashes())
    assert.deepEqual(
      (await new HashReader(old, readerOf(disk)).frontier()).hashes(),
      frontier.hashes(),
    )
  })
  await fc.assert(same, { numRuns: 30 })
})
test('what was taken does not change when the builder goes on', () => {
  const builder = new TileBuilder()
  builder.append(leaf(0))
  const [first] = builder.take()
  builder.append(leaf(1))
  assert.deepEqual(first?.bytes, leaf(0))
  assert.throws(() => builder.append(Buffer.alloc(33)), { name: 'Broken' })
})

const large = readerOf(tilesOver(all))
test('tiles of a wrong length, and those that cannot be read, prove nothing', async () => {
  const cut: TileReader = async (tile) => (await large(tile)).subarray(1)
  await assert.rejects(rootOf(70_000, cut), { name: 'Unproven', code: 'tile_malformed' })
  await assert.rejects(TileBuilder.from(70_000, cut), { code: 'tile_malformed' })
  const long: TileReader = async (tile) => Buffer.concat([await large(tile), leaf(0)])
  await assert.rejects(rootOf(70_000, long), { code: 'tile_malformed' })
  const missing = readerOf(new Map())
  await assert.rejects(inclusionProof(5, 70_000, missing), /no tile/)
  await assert.rejects(consistencyProof(5, 70_000, missing), /no tile/)
  const reader = new HashReader(70_000, large)
  assert.throws(() => reader.node({ level: 16, index: 1 }), { name: 'Broken' })
  assert.throws(() => inclusionProof(5, 5, large), { name: 'Broken' })
  assert.throws(() => consistencyProof(6, 5, large), { name: 'Broken' })
})
test('the nodes, roots and proofs of the vectors come out of tiles', async () => {
  const reader = new HashReader(70_000, large)
  for (const { hash, index, level } of vectors.merkle.nodes) {
    assert.equal((await reader.node({ level, index })).toString('hex'), hash)
  }
  const texts = (hashes: Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'))
  for (const { root, size } of vectors.merkle.roots) {
    const tiles = readerOf(tilesOver(all.slice(0, size)))
    assert.equal((await rootOf(size, tiles)).toString('hex'), root)
  }
  for (const { index, proof, size } of vectors.inclusion.proofs) {
    assert.deepEqual(texts(await inclusionProof(index, size, prefix(size))), proof)
  }
  for (const { new: size, old, proof } of vectors.consistency.proofs) {
    assert.deepEqual(texts(await consistencyProof(old, size, prefix(size))), proof)
  }
})
test('all proofs up to size 300 have the digests of the vectors, and all are accepted', async () => {
  const inclusion = createHash('sha256')
  const consistency = createHash('sha256')
  const roots = [await rootOf(0, large)]
  for (let size = 1; size <= 300; size++) {
    const reader = new HashReader(size, prefix(size))
    const root = (await reader.frontier()).root()
    roots.push(root)
    for (let i = 0; i < size; i++) {
      const path = await reader.inclusionProof(i)
      inclusion.update(Buffer.concat([Buffer.from(`${size},${i},${path.length}\n`), ...path]))
      assert.ok(verifyInclusion(i, size, all[i] ?? root, path, root))
      const proof = await reader.consistencyProof(i + 1)
      consistency.update(
        Buffer.concat([Buffer.from(`${i + 1},${size},${proof.length}\n`), ...proof]),
      )
      assert.ok(verifyConsistency(i + 1, roots[i + 1] ?? root, size, root, proof))
    }
  }
  assert.equal(inclusion.digest('hex'), vectors.inclusion.digest.sha256)
  assert.equal(consistency.digest('hex'), vectors.consistency.digest.sha256)
})
test('a reader may give the full tile for a partial one', async () => {
  const full: TileReader = (tile) => large({ ...tile, width: 256 })
  const want = vectors.merkle.roots.find(({ size }) => size === 1000)?.root
  const onlyLeaves: TileReader = (tile) => (tile.level === 0 ? full(tile) : large1000(tile))
  const large1000 = readerOf(tilesOver(all.slice(0, 1000)))
  assert.equal((await rootOf(1000, onlyLeaves)).toString('hex'), want)
})

/** Reads the tiles of the tree of the first `size` leaves. */
function prefix(size: number): TileReader {
  return readerOf(tilesOver(all.slice(0, size)))
}
