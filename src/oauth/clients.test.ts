/** The official clients, with nothing configured but a connection's address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auth as authV2 } from '@modelcontextprotocol/client'
import { auth as authV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import type {
  OAuthClientInformationFull,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'
import { decodeJwt } from 'jose'
import { Browser } from './browser.fixture.ts'
import { openDesk } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import type { Fetched } from './documents.ts'

/** What a program keeps between its steps. */
class Program implements OAuthClientProvider {
  readonly redirectUrl = 'http://localhost:7777/callback'
  clientMetadataUrl?: string
  asked: URL | undefined
  #client: OAuthClientInformationFull | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ''

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: 'Program under test',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'mcp',
    }
  }
  state(): string {
    return 'state-of-the-program'
  }
  clientInformation(): OAuthClientInformationFull | undefined {
    return this.#client
  }
  saveClientInformation(client: OAuthClientInformationFull): void {
    this.#client = client
  }
  tokens(): OAuthTokens | undefined {
    return this.#tokens
  }
  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens
  }
  redirectToAuthorization(url: URL): void {
    this.asked = url
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }
  codeVerifier(): string {
    return this.#verifier
  }
}

type Auth = (
  program: Program,
  options: { serverUrl: string; authorizationCode?: string; iss?: string },
) => Promise<string>
const clients: readonly [name: string, auth: Auth][] = [
  ['@modelcontextprotocol/sdk', authV1],
  ['@modelcontextprotocol/client', authV2],
]

async function signIn(desk: Desk, program: Program, auth: Auth): Promise<URL> {
  const serverUrl = `${desk.publicUrl}/mcp/shop`
  assert.equal(await auth(program, { serverUrl }), 'REDIRECT')
  const browser = new Browser(desk.publicUrl)
  const end = await browser.press(await browser.visit(program.asked ?? ''), 'allow')
  const { code, iss, state } = Object.fromEntries(end.url.searchParams)
  assert.equal(state, 'state-of-the-program', end.text)
  assert.ok(code && iss, end.text)
  assert.equal(await auth(program, { serverUrl, authorizationCode: code, iss }), 'AUTHORIZED')
  return end.url
}

for (const [name, auth] of clients) {
  test(`${name} finds, registers, signs in, gets a token and refreshes it`, async () => {
    const desk = await openDesk()
    try {
      const program = new Program()
      await signIn(desk, program, auth)
      const first = program.tokens()
      const claims = decodeJwt(first?.access_token ?? '')
      assert.equal(claims.aud, `${desk.publicUrl}/mcp/shop`)
      assert.equal(claims.sub, desk.who.id)
      assert.ok(first?.refresh_token)
      assert.equal(await auth(program, { serverUrl: `${desk.publicUrl}/mcp/shop` }), 'AUTHORIZED')
      const second = program.tokens()
      assert.notEqual(second?.refresh_token, first.refresh_token)
      assert.equal(decodeJwt(second?.access_token ?? '')['gid'], claims['gid'])
      assert.deepEqual(desk.defects, [])
    } finally {
      await desk.close()
    }
  })

  test(`${name} is known by its document where there is one, and registers nothing`, async () => {
    const url = 'https://programs.example.com/mcp/client.json'
    const program = new Program()
    program.clientMetadataUrl = url
    const asked: string[] = []
    const getDocument = async ({ href }: URL): Promise<Fetched> => {
      asked.push(href)
      const text = JSON.stringify({ ...program.clientMetadata, client_id: url })
      return { status: 200, text, headers: {} }
    }
    const desk = await openDesk({ documentHosts: ['*.example.com'] }, { getDocument })
    try {
      const end = await signIn(desk, program, auth)
      assert.equal(end.port, '7777')
      assert.equal(decodeJwt(program.tokens()?.access_token ?? '')['client_id'], url)
      assert.ok(program.tokens()?.refresh_token)
      assert.deepEqual(desk.server.clients(), [])
      assert.deepEqual(asked, [url])
      const registered = desk.notes.filter(({ type }) => type === 'client.registered')
      assert.deepEqual(
        registered.map(({ details }) => [details['client'], details['how']]),
        [[url, 'document']],
      )
    } finally {
      await desk.close()
    }
  })
}
