import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { appId, appOid, group, oid, otherTenant, tenant } from '../../tests/peers/entra-fake.ts'
import { systemClock } from '../base/clock.ts'
import type { EntraIssuerConfig } from '../config/types.ts'
import { createIdentity } from './identify.ts'
import type { Identity } from './identify.ts'

/**
 * Two real OpenID providers, `oidc-provider`, as two tenants of Entra: an application gets tokens for
 * itself, and people sign in with code and PKCE.
 */
const resource = 'https://mcp.example.com/mcp/payments'
const clientSecret = 'a-secret-of-this-test-only'
const redirect = 'http://127.0.0.1:3333/callback'
type Handle = (request: IncomingMessage, response: ServerResponse) => void
const server = createServer()
let origin = ''
/** What the next token says besides the usual. */
let extra: Record<string, unknown> = {}

before(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const providers = new Map<string, Handle>()
  for (const tid of [tenant, otherTenant]) providers.set(`/${tid}/v2.0`, await provider(tid))
  server.on('request', (request, response) => {
    const prefix = (request.url ?? '').split('/').slice(0, 3).join('/')
    const rest = request.url?.slice(prefix.length) ?? ''
    Reflect.set(request, 'originalUrl', request.url)
    request.url = rest
    providers.get(prefix)?.(request, response)
  })
})
after(() => {
  server.close()
  server.closeAllConnections()
})

async function provider(tid: string): Promise<Handle> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const key = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: `key-of-${tid}` }
  const made = new Provider(`${origin}/${tid}/v2.0`, {
    jwks: { keys: [key] },
    clients: [
      {
        client_id: 'batch',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'editor',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [redirect],
      },
    ],
    scopes: ['openid', 'mcp'],
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, { uid }) => `/${tid}/v2.0/login/${uid}` },
    extraTokenClaims: (_, token) =>
      token.kind === 'ClientCredentials'
        ? { tid, ver: '2.0', oid: appOid, sub: appOid, azp: 'batch', idtyp: 'app', ...extra }
        : { tid, ver: '2.0', oid, azp: 'editor', scp: 'mcp', name: 'Ada', uti: 'u-1', ...extra },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'api://sallyport',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'mcp',
          audience: appId,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 300, Interaction: 60, Session: 60 },
  })
  const handle = made.callback()
  return (request, response) => {
    const isLogin = request.url?.startsWith('/login/') === true
    void (isLogin ? login(made, request, response) : handle(request, response))
  }
}

/** Whoever comes is Ada, and consents. */
async function login(
  at: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { params, prompt, session } = await at.interactionDetails(request, response)
  if (prompt.name === 'login') {
    return at.interactionFinished(request, response, { login: { accountId: 'pairwise-ada' } })
  }
  const accountId = String(session?.accountId)
  const grant = new at.Grant({ accountId, clientId: String(params['client_id']) })
  grant.addOIDCScope('openid mcp')
  grant.addResourceScope('api://sallyport', 'mcp')
  const grantId = await grant.save()
  return at.interactionFinished(request, response, { consent: { grantId } })
}

async function applicationToken(tid = tenant): Promise<string> {
  const credentials = Buffer.from(`batch:${clientSecret}`).toString('base64')
  return askToken(tid, { grant_type: 'client_credentials', scope: 'mcp' }, `Basic ${credentials}`)
}

async function askToken(
  tid: string,
  form: Record<string, string>,
  authorization = '',
): Promise<string> {
  const answer = await fetch(`${origin}/${tid}/v2.0/token`, {
    method: 'POST',
    headers: authorization === '' ? {} : { authorization },
    body: new URLSearchParams({ resource: 'api://sallyport', ...form }),
  })
  const body = (await answer.json()) as Record<string, unknown>
  assert.equal(answer.status, 200, JSON.stringify(body))
  return String(body['access_token'])
}

/** Code and PKCE (RFC 7636, appendix B), by a browser that follows redirects and keeps cookies. */
async function personToken(tid = tenant): Promise<{ access: string; id: string }> {
  const query = new URLSearchParams({
    client_id: 'editor',
    response_type: 'code',
    redirect_uri: redirect,
    scope: 'openid mcp',
    resource: 'api://sallyport',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    nonce: 'n-1',
  })
  const cookies = new Map<string, string>()
  let address = new URL(`${origin}/${tid}/v2.0/auth?${query.toString()}`)
  while (address.port !== '3333') {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(address, { headers: { cookie }, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]?.split('=') ?? []
      cookies.set(name, value)
    }
    assert.equal(answer.status, 303, await answer.text())
    address = new URL(answer.headers.get('location') ?? '', address)
  }
  const answer = await fetch(`${origin}/${tid}/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'editor',
      redirect_uri: redirect,
      code: address.searchParams.get('code') ?? '',
      code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      resource: 'api://sallyport',
    }),
  })
  const body = (await answer.json()) as Record<string, unknown>
  assert.equal(answer.status, 200, JSON.stringify(body))
  return { access: String(body['access_token']), id: String(body['id_token']) }
}

function open(over: Partial<EntraIssuerConfig> = {}): Identity {
  const row = {
    type: 'entra',
    name: 'entra',
    tenants: [tenant],
    authority: origin,
    authorityV1: `${origin}/v1`,
    audience: [appId],
    versions: ['2.0'],
    clients: [],
  } as const
  return createIdentity({
    issuers: [{ ...row, ...over }],
    publicUrl: 'https://mcp.example.com',
    clock: systemClock(),
  })
}
const identify = (sent: string, at = open()): ReturnType<Identity['identify']> =>
  at.identify([`Bearer ${sent}`], resource)

test('somebody who signed in at a tenant is let in as tenant and object id', async () => {
  extra = { roles: ['analyst'], groups: [group(7)] }
  const { access, id } = await personToken()
  const found = await identify(access)
  assert.deepEqual(
    [found.issuer, found.subject, found.kind],
    [`${origin}/${tenant}/v2.0`, oid, 'person'],
  )
  assert.deepEqual([found.roles, found.groups], [['analyst'], [group(7)]])
  assert.deepEqual([found.clientId, found.tokenId, found.name], ['editor', 'u-1', 'Ada'])
  // The ID token of the same sign-in was made for the client, and says less.
  await assert.rejects(identify(id), { facts: { reason: 'type', issuer: 'entra' } })
})

test('a tenant that is not configured lets nobody in, and is let in where it is', async () => {
  extra = { roles: ['analyst'] }
  const { access } = await personToken(otherTenant)
  await assert.rejects(identify(access), { facts: { reason: 'issuer' } })
  const both = open({ tenants: [tenant, otherTenant] })
  assert.equal((await identify(access, both)).issuer, `${origin}/${otherTenant}/v2.0`)
  extra = { roles: ['analyst'], tid: tenant } // A tenant that speaks for another one.
  const lie = await personToken(otherTenant)
  await assert.rejects(identify(lie.access, both), { facts: { reason: 'tenant', issuer: 'entra' } })
})

test('an application of the tenant without a role is refused, with one it is a service', async () => {
  extra = {}
  await assert.rejects(identify(await applicationToken()), {
    facts: { reason: 'role', issuer: 'entra' },
  })
  extra = { roles: ['batch.run'] }
  const found = await identify(await applicationToken())
  assert.deepEqual([found.kind, found.subject, found.roles], ['service', appOid, ['batch.run']])
})
