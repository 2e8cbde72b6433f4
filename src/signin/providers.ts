/** Providers elsewhere at which people sign in: what one must be able to do, and all of a site's. */
import { Fault } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import type { SamlSignInConfig, SignInConfig } from '../config/types.ts'
import type { LiveSecret, Secrets } from '../secrets/secrets.ts'
import type { Awaited, Flow, Proven } from './flows.ts'
import { providerRefused } from './provider-faults.ts'
import { openOidc } from './oidc.ts'
import type { SameAs } from './saml-person.ts'
import type { ReplayStore } from './saml-replays.ts'
import { openSaml } from './saml.ts'

/** All groups of a person at Entra, by tenant and object id. @throws {Fault} `identity_down`. */
export type ResolveGroups = (tenant: string, oid: string) => Promise<readonly string[]>

export interface ProviderParts {
  readonly origin: string
  readonly base: string
  readonly clock: Clock
  readonly secrets: Pick<Secrets, 'open'>
  /** What asks Graph for a sign-in of this name; undefined where that was not configured. */
  readonly groupsOf: (method: string) => ResolveGroups | undefined
  /** Of the one `state.sqlite`; there where people sign in by SAML. */
  readonly replays?: ReplayStore | undefined
  /** The `entra` issuer of this name, whose people those of a SAML provider are. */
  readonly sameAs: (issuer: string) => SameAs | undefined
}

interface Begun<K extends Awaited['kind']> {
  /** At the provider. */
  readonly redirect: URL
  readonly awaited: Extract<Awaited, { kind: K }>
}

/** @throws {Fault} of `begin`, `finish` and `accept`: `identity_down` where the provider cannot be
 *  reached, `refused` with a `reason` for whatever does not prove who it is. */
export interface OidcProvider {
  readonly name: string
  readonly type: 'oidc' | 'entra'
  begin(flow: Pick<Flow, 'id' | 'isFresh'>): Promise<Begun<'oidc'>>
  /** @param url the address the browser came back to, with its query. */
  finish(url: URL, awaited: Begun<'oidc'>['awaited'], isFresh: boolean): Promise<Proven>
}

export interface SamlProvider {
  readonly name: string
  readonly type: 'saml'
  begin(flow: Pick<Flow, 'id' | 'isFresh'>): Promise<Begun<'saml'>>
  /** @param form of the provider's post. @param ip where it came from. @throws {Fault} `busy` too. */
  accept(
    form: Readonly<Record<string, unknown>>,
    awaited: Begun<'saml'>['awaited'],
    ip: string,
  ): Promise<Proven>
  /** @param query of a logout request as it came by redirect. */
  acceptLogout(query: string): LoggedOut
  /** What the provider is given (SAML metadata, XML). */
  metadata(): string
}

/** Whom a provider has signed out: a subject, one session of theirs, or both. */
export interface LoggedOut {
  readonly issuer: string
  readonly subject?: string
  readonly providerSession?: string
}

export type Provider = OidcProvider | SamlProvider

/** The providers of a site by name. Nothing is asked of them yet. */
export function openProviders(
  parts: ProviderParts & { readonly signIn: readonly SignInConfig[] },
): ReadonlyMap<string, Provider> {
  const opened = parts.signIn.flatMap((config) => {
    if (config.type === 'accounts') return []
    const opened = config.type === 'saml' ? samlOf(config, parts) : openOidc(config, parts)
    return [[config.name, opened] as const]
  })
  return new Map<string, Provider>(opened)
}

/** `saml.ts` as one of the providers of a site. */
function samlOf(config: SamlSignInConfig, parts: ProviderParts): SamlProvider {
  const { base, clock, groupsOf, origin, replays, sameAs, secrets } = parts
  const { name } = config
  if (replays === undefined)
    throw new Fault('config_bad', 'Sign-in by SAML needs the table of used messages.')
  const key = config.signingKey
  const where = `identity.sign_in ${name}: signing_key`
  const secret = key && secrets.open(key, 'pem', where)
  const same = config.sameAs === undefined ? undefined : sameAs(config.sameAs)
  const resolveGroups = groupsOf(name)
  const at = `${origin}${base}/saml/${encodeURIComponent(name)}`
  const saml = openSaml(config, {
    acsUrl: at,
    entityId: config.entityId ?? `${origin}/saml/${encodeURIComponent(name)}`,
    logoutUrl: `${at}/logout`,
    clock,
    replays,
    ...(secret === undefined ? {} : { signingKey: { reveal: () => secret.read().reveal() } }),
    ...(same === undefined ? {} : { sameAs: same }),
    ...(resolveGroups === undefined ? {} : { resolveGroups }),
  })
  return {
    name,
    type: 'saml',
    async begin({ id, isFresh }): ReturnType<SamlProvider['begin']> {
      const { redirect, requestId } = await saml.begin({ isFresh, relayState: id })
      return { redirect, awaited: { kind: 'saml', method: name, requestId } }
    },
    async accept({ SAMLResponse }, { requestId }, ip): Promise<Proven> {
      if (typeof SAMLResponse !== 'string') throw providerRefused('saml_response_missing')
      const accepted = await saml.accept({ SAMLResponse }, requestId, ip)
      const { amr, authenticatedMs, provenMs, providerSession, ...rest } = accepted
      const { sessionEndsMs: _, ...told } = rest
      const session = providerSession === undefined ? {} : { providerSession }
      return { told, amr, authenticatedMs, provenMs, ...session }
    },
    acceptLogout: (query) => saml.acceptLogout(query),
    metadata: () => saml.metadata(),
  }
}

/** What a provider's secret is read by, at each use. */
export type ReadSecret = Pick<LiveSecret, 'read'>
