/**
 * The authorization server inside the gateway, at `{publicUrl}/oauth`: what companies' issuers do not
 * offer to MCP clients (registration by themselves, client id metadata documents, PKCE, resource
 * indicators, loopback redirects), in front of the company's own sign-in.
 *
 * It is `oidc-provider`; this file is what stands around it. OAuth 2.1, RFC 7591, 7636, 8414, 8707,
 * 9068, 9207; MCP 2026-07-28, Authorization.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import Provider, { errors } from 'oidc-provider'
import { Fault } from '../base/fault.ts'
import type { Source } from '../record/entry.ts'
import { registerAssertionGrant } from './assertion-grant.ts'
import { createGet, proveOutsideOnly } from './documents.ts'
import type { GetDocument } from './documents.ts'
import { Entries } from './entries.ts'
import type { Around } from './entries.ts'
import {
  allowOrigins,
  isMethodHere,
  letIn,
  tidyDiscovery,
  tidyRegistration,
  tidyScope,
} from './gate.ts'
import { interact } from './interaction.ts'
import type {
  AuthorizationServer,
  AuthorizationServerOptions,
  EndReason,
  Ended,
} from './options.ts'
import { errorPage, pageHeaders, style, stylePath } from './pages.ts'
import { base, makeProvider } from './provider.ts'
import type { ProviderParts } from './provider.ts'
import { networkOf } from '../base/network.ts'
import { Rate } from '../base/rate.ts'
import { keepHere } from './redirect-off.ts'
import { Registrations } from './registrations.ts'
import { readBody, send, sendError, sendFetched, toFetch, toLibrary } from './requests.ts'
import { resourcesOf } from './resources.ts'
import type { Resources } from './resources.ts'
import { Store } from './store.ts'
import type { GrantRow } from './store.ts'

const dayMs = 24 * 3_600_000
/** For ten minutes, of 5 KiB each: 100 MiB on the disk at most. */
const interactionsMax = 20_000
/** Many people may share an address. */
const interactionsPerNetworkMax = 1000
/** An answer of a SAML identity provider is posted to the sign-in site. */
const signInBytesMax = 1024 * 1024
const minuteMs = 60_000
const requestsPerMinuteMax = 600
const documentsPerMinuteMax = 20

const wellKnown = /^(\/\.well-known\/(?:oauth-authorization-server|openid-configuration))\/oauth$/
/** Where clients of MCP 2025-03-26 look, and SDKs of that time whatever path an issuer has. The
 *  document names its issuer as ever: whoever compares (RFC 8414 §3.3) does not take it from here. */
const oldWellKnown = '/.well-known/oauth-authorization-server'

/**
 * Opens the authorization server.
 * @throws {Fault} `config_bad`: the local issuer is another, a client of the configuration is not
 *   usable, or documents could be fetched from inside the network.
 */
export async function createAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const { config, local, publicUrl } = options
  if (local.issuer !== publicUrl + base) {
    const message = `The authorization server is ${base} below public_url, so the issuer of type local must have that address as its issuer.`
    throw new Fault('config_bad', message)
  }
  if (options.getDocument !== undefined) return await opened(options, options.getDocument)
  const get = createGet()
  if (config.documentHosts.length > 0) {
    await proveOutsideOnly(get).catch(async (error: unknown) => {
      await get.close()
      throw error
    })
  }
  return await opened(options, get, () => get.close())
}

async function opened(
  options: AuthorizationServerOptions,
  getDocument: GetDocument,
  closeDocuments?: () => Promise<void>,
): Promise<Server> {
  const server = new Server(options, getDocument, closeDocuments ?? (async () => {}))
  try {
    await server.check()
    return server
  } catch (error) {
    await server.close()
    throw error
  }
}

class Server implements AuthorizationServer {
  readonly issuer: string
  readonly #options: AuthorizationServerOptions
  readonly #parts: ProviderParts
  readonly #resources: Resources
  readonly #store: Store
  readonly #around = new AsyncLocalStorage<Around>()
  readonly #entries: Entries
  readonly #requests: Rate
  readonly #registrations: Registrations
  readonly #closeDocuments: () => Promise<void>
  #made: { provider: Provider; revision: number } | undefined

