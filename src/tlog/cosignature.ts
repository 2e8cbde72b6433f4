/**
 * Cosignatures (C2SP tlog-cosignature): that at a time this was the largest tree which the cosigner
 * had seen. Ed25519 signs the whole checkpoint under a header; ML-DSA-44 signs a binary message of
 * the three first lines only. Both lines carry `u64 time || signature` after the key ID.
 */
import { sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { parseCheckpoint } from './checkpoint.ts'
import {
  algorithmOfKey,
  cosignatureType,
  ed25519Type,
  hasMlDsa44,
  mlDsa44Type,
  publicKeyOf,
  rawPublicKey,
} from './keys.ts'
import { keyId, noteVerifier } from './note.ts'
import type { Attested, Signer, Verifier, Vkey } from './note.ts'
import { isCount } from './spelling.ts'
import { Unproven } from './unproven.ts'

const ed25519Bytes = 64
const mlDsa44Bytes = 2420

/** What Ed25519 signs for a cosignature: the header, the time in seconds since 1970, the text. */
export function cosignatureMessage(time: number, text: Uint8Array): Buffer {
  assert(isCount(time), 'a time is a whole number of seconds')
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${time}\n`), text])
}

/** What is said about a part of a tree; for a checkpoint `start` is 0 and `end` its size. */
export interface SubtreeStatement {
  readonly cosigner: string
  /** Seconds since 1970; 0 says nothing about what was seen last. */
  readonly time: number
  readonly origin: string
  readonly start: number
  readonly end: number
  /** 32 bytes. */
  readonly hash: Uint8Array
}

/**
 * What ML-DSA-44 signs: names with their length in a byte, numbers in eight, big-endian.
 * @throws {Unproven} `checkpoint_malformed` when a name has no or more than 255 bytes.
 */
export function subtreeMessage(statement: SubtreeStatement): Buffer {
  const { cosigner, end, hash, origin, start, time } = statement
  assert(hash.length === 32, 'a hash has 32 bytes')
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    named(cosigner),
    u64(time),
    named(origin),
    u64(start),
    u64(end),
    hash,
  ])
}

function named(name: string): Buffer {
  const bytes = Buffer.from(name)
  if (bytes.length < 1 || bytes.length > 255) {
    const what = 'An origin or a cosigner has no name, or one of over 255 bytes'
    throw new Unproven('checkpoint_malformed', `${what}; ML-DSA-44 cannot sign it.`)
  }
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

function u64(count: number): Buffer {
  assert(isCount(count), 'a number is whole and below 2^53')
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(count))
  return bytes
}

function subtreeOf(cosigner: string, time: number, text: Uint8Array): Buffer {
  const lines = parseCheckpoint(Buffer.from(text).toString(), { extensions: true })
  return subtreeMessage({
    cosigner,
    time,
    origin: lines.origin,
    start: 0,
    end: lines.size,
    hash: lines.root,
  })
}

/**
 * Cosigns checkpoints, with Ed25519 (0x04) or ML-DSA-44 (0x06) after the kind of key. An Ed25519 key
 * is for one cosigner only: the message does not hold its name.
 * @param seconds the time to be signed, in seconds since 1970, at least 1.
 */
export function cosigner(name: string, privateKey: KeyObject, seconds: () => number): Signer {
  const isPostQuantum = algorithmOfKey(privateKey) === 'ml-dsa-44'
  const type = isPostQuantum ? mlDsa44Type : cosignatureType
  return {
    name,
    keyId: keyId(name, type, rawPublicKey(privateKey)),
    sign(text): Buffer {
      const time = seconds()
      assert(isCount(time) && time > 0, 'a cosignature has a time')
      const message = isPostQuantum ? subtreeOf(name, time, text) : cosignatureMessage(time, text)
      return Buffer.concat([u64(time), sign(null, message, privateKey)])
    },
  }
}

/**
 * The verifier of a key, by the type of its signatures: notes (0x01), cosignatures (0x04, 0x06).
 * @throws {Unproven} `key_unsupported` for another type, and for ML-DSA-44 on a Node without it.
 */
export function verifierOf(vkey: Vkey): Verifier {
  if (vkey.type === ed25519Type) return noteVerifier(vkey)
  if (vkey.type === cosignatureType) return ed25519Cosignatures(vkey)
  if (vkey.type === mlDsa44Type && hasMlDsa44()) return mlDsa44Cosignatures(vkey)
  const why = `Signatures of type ${vkey.type} cannot be checked here`
  throw new Unproven('key_unsupported', `${why}; ML-DSA-44 (6) needs Node 24.6 or newer.`)
}

function ed25519Cosignatures({ keyId: id, name, publicKey }: Vkey): Verifier {
  const key = publicKeyOf('ed25519', publicKey)
  return {
    name,
    keyId: id,
    verify: (text, line) =>
      timed(line, ed25519Bytes, (time, signature) =>
        verify(null, cosignatureMessage(time, text), key, signature),
      ),
  }
}

function mlDsa44Cosignatures({ keyId: id, name, publicKey }: Vkey): Verifier {
  const key = publicKeyOf('ml-dsa-44', publicKey)
  return {
    name,
    keyId: id,
    verify: (text, line) =>
      timed(line, mlDsa44Bytes, (time, signature) =>
        verify(null, subtreeOf(name, time, text), key, signature),
      ),
  }
}

function timed(
  line: Uint8Array,
  length: number,
  isSigned: (time: number, signature: Uint8Array) => boolean,
): Attested | undefined {
  if (line.length !== 8 + length) return undefined
  const time = Number(Buffer.from(line).readBigUInt64BE())
  if (!isCount(time)) return undefined // Past 2^53 seconds: no clock says so.
  try {
    return isSigned(time, line.subarray(8)) ? { time } : undefined
  } catch (error) {
    if (error instanceof Unproven) return undefined // The text is no checkpoint: nothing was said.
    throw error
  }
}
