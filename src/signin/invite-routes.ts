/**
 * Setting up an account by its link. The secret stands behind the `#` of the address, so no server
 * log, `Referer` or preview of a chat has it; the page posts it, and from then on one browser goes on.
 */
import type { Hono } from 'hono'
import type { Fault } from '../base/fault.ts'
import type { Source } from '../record/entry.ts'
import { jsonOf, passkeysOf, personOf, whoIs } from './account-routes.ts'
import type { Account } from './accounts.ts'
import { weakness } from './passwords.ts'
import { refusal, show, wordIn } from './desk.ts'
import type { Desk, Local, SiteContext, SiteEnv } from './desk.ts'
import type { Flow } from './flows.ts'
import { enrolPage, invitePage, readyPage } from './pages.ts'
import type { Markup } from './pages.ts'

export function addInviteRoutes(app: Hono<SiteEnv>, desk: Desk, local: Local): void {
  app.get('/invite', async (c) => await show(c, invitePage(desk)))
  app.post('/invite', async (c) => await opened(desk, local, c))
  app.post('/invite/passkey/options', async (c) => {
    const { account } = invited(desk, local, wordIn(await jsonOf(c), 'signIn'), c)
    return c.json(await passkeysOf(local).beginEnrolment(personOf(desk, local, account)))
  })
  app.post('/invite/passkey', async (c) => await passkeyMade(desk, local, c))
  app.post('/invite/password', async (c) => await passwordMade(desk, local, c))
  app.get('/invite/next', async (c) => {
    const { account, flow } = invited(desk, local, c.req.query('f') ?? '', c)
    return await show(c, nextPage(desk, local, flow, account))
  })
  app.get('/invite/ready', async (c) => await show(c, readyPage(desk)))
}

async function opened(desk: Desk, local: Local, c: SiteContext): Promise<Response> {
  const secret = wordIn(await c.req.parseBody(), 'secret')
  const account = local.accounts.invited(secret)
  if (account === undefined) throw spent()
  const begun = desk.flows.start({ returnTo: '/', isFresh: false, method: local.name })
  const { flow, setCookie } = desk.flows.open(begun.id, c.req.header('cookie'), c.env.source.ip)
  flow.awaited = { kind: 'invite', secret, account: account.name }
  if (setCookie !== undefined) c.header('set-cookie', setCookie)
  return await show(c, nextPage(desk, local, flow, account))
}

/** What is still missing. A break-glass account has its key first, then its password. */
function nextPage(
  desk: Desk,
  local: Local,
  flow: Flow,
  account: Account,
  trouble?: string,
): Markup {
  const { isBreakGlass, name } = account
  const hasKey = isBreakGlass && hasPasskey(desk, local, account)
  const wants = isBreakGlass
    ? { passkey: !hasKey, password: hasKey }
    : { passkey: local.passkeys !== undefined, password: local.passwords }
  return enrolPage(desk, { signIn: flow.id, name, wants, isBreakGlass, trouble })
}

async function passkeyMade(desk: Desk, local: Local, c: SiteContext): Promise<Response> {
  const body = await jsonOf(c)
  const { account, flow, secret } = invited(desk, local, wordIn(body, 'signIn'), c)
  const isHardware = account.isBreakGlass
  const goesOn = isHardware && !account.hasPassword
  // The link is spent when the passkey is verified and before it is stored: of two who open the same
  // link one ends up with a passkey.
  const confirm = (): void => {
    if (!goesOn && !local.accounts.spend(secret)) throw spent()
  }
  const person = personOf(desk, local, account)
  const about = { principal: whoIs(local, account), source: c.env.source }
  await passkeysOf(local).finishEnrolment(person, body['response'], { isHardware, confirm, about })
  if (goesOn) return c.json({ next: `${desk.base}/invite/next?f=${flow.id}` })
  desk.flows.drop(flow)
  return c.json({ next: `${desk.base}/invite/ready` })
}

async function passwordMade(desk: Desk, local: Local, c: SiteContext): Promise<Response> {
  const form = await c.req.parseBody()
  const { account, flow, secret } = invited(desk, local, wordIn(form, 'f'), c)
  const { isBreakGlass, name } = account
  const isAllowed = isBreakGlass ? hasPasskey(desk, local, account) : local.passwords
  if (!isAllowed) throw refusal('password_not_wanted', 'A security key comes first.')
  const password = wordIn(form, 'password')
  const weak = weakness(password, name)
  if (weak !== undefined) return await show(c, nextPage(desk, local, flow, account, weak), 400)
  const about = { principal: whoIs(local, account), source: c.env.source }
  await desk.note('account.changed', about, { what: 'password_set', account: name })
  if (!(await local.accounts.setPassword(secret, password))) throw spent()
  desk.flows.drop(flow)
  // What was signed in with the one before ends. A crash before this leaves it open, as a sign-in
  // that nobody ended: it has its own end, and `account invite --reset` ends it at once.
  await endOpen(desk, local, account, c.env.source)
  return await show(c, readyPage(desk))
}

/** Ends what is open of an account, if it ever signed in. */
async function endOpen(
  desk: Desk,
  { accounts }: Local,
  { name }: Account,
  source: Source,
): Promise<void> {
  const { issuer } = accounts
  const hasSignedIn = (desk.directory.find(issuer, name)?.seenMs ?? 0) > 0
  if (hasSignedIn) await desk.endOpen({ issuer, subject: name }, source)
}

/** The account a browser sets up, while its link is good. */
function invited(
  desk: Desk,
  local: Local,
  id: string,
  c: SiteContext,
): { flow: Flow; account: Account; secret: string } {
  const flow = desk.flows.find(id, c.req.header('cookie'))
  if (flow.awaited?.kind !== 'invite') throw spent()
  const { secret } = flow.awaited
  const account = local.accounts.invited(secret)
  if (account === undefined) throw spent()
  return { flow, account, secret }
}

function hasPasskey(desk: Desk, local: Local, account: Account): boolean {
  const person = personOf(desk, local, account)
  return (local.passkeys?.listPasskeys(person).length ?? 0) > 0
}

function spent(): Fault {
  const sentence = 'This link was used, or has ended. Ask for another.'
  return refusal('invite_over', sentence)
}
