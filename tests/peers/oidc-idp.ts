/** A company's OpenID provider: `oidc-provider` behind a login page where one types a name. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import Provider from 'oidc-provider'
import type { Configuration } from 'oidc-provider'

/** What the ID token of a person says besides `sub`, which is `sub-` and the name. */
export type OidcUser = Readonly<Record<string, unknown>>

export interface OidcIdp {
  readonly issuer: string
  /** The one client, confidential. */
  readonly clientId: string
  readonly clientSecret: string
  /** By the name that is typed into the login page; may be changed. */
  readonly users: Map<string, OidcUser>
  /** Names that signed in, in order. */
  readonly signedIn: string[]
  /** Begins to answer. @param callbacks where answers may go, once that is known. */
  serve(callbacks: readonly string[]): void
  /**
   * A logout token (OpenID Connect Back-Channel Logout 1.0 §2.4), signed as ID tokens are.
   * @param over claims in place of the usual ones; undefined takes one out.
   */
  logoutToken(subject: string, over?: Record<string, unknown>): Promise<string>
  close(): Promise<void>
}

const clientId = 'sallyport'
const clientSecret = 'the-secret-of-the-gateway-at-its-provider'
const event = 'http://schemas.openid.net/event/backchannel-logout'

/** Starts one on a free port of 127.0.0.1. */
export async function startOidcIdp(users: Readonly<Record<string, OidcUser>>): Promise<OidcIdp> {
  const { privateKey, publicKey: _ } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
  let provider: Provider | undefined
  const server = createServer((request, response) => {
    if (provider === undefined) response.writeHead(503).end()
    else void answer(idp, provider, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const idp: OidcIdp = {
    issuer,
    clientId,
    clientSecret,
    users: new Map(Object.entries(users)),
    signedIn: [],
    serve: (callbacks) => {
      provider = new Provider(issuer, configuration(idp, callbacks, jwk))
    },
    logoutToken: (subject, over = {}) => logoutToken(issuer, privateKey, subject, over),
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return idp
}

function configuration(idp: OidcIdp, callbacks: readonly string[], jwk: JWK): Configuration {
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [...callbacks],
        require_auth_time: true,
      },
    ],
    jwks: { keys: [jwk] },
    // oxlint-disable-next-line typescript/promise-function-async -- a type of the library's.
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...idp.users.get(id.slice('sub-'.length)) }),
    }),
    claims: { openid: ['sub', 'name', 'email', 'groups', 'roles'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_context, interaction) => `/sign-in/${interaction.uid}` },
    cookies: { keys: ['of the provider alone'] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, IdToken: 600 },
    // The gateway is the company's own: nobody is asked whether it may know who they are.
    async loadExistingGrant(context) {
      const { client, session } = context.oidc
      const [accountId, id] = [session?.accountId ?? '', client?.clientId ?? '']
      const grant = new context.oidc.provider.Grant({ accountId, clientId: id })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  }
}

async function answer(
  idp: OidcIdp,
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', idp.issuer)
  if (!pathname.startsWith('/sign-in/')) return provider.callback()(request, response)
  if (request.method === 'GET') return loginPage(response, '')
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const user = new URLSearchParams(Buffer.concat(parts).toString('utf8')).get('user') ?? ''
  if (!idp.users.has(user)) return loginPage(response, '<p role="alert">Unknown user.</p>')
  idp.signedIn.push(user)
  const login = { accountId: `sub-${user}`, amr: ['pwd', 'mfa'] }
  await provider.interactionFinished(request, response, { login, consent: {} })
}

function loginPage(response: ServerResponse, trouble: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(
    `<!doctype html><html lang="en"><title>Company sign-in</title><h1>Company sign-in</h1>${trouble}<form method="post"><label>User <input name="user" autocomplete="off"></label> <button>Sign in</button></form>`,
  )
}

function logoutToken(
  issuer: string,
  key: CryptoKey,
  subject: string,
  over: Record<string, unknown>,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: issuer,
    aud: clientId,
    sub: subject,
    iat: now,
    exp: now + 120,
    jti: crypto.randomUUID(),
    events: { [event]: {} },
    ...over,
  }
  const header = { alg: 'RS256', kid: 'k1', typ: 'logout+jwt' }
  return new SignJWT(claims).setProtectedHeader(header).sign(key)
}
