/**
 * Wrapping by a key in a file of ours. AES-256-GCM rather than AES Key Wrap (RFC 3394): that one
 * has no associated data to hold the context, and at a few keys a month random nonces are far from
 * their bound of 2^32 for a key (NIST SP 800-38D §8.3).
 *
 *   wrapped = base64( | nonce, 12 bytes | key encrypted, 32 bytes | tag, 16 bytes | )
 *   associated data = "sallyport wrapped key v1" 0x00 by 0x00 context
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { readKeyFile } from './key-file.ts'
import type { FileKey } from './key-file.ts'
import {
  checkContext,
  checkInput,
  checkKind,
  decodeExact,
  keyBytes,
  wrapFault,
} from './wrapping.ts'
import type { KeyWrapper, WrappedKey } from './wrapping.ts'

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** `by` is `file/VERSION/FINGERPRINT`. The file is read at each call, so a rotation holds at once;
 *  without a file every method rejects. @param file its path. */
export function fileWrapper(file: string): KeyWrapper {
  const wrapper: KeyWrapper = {
    kind: 'file',
    current: async () => newest(file).id,
    async wrap(key, context) {
      checkInput('file', key, context)
      const wrapped = seal(newest(file), key, context)
      await wrapper.unwrap(wrapped, context)
      return wrapped
    },
    async unwrap(wrapped, context) {
      checkKind('file', wrapped)
      checkContext('file', context)
      const by = readKeyFile(file).find(({ id }) => id === wrapped.by)
      if (by !== undefined) return open(by, wrapped, context)
      const why = 'its file has not the key which wrapped this; restore the file of that time'
      throw wrapFault('kek_unknown', why, { kind: 'file' })
    },
    async rewrap(wrapped, context) {
      const key = await wrapper.unwrap(wrapped, context)
      return wrapped.by === newest(file).id ? wrapped : wrapper.wrap(key, context)
    },
  }
  return wrapper
}

function newest(file: string): FileKey {
  const key = readKeyFile(file).at(-1)
  if (key === undefined) throw wrapFault('kek_unknown', 'its file is empty', { kind: 'file' })
  return key
}

function seal({ key: by, id }: FileKey, key: Uint8Array, context: string): WrappedKey {
  const nonce = randomBytes(nonceBytes)
  const sealing = createCipheriv(cipher, by, nonce, { authTagLength: tagBytes })
  sealing.setAAD(boundTo(id, context))
  const parts = [nonce, sealing.update(key), sealing.final(), sealing.getAuthTag()]
  return { kind: 'file', by: id, wrapped: Buffer.concat(parts).toString('base64') }
}

function open({ key: by, id }: FileKey, { wrapped }: WrappedKey, context: string): Uint8Array {
  const bytes = decodeExact(wrapped, 'base64')
  if (bytes?.length !== nonceBytes + keyBytes + tagBytes) {
    throw wrapFault('wrapped_bad', 'it has not the size or the spelling of one', { kind: 'file' })
  }
  const nonce = bytes.subarray(0, nonceBytes)
  const opening = createDecipheriv(cipher, by, nonce, { authTagLength: tagBytes })
  opening.setAAD(boundTo(id, context)).setAuthTag(bytes.subarray(-tagBytes))
  try {
    const key = opening.update(bytes.subarray(nonceBytes, -tagBytes))
    opening.final()
    return Uint8Array.from(key)
  } catch (cause) {
    // GCM does not tell which of the two it was.
    const why = 'it was changed, or wrapped for another place'
    throw wrapFault('wrapped_elsewhere', why, { kind: 'file', cause })
  }
}

function boundTo(id: string, context: string): Buffer {
  return Buffer.from(`sallyport wrapped key v1\0${id}\0${context}`)
}
