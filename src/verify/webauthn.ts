/**
 * Signatures of passkeys (W3C WebAuthn Level 3 §7.1, §7.2), checked with nothing but node:crypto.
 *
 *     signed = authenticator data ‖ SHA-256(client data)
 *     authenticator data = SHA-256(RP ID) ‖ flags ‖ counter (4) [‖ AAGUID (16) ‖ length (2) ‖ id ‖ key]
 */
import { createHash, createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Evidence } from '../hold/proof-format.ts'
import { Unproven } from '../tlog/unproven.ts'
import { membersOf } from './approval-form.ts'
import { isMap, readCbor } from './cbor.ts'
import type { Cbor, CborMap } from './cbor.ts'

/** Told of what does not hold: the part's name, and what is wrong with it. */
export type Wrong = (part: string, words: string) => void

const flags = {
  present: 0x01,
  verified: 0x04,
  eligible: 0x08,
  backedUp: 0x10,
  hasKey: 0x40,
} as const

/** @param challenge base64url, of the statement as it stands. */
export function checkAssertion(evidence: Evidence, challenge: string, wrong: Wrong): void {
  const client = decoded(evidence.client_data, 'client_data', wrong)
  const data = decoded(evidence.authenticator_data, 'authenticator_data', wrong)
  const signature = decoded(evidence.signature, 'signature', wrong)
  checkClient(client, { type: 'webauthn.get', challenge, origins: evidence.origins }, (words) =>
    wrong('client_data', words),
  )
  checkHead(data, evidence.rp_id, (words) => wrong('authenticator_data', words))
  const key = keyIn(evidence.public_key, wrong)
  if (key === undefined) return
  const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
  if (!isSigned(key, signed, signature)) {
    wrong('signature', 'is not that of the passkey over this statement.')
  }
}

/** What the registration says of the key. @returns the format of its attestation. */
export function checkRegistration(evidence: Evidence, wrong: Wrong): string | undefined {
  const { registration } = evidence
  const say = (words: string): void => wrong('registration', words)
  const object = decoded(registration.attestation_object, 'registration', wrong)
  const client = decoded(registration.client_data, 'registration', wrong)
  checkClient(client, { type: 'webauthn.create', origins: [registration.origin] }, say)
  if (registration.rp_id !== evidence.rp_id) say('is for another domain.')
  const map = orWrong(() => readCbor(object), say)
  const data = isMap(map) ? map.get('authData') : undefined
  const format = isMap(map) ? map.get('fmt') : undefined
  if (!(data instanceof Uint8Array) || typeof format !== 'string') {
    say('has not the form of one.')
    return undefined
  }
  const made = Buffer.from(data)
  checkHead(made, registration.rp_id, say)
  const idEnd = 55 + (made.length >= 55 ? made.readUInt16BE(53) : 0)
  const id = made.subarray(55, idEnd).toString('base64url')
  if (((made[32] ?? 0) & flags.hasKey) === 0 || id !== evidence.credential) {
    say('is of another passkey.')
  }
  const used = Buffer.from(evidence.authenticator_data, 'base64url')
  if (((made[32] ?? 0) & flags.eligible) !== ((used[32] ?? 0) & flags.eligible)) {
    say('is of a key that may be copied, or may not, unlike the one which signed.')
  }
  const registered = orWrong(() => keyOf(made.subarray(idEnd)), say)
  const signing = orWrong(
    () => keyOf(Buffer.from(evidence.public_key, 'base64url')),
    () => undefined,
  )
  if (registered === undefined || signing === undefined || !registered.equals(signing)) {
    say('is of another key than the one which signed.')
  }
  return format
}

function keyIn(publicKey: string, wrong: Wrong): KeyObject | undefined {
  const bytes = decoded(publicKey, 'public_key', wrong)
  return orWrong(
    () => keyOf(bytes),
    (words) => wrong('public_key', words),
  )
}

/** The key object of a COSE key (RFC 9052 §7): ES256, EdDSA, RS256. @throws {Unproven} */
function keyOf(cose: Uint8Array): KeyObject {
  const map = readCbor(cose)
  const jwk = isMap(map) ? jwkOf(map) : undefined
  if (jwk === undefined) throw unsupported()
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    throw unsupported()
  }
}

function jwkOf(map: CborMap): Record<string, string> | undefined {
  const text = (label: number): string => {
    const value: Cbor | undefined = map.get(label)
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : ''
  }
  const [kind, algorithm, curve] = [map.get(1), map.get(3), map.get(-1)]
  if (kind === 2 && algorithm === -7 && curve === 1) {
    return { kty: 'EC', crv: 'P-256', x: text(-2), y: text(-3) }
  }
  if (kind === 1 && algorithm === -8 && curve === 6) {
    return { kty: 'OKP', crv: 'Ed25519', x: text(-2) }
  }
  if (kind === 3 && algorithm === -257) return { kty: 'RSA', n: text(-1), e: text(-2) }
  return undefined
}

function isSigned(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  try {
    return verify(hash, signed, key, signature)
  } catch {
    return false // A signature that is none in form.
  }
}

function checkClient(
  bytes: Uint8Array,
  of: { type: string; challenge?: string; origins: readonly string[] },
  say: (words: string) => void,
): void {
  let client: Readonly<Record<string, unknown>> = {}
  try {
    client = membersOf(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    say('is no JSON.')
    return
  }
  if (client['type'] !== of.type) say(`is not of type ${of.type}.`)
  if (of.challenge !== undefined && client['challenge'] !== of.challenge) {
    say('is for another statement: its challenge is not the hash of this one.')
  }
  const { origin } = client
  if (typeof origin !== 'string' || !of.origins.includes(origin)) {
    say('was made on a page of another origin.')
  }
  if (client['crossOrigin'] === true || client['topOrigin'] !== undefined) {
    say('was made inside a page of another origin.')
  }
}

function checkHead(data: Uint8Array, rpId: string, say: (words: string) => void): void {
  if (data.length < 37) {
    say('is too short.')
    return
  }
  const hash = createHash('sha256').update(rpId).digest()
  if (!hash.equals(data.subarray(0, 32))) say('is for another domain.')
  const bits = data[32] ?? 0
  if ((bits & flags.present) === 0) say('says that nobody was there.')
  if ((bits & flags.verified) === 0) say('says that nobody verified who was there.')
  if ((bits & flags.backedUp) !== 0 && (bits & flags.eligible) === 0) {
    say('says of a key that it was copied, and may not be.')
  }
}

/** Base64url in its one spelling: unused bits are zero, and there is no padding. */
function decoded(text: string, part: string, wrong: Wrong): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) wrong(part, 'is no base64url.')
  return bytes
}

function orWrong<T>(work: () => T, say: (words: string) => void): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Unproven)) throw error
    say('has not the form of one, or is of a kind that is not known here.')
    return undefined
  }
}

function unsupported(): Unproven {
  return new Unproven('key_unsupported', 'This is no key of ES256, EdDSA or RS256.')
}
