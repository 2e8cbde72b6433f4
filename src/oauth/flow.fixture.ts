/** The steps a client takes, one function each. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Browser } from './browser.fixture.ts'
import type { Desk } from './desk.fixture.ts'

export type Json = Record<string, unknown>
type Over = Record<string, string | undefined>
export const redirectUri = 'http://127.0.0.1:3333/cb'

export async function register(
  at: Desk,
  body: Json = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${at.publicUrl}/oauth/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      client_name: 'Tester',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      ...body,
    }),
  })
  return { status: answer.status, body: await jsonOf(answer) }
}

export const verifier: string = randomBytes(32).toString('base64url')
const challenge = createHash('sha256').update(verifier).digest('base64url')

export function authorizeUrl(at: Desk, clientId: string, over: Over = {}): URL {
  const url = new URL(`${at.publicUrl}/oauth/auth`)
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'mcp',
    state: 'st',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: `${at.publicUrl}/mcp/shop`,
    ...over,
  }
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}

export async function token(
  at: Desk,
  params: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${at.publicUrl}/oauth/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(params),
  })
  return { status: answer.status, body: await jsonOf(answer) }
}

export async function codeFor(at: Desk, clientId: string, over: Over = {}): Promise<string> {
  const browser = new Browser(at.publicUrl)
  const page = await browser.visit(authorizeUrl(at, clientId, over))
  const end = await browser.press(page, 'allow')
  const code = end.url.searchParams.get('code')
  assert.ok(code, `${end.status} ${end.url.href} ${end.text}`)
  return code
}

export async function tokensFor(at: Desk, clientId: string): Promise<Json> {
  const made = await token(at, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code: await codeFor(at, clientId),
    code_verifier: verifier,
    redirect_uri: redirectUri,
    resource: `${at.publicUrl}/mcp/shop`,
  })
  assert.equal(made.status, 200, JSON.stringify(made.body))
  return made.body
}

/** A registered client's id. */
export async function clientId(at: Desk, body: Json = {}): Promise<string> {
  const made = await register(at, body)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return String(made.body['client_id'])
}

export async function refresh(
  at: Desk,
  client: string,
  refreshToken: unknown,
): Promise<{ status: number; body: Json }> {
  const params = { grant_type: 'refresh_token', client_id: client }
  return await token(at, { ...params, refresh_token: String(refreshToken) })
}

/** @throws where the answer is no JSON object. */
export async function jsonOf(answer: Response): Promise<Json> {
  const body: unknown = await answer.json()
  assert.ok(typeof body === 'object' && body !== null)
  return Object.fromEntries(Object.entries(body))
}
