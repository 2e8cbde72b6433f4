/**
 * Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature.
 *
 *     <text, ends in a newline>
 *                                              <- the last empty line
 *     — <key name> base64(key ID[4] || signature)
 */
import { KeyObject, sign, verify } from 'node:crypto'
import { assert } from '../base/assert.ts'
import {
  algorithmOf,
  algorithmOfKey,
  ed25519Type,
  mlDsa44Type,
  publicKeyBytes,
  publicKeyOf,
  rawPublicKey,
} from './keys.ts'
import { digestOf } from './sha256.ts'
import { base64Of, hasControls, textOf } from './spelling.ts'
import { Unproven } from './unproven.ts'

const noteBytesMax = 1_048_576
const signaturesMax = 100

/** A public key with its name, out of a vkey. */
export interface Vkey {
  readonly name: string
  /** Eight lower-case hex digits. */
  readonly keyId: string
  /** The byte that names the kind of signature: 0x01, 0x04, 0x06; others cannot be checked here. */
  readonly type: number
  /** 32 bytes for Ed25519, 1,312 for ML-DSA-44. */
  readonly publicKey: Buffer
}

/** Makes signature lines. */
export interface Signer {
  readonly name: string
  readonly keyId: string
  /** The bytes after the key ID, for a text in UTF-8 with its final newline. */
  sign(text: Uint8Array): Uint8Array
}

/** Checks signature lines of one key. */
export interface Verifier {
  readonly name: string
  readonly keyId: string
  /** What the signature says, or undefined when it is not the key's over this text. */
  verify(text: Uint8Array, signature: Uint8Array): Attested | undefined
}

/** What a signature says besides that the key made it. */
export interface Attested {
  /** Seconds since 1970 by the signer's clock, where the kind of signature has a time. */
  readonly time?: number
}

/** A signature line as it stands; nothing about it is true yet. */
export interface SignatureLine {
  readonly name: string
  readonly keyId: string
  /** The line with its newline, to be put under the same text again. */
  readonly line: string
}

/** A signature line whose key is known and fits. */
export interface VerifiedLine extends SignatureLine, Attested {}

/** A note whose text may be believed as far as one believes the keys in `verified`. */
export interface OpenedNote {
  readonly text: string
  /** At least one; a key's first line only. */
  readonly verified: readonly VerifiedLine[]
  /** Lines of keys that are not known: they say nothing, and a strict caller refuses them. */
  readonly unknown: readonly SignatureLine[]
}

/** The first four bytes of SHA-256(name || newline || type || public key), as eight hex digits. */
export function keyId(name: string, type: number, publicKey: Uint8Array): string {
  return digestOf(Buffer.from(`${name}\n`), Buffer.of(type), publicKey).toString('hex', 0, 4)
}

/**
 * The vkey of a key: `name+key ID+base64(type || public key)`.
 * @param publicKey raw bytes or a key object; of a private key the public half is taken.
 * @param type what the key signs with; by itself 0x01 for Ed25519 and 0x06 for ML-DSA-44.
 * @throws {Unproven} `key_malformed` when the name is empty or holds a space or a plus.
 */
export function vkeyOf(name: string, publicKey: Uint8Array | KeyObject, type?: number): string {
  const isObject = publicKey instanceof KeyObject
  const raw = isObject ? rawPublicKey(publicKey) : publicKey
  const isPostQuantum = isObject && algorithmOfKey(publicKey) === 'ml-dsa-44'
  const kind = type ?? (isPostQuantum ? mlDsa44Type : ed25519Type)
  const algorithm = algorithmOf(kind)
  assert(algorithm !== undefined, 'a vkey of ours has a type that can be checked')
  assert(raw.length === publicKeyBytes(algorithm), 'a vkey holds a whole key')
  if (!isKeyName(name)) throw new Unproven('key_malformed', nameRule)
  const key = Buffer.concat([Buffer.of(kind), raw]).toString('base64')
  return `${name}+${keyId(name, kind, raw)}+${key}`
}

const nameRule = 'The name of a key must not be empty nor hold a space, a plus or a newline.'

/**
 * The key in a vkey. Keys of types that cannot be checked here are read too, if their ID follows
 * the rule for all new types.
 * @throws {Unproven} `key_malformed` when the parts, the base64, the ID or the length do not fit.
 */
