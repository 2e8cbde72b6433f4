/**
 * Keys of tickets: each has 32 random bytes of its own, wrapped by a key of the installation. Once
 * they are destroyed nobody reads the arguments any more, or tries numbers against the commitment.
 *
 *     wrapped, sealed = nonce (12) ‖ ciphertext ‖ tag (16), AES-256-GCM, bound to the ticket's id
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'

export class TicketKeys {
  readonly #wrap: Buffer
  readonly #index: Buffer

  /** @param master 32 bytes. */
  constructor(master: Uint8Array) {
    assert(master.length === 32, 'the key that wraps keys of tickets has 32 bytes')
    this.#wrap = derived(master, 'wrap')
    this.#index = derived(master, 'index')
  }

  /** A new key for a ticket, and what is kept of it. */
  make(ticket: string): { key: Buffer; wrapped: Buffer } {
    const key = randomBytes(32)
    return { key, wrapped: seal(this.#wrap, key, `key ${ticket}`) }
  }

  /** @throws {Fault} `record_down`, reason `state_file`, where it was changed. */
  unwrap(ticket: string, wrapped: Uint8Array): Buffer {
    return open(this.#wrap, wrapped, `key ${ticket}`)
  }

  /** A keyed hash by which rows are found: 32 bytes, base64url. */
  indexOf(...words: readonly (string | undefined)[]): string {
    return createHmac('sha256', this.#index).update(JSON.stringify(words)).digest('base64url')
  }
}

/** Arguments under their ticket's key. */
export function sealArgs(ticket: string, key: Uint8Array, args: Uint8Array): Buffer {
  return seal(derived(key, 'arguments'), args, `arguments ${ticket}`)
}

/** @throws {Fault} `record_down`, reason `state_file`, where they were changed. */
export function openArgs(ticket: string, key: Uint8Array, sealed: Uint8Array): Buffer {
  return open(derived(key, 'arguments'), sealed, `arguments ${ticket}`)
}

function derived(key: Uint8Array, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `sallyport/ticket/${use}/v1`, 32))
}

function seal(key: Uint8Array, plain: Uint8Array, about: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(about))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function open(key: Uint8Array, sealed: Uint8Array, about: string): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
    decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(-16))
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
  } catch (cause) {
    const message =
      'A held call in state.sqlite is not as it was written, or is under another key. It cannot be run: let it be asked again.'
    throw new Fault('record_down', message, { cause, facts: { reason: 'state_file' } })
  }
}
