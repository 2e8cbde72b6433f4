/**
 * Verifying what an authenticator made and signed (W3C WebAuthn Level 3 §7.1, §7.2), by
 * `@simplewebauthn/server`, and by us where that lets something through.
 */
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import type { AuthenticationResponseJSON } from '@simplewebauthn/server'
import { Fault } from '../base/fault.ts'
import { assertionShape, isEmbedded, registrationShape } from './passkey-shapes.ts'
import type { StoredPasskey } from './passkey-table.ts'

/** ES256, EdDSA and RS256 (COSE numbers): what authenticators have. */
export const algorithms: number[] = [-7, -8, -257]

export interface PasskeySite {
  readonly rpId: string
  readonly origins: readonly string[]
}

/** What an authenticator tells of a key it made. */
export type Registered = Omit<StoredPasskey, 'id' | 'person' | 'label' | 'madeMs' | 'usedMs'>

/** @param response of the browser, as JSON. @throws {Fault} `refused` with a `reason`. */
export async function verifyRegistration(
  response: unknown,
  challenge: string,
  { origins, rpId }: PasskeySite,
): Promise<Registered> {
  const { data } = registrationShape.safeParse(response)
  if (data === undefined) throw bad('passkey_form')
  if (isEmbedded(data.response.clientDataJSON)) throw bad('passkey_cross_origin')
  const { registrationInfo: made } = await orBad(
    verifyRegistrationResponse({
      response: data,
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    }),
  )
  if (made === undefined || made.credential.id !== data.id) throw bad('passkey_unverified')
  return {
    credential: made.credential.id,
    publicKey: new Uint8Array(made.credential.publicKey),
    counter: made.credential.counter,
    transports: data.response.transports ?? [],
    isSynced: made.credentialDeviceType === 'multiDevice',
    aaguid: made.aaguid,
    attestation: made.fmt,
    registration: {
      attestationObject: made.attestationObject,
      clientData: Buffer.from(data.response.clientDataJSON, 'base64url'),
      origin: made.origin,
      rpId,
    },
  }
}

/** The form of a signature, of which nothing is believed yet. @throws {Fault} `refused`. */
export function readAssertion(response: unknown): AuthenticationResponseJSON {
  const { data } = assertionShape.safeParse(response)
  if (data === undefined) throw bad('passkey_form')
  return data
}

/**
 * Verifies a signature by one passkey, which the caller has looked up by what came.
 * @returns its counter, which the caller compares: the library would do that before it looks at the
 *   signature, and anybody could make a good key look like a copy.
 * @throws {Fault} `refused` with a `reason`.
 */
export async function verifyAssertion(
  response: AuthenticationResponseJSON,
  of: { readonly challenge: string; readonly passkey: StoredPasskey; readonly site: PasskeySite },
): Promise<number> {
  const { challenge, passkey, site } = of
  if (isEmbedded(response.response.clientDataJSON)) throw bad('passkey_cross_origin')
  const { authenticationInfo, verified } = await orBad(
    verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: [...site.origins],
      expectedRPID: site.rpId,
      credential: { id: passkey.credential, publicKey: passkey.publicKey, counter: 0 },
      requireUserVerification: true,
    }),
  )
  if (!verified) throw bad('passkey_signature')
  // Flag BE never changes: another one is another key.
  const isSynced = authenticationInfo.credentialDeviceType === 'multiDevice'
  if (isSynced !== passkey.isSynced) throw bad('passkey_backup_flag')
  return authenticationInfo.newCounter
}

/** Texts of the library hold what came: they stay in `cause`. */
async function orBad<T>(verification: Promise<T>): Promise<T> {
  try {
    return await verification
  } catch (error) {
    throw bad('passkey_unverified', error)
  }
}

export function bad(reason: string, cause?: unknown): Fault {
  return refused(reason, 'This passkey was not accepted. Try again, or use another.', cause)
}

export function refused(reason: string, message: string, cause?: unknown): Fault {
  return new Fault('refused', message, { facts: { reason }, cause })
}
