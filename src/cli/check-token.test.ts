import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, beforeEach, test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { pan } from '../../tests/cards.ts'
import {
  appId,
  application,
  clientApp,
  consumerTenant,
  group,
  oid,
  otherTenant,
  overage,
  personV1,
  personV2,
  startEntra,
  tenant,
} from '../../tests/peers/entra-fake.ts'
import type { Entra } from '../../tests/peers/entra-fake.ts'
import { graphClient, graphSecret } from '../../tests/peers/graph-fake.ts'
import { systemClock } from '../base/clock.ts'
import { readConfig } from '../config/config.ts'
import { openDirectory } from '../identity/directory-store.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import { makeKey, sign } from '../identity/tokens.fixture.ts'
import type { Key } from '../identity/tokens.fixture.ts'
import { checkCommand } from './check.ts'
import type { CheckReport } from './check.ts'
import { Sink, entraYaml, nameVersion1, openSite, saidOf } from './check.fixture.ts'
import type { EntraYaml, Site } from './check.fixture.ts'
import { initCommand } from './init.ts'
import { explainToken } from './live-token.ts'
import { readTokenFrom } from './live-token-file.ts'
import { tokenCommand } from './token.ts'

const key = await makeKey('new')
const stranger = await makeKey('new')
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

type Claims = Readonly<Record<string, unknown>>
const seconds = (): { s: number } => ({ s: Math.floor(Date.now() / 1000) })
const person = (over: Claims = {}): Claims => ({ ...personV2(entra.origin, seconds()), ...over })
const old = (over: Claims = {}): Claims => ({
  ...personV1(entra.origin, seconds()),
  iss: `${entra.origin}/${tenant}/`,
  ...over,
})
const app = (over: Claims = {}): Claims => ({ ...application(entra.origin, seconds()), ...over })

const engineers = `[{ name: eng, who: { issuer: entra, group: ${group(1)} }, may: { connection: payments, tools: ["read_*"] } }, { name: batch, who: { role: batch.run }, may: { connection: tickets } }]`
const roles = `console: { roles: { analyst: { group: ${group(1)} } } }\n`

type Yaml = Partial<EntraYaml>
/** The issuer at the fake. */
const usual = (): Readonly<Record<string, unknown>> => ({
  tenant,
  audience: [appId, 'api://sallyport'],
  authority: entra.origin,
  authority_v1: entra.origin,
  graph: { url: entra.origin, client_id: graphClient, client_secret: '${env:GRAPH_SECRET}' },
})

function siteOf(t: TestContext, token: string, { row, ...yaml }: Yaml = {}): Site {
  // Shorter ones are in any text.
  const hidden = [token, ...token.split('.')].filter((part) => part.length > 12)
  const site = openSite(t, { GRAPH_SECRET: graphSecret }, hidden)
  site.write(roles + entraYaml({ access: engineers, ...yaml, row: { ...usual(), ...row } }))
  return site
}

interface Explained {
  readonly report: CheckReport
  readonly text: string
}

async function explain(
  t: TestContext,
  token: string,
  { connection, ...yaml }: Yaml & { connection?: string } = {},
): Promise<Explained> {
  const site = siteOf(t, token, yaml)
  return await site.run({ token: '-', connection }, `${token}\n`)
}

interface Case {
  readonly claims: () => Claims
  readonly header?: Claims
  readonly by?: Key
  readonly row?: Claims
  readonly fault?: () => void
  readonly what: string
  readonly said: RegExp
  /** What the gateway itself says. */
  readonly gateway?: RegExp
}

