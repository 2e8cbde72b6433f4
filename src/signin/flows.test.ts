/** Bounds of what is under way, and what a path is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cookieName, isBrowser, newBrowser } from './browser.ts'
import { Flows, take } from './flows.ts'
import { pathOn, withQuery } from './paths.ts'
import { TestClock } from './site.fixture.ts'

const of = { returnTo: '/done', isFresh: false, method: undefined }
const ip = '192.0.2.1'
const cookieOf = (setCookie = ''): string => setCookie.split(';', 1)[0] ?? ''

test('whoever begins very many pushes out their own, not those of others', () => {
  const flows = new Flows(new TestClock())
  const open = (from: string): string => flows.open(flows.start(of).id, undefined, from).flow.id
  const [victim, waiting] = [open('198.51.100.7'), open('2001:db8:0:2::1')]
  for (let i = 0; i < 10_050; i++) open(`2001:db8:0:1::${i.toString(16)}`)
  for (let i = 0; i < 10_050; i++) flows.start(of)
  for (const id of [victim, waiting])
    assert.throws(() => flows.find(id, undefined), { code: 'refused' })
})

test('what has ended makes room', () => {
  const clock = new TestClock()
  const flows = new Flows(clock)
  const { id } = flows.open(flows.start(of).id, undefined, ip).flow
  for (let i = 0; i < 9_999; i++) flows.start(of)
  clock.pass(600_000)
  for (let i = 0; i < 9_999; i++) flows.start(of)
  assert.throws(() => flows.open(id, undefined, ip), { code: 'bad_request' })
  const last = flows.start(of)
  assert.equal(flows.open(last.id, undefined, ip).flow.id, last.id)
})

test('beyond ten thousand the oldest sign-in is forgotten', () => {
  const flows = new Flows(new TestClock())
  const { id: first } = flows.start(of)
  const { id: second } = flows.start(of)
  for (let i = 0; i < 9_999; i++) flows.start(of)
  assert.throws(() => flows.open(first, undefined, ip), { code: 'bad_request' })
  assert.equal(flows.open(second, undefined, ip).flow.id, second)
})

test('one sign-in is looked for sixty times at most', () => {
  const flows = new Flows(new TestClock())
  const { flow, setCookie } = flows.open(flows.start(of).id, undefined, ip)
  const cookie = cookieOf(setCookie)
  for (let i = 0; i < 60; i++) flows.find(flow.id, cookie)
  assert.throws(() => flows.find(flow.id, cookie), { code: 'rate_limited' })
  assert.throws(() => flows.find(flow.id, cookie), { code: 'bad_request' })
})

test('what is awaited is taken once, and only as what it is', () => {
  const flows = new Flows(new TestClock())
  const { flow } = flows.open(flows.start(of).id, undefined, ip)
  assert.throws(() => take(flow, 'oidc'), { code: 'bad_request' })
  flow.awaited = { kind: 'passkey', challenge: 'x' }
  assert.throws(() => take(flow, 'key'), { code: 'bad_request' })
  // The wrong question has used it up.
  assert.throws(() => take(flow, 'passkey'), { code: 'bad_request' })
  flow.awaited = { kind: 'passkey', challenge: 'x' }
  assert.equal(take(flow, 'passkey').challenge, 'x')
  assert.throws(() => take(flow, 'passkey'), { code: 'bad_request' })
})

test('a sign-in that no browser opened is found by none', () => {
  const flows = new Flows(new TestClock())
  const { id } = flows.start(of)
  const { setCookie } = newBrowser(undefined)
  assert.throws(() => flows.find(id, cookieOf(setCookie)), { code: 'refused' })
})

test('a browser keeps the secrets of its newest five sign-ins', () => {
  let cookie = ''
  const hashes = Array.from({ length: 7 }, () => {
    const made = newBrowser(cookie)
    cookie = cookieOf(made.setCookie)
    return made.hash
  })
  const known = hashes.map((hash) => isBrowser(cookie, hash))
  assert.deepEqual(known, [false, false, true, true, true, true, true])
})

test('whatever a cookie holds, it is nobody’s', () => {
  const { hash } = newBrowser(undefined)
  const strange = fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
    assert.equal(isBrowser(`${cookieName}=${text}`, hash), false)
    assert.equal(isBrowser(text, hash), false)
    assert.match(newBrowser(`${cookieName}=${text}`).setCookie, /^__Host-[\w-]+=[\w.-]+; /)
  })
  fc.assert(strange)
})

test('a path leads to our origin, however it is spelt', () => {
  const origin = 'https://gw.example'
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    ':',
    '@',
    '?',
    '#',
    '%2f',
    '%5c',
    '\t',
    'e',
    '//',
    'https:',
  )
  const text = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.array(piece, { maxLength: 8 }).map((all) => `/${all.join('')}`),
  )
  const stays = fc.property(text, (value) => {
    const path = pathOn(origin, value)
    if (path === undefined) return
    assert.equal(new URL(path, origin).origin, origin)
    const sent = withQuery(path, 'c', 'x')
    // A browser resolves what is sent once more, from a page of ours.
    assert.equal(new URL(sent, `${origin}/oauth/login/start`).origin, origin)
    assert.equal(new URL(sent, origin).searchParams.get('c'), 'x')
  })
  fc.assert(stays, { numRuns: 2000 })
})
