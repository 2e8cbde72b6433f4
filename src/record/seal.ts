/** The signature of a seal, which says what happened and what did not. */
import { createPublicKey, sign } from 'node:crypto'
import { assert } from '../base/assert.ts'
import type { KeyObject } from 'node:crypto'
import type { SignSeal } from './encode.ts'

/** Signs seals with Ed25519 (RFC 8032) over the canonical entry without its signature. */
export function sealSigner(key: KeyObject): SignSeal {
  assert(key.asymmetricKeyType === 'ed25519', 'seals are signed with Ed25519')
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const publicKey = spki.subarray(-32).toString('base64')
  return (text) => {
    const value = sign(null, Buffer.from(text), key).toString('base64')
    return `{"alg":"Ed25519","publicKey":"${publicKey}","value":"${value}"}`
  }
}
