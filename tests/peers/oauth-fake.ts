/**
 * The token endpoint of an authorization server: client credentials (RFC 6749 §4.4), token exchange
 * (RFC 8693) and Entra's on-behalf-of flow, for one client in each of the three ways to prove itself.
 * Every request is checked to its last parameter; what no client of ours may send is in `problems`.
 */
import { randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { jwtVerify } from 'jose'
import { startJsonFake } from './json-fake.ts'
import type { Answer, Asked, JsonFake } from './json-fake.ts'

export const clientId = 'sally port/€'
export const clientSecret = 'a+client/secret: of the=fake'
const tokenPath = '/tenant/token'

/** What a token that was issued is good for. */
export interface IssuedToken {
  /** `shared` for one of the client's own. */
  readonly principal: string
  readonly scope: string | null
  readonly audience: string | null
  readonly resource: string | null
}

export interface OAuthFake extends JsonFake {
  readonly tokenUrl: string
  /** Tokens that can be exchanged, each with its principal. */
  readonly subjects: Map<string, string>
  readonly issued: Map<string, IssuedToken>
  /** What was wrong with requests. */
  readonly problems: string[]
  /** Seconds that a token lives; undefined is not told. */
  livesS: number | undefined
  /** More members of the right answer. */
  more: object
}

export interface OAuthFakeOptions {
  /** How the client proves itself; with a key, this is its public half. */
  readonly auth?: 'basic' | 'post' | KeyObject
  readonly tls?: { readonly key: string; readonly cert: string }
}

const grants: Readonly<Record<string, readonly string[]>> = {
  client_credentials: [],
  'urn:ietf:params:oauth:grant-type:token-exchange': [
    'subject_token',
    'subject_token_type',
    'requested_token_type',
  ],
  'urn:ietf:params:oauth:grant-type:jwt-bearer': ['assertion', 'requested_token_use'],
}
const wanted = ['scope', 'audience', 'resource']
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'

export async function startOAuth({
  auth = 'basic',
  tls,
}: OAuthFakeOptions = {}): Promise<OAuthFake> {
  const state: State = {
    subjects: new Map(),
    issued: new Map(),
    problems: [],
    livesS: 3600,
    more: {},
  }
  const used = new Set<string>()
  const fake: JsonFake = await startJsonFake(async (asked) => {
    const problem = await problemOf(asked, auth, { used, tokenUrl: `${fake.origin}${tokenPath}` })
    if (problem === undefined) return answerTo(state, new URLSearchParams(asked.text))
    state.problems.push(problem)
    return oauthError(401, 'invalid_client')
  }, tls)
  return Object.assign(state, fake, { tokenUrl: `${fake.origin}${tokenPath}` })
}

type State = Omit<OAuthFake, keyof JsonFake | 'tokenUrl'>

async function problemOf(
  { headers, method, path, query, text }: Asked,
  auth: OAuthFakeOptions['auth'],
  seen: { readonly used: Set<string>; readonly tokenUrl: string },
): Promise<string | undefined> {
  if (method !== 'POST' || path !== tokenPath || query.size > 0) return 'another place'
  if (headers['content-type'] !== 'application/x-www-form-urlencoded') return 'another content type'
  if (headers.cookie !== undefined) return 'a cookie'
  const form = new URLSearchParams(text)
  const own = grants[form.get('grant_type') ?? '']
  if (own === undefined) return 'another grant'
  const names = [...form.keys()]
  if (new Set(names).size !== names.length) return 'a parameter twice'
  const proof = proofNames(auth)
  const known = new Set(['grant_type', ...own, ...wanted, ...proof])
  if (!names.every((name) => known.has(name))) return 'an unknown parameter'
  if (![...own, ...proof].every((name) => form.has(name))) return 'a parameter is missing'
  if (auth === 'basic') return basicProblem(headers.authorization)
  if (headers.authorization !== undefined) return 'two proofs'
  if (form.get('client_id') !== clientId) return 'another client'
  if (auth === 'post')
    return form.get('client_secret') === clientSecret ? undefined : 'a wrong secret'
  return await assertionProblem(form, auth, seen)
}

function proofNames(auth: OAuthFakeOptions['auth']): readonly string[] {
  if (auth === 'basic') return []
  if (auth === 'post') return ['client_id', 'client_secret']
  return ['client_id', 'client_assertion_type', 'client_assertion']
}

/** RFC 6749 §2.3.1: both halves are form-encoded, and a blank is a plus sign there. */
function basicProblem(header: string | undefined): string | undefined {
  const pair = Buffer.from(/^Basic (.+)$/.exec(header ?? '')?.[1] ?? '', 'base64').toString()
  const [id, secret, ...rest] = pair.split(':')
  const plain = (text = ''): string => decodeURIComponent(text.replaceAll('+', ' '))
  if (rest.length > 0 || plain(id) !== clientId) return 'another client'
  return plain(secret) === clientSecret ? undefined : 'a wrong secret'
}

async function assertionProblem(
  form: URLSearchParams,
  key: KeyObject | undefined,
  { tokenUrl, used }: { readonly used: Set<string>; readonly tokenUrl: string },
): Promise<string | undefined> {
  if (form.get('client_assertion_type') !== assertionType || key === undefined)
    return 'another proof'
  try {
    const { payload } = await jwtVerify(form.get('client_assertion') ?? '', key, {
      issuer: clientId,
      subject: clientId,
      audience: tokenUrl,
      maxTokenAge: 120,
      requiredClaims: ['jti', 'iat', 'exp'],
      typ: 'JWT',
    })
    if (used.has(payload.jti ?? '')) return 'an assertion twice'
    used.add(payload.jti ?? '')
    return (payload.exp ?? 0) - (payload.iat ?? 0) > 300 ? 'a long assertion' : undefined
  } catch (error) {
    return `an assertion that is none (${error instanceof Error ? error.message : ''})`
  }
}

function answerTo(state: State, form: URLSearchParams): Answer {
  const grant = form.get('grant_type') ?? ''
  const isExchange = grant.endsWith(':token-exchange')
  let principal: string | undefined = 'shared'
  if (grant !== 'client_credentials') {
    principal = state.subjects.get(form.get(isExchange ? 'subject_token' : 'assertion') ?? '')
    if (principal === undefined) return oauthError(400, 'invalid_grant')
    const types = [form.get('subject_token_type'), form.get('requested_token_type')]
    if (isExchange && !types.every((type) => type === accessToken)) {
      return oauthError(400, 'invalid_request')
    }
    if (!isExchange && form.get('requested_token_use') !== 'on_behalf_of') {
      return oauthError(400, 'invalid_request')
    }
  }
  const token = `issued.${randomBytes(24).toString('base64url')}`
  const [scope = null, audience = null, resource = null] = wanted.map((name) => form.get(name))
  state.issued.set(token, { principal, scope, audience, resource })
  const lives = state.livesS === undefined ? {} : { expires_in: state.livesS }
  const type = isExchange ? { issued_token_type: accessToken } : {}
  const body = { access_token: token, token_type: 'Bearer', ...lives, ...type, ...state.more }
  return { status: 200, body }
}

/** The description repeats what was sent, as careless servers do. */
export function oauthError(status: number, error: string, more: object = {}): Answer {
  const description = `refused: ${clientSecret} AADSTS50076`
  return { status, body: { error, error_description: description, ...more } }
}
