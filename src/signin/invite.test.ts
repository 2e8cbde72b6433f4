/** Setting up an account by its link, in browsers without a screen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SignInConfig } from '../config/types.ts'
import { Authenticator } from './authenticator.fixture.ts'
import { open, Robot, withPassword } from './site.fixture.ts'
import type { Opened } from './site.fixture.ts'

const password = 'correct horse 4 battery'
const ada = { name: 'ada', title: undefined, groups: [], roles: [], isBreakGlass: false }
const glass = { ...ada, name: 'glass', isBreakGlass: true }
const passkeysOnly: readonly SignInConfig[] = [
  { type: 'accounts', name: 'accounts', label: 'Account', passwords: false },
]

interface Sitting {
  readonly robot: Robot
  readonly key: Authenticator
  readonly signIn: string
}

/** Opens a link. @returns what the page it leads to has in it. */
async function opened(at: Opened, secret: string): Promise<Sitting> {
  const robot = new Robot()
  const page = await (await robot.post(`${at.origin}${at.base}/invite`, { secret })).text()
  const signIn = /data-sign-in="([^"]+)"|name="f" value="([^"]+)"/.exec(page)
  return {
    robot,
    key: new Authenticator(at.origin, 'localhost'),
    signIn: signIn?.[1] ?? signIn?.[2] ?? '',
  }
}

async function posted(at: Opened, robot: Robot, path: string, body: object): Promise<Response> {
  return await robot.ask(`${at.origin}${at.base}/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', origin: at.origin },
  })
}

/** Asks for options and makes a passkey for them. @returns what is to be posted. */
async function made(at: Opened, { key, robot, signIn }: Sitting): Promise<object> {
  const answer = await posted(at, robot, 'invite/passkey/options', { signIn })
  const options = (await answer.json()) as { challenge: string }
  return { signIn, response: key.create(options.challenge) }
}

const personOf = (at: Opened, name = 'ada'): string =>
  at.directory.find(at.accounts.issuer, name)?.id ?? ''

test('of two who opened one link, one has a passkey', async (t) => {
  const at = await open(t)
  const secret = at.accounts.add(ada)
  const [one, two] = [await opened(at, secret), await opened(at, secret)]
  const first = await posted(at, one.robot, 'invite/passkey', await made(at, one))
  assert.equal(first.status, 200)
  const late = await posted(at, two.robot, 'invite/passkey/options', { signIn: two.signIn })
  assert.equal(late.status, 403)
  assert.equal(at.passkeys.listPasskeys(personOf(at)).length, 1)
  assert.deepEqual(at.reasons(), ['invite_over'])
})

test('a link that is spent while the passkey is verified gives none', async (t) => {
  const at = await open(t)
  const secret = at.accounts.add(ada)
  const sitting = await opened(at, secret)
  const body = await made(at, sitting)
  // Between the look at the link and its end somebody else is through.
  const invited = at.accounts.invited.bind(at.accounts)
  at.accounts.invited = (of) => {
    const account = invited(of)
    at.accounts.spend(of)
    return account
  }
  assert.equal((await posted(at, sitting.robot, 'invite/passkey', body)).status, 403)
  assert.deepEqual(at.passkeys.listPasskeys(personOf(at)), [])
})

test('a passkey that does not verify leaves the link good', async (t) => {
  const at = await open(t)
  const secret = at.accounts.add(ada)
  const sitting = await opened(at, secret)
  await made(at, sitting)
  const wrong = { signIn: sitting.signIn, response: sitting.key.create('another') }
  assert.equal((await posted(at, sitting.robot, 'invite/passkey', wrong)).status, 403)
  assert.equal(
    (await posted(at, sitting.robot, 'invite/passkey', await made(at, sitting))).status,
    200,
  )
})

test('another browser does not go on with a link that was opened', async (t) => {
  const at = await open(t)
  const sitting = await opened(at, at.accounts.add(ada))
  const stranger = new Robot()
  const answer = await posted(at, stranger, 'invite/passkey/options', { signIn: sitting.signIn })
  assert.equal(answer.status, 403)
  assert.deepEqual(at.reasons(), ['other_browser'])
})

test('where passwords are off a link sets none', async (t) => {
  const at = await open(t, passkeysOnly)
  const { robot, signIn } = await opened(at, at.accounts.add(ada))
  const answer = await robot.post(`${at.origin}${at.base}/invite/password`, { f: signIn, password })
  assert.equal(answer.status, 403)
  assert.equal(at.accounts.find('ada')?.hasPassword, false)
  assert.deepEqual(at.reasons(), ['password_not_wanted'])
})

test('where passwords are off a password does not sign in', async (t) => {
  const at = await open(t, passkeysOnly)
  await withPassword(at, 'ada', password)
  const robot = new Robot()
  const address = at.start()
  await robot.ask(address)
  const f = new URL(address).searchParams.get('f') ?? ''
  const form = { f, name: 'ada', password }
  assert.equal((await robot.post(`${at.origin}${at.base}/password`, form)).status, 403)
  assert.deepEqual(at.reasons(), ['password_not_enough'])
})

test('a break-glass account has its key before its password, and a real key', async (t) => {
  const at = await open(t)
  const sitting = await opened(at, at.accounts.add(glass))
  const { robot, signIn } = sitting
  const early = await robot.post(`${at.origin}${at.base}/invite/password`, { f: signIn, password })
  assert.equal(early.status, 403)
  // The authenticator of this test has nobody to vouch for it.
  const answer = await posted(at, robot, 'invite/passkey', await made(at, sitting))
  assert.equal(answer.status, 403)
  assert.deepEqual(at.reasons(), ['password_not_wanted', 'not_hardware'])
  assert.equal(at.accounts.list()[0]?.invitedUntilMs === undefined, false)
})

test('a weak password is said to be, and the link stays good', async (t) => {
  const at = await open(t)
  const { robot, signIn } = await opened(at, at.accounts.add(ada))
  const to = `${at.origin}${at.base}/invite/password`
  const weak = await robot.post(to, { f: signIn, password: 'short' })
  assert.match(await weak.text(), /at least 12 characters/)
  assert.match(await (await robot.post(to, { f: signIn, password })).text(), /ready/)
  assert.equal((await robot.post(to, { f: signIn, password })).status, 400)
  const { details, type } = at.notes[0] ?? assert.fail()
  assert.deepEqual([type, details['what']], ['account.changed', 'password_set'])
  assert.ok(!JSON.stringify(at.notes).includes(password))
})

test('a password set anew ends what was signed in with the one before, and a first one nothing', async (t) => {
  const ended: unknown[] = []
  const at = await open(t, undefined, {
    endOpen: ({ issuer, subject }, { ip }) =>
      Promise.resolve(void ended.push([issuer, subject, ip])),
  })
  const set = async (secret: string): Promise<Response> => {
    const { robot, signIn } = await opened(at, secret)
    return await robot.post(`${at.origin}${at.base}/invite/password`, { f: signIn, password })
  }
  assert.equal((await set(at.accounts.add(ada))).status, 200)
  assert.deepEqual(ended, [])
  const robot = new Robot()
  const address = at.start()
  await robot.ask(address)
  const f = new URL(address).searchParams.get('f') ?? ''
  await robot.post(`${at.origin}${at.base}/password`, { f, name: 'ada', password })
  assert.equal((await set(at.accounts.invite('ada', false))).status, 200)
  assert.deepEqual(ended, [[at.accounts.issuer, 'ada', '192.0.2.1']])
})

test('without a way of its own it is ended as by a logout', async (t) => {
  const ended: unknown[] = []
  const at = await open(t, undefined, { loggedOut: (who) => Promise.resolve(void ended.push(who)) })
  const secret = at.accounts.add(ada)
  const of = { issuer: at.accounts.issuer, subject: 'ada' }
  at.directory.tell({ ...of, kind: 'person' }, 'sign-in', Date.now())
  const { robot, signIn } = await opened(at, secret)
  await robot.post(`${at.origin}${at.base}/invite/password`, { f: signIn, password })
  assert.deepEqual(ended, [of])
})

test('a password that cannot be recorded is not set', async (t) => {
  const at = await open(t, undefined, { note: () => Promise.reject(new Error('no disk')) })
  const { robot, signIn } = await opened(at, at.accounts.add(ada))
  const to = `${at.origin}${at.base}/invite/password`
  assert.equal((await robot.post(to, { f: signIn, password })).status, 500)
  assert.equal(at.accounts.find('ada')?.hasPassword, false)
})

test('a passkey’s answer comes as JSON, which no form of another site sends', async (t) => {
  const at = await open(t)
  const { robot, signIn } = await opened(at, at.accounts.add(ada))
  const answer = await robot.post(`${at.origin}${at.base}/invite/passkey/options`, { signIn })
  assert.equal(answer.status, 415)
  const plain = { method: 'POST', body: '{"signIn":"x"}', headers: { origin: at.origin } }
  assert.equal((await robot.ask(`${at.origin}${at.base}/passkey/options`, plain)).status, 415)
})

test('names of accounts that are none are not recorded: they may be passwords', async (t) => {
  const at = await open(t)
  await withPassword(at, 'ada', password)
  const robot = new Robot()
  const address = at.start()
  await robot.ask(address)
  const f = new URL(address).searchParams.get('f') ?? ''
  for (const name of ['ada', 'my-secret-word']) {
    await robot.post(`${at.origin}${at.base}/password`, { f, name, password: 'wrong' })
  }
  assert.deepEqual(at.reasons(), ['password_wrong', 'account_unknown'])
  assert.equal(at.notes[0]?.about.principal?.subject, 'ada')
  assert.ok(!JSON.stringify(at.notes).includes('my-secret-word'))
})
