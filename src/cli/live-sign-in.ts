/**
 * Whether people can sign in: the provider's description, PKCE, our client id and secret there, the
 * addresses to be registered, and the certificates of SAML providers. Nobody is signed in for it.
 */
import { ResponseBodyError } from 'openid-client'
import { Fault } from '../base/fault.ts'
import type { Config, Path } from '../config/config.ts'
import type {
  EntraSignInConfig,
  GraphConfig,
  OidcSignInConfig,
  SamlSignInConfig,
} from '../config/types.ts'
import { fetchJson } from '../identity/fetch-json.ts'
import { openOidc } from '../signin/oidc.ts'
import { meaningOf } from './live-entra-words.ts'
import { graphLooks } from './live-graph.ts'
import { wrong } from './live-look.ts'
import type { Look, LookParts, Seen } from './live-look.ts'
import { certificateLook, entryPointLook } from './live-saml.ts'

export function signInLooks(parts: LookParts): Look[] {
  return parts.config.identity.signIn.flatMap((signIn, index): Look[] => {
    const path = ['identity', 'sign_in', index]
    switch (signIn.type) {
      case 'accounts':
        return []
      case 'saml':
        return samlLooks(signIn, path, parts)
      case 'oidc':
        return oidcLooks(signIn, path, parts)
      case 'entra':
        return [...oidcLooks(signIn, path, parts), ...graphOf(signIn, path, parts)]
    }
  })
}

/** Where the pages of a sign-in stand: on the console, and on the gateway where it hands out tokens. */
function bases({ console, identity, publicUrl }: Config): string[] {
  const gateway = identity.authorizationServer ? [`${publicUrl}/oauth/login`] : []
  return [...gateway, `${console.publicUrl}/login`]
}

type Oidc = OidcSignInConfig | EntraSignInConfig

function oidcLooks(signIn: Oidc, path: Path, parts: LookParts): Look[] {
  const { name } = signIn
  const of = bases(parts.config).map((base) => `${base}/callback/${encodeURIComponent(name)}`)
  const issuer = signIn.type === 'oidc' ? [...path, 'issuer'] : [...path, 'tenant']
  return [
    { what: `sign-in ${name}`, path: issuer, look: () => describe(signIn, parts) },
    {
      what: `client of ${name}`,
      path: [...path, 'client_id'],
      look: () => tryClient(signIn, path, of[0] ?? '', parts),
    },
    {
      what: `redirects of ${name}`,
      path,
      look: () => `register at the provider, as web redirect: ${of.join(' and ')}`,
    },
  ]
}

function issuerOf(signIn: Oidc): string {
  if (signIn.type === 'oidc') return signIn.issuer
  return `${signIn.authority}/${signIn.tenant}/v2.0`
}

/** OpenID Connect Discovery §4; RFC 8414 §2 for the members. */
async function describe(signIn: Oidc, { fetch }: LookParts): Promise<Seen> {
  const issuer = issuerOf(signIn)
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const found = await fetchJson(address, fetch)
  if (found.kind !== 'json') {
    const hint =
      signIn.type === 'entra'
        ? 'compare tenant with "Directory (tenant) ID", and authority in a national cloud'
        : 'look at issuer, proxy and firewall'
    throw wrong(`has no description to be had at ${address}; ${hint}`, found.cause)
  }
  const member = (name: string): unknown => Reflect.get(found.value, name)
  if (member('issuer') !== issuer) {
    throw wrong(
      `describes itself as another issuer than ${issuer}; compare the slash at the end, and take one tenant, not common`,
    )
  }
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri']) {
    if (typeof member(name) !== 'string') throw wrong(`does not tell its ${name} (${address})`)
  }
  if (lacks(member('response_types_supported'), 'code')) {
    throw wrong('does not support the response type code, the only one that is used here')
  }
  if (signIn.type === 'entra') return `tells where to sign in (${address}); PKCE is supported`
  return pkce(member('code_challenge_methods_supported'), address)
}

function pkce(methods: unknown, address: string): Seen {
  if (methods === undefined) {
    const doubt =
      'does not say whether it supports PKCE (code_challenge_methods_supported is missing); S256 is sent all the same'
    return { doubt }
  }
  if (lacks(methods, 'S256')) throw wrong('supports no PKCE with S256, which is always used here')
  return `tells where to sign in (${address}); PKCE with S256 is supported`
}

