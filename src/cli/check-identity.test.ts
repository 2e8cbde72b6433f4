import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import {
  appId,
  entraRow,
  group,
  otherTenant,
  startEntra,
  tenant,
} from '../../tests/peers/entra-fake.ts'
import type { Entra } from '../../tests/peers/entra-fake.ts'
import { graphClient, graphSecret } from '../../tests/peers/graph-fake.ts'
import type { Mishap } from '../../tests/peers/json-fake.ts'
import { startKeyVault } from '../../tests/peers/keyvault-fake.ts'
import { clientId, clientSecret, startOAuth } from '../../tests/peers/oauth-fake.ts'
import { systemClock } from '../base/clock.ts'
import { readConfig } from '../config/config.ts'
import { makeKey } from '../identity/tokens.fixture.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { openIdp } from '../signin/provider.fixture.ts'
import { entraYaml, nameVersion1, openSite, openUpstream, saidOf } from './check.fixture.ts'
import type { EntraYaml, Site } from './check.fixture.ts'
import { issuerLooks } from './live-issuers.ts'

const key = await makeKey('new')
const opened: Entra[] = []
let entra: Entra
beforeEach(async () => {
  entra = await startEntra()
  opened.push(entra)
  entra.keys.v1 = [key.jwk]
  entra.keys.v2 = [{ ...key.jwk, issuer: `${entra.origin}/{tenantid}/v2.0` }]
})
after(async () => {
  await Promise.all(opened.map((each) => each.close()))
})

const env = {
  GRAPH_SECRET: graphSecret,
  CLIENT_SECRET: 'client-secret',
  SCIM: 'too-short-a-secret',
}
type Yaml = Partial<EntraYaml>
/** The issuer at the fake. */
const usual = (): Readonly<Record<string, unknown>> => ({
  tenant,
  audience: [appId, 'api://sallyport'],
  authority: entra.origin,
  authority_v1: entra.origin,
  graph: { url: entra.origin, client_id: graphClient, client_secret: '${env:GRAPH_SECRET}' },
})
const yamlOf = ({ row, ...yaml }: Yaml = {}): string =>
  entraYaml({ ...yaml, row: { ...usual(), ...row } })
const siteOf = (t: Parameters<typeof openSite>[0], yaml: Yaml = {}): Site => {
  const site = openSite(t, env)
  site.write(yamlOf(yaml))
  return site
}
const answer = (body: unknown, status = 200): Mishap => ({ status, body })
const wellKnown = /well-known/
const token = /oauth2/

interface Mistake {
  readonly row?: Readonly<Record<string, unknown>> & { readonly graph?: object }
  readonly fault?: () => void
  readonly what: string
  readonly said: RegExp
}

/** Twice: the command runs for JSON and for text. */
const twice = (path: RegExp, mishap: Mishap, times = 2): void => {
  for (let i = 0; i < times; i++) entra.once(path, mishap)
}

