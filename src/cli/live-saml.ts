/** What can be told of a SAML provider without a browser: its certificates and where requests go. */
import type { Path } from '../config/config.ts'
import type { SamlSignInConfig } from '../config/types.ts'
import { certificateWarnings, openCertificates } from '../signin/saml-certificates.ts'
import { nowMsOf, wrong } from './live-look.ts'
import type { Look, LookParts, Seen } from './live-look.ts'

/** Fails where none holds; doubtful from 60 days before one ends. */
export function certificateLook(
  { certificateFiles, name }: SamlSignInConfig,
  path: Path,
  { clock }: LookParts,
): Look {
  const look = (): Seen => {
    const opened = openCertificates(certificateFiles, clock)
    const warnings = certificateWarnings(certificateFiles, nowMsOf({ clock }))
    const words = warnings.map(({ text }) => text).join(' ')
    let holding: readonly string[]
    try {
      holding = opened.pems()
    } catch (cause) {
      throw wrong(
        `No certificate holds now, so nobody can sign in. ${words} Import the present one with "sallyport saml import".`,
        cause,
      )
    }
    if (warnings.length > 0) return { doubt: words }
    return `${holding.length} ${holding.length === 1 ? 'certificate holds' : 'certificates hold'} for more than 60 days`
  }
  return { what: `certificates of ${name}`, path: [...path, 'certificates'], look }
}

/** Also whether it is the tenant of `same_as`, where Entra is the provider. */
export function entryPointLook(
  { entryPoint, idpIssuer, name, sameAs }: SamlSignInConfig,
  path: Path,
  { config }: LookParts,
): Look {
  const look = (): Seen => {
    if (!entryPoint.startsWith('https://')) {
      const why =
        'entry_point is plain http: whoever stands between sees and changes who is sent where'
      throw wrong(`${why}; use https`)
    }
    const same = config.identity.issuers.find((one) => one.name === sameAs)
    if (same?.type !== 'entra') return `requests go to ${entryPoint}`
    const isTheirs = same.tenants.some((tenant) => idpIssuer.toLowerCase().includes(`/${tenant}`))
    if (isTheirs) return `requests go to ${entryPoint}`
    const doubt = `idp_issuer names no tenant of issuer "${same.name}", whose people they are said to be: nobody could sign in`
    return { doubt }
  }
  return { what: `entry point of ${name}`, path: [...path, 'entry_point'], look }
}
