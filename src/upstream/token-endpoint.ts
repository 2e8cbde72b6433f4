/**
 * One question to the token endpoint of a connection's authorization server (RFC 6749 §3.2). What is
 * sent goes to the configured address and nowhere else: no redirect is followed, no proxy of the
 * environment is used, and it is TLS beyond this machine.
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { addressOf } from '../secrets/ask.ts'
import type { Answered, Ask } from '../secrets/ask.ts'
import type { FreshToken } from '../secrets/kept-token.ts'
import { isPassing } from '../secrets/trouble.ts'
import type { Blame } from '../secrets/trouble.ts'
import { memberOf } from '../secrets/wrapping.ts'
import { forbiddenHost } from './address.ts'
import { clientAssertions } from './client-assertion.ts'
import type { Reveals } from './credential.ts'

/** How the endpoint is asked, and who we are to it. */
export interface TokenEndpoint {
  readonly tokenUrl: string
  readonly clientId: string
  /** `basic`: client_secret_basic; `post`: client_secret_post; `key`: private_key_jwt (PEM). */
  readonly clientAuth: 'basic' | 'post' | 'key'
  readonly clientSecret: Reveals
}

export interface EndpointParts {
  readonly connection: string
  readonly ask: Ask
  readonly blame: Blame
  readonly clock: Clock
  readonly hide: (value: string) => void
}

type Form = Readonly<Record<string, string>>

/** What the endpoint issued; `issuedType` as RFC 8693 §2.2.1 has it. */
export interface Issued extends FreshToken {
  readonly issuedType: unknown
}

/** Where the answer does not tell (RFC 6749 §5.1 recommends that it does). */
const livesSUsual = 300
const livesSMax = 86_400

/** Faults of getting a credential for a connection: nothing was sent to its server. */
export function credentialBlame(connection: string): Blame {
  return (trouble, why, cause) => {
    const code = trouble === 'settings' ? 'config_bad' : undefined
    const message = `connection "${connection}": its credential cannot be had: ${why}. Nothing was sent.`
    const where = `connection "${connection}"`
    const facts = { reason: `credential_${trouble}`, isSent: false, where }
    const usual = isPassing(trouble) ? 'upstream_down' : 'secret_missing'
    return new Fault(code ?? usual, message, { cause, facts })
  }
}

/**
 * @param endpoint checked now; nothing is sent.
 * @returns asks once for a token with the parameters of a grant, adding what proves who we are.
 * @throws {Fault} `config_bad` for an address that cannot be meant.
 */
export function tokenEndpoint(
  endpoint: TokenEndpoint,
  parts: EndpointParts,
): (grant: Form) => Promise<Issued> {
  const { ask, blame } = parts
  const url = addressOf(blame, endpoint.tokenUrl, 'its token_url')
  if (forbiddenHost(url.hostname)) throw blame('settings', 'its token_url is of a metadata service')
  const prove = proofOf(endpoint, url, parts)
  return async (grant) => {
    const { form, headers } = await prove()
    // A token is made anew at each asking; an assertion is good for one.
    const isRepeatable = endpoint.clientAuth !== 'key'
    const question = {
      method: 'POST',
      url,
      headers,
      form: { ...grant, ...form },
      isRepeatable,
    } as const
    return issuedIn(await ask(question), parts)
  }
}

interface Proof {
  readonly headers: Readonly<Record<string, string>>
  readonly form: Form
}

function proofOf(
  { clientAuth, clientId, clientSecret }: TokenEndpoint,
  url: URL,
  { blame, clock, hide }: EndpointParts,
): () => Promise<Proof> {
  if (clientAuth === 'key') {
    const parts = { clientId, audience: url.href, key: clientSecret, clock, blame }
    const assertion = clientAssertions(parts)
    return async () => {
      const proof = await assertion()
      hide(proof)
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      const form = { client_id: clientId, client_assertion_type: type, client_assertion: proof }
      return { headers: {}, form }
    }
  }
  if (clientAuth === 'post') {
    return async () => {
      const form = { client_id: clientId, client_secret: clientSecret.reveal() }
      return { headers: {}, form }
    }
  }
  return async () => {
    // RFC 6749 §2.3.1: both are form-encoded before they are put together.
    const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
    hide(authorization.slice('Basic '.length))
    return { headers: { authorization }, form: {} }
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2)
}

/** RFC 6749 §5.1. Of a token only what can stand behind `Bearer` is taken (RFC 6750 §2.1). */
function issuedIn(answered: Answered, { blame, connection }: EndpointParts): Issued {
  const { body, status } = answered
  if (status !== 200) throw refusal(answered, connection, blame)
  const type = memberOf(body, 'token_type')
  const value = memberOf(body, 'access_token')
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(value)) {
    throw blame('answer', 'the answer of its authorization server holds no access token')
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw blame('answer', 'its authorization server issued a token of another kind than Bearer')
  }
  const lives = Number(memberOf(body, 'expires_in') ?? livesSUsual)
  if (!(lives > 0)) throw blame('answer', 'its authorization server issued a token without a life')
  const livesMs = Math.min(lives, livesSMax) * 1000
  return { value, livesMs, issuedType: memberOf(body, 'issued_token_type') }
}

/** What each error means for who runs the gateway (RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 8707 §2). */
const says: Readonly<Record<string, string>> = {
  invalid_client: 'its authorization server does not accept client_id and client_secret',
  unauthorized_client: 'its authorization server does not let this client use the grant',
  invalid_scope: 'its authorization server does not know or give the scope',
  invalid_target: 'its authorization server does not know or give the resource or audience',
  unsupported_grant_type: 'its authorization server does not support the grant',
  invalid_request: 'its authorization server does not accept the request',
}

/** What only the caller can mend: the token it showed is not taken, or it must sign in anew. */
const callers: Readonly<Record<string, string>> = {
  invalid_grant: 'does not accept the token you showed in exchange; sign in again',
  interaction_required: 'wants you to sign in again, with what it asks for now',
  login_required: 'wants you to sign in again',
  consent_required: 'wants a consent that was not given',
}

/** Only known words of the answer are acted upon, and its own text is never repeated. */
function refusal({ body, status }: Answered, connection: string, blame: Blame): Error {
  const error = memberOf(body, 'error')
  const word = typeof error === 'string' ? error : ''
  if (status >= 500) {
    return blame('down', `its authorization server answers with an error (${status})`)
  }
  if (status >= 300 && status < 400) {
    const why = 'its authorization server answers with a redirect, which is not followed'
    return blame('answer', `${why} (${status})`)
  }
  const forCaller = Object.hasOwn(callers, word) ? callers[word] : undefined
  if (forCaller !== undefined) {
    const whose = `The authorization server of connection "${connection}"`
    const facts = { reason: `credential_${word}`, isSent: false }
    return new Fault('refused', `${whose} ${forCaller} (${word}). Nothing was sent.`, { facts })
  }
  const why = Object.hasOwn(says, word) ? says[word] : undefined
  if (why !== undefined) return blame('denied', `${why} (${word})`)
  return blame('denied', `its authorization server refuses a token (${status})`)
}
