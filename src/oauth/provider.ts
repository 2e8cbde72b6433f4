/** `oidc-provider` as this house wants it. Each option that is not its default says why. */
import { hash, hkdfSync } from 'node:crypto'
import Provider, { errors, interactionPolicy } from 'oidc-provider'
import type {
  ClientMetadata,
  Configuration,
  JWK,
  KoaContextWithOIDC,
  ResourceServer,
} from 'oidc-provider'
import { newId } from '../base/ids.ts'
import type { SigningKey } from '../identity/local-keys.ts'
import { documentFetch, isAllowedHost } from './documents.ts'
import type { GetDocument } from './documents.ts'
import type { SaidByClient } from './entries.ts'
import { isNative, scopes } from './metadata.ts'
import { mayAct } from './options.ts'
import type { AuthorizationServerOptions } from './options.ts'
import { errorPage, pageHeaders } from './pages.ts'
import type { Resources } from './resources.ts'
import type { Store } from './store.ts'

export const base = '/oauth'
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const interactionMs = 600_000
/** Names in principals and in the record are no longer. */
const clientIdCharactersMax = 256

export interface ProviderParts {
  readonly options: AuthorizationServerOptions
  readonly store: Store
  readonly resources: Resources
  readonly getDocument: GetDocument
  /** A client described by a document is about to be believed. */
  readonly onDocument: (said: SaidByClient, keysAddress: string | undefined) => Promise<void>
  /** The `keysAddress` that `onDocument` was told last for the request at hand. */
  readonly keysAddress: () => string | undefined
  /** Whether this request may have a document fetched. */
  readonly mayFetch: () => boolean
}

/** @param keys the one that signs first. A new provider is made when they change: it keeps no state. */
export function makeProvider(parts: ProviderParts, keys: readonly SigningKey[]): Provider {
  const { clock, config, publicUrl } = parts.options
  const provider = new Provider(`${publicUrl}${base}`, {
    adapter: (model: string) => parts.store.adapter(model),
    ...protocol(parts),
    ...people(parts),
    ...lifetimes(parts),
    jwks: { keys: keys.map(toJwk) },
    cookies: cookies(publicUrl, keys),
    clients: configuredClients(parts.options),
    features: features(parts),
    fetch: documentFetch(
      parts.getDocument,
      config.documentHosts,
      () => clock.nowUs() / 1000,
      parts.keysAddress,
    ),
  })
  provider.proxy = true // Its requests are made by `toLibrary`: they carry our own origin.
  return provider
}

/** Without what only the file says of it. */
function toJwk({ kty, crv, x, y, d, kid }: SigningKey): JWK {
  return { kty, crv, x, y, d, kid, alg: 'ES256', use: 'sig' }
}

function protocol({ options }: ProviderParts): Configuration {
  return {
    responseTypes: ['code'],
    scopes,
    claims: { openid: ['sub'] },
    pkce: { required: () => true },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: { id_token_signed_response_alg: 'ES256', grant_types: ['authorization_code'] },
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256'],
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    },
    rotateRefreshToken: true,
    // `offline_access` needs `prompt=consent`, which MCP clients do not send: whoever registered for
    // refresh tokens gets them.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    // A web page may ask for tokens where its own origin is among the client's redirects.
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    formats: { bitsOfOpaqueRandomness: 256 },
    clockTolerance: 5,
    renderError: (ctx, out) => {
      ctx.set({ ...pageHeaders })
      const said = out.error_description ?? 'The request could not be understood.'
      ctx.body = errorPage('This did not work', sentenceOf(said), out.error)
    },
    discovery: { service_documentation: undefined },
    extraTokenClaims: (_ctx, token) => {
      // The library issues no other kind: client credentials are off.
      if (token.kind !== 'AccessToken') return {}
      const { sessionUid } = token
      return {
        sp: true,
        gid: token.grantId,
        // One-way: the session's own name is asked for by the library.
        ...(sessionUid === undefined ? {} : { sid: hash('sha256', sessionUid, 'base64url') }),
      }
    },
    interactions: {
      policy: policy(),
      url: (_ctx, interaction) => `${options.publicUrl}${base}/i/${interaction.uid}`,
    },
  }
}

