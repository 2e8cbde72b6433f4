/**
 * DSSE envelopes (protocol 1.0.2): signed bytes with their type, in JSON. Ours are canonical JSON
 * (RFC 8785), so an envelope has one spelling; others are refused.
 */
import { sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { canonicalize } from './canonical.ts'
import { base64Of, textOf } from './spelling.ts'
import { Unproven } from './unproven.ts'

const envelopeBytesMax = 67_108_864 // A manifest names each file of a pack.
const signaturesMax = 100

/** A key by the hint that stands beside its signature. The hint is authenticated by nothing. */
export interface EnvelopeKey {
  readonly keyid: string
  readonly key: KeyObject
}

/** What an envelope holds, once a known key's signature fits. */
export interface OpenedEnvelope {
  readonly payloadType: string
  /** Read this, and never the envelope again. */
  readonly payload: Buffer
  /** The hints of the known keys that signed: of `keys`, not of the envelope. At least one. */
  readonly signedBy: readonly string[]
}

/** What is signed: `DSSEv1 <length> <type> <length> <payload>`, lengths in bytes and decimal. */
export function pae(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType)
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}

/** The envelope of a payload, signed by Ed25519 keys: canonical JSON without newline. */
export function sealEnvelope(
  payloadType: string,
  payload: Uint8Array,
  keys: readonly EnvelopeKey[],
): string {
  assert(keys.length > 0 && keys.length <= signaturesMax, 'an envelope has signatures')
  const message = pae(payloadType, payload)
  return canonicalize({
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: keys.map(({ key, keyid }) => {
      return { keyid, sig: sign(null, message, key).toString('base64') }
    }),
  })
}

/**
 * The payload of an envelope which one of these keys has signed. Signatures of other keys say
 * nothing and are passed over, as the protocol has it.
 * @throws {Unproven} `envelope_malformed` when it is over 64 MiB, not canonical JSON, or has other
 *   members than `payload`, `payloadType` and `signatures` of `keyid` and `sig`;
 *   `signature_missing` when none of the keys has signed.
 */
export function openEnvelope(
  file: Uint8Array | string,
  keys: readonly EnvelopeKey[],
): OpenedEnvelope {
  const { payload, payloadType, signatures } = parseEnvelope(file)
  const message = pae(payloadType, payload)
  const signedBy = keys
    .filter(({ key }) => signatures.some((signature) => verify(null, message, key, signature)))
    .map(({ keyid }) => keyid)
  if (signedBy.length === 0) {
    const what = 'None of the known keys has signed the envelope'
    throw new Unproven('signature_missing', `${what}; nothing in it is believed.`)
  }
  return { payloadType, payload, signedBy }
}

function parseEnvelope(file: Uint8Array | string): {
  payload: Buffer
  payloadType: string
  signatures: Buffer[]
} {
  const { payload, payloadType, signatures, ...others } = membersOf(jsonOf(file))
  const bytes = bytesOf(payload)
  if (typeof payloadType !== 'string' || !Array.isArray(signatures)) throw malformed()
  if (!bytes || signatures.length > signaturesMax || !isEmpty(others)) throw malformed()
  return { payload: bytes, payloadType, signatures: signatures.map(signatureOf) }
}

function signatureOf(signature: unknown): Buffer {
  const { keyid, sig, ...others } = membersOf(signature)
  const bytes = bytesOf(sig)
  if (!bytes || !isEmpty(others)) throw malformed()
  if (keyid !== undefined && typeof keyid !== 'string') throw malformed()
  return bytes
}

function jsonOf(file: Uint8Array | string): unknown {
  const text = Buffer.byteLength(file) <= envelopeBytesMax ? textOf(file) : undefined
  if (text === undefined) throw malformed()
  try {
    const value: unknown = JSON.parse(text)
    // Also what finds a name given twice, of which JSON.parse keeps the last.
    if (canonicalize(value) === text) return value
  } catch {
    // No JSON, or none with a canonical form. Node's message would quote the input.
  }
  throw malformed()
}

function membersOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return { ...value }
}

/** Base64 in one of both alphabets, as the protocol asks of verifiers, with its padding. */
function bytesOf(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const isUrl = /^[^+/]*$/.test(text)
  return base64Of(isUrl ? text.replaceAll('-', '+').replaceAll('_', '/') : text)
}

const isEmpty = (members: object): boolean => Object.keys(members).length === 0

function malformed(): Unproven {
  const what = 'This is no envelope in canonical JSON with payload, payloadType and signatures'
  return new Unproven('envelope_malformed', `${what}.`)
}
