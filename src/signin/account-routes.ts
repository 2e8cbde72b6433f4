/** Signing in to a local account: by passkey, by password where that is on, by both for emergencies. */
import { randomBytes } from 'node:crypto'
import type { Hono } from 'hono'
import { Fault } from '../base/fault.ts'
import type { Source, Who } from '../record/entry.ts'
import { toldOf } from './accounts.ts'
import type { Account } from './accounts.ts'
import { letIn, refusal, refuse, show, wordIn } from './desk.ts'
import type { Desk, Local, SiteContext, SiteEnv } from './desk.ts'
import { take } from './flows.ts'
import type { Flow, Proven } from './flows.ts'
import { accountPage, emergencyPage, keyPage, onwardPage } from './pages.ts'
import type { AccountPageOptions, Markup } from './pages.ts'
import type { Passkeys } from './passkeys.ts'

/** The page of local accounts for a sign-in. */
export function localPage(desk: Desk, local: Local, flow: Flow, more?: Trouble): Markup {
  return accountPage(desk, optionsOf(local, flow, more))
}

interface Trouble {
  readonly trouble: string
  readonly name: string
}

function optionsOf(local: Local, flow: Flow, more?: Trouble): AccountPageOptions {
  return {
    signIn: flow.id,
    hasPasskeys: local.passkeys !== undefined,
    hasPasswords: local.passwords,
    hasBreakGlass: local.accounts.list().some(({ isBreakGlass }) => isBreakGlass),
    ...more,
  }
}

export function addAccountRoutes(app: Hono<SiteEnv>, desk: Desk, local: Local): void {
  app.get('/emergency', async (c) => {
    const flow = desk.flows.find(c.req.query('f') ?? '', c.req.header('cookie'))
    return await show(c, emergencyPage(desk, optionsOf(local, flow)))
  })
  app.post('/password', async (c) => await passwordPosted(desk, local, c))
  app.post('/passkey/options', async (c) => await passkeyAsked(desk, local, c))
  app.post('/passkey', async (c) => await passkeyPosted(desk, local, c))
}

async function passwordPosted(desk: Desk, local: Local, c: SiteContext): Promise<Response> {
  const form = await c.req.parseBody()
  const flow = desk.flows.find(wordIn(form, 'f'), c.req.header('cookie'))
  const name = wordIn(form, 'name').trim().toLowerCase()
  const { source } = c.env
  const ip = source.ip
  const account = await local.accounts.check(name, wordIn(form, 'password'), ip)
  const isFine = typeof account !== 'string' && (local.passwords || account.isBreakGlass)
  if (!isFine) {
    const reason = typeof account === 'string' ? account : 'password_not_enough'
    return await again(desk, local, c, flow, { reason, name })
  }
  if (account.isBreakGlass) {
    flow.awaited = { kind: 'key', account: account.name }
    return await show(c, keyPage(desk, flow.id))
  }
  const proven = provenBy(desk, local, account, ['pwd'])
  return await show(c, onwardPage(desk, await enter(desk, local, flow, proven, c)))
}

/** The form once more. What is wrong is not told: the name, the password, or that there were ten. */
async function again(
  desk: Desk,
  local: Local,
  c: SiteContext,
  flow: Flow,
  { name, reason }: { reason: string; name: string },
): Promise<Response> {
  const trouble = 'This account and password do not let you in. After ten tries wait half an hour.'
  // A name that is nobody's may be a password in the wrong field: it is not recorded.
  const account = local.accounts.find(name)
  const who = account && whoIs(local, account)
  const { status } = await refuse(desk, c, refusal(reason, trouble, who))
  const shown = optionsOf(local, flow, { trouble, name })
  return await show(
    c,
    local.passwords ? accountPage(desk, shown) : emergencyPage(desk, shown),
    status,
  )
}

async function passkeyAsked(desk: Desk, local: Local, c: SiteContext): Promise<Response> {
  const passkeys = passkeysOf(local)
  const flow = desk.flows.find(wordIn(await jsonOf(c), 'signIn'), c.req.header('cookie'))
  const challenge = randomBytes(32).toString('base64url')
  const { awaited } = flow
  if (awaited?.kind !== 'key') {
    flow.awaited = { kind: 'passkey', challenge }
    return c.json(await passkeys.request(challenge))
  }
  flow.awaited = { kind: 'key', account: awaited.account, challenge }
  const person = personOf(desk, local, accountOf(local, awaited.account))
  return c.json(await passkeys.request(challenge, person))
}

