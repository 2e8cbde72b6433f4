/**
 * Sealed aliases: what stands in place of an opaque value that holds card data, since its server
 * wants it back byte for byte and its client must not see it.
 *
 *   sp1.<base64url( nonce 12 | ciphertext | tag 16 )>      AES-256-GCM (NIST SP 800-38D)
 *
 * The nonce is an HMAC over binding and value, so one value has one alias for one principal and
 * connection: a client can tell that two ids are the same. The binding is authenticated data.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { Fault } from '../base/fault.ts'

/** What every alias begins with. */
export const aliasPrefix = 'sp1.'
/** An alias in a place that must hold a URI. */
export const aliasScheme = 'sallyport:'
const nonceBytes = 12
const tagBytes = 16

export interface Sealer {
  seal(value: Uint8Array, binding: string): string
  /** @throws {Fault} `bad_params` when the alias is forged or was made for someone else. */
  open(alias: string, binding: string): Uint8Array
}

/** @param key 32 bytes; it lives as long as clients may hold aliases. */
export function createSealer(key: Uint8Array): Sealer {
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', key, new Uint8Array(0), `sallyport alias ${use} v1`, 32))
  const sealing = derive('seal')
  const naming = derive('nonce')
  const bound = (binding: string): Buffer => Buffer.from(`sp1\0${binding}`)
  return {
    seal(value, binding) {
      const mac = createHmac('sha256', naming).update(bound(binding)).update('\0').update(value)
      const nonce = mac.digest().subarray(0, nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(bound(binding))
      const sealed = Buffer.concat([
        nonce,
        cipher.update(value),
        cipher.final(),
        cipher.getAuthTag(),
      ])
      return aliasPrefix + sealed.toString('base64url')
    },
    open(alias, binding) {
      const sealed = Buffer.from(alias.slice(aliasPrefix.length), 'base64url')
      const isWhole =
        sealed.length > nonceBytes + tagBytes &&
        sealed.toString('base64url') === alias.slice(aliasPrefix.length)
      if (!isWhole) throw forged()
      const end = sealed.length - tagBytes
      try {
        const opener = createDecipheriv('aes-256-gcm', sealing, sealed.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        })
        opener.setAAD(bound(binding)).setAuthTag(sealed.subarray(end))
        return Buffer.concat([opener.update(sealed.subarray(nonceBytes, end)), opener.final()])
      } catch (cause) {
        throw forged(cause)
      }
    },
  }
}

function forged(cause?: unknown): Fault {
  return new Fault(
    'bad_params',
    'A sealed value in the request was not issued for this caller and connection; nothing was sent. Ask for it again.',
    { facts: { reason: 'alias' }, ...(cause === undefined ? {} : { cause }) },
  )
}
