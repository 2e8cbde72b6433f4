/**
 * The Merkle tree of RFC 6962: hashes, the frontier that grows with each leaf, and the two checks a
 * stranger can make. Sizes and indexes are whole numbers up to 2^53 - 1: no operator here is one of
 * those that cut to 32 bits.
 */
import { assert } from '../base/assert.ts'
import { isCount } from './spelling.ts'
import { digestInto, digestOf, hashBytes } from './sha256.ts'

const entryBytesMax = 65_535 // What a bundle can hold; longer ones are hashed more slowly.
const leafMessage = Buffer.alloc(1 + entryBytesMax) // Byte 0 stays 0x00.
const nodeMessage = Buffer.alloc(1 + 2 * hashBytes)
nodeMessage[0] = 1

/** The root of the tree without leaves: the digest of nothing (RFC 6962 §2.1). */
export const emptyRoot: Buffer = digestOf()

/** The hash of an entry as a leaf: SHA-256(0x00 || entry) (RFC 6962 §2.1). */
export function leafHash(entry: Uint8Array): Buffer {
  if (entry.length > entryBytesMax) return digestOf(Buffer.of(0), entry)
  leafMessage.set(entry, 1)
  const hash = Buffer.allocUnsafe(hashBytes)
  digestInto(leafMessage.subarray(0, 1 + entry.length), hash, 0)
  return hash
}

/** The hash over two subtrees: SHA-256(0x01 || left || right) (RFC 6962 §2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  assert(left.length === hashBytes && right.length === hashBytes, 'a node joins two hashes')
  nodeMessage.set(left, 1)
  nodeMessage.set(right, 1 + hashBytes)
  const hash = Buffer.allocUnsafe(hashBytes)
  digestInto(nodeMessage, hash, 0)
  return hash
}

/**
 * The roots of the full subtrees of a tree, largest first, one for each bit that is set in its
 * size: all that is needed to append a leaf or to name the root. Size 7 = 4 + 2 + 1:
 *
 *     stack: | 1 byte | [0,4) | [4,6) | [6,7) | free ...   54 slots of 32 bytes
 *                     ^ a pair starts one byte earlier
 *
 * Two neighbours and the byte in front of them are the 65 bytes of a node's message, once that byte
 * is 0x01; it belongs to the slot before, so it is put back. Thus no leaf costs a copy or a buffer.
 */
export class Frontier {
  #size = 0
  #depth = 0 // Invariant: as many slots are taken as the size has bits that are set.
  readonly #stack = Buffer.alloc(1 + 54 * hashBytes)
  readonly #pairs: Buffer[] = []

  /**
   * The frontier of a tree of `size` leaves from what `hashes()` gave.
   * @throws {Broken} when there are not as many hashes as the size has set bits.
   */
  static from(size: number, hashes: readonly Uint8Array[]): Frontier {
    assert(isCount(size) && setBits(size) === hashes.length, 'a frontier fits its size')
    const frontier = new Frontier()
    for (const hash of hashes) frontier.#push(hash)
    frontier.#size = size
    return frontier
  }

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size
  }

  /** Adds the hash of the next leaf, 32 bytes. */
  append(leaf: Uint8Array): void {
    assert(this.#size < Number.MAX_SAFE_INTEGER, 'a tree holds fewer than 2^53 leaves')
    this.#push(leaf)
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) this.#join()
    this.#size++
  }

  /** The root of the tree (RFC 6962 §2.1): the slots folded from the right. */
  root(): Buffer {
    if (this.#depth === 0) return Buffer.from(emptyRoot)
    const [last = emptyRoot, ...rest] = this.hashes().toReversed()
    return rest.reduce((right, left) => nodeHash(left, right), last)
  }

  /** The roots of the full subtrees, largest first: copies, 32 bytes each. */
  hashes(): readonly Buffer[] {
    return Array.from({ length: this.#depth }, (_, slot) => {
      const at = 1 + slot * hashBytes
      return Buffer.from(this.#stack.subarray(at, at + hashBytes))
    })
  }

  #push(hash: Uint8Array): void {
    assert(hash.length === hashBytes, 'a hash has 32 bytes')
    this.#stack.set(hash, 1 + this.#depth * hashBytes)
    this.#depth++
  }

  /** The last two slots become one. */
  #join(): void {
    const slot = this.#depth - 2
    const front = slot * hashBytes
    const pair = (this.#pairs[slot] ??= this.#stack.subarray(front, front + nodeMessage.length))
    const kept = pair.readUInt8(0)
    pair[0] = 1
    digestInto(pair, pair, 1)
    pair[0] = kept
    this.#depth--
  }
}

/**
 * Whether `leaf` is the hash of entry `index` in the tree of `size` leaves with this root (RFC 9162
 * §2.1.3.2). Size and root must come from one verified checkpoint, and the caller must have hashed
 * the entry itself: a node offered as leaf with a smaller size passes any such check.
 * @param proof the siblings from the leaf upward, 32 bytes each.
 */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  if (![leaf, root, ...proof].every(isHash)) return false
  let at = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      // A lone right subtree is carried up unhashed, over all levels where it has no sibling.
      for (; at % 2 === 0 && at !== 0; at = half(at)) last = half(last)
    } else {
      hash = nodeHash(hash, sibling)
    }
    at = half(at)
    last = half(last)
  }
  return last === 0 && isEqual(hash, root)
}

/**
 * Whether the tree of `size` leaves begins with the tree of `oldSize` leaves (RFC 9162 §2.1.4.2):
 * the proof must lead to both roots.
 * @param proof the hashes of RFC 6962 §2.1.2, 32 bytes each; none when a size is 0 or both are equal.
 */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isCount(oldSize) || !isCount(size) || oldSize > size) return false
  if (![oldRoot, root, ...proof].every(isHash)) return false
  if (oldSize === 0 && !isEqual(oldRoot, emptyRoot)) return false
  if (oldSize === size) return proof.length === 0 && isEqual(oldRoot, root)
  if (oldSize === 0) return proof.length === 0
  if (proof.length === 0) return false
  return foldConsistency(oldSize, oldRoot, size, root, proof)
}

/** What is left when both sizes differ and neither is 0. */
function foldConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  // A full old tree is a node of the new one, so its root is not repeated in the proof.
  const [first = oldRoot, ...rest] = setBits(oldSize) === 1 ? [oldRoot, ...proof] : proof
  let at = oldSize - 1
  let last = size - 1
  for (; at % 2 === 1; at = half(at)) last = half(last)
  let oldHash = first
  let hash = first
  for (const node of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      oldHash = nodeHash(node, oldHash)
      hash = nodeHash(node, hash)
      for (; at % 2 === 0 && at !== 0; at = half(at)) last = half(last)
    } else {
      hash = nodeHash(hash, node)
    }
    at = half(at)
    last = half(last)
  }
  return last === 0 && isEqual(oldHash, oldRoot) && isEqual(hash, root)
}

function setBits(count: number): number {
  let bits = 0
  for (let rest = count; rest > 0; rest = half(rest)) bits += rest % 2
  return bits
}

const half = (count: number): number => Math.floor(count / 2)
const isHash = (bytes: Uint8Array): boolean => bytes.length === hashBytes
const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