async function passkeyPosted(desk: Desk, local: Local, c: SiteContext): Promise<Response> {
  const body = await jsonOf(c)
  const flow = desk.flows.find(wordIn(body, 'signIn'), c.req.header('cookie'))
  const proven =
    flow.awaited?.kind === 'key'
      ? await keyProven(desk, local, flow, body['response'], c.env.source)
      : await passkeyProven(desk, local, flow, body['response'])
  return c.json({ next: await enter(desk, local, flow, proven, c) })
}

async function passkeyProven(
  desk: Desk,
  local: Local,
  flow: Flow,
  response: unknown,
): Promise<Proven> {
  const { challenge } = take(flow, 'passkey')
  const { amr, person } = await passkeysOf(local).check(response, challenge)
  const { issuer, subject } = person
  const account = issuer === local.accounts.issuer ? local.accounts.find(subject) : undefined
  const who = { issuer, subject, kind: person.kind }
  const sentence = 'This passkey does not sign in here.'
  if (account === undefined) throw refusal('passkey_of_no_account', sentence, who)
  if (account.isBreakGlass) throw refusal('password_missing', sentence, who)
  return provenBy(desk, local, account, amr)
}

/** The second half of a break-glass account. A wrong key costs the password's step as well. */
async function keyProven(
  desk: Desk,
  local: Local,
  flow: Flow,
  response: unknown,
  source: Source,
): Promise<Proven> {
  const awaited = take(flow, 'key')
  if (awaited.challenge === undefined) throw new Fault('bad_request', 'Begin again.')
  const account = accountOf(local, awaited.account)
  const person = personOf(desk, local, account)
  try {
    const { amr } = await passkeysOf(local).check(response, awaited.challenge, person)
    return provenBy(desk, local, account, ['pwd', ...amr])
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'refused') throw error
    const principal = whoIs(local, account)
    // Somebody knows its password and has not its key.
    const reason = 'break_glass_key_refused'
    await desk.note('alert.raised', { principal, source }, { at: desk.at, reason })
    desk.warn('The password of a break-glass account was right and its key was not.')
    throw refusal(String(error.facts['reason']), error.message, principal)
  }
}

/** An account as the record names people. */
export function whoIs({ accounts }: Local, { name, title }: Account): Who {
  return { issuer: accounts.issuer, subject: name, kind: 'person', name: title }
}

function provenBy(desk: Desk, local: Local, account: Account, amr: readonly string[]): Proven {
  const nowMs = Math.floor(desk.clock.nowUs() / 1000)
  return {
    told: toldOf(account, local.accounts.issuer),
    authenticatedMs: nowMs,
    provenMs: nowMs,
    amr,
    isBreakGlass: account.isBreakGlass,
  }
}

async function enter(
  desk: Desk,
  local: Local,
  flow: Flow,
  proven: Proven,
  c: SiteContext,
): Promise<string> {
  const method = { method: local.name, type: 'accounts' as const }
  return await letIn(desk, flow, proven, method, c.env.source)
}

/** Makes the account known to the directory, whose ids passkeys belong to. */
export function personOf(desk: Desk, local: Local, account: Account): string {
  const { issuer } = local.accounts
  const known = desk.directory.find(issuer, account.name)
  if (known) return known.id
  const nowMs = Math.floor(desk.clock.nowUs() / 1000)
  return desk.directory.tell(toldOf(account, issuer), 'command', nowMs).id
}

function accountOf(local: Local, name: string): Account {
  const account = local.accounts.find(name)
  if (account) return account
  throw refusal('account_unknown', 'This account is no longer there.')
}

export function passkeysOf({ passkeys }: Local): Passkeys {
  if (passkeys) return passkeys
  throw refusal('passkeys_off', 'Passkeys do not work at this address of the site.')
}

/** A body of JSON, which no form of another site can send. */
export async function jsonOf(c: SiteContext): Promise<Readonly<Record<string, unknown>>> {
  const facts = { reason: 'body_form' }
  if (c.req.header('content-type')?.split(';')[0] !== 'application/json')
    throw new Fault('media_unsupported', 'This takes JSON.', { facts })
  const body: unknown = await c.req.json().catch(() => undefined)
  if (typeof body === 'object' && body !== null) return { ...body }
  throw new Fault('bad_request', 'This takes a JSON object.', { facts })
}
