/** The names SAML 2.0 gives to things, and the few rules every message of it obeys. */
import { refuseSaml } from './saml-refusals.ts'

export const protocolUri = 'urn:oasis:names:tc:SAML:2.0:protocol'
export const assertionUri = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const metadataUri = 'urn:oasis:names:tc:SAML:2.0:metadata'
export const signatureUri = 'http://www.w3.org/2000/09/xmldsig#'
export const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
export const postBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
export const persistentFormat = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'

/** How far the provider's clock may be from ours. */
export const skewMs = 60_000
/** How old an assertion or a logout request may be when it comes. */
export const messageAgeMaxMs = 300_000
/** How long a person may take at the provider. */
export const requestAgeMaxMs = 600_000

// SAML core §1.3.3: times are in UTC. `Date.parse` alone would take one without a zone as local.
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** Milliseconds since 1970; undefined where nothing stands. @throws {Fault} `malformed`. */
export function instantOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw refuseSaml('malformed')
  return ms
}
