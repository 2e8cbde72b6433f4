/**
 * For tests: an authenticator in software (W3C WebAuthn Level 3 §6), with ES256 and no attestation,
 * which says whatever a test wants it to.
 *
 *     authenticator data = SHA-256(RP ID) ‖ flags ‖ counter ‖ [AAGUID ‖ length ‖ id ‖ COSE key]
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** What differs from an honest answer. */
export interface Lies {
  /** UP 0x01, UV 0x04, BE 0x08, BS 0x10, AT 0x40. */
  readonly flags?: number
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  readonly crossOrigin?: boolean
  readonly topOrigin?: string
  readonly counter?: number
  readonly id?: string
  readonly userHandle?: string
  readonly isForged?: boolean
  readonly isSpaced?: boolean
}

export class Authenticator {
  readonly id: string = randomBytes(32).toString('base64url')
  readonly #origin: string
  readonly #rpId: string
  readonly #key: KeyObject
  readonly #cose: Buffer

  constructor(origin: string, rpId: string) {
    this.#origin = origin
    this.#rpId = rpId
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.#key = privateKey
    // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
    const [left, right] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
    const head = Buffer.from('a5010203262001215820', 'hex')
    this.#cose = Buffer.concat([head, left, Buffer.from('225820', 'hex'), right])
  }

  /** What `navigator.credentials.create` gives, as JSON. */
  create(challenge: string, lies: Lies = {}): Record<string, unknown> {
    const id = Buffer.from(this.id, 'base64url')
    const length = Buffer.from([0, id.length])
    const credential = Buffer.concat([Buffer.alloc(16), length, id, this.#cose])
    const data = Buffer.concat([this.#head(0x45, lies), credential])
    // {"fmt": "none", "attStmt": {}, "authData": h'…'}
    const map = Buffer.from('a363666d74646e6f6e656761747453746d74a06861757468446174615900', 'hex')
    const attestationObject = Buffer.concat([map, Buffer.from([data.length]), data])
    const response = {
      clientDataJSON: this.#client('webauthn.create', challenge, lies).toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
      transports: ['usb', 'telepathy'],
    }
    return this.#outer(response, lies)
  }

  /** What `navigator.credentials.get` gives, as JSON. */
  get(challenge: string, lies: Lies = {}): Record<string, unknown> {
    const data = this.#head(0x05, lies)
    const client = this.#client('webauthn.get', challenge, lies)
    const hash = createHash('sha256').update(client).digest()
    const signed = Buffer.concat([data, hash, ...(lies.isForged === true ? [hash] : [])])
    const told = lies.isSpaced === true ? Buffer.from(client.toString().replace(',', ', ')) : client
    const handle = lies.userHandle && Buffer.from(lies.userHandle).toString('base64url')
    const response = {
      clientDataJSON: told.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: sign('sha256', signed, this.#key).toString('base64url'),
      ...(handle === undefined ? {} : { userHandle: handle }),
    }
    return this.#outer(response, lies)
  }

  #head(flags: number, lies: Lies): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(lies.counter ?? 0)
    const rp = createHash('sha256')
      .update(lies.rpId ?? this.#rpId)
      .digest()
    return Buffer.concat([rp, Buffer.from([lies.flags ?? flags]), counter])
  }

  #client(type: string, challenge: string, lies: Lies): Buffer {
    const { crossOrigin = false, origin = this.#origin, topOrigin } = lies
    const around = topOrigin === undefined ? { crossOrigin } : { crossOrigin, topOrigin }
    const data = {
      type: lies.type ?? type,
      challenge: lies.challenge ?? challenge,
      origin,
      ...around,
    }
    return Buffer.from(JSON.stringify(data))
  }

  #outer(response: Record<string, unknown>, { id = this.id }: Lies): Record<string, unknown> {
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response }
  }
}
