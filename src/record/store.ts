/** Bodies as they are stored: compressed where it pays, and named by the SHA-256 of the result. */
import { hash } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import type { StoredBody } from './encode.ts'

/** The bytes as they are to be stored. Compression is synchronous: it must not reorder appends. */
export function storeBody(plain: Uint8Array, compressFromBytes: number): StoredBody {
  if (plain.length >= compressFromBytes) {
    const params = { [constants.ZSTD_c_compressionLevel]: 1 }
    const bytes = zstdCompressSync(plain, { params })
    if (bytes.length < plain.length - plain.length / 8) {
      return { bytes, encoding: 'zstd', sha256: hash('sha256', bytes) }
    }
  }
  return { bytes: plain, encoding: 'identity', sha256: hash('sha256', plain) }
}
