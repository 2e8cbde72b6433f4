import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { systemClock } from '../base/clock.ts'
import type { OidcIssuerConfig } from '../config/types.ts'
import { createIdentity } from './identify.ts'

/** A real OpenID Connect provider, `oidc-provider`, whose clients get tokens for themselves. */
const resource = 'https://mcp.example.com/mcp/payments'
const clientSecret = 'a-secret-of-this-test-only'
let issuer = ''
const server = createServer()

before(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant`
  const keys = await Promise.all(
    ['RS256', 'ES256'].map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true })
      return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `key-${alg}` }
    }),
  )
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: 'batch',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['mcp'],
    extraTokenClaims: () => ({ roles: ['reader'], groups: ['batch-jobs'] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: unknown, indicator: string) => ({
          scope: 'mcp',
          audience: indicator,
          accessTokenFormat: indicator.includes('opaque') ? 'opaque' : 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: indicator.includes('ec') ? 'ES256' : 'RS256' } },
        }),
      },
    },
  })
  const handle = provider.callback()
  server.on('request', (request, response) => {
    // The provider is mounted below a path, as many are.
    request.url = request.url?.replace(/^\/tenant/, '')
    Reflect.set(request, 'originalUrl', `/tenant${request.url}`)
    void handle(request, response)
  })
})
after(() => {
  server.close()
})

async function tokenFor(indicator: string): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`batch:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'mcp',
      resource: indicator,
    }),
  })
  const body = (await answer.json()) as Record<string, unknown>
  assert.equal(answer.status, 200, JSON.stringify(body))
  return String(body['access_token'])
}

function row(over: Partial<OidcIssuerConfig> = {}): OidcIssuerConfig {
  return {
    type: 'oidc',
    name: 'provider',
    issuer,
    audience: [],
    algorithms: ['RS256', 'ES256'],
    clients: [],
    groupsClaim: 'groups',
    rolesClaim: 'roles',
    nameClaim: 'name',
    kind: 'auto',
    ...over,
  }
}
const open = (over: Partial<OidcIssuerConfig> = {}): ReturnType<typeof createIdentity> =>
  createIdentity({
    issuers: [row(over)],
    publicUrl: 'https://mcp.example.com',
    clock: systemClock(),
  })

test('a token of a real provider, made for another resource, is refused', async () => {
  const sent = await tokenFor('https://mcp.example.com/mcp/other')
  await assert.rejects(open().identify([`Bearer ${sent}`], resource), {
    facts: { reason: 'audience', issuer: 'provider' },
  })
})

test('an opaque token of a real provider is refused', async () => {
  const sent = await tokenFor('https://opaque.example.com/')
  await assert.rejects(open().identify([`Bearer ${sent}`], resource), {
    facts: { reason: 'malformed' },
  })
})

test('a real provider under an issuer that differs from its own word is not believed', async () => {
  const at = open({ issuer: issuer.replace('127.0.0.1', 'localhost') })
  const sent = await tokenFor(resource)
  await assert.rejects(at.identify([`Bearer ${sent}`], resource), { facts: { reason: 'issuer' } })
})

test('an algorithm the configuration leaves out is refused although the provider publishes its key', async () => {
  const at = open({ algorithms: ['RS256'] })
  const sent = await tokenFor('https://ec.example.com/mcp')
  await assert.rejects(at.identify([`Bearer ${sent}`], 'https://ec.example.com/mcp'), {
    facts: { reason: 'algorithm', issuer: 'provider' },
  })
})

for (const address of [resource, 'https://ec.example.com/mcp']) {
  test(`a token of a real provider gives its client as a service: ${address}`, async () => {
    const sent = await tokenFor(address)
    const principal = await open().identify([`Bearer ${sent}`], address)
    assert.equal(principal.issuer, issuer)
    assert.equal(principal.subject, 'batch')
    assert.equal(principal.kind, 'service')
    assert.equal(principal.clientId, 'batch')
    assert.deepEqual([principal.groups, principal.roles], [['batch-jobs'], ['reader']])
  })
}
