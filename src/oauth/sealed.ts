/**
 * What lies on the disk can be read only with the very code, token or cookie it belongs to: the id
 * is kept as a hash, the payload under a key made from the id. Whoever copies the file has neither.
 *
 *     sealed = nonce (12) ‖ tag (16) ‖ AES-256-GCM(payload)
 *     key    = HKDF-SHA-256(id, info "sallyport oauth " model)
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16

/** The name of a row: one way from an id, and not from its key. */
export function rowId(model: string, id: string): string {
  return hash('sha256', `${model}:${id}`, 'base64url')
}

/** @param id at least 120 random bits, which is what makes the key one. */
export function seal(model: string, id: string, text: string): Uint8Array {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(model, id), nonce)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

/** @returns undefined for bytes that were not sealed under this id. */
export function unseal(model: string, id: string, sealed: Uint8Array): string | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const key = keyOf(model, id)
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
  try {
    const text = decipher.update(sealed.subarray(nonceBytes + tagBytes))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch {
    return undefined // Changed on the disk: as good as not there.
  }
}

function keyOf(model: string, id: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', id, '', `sallyport oauth ${model}`, 32))
}
