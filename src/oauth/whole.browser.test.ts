/** A person, a real browser, an OpenID provider, the sign-in, and at the end a principal. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { openDirectory } from '../identity/directory-store.ts'
import { createIdentity } from '../identity/identify.ts'
import { openLocalIssuer } from '../identity/local.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import { Secret } from '../secrets/secret.ts'
import { openIdp } from '../signin/provider.fixture.ts'
import { openReplays } from '../signin/saml-replays.ts'
import { createSignInSite } from '../signin/site.ts'
import { openDesk } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import { authorizeUrl, clientId, refresh, token, verifier } from './flow.fixture.ts'
import type { AuthorizationServerOptions } from './options.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const skip = existsSync(executablePath)
  ? false
  : 'no Chromium: apt-get install chromium, or name it in CHROMIUM'

test(
  'a person signs in at the provider, allows a program, and is a principal with their groups',
  { skip },
  async (t) => {
    const idp = await openIdp(t)
    idp.claims = { name: 'Ada Lovelace', groups: ['engineers'] }
    let stations: ReturnType<typeof stationsOf> | undefined
    const desk = await openDesk({}, {}, (at) => {
      stations ??= stationsOf(at, idp.issuer)
      return stations
    })
    t.after(() => desk.close())
    assert.ok(stations)
    const { directory, revocations } = stations
    idp.serve([`${desk.publicUrl}/oauth/login/callback/corp`])
    const program = createServer((req, res) => res.end(`got ${req.url}`))
    await new Promise<void>((done) => program.listen(0, '127.0.0.1', done))
    t.after(() => program.close())
    const at = program.address()
    const redirect_uri = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}/cb`

    const client = await clientId(desk, { redirect_uris: ['http://127.0.0.1/cb'] })
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    t.after(() => browser.close())
    const page = await browser.newPage()
    await page.goto(authorizeUrl(desk, client, { redirect_uri }).href)
    if (page.url().includes('/oauth/login/')) await page.getByRole('link').first().click()
    assert.match(await page.content(), /Ada Lovelace/)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${redirect_uri}*`)
    const code = new URL(page.url()).searchParams.get('code') ?? ''
    const params = { grant_type: 'authorization_code', client_id: client, code, redirect_uri }
    const made = await token(desk, { ...params, code_verifier: verifier })
    assert.equal(made.status, 200, JSON.stringify(made.body))

    const { clock, dataDir, publicUrl } = desk
    const issuer = `${publicUrl}/oauth`
    const identity = createIdentity({
      issuers: [{ type: 'local', name: 'local', issuer, audience: [publicUrl] }],
      publicUrl,
      clock,
      local: await openLocalIssuer({ dataDir, issuer, clock }),
      directory,
      isAuthorizationServerOn: true,
    })
    const bearer = [`Bearer ${String(made.body['access_token'])}`]
    const principal = await identity.identify(bearer, `${publicUrl}/mcp/shop`)
    assert.equal(principal.issuer, idp.issuer)
    assert.deepEqual(principal.groups, ['engineers'])
    assert.equal(principal.clientId, client)
    assert.equal(principal.signInId, desk.server.grants()[0]?.id)
    await assert.rejects(identity.identify(bearer, `${publicUrl}/mcp/payments`), {
      code: 'no_identity',
    })
    assert.deepEqual(
      desk.notes.map(({ type }) => type).filter((type) => type !== 'client.registered'),
      ['signin.accepted', 'consent.given'],
    )
    // Somebody stops the person: the very next refresh is refused.
    revocations.add({
      target: { kind: 'principal', issuer: principal.issuer, subject: principal.subject },
      reason: 'left',
      by: 'test',
      source: 'cli',
      madeMs: Date.now(),
      fromMs: Date.now(),
    })
    assert.equal((await refresh(desk, client, made.body['refresh_token'])).status, 400)
    assert.deepEqual(desk.defects, [])
  },
)

type Real = Pick<AuthorizationServerOptions, 'site' | 'note' | 'stop'> & {
  readonly directory: ReturnType<typeof openDirectory>
  readonly revocations: ReturnType<typeof openRevocations>
}

function stationsOf(desk: Desk, idp: string): Real {
  const { clock } = desk
  const directory = openDirectory(':memory:', { clock })
  const revocations = openRevocations(':memory:', { clock })
  const note: AuthorizationServerOptions['note'] = async (type, about, details) => {
    desk.notes.push({ type, subject: about.principal?.subject, connection: undefined, details })
  }
  const site = createSignInSite({
    origin: desk.publicUrl,
    base: '/oauth/login',
    at: 'gateway',
    signIn: [
      {
        type: 'oidc',
        name: 'corp',
        label: 'Corp',
        issuer: idp,
        clientId: 'sallyport',
        clientSecret: { from: 'env', name: 'CORP' },
        scopes: ['profile'],
        groupsClaim: 'groups',
        rolesClaim: 'roles',
        nameClaim: 'name',
      },
    ],
    directory,
    revocations,
    note,
    clock,
    replays: openReplays(':memory:'),
    warn: () => {},
    loggedOut: () => Promise.resolve(),
    secrets: { open: () => ({ read: () => new Secret('client-secret') }) },
    groupsOf: () => undefined,
    sameAs: () => undefined,
    refusalsPerMinuteMax: 1000,
  })
  const stop: AuthorizationServerOptions['stop'] = () => assert.fail('nothing is stopped here')
  return { site, directory, revocations, note, stop }
}
