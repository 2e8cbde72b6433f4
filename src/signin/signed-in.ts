/** What a sign-in proves, and how whoever asked for one gets it. */
import type { KnownPrincipal } from '../identity/directory.ts'
import type { Source } from '../record/entry.ts'

/** Somebody proved who they are, in this browser, just now. */
export interface SignedIn {
  /** As the directory knows them after what the provider said. */
  readonly person: KnownPrincipal
  /** Name of the sign-in of the configuration, and its type. */
  readonly method: string
  readonly type: 'oidc' | 'entra' | 'saml' | 'accounts'
  /** Milliseconds since 1970: when the provider says that it saw them, or now. */
  readonly authenticatedMs: number
  /** How, in the words of RFC 8176: `pwd`, `hwk`, `mfa`, …; empty where nobody said. */
  readonly amr: readonly string[]
  /** `sid` of the provider, by which a back-channel logout names it. */
  readonly providerSession?: string
  readonly isBreakGlass: boolean
}

export interface StartOptions {
  /** Path on the site's own origin to which the browser comes back, with `?c=CODE`. */
  readonly returnTo: string
  /** The person must prove it anew, whatever session the provider has with the browser. */
  readonly isFresh?: boolean
  /** Name of a sign-in; the person chooses where it is missing and there are several. */
  readonly method?: string
}

/**
 * The pages and callbacks by which people sign in, mounted on one origin below one path: once on the
 * gateway for the authorization server, once on the console.
 */
export interface SignInSite {
  /** Answers every request below its path. Never throws; @param source who asks. */
  fetch(request: Request, source: Source): Promise<Response>
  /** Path (with query) to which a browser is sent, by GET, to sign in. Good for ten minutes. */
  start(options: StartOptions): string
  /**
   * Redeems the code a browser came back with: once, within a minute, by the browser that signed in.
   * @param cookie the request's `Cookie` header.
   */
  redeem(code: string, cookie: string | undefined): SignedIn | undefined
}
