/**
 * Sign-in at an OpenID provider or at Microsoft Entra ID: code with PKCE S256, state and nonce
 * (OpenID Connect Core §3.1, RFC 7636, RFC 9700 §2.1), through `openid-client`. The ID token's
 * signature is checked even though it comes over TLS.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client'
import type { ClientAuth, Configuration } from 'openid-client'
import { Fault } from '../base/fault.ts'
import type { EntraSignInConfig, OidcSignInConfig } from '../config/types.ts'
import { claimAt } from '../identity/claims.ts'
import { isLoopback } from './paths.ts'
import type { Proven } from './flows.ts'
import { oidcFault } from './oidc-faults.ts'
import { provenByEntra, provenByOidc } from './oidc-claims.ts'
import type { OidcClaims } from './oidc-claims.ts'
import { providerDown, providerRefused } from './provider-faults.ts'
import type { OidcProvider, ProviderParts, ReadSecret } from './providers.ts'

/** How often the provider's own description is read again, and how long an old one serves. */
const freshMs = 3_600_000
const staleMs = 24 * 3_600_000
/** What we wait for an answer of the provider. */
const timeoutSeconds = 10
const refreshAgainMs = 30_000

type Config = OidcSignInConfig | EntraSignInConfig

/** @throws {Fault} `config_bad` for an issuer over plain HTTP elsewhere; `secret_missing`. */
export function openOidc(config: Config, parts: ProviderParts): OidcProvider {
  const issuer = issuerOf(config)
  const { hostname, protocol } = issuer
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    throw new Fault(
      'config_bad',
      `The issuer of sign-in ${config.name} must be an https:// address.`,
    )
  const where = `identity.sign_in ${config.name}: client_secret`
  const secret = config.clientSecret && parts.secrets.open(config.clientSecret, 'header', where)
  return new Oidc(config, parts, new Discovered(issuer, config.clientId, secret, parts.clock))
}

/** `{authority}/{tenant}/v2.0` for Entra: one tenant, so the issuer is exact. */
function issuerOf(config: Config): URL {
  if (config.type === 'oidc') return new URL(config.issuer)
  return new URL(`${config.authority}/${config.tenant}/v2.0`)
}

class Oidc implements OidcProvider {
  readonly name: string
  readonly type: 'oidc' | 'entra'
  readonly #config: Config
  readonly #parts: ProviderParts
  readonly #discovered: Discovered
  readonly #callback: string

  constructor(config: Config, parts: ProviderParts, discovered: Discovered) {
    this.name = config.name
    this.type = config.type
    this.#config = config
    this.#parts = parts
    this.#discovered = discovered
    // Each provider has an address of its own, so an answer of one is never taken for another's.
    this.#callback = `${parts.origin}${parts.base}/callback/${encodeURIComponent(config.name)}`
  }

