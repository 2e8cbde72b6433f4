import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  emptyRoot,
  Frontier,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'
import { hex, hexes, leaf, leavesOf, vectors } from './vectors.fixture.ts'

const sha256 = (...parts: Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

/** The model: RFC 6962 §2.1 word for word, over leaf hashes. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves
  if (first === undefined) return sha256()
  if (leaves.length === 1) return first
  const k = naiveSplit(leaves.length)
  return sha256(Buffer.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}
function naiveSplit(n: number): number {
  return n > 2 ? 2 ** Math.floor(Math.log2(n - 1)) : 1
}
/** RFC 6962 §2.1.1, PATH. */
function naivePath(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = naiveSplit(leaves.length)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  return m < k
    ? [...naivePath(m, left), naiveRoot(right)]
    : [...naivePath(m - k, right), naiveRoot(left)]
}
/** RFC 6962 §2.1.2, SUBPROOF. */
function naiveProof(m: number, leaves: readonly Buffer[], isWhole = true): Buffer[] {
  if (m === leaves.length) return isWhole ? [] : [naiveRoot(leaves)]
  const k = naiveSplit(leaves.length)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  return m <= k
    ? [...naiveProof(m, left, isWhole), naiveRoot(right)]
    : [...naiveProof(m - k, right, false), naiveRoot(left)]
}
function frontierOver(leaves: readonly Buffer[]): Frontier {
  const frontier = new Frontier()
  for (const hash of leaves) frontier.append(hash)
  return frontier
}

for (const negative of vectors.negative) {
  test(`a proof is judged as it should be: ${negative.case}`, () => {
    const proof = hexes(negative.proof)
    const isAccepted =
      negative.kind === 'inclusion'
        ? verifyInclusion(
            negative.index,
            negative.size,
            hex(negative.leafHash),
            proof,
            hex(negative.root),
          )
        : verifyConsistency(
            negative.old,
            hex(negative.oldRoot),
            negative.new,
            hex(negative.newRoot),
            proof,
          )
    assert.equal(isAccepted, negative.expect === 'accept')
  })
}
test('an old tree of size 0 has the root of nothing, or it is refused', () => {
  assert.equal(verifyConsistency(0, emptyRoot, 1, leaf(0), []), true)
  assert.equal(verifyConsistency(0, leaf(1), 1, leaf(0), []), false)
  assert.equal(verifyConsistency(0, leaf(1), 0, leaf(1), []), false)
})
test('a proof that is too long or too short is refused, also for a root made to fit it', () => {
  const root = nodeHash(leaf(1), leaf(0))
  assert.equal(verifyInclusion(0, 1, leaf(0), [leaf(1)], root), false)
  assert.equal(verifyInclusion(1, 5, leaf(0), [leaf(1)], root), false)
  const short = nodeHash(leaf(0), leaf(1))
  assert.equal(verifyConsistency(2, leaf(0), 8, short, [leaf(1)]), false)
})
test('sizes, indexes and hashes that are none are refused, not thrown over', () => {
  for (const size of [-1, 1.5, Number.NaN, 2 ** 53]) {
    assert.equal(verifyInclusion(0, size, leaf(0), [], leaf(0)), false)
    assert.equal(verifyInclusion(size, 1, leaf(0), [], leaf(0)), false)
    assert.equal(verifyConsistency(size, leaf(0), 1, leaf(0), []), false)
    assert.equal(verifyConsistency(1, leaf(0), size, leaf(0), []), false)
  }
  const short = leaf(0).subarray(1)
  assert.equal(verifyInclusion(0, 1, short, [], short), false)
  assert.equal(verifyInclusion(0, 2, leaf(0), [short], leaf(0)), false)
  assert.equal(verifyConsistency(1, short, 1, short, []), false)
  assert.equal(verifyConsistency(1, leaf(0), 2, leaf(0), [short]), false)
})
test('a frontier does not fit another size, nor hold half a hash', () => {
  assert.throws(() => Frontier.from(3, [leaf(0)]), { name: 'Broken' })
  assert.throws(() => Frontier.from(-1, []), { name: 'Broken' })
  assert.throws(() => new Frontier().append(Buffer.alloc(31)), { name: 'Broken' })
  assert.throws(() => nodeHash(Buffer.alloc(31), leaf(0)), { name: 'Broken' })
})

test('leaves, nodes and roots are those of the vectors', () => {
  const { leaves, nodes, otherLeaves, roots } = vectors.merkle
  for (const { i, leafHash: want } of leaves) assert.equal(leaf(i).toString('hex'), want)
  for (const { dataHex, leafHash: want, len } of otherLeaves) {
    const data = dataHex === undefined ? Buffer.alloc(len, 0xff) : hex(dataHex)
    assert.equal(leafHash(data).toString('hex'), want)
  }
  for (const { hash, index, level } of nodes) {
    const span = leavesOf((index + 1) * 2 ** level).slice(index * 2 ** level)
    assert.equal(frontierOver(span).root().toString('hex'), hash)
  }
  const want = new Map(roots.map(({ root, size }) => [size, root]))
  const frontier = new Frontier()
  for (let size = 0; size <= 70_000; frontier.append(leaf(size++))) {
    const root = want.get(size)
    if (root !== undefined) assert.equal(frontier.root().toString('hex'), root, `${size}`)
  }
})
test('the roots of sizes 0 to 1100 have the digest of the vectors', () => {
  const all = createHash('sha256')
  const frontier = new Frontier()
  for (let size = 0; size <= 1100; frontier.append(leaf(size++))) all.update(frontier.root())
  assert.equal(all.digest('hex'), vectors.merkle.rootsDigest.sha256)
})
test('a leaf longer than any bundle holds is hashed all the same', () => {
  const long = Buffer.alloc(70_000, 7)
  assert.deepEqual(leafHash(long), sha256(Buffer.of(0), long))
})
test('every proof of the vectors is accepted, and none for a neighbouring entry or size', () => {
  const roots = new Map(vectors.merkle.roots.map(({ root, size }) => [size, hex(root)]))
  for (const { index, proof, size } of vectors.inclusion.proofs) {
    const root = roots.get(size) ?? naiveRoot(leavesOf(size))
    assert.equal(verifyInclusion(index, size, leaf(index), hexes(proof), root), true)
    assert.equal(verifyInclusion(index, size, leaf(index + 1), hexes(proof), root), false)
    assert.equal(verifyInclusion(index + 1, size, leaf(index), hexes(proof), root), false)
  }
  for (const { new: size, old, proof } of vectors.consistency.proofs) {
    const root = roots.get(size) ?? naiveRoot(leavesOf(size))
    const oldRoot = roots.get(old) ?? naiveRoot(leavesOf(old))
    assert.equal(verifyConsistency(old, oldRoot, size, root, hexes(proof)), true)
    if (old < size)
      assert.equal(verifyConsistency(old, leaf(0), size, leaf(1), hexes(proof)), false)
  }
})
test('sizes and indexes beyond 32 bits are counted, not cut', () => {
  // The one leaf to the right of a full tree: its sibling is the root of 2^40 leaves.
  const left = leaf(1)
  const root = nodeHash(left, leaf(0))
  assert.equal(verifyInclusion(2 ** 40, 2 ** 40 + 1, leaf(0), [left], root), true)
  assert.equal(verifyInclusion(2 ** 40 - 2 ** 32, 2 ** 40 + 1, leaf(0), [left], root), false)
  assert.equal(verifyConsistency(2 ** 40, left, 2 ** 40 + 1, root, [leaf(0)]), true)
  const frontier = Frontier.from(2 ** 40, [left])
  frontier.append(leaf(0))
  assert.deepEqual([frontier.size, frontier.root()], [2 ** 40 + 1, root])
  const full = Frontier.from(2 ** 33 - 1, leavesOf(33))
  full.append(leaf(0))
  assert.equal(full.hashes().length, 1)
})

const trees = fc.integer({ min: 1, max: 70 }).map(leavesOf)
test('a frontier has the root of the recursive definition, at every size', () => {
  const same = fc.property(trees, (leaves) => {
    assert.deepEqual(frontierOver(leaves).root(), naiveRoot(leaves))
  })
  fc.assert(same)
})
test('any split of the appends gives the same frontier', () => {
  const splits = fc.tuple(trees, fc.array(fc.nat({ max: 70 }), { maxLength: 6 }))
  const same = fc.property(splits, ([leaves, cuts]) => {
    let frontier = new Frontier()
    for (const [i, hash] of leaves.entries()) {
      if (cuts.includes(i)) frontier = Frontier.from(frontier.size, frontier.hashes())
      frontier.append(hash)
    }
    assert.deepEqual(frontier.hashes(), frontierOver(leaves).hashes())
    assert.equal(frontier.size, leaves.length)
  })
  fc.assert(same)
})
test('naming the root changes nothing', () => {
  const frontier = frontierOver(leavesOf(7))
  frontier.root().fill(0)
  frontier.hashes()[0]?.fill(0)
  new Frontier().root().fill(0)
  frontier.append(leaf(7))
  assert.deepEqual(frontier.root(), naiveRoot(leavesOf(8)))
  assert.deepEqual(emptyRoot, sha256())
})
test('the proofs of the recursive definition are accepted, and with any byte changed refused', () => {
  const cases = fc.tuple(trees, fc.nat(), fc.nat(), fc.nat({ max: 255 }))
  const judged = fc.property(cases, ([leaves, pick, where, byte]) => {
    const [root, size] = [naiveRoot(leaves), leaves.length]
    const index = pick % size
    const own = leaves[index] ?? emptyRoot
    const path = naivePath(index, leaves)
    assert.equal(verifyInclusion(index, size, own, path, root), true)
    const old = (pick % size) + 1
    const oldRoot = naiveRoot(leaves.slice(0, old))
    const proof = naiveProof(old, leaves)
    assert.equal(verifyConsistency(old, oldRoot, size, root, proof), true)
    for (const hashes of [path, proof]) {
      const hash = hashes[where % (hashes.length || 1)]
      if (!hash) continue
      const kept = hash.readUInt8(where % 32)
      hash[where % 32] = byte === kept ? byte ^ 1 : byte
      if (hashes === path) assert.equal(verifyInclusion(index, size, own, path, root), false)
      else assert.equal(verifyConsistency(old, oldRoot, size, root, proof), false)
      hash[where % 32] = kept // A leaf may be a hash of both proofs.
    }
  })
  fc.assert(judged)
})
