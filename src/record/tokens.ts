/**
 * The tokens of the card numbers in a body, as a frame of their own behind the entry's. They let a
 * call be found by a full number. They are no evidence: no leaf of the tree covers them, and no
 * pack, proof or export has them.
 *
 *     payload      iv (12) | ciphertext | tag (16)                         AES-256-GCM
 *     ciphertext   of one token (17) behind the other
 *
 *     key          HMAC-SHA-256(month key, "sallyport/tokens/v1" | iv)
 *     AAD          "sallyport/tokens/v1\n" origin "\n" key id "\n" index of the entry "\n"
 *
 * The key is the one of the body's month, so what shreds the body shreds the tokens. Bound to the
 * entry's index, they open behind no other entry. Keys are not handed out one by one as those of
 * bodies are, so nothing commits to them.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { nextIv } from './cipher.ts'
import type { KeyObject } from 'node:crypto'

const ivBytes = 12
const tagBytes = 16
const tokenBytes = 17
const keyLabel = Buffer.from('sallyport/tokens/v1')

/** The entry to which tokens belong. */
export interface TokensBinding {
  readonly origin: string
  /** Id of the month key, as in the entry's body. */
  readonly key: string
  readonly index: number
}

/** The frame's payload. @param tokens 17 bytes each, at least one. @param monthKey 32 bytes. */
export function encryptTokens(
  tokens: readonly Uint8Array[],
  monthKey: KeyObject,
  to: TokensBinding,
): Buffer {
  const isSound = tokens.length > 0 && tokens.every(({ length }) => length === tokenBytes)
  assert(isSound, 'a token has 17 bytes')
  const iv = nextIv()
  const cipher = createCipheriv('aes-256-gcm', keyOf(monthKey, iv), iv)
  cipher.setAAD(aadOf(to))
  const text = cipher.update(Buffer.concat(tokens))
  cipher.final() // GCM keeps nothing back.
  return Buffer.concat([iv, text, cipher.getAuthTag()])
}

/** The tokens of a payload; undefined when it does not open with this key behind this entry. */
export function decryptTokens(
  payload: Uint8Array,
  monthKey: KeyObject,
  bound: TokensBinding,
): Uint8Array[] | undefined {
  const end = payload.length - tagBytes
  if (!isTokens(payload)) return undefined
  const iv = payload.subarray(0, ivBytes)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(monthKey, iv), iv)
  decipher.setAAD(aadOf(bound))
  decipher.setAuthTag(payload.subarray(end))
  const plain = decipher.update(payload.subarray(ivBytes, end))
  try {
    decipher.final()
  } catch {
    return undefined // The tag does not fit.
  }
  return Array.from({ length: plain.length / tokenBytes }, (_, i) =>
    plain.subarray(i * tokenBytes, (i + 1) * tokenBytes),
  )
}

/** Whether a payload has the length of one: a whole number of tokens, at least one. */
export function isTokens({ length }: Uint8Array): boolean {
  const text = length - ivBytes - tagBytes
  return text > 0 && text % tokenBytes === 0
}

function keyOf(monthKey: KeyObject, iv: Uint8Array): KeyObject {
  return createSecretKey(createHmac('sha256', monthKey).update(keyLabel).update(iv).digest())
}

function aadOf({ index, key, origin }: TokensBinding): Buffer {
  return Buffer.from(`sallyport/tokens/v1\n${origin}\n${key}\n${index}\n`)
}
