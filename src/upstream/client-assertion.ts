/** A client proves itself by a key: `private_key_jwt` (RFC 7523 §2.2; OpenID Connect Core §9). */
import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '../base/clock.ts'
import type { Blame } from '../secrets/trouble.ts'
import type { Reveals } from './credential.ts'

const livesS = 60
const rsaBitsMin = 2048

interface Signer {
  readonly key: KeyObject
  readonly header: { readonly alg: string; readonly typ: 'JWT'; 'x5t#S256'?: string }
}

export interface AssertionParts {
  readonly clientId: string
  /** The token endpoint. */
  readonly audience: string
  /** PEM of the private key. A certificate beside it is named in the header, as Entra wants it. */
  readonly key: Reveals
  readonly clock: Clock
  readonly blame: Blame
}

/**
 * Makes a new assertion each time, good for a minute and for one use.
 * @throws {Fault} blamed on `settings` when the PEM holds no key that signs.
 */
export function clientAssertions(parts: AssertionParts): () => Promise<string> {
  const { audience, blame, clientId, clock, key } = parts
  let pem = ''
  let signer: Signer | undefined
  return async () => {
    const now = key.reveal()
    if (signer === undefined || now !== pem) {
      signer = signerOf(now, blame)
      pem = now
    }
    const issuedS = Math.floor(clock.nowUs() / 1_000_000)
    return await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader(signer.header)
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(audience)
      .setIssuedAt(issuedS)
      .setNotBefore(issuedS)
      .setExpirationTime(issuedS + livesS)
      .sign(signer.key)
  }
}

function signerOf(pem: string, blame: Blame): Signer {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // The library's message may quote what it read.
    throw blame('settings', 'its client_secret is no private key in PEM form')
  }
  const alg = algorithmOf(key)
  if (alg === undefined) {
    throw blame('settings', 'its private key is not RSA of 2,048 bits, EC P-256/384/521 or Ed25519')
  }
  const header: Signer['header'] = { alg, typ: 'JWT' }
  const thumbprint = thumbprintIn(pem, blame)
  return { key, header: thumbprint === undefined ? header : { ...header, 'x5t#S256': thumbprint } }
}

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}

function algorithmOf(key: KeyObject): string | undefined {
  const { asymmetricKeyDetails: details, asymmetricKeyType: type } = key
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= rsaBitsMin ? 'RS256' : undefined
  if (type === 'ec') return curves[details?.namedCurve ?? '']
  return type === 'ed25519' ? 'EdDSA' : undefined
}

/** RFC 7515 §4.1.8. */
function thumbprintIn(pem: string, blame: Blame): string | undefined {
  const [certificate] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(pem) ?? []
  if (certificate === undefined) return undefined
  try {
    return createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url')
  } catch {
    throw blame('settings', 'the certificate beside its private key cannot be read')
  }
}
