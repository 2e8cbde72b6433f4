/** What a browser's `PublicKeyCredential.toJSON()` gives (WebAuthn Level 3 §5.1): unknown members go. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import { isRecord } from '../identity/claims.ts'

type Shape<T> = z.ZodType<T>

const base64url: z.ZodString = z
  .string()
  .max(64 * 1024)
  .regex(/^[\w-]*$/)
const credentialId: z.ZodString = base64url.min(1).max(1400)
// No extension is asked for, so none is kept.
const extensions: Shape<RegistrationResponseJSON['clientExtensionResults']> = z
  .unknown()
  .transform(() => ({}))
const transports: Shape<string[]> = z
  .array(
    z
      .string()
      .max(32)
      .regex(/^[a-z-]+$/),
  )
  .max(16)

export const registrationShape: Shape<RegistrationResponseJSON> = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  clientExtensionResults: extensions,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: transports.exactOptional(),
  }),
})

export const assertionShape: Shape<AuthenticationResponseJSON> = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  clientExtensionResults: extensions,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.exactOptional(),
  }),
})

/**
 * Whether client data says that our page stood inside another, or does not say it plainly.
 * @param text client data, base64url.
 */
export function isEmbedded(text: string): boolean {
  try {
    const read: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!isRecord(read)) return true
    const { crossOrigin = false, topOrigin } = read
    return crossOrigin !== false || topOrigin !== undefined
  } catch {
    return true
  }
}
