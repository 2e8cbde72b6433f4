/** The way to a provider and back. Who comes back must be the browser that left, and by the same way. */
import { timingSafeEqual } from 'node:crypto'
import type { Hono } from 'hono'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { letIn, refusal, show, wordIn } from './desk.ts'
import type { Desk, SiteContext, SiteEnv } from './desk.ts'
import { take } from './flows.ts'
import type { Flow } from './flows.ts'
import { signedOutPage } from './pages.ts'
import type { OidcProvider, Provider, SamlProvider } from './providers.ts'

type Providers = ReadonlyMap<string, Provider>

/** Sends the browser to a provider, and remembers what must come back. */
export async function leave(c: SiteContext, flow: Flow, provider: Provider): Promise<Response> {
  const { awaited, redirect } = await provider.begin(flow)
  flow.awaited = awaited
  return c.redirect(redirect.href, 303)
}

export function addProviderRoutes(app: Hono<SiteEnv>, desk: Desk, providers: Providers): void {
  app.get('/callback/:name', async (c) => {
    return await cameBack(desk, c, oidcAt(providers, c.req.param('name')))
  })
  app.post('/saml/:name', async (c) => {
    return await posted(desk, c, samlAt(providers, c.req.param('name')))
  })
  app.get('/saml/:name/finish', async (c) => {
    return await finished(desk, c, samlAt(providers, c.req.param('name')))
  })
  app.get('/saml/:name/logout', async (c) => {
    const provider = samlAt(providers, c.req.param('name'))
    await desk.loggedOut(provider.acceptLogout(new URL(c.req.url).search.slice(1)), c.env.source)
    return await show(c, signedOutPage(desk))
  })
  app.get('/saml/:name/metadata', (c) => {
    const text = samlAt(providers, c.req.param('name')).metadata()
    return c.body(text, 200, { 'content-type': 'application/samlmetadata+xml' })
  })
}

async function cameBack(desk: Desk, c: SiteContext, provider: OidcProvider): Promise<Response> {
  const url = new URL(c.req.url)
  const state = url.searchParams.get('state') ?? ''
  const flow = desk.flows.find(state.split('.', 1)[0] ?? '', c.req.header('cookie'))
  const awaited = take(flow, 'oidc')
  // Mix-up (RFC 9700 §4.4): what one provider sent is not handed to another.
  if (awaited.method !== provider.name) throw refusal('provider_mixed_up', mixed)
  if (!isSame(awaited.state, state)) throw refusal('state_other', mixed)
  const proven = await provider.finish(url, awaited, flow.isFresh)
  const method = { method: provider.name, type: provider.type }
  return c.redirect(await letIn(desk, flow, proven, method, c.env.source), 303)
}

const mixed = 'This answer does not belong to this sign-in. Begin again.'

/** The provider's post comes from another site, so without our cookie: the result waits under a code
 *  until the same browser comes with its cookie, one redirect later. */
async function posted(desk: Desk, c: SiteContext, provider: SamlProvider): Promise<Response> {
  const { ip } = c.env.source
  // Counted before it is looked at, so that posts at one time count as well.
  if (!desk.samlPosts.take(ip)) {
    const message = 'Too many sign-ins of this network failed. Try again in a minute.'
    throw new Fault('rate_limited', message, { facts: { reason: 'saml_too_many_failed' } })
  }
  try {
    const response = await taken(desk, c, provider)
    desk.samlPosts.giveBack(ip)
    return response
  } catch (error) {
    if (isOurs(error)) desk.samlPosts.giveBack(ip)
    throw error
  }
}

/** Whether a sign-in failed by nothing that was sent. */
function isOurs(error: unknown): boolean {
  return error instanceof Fault && (error.code === 'busy' || error.code === 'identity_down')
}

async function taken(desk: Desk, c: SiteContext, provider: SamlProvider): Promise<Response> {
  const form = await c.req.parseBody()
  const flow = desk.flows.unbound(wordIn(form, 'RelayState'))
  const awaited = take(flow, 'saml')
  if (awaited.method !== provider.name) throw refusal('provider_mixed_up', mixed)
  const proven = await provider.accept(form, awaited, c.env.source.ip).catch((error: unknown) => {
    // Nobody looked at it: the same browser may send it once more.
    if (error instanceof Fault && error.code === 'busy') flow.awaited ??= awaited
    throw error
  })
  const code = newId('sr')
  flow.awaited = { kind: 'saml-told', method: provider.name, code, proven }
  const path = `${desk.base}/saml/${encodeURIComponent(provider.name)}/finish`
  return c.redirect(`${path}?f=${flow.id}&c=${code}`, 303)
}

async function finished(desk: Desk, c: SiteContext, provider: SamlProvider): Promise<Response> {
  const flow = desk.flows.find(c.req.query('f') ?? '', c.req.header('cookie'))
  const { code, method, proven } = take(flow, 'saml-told')
  if (method !== provider.name) throw refusal('provider_mixed_up', mixed)
  if (!isSame(code, c.req.query('c') ?? '')) throw refusal('code_other', mixed)
  const { name, type } = provider
  return c.redirect(await letIn(desk, flow, proven, { method: name, type }, c.env.source), 303)
}

function oidcAt(providers: Providers, name: string): OidcProvider {
  const provider = providers.get(name)
  if (provider !== undefined && provider.type !== 'saml') return provider
  throw new Fault('path_unknown', 'There is no such sign-in.')
}

function samlAt(providers: Providers, name: string): SamlProvider {
  const provider = providers.get(name)
  if (provider?.type === 'saml') return provider
  throw new Fault('path_unknown', 'There is no such sign-in.')
}

function isSame(wanted: string, came: string): boolean {
  const [one, other] = [Buffer.from(wanted), Buffer.from(came)]
  return one.length === other.length && timingSafeEqual(one, other)
}
