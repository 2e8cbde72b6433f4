/**
 * What a person sees between a client's request and its answer: the way to the sign-in, the question
 * whether this program may act as them. All of it in the one browser that began: the cookie of the
 * interaction is scoped to its path, and the library compares.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { KnownPrincipal } from '../identity/directory.ts'
import type { Source } from '../record/entry.ts'
import type { SignedIn } from '../signin/signed-in.ts'
import { scopes } from './metadata.ts'
import { mayAct } from './options.ts'
import type { AuthorizationServerOptions } from './options.ts'
import { consentPage, errorPage, goingOnPage, pageHeaders, targetOf } from './pages.ts'
import { base } from './provider.ts'
import { isSameOrigin, readBody, send } from './requests.ts'
import type { Resources } from './resources.ts'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

export interface InteractionParts {
  readonly options: AuthorizationServerOptions
  readonly provider: Provider
  readonly resources: Resources
  /** Tells clients of the configuration and of documents from those that registered themselves. */
  readonly originOf: (clientId: string) => 'configured' | 'dynamic' | 'document'
  readonly source: Source
}

interface Visit extends InteractionParts {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly details: Interaction
  readonly uid: string
}

const formBytesMax = 4096

/** Names of interactions, and what may be asked of one: nothing, `/back`, `/answer`. */
const paths = /^\/i\/([\w-]{16,64})(|\/back|\/answer)$/

/**
 * Answers what is below `/oauth/i/`.
 * @param path below `/oauth`, without query.
 */
export async function interact(
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  parts: InteractionParts,
): Promise<void> {
  const [, uid = '', step = ''] = paths.exec(path) ?? []
  if (uid === '') return lost(res)
  if (req.method !== (step === '/answer' ? 'POST' : 'GET')) {
    res.setHeader('allow', step === '/answer' ? 'POST' : 'GET')
    return complain(res, 405, 'This did not work', 'This address is not used in this way.')
  }
  const details = await detailsOf(req, res, parts.provider)
  if (details === undefined || details.uid !== uid) return lost(res)
  const visit = { ...parts, req, res, details, uid }
  if (step === '/answer') return await takeAnswer(visit)
  if (step === '/back') return await comeBack(visit)
  if (details.prompt.name === 'consent') return await ask(visit)
  if (details.prompt.name === 'login') return signIn(visit)
  return lost(res)
}

/** undefined without this browser's cookie, and after ten minutes. */
async function detailsOf(
  req: IncomingMessage,
  res: ServerResponse,
  provider: Provider,
): Promise<Interaction | undefined> {
  try {
    return await provider.interactionDetails(req, res)
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined
    throw error
  }
}

/** Why a session of the provider's will not do. `gone`: signed out everywhere, or stopped. */
const freshReasons = ['login_prompt', 'max_age', 'gone']

function signIn({ options, details, res, uid }: Visit): void {
  const anew = details.prompt.reasons.some((why) => freshReasons.includes(why))
  const to = options.site.start({
    returnTo: `${base}/i/${uid}/back`,
    ...(anew ? { isFresh: true } : {}),
  })
  redirect(res, to)
}

/** Back from the sign-in, with a code that only this browser can redeem. */
async function comeBack(visit: Visit): Promise<void> {
  const { options, details, provider, req, res, uid } = visit
  if (details.prompt.name !== 'login') return redirect(res, `${base}/i/${uid}`)
  const code = new URL(req.url ?? '', options.publicUrl).searchParams.get('c') ?? ''
  const signed = options.site.redeem(code, req.headers.cookie)
  if (signed === undefined) {
    const sentence =
      'The sign-in was not finished in this browser, or took too long. Start again from your program.'
    return complain(res, 400, 'You are not signed in', sentence)
  }
  if (!isWelcome(signed, visit)) {
    // The library tells the client, and the client the person.
    const error_description = 'this person may not use programs here'
    return await finish(visit, { error: 'access_denied', error_description })
  }
  await leaveOther(details, provider, signed.person)
  const { person, authenticatedMs, amr } = signed
  const login = { accountId: person.id, ts: Math.floor(authenticatedMs / 1000), amr: [...amr] }
  await finish(visit, { login })
}

