/**
 * The token of a card number: what calls are found by when somebody asks for a full number, while
 * the number itself is kept nowhere.
 *
 *     token   key version (1) | the first 16 bytes of HMAC-SHA-256(key, digits in ASCII)
 *
 * A keyed hash as PCI DSS v4.0.1 req. 3.5.1.1 asks for: without the key no number can be tried
 * against it, with the key every one can. So the key never leaves `DATA/keys`, and the version says
 * which one made a token.
 */
import { createHmac } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** What makes tokens. */
export interface TokenKey {
  /** 1 to 255. */
  readonly version: number
  /** 32 bytes; as a `KeyObject`, which OpenSSL takes four times as fast as bytes. */
  readonly secret: KeyObject
}

/** Length of a token. */
const cardTokenBytes = 17

/** @param number its digits in ASCII, nothing between them. */
export function cardToken(number: string, { secret, version }: TokenKey): Buffer {
  const token = Buffer.alloc(cardTokenBytes)
  token[0] = version
  createHmac('sha256', secret).update(number, 'latin1').digest().copy(token, 1)
  return token
}
