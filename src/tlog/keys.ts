/**
 * Keys between their raw bytes, as the formats of the log carry them, and Node's key objects. Only
 * constant prefixes are needed: RFC 8410 for Ed25519, RFC 9881 for ML-DSA-44.
 */
import { createPrivateKey, createPublicKey, KeyObject, sign, verify } from 'node:crypto'
import { assert } from '../base/assert.ts'

/** The kinds of signature which are made and checked here, by the byte that names them. */
export const ed25519Type: number = 0x01
export const cosignatureType: number = 0x04
export const mlDsa44Type: number = 0x06

/** An algorithm, by Node's name for it. */
export type Algorithm = 'ed25519' | 'ml-dsa-44'

const publicForms: Record<Algorithm, { readonly prefix: Buffer; readonly bytes: number }> = {
  ed25519: { prefix: Buffer.from('302a300506032b6570032100', 'hex'), bytes: 32 },
  'ml-dsa-44': {
    prefix: Buffer.from('30820532300b06096086480165030403110382052100', 'hex'),
    bytes: 1312,
  },
}
const seedPrefixes: Record<Algorithm, Buffer> = {
  ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  'ml-dsa-44': Buffer.from('3034020100300b060960864801650304031104228020', 'hex'),
}

/** The algorithm of a type of signature; undefined for types that are not checked here. */
export function algorithmOf(type: number): Algorithm | undefined {
  if (type === mlDsa44Type) return 'ml-dsa-44'
  return type === ed25519Type || type === cosignatureType ? 'ed25519' : undefined
}

/** How many bytes a raw public key of this algorithm has. */
export function publicKeyBytes(algorithm: Algorithm): number {
  return publicForms[algorithm].bytes
}

/** The key object of a raw public key: 32 bytes for Ed25519 (RFC 8032), 1,312 for ML-DSA-44. */
export function publicKeyOf(algorithm: Algorithm, raw: Uint8Array): KeyObject {
  const { bytes, prefix } = publicForms[algorithm]
  assert(raw.length === bytes, 'a raw public key has the length of its algorithm')
  return createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' })
}

/** The private key of a seed of 32 bytes. ML-DSA-44 needs a Node that has it (`hasMlDsa44`). */
export function privateKeyOf(algorithm: Algorithm, seed: Uint8Array): KeyObject {
  assert(seed.length === 32, 'a seed has 32 bytes')
  const key = Buffer.concat([seedPrefixes[algorithm], seed])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

/** The raw bytes of a key's public half; a private key is fine as well. */
export function rawPublicKey(key: KeyObject): Buffer {
  const half = key.type === 'private' ? createPublicKey(key) : key
  const { bytes, prefix } = publicForms[algorithmOfKey(key)]
  const der = half.export({ format: 'der', type: 'spki' })
  assert(der.length === prefix.length + bytes, 'a public key has the length of its algorithm')
  return der.subarray(prefix.length)
}

/** The algorithm of a key object; any other than the two here is a defect of the caller. */
export function algorithmOfKey(key: KeyObject): Algorithm {
  const type: string | undefined = key.asymmetricKeyType
  assert(type === 'ed25519' || type === 'ml-dsa-44', 'a log key is Ed25519 or ML-DSA-44')
  return type
}

let mlDsa44: boolean | undefined

/** Whether this Node signs and verifies ML-DSA-44: since 24.6.0, if its OpenSSL is 3.5 or newer. */
export function hasMlDsa44(): boolean {
  return (mlDsa44 ??= probe())
}

function probe(): boolean {
  try {
    const key = privateKeyOf('ml-dsa-44', Buffer.alloc(32))
    const message = Buffer.from('probe')
    return verify(null, message, createPublicKey(key), sign(null, message, key))
  } catch {
    return false // An older Node does not know the key's kind; such signatures stay unread.
  }
}
