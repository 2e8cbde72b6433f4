/**
 * A program that knows nothing but a connection's address, on one of the official SDKs: it finds the
 * authorization server, makes itself known, sends the person's browser there, and waits on a loopback
 * port for the answer. What it gets it keeps in memory.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  StreamableHTTPClientTransport as TransportV2,
  UnauthorizedError as UnauthorizedV2,
} from '@modelcontextprotocol/client'
import type { OAuthClientProvider as ProviderV2 } from '@modelcontextprotocol/client'
import { UnauthorizedError as UnauthorizedV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import type { OAuthClientProvider as ProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { overV1, overV2 } from './clients.ts'
import type { ClientKind, TestClient } from './clients.ts'

/** One request of a program as it went out, and what came back. */
export interface Sent {
  readonly method: string
  readonly url: URL
  readonly status: number
  /** Media type of the answer, without parameters; empty without a body. */
  readonly type: string
}

type Kept = Parameters<NonNullable<ProviderV1['saveClientInformation']>>[0] &
  Parameters<NonNullable<ProviderV2['saveClientInformation']>>[0]
type Tokens = Parameters<ProviderV1['saveTokens']>[0] & Parameters<ProviderV2['saveTokens']>[0]
type Discovered = Parameters<NonNullable<ProviderV1['saveDiscoveryState']>>[0] &
  Parameters<NonNullable<ProviderV2['saveDiscoveryState']>>[0]

export interface ProgramOptions {
  readonly name?: string
  /** Its client id metadata document: it registers only where these are not taken. */
  readonly documentUrl?: string
}

/** Opens a browser at an address, and does there what the person does. */
export type Person = (address: URL) => Promise<void>

/** Whether an SDK says that a person has to sign in before it goes on. */
export function isSentAway(error: unknown): boolean {
  return error instanceof UnauthorizedV1 || error instanceof UnauthorizedV2
}

export class Program implements ProviderV1, ProviderV2 {
  readonly kind: ClientKind
  readonly redirectUrl: string
  readonly clientMetadataUrl?: string
  readonly name: string
  readonly sent: Sent[] = []
  /** Every code and token it was ever given. */
  readonly secrets: string[] = []
  /** What it keeps; a test may spoil it. */
  kept: {
    client?: Kept | undefined
    tokens?: Tokens | undefined
    /** Where it found the authorization server: asked for once. */
    discovered?: Discovered | undefined
  } = {}
  /** Where it last wanted to send a browser. */
  asked: URL | undefined
  readonly #address: URL
  readonly #listening: Server
  #answered: PromiseWithResolvers<URLSearchParams> = Promise.withResolvers()
  #verifier = ''
  #state = ''

  private constructor(
    kind: ClientKind,
    address: string,
    listening: Server,
    { documentUrl, name = 'Program of the tests' }: ProgramOptions,
  ) {
    this.kind = kind
    this.name = name
    this.#address = new URL(address)
    this.#listening = listening
    this.redirectUrl = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/callback`
    if (documentUrl !== undefined) this.clientMetadataUrl = documentUrl
    listening.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', this.redirectUrl)
      response.writeHead(url.pathname === '/callback' ? 200 : 404, { 'content-type': 'text/html' })
      response.end('<!doctype html><html lang="en"><title>Done</title><h1>Back to the program</h1>')
      if (url.pathname === '/callback') this.#answered.resolve(url.searchParams)
    })
  }

  /** @param address of a connection: all that it is told. */
  static async start(
    kind: ClientKind,
    address: string,
    options: ProgramOptions = {},
  ): Promise<Program> {
    const listening = createServer()
    listening.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    return new Program(kind, address, listening, options)
  }

  /**
   * Connects, by what it keeps or by sending the person to sign in.
   * @throws what the SDK throws, and the authorization server's `error` as it is.
   */
  async connect(person: Person): Promise<TestClient> {
    return (await this.authorize(person)) ?? (await this.#open().connect())
  }

  /**
   * The same up to the token. @returns a client where it was let in at once.
   * @throws as `connect`.
   */
  async authorize(person: Person): Promise<TestClient | undefined> {
    this.asked = undefined
    const way = this.#open()
    try {
      return await way.connect()
    } catch (error) {
      if (!isSentAway(error)) throw error
    }
    await way.finish(await this.#answer(person))
    return undefined
  }

  async close(): Promise<void> {
    this.#listening.closeAllConnections()
    await new Promise((done) => this.#listening.close(done))
  }

  get clientMetadata(): ProviderV1['clientMetadata'] & ProviderV2['clientMetadata'] {
    return {
      client_name: this.name,
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
  }

  state(): string {
    return (this.#state = crypto.randomUUID())
  }

  clientInformation(): Kept | undefined {
    return this.kept.client
  }

  saveClientInformation(client: Kept): void {
    this.kept.client = client
  }

  tokens(): Tokens | undefined {
    return this.kept.tokens
  }

  saveTokens(tokens: Tokens): void {
    const { access_token: access, refresh_token: renewal } = tokens
    this.secrets.push(access, ...(renewal === undefined ? [] : [renewal]))
    this.kept.tokens = tokens
  }

  redirectToAuthorization(address: URL): void {
    this.asked = address
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }

  codeVerifier(): string {
    return this.#verifier
  }

  discoveryState(): Discovered | undefined {
    return this.kept.discovered
  }

  saveDiscoveryState(discovered: Discovered): void {
    this.kept.discovered = discovered
  }

  invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): void {
    if (scope === 'all' || scope === 'client') this.kept.client = undefined
    if (scope === 'all' || scope === 'tokens') this.kept.tokens = undefined
    if (scope === 'all' || scope === 'discovery') this.kept.discovered = undefined
  }

  async #answer(person: Person): Promise<URLSearchParams> {
    if (this.asked === undefined) throw new Error('the SDK sent nobody to sign in')
    this.#answered = Promise.withResolvers()
    await person(this.asked)
    const said = await this.#answered.promise
    // As the SDKs leave it to the program (RFC 6749 §10.12).
    if (said.get('state') !== this.#state) throw new Error('the answer is of another request')
    this.secrets.push(...said.getAll('code'))
    const refused = said.get('error')
    if (refused !== null) throw new Error(refused)
    return said
  }

  #open(): { connect(): Promise<TestClient>; finish(said: URLSearchParams): Promise<void> } {
    const options = { authProvider: this, fetch: this.#fetch }
    if (this.kind === 'v1') {
      const transport = new TransportV1(this.#address, options)
      return {
        connect: () => overV1(transport),
        finish: (said) => transport.finishAuth(said.get('code') ?? ''),
      }
    }
    const transport = new TransportV2(this.#address, options)
    const { kind } = this
    return {
      connect: () => overV2(kind, transport),
      finish: (said) => transport.finishAuth(said),
    }
  }

  readonly #fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const answer = await fetch(url, init)
    const type = (answer.headers.get('content-type') ?? '').split(';', 1)[0] ?? ''
    const { status } = answer
    this.sent.push({ method: init?.method ?? 'GET', url: new URL(url), status, type })
    return answer
  }
}