/** A break-glass account is for the console: it lends itself to no program. */
function isWelcome({ authenticatedMs, isBreakGlass, person }: SignedIn, visit: Visit): boolean {
  return !isBreakGlass && person.kind === 'person' && mayGoOn(person, authenticatedMs, visit)
}

/** @param provedMs when the person proved it: they may have been signed out everywhere since. */
function mayGoOn(person: KnownPrincipal, provedMs: number, visit: Visit): boolean {
  const { details, options } = visit
  const nowMs = options.clock.nowUs() / 1000
  const at = { clientId: clientIdOf(details), issuedAtMs: provedMs, nowMs }
  return mayAct(person, options.revocations, at)
}

/** Somebody else was signed in with this browser: their session ends before the new one begins. */
async function leaveOther(
  details: Interaction,
  provider: Provider,
  { id }: KnownPrincipal,
): Promise<void> {
  const { session } = details
  if (session === undefined || session.accountId === id) return
  await (await provider.Session.find(session.cookie ?? ''))?.destroy()
  delete details.session
  await details.persist()
}

/** Shows who asks for what. */
async function ask(visit: Visit): Promise<void> {
  const asked = await whatIsAsked(visit)
  if (asked === undefined) return lost(visit.res)
  const { clientId, connections, name, person, redirectUri } = asked
  const text = consentPage({
    name,
    clientId,
    origin: visit.originOf(clientId),
    connections,
    redirect: redirectUri,
    person: { name: person.name ?? person.subject, detail: detailOf(person) },
    action: `${base}/i/${visit.uid}/answer`,
    token: tokenFor(visit),
  })
  send(visit.res, 200, pageHeaders, text)
}

function detailOf({ email, issuer, name, subject }: KnownPrincipal): string {
  const who = email ?? (name === undefined ? undefined : subject)
  return who === undefined ? `(${issuer})` : `${who} (${issuer})`
}

interface AskedFor {
  readonly clientId: string
  readonly name: string | undefined
  readonly person: KnownPrincipal
  readonly redirectUri: URL
  readonly resources: readonly string[]
  /** Names; empty where the whole gateway is asked for. */
  readonly connections: readonly string[]
}

/** undefined when client or person have gone meanwhile. */
async function whatIsAsked(visit: Visit): Promise<AskedFor | undefined> {
  const { details, options, provider } = visit
  const clientId = clientIdOf(details)
  const client = await provider.Client.find(clientId)
  const person = options.directory.byId(details.session?.accountId ?? '')
  const redirectUri = URL.parse(String(details.params['redirect_uri']))
  if (client === undefined || person === undefined || redirectUri === null) return undefined
  const said = details.params['resource']
  const list: readonly unknown[] = Array.isArray(said) ? said : [said ?? options.publicUrl]
  const resources = list.map(String)
  const named = resources.map((one) => visit.resources.connectionOf(one))
  const connections = named.filter((one) => one !== undefined)
  const isWhole = connections.length < named.length
  const rest = { resources, connections: isWhole ? [] : connections }
  return { clientId, name: client.clientName, person, redirectUri, ...rest }
}

/** The person pressed a button. */
async function takeAnswer(visit: Visit): Promise<void> {
  const { options, details, req, res } = visit
  if (!isSameOrigin(req, options.publicUrl)) return refuse(res)
  const type = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return refuse(res)
  const form = new URLSearchParams((await readBody(req, formBytesMax)).toString('utf8'))
  const sent = Buffer.from(form.get('token') ?? '')
  const wanted = Buffer.from(tokenFor(visit))
  if (sent.length !== wanted.length || !timingSafeEqual(sent, wanted)) return refuse(res)
  if (details.prompt.name !== 'consent') return lost(res)
  const answer = form.get('answer')
  if (answer === 'deny') {
    const error_description = 'the person said no'
    await noteNo(visit)
    return await goOn(visit, { error: 'access_denied', error_description }, false)
  }
  if (answer !== 'allow') return refuse(res)
  const asked = await whatIsAsked(visit)
  const session = await visit.provider.Session.find(details.session?.cookie ?? '')
  if (asked === undefined || session?.loginTs === undefined) return lost(res)
  if (!mayGoOn(asked.person, session.loginTs * 1000, visit)) return lost(res)
  const grantId = await give(visit, asked)
  await goOn(visit, { consent: { grantId } }, true)
}

