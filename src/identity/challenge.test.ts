import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IssuerConfig } from '../config/types.ts'
import { createIdentity } from './identify.ts'
import type { Identity } from './identify.ts'
import type { LocalIssuer } from './local.ts'
import { Standing } from './tokens.fixture.ts'

/** Which issuers a client is sent to. Nothing here is fetched, and no key is used. */
const publicUrl = 'https://mcp.example.com'
const resource = `${publicUrl}/mcp/payments`
const tenant = '1a1a1a1a-2222-4333-8444-55555555abcd'
const microsoft = 'https://login.microsoftonline.com'
const local: LocalIssuer = {
  issuer: `${publicUrl}/oauth`,
  mint: () => assert.fail(),
  jwks: () => ({ keys: [] }),
  documents: () => ({}),
  privateKeys: () => [],
  revision: 0,
}
const inside: IssuerConfig = { type: 'local', name: 'local', issuer: local.issuer, audience: [] }
const company: IssuerConfig = {
  type: 'oidc',
  name: 'company',
  issuer: 'https://login.example.com',
  audience: [],
  algorithms: ['RS256'],
  clients: [],
  groupsClaim: 'groups',
  rolesClaim: 'roles',
  nameClaim: 'name',
  kind: 'auto',
}
const entra = (...audience: readonly string[]): IssuerConfig => ({
  type: 'entra',
  name: 'entra',
  tenants: [tenant],
  authority: microsoft,
  authorityV1: 'https://sts.windows.net',
  audience,
  versions: ['1.0', '2.0'],
  clients: [],
})
const github: IssuerConfig = {
  type: 'github-actions',
  name: 'ci',
  issuer: 'https://token.actions.githubusercontent.com',
  audience: [publicUrl],
  allow: [],
}

function open(issuers: readonly IssuerConfig[], isAuthorizationServerOn = false): Identity {
  return createIdentity({
    issuers,
    publicUrl,
    clock: new Standing(),
    local,
    isAuthorizationServerOn,
  })
}

const tables: readonly [
  what: string,
  at: Identity,
  servers: readonly string[] | undefined,
  scope: string,
][] = [
  ['GitHub alone', open([github]), undefined, 'mcp'],
  ['Entra under another App ID URI', open([entra('api://x')]), undefined, 'mcp'],
  ['the local issuer alone', open([inside]), [local.issuer], 'mcp'],
  [
    'an OpenID provider beside the local issuer',
    open([inside, company]),
    ['https://login.example.com'],
    'mcp',
  ],
  [
    'the authorization server, first',
    open([github, company, entra('api://x'), inside], true),
    [local.issuer, 'https://login.example.com'],
    'mcp',
  ],
  [
    'Entra under this address, once for both versions',
    open([entra('api://x', resource), company]),
    [`${microsoft}/${tenant}/v2.0`, 'https://login.example.com'],
    `${resource}/mcp`,
  ],
  [
    'Entra under this address with a slash',
    open([entra(`${resource}/`)]),
    [`${microsoft}/${tenant}/v2.0`],
    `${resource}/mcp`,
  ],
  [
    'an OpenID provider under this address, and GitHub',
    open([
      { ...company, audience: [resource] },
      { ...github, audience: [resource] },
    ]),
    ['https://login.example.com'],
    'mcp',
  ],
  [
    'the authorization server before Entra under this address',
    open([entra(resource), inside], true),
    [local.issuer, `${microsoft}/${tenant}/v2.0`],
    'mcp',
  ],
]
for (const [what, at, servers, scope] of tables) {
  test(`a client is sent to ${servers === undefined ? 'nobody' : 'the right issuers'}: ${what}`, () => {
    const found = at.metadata('/mcp/payments') as Record<string, unknown>
    assert.deepEqual(found['authorization_servers'], servers)
    assert.equal('authorization_servers' in found, servers !== undefined)
    assert.deepEqual(found['scopes_supported'], [scope])
    assert.match(at.challenge(resource), new RegExp(`scope="${scope}"$`))
    assert.doesNotMatch(at.challenge(resource, 'role'), /insufficient_scope/)
  })
}

test('two issuers that are one are told at start-up', () => {
  const twice = { ...company, name: 'again' }
  assert.throws(() => open([company, twice]), { code: 'config_bad' })
  const same = { ...company, issuer: `${microsoft}/${tenant}/v2.0` }
  assert.throws(() => open([same, entra('api://x')]), { code: 'config_bad' })
})