  constructor(
    options: AuthorizationServerOptions,
    getDocument: GetDocument,
    closeDocuments: () => Promise<void>,
  ) {
    const { clock, config, connections, dataDir, publicUrl } = options
    this.issuer = publicUrl + base
    this.#options = options
    this.#closeDocuments = closeDocuments
    this.#resources = resourcesOf(publicUrl, connections)
    this.#entries = new Entries(options, this.#around)
    this.#requests = new Rate({ clock, timesMax: requestsPerMinuteMax, windowMs: minuteMs })
    const documents = new Rate({ clock, timesMax: documentsPerMinuteMax, windowMs: minuteMs })
    this.#store = new Store({
      file: join(dataDir, 'state.sqlite'),
      nowMs: () => clock.nowUs() / 1000,
      clientIdleMs: 30 * dayMs,
      newClientIdleMs: dayMs,
      interactionsMax,
      interactionsPerNetworkMax,
      network: () => networkOf(this.#around.getStore()?.source.ip ?? ''),
      onClient: ({ client_id: id = '', client_name: name, redirect_uris: redirects = [] }) =>
        this.#entries.client('dynamic', { id, name, redirects }),
      onGrantEnded: (grant) => this.#endedByLibrary(grant),
      usedTwice: () => new errors.InvalidGrant('it was used before'),
    })
    this.#registrations = new Registrations(clock, this.#store, {
      perNetworkHourMax: config.registrationsPerHourMax,
    })
    this.#parts = {
      options,
      store: this.#store,
      resources: this.#resources,
      getDocument,
      onDocument: async (said, keysAddress) => {
        const around = this.#around.getStore()
        if (around !== undefined) around.keysAddress = keysAddress
        await this.#entries.document(said, (name, ttlMs) => this.#store.mark(name, ttlMs))
      },
      keysAddress: () => this.#around.getStore()?.keysAddress,
      mayFetch: () => documents.take(this.#around.getStore()?.source.ip ?? ''),
    }
  }

  /** Reads each configured client once, so that a mistake shows at start-up. */
  async check(): Promise<void> {
    const provider = this.#provider()
    for (const { clientId } of this.#options.config.clients) {
      try {
        await provider.Client.find(clientId)
      } catch (cause) {
        const message = `identity.authorization_server.clients: "${clientId}" is not usable. Redirects are https, loopback, or of a scheme of the program's own.`
        throw new Fault('config_bad', message, { cause })
      }
    }
  }

  async handle(req: IncomingMessage, res: ServerResponse, source: Source): Promise<boolean> {
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const alias = path === oldWellKnown ? path : wellKnown.exec(path)?.[1]
    if (alias === undefined && path !== base && !path.startsWith(`${base}/`)) return false
    const below = alias ?? path.slice(base.length)
    const query = mark < 0 ? '' : url.slice(mark)
    try {
      if (this.#requests.take(source.ip)) {
        const around = { source, pending: [] }
        await this.#around.run(around, () => this.#answer(req, res, { below, query, source }))
      } else {
        res.setHeader('retry-after', '60')
        sendError(res, 429, 'temporarily_unavailable', 'too many requests from this address')
      }
    } catch (error) {
      this.#fail(req, res, error)
    }
    return true
  }

  async revokePerson(personId: string, reason: EndReason = 'person_stopped'): Promise<Ended> {
    const grants = this.#store.grants(personId)
    const sessions = this.#store.sessionCount(personId)
    // First in force, then told: a full record must not keep anybody in.
    this.#store.forget(personId)
    for (const grant of grants) await this.#entries.told(grant, reason)
    return { grants: grants.length, sessions }
  }

  async revokeClient(clientId: string): Promise<Ended> {
    const grants = this.#store.grants().filter(({ client }) => client === clientId)
    this.#store.removeClient(clientId)
    for (const { id } of grants) this.#store.endGrant(id)
    for (const grant of grants) await this.#entries.told(grant, 'client_stopped')
    return { grants: grants.length, sessions: 0 }
  }

  async endGrant(grantId: string, reason: EndReason): Promise<boolean> {
    const grant = this.#store.endGrant(grantId)
    if (grant === undefined) return false
    await this.#entries.ended(grant, reason)
    return true
  }

  grants(personId?: string): ReturnType<AuthorizationServer['grants']> {
    return this.#store.grants(personId)
  }

  clients(): ReturnType<AuthorizationServer['clients']> {
    return this.#store.clients()
  }

  sweep(): number {
    return this.#store.sweep()
  }

  async close(): Promise<void> {
    this.#store.close()
    await this.#closeDocuments()
  }

  async #answer(
    req: IncomingMessage,
    res: ServerResponse,
    { below, query, source }: { below: string; query: string; source: Source },
  ): Promise<void> {
    const { publicUrl, site } = this.#options
    res.setHeader('x-content-type-options', 'nosniff')
    res.setHeader('referrer-policy', 'same-origin')
    if (!isMethodHere(req, res)) return
    if (below === '/login' || below.startsWith('/login/')) {
      const body = await readBody(req, signInBytesMax)
      return await sendFetched(res, await site.fetch(toFetch(req, publicUrl, body), source))
    }
    if (below === stylePath.slice(base.length)) {
      const headers = { 'content-type': 'text/css', 'cache-control': 'max-age=3600' }
      return send(res, 200, { ...pageHeaders, ...headers }, style)
    }
    if (below.startsWith('/i/')) {
      return await interact(req, res, below, {
        options: this.#options,
        provider: this.#provider(),
        resources: this.#resources,
        originOf: (clientId) => this.#originOf(clientId),
        source,
      })
    }
    await this.#pass(req, res, { below, query, source })
  }

  /** To the library, after what it does not look at itself. */
  async #pass(
    req: IncomingMessage,
    res: ServerResponse,
    { below, query, source }: { below: string; query: string; source: Source },
  ): Promise<void> {
    const isRegistration = below === '/reg' && this.#options.config.dynamicRegistration
    const path = below === '/reg' && !isRegistration ? '/' : below
    const bodyBytesMax = letIn(req, res, path, query)
    if (bodyBytesMax === undefined) return
    let body = await readBody(req, bodyBytesMax)
    if (isRegistration) {
      res.setHeader('access-control-allow-origin', '*')
      if (req.method === 'OPTIONS') return allowOrigins(res)
      if (!this.#registrations.mayAsk(source.ip)) return tooMany(res)
      const tidied = tidyRegistration(req, res, body)
      if (tidied === undefined) return
      if (!this.#registrations.mayKeep()) return tooMany(res)
      body = tidied
    }
    const asked = below === '/auth' ? tidyScope(query) : query
    const mount = { publicUrl: this.#options.publicUrl, base }
    await this.#provider().callback()(toLibrary(req, mount, below + asked, body), res)
  }

  /** The library with the keys of the moment: it keeps nothing itself, so it can be made anew. */
  #provider(): Provider {
    const { local, onDefect } = this.#options
    const { revision } = local
    if (this.#made?.revision === revision) return this.#made.provider
    const provider = makeProvider(this.#parts, local.privateKeys())
    registerAssertionGrant(provider, this.#options, this.#resources)
    provider.on('server_error', (_ctx, error) => onDefect?.(error))
    // The library's types leave out Koa's own event; without a listener it prints to the console.
    EventEmitter.prototype.on.call(provider, 'error', (error: unknown) => onDefect?.(error))
    keepHere(provider, (clientId) => this.#originOf(clientId) === 'configured')
    provider.use(async (ctx, next) => {
      await next()
      if (ctx.path.startsWith('/.well-known/')) tidyDiscovery(ctx.body)
      // An end that cannot be recorded is still an end, and no good news for whoever asked.
      await Promise.all(this.#around.getStore()?.pending ?? [])
    })
    this.#made = { provider, revision }
    return provider
  }

  #originOf(clientId: string): 'configured' | 'dynamic' | 'document' {
    const { clients } = this.#options.config
    if (clients.some((client) => client.clientId === clientId)) return 'configured'
    return clientId.startsWith('https://') ? 'document' : 'dynamic'
  }

  /** A code or refresh token was used twice, or its client gave it back. */
  #endedByLibrary(grant: GrantRow): void {
    this.#store.endGrant(grant.id)
    const oidc = Provider.ctx?.oidc
    const isCode = oidc?.params?.['grant_type'] === 'authorization_code'
    const reused = isCode ? 'code_reused' : 'refresh_token_reused'
    this.#entries.endedInRequest(grant, oidc?.route === 'token' ? reused : 'revoked_by_client')
  }

  #fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const code = error instanceof Fault ? error.code : 'defect'
    if (code === 'cancelled') return
    if (code !== 'too_large') this.#options.onDefect?.(error)
    if (res.headersSent) res.destroy()
    else if (code === 'too_large') sendError(res, 413, 'invalid_request', 'the body is too large')
    else if (req.headers.accept?.includes('text/html')) {
      const sentence = 'This failed on our side. Nothing was allowed; try again later.'
      send(
        res,
        code === 'defect' ? 500 : 503,
        pageHeaders,
        errorPage('This did not work', sentence),
      )
    } else if (code === 'defect') sendError(res, 500, 'server_error', 'this failed on our side')
    else sendError(res, 503, 'temporarily_unavailable', 'this failed on our side; try later')
  }
}

function tooMany(res: ServerResponse): void {
  res.setHeader('retry-after', '3600')
  const why = 'too many registrations; use a client id metadata document, or try later'
  sendError(res, 429, 'temporarily_unavailable', why)
}
