/** Bodies as they are stored: compressed where it pays, then encrypted, and named by the SHA-256 of
 *  the result. */
import { hash } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import { encryptBody } from './cipher.ts'
import type { StoredBody } from './encode.ts'
import type { MonthKey } from './months.ts'

/** How bodies are stored now. */
export interface Storing {
  /** Smaller bodies are not compressed: it would cost more than it saves. */
  readonly compressFromBytes: number
  readonly origin: string
  /** Of the month in which the entry will stand; without one the body stays in clear. */
  readonly key: MonthKey | undefined
}

/** One of the quick levels: a year of bodies takes a quarter of the room, for less than their
 *  SHA-256 costs. */
const params = { [constants.ZSTD_c_compressionLevel]: -3 }

/** The bytes as they are to be stored. All of it is synchronous: it must not reorder appends. */
export function storeBody(
  plain: Uint8Array,
  { compressFromBytes, key, origin }: Storing,
): StoredBody {
  const packed = plain.length >= compressFromBytes ? zstdCompressSync(plain, { params }) : plain
  const isSmaller = packed.length < plain.length - plain.length / 8
  const encoding = isSmaller ? 'zstd' : 'identity'
  const inner = isSmaller ? packed : plain
  if (!key) return { bytes: inner, encoding, key: undefined, sha256: hash('sha256', inner) }
  const bytes = encryptBody(inner, key.secret, { origin, key: key.id, encoding })
  return { bytes, encoding, key: key.id, sha256: hash('sha256', bytes) }
}