const scopes = 'https://graph.microsoft.com'
const cases: readonly [name: string, of: Case][] = [
  [
    'made for another application',
    {
      claims: () => person({ aud: clientApp }),
      what: 'audience',
      said: new RegExp(
        `^FAIL it is for ${clientApp}; believed are ${appId}, api://sallyport, https://mcp\\.example\\.com/mcp/payments\\. Let the client ask for a scope of this application`,
      ),
      gateway: /^FAIL refuses it \(audience\)/,
    },
  ],
  [
    'of version 1 for an App ID URI that is not listed',
    {
      row: { versions: ['1.0', '2.0'] },
      fault: () => nameVersion1(entra),
      claims: () => old({ aud: 'api://other' }),
      what: 'audience',
      said: /^FAIL it is for api:\/\/other; .* Tokens of version 1\.0 carry the App ID URI as the client wrote it: add it to audience/,
    },
  ],
  [
    'for two',
    {
      claims: () => person({ aud: [appId, 'https://elsewhere.example'] }),
      what: 'audience',
      said: /^FAIL it names https:\/\/elsewhere\.example besides/,
    },
  ],
  [
    'of version 1 where 2.0 is demanded',
    {
      claims: () => old(),
      what: 'issuer',
      said: /^FAIL it is a token of version 1\.0, and only 2\.0 is believed\. In the manifest .* set api\.requestedAccessTokenVersion to 2 \(accessTokenAcceptedVersion/,
    },
  ],
  [
    'of version 2 where 1.0 is demanded',
    {
      row: { versions: ['1.0'] },
      claims: () => person(),
      what: 'issuer',
      said: /^FAIL it is a token of version 2\.0, and only 1\.0 is believed; add "2\.0" to versions$/,
    },
  ],
  [
    'of a tenant that is not listed',
    {
      claims: () => person({ iss: `${entra.origin}/${otherTenant}/v2.0`, tid: otherTenant }),
      what: 'issuer',
      said: new RegExp(
        `^FAIL it comes from tenant ${otherTenant}, which is not listed \\(tenant: ${tenant}\\).*guests`,
      ),
    },
  ],
  [
    'of a personal account',
    {
      claims: () => person({ iss: `${entra.origin}/${consumerTenant}/v2.0`, tid: consumerTenant }),
      what: 'issuer',
      said: /^FAIL it comes from a personal Microsoft account, which anybody can make/,
    },
  ],
  [
    'of an issuer nobody named',
    {
      claims: () => person({ iss: 'https://login.example.com/' }),
      what: 'issuer',
      said: /^FAIL https:\/\/login\.example\.com\/ is none of the issuers configured: http/,
    },
  ],
  [
    'without an issuer',
    {
      claims: () => person({ iss: undefined }),
      what: 'issuer',
      said: /^FAIL it names no issuer \(iss\)$/,
    },
  ],
  [
    'of Microsoft Graph',
    {
      claims: () => person({ aud: scopes }),
      header: { nonce: 'n' },
      what: 'kind',
      said: /^FAIL it is a token for Microsoft Graph\. The client asked for a scope of Graph, or for a short scope such as mcp/,
    },
  ],
  [
    'of Microsoft Graph by its id',
    {
      claims: () => person({ aud: '00000003-0000-0000-c000-000000000000' }),
      what: 'kind',
      said: /^FAIL it is a token for Microsoft Graph/,
    },
  ],
  [
    'that is an ID token',
    {
      claims: () => person({ scp: undefined, nonce: 'n' }),
      what: 'kind',
      said: /^FAIL it is an ID token: .* Send the access token \(access_token of the answer, not id_token\)$/,
      gateway: /^FAIL refuses it \(type\)/,
    },
  ],
  [
    'that is an ID token without a nonce',
    {
      claims: () => person({ scp: undefined }),
      what: 'kind',
      said: /^FAIL it is an ID token/,
      gateway: /^FAIL refuses it \(type\)/,
    },
  ],
  [
    'that says it is another kind',
    {
      claims: () => person(),
      header: { typ: 'logout+jwt' },
      what: 'kind',
      said: /^FAIL it says that it is a logout\+jwt, which is no access token$/,
    },
  ],
  [
    'that has ended',
    {
      claims: () => person({ iat: seconds().s - 7200, nbf: undefined, exp: seconds().s - 3600 }),
      what: 'time',
      said: /^FAIL it ended 60 min ago, at \d{4}-.*; get a new one$/,
      gateway: /^FAIL refuses it \(expired\)/,
    },
  ],
  [
    'that begins later',
    {
      claims: () => person({ nbf: seconds().s + 600 }),
      what: 'time',
      said: /^FAIL it begins at .*; the clock here says /,
      gateway: /^FAIL refuses it \(not_yet\)/,
    },
  ],
  [
    'that is good for two days',
    {
      claims: () => person({ exp: seconds().s + 172_800 }),
      what: 'time',
      said: /^FAIL it is good for 48 h, more than any is believed$/,
      gateway: /^FAIL refuses it \(lifetime\)/,
    },
  ],
  [
    'given to a client that is not listed',
    {
      row: { clients: [appId] },
      claims: () => person(),
      what: 'client',
      said: new RegExp(`^FAIL it was given to ${clientApp}, and clients lists ${appId}; add it`),
      gateway: /^FAIL refuses it \(client\)/,
    },
  ],
  [
    'signed by somebody else',
    {
      claims: () => person(),
      by: stranger,
      what: 'signature',
      said: /^FAIL The signature of the access token is wrong\.$/,
      gateway: /^FAIL refuses it \(signature\)/,
    },
  ],
  [
    'signed with a key that is not published',
    {
      claims: () => person(),
      header: { kid: 'other' },
      what: 'signature',
      said: /^FAIL it is signed with a key its issuer does not publish for it: another tenant/,
      gateway: /^FAIL refuses it \(key_unknown\)/,
    },
  ],
  [
    'whose issuer cannot be asked for keys',
    {
      claims: () => person(),
      fault: () => {
        for (let i = 0; i < 8; i++) entra.once(/well-known/, 'reset')
      },
      what: 'gateway',
      said: /^FAIL cannot decide now \(discovery\): Tokens of issuer "entra" cannot be checked/,
    },
  ],
  [
    'whose tenant is not that of its issuer',
    {
      claims: () => person({ tid: otherTenant }),
      what: 'tenant',
      said: /^FAIL tid is .*, which is not the tenant of its issuer$/,
      gateway: /^FAIL refuses it \(tenant\)/,
    },
  ],
  [
    'without an object id',
    {
      claims: () => person({ oid: undefined }),
      what: 'bearer',
      said: /^FAIL it has no object id \(oid\)/,
      gateway: /^FAIL refuses it \(claims\)/,
    },
  ],
  [
    'of an application without a role',
    {
      claims: () => app({ roles: undefined }),
      what: 'bearer',
      said: /^FAIL it is of an application without a role\. .* make an app role for applications/,
      gateway: /^FAIL refuses it \(role\)/,
    },
  ],
  [
    'with too many groups, and no Graph configured',
    {
      row: { graph: null },
      claims: () => person({ ...overage() }),
      what: 'groups',
      said: /^FAIL they are too many for it \(overage\), and the issuer has no graph to ask/,
      gateway: /^FAIL refuses it \(groups_unknown\)/,
    },
  ],
  [
    'with too many groups, and no consent for Graph',
    {
      fault: () => entra.consents.clear(),
      claims: () => person({ ...overage() }),
      what: 'groups',
      said: /^FAIL they are too many for it \(overage\); .*no consent to ask \(GroupMember\.Read\.All, User\.Read\.All\)/,
      gateway: /^FAIL cannot decide now \(groups_unknown\)/,
    },
  ],
  [
    'with too many groups, that is refused before Graph is asked',
    {
      claims: () => person({ ...overage(), aud: clientApp }),
      what: 'groups',
      said: /^warn they are too many for it \(overage\); Graph was not asked/,
    },
  ],
]

for (const [name, of] of cases) {
  test(`a token ${name} is explained, and refused`, async (t) => {
    of.fault?.()
    const token = await sign(of.by ?? key, of.claims(), of.header)
    const { report, text } = await explain(t, token, { row: of.row ?? {} })
    assert.match(saidOf(report, of.what), of.said, text)
    if (of.gateway !== undefined) assert.match(saidOf(report, 'gateway'), of.gateway, text)
    assert.deepEqual([report.ok, report.token], [false, undefined])
    assert.doesNotMatch(text, /The gateway sees/)
  })
}

const doubtful: readonly [name: string, claims: () => Claims, what: string, said: RegExp][] = [
  [
    'without a groups claim, where the file names groups',
    () => person(),
    'groups',
    /^warn it has no groups claim, and the file names 1\. .*Token configuration, Add groups claim, "Groups assigned to the application", for Access/,
  ],
  [
    'with names in place of ids',
    () => person({ groups: [group(1), 'Domain Admins'] }),
    'groups',
    /^warn 1 of 2 are names and are left out: .* take "Group ID"$/,
  ],
  [
    'without a role, where the file names one',
    () => person({ groups: [] }),
    'roles',
    /^warn none, and the file names batch\.run; assign one under Enterprise applications/,
  ],
  [
    'with roles nobody names',
    () => person({ roles: ['reader'] }),
    'roles',
    /^warn reader, of which no line of access and no role names one$/,
  ],
  [
    'of a guest',
    () => person({ acct: 1 }),
    'tenant',
    /^ok .*, version 2\.0, as a guest \(acct: 1\)/,
  ],
]
for (const [name, claims, what, said] of doubtful) {
  test(`a token ${name} is told so, and let in`, async (t) => {
    const { report, text } = await explain(t, await sign(key, claims()))
    assert.match(saidOf(report, what), said, text)
    assert.match(saidOf(report, 'gateway'), /^ok lets it in, on connection payments$/)
    assert.equal(report.ok, true)
  })
}

test('a good token is shown as the gateway sees it, with console roles and grants', async (t) => {
  const token = await sign(key, person({ groups: [group(1), group(7)] }))
  const { report, text } = await explain(t, token)
  assert.deepEqual(
    report.checks.filter(({ isGood }) => !isGood),
    [],
  )
  assert.match(
    saidOf(report, 'groups'),
    new RegExp(`^ok 2 ids, of which the file names ${group(1)}$`),
  )
  assert.match(saidOf(report, 'client'), /^ok .*; clients lets in all$/)
  const seen = report.token?.principal
  assert.equal(seen && Reflect.get(seen, 'subject'), oid)
  assert.deepEqual(report.token?.consoleRoles, ['analyst'])
  const lines = report.token?.access.map((one) => [one.connection, one.grant, one.isHolding])
  assert.deepEqual(lines, [
    ['payments', 'eng', true],
    ['tickets', 'batch', false],
  ])
  assert.match(text, /^The gateway sees$/m)
  assert.match(text, new RegExp(`^ {2}subject {2}${oid}$`, 'm'))
  assert.match(text, /^ {2}console {2}analyst$/m)
  assert.match(text, /^ {4}eng: tools read_\*$/m)
  assert.match(text, /^ {2}- batch: the whole connection$/m)
  assert.match(text, /lacks: role batch\.run/)
})

test('another connection is asked about by name, and one that is none is told', async (t) => {
  const token = await sign(key, app())
  const { report } = await explain(t, token, { connection: 'tickets' })
  assert.match(saidOf(report, 'gateway'), /^ok lets it in, on connection tickets$/)
  assert.deepEqual(
    report.token?.access.map(({ grant, isHolding }) => [grant, isHolding]),
    [['batch', true]],
  )
  await assert.rejects(explain(t, token, { connection: 'none' }), {
    code: 'path_unknown',
    message: 'There is no connection of this name. Known: payments, tickets.',
  })
})

test('a token for a connection is held against that one', async (t) => {
  const token = await sign(key, person({ aud: 'https://mcp.example.com/mcp/tickets' }))
  const site = siteOf(t, token)
  const { report } = await site.run({ token: '-' }, token)
  assert.match(saidOf(report, 'gateway'), /^ok lets it in, on connection tickets$/)
  const other = await site.run({ token: '-', connection: 'payments' }, token)
  assert.match(
    saidOf(other.report, 'audience'),
    /^FAIL it is for the connection tickets alone; see --connection$/,
  )
  assert.match(saidOf(other.report, 'gateway'), /^FAIL refuses it \(audience\)/)
})

test('with too many groups Graph is asked, and what it says is shown', async (t) => {
  entra.users.set(oid, [group(1), group(9)])
  const { report } = await explain(t, await sign(key, person({ ...overage() })))
  assert.match(
    saidOf(report, 'groups'),
    new RegExp(`^ok they are too many for it \\(overage\\); Graph says, .*: ${group(1)}$`),
  )
  assert.match(saidOf(report, 'gateway'), /^ok/)
  assert.deepEqual(entra.faults, [])
})

test('a secret for Graph that is missing is told, and the rest is explained all the same', async (t) => {
  const graph = { url: entra.origin, client_id: clientApp, client_secret: '${env:NOWHERE}' }
  const token = await sign(key, person())
  const { report } = await explain(t, token, { row: { graph } })
  assert.match(saidOf(report, 'graph'), /^warn .*environment variable is not set/)
  assert.match(saidOf(report, 'gateway'), /^ok/)
})

const forms: readonly [name: string, token: string, said: RegExp][] = [
  ['opaque', 'opaque-token-of-an-issuer', /^FAIL it is no JWT\. An opaque token/],
  [
    'encrypted',
    'eyJhbGciOiJkaXIifQ.Zmlyc3Q.c2Vjb25k.dGhpcmQ.Zm91cnRo',
    /^FAIL it is encrypted \(JWE\)/,
  ],
  ['broken', 'eyJhbGciOi.e30.x', /^FAIL it has the form of a JWT, but its parts cannot be read/],
]
for (const [name, token, said] of forms) {
  test(`a token that is ${name} is told`, async (t) => {
    const { report } = await explain(t, token)
    assert.match(saidOf(report, 'form'), said)
    assert.equal(report.ok, false)
    assert.equal(entra.asked.length, 0)
  })
}

test('somebody who is stopped is told, and is not seen by being looked at', async (t) => {
  const token = await sign(key, person())
  const site = siteOf(t, token)
  mkdirSync(join(site.folder, 'data'))
  const file = join(site.folder, 'data', 'state.sqlite')
  const clock = systemClock()
  const issuer = `${entra.origin}/${tenant}/v2.0`
  const revocations = openRevocations(file, { clock })
  t.after(() => revocations.close())
  assert.match(saidOf((await site.run({ token: '-' }, token)).report, 'gateway'), /^ok/)
  const target = { kind: 'principal', issuer, subject: oid } as const
  const madeMs = Date.now()
  const stop = { reason: 'left', by: 'ada', source: 'cli', madeMs, fromMs: madeMs } as const
  const { id } = revocations.add({ target, ...stop })
  const { report } = await site.run({ token: '-' }, token)
  assert.match(saidOf(report, 'gateway'), new RegExp(`^FAIL refuses it: stopped by ${id}`))
  assert.equal(report.token, undefined)
  const directory = openDirectory(file, { clock })
  t.after(() => directory.close())
  assert.deepEqual(directory.list(), [])
})

test('a state file that cannot be read is told, and no verdict on stops is made up', async (t) => {
  const token = await sign(key, person())
  const site = siteOf(t, token)
  mkdirSync(join(site.folder, 'data'))
  site.file('data/state.sqlite', 'no database at all, but long enough to be looked at as one')
  const { report } = await site.run({ token: '-' }, token)
  assert.match(saidOf(report, 'data folder'), /^warn .*whether somebody is stopped is not known/)
})

test('a token of the local issuer is explained by its key', async (t) => {
  const site = openSite(t, {})
  const config = join(site.folder, 'sallyport.yaml')
  const made = await initCommand({ config, yes: true }, Readable.from([]), new Sink(), new Sink())
  assert.equal(made, 0)
  const out = new Sink()
  await tokenCommand({ config, subject: 'mia', group: ['engineers'] }, out, new Sink())
  const { report, text } = await site.run({ token: '-' }, out.text)
  assert.match(saidOf(report, 'gateway'), /^ok lets it in, on connection first$/, text)
  assert.match(text, /^ {2}subject {2}mia$/m)
  assert.ok(!text.includes(out.text.trim()))
})

test('a card number in a claim is shown masked', async (t) => {
  const number = pan('4', 16)
  const { report, text } = await explain(t, await sign(key, person({ name: `card ${number}` })))
  assert.ok(!text.includes(number) && !JSON.stringify(report).includes(number))
  const wrong = await explain(t, await sign(key, person({ aud: `urn:${number}:x` })))
  assert.ok(!wrong.text.includes(number))
})

test('codes by which a terminal is moved are spelt out', async (t) => {
  const { text } = await explain(t, await sign(key, person({ aud: 'a\u001b[2Jb' })))
  assert.ok(!text.includes('\u001b'))
})

test('a token is read from a file, after Bearer, and from an answer of a token endpoint', async (t) => {
  const site = openSite(t, {})
  const none = Readable.from([])
  const ways: [string, string][] = [
    ['plain', ' t.o.k \n'],
    ['bearer', 'Bearer t.o.k\n'],
    ['answer', '{"token_type":"Bearer","access_token":"t.o.k"}'],
    ['azure', '{ "accessToken": "t.o.k", "tenant": "x" }'],
  ]
  for (const [name, text] of ways) {
    assert.equal(await readTokenFrom(site.file(name, text), none), 't.o.k', name)
  }
  assert.equal(
    await readTokenFrom('-', Readable.from([Buffer.from('t.o'), Buffer.from('.k')])),
    't.o.k',
  )
})

test('a token as argument, and what holds none, is refused without being repeated', async (t) => {
  const site = openSite(t, {})
  const token = await sign(key, person())
  const none = Readable.from([])
  const bad: [string, RegExp][] = [
    [token, /treat this one as lost/],
    ['sp_key', /treat this one as lost/],
    [join(site.folder, 'nowhere'), /^The file of --token cannot be read \(ENOENT\)\.$/],
    [site.file('empty', '\n'), /^No token stands there\.$/],
    [site.file('broken', '{"access_token":'), /^No token stands there\.$/],
    [site.file('id', '{"id_token":"x"}'), /^No token stands there\.$/],
    [site.file('large', 'x'.repeat(65_537)), /larger than 64 KiB/],
  ]
  for (const [from, message] of bad) {
    await assert.rejects(readTokenFrom(from, none), (fault: Error) => {
      assert.match(fault.message, message)
      assert.ok(!fault.message.includes(from))
      return true
    })
  }
  const large = Readable.from([Buffer.alloc(65_536, 'x'), Buffer.from('x')])
  await assert.rejects(readTokenFrom('-', large), /larger than 64 KiB/)
})

const job = {
  iss: 'https://github.example.com/_services/token',
  aud: 'sallyport',
  sub: 'repo:acme/shop:ref:refs/heads/dev',
  jti: 'j-1',
  repository: 'acme/shop',
  repository_id: '4711',
  repository_owner: 'acme',
  ref: 'refs/heads/dev',
  event_name: 'push',
}
const allow = (members: string): string =>
  `{ name: ci, type: github-actions, issuer: "${entra.origin}/ci", audience: sallyport, allow: [${members}] }`
const jobs: readonly [name: string, rules: string, said: RegExp, isIn: boolean][] = [
  [
    'that fits',
    '{ repository: acme/shop, ref: refs/heads/dev }',
    /^ok allow\[0\] lets it in$/,
    true,
  ],
  [
    'of another branch',
    '{ repository: acme/else }, { repository: acme/shop, ref: refs/heads/main }',
    /^FAIL no rule lets it in; of allow\[0\] does not hold: repository \(the token has acme\/shop\)$/,
    false,
  ],
  [
    'of another branch alone',
    '{ repository: acme/shop, ref: refs/heads/main, environment: prod }, { repository: acme/shop, ref: "refs/tags/*" }',
    /^FAIL no rule lets it in; of allow\[1\] does not hold: ref \(the token has refs\/heads\/dev\)$/,
    false,
  ],
]
for (const [name, rules, said, isIn] of jobs) {
  test(`a token of a job of GitHub Actions ${name} is explained`, async (t) => {
    const issuer = `${entra.origin}/ci`
    const { s } = seconds()
    const token = await sign(key, { ...job, iss: issuer, iat: s, exp: s + 300 })
    for (let i = 0; i < 8; i++) {
      entra.once(/^\/ci\/\.well-known/, {
        status: 200,
        body: { issuer, jwks_uri: `${issuer}/keys` },
      })
      entra.once(/^\/ci\/keys/, { status: 200, body: { keys: [key.jwk] } })
    }
    const { report, text } = await explain(t, token, { more: `    - ${allow(rules)}` })
    assert.match(saidOf(report, 'workflow'), said, text)
    assert.equal(report.ok, isIn, text)
  })
}

test('whatever a token says, it is explained, and the last word is the gateway’s', async (t) => {
  const site = siteOf(t, '')
  const config = readConfig(readFileSync(join(site.folder, 'sallyport.yaml'), 'utf8'), 'a.yaml')
  const asked = {
    checked: config,
    dataDir: join(site.folder, 'data'),
    env: { GRAPH_SECRET: graphSecret },
  }
  const names =
    'aud ver tid oid sub scp roles groups azp acct idtyp exp iat nbf xms_cc nonce _claim_names hasgroups'
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      0,
      -1,
      1e300,
      '',
      'x\u001b[2J',
      null,
      true,
      [],
      {},
      [7],
      ['a'],
    ),
    fc.string({ unit: 'binary' }),
    fc.constantFrom<unknown>(
      tenant,
      appId,
      clientApp,
      group(1),
      [group(1)],
      { groups: 's' },
      'app',
    ),
  )
  const changes = fc.dictionary(fc.constantFrom(...names.split(' ')), odd, { maxKeys: 3 })
  const holds = fc.asyncProperty(changes, async (over) => {
    const { principal, steps } = await explainToken({
      ...asked,
      token: await sign(key, person(over)),
    })
    const last = steps.at(-1)
    assert.deepEqual([last?.what, last?.verdict], ['gateway', principal ? 'ok' : 'wrong'])
    const why = steps.filter(({ verdict, what }) => verdict === 'wrong' && what !== 'gateway')
    // No step looks at sub, at bound keys and at some odd forms: the gateway's own words must do.
    const isSaid = /\((claims|type|bound)\)/.test(last?.message ?? '')
    if (principal !== undefined) assert.deepEqual(why, [])
    else assert.ok(why.length > 0 || isSaid, last?.message)
    for (const { message } of steps) assert.doesNotMatch(message, /\p{Cc}/u)
  })
  await fc.assert(holds, { numRuns: 150 })
})

test('options that do not go together are wrong usage', async () => {
  for (const [options, said] of [
    [{ connection: 'payments' }, /--connection goes with --token/],
    [{ token: '-', offline: true }, /does not go with --offline/],
  ] as const) {
    const errors = new Sink()
    assert.equal(await checkCommand(options, new Sink(), errors, { env: {} }), 2)
    assert.match(errors.text, said)
  }
})

test('what the page on Entra quotes of check is what check says', () => {
  const page = readFileSync('docs/identity/entra.md', 'utf8')
  const table = page.slice(page.indexOf('| it says |'))
  const quoted = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, line = '']) => line)
  const sources = globSync('src/cli/live-*.ts').map((file) => readFileSync(file, 'utf8'))
  assert.ok(quoted.length > 20)
  for (const part of quoted.flatMap((line) => line.split('…').map((each) => each.trim()))) {
    assert.ok(
      sources.some((text) => text.includes(part)),
      part,
    )
  }
})