const mistakes: readonly [name: string, mistake: Mistake][] = [
  [
    'a tenant that is none',
    {
      fault: () => twice(wellKnown, answer({ error: 'invalid_tenant', error_codes: [90002] }, 400)),
      what: 'issuer entra 2.0',
      said: /^FAIL Entra knows no tenant of this id .* \(status 400\)\. Copy "Directory \(tenant\) ID"/,
    },
  ],
  [
    'an authority where nobody answers',
    {
      row: { authority: 'http://127.0.0.1:1' },
      what: 'issuer entra 2.0',
      said: /^FAIL Entra does not answer at http:\/\/127\.0\.0\.1:1; look at authority/,
    },
  ],
  [
    'a document of many tenants',
    {
      fault: () =>
        twice(wellKnown, answer({ issuer: 'https://x/{tenantid}/v2.0', jwks_uri: 'https://x/' })),
      what: 'issuer entra 2.0',
      said: /^FAIL its document is that of many tenants .*; look at authority,/,
    },
  ],
  [
    'an authority of version 1 that is not the one in v1 issuers',
    {
      row: { versions: ['1.0'], authority_v1: 'https://sts.windows.net' },
      what: 'issuer entra 1.0',
      said: /^FAIL its document names another issuer than https:\/\/sts\.windows\.net\/.*; look at authority_v1/,
    },
  ],
  [
    'keys of another tenant alone',
    {
      fault: () => (entra.keys.v2 = [{ ...key.jwk, issuer: 'https://x/other/v2.0' }]),
      what: 'issuer entra 2.0',
      said: /^FAIL publishes keys, but none that may sign for this tenant/,
    },
  ],
  [
    'no document of keys',
    {
      fault: () => twice(/discovery\/v2/, 'reset'),
      what: 'issuer entra 2.0',
      said: /^FAIL Tokens of issuer "entra" cannot be checked: its keys cannot be fetched/,
    },
  ],
  [
    'Graph of another cloud',
    {
      fault: () =>
        twice(
          wellKnown,
          answer({
            issuer: `${entra.origin}/${tenant}/v2.0`,
            jwks_uri: `${entra.origin}/${tenant}/discovery/v2.0/keys`,
            msgraph_host: 'graph.microsoft.us',
          }),
        ),
      what: 'issuer entra 2.0',
      said: /^FAIL is in another cloud than graph: set graph\.url to https:\/\/graph\.microsoft\.us$/,
    },
  ],
  [
    'a Graph without consent to read memberships',
    {
      fault: () => entra.consents.delete('GroupMember.Read.All'),
      what: 'graph of entra',
      said: /^FAIL has a token, but no consent to read memberships \(status 403\)\. Give .* GroupMember\.Read\.All and User\.Read\.All .*"Grant admin consent"/,
    },
  ],
  [
    'a Graph that does not answer the question',
    {
      fault: () => twice(/Groups$/, 'reset'),
      what: 'graph of entra',
      said: /^FAIL has a token, but .* does not answer the question for memberships/,
    },
  ],
  [
    'a client secret that is wrong',
    {
      fault: () => twice(token, answer({ error: 'invalid_client', error_codes: [7000215] }, 401)),
      what: 'graph of entra',
      said: /^FAIL gets no token for Graph: the client secret is wrong: take the column "Value", not "Secret ID" \(AADSTS7000215\)$/,
    },
  ],
  [
    'a client secret that has expired',
    {
      fault: () => twice(token, answer({ error: 'invalid_client', error_codes: [7000222] }, 401)),
      what: 'graph of entra',
      said: /^FAIL gets no token for Graph: the client secret has expired/,
    },
  ],
  [
    'a client id that is not the application’s',
    {
      row: { graph: graphOf({ client_id: appId }) },
      what: 'graph of entra',
      said: /^FAIL gets no token for Graph: client_id or client_secret is wrong or has expired$/,
    },
  ],
  [
    'a Graph secret that is not set',
    {
      row: { graph: graphOf({ client_secret: '${env:NOWHERE}' }) },
      what: 'graph of entra',
      said: /^FAIL .*graph\.client_secret.*environment variable is not set/,
    },
  ],
  [
    'a version 2.0 without the application id as audience',
    {
      row: { audience: ['api://sallyport'] },
      what: 'audience of entra',
      said: /^FAIL names no application id: tokens of version 2\.0 carry nothing else in aud\. Add "Application \(client\) ID"/,
    },
  ],
]

function graphOf(over: object): object {
  const { clientId } = entraRow('').graph ?? {}
  return { url: '', client_id: clientId, client_secret: '${env:GRAPH_SECRET}', ...over }
}

for (const [name, { fault, row = {}, said, what }] of mistakes) {
  test(`check finds ${name}`, async (t) => {
    fault?.()
    // The address of the fake is known here only.
    const graph = row.graph ? { graph: { ...row.graph, url: entra.origin } } : {}
    const { report, text } = await siteOf(t, { row: { ...row, ...graph } }).run()
    assert.match(saidOf(report, what), said)
    assert.match(text, new RegExp(`^FAIL {2}${what} .*\\(sallyport\\.yaml:\\d+:\\d+\\)$`, 'm'))
  })
}

