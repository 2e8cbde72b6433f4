/**
 * The part of CBOR (RFC 8949) in which authenticators write keys and registrations: definite lengths,
 * whole numbers, bytes, text, arrays, maps, true, false and null. Anything else is refused.
 */
import { Unproven } from '../tlog/unproven.ts'

/** Maps have text or whole numbers as keys. */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[] | CborMap
export type CborMap = ReadonlyMap<number | string, Cbor>

const depthMax = 16

/** @throws {Unproven} `proof_malformed`. */
export function readCbor(bytes: Uint8Array): Cbor {
  const reader = new CborReader(bytes)
  const value = reader.value(0)
  if (!reader.isAtEnd()) throw malformed()
  return value
}

export function isMap(value: Cbor | undefined): value is CborMap {
  return value instanceof Map
}

class CborReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes)
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): Cbor {
    if (depth > depthMax) throw malformed()
    const head = this.#take(1)[0] ?? 0
    const [major, small] = [head >> 5, head & 31]
    if (major === 7) return simple(small)
    const count = this.#count(small)
    if (major === 0) return count
    if (major === 1) return -1 - count
    if (major === 2) return this.#take(count)
    if (major === 3) return this.#take(count).toString('utf8')
    if (major === 4) return Array.from({ length: this.#fits(count) }, () => this.value(depth + 1))
    if (major === 5) return this.#map(this.#fits(count), depth)
    throw malformed()
  }

  #map(count: number, depth: number): CborMap {
    const map = new Map<number | string, Cbor>()
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1)
      if ((typeof key !== 'number' && typeof key !== 'string') || map.has(key)) throw malformed()
      map.set(key, this.value(depth + 1))
    }
    return map
  }

  #count(small: number): number {
    if (small < 24) return small
    if (small === 24) return this.#take(1).readUInt8()
    if (small === 25) return this.#take(2).readUInt16BE()
    if (small === 26) return this.#take(4).readUInt32BE()
    throw malformed()
  }

  /** No more elements than there are bytes left. */
  #fits(count: number): number {
    if (count > this.#bytes.length - this.#at) throw malformed()
    return count
  }

  #take(count: number): Buffer {
    const end = this.#at + this.#fits(count)
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}

function simple(small: number): Cbor {
  if (small === 20 || small === 21) return small === 21
  if (small === 22) return null
  throw malformed()
}

function malformed(): Unproven {
  return new Unproven('proof_malformed', 'This is not the CBOR in which authenticators write.')
}
