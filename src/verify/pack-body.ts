/**
 * Opening a body with its own key, by the format's page alone: nothing of what wrote it is used here,
 * so that one mistake cannot hide another.
 *
 *     stored body   iv (12) | commitment (32) | ciphertext | tag (16)
 */
import { createDecipheriv } from 'node:crypto'
import * as zlib from 'node:zlib'
import { sha256Of } from './pack-format.ts'

const ivBytes = 12
const textAt = 44
const tagBytes = 16
/** No body may grow beyond this when it is decompressed. */
const bodyBytesMax = 268_435_456

/** What the entry says of its body, and the log to which it is bound. */
export interface BodyPlace {
  readonly origin: string
  readonly keyId: string
  readonly encoding: string
}

/** The bytes in a stored body, still encoded; undefined when the key, the bytes or the place are others. */
export function openBody(
  stored: Uint8Array,
  key: Uint8Array,
  { encoding, keyId, origin }: BodyPlace,
): Buffer | undefined {
  if (stored.length < textAt + tagBytes) return undefined
  const committed = Buffer.from(stored.subarray(ivBytes, textAt)).toString('hex')
  if (sha256Of(Buffer.concat([Buffer.from('sallyport/commit/v1'), key])) !== committed) {
    return undefined
  }
  const end = stored.length - tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, stored.subarray(0, ivBytes))
  decipher.setAAD(Buffer.from(`sallyport/body/v1\n${origin}\n${keyId}\n${encoding}\n`))
  decipher.setAuthTag(stored.subarray(end))
  try {
    return Buffer.concat([decipher.update(stored.subarray(textAt, end)), decipher.final()])
  } catch {
    return undefined // The tag does not fit.
  }
}

/** Since Node 22.15; an older one cannot look inside compressed bodies. */
const unzstd: typeof zlib.zstdDecompressSync | undefined = zlib.zstdDecompressSync

/** The message in a body that was opened: `cannot` where this Node lacks zstd or the encoding is of a
 *  newer version, undefined when it does not decompress. */
export function decodeBody(inner: Buffer, encoding: string): Buffer | 'cannot' | undefined {
  if (encoding === 'identity') return inner
  if (encoding !== 'zstd' || !unzstd) return 'cannot'
  try {
    return unzstd(inner, { maxOutputLength: bodyBytesMax })
  } catch {
    return undefined
  }
}