const rules: readonly [name: string, access: string, what: string, said: RegExp][] = [
  [
    'a group by its name',
    '[{ name: eng, who: { issuer: entra, group: engineers }, may: { connection: payments } }]',
    'rule eng',
    /^FAIL never holds: Entra names groups by object id/,
  ],
  [
    'a group in capitals',
    `[{ who: { issuer: entra, group: ${group(1).toUpperCase()} }, may: { connection: payments } }]`,
    'rule access[0]',
    /^FAIL never holds: ids of groups are compared in lower case/,
  ],
]
for (const [name, access, what, said] of rules) {
  test(`check finds a rule with ${name}, also offline`, async (t) => {
    const site = siteOf(t, { access })
    assert.match(saidOf((await site.run()).report, what), said)
    const { report } = await site.run({ offline: true })
    assert.match(saidOf(report, what), said)
    assert.equal(report.checks.length, 1)
  })
}

test('a group by name may be one of another issuer, or of a service account', async (t) => {
  const { report } = await siteOf(t, {
    more: '    - { name: local, type: local }',
    access: '[{ who: { group: engineers }, may: { connection: payments } }]',
  }).run({ offline: true })
  assert.deepEqual(report.checks, [])
})

test('check finds groups, roles and persons that are asked of GitHub Actions', async (t) => {
  const issuer = '    - { name: ci, type: github-actions, audience: a, repositories: [acme/shop] }'
  for (const [who, told] of [
    ['group: x', true],
    ['role: x', true],
    ['kind: person', true],
    ['kind: workload', false],
  ] as const) {
    const access = `[{ who: { issuer: ci, ${who} }, may: { connection: payments } }]`
    const { report } = await siteOf(t, { more: issuer, access }).run({ offline: true })
    assert.equal(report.checks.length, told ? 1 : 0, who)
  }
})

test('a good Entra passes: each tenant and version, Graph in each tenant', async (t) => {
  const upstream = await openUpstream(t)
  const row = { tenant: [tenant, otherTenant], versions: ['1.0', '2.0'] }
  nameVersion1(entra, 20)
  const access = `[{ who: { issuer: entra, group: ${group(1)} }, may: { connection: "*" } }]`
  const { report, text } = await siteOf(t, { row, access, upstream }).run()
  // Its rules hold calls that nobody here can sign in to approve, and this is told; nothing else.
  const odd = report.checks.filter(({ isDoubtful, isGood }) => !isGood || isDoubtful)
  assert.deepEqual(
    odd.map(({ isGood, what }) => [what, isGood]),
    [['held calls', true]],
    text,
  )
  for (const short of [tenant.slice(0, 8), otherTenant.slice(0, 8)]) {
    assert.match(saidOf(report, `issuer entra ${short} 1.0`), /^ok publishes 1 usable key/)
    assert.match(saidOf(report, `issuer entra ${short} 2.0`), /^ok publishes 1 usable key/)
    assert.match(saidOf(report, `graph of entra ${short}`), /^ok may be asked/)
  }
  assert.deepEqual(entra.faults, [])
  // Nobody real was asked about.
  const asked = entra.asked.filter(({ path }) => path.includes('/users/'))
  assert.ok(asked.length > 0)
  assert.ok(asked.every(({ path }) => path.includes('/00000000-0000-0000-0000-000000000000/')))
})

test('an access list and roles that are empty are doubtful, and no mistake', async (t) => {
  const upstream = await openUpstream(t)
  const more = '  sign_in: [{ name: own, type: accounts }]'
  const yaml = { upstream, more: `    - { name: local, type: local }\n${more}` }
  const { report, text } = await siteOf(t, yaml).run()
  assert.match(saidOf(report, 'access'), /^warn is empty: nobody may use anything$/)
  assert.match(saidOf(report, 'console roles'), /^warn are empty/)
  assert.match(text, /^warn {2}access .*\(sallyport\.yaml:\d+:\d+\)$/m)
  assert.equal(report.ok, true, text)
})

test('an issuer of type oidc at a host of Entra is told to take type entra', async (t) => {
  const issuer = `https://login.microsoftonline.com/${tenant}/v2.0`
  const { config } = readConfig(
    `data_dir: data
identity: { issuers: [ { name: company, type: oidc, issuer: "${issuer}" } ] }
connections: [ { name: a, url: "http://127.0.0.1:1/" } ]`,
    'sallyport.yaml',
  )
  const clock = systemClock()
  const secrets = createSecrets({ env: {}, clock })
  t.after(() => secrets.close())
  const fetch: typeof globalThis.fetch = async (address) => {
    const isKeys = typeof address === 'string' && address.endsWith('/keys')
    return Response.json(isKeys ? { keys: [key.jwk] } : { issuer, jwks_uri: `${issuer}/keys` })
  }
  const parts = { config, dataDir: 'data', env: {}, secrets, clock, fetch, noteDate: () => {} }
  const [look] = issuerLooks(parts)
  const seen = JSON.stringify(await look?.look())
  assert.match(seen, /"doubt":"publishes 1 usable key .*take type: entra"/)
})