  async begin(flow: Parameters<OidcProvider['begin']>[0]): ReturnType<OidcProvider['begin']> {
    const provider = await this.#discovered.read()
    const verifier = randomPKCECodeVerifier()
    const state = `${flow.id}.${randomState()}`
    const nonce = randomNonce()
    const redirect = buildAuthorizationUrl(provider, {
      redirect_uri: this.#callback,
      response_type: 'code',
      // A post of the provider would be cross-site and come without our cookie.
      response_mode: 'query',
      scope: scopesOf(this.#config),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(flow.isFresh ? { prompt: 'login', max_age: '0' } : {}),
    })
    const askedMs = this.#nowMs()
    return {
      redirect,
      awaited: { kind: 'oidc', method: this.name, state, nonce, verifier, askedMs },
    }
  }

  async finish(
    url: URL,
    awaited: Parameters<OidcProvider['finish']>[1],
    isFresh: boolean,
  ): Promise<Proven> {
    const provider = await this.#discovered.read()
    const came = new URL(this.#callback)
    came.search = url.search
    const claims = await this.#claims(provider, came, awaited)
    const config = this.#config
    const at = { claims, nowMs: this.#nowMs(), askedMs: awaited.askedMs, isFresh }
    if (config.type === 'oidc') return provenByOidc(config, at)
    return await provenByEntra(config, at, this.#parts.groupsOf(config.name))
  }

  /** The ID token's claims, and where it lacks what is wanted those of the user info endpoint. */
  async #claims(
    provider: Configuration,
    came: URL,
    { nonce, state, verifier }: Parameters<OidcProvider['finish']>[1],
  ): Promise<OidcClaims> {
    try {
      const tokens = await authorizationCodeGrant(provider, came, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (claims === undefined) throw providerRefused('id_token_missing')
      const isWhole = this.#config.type === 'entra' || this.#hasAll(claims)
      if (isWhole || provider.serverMetadata().userinfo_endpoint === undefined) return claims
      // The ID token is signed: what it says goes before what the endpoint says.
      return { ...(await fetchUserInfo(provider, tokens.access_token, claims.sub)), ...claims }
    } catch (error) {
      throw oidcFault(error)
    }
  }

  #hasAll(claims: OidcClaims): boolean {
    if (this.#config.type === 'entra') return true
    const { groupsClaim, nameClaim, rolesClaim } = this.#config
    return [groupsClaim, nameClaim, rolesClaim].every((name) => claimAt(claims, name) !== undefined)
  }

  #nowMs(): number {
    return Math.floor(this.#parts.clock.nowUs() / 1000)
  }
}

function scopesOf({ scopes }: Config): string {
  return [...new Set(['openid', ...scopes])].join(' ')
}

/** A provider's description (OpenID Connect Discovery §4): kept an hour, and a day while it is down. */
class Discovered {
  readonly #issuer: URL
  readonly #clientId: string
  readonly #secret: ReadSecret | undefined
  readonly #clock: ProviderParts['clock']
  #kept: { configuration: Configuration; atMs: number; triedMs: number } | undefined
  #reading: Promise<Configuration> | undefined

  constructor(
    issuer: URL,
    clientId: string,
    secret: ReadSecret | undefined,
    clock: ProviderParts['clock'],
  ) {
    this.#issuer = issuer
    this.#clientId = clientId
    this.#secret = secret
    this.#clock = clock
  }

  async read(): Promise<Configuration> {
    const nowMs = this.#clock.monotonicMs()
    const kept = this.#kept
    if (kept && nowMs - kept.atMs < freshMs) return kept.configuration
    const isServing = kept !== undefined && nowMs - kept.atMs < staleMs
    if (isServing && nowMs - kept.triedMs < refreshAgainMs) return kept.configuration
    try {
      this.#reading ??= this.#discover()
      return await this.#reading
    } catch (error) {
      if (!isServing) throw error
      kept.triedMs = nowMs // Its keys are read by themselves; only addresses are old here.
      return kept.configuration
    } finally {
      this.#reading = undefined
    }
  }

  async #discover(): Promise<Configuration> {
    const isPlain = this.#issuer.protocol === 'http:'
    const execute = [enableNonRepudiationChecks, ...(isPlain ? [allowInsecureRequests] : [])]
    try {
      const options = { execute, timeout: timeoutSeconds }
      const auth = clientAuth(this.#secret)
      const found = await discovery(this.#issuer, this.#clientId, undefined, auth, options)
      const atMs = this.#clock.monotonicMs()
      this.#kept = { configuration: found, atMs, triedMs: atMs }
      return found
    } catch (error) {
      throw providerDown('provider_discovery', error)
    }
  }
}

/** The secret is read at each use: it may have been rotated. */
function clientAuth(secret: ReadSecret | undefined): ClientAuth {
  if (secret === undefined) return None()
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const isPost = !methods.includes('client_secret_basic')
    const value = secret.read().reveal()
    const by = isPost ? ClientSecretPost(value) : ClientSecretBasic(value)
    by(server, client, body, headers)
  }
}
