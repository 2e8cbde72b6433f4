/**
 * Bodies encrypted at rest: AES-256-GCM under a key of their own, made from the key of their month.
 *
 *     stored body   iv (12) | commitment (32) | ciphertext | tag (16)
 *
 *     body key      HMAC-SHA-256(month key, "sallyport/body/v1" | iv)
 *     commitment    SHA-256("sallyport/commit/v1" | body key)
 *     AAD           "sallyport/body/v1\n" origin "\n" key id "\n" encoding "\n"
 *
 * The iv is 96 random bits and every iv has a key of its own, so no key ever sees two messages, and
 * one body can be opened for an auditor by handing out its key and no other. GCM alone would let
 * whoever wrote a body prepare two keys for it that open it to two texts; the commitment, which the
 * entry's SHA-256 covers like the rest, allows one.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  randomFillSync,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'

const ivBytes = 12
const commitmentBytes = 32
const tagBytes = 16
const textAt = ivBytes + commitmentBytes
/** By how much a stored body is longer than what it holds. */
export const sealBytes: number = textAt + tagBytes

const keyLabel = Buffer.from('sallyport/body/v1')
const commitLabel = Buffer.from('sallyport/commit/v1')
// Written over for each body: nothing here waits in between, and a buffer less is garbage less.
const keyText = Buffer.concat([keyLabel, Buffer.alloc(ivBytes)])
const commitText = Buffer.concat([commitLabel, Buffer.alloc(32)])

/** What a body is bound to, so that it opens in no other place. */
export interface BodyBinding {
  readonly origin: string
  /** Id of the month key. */
  readonly key: string
  readonly encoding: string
}

/** Random bits are taken from the system by the hundred: a call for each would cost as much as GCM. */
const ivs = Buffer.alloc(ivBytes * 128)
let ivAt = ivs.length

/** 12 random bytes. */
export function nextIv(): Buffer {
  if (ivAt === ivs.length) {
    randomFillSync(ivs)
    ivAt = 0
  }
  ivAt += ivBytes
  return Buffer.from(ivs.subarray(ivAt - ivBytes, ivAt))
}

/** The stored form of a body. @param monthKey 32 bytes; as a `KeyObject`, which OpenSSL takes four
 *  times as fast as bytes. */
export function encryptBody(plain: Uint8Array, monthKey: KeyObject, to: BodyBinding): Buffer {
  const iv = nextIv()
  const key = bodyKeyOf(monthKey, iv)
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), iv)
  cipher.setAAD(aadOf(to))
  const text = cipher.update(plain)
  cipher.final() // GCM keeps nothing back.
  const stored = Buffer.allocUnsafe(text.length + sealBytes)
  stored.set(iv, 0)
  stored.set(commitmentOf(key), ivBytes)
  stored.set(text, textAt)
  stored.set(cipher.getAuthTag(), textAt + text.length)
  return stored
}

/** The key that opens this stored body and no other. @param stored at least its first 12 bytes. */
export function bodyKeyOf(monthKey: KeyObject, stored: Uint8Array): Buffer {
  const hmac = createHmac('sha256', monthKey)
  keyText.set(stored.subarray(0, ivBytes), keyLabel.length)
  return hmac.update(keyText).digest()
}

/**
 * What a stored body holds, or undefined when this key does not open it in this place: the key, the
 * bytes or the binding are others.
 */
export function decryptBody(
  stored: Uint8Array,
  key: Uint8Array,
  bound: BodyBinding,
): Buffer | undefined {
  if (stored.length < sealBytes || key.length !== 32) return undefined
  if (!commitmentOf(key).equals(stored.subarray(ivBytes, textAt))) return undefined
  const end = stored.length - tagBytes
  const decipher = createDecipheriv(
    'aes-256-gcm',
    createSecretKey(key),
    stored.subarray(0, ivBytes),
  )
  decipher.setAAD(aadOf(bound))
  decipher.setAuthTag(stored.subarray(end))
  try {
    return Buffer.concat([decipher.update(stored.subarray(textAt, end)), decipher.final()])
  } catch {
    return undefined // The tag does not fit.
  }
}

function commitmentOf(key: Uint8Array): Buffer {
  commitText.set(key, commitLabel.length)
  return hash('sha256', commitText, 'buffer')
}

const aads = new Map<string, Buffer>()

let lastBound: BodyBinding = { origin: '', key: '', encoding: '' }
let lastAad: Buffer = Buffer.alloc(0)

function aadOf(bound: BodyBinding): Buffer {
  const { encoding, key, origin } = bound
  const isLast = lastBound.encoding === encoding && lastBound.key === key
  if (!isLast || lastBound.origin !== origin) {
    lastAad = aadFrom(bound)
    lastBound = bound
  }
  return lastAad
}

function aadFrom({ encoding, key, origin }: BodyBinding): Buffer {
  const text = `sallyport/body/v1\n${origin}\n${key}\n${encoding}\n`
  const known = aads.get(text)
  if (known) return known
  if (aads.size > 100) aads.clear() // A log has an origin, two encodings and a key a month.
  const fresh = Buffer.from(text)
  aads.set(text, fresh)
  return fresh
}