interface SignInCase {
  readonly more?: object
  readonly fault?: (idp: Awaited<ReturnType<typeof openIdp>>) => void
  readonly secret?: string
  readonly what: string
  readonly said: RegExp
}

const signIns: readonly [name: string, of: SignInCase][] = [
  [
    'that is good',
    { what: 'sign-in company', said: /^ok tells where to sign in .*PKCE with S256/ },
  ],
  [
    'whose provider knows us',
    { what: 'client of company', said: /^ok the provider knows client_id and secret$/ },
  ],
  [
    'with a wrong secret',
    {
      secret: 'another-secret',
      what: 'client of company',
      said: /^FAIL the provider refuses client_id or client_secret \(invalid_client\)$/,
    },
  ],
  [
    'whose provider is down',
    {
      fault: (idp) => (idp.down = 'well-known'),
      what: 'sign-in company',
      said: /^FAIL has no description to be had at .*look at issuer, proxy and firewall$/,
    },
  ],
  [
    'whose provider is down, with its client',
    {
      fault: (idp) => (idp.down = 'well-known'),
      what: 'client of company',
      said: /^FAIL was not tried: there is no description$/,
    },
  ],
  [
    'whose token endpoint is down',
    {
      fault: (idp) => (idp.dead = '/token'),
      what: 'client of company',
      said: /^FAIL the token endpoint does not answer$/,
    },
  ],
  [
    'whose redirects are to be registered',
    {
      what: 'redirects of company',
      said: /^ok register .*: https:\/\/console\.example\.com\/login\/callback\/company$/,
    },
  ],
]
for (const [name, of] of signIns) {
  test(`check looks at a sign-in by OIDC ${name}`, async (t) => {
    const idp = await openIdp(t)
    idp.serve(['https://console.example.com/login/callback/company'])
    of.fault?.(idp)
    const site = openSite(t, { CLIENT_SECRET: of.secret ?? 'client-secret' })
    const row = { name: 'company', type: 'oidc', issuer: idp.issuer, client_id: 'sallyport' }
    site.write(signInYaml({ ...row, client_secret: '${env:CLIENT_SECRET}' }))
    assert.match(saidOf((await site.run()).report, of.what), of.said)
  })
}

test('a sign-in at Entra is asked in its own words, and its redirects are those of both sites', async (t) => {
  const idp = await openIdp(t, `/${tenant}/v2.0`)
  idp.serve(['https://console.example.com/login/callback/company'])
  const row = { name: 'entra', type: 'entra', tenant, authority: idp.origin, client_id: appId }
  const site = openSite(t, { CLIENT_SECRET: 'client-secret' })
  site.write(signInYaml({ ...row, client_secret: '${env:CLIENT_SECRET}' }, true))
  const { report } = await site.run()
  assert.match(saidOf(report, 'sign-in entra'), /^ok tells where to sign in .*; PKCE is supported$/)
  assert.match(saidOf(report, 'client of entra'), /^FAIL the provider refuses client_id/)
  assert.match(
    saidOf(report, 'redirects of entra'),
    /https:\/\/mcp\.example\.com\/oauth\/login\/callback\/entra and https:\/\/console\.example\.com\/login\/callback\/entra$/,
  )
})