export function parseVkey(text: string): Vkey {
  // The base64 part may hold a plus itself: only the first two separate.
  const [, name = '', id = '', encoded = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/.exec(text) ?? []
  const bytes = base64Of(encoded)
  const [type] = bytes ?? []
  const malformed = (what: string): Unproven =>
    new Unproven('key_malformed', `A key must read name+id+base64; ${what}.`)
  if (bytes === undefined || type === undefined) throw malformed('this one does not')
  if (!isKeyName(name)) throw malformed('its name is empty or holds a space')
  const publicKey = bytes.subarray(1)
  const algorithm = algorithmOf(type)
  if (algorithm && publicKey.length !== publicKeyBytes(algorithm)) {
    throw malformed(`its ${publicKey.length} bytes are not the length of its kind`)
  }
  if (keyId(name, type, publicKey) !== id) throw malformed('its id is not that of name and key')
  return { name, keyId: id, type, publicKey }
}

/** Signs note texts with Ed25519 (type 0x01). */
export function noteSigner(name: string, privateKey: KeyObject): Signer {
  assert(algorithmOfKey(privateKey) === 'ed25519', 'a note is signed with Ed25519')
  const id = keyId(name, ed25519Type, rawPublicKey(privateKey))
  return { name, keyId: id, sign: (text) => sign(null, text, privateKey) }
}

/** Checks Ed25519 signatures over note texts (type 0x01). */
export function noteVerifier({ name, keyId: id, publicKey, type }: Vkey): Verifier {
  assert(type === ed25519Type, 'a key of type 0x01')
  const key = publicKeyOf('ed25519', publicKey)
  return {
    name,
    keyId: id,
    verify: (text, signature) =>
      signature.length === 64 && verify(null, text, key, signature) ? {} : undefined,
  }
}

/**
 * The note of a text: the signers' lines in their order.
 * @param text ends in a newline, holds no other control character; it may hold empty lines.
 * @throws {Unproven} `note_malformed` for such a text, `key_malformed` for a bad name of a key.
 */
export function signNote(text: string, signers: readonly Signer[]): string {
  assert(signers.length > 0, 'a note has a signature')
  if (!text.endsWith('\n') || hasControls(text) || !text.isWellFormed()) {
    throw malformed('its text must be clean and end in a newline')
  }
  return `${text}\n${signatureLines(text, signers)}`
}

/** The lines alone, each with its newline, to be put under a note of this very text. */
export function signatureLines(text: string, signers: readonly Signer[]): string {
  const bytes = Buffer.from(text)
  return signers.map((signer) => signatureLine(bytes, signer)).join('')
}

function signatureLine(text: Uint8Array, signer: Signer): string {
  if (!isKeyName(signer.name)) throw new Unproven('key_malformed', nameRule)
  const signed = Buffer.concat([Buffer.from(signer.keyId, 'hex'), signer.sign(text)])
  return `— ${signer.name} ${signed.toString('base64')}\n`
}

/** A note taken apart. Nothing in it may be believed: it says which keys to look for, no more. */
export interface UnopenedNote {
  readonly text: string
  readonly lines: readonly (SignatureLine & { readonly signature: Buffer })[]
}

/**
 * Takes a note apart without believing it.
 * @throws {Unproven} `note_malformed` when it is over 1 MiB, not UTF-8, holds control characters,
 *   has no signature or more than 100, or a line that is not spelt as signatures are.
 */
export function splitNote(note: Uint8Array | string): UnopenedNote {
  if (Buffer.byteLength(note) > noteBytesMax)
    throw malformed(`it is longer than ${noteBytesMax} bytes`)
  const whole = textOf(note)
  if (whole === undefined || hasControls(whole)) throw malformed('it is not clean UTF-8')
  const end = whole.lastIndexOf('\n\n')
  if (end < 0 || !whole.endsWith('\n')) throw malformed('no empty line ends its text')
  const lines = whole.slice(end + 2, -1).split('\n')
  if (lines.length > signaturesMax) throw malformed(`it has over ${signaturesMax} signatures`)
  return { text: whole.slice(0, end + 1), lines: lines.map(parseLine) }
}

function parseLine(line: string): SignatureLine & { signature: Buffer } {
  const [, name = '', encoded = ''] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? []
  const bytes = base64Of(encoded)
  if (!isKeyName(name) || bytes === undefined || bytes.length < 5) {
    throw malformed('a line after its text is not spelt as a signature')
  }
  return {
    name,
    keyId: bytes.toString('hex', 0, 4),
    line: `${line}\n`,
    signature: bytes.subarray(4),
  }
}

/**
 * The text of a note, once its signatures are checked: each line of a known key must fit, and there
 * must be one. A line counts as known when name and key ID are both a verifier's.
 * @param verifiers no two of the same name and key ID.
 * @throws {Unproven} `note_malformed` as `splitNote`; `signature_bad` when a known key's line does
 *   not fit; `signature_missing` when no known key signed.
 */
export function openNote(note: Uint8Array | string, verifiers: readonly Verifier[]): OpenedNote {
  const known = new Map(verifiers.map((verifier) => [pairOf(verifier), verifier]))
  assert(known.size === verifiers.length, 'no two keys share a name and an id')
  const { lines, text } = splitNote(note)
  const bytes = Buffer.from(text)
  const verified = new Map<string, VerifiedLine>()
  const unknown = new Map<string, SignatureLine>()
  for (const { keyId: id, line, name, signature } of lines) {
    const pair = pairOf({ name, keyId: id })
    const verifier = known.get(pair)
    if (!verifier) unknown.set(line, { name, keyId: id, line })
    if (!verifier || verified.has(pair)) continue // A key is read once, as Go's package does.
    const attested = verifier.verify(bytes, signature)
    if (!attested) {
      const what = `The signature of key ${id} does not fit the note`
      throw new Unproven('signature_bad', `${what}: one of them was changed. Nothing is believed.`)
    }
    verified.set(pair, { name, keyId: id, line, ...attested })
  }
  if (verified.size === 0) {
    throw new Unproven('signature_missing', 'No known key has signed the note; it proves nothing.')
  }
  return { text, verified: [...verified.values()], unknown: [...unknown.values()] }
}

/** Non-empty, no Unicode space, no plus. */
function isKeyName(name: string): boolean {
  return name.length > 0 && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name)
}

// No name holds a space, so no two pairs are spelt alike.
function pairOf(key: { readonly name: string; readonly keyId: string }): string {
  return `${key.name} ${key.keyId}`
}

function malformed(why: string): Unproven {
  return new Unproven('note_malformed', `This is no signed note: ${why}.`)
}
