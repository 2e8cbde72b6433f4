/** What the library, the sign-in and the browser see of each other. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openDesk } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import { authorizeUrl, jsonOf } from './flow.fixture.ts'

let desk: Desk
const publicUrl = 'https://gw.example.com'
before(async () => {
  desk = await openDesk({}, { publicUrl })
})
after(() => desk.close())

const here = (url: URL | string): URL => {
  const { pathname, search } = new URL(url, publicUrl)
  return new URL(pathname + search, desk.address)
}

test('behind TLS every cookie is Secure, HttpOnly, Lax, and named for it', async () => {
  const body = JSON.stringify({ redirect_uris: ['http://localhost/cb'] })
  const headers = { 'content-type': 'application/json' }
  const made = await fetch(here('/oauth/reg'), { method: 'POST', headers, body })
  const { client_id } = await jsonOf(made)
  const url = authorizeUrl(desk, String(client_id), { redirect_uri: 'http://localhost/cb' })
  const answer = await fetch(here(url), { redirect: 'manual' })
  assert.equal(answer.status, 303)
  const to = answer.headers.get('location') ?? ''
  assert.ok(to.startsWith(`${publicUrl}/oauth/i/`), to)
  const cookies = answer.headers.getSetCookie()
  const names = cookies.map((one) => one.split('=')[0])
  assert.ok(names.includes('__Secure-sallyport-ask') && names.includes('__Secure-sallyport-resume'))
  for (const cookie of cookies) {
    assert.match(cookie, /; secure/i)
    assert.match(cookie, /; httponly/i)
    assert.match(cookie, /; samesite=lax/i)
    assert.doesNotMatch(cookie, /; domain=/i)
    assert.match(cookie, new RegExp(`; path=/oauth/(i|auth)/`, 'i'))
  }
  const jar = cookies.map((one) => one.split(';')[0]).join('; ')
  const login = await fetch(here(to), { redirect: 'manual', headers: { cookie: jar } })
  const back = await fetch(here(login.headers.get('location') ?? ''), { redirect: 'manual' })
  const signed = `${jar}; ${back.headers.getSetCookie()[0]?.split(';')[0]}`
  const code = back.headers.get('location') ?? ''
  const resume = await fetch(here(code), { redirect: 'manual', headers: { cookie: signed } })
  assert.equal(resume.status, 303, await resume.text())
  const ask = here(resume.headers.get('location') ?? '')
  const asked = await fetch(ask, { redirect: 'manual', headers: { cookie: signed } })
  const session = asked.headers.getSetCookie().find((one) => one.startsWith('__Host-'))
  const parts = session?.split('; ').map((part) => part.toLowerCase()) ?? []
  for (const part of ['path=/', 'samesite=lax', 'secure', 'httponly']) {
    assert.ok(parts.includes(part), session)
  }
})

test('a Host of somebody’s choosing appears nowhere', async () => {
  const answer = await fetch(`${desk.address}/oauth/.well-known/oauth-authorization-server`, {
    headers: {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
    },
  })
  const text = await answer.text()
  assert.doesNotMatch(text, /evil/)
  assert.match(text, /"token_endpoint":"https:\/\/gw\.example\.com\/oauth\/token"/)
})

test('the sign-in sees method, path, cookie and body, and its answer comes back whole', async () => {
  const init = {
    method: 'POST',
    body: 'SAMLResponse=x',
    headers: { cookie: 'a=1', origin: 'null' },
  }
  const answer = await fetch(`${desk.address}/oauth/login/acs?x=1`, init)
  assert.equal(await answer.text(), 'a page of the sign-in')
  const seen = desk.visits.at(-1)
  assert.equal(seen?.url, `${publicUrl}/oauth/login/acs?x=1`)
  assert.equal(seen.method, 'POST')
  assert.equal(seen.headers.get('cookie'), 'a=1')
  assert.equal(await seen.text(), 'SAMLResponse=x')
  const two = await fetch(`${desk.address}/oauth/login/start?to=/x`, { redirect: 'manual' })
  assert.equal(two.headers.getSetCookie().length, 2)
  assert.equal(two.status, 303)
})