const refusals: readonly [name: string, status: number, body: object, said: RegExp][] = [
  [
    'a wrong secret',
    401,
    { error: 'invalid_client', error_codes: [7000215] },
    /^FAIL the client secret is wrong: .*AADSTS7000215/,
  ],
  [
    'an application of another tenant',
    400,
    { error: 'unauthorized_client', error_codes: [700016] },
    /^FAIL the tenant knows no application of this client_id/,
  ],
  [
    'a client that may not do this',
    400,
    { error: 'unauthorized_client' },
    /^FAIL the provider does not let this client sign people in by code$/,
  ],
  [
    'a code that is wrong',
    400,
    { error: 'invalid_grant', error_codes: [9002313] },
    /^ok the provider knows/,
  ],
  [
    'something else',
    400,
    { error: 'invalid_request', error_codes: [9002313] },
    /^warn whether the provider knows client_id and secret cannot be told/,
  ],
]
for (const [name, status, body, said] of refusals) {
  test(`a sign-in at Entra that answers ${name} is read by its codes`, async (t) => {
    const issuer = `${entra.origin}/${tenant}/v2.0`
    const [authorization_endpoint, token_endpoint] = [`${issuer}/auth`, `${issuer}/token`]
    const endpoints = { authorization_endpoint, token_endpoint, jwks_uri: `${issuer}/keys` }
    twice(wellKnown, answer({ issuer, ...endpoints }), 4)
    twice(/\/v2\.0\/token$/, answer(body, status))
    const row = { name: 'entra', type: 'entra', tenant, authority: entra.origin, client_id: appId }
    const site = openSite(t, { CLIENT_SECRET: 'client-secret' })
    site.write(signInYaml({ ...row, client_secret: '${env:CLIENT_SECRET}' }))
    assert.match(saidOf((await site.run()).report, 'client of entra'), said)
  })
}

test('a provider that names another issuer, or no PKCE, is told', async (t) => {
  const site = openSite(t, {})
  const described = (over: object): object => ({
    issuer: `${entra.origin}/x`,
    authorization_endpoint: `${entra.origin}/auth`,
    token_endpoint: `${entra.origin}/token`,
    jwks_uri: `${entra.origin}/jwks`,
    ...over,
  })
  const row = { name: 'company', type: 'oidc', issuer: `${entra.origin}/x`, client_id: 'a' }
  site.write(signInYaml(row))
  const cases: [object, RegExp][] = [
    [{ issuer: `${entra.origin}/x/` }, /^FAIL describes itself as another issuer than/],
    [{ token_endpoint: undefined }, /^FAIL does not tell its token_endpoint/],
    [{ response_types_supported: ['id_token'] }, /^FAIL does not support the response type code/],
    [{ code_challenge_methods_supported: ['plain'] }, /^FAIL supports no PKCE with S256/],
    [{}, /^warn does not say whether it supports PKCE/],
  ]
  for (const [over, said] of cases) {
    twice(/\/x\/.well-known/, answer(described(over)), 4)
    assert.match(saidOf((await site.run()).report, 'sign-in company'), said)
  }
})

function signInYaml(row: object, isServing = false): string {
  return `data_dir: data
public_url: https://mcp.example.com
console: { public_url: https://console.example.com }
identity:
  issuers: [ { name: local, type: local } ]
  sign_in: [ ${JSON.stringify(row)} ]
  ${isServing ? 'authorization_server: {}' : ''}
connections: [ { name: a, url: "http://127.0.0.1:1/" } ]
`
}

function certificate(folder: string, days: number): string {
  const file = join(folder, `idp-${days}.pem`)
  const args = `req -x509 -newkey rsa:2048 -nodes -subj /CN=idp -days ${days}`.split(' ')
  execFileSync('openssl', [...args, '-keyout', join(folder, 'key.pem'), '-out', file], {
    stdio: 'ignore',
  })
  return file
}

const ends: readonly [days: number, said: RegExp][] = [
  [6, /^warn The certificate .* ends in 5 days/],
  [29, /^warn The certificate .* ends in 28 days/],
  [59, /^warn The certificate .* ends in 58 days/],
  [90, /^ok 1 certificate holds for more than 60 days$/],
]
test('check tells of SAML certificates before they end, and the address of our metadata', async (t) => {
  const site = openSite(t, {})
  for (const [days, said] of ends) {
    const row = {
      name: 'corp',
      type: 'saml',
      idp_issuer: 'https://idp.example.com/saml',
      entry_point: 'https://idp.example.com/sso',
      certificates: [certificate(site.folder, days)],
    }
    site.write(signInYaml(row))
    const { report } = await site.run()
    assert.match(saidOf(report, 'certificates of corp'), said)
    assert.match(saidOf(report, 'entry point of corp'), /^ok requests go to https:/)
    assert.match(
      saidOf(report, 'metadata of corp'),
      /^ok give the provider https:\/\/console\.example\.com\/login\/saml\/corp\/metadata$/,
    )
  }
})