/** A no is kept as well: many of them say that somebody is being asked by a stranger. */
async function noteNo(visit: Visit): Promise<void> {
  const asked = await whatIsAsked(visit)
  if (asked === undefined) return
  const { issuer, subject, name, kind } = asked.person
  const about = { principal: { issuer, subject, name, kind }, source: visit.source }
  const redirect = targetOf(asked.redirectUri)
  const details = { client: asked.clientId, name: asked.name, redirect }
  await visit.options.note('consent.refused', about, details)
}

/** Recorded before it holds: a yes that nobody can look up later is none. */
async function give(visit: Visit, asked: AskedFor): Promise<string> {
  const { details, options, provider, source } = visit
  const { person, clientId } = asked
  const grant = new provider.Grant({ accountId: person.id, clientId })
  // `mcp` is a scope of the server and of the resource: with one missing it would ask forever.
  const scope = scopeOf(details)
  grant.addOIDCScope(scope)
  for (const resource of asked.resources) grant.addResourceScope(resource, 'mcp')
  const { issuer, subject, name, kind } = person
  const [connection] = asked.connections
  await options.note(
    'consent.given',
    { principal: { issuer, subject, name, kind }, source, connection },
    {
      client: clientId,
      name: asked.name,
      redirect: targetOf(asked.redirectUri),
      connections: asked.connections.length === 0 ? ['all'] : asked.connections,
      scope,
    },
  )
  return await grant.save()
}

function scopeOf(details: Interaction): string {
  const said = details.params['scope']
  const asked = typeof said === 'string' ? said.split(' ') : []
  return scopes.filter((scope) => scope === 'mcp' || asked.includes(scope)).join(' ')
}

function clientIdOf(details: Interaction): string {
  return String(details.params['client_id'])
}

/** Bound to this interaction, and made with a key that only we have. */
function tokenFor({ options, uid }: Visit): string {
  const secret = options.local.privateKeys().at(-1)?.d ?? ''
  return createHmac('sha256', secret).update(`sallyport consent ${uid}`).digest('base64url')
}

type Result = Parameters<Provider['interactionFinished']>[2]

async function finish({ provider, req, res }: Visit, result: Result): Promise<void> {
  const to = await provider.interactionResult(req, res, result)
  redirect(res, to)
}

/** A form may lead nowhere but to this origin, and the program is elsewhere: a page goes between. */
async function goOn(
  { provider, req, res }: Visit,
  result: Result,
  isAllowed: boolean,
): Promise<void> {
  const to = await provider.interactionResult(req, res, result)
  send(res, 200, pageHeaders, goingOnPage(to, isAllowed))
}

function redirect(res: ServerResponse, to: string): void {
  const headers = { location: to, 'cache-control': 'no-store', 'referrer-policy': 'same-origin' }
  send(res, 303, headers, '')
}

function refuse(res: ServerResponse): void {
  const sentence = 'This was not sent by a page of this gateway. Nothing was allowed.'
  complain(res, 403, 'This did not work', sentence)
}

function lost(res: ServerResponse): void {
  const sentence =
    'This was begun in another browser, is older than ten minutes, or was answered before. Start again from your program.'
  complain(res, 400, 'There is nothing to answer here', sentence)
}

function complain(res: ServerResponse, status: number, title: string, sentence: string): void {
  send(res, status, pageHeaders, errorPage(title, sentence))
}