function sentenceOf(said: string): string {
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`
}

/** The library's checks, and two of ours. */
function policy(): interactionPolicy.DefaultPolicy {
  const prompts = interactionPolicy.base()
  const { Check } = interactionPolicy
  // A person who was stopped after signing in has a session and no account any more.
  const isGone = (ctx: KoaContextWithOIDC): boolean =>
    ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined
  prompts.get('login')?.checks.add(new Check('gone', 'the person is signed out', isGone))
  // Asked every time, also of a client that was allowed before and whatever session there is: a link
  // prepared by somebody else would else be answered without a person (MCP Security Best Practices,
  // "Confused Deputy").
  const isUnasked = (ctx: KoaContextWithOIDC): boolean =>
    ctx.oidc.account !== undefined && ctx.oidc.result?.consent === undefined
  const consent = prompts.get('consent')
  consent?.checks.remove('native_client_prompt')
  const error = 'consent_required'
  consent?.checks.add(new Check('always', 'the person is asked every time', error, isUnasked), 0)
  return prompts
}

function people({ options }: ProviderParts): Configuration {
  const { clock, directory, revocations } = options
  return {
    findAccount: (ctx, id, token) => {
      const person = directory.byId(id)
      const clientId = ctx.oidc.client?.clientId
      const issuedAtMs = issuedMs(ctx, token)
      const at = {
        nowMs: clock.nowUs() / 1000,
        ...(clientId === undefined ? {} : { clientId }),
        ...(issuedAtMs === undefined ? {} : { issuedAtMs }),
      }
      try {
        if (!mayAct(person, revocations, at)) return undefined
      } catch (cause) {
        throw unavailable(cause, options)
      }
      return { accountId: id, claims: () => ({ sub: id }) }
    },
    // Each yes is a grant of its own, so that ending one leaves the person's other devices alone.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId === undefined ? undefined : await ctx.oidc.provider.Grant.find(grantId)
    },
  }
}

/**
 * What a client is told while nobody can say who is stopped: not that its grant is bad, or it would
 * throw good tokens away.
 */
export function unavailable(
  cause: unknown,
  { onDefect }: Pick<AuthorizationServerOptions, 'onDefect'>,
): errors.TemporarilyUnavailable {
  onDefect?.(cause)
  const error = new errors.TemporarilyUnavailable('this cannot be decided now; try later')
  return Object.assign(error, { status: 503, statusCode: 503 })
}

/** When the person proved it that this token or session goes back to. */
function issuedMs(ctx: KoaContextWithOIDC, token: unknown): number | undefined {
  const seconds = numberAt(token, 'iiat') ?? numberAt(token, 'iat') ?? ctx.oidc.session?.loginTs
  return seconds === undefined ? undefined : seconds * 1000
}

function numberAt(of: unknown, name: string): number | undefined {
  const value: unknown = typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined
  return typeof value === 'number' ? value : undefined
}

function lifetimes({ options }: ProviderParts): Configuration {
  const { accessTokenMs, refreshTokenMs, sessionMs } = options.config
  const seconds = (ms: number): number => Math.max(1, Math.floor(ms / 1000))
  const refreshS = seconds(refreshTokenMs)
  return {
    ttl: {
      AccessToken: seconds(accessTokenMs),
      AuthorizationCode: 60,
      IdToken: seconds(accessTokenMs),
      Interaction: seconds(interactionMs),
      Session: seconds(sessionMs),
      // From the person's yes on, however often it is rotated.
      RefreshToken: (ctx) => ctx.oidc?.entities?.RotatedRefreshToken?.remainingTTL ?? refreshS,
      Grant: refreshS + 60,
    },
  }
}

function cookies(publicUrl: string, keys: readonly SigningKey[]): Configuration['cookies'] {
  // Browsers take both prefixes over https only; plain http is for loopback and trying things.
  const isSecure = publicUrl.startsWith('https:')
  const prefix = (name: string, path: '/' | 'own'): string =>
    isSecure ? `${path === '/' ? '__Host-' : '__Secure-'}${name}` : name
  const flags = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: true } as const
  return {
    names: {
      session: prefix('sallyport-oauth', '/'),
      interaction: prefix('sallyport-ask', 'own'),
      resume: prefix('sallyport-resume', 'own'),
    },
    long: flags,
    short: flags,
    keys: keys.map(({ d }) =>
      Buffer.from(hkdfSync('sha256', d, '', 'sallyport oauth cookies', 32)),
    ),
  }
}

function configuredClients({ config, secretOf }: AuthorizationServerOptions): ClientMetadata[] {
  const grants = ['authorization_code', 'refresh_token']
  if (config.assertionIssuers.length > 0) grants.push(jwtBearer)
  return config.clients.map(({ clientId, name, redirectUris, clientSecret }) => ({
    client_id: clientId,
    client_name: name,
    redirect_uris: [...redirectUris],
    application_type: redirectUris.every((uri) => isNative(new URL(uri))) ? 'native' : 'web',
    grant_types: grants,
    response_types: ['code'],
    ...(clientSecret === undefined
      ? { token_endpoint_auth_method: 'none' }
      : {
          token_endpoint_auth_method: 'client_secret_basic',
          client_secret: secretOf(clientSecret),
        }),
  }))
}

function features(parts: ProviderParts): NonNullable<Configuration['features']> {
  const { config, publicUrl } = parts.options
  return {
    devInteractions: { enabled: false }, // It ships a page that lets anybody in.
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    introspection: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    claimsParameter: { enabled: false },
    registration: {
      enabled: config.dynamicRegistration,
      idFactory: () => newId('cl'),
      issueRegistrationAccessToken: false,
    },
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    clientIdMetadataDocument: {
      enabled: config.documentHosts.length > 0,
      ack: 'draft-02',
      cacheDuration: { min: 30, max: 86_400 },
      allowFetch: (_ctx, id) => {
        const url = URL.parse(id)
        if (url === null || id.length > clientIdCharactersMax) return false
        return isAllowedHost(url, config.documentHosts) && parts.mayFetch()
      },
      // Asked each time a client is found, also for what it has kept of its document.
      allowClient: async (_ctx, { clientId: id, clientName: name, redirectUris = [], jwksUri }) => {
        await parts.onDocument({ id, name, redirects: redirectUris }, jwksUri)
        return true
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => publicUrl,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => {
        const audience = parts.resources.audienceOf(resource)
        if (audience === undefined) throw new errors.InvalidTarget('no such resource here')
        return resourceServer(parts.options, audience)
      },
    },
  }
}

/** How tokens for one of our resources look (RFC 9068). */
export function resourceServer(
  { config, local }: Pick<AuthorizationServerOptions, 'config' | 'local'>,
  audience: string,
): ResourceServer {
  const kid = local.privateKeys()[0]?.kid // The key that signs now: it may have changed since.
  return {
    scope: 'mcp',
    audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: Math.max(1, Math.floor(config.accessTokenMs / 1000)),
    jwt: { sign: { alg: 'ES256', ...(kid === undefined ? {} : { kid }) } },
  }
}