test('SAML that nobody could sign in by is told: plain http, a file that is none, another tenant', async (t) => {
  const site = openSite(t, env)
  const row = {
    name: 'corp',
    type: 'saml',
    idp_issuer: `https://sts.windows.net/${otherTenant}/`,
    entry_point: 'http://127.0.0.1:1/sso',
    certificates: [site.file('none.pem', 'nothing')],
  }
  site.write(signInYaml(row))
  const { report } = await site.run()
  assert.match(saidOf(report, 'entry point of corp'), /^FAIL entry_point is plain http/)
  assert.match(saidOf(report, 'certificates of corp'), /^FAIL .* holds no certificate in PEM form/)
  const same = { ...row, entry_point: 'https://x/sso', same_as: 'entra' }
  site.write(yamlOf({ more: `  sign_in: [ ${JSON.stringify(same)} ]` }))
  assert.match(
    saidOf((await site.run()).report, 'entry point of corp'),
    /^warn idp_issuer names no tenant of issuer "entra"/,
  )
})

test('check tells a SCIM token that is too short, one that is missing, and the address to be called', async (t) => {
  const long = 'b'.repeat(43)
  const site = openSite(t, { ...env, LONG: long })
  const more = (...names: string[]): string =>
    `  scim: { issuer: entra, tokens: [${names.map((name) => `"\${env:${name}}"`).join(', ')}] }`
  site.write(yamlOf({ more: more('SCIM', 'LONG') }))
  const { report } = await site.run()
  assert.match(saidOf(report, 'SCIM token 1'), /^FAIL is shorter than 32 characters/)
  assert.match(
    saidOf(report, 'SCIM token 2'),
    /^ok is long enough; the directory calls .*\/scim\/v2$/,
  )
  site.write(yamlOf({ more: more('NOWHERE') }))
  assert.match(
    saidOf((await site.run()).report, 'SCIM token 1'),
    /^FAIL .*environment variable is not set/,
  )
})

test('secrets of a vault are fetched one by one, and one that is missing is told by its place', async (t) => {
  const vault = await startKeyVault()
  t.after(() => vault.close())
  vault.keep('graph', graphSecret)
  const site = openSite(t, {
    AZURE_KEYVAULT_ORIGIN: vault.origin,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: vault.origin,
  })
  const graph = (name: string): object => ({ client_secret: `\${keyvault:prod/${name}}` })
  site.write(yamlOf({ row: { graph: { ...graphOf({}), url: entra.origin, ...graph('graph') } } }))
  const where = 'secret identity.issuers[0].graph.client_secret'
  const { report } = await site.run()
  assert.match(saidOf(report, where), /^ok was fetched from Azure Key Vault$/)
  assert.match(saidOf(report, 'graph of entra'), /^ok may be asked/)
  site.write(yamlOf({ row: { graph: { ...graphOf({}), url: entra.origin, ...graph('none') } } }))
  assert.match(saidOf((await site.run()).report, where), /^FAIL .*client_secret/)
})

test('a credential that is got at a service is got once, and a refusal is told', async (t) => {
  const oauth = await startOAuth()
  t.after(() => oauth.close())
  const site = openSite(t, { CLIENT: clientSecret, OTHER: 'another-secret' })
  const upstream = await openUpstream(t)
  const yaml = (name: string): string => `data_dir: data
identity: { issuers: [ { name: local, type: local } ] }
connections:
  - name: a
    url: "${upstream}"
    credential: { type: client-credentials, token_url: "${oauth.tokenUrl}", client_id: "${clientId}", client_secret: "\${env:${name}}" }
`
  site.write(yaml('CLIENT'))
  const { report } = await site.run()
  assert.match(saidOf(report, 'credential of a'), /^ok a token was got for it$/)
  assert.match(saidOf(report, 'connection a'), /^ok answers MCP 2026-07-28$/)
  site.write(yaml('OTHER'))
  const wrong = await site.run()
  assert.match(saidOf(wrong.report, 'credential of a'), /^FAIL /)
  assert.equal(wrong.report.ok, false)
})