/** Whether a list is there and lacks a word. */
function lacks(list: unknown, word: string): boolean {
  return Array.isArray(list) && !list.includes(word)
}

/**
 * Asks for tokens by a code nobody gave: a provider that knows us says that the code is wrong
 * (`invalid_grant`), another one that we are (`invalid_client`; RFC 6749 §5.2).
 */
async function tryClient(
  signIn: Oidc,
  path: Path,
  callback: string,
  { clock, secrets }: LookParts,
): Promise<Seen> {
  const { origin, pathname } = new URL(callback)
  const base = pathname.slice(0, pathname.lastIndexOf('/callback/'))
  if (signIn.clientSecret !== undefined) {
    const where = `identity.sign_in[${String(path[2])}].client_secret`
    await secrets.ready([{ ref: signIn.clientSecret, where }])
  }
  const none = (): undefined => undefined
  const parts = { origin, base, clock, secrets, groupsOf: none, sameAs: none }
  const provider = openOidc(signIn, parts)
  try {
    const { awaited } = await provider.begin({ id: 'check', isFresh: false })
    const back = new URL(callback)
    back.search = new URLSearchParams({
      code: 'a-code-nobody-gave',
      state: awaited.state,
      iss: issuerOf(signIn),
    }).toString()
    await provider.finish(back, awaited, false)
  } catch (error) {
    return outcome(error)
  }
  return { doubt: 'was given tokens for a code nobody gave; that is no provider to be trusted' }
}

function outcome(error: unknown): Seen {
  if (!(error instanceof Fault)) throw error
  const { detail, reason } = error.facts
  const body = error.cause instanceof ResponseBodyError ? error.cause.cause : undefined
  const meaning = meaningOf(body)
  if (meaning !== undefined) throw wrong(meaning, error)
  if (reason === 'provider_discovery') throw wrong('was not tried: there is no description', error)
  if (detail === 'invalid_grant') return 'the provider knows client_id and secret'
  if (detail === 'invalid_client' || isUnauthorized(error.cause)) {
    throw wrong('the provider refuses client_id or client_secret (invalid_client)', error)
  }
  if (detail === 'unauthorized_client') {
    throw wrong('the provider does not let this client sign people in by code', error)
  }
  if (error.code === 'identity_down') throw wrong('the token endpoint does not answer', error)
  const doubt =
    'whether the provider knows client_id and secret cannot be told without a sign-in (its token endpoint said something else)'
  return { doubt }
}

/** A 401 with a challenge, which some providers answer in place of `invalid_client`. */
function isUnauthorized(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'status') === 401
}

function graphOf(signIn: EntraSignInConfig, path: Path, parts: LookParts): Look[] {
  const { authority, graph, name, tenant } = signIn
  if (graph === undefined) return []
  return graphLooks(
    { what: `graph of ${name}`, name, authority, tenant, graph },
    [...path, 'graph'],
    parts,
  )
}

function samlLooks(signIn: SamlSignInConfig, path: Path, parts: LookParts): Look[] {
  const { name } = signIn
  const of = bases(parts.config).map((base) => `${base}/saml/${encodeURIComponent(name)}/metadata`)
  const metadata: Look = {
    what: `metadata of ${name}`,
    path,
    look: () => `give the provider ${of.join(' and ')}`,
  }
  return [
    certificateLook(signIn, path, parts),
    entryPointLook(signIn, path, parts),
    metadata,
    ...samlGraph(signIn, path, parts),
  ]
}

/** The tenant is that of the issuer whose people these are. */
function samlGraph(signIn: SamlSignInConfig, path: Path, parts: LookParts): Look[] {
  const { graph, name, sameAs } = signIn
  const same = parts.config.identity.issuers.find((one) => one.name === sameAs)
  if (graph === undefined || same?.type !== 'entra') return []
  const own: GraphConfig = graph
  return same.tenants.flatMap((tenant) => {
    const short = same.tenants.length > 1 ? ` ${tenant.slice(0, 8)}` : ''
    const of = { what: `graph of ${name}${short}`, name, authority: same.authority, tenant }
    return graphLooks({ ...of, graph: own }, [...path, 'graph'], parts)
  })
}
