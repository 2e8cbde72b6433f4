/** For tests: a real OpenID provider on a real port, whose people sign in without being asked. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestContext } from 'node:test'
import Provider from 'oidc-provider'
import type { Configuration } from 'oidc-provider'

export interface Idp {
  readonly origin: string
  readonly issuer: string
  /** What every person's ID token says besides `sub`; may be changed. */
  claims: Record<string, unknown>
  /** Seconds since 1970 at which people signed in; now where it is missing. */
  signedInAt: number | undefined
  /** Query of the last authorization request. */
  asked: URLSearchParams
  /** Requests to paths that hold this are answered with 503. */
  down: string | undefined
  /** The same, but the connection breaks. */
  dead: string | undefined
  readonly requests: string[]
  /** Begins to answer; @param callbacks addresses at which the client takes answers. */
  serve(callbacks: readonly string[], more?: Configuration): void
}

/** @param path of the issuer, such as `/TENANT/v2.0`. */
export async function openIdp(t: Pick<TestContext, 'after'>, path = ''): Promise<Idp> {
  let provider: Provider | undefined
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://idp.invalid')
    idp.requests.push(`${request.method} ${url.pathname}`)
    if (idp.down !== undefined && url.pathname.includes(idp.down)) {
      response.writeHead(503).end()
      return
    }
    if (idp.dead !== undefined && url.pathname.includes(idp.dead)) {
      request.socket.destroy()
      return
    }
    if (url.pathname.endsWith('/auth')) idp.asked = url.searchParams
    if (url.pathname.startsWith('/sign-in/')) {
      const login = { accountId: 'person-1', ...ts(idp.signedInAt) }
      void provider?.interactionFinished(request, response, { login, consent: {} })
      return
    }
    const original = request.url ?? ''
    request.url = original.startsWith(path) ? original.slice(path.length) || '/' : original
    Object.assign(request, { originalUrl: original })
    void provider?.callback()(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const origin = `http://127.0.0.1:${address.port}`
  const issuer = `${origin}${path}`
  const idp: Idp = {
    origin,
    issuer,
    claims: {},
    signedInAt: undefined,
    asked: new URLSearchParams(),
    down: undefined,
    dead: undefined,
    requests: [],
    serve(callbacks, more = {}) {
      provider = new Provider(issuer, { ...configuration(callbacks, () => idp.claims), ...more })
    },
  }
  return idp
}

function ts(signedInAt: number | undefined): { readonly ts?: number } {
  return signedInAt === undefined ? {} : { ts: signedInAt }
}

function configuration(
  callbacks: readonly string[],
  claims: () => Record<string, unknown>,
): Configuration {
  const names = 'name email groups roles tid oid amr _claim_names _claim_sources hasgroups sid'
  return {
    clients: [
      {
        client_id: 'sallyport',
        client_secret: 'client-secret',
        redirect_uris: [...callbacks],
        require_auth_time: true,
      },
    ],
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...claims() }),
    }),
    claims: { openid: ['sub', ...names.split(' ')] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_context, interaction) => `/sign-in/${interaction.uid}` },
    cookies: { keys: ['test'] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, IdToken: 600 },
    async loadExistingGrant(context) {
      const { client, session } = context.oidc
      const grant = new context.oidc.provider.Grant({
        accountId: session?.accountId ?? '',
        clientId: client?.clientId ?? '',
      })
      grant.addOIDCScope('openid profile')
      await grant.save()
      return grant
    },
  }
}
