/** Whoever registers a client must not make of the gateway's address one that leads to theirs. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Fault } from '../base/fault.ts'
import { Browser, offOf, refusalOf } from './browser.fixture.ts'
import { openDesk, person } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import { authorizeUrl, clientId } from './flow.fixture.ts'

const off = 'https://attacker.example/cb'
const documentId = 'https://client.example.com/metadata.json'
let desk: Desk
before(async () => {
  const said = { client_id: documentId, client_name: 'Nice', redirect_uris: [off] }
  const getDocument = async (): Promise<{ status: number; text: string; headers: {} }> => {
    return { status: 200, text: JSON.stringify(said), headers: {} }
  }
  const clients = [{ clientId: 'ide', name: 'IDE', redirectUris: [off] }]
  desk = await openDesk({ documentHosts: ['*'], clients }, { getDocument })
})
after(async () => {
  await desk.close()
  assert.deepEqual(desk.defects, [])
})
beforeEach(() => {
  desk.who = person()
  desk.isStopped = () => false
  desk.isBreakGlass = false
})

const strangers: readonly [what: string, idOf: () => Promise<string>][] = [
  [
    'that registered itself',
    () => clientId(desk, { redirect_uris: [off], client_name: '<b>Nice</b>' }),
  ],
  ['described by a document', async () => documentId],
]
const atOnce: readonly [
  what: string,
  over: Record<string, string | undefined>,
  error: string,
  toConfigured?: string,
][] = [
  ['that no page may be shown', { prompt: 'none' }, 'login_required'],
  ['without PKCE', { code_challenge: undefined }, 'invalid_request'],
  ['for a token in the address', { response_type: 'token' }, 'unsupported_response_type'],
  ['for nothing', { response_type: undefined }, 'invalid_request'],
  ['for a resource elsewhere', { resource: 'https://e.example' }, 'invalid_target'],
  ['with a request object', { request: 'e30.e30.' }, 'request_not_supported'],
  ['for a prompt that is none', { prompt: 'sesame' }, 'invalid_request'],
  ['with a bad age', { max_age: '-1' }, 'invalid_request'],
]
for (const [who, idOf] of strangers) {
  for (const [what, over, error] of atOnce) {
    test(`a program ${who} that asks ${what} does not lead the browser off`, async () => {
      const url = authorizeUrl(desk, await idOf(), { redirect_uri: off, ...over })
      const end = await new Browser(desk.publicUrl).visit(url)
      assert.equal(end.headers.get('location'), null)
      assert.equal(end.status, 400)
      assert.match(end.headers.get('content-security-policy') ?? '', /default-src 'none'/)
      assert.match(end.text, /<code>attacker\.example<\/code>/)
      assert.match(end.text, new RegExp(`<code>${error}</code>`))
      assert.doesNotMatch(end.text, /<b>|http-equiv="refresh"/)
      const to = offOf(end)
      assert.equal(`${to?.origin}${to?.pathname}`, off)
      assert.equal(to?.searchParams.get('state') ?? 'st', 'st')
    })
  }

  test(`a program ${who} does not lead off whom it may not serve, signed in at once as they are`, async () => {
    const url = authorizeUrl(desk, await idOf(), { redirect_uri: off })
    const browser = new Browser(desk.publicUrl)
    desk.isBreakGlass = true
    assert.equal(refusalOf(await browser.visit(url)), 'access_denied')
    desk.isBreakGlass = false
    await browser.press(await browser.visit(url), 'deny')
    url.searchParams.set('prompt', 'none')
    assert.equal(refusalOf(await browser.visit(url)), 'consent_required')
    assert.equal(refusalOf(await new Browser(desk.publicUrl).visit(url)), 'login_required')
  })

  test(`a person’s yes or no to a program ${who} leads there`, async () => {
    const url = authorizeUrl(desk, await idOf(), { redirect_uri: off })
    for (const answer of ['allow', 'deny'] as const) {
      const browser = new Browser(desk.publicUrl)
      const end = await browser.press(await browser.visit(url), answer)
      assert.equal(`${end.url.origin}${end.url.pathname}`, off)
      assert.equal(end.url.searchParams.has('code'), answer === 'allow')
    }
  })

  test(`the way back of a program ${who} is not gone without an answer`, async () => {
    const browser = new Browser(desk.publicUrl)
    const url = authorizeUrl(desk, await idOf(), { redirect_uri: off })
    const page = await browser.visit(url)
    const again = await browser.visit(page.url.pathname.replace('/i/', '/auth/'))
    assert.equal(again.url.origin, desk.publicUrl)
    assert.match(again.text, /Allow this program/)
    desk.isStopped = () => {
      throw new Fault('identity_down', 'the list cannot be read')
    }
    const failed = await browser.visit(again.url.pathname.replace('/i/', '/auth/'))
    assert.equal(refusalOf(failed), 'temporarily_unavailable')
    assert.equal(failed.status, 503)
    assert.equal(desk.defects.splice(0).length, 1)
  })
}

for (const [what, over, error] of atOnce) {
  test(`a program of the configuration that asks ${what} is told at once, as the standard says`, async () => {
    const url = authorizeUrl(desk, 'ide', { redirect_uri: off, ...over })
    const end = await new Browser(desk.publicUrl).visit(url)
    assert.equal(`${end.url.origin}${end.url.pathname}`, off)
    const said = new URLSearchParams(end.url.search || end.url.hash.slice(1))
    assert.equal(said.get('error'), error)
  })
}

test('a redirect with words of its own puts none of them on the page', async () => {
  const redirect_uri = `${off}?error=paid&error_description=Call+this+number`
  const client = await clientId(desk, { redirect_uris: [redirect_uri] })
  const url = authorizeUrl(desk, client, { redirect_uri, prompt: 'none' })
  const end = await new Browser(desk.publicUrl).visit(url)
  assert.match(end.text, /<code>login_required<\/code>/)
  assert.doesNotMatch(end.text.replace(/<a id="off".*?>/s, ''), /Call|paid/)
})
