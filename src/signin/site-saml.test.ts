/** Sign-in at a real SAML provider through the site: two posts, one cookie. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { noOpenssl } from '../listener/certificates.fixture.ts'
import { startSamlIdp } from '../../tests/peers/saml-idp.ts'
import type { Posted, SamlIdp } from '../../tests/peers/saml-idp.ts'
import type { SamlSignInConfig } from '../config/types.ts'
import { open, Robot } from './site.fixture.ts'
import type { Opened } from './site.fixture.ts'
import type { SignInOptions } from './site.ts'

const skip = noOpenssl
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'

async function pair(
  t: TestContext,
  more: Partial<SignInOptions> = {},
): Promise<{ at: Opened; idp: SamlIdp; acs: string }> {
  const attributes = { groups: ['ops'], displayName: 'Ada' }
  const idp = await startSamlIdp({
    users: { ada: { nameId: 'ada-1', nameIdFormat: persistent, attributes } },
  })
  const folder = mkdtempSync(join(tmpdir(), 'site-saml-'))
  writeFileSync(join(folder, 'idp.pem'), idp.certificatePem)
  t.after(async () => {
    await idp.close()
    rmSync(folder, { recursive: true })
  })
  const config = (name: string): SamlSignInConfig => ({
    type: 'saml',
    name,
    label: name,
    idpIssuer: idp.entityId,
    entryPoint: idp.entryPoint,
    certificateFiles: [join(folder, 'idp.pem')],
    isResponseSigned: false,
    groupsAttribute: 'groups',
    rolesAttribute: 'roles',
    nameAttribute: 'displayName',
  })
  const at = await open(t, [config('corp'), config('other')], more)
  return { at, idp, acs: `${at.origin}${at.base}/saml/corp` }
}

/** Goes to the provider and is signed in there. @returns what a browser would post. */
async function posted(at: Opened, idp: SamlIdp, robot: Robot): Promise<Posted> {
  const answer = await robot.ask(at.start({ method: 'corp' }))
  return idp.answer(new URL(answer.headers.get('location') ?? ''), 'ada')
}

/** The post as it comes from another site: without cookies. */
async function arrives(acs: string, form: Posted): Promise<Response> {
  return await new Robot().post(
    acs,
    { ...form },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
  )
}

test('a person comes in by SAML, in the browser that left', { skip }, async (t) => {
  const { acs, at, idp } = await pair(t)
  const robot = new Robot()
  const answer = await arrives(acs, await posted(at, idp, robot))
  assert.equal(answer.status, 303)
  const { answer: end } = await robot.go(new URL(answer.headers.get('location') ?? '', acs).href)
  assert.equal(await end.text(), 'in')
  const { person, type } = at.last() ?? assert.fail()
  assert.deepEqual([type, person.issuer, person.subject], ['saml', idp.entityId, 'ada-1'])
  assert.deepEqual([person.groups, person.name], [['ops'], 'Ada'])
})

test('what was posted signs in nobody but the browser that left, and once', { skip }, async (t) => {
  const { acs, at, idp } = await pair(t)
  const [victim, attacker] = [new Robot(), new Robot()]
  const form = await posted(at, idp, attacker)
  const answer = await arrives(acs, form)
  const next = new URL(answer.headers.get('location') ?? '', acs)
  await victim.ask(at.start({ method: 'corp' })) // It has a cookie, of a sign-in of its own.
  const { answer: end } = await victim.go(next.href)
  assert.equal(end.status, 403)
  const wrong = new URL(next)
  wrong.searchParams.set('c', 'sr_other')
  assert.equal((await attacker.go(wrong.href)).answer.status, 403)
  assert.equal((await attacker.go(next.href)).answer.status, 400)
  assert.deepEqual(at.reasons(), ['other_browser', 'code_other', 'not_awaited'])
})

test('one response is one sign-in', { skip }, async (t) => {
  const { acs, at, idp } = await pair(t)
  const form = await posted(at, idp, new Robot())
  const all = await Promise.all([1, 2, 3].map(() => arrives(acs, form)))
  assert.deepEqual(
    all.map(({ status }) => status).toSorted((a, b) => a - b),
    [303, 400, 400],
  )
})

const attacks: readonly [
  what: string,
  attack: (form: Posted, other: Posted) => Record<string, string>,
  reason: string,
][] = [
  [
    'for another sign-in',
    (form, other) => ({ ...form, RelayState: other.RelayState }),
    'other_request',
  ],
  ['without its key', ({ SAMLResponse }) => ({ SAMLResponse }), 'form_incomplete'],
  ['with a key that is none', (form) => ({ ...form, RelayState: 'sf_none' }), 'unknown_or_over'],
  ['without a response', ({ RelayState }) => ({ RelayState }), 'saml_response_missing'],
]
for (const [what, attack, reason] of attacks) {
  test(`a response ${what} is refused`, { skip }, async (t) => {
    const { acs, at, idp } = await pair(t)
    const form = await posted(at, idp, new Robot())
    const other = await posted(at, idp, new Robot())
    const answer = await new Robot().post(acs, attack(form, other), { origin: 'null' })
    assert.ok(answer.status === 400 || answer.status === 403)
    assert.deepEqual(at.reasons(), [reason])
  })
}

test('a response for one of our names is not taken under another', { skip }, async (t) => {
  const { acs, at, idp } = await pair(t)
  const form = await posted(at, idp, new Robot())
  assert.equal((await arrives(acs.replace('corp', 'other'), form)).status, 403)
  assert.deepEqual(at.reasons(), ['provider_mixed_up'])
})

test('our metadata names the address that takes responses', { skip }, async (t) => {
  const { acs } = await pair(t)
  const text = await (await new Robot().ask(`${acs}/metadata`)).text()
  assert.ok(text.includes(`Location="${acs}"`))
})

test('a signed logout ends what it names, and an unsigned one nothing', { skip }, async (t) => {
  const ended: unknown[] = []
  const loggedOut: SignInOptions['loggedOut'] = (who) => Promise.resolve(void ended.push(who))
  const { acs, at, idp } = await pair(t, { loggedOut })
  const address = idp.logoutAddress(`${acs}/logout`, { nameId: 'ada-1', nameIdFormat: persistent })
  const bare = new URL(address)
  bare.searchParams.delete('Signature')
  assert.equal((await new Robot().ask(bare.href)).status, 403)
  assert.deepEqual(ended, [])
  assert.equal((await new Robot().ask(address.href)).status, 200)
  assert.equal(ended.length, 1)
  assert.deepEqual(ended[0], { issuer: idp.entityId, subject: 'ada-1' })
  assert.equal(at.reasons().length, 1)
})

const losses: readonly [when: string, laterMs: number, groups: readonly string[]][] = [
  ['after it was issued', 1, []],
  ['before', -5_000, ['ops']],
]
for (const [when, laterMs, groups] of losses) {
  test(`a response whose group was lost ${when} gives ${groups.length}`, { skip }, async (t) => {
    const { acs, at, idp } = await pair(t)
    const robot = new Robot()
    const form = await posted(at, idp, robot)
    at.directory.loseGroup(idp.entityId, 'ada-1', 'ops', Date.now() + laterMs)
    const next = (await arrives(acs, form)).headers.get('location') ?? ''
    assert.equal(await (await robot.go(new URL(next, acs).href)).answer.text(), 'in')
    assert.deepEqual(at.directory.find(idp.entityId, 'ada-1')?.groups, groups)
  })
}

test(
  'a result that waits is as old as its response when its group is lost',
  { skip },
  async (t) => {
    const { acs, at, idp } = await pair(t)
    const robot = new Robot()
    const next = (await arrives(acs, await posted(at, idp, robot))).headers.get('location') ?? ''
    at.directory.loseGroup(idp.entityId, 'ada-1', 'ops', Date.now() + 1)
    at.clock.pass(3_000)
    assert.equal(await (await robot.go(new URL(next, acs).href)).answer.text(), 'in')
    assert.deepEqual(at.last()?.person.groups, [])
  },
)

test(
  'ten responses of one network may fail in a minute, and good ones do not count',
  { skip },
  async (t) => {
    const { acs, at, idp } = await pair(t)
    for (let i = 0; i < 12; i++) {
      assert.equal((await arrives(acs, await posted(at, idp, new Robot()))).status, 303)
    }
    const bad = async (): Promise<number> => {
      const form = await posted(at, idp, new Robot())
      return (await arrives(acs, { ...form, SAMLResponse: 'PGEvPg==' })).status
    }
    for (let i = 0; i < 10; i++) assert.equal(await bad(), 403)
    assert.equal(await bad(), 429)
    const good = await posted(at, idp, new Robot())
    assert.equal((await arrives(acs, good)).status, 429)
    assert.equal(at.reasons().at(-1), 'saml_too_many_failed')
    at.from.ip = '192.0.2.2'
    assert.equal((await arrives(acs, good)).status, 303)
    at.from.ip = '192.0.2.1'
    at.clock.pass(60_000)
    assert.equal(await bad(), 403)
  },
)

test(
  'one network has a few responses looked at in a row; the rest may come again',
  { skip },
  async (t) => {
    const { acs, at, idp } = await pair(t)
    const forms: Posted[] = []
    for (let i = 0; i < 8; i++) forms.push(await posted(at, idp, new Robot()))
    // Not over a socket: they are to be there at one time.
    const send = async (form: Posted): Promise<Response> => {
      const request = new Request(acs, { method: 'POST', body: new URLSearchParams({ ...form }) })
      return await at.site.fetch(request, { ...at.from, port: 4711 })
    }
    const answers = await Promise.all(forms.map((form) => send(form)))
    const turnedAway = forms.filter((_, i) => answers[i]?.status === 503)
    assert.ok(turnedAway.length > 0, 'nobody was turned away')
    assert.equal(answers.filter(({ status }) => status === 303).length, 8 - turnedAway.length)
    assert.ok(at.reasons().every((reason) => reason === 'saml_busy'))
    for (const form of turnedAway) assert.equal((await arrives(acs, form)).status, 303)
    // Nor did being turned away count as a failure.
    for (let i = 0; i < 10; i++) {
      const form = await posted(at, idp, new Robot())
      assert.equal((await arrives(acs, { ...form, SAMLResponse: 'PGEvPg==' })).status, 403)
    }
  },
)

test('a body beyond half a megabyte is not read', { skip }, async (t) => {
  const { acs, at, idp } = await pair(t)
  const form = await posted(at, idp, new Robot())
  const answer = await arrives(acs, { ...form, SAMLResponse: 'A'.repeat(600_000) })
  assert.equal(answer.status, 413)
})
