/** Credentials which the authorization server of an upstream issues: to us, or for the caller. */
import { hash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { createAsk } from '../secrets/ask.ts'
import type { Patience } from '../secrets/ask.ts'
import type { FreshToken } from '../secrets/kept-token.ts'
import type { CredentialSource, HeaderPairs, Occasion } from './credential.ts'
import { KeptTokens } from './kept-tokens.ts'
import { credentialBlame, tokenEndpoint } from './token-endpoint.ts'
import type { TokenEndpoint } from './token-endpoint.ts'

/** What getting tokens takes. */
export interface TokenMeans {
  readonly clock: Clock
  /** Told every token, so that nothing we write or pass on shows it. */
  readonly hide: (value: string) => void
  /** Told when a token could not be renewed while the old one is still good. */
  readonly onTrouble?: ((fault: Fault) => void) | undefined
  readonly patience?: Patience | undefined
}

/** A credential of OAuth 2.0. */
export interface OAuthCredential extends TokenEndpoint {
  /** RFC 6749 §4.4; RFC 8693; the on-behalf-of flow of Microsoft Entra ID. */
  readonly type: 'client-credentials' | 'token-exchange' | 'on-behalf-of'
  readonly scope?: string
  readonly audience?: string
  readonly resource?: string
}

/** A call waits for its token at most: three tries of 5 s, and the time between them. */
const patience: Patience = { tryMs: 5_000, againMs: [200, 1_000], wishMsMax: 2_000 }
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const usable: ReadonlySet<unknown> = new Set([accessToken, 'urn:ietf:params:oauth:token-type:jwt'])

/**
 * @param connection the configured name; for messages, and in the keys of what is kept.
 * @throws {Fault} `config_bad` for a token endpoint that cannot be meant. Nothing is sent yet.
 */
export function oauthSource(
  connection: string,
  credential: OAuthCredential,
  means: TokenMeans,
): CredentialSource {
  const { clock, hide } = means
  const blame = credentialBlame(connection)
  const ask = createAsk({ blame, patience: means.patience ?? patience, socketsMax: 16 })
  const issue = tokenEndpoint(credential, { connection, ask, blame, clock, hide })
  const { audience = '', resource = '', scope = '', type } = credential
  const target = named({ audience, resource, scope })
  const keyOf = (who: string, token: string): string =>
    JSON.stringify([connection, who, token, audience, resource, scope])
  if (type === 'client-credentials') {
    const key = keyOf('shared', '')
    const grant = { grant_type: 'client_credentials', ...target }
    return tokenSource(means, () => ({ key, askAnew: () => issue(grant) }))
  }
  return tokenSource(means, ({ caller }) => {
    const token = caller?.token()
    if (caller === undefined || token === undefined) throw nothingToExchange(connection)
    // Beside the principal the token itself: what a stronger sign-in got is for that one alone.
    const key = keyOf(`principal ${caller.key}`, hash('sha256', token, 'base64url'))
    const askAnew = async (): Promise<FreshToken> => {
      if (type === 'on-behalf-of') return await issue({ ...onBehalfOf(token), ...target })
      const issued = await issue({ ...exchange(token), ...target })
      if (usable.has(issued.issuedType)) return issued
      throw blame('answer', 'its authorization server issued no access token in exchange')
    }
    return { key, askAnew }
  })
}

interface Wanted {
  /** All that the token depends on, the principal among it. */
  readonly key: string
  readonly askAnew: () => Promise<FreshToken>
}

/** A source of `Authorization: Bearer`, by tokens that are kept. */
export function tokenSource(
  means: TokenMeans,
  wantedFor: (of: Occasion) => Wanted,
): CredentialSource {
  const tokens = new KeptTokens(means)
  const keys = new WeakMap<HeaderPairs, string>() // Of what was shown, for when it is refused.
  const pairs = (key: string, token: string): HeaderPairs => {
    const made = ['authorization', `Bearer ${token}`]
    keys.set(made, key)
    return made
  }
  return {
    names: ['authorization'],
    headers: (of) => {
      const { askAnew, key } = wantedFor(of)
      const token = tokens.get(key, askAnew)
      return typeof token === 'string' ? pairs(key, token) : token.then((t) => pairs(key, t))
    },
    refused: (shown) => {
      const [key, bearer = ''] = [keys.get(shown), shown[1]]
      return key !== undefined && tokens.refused(key, bearer.slice('Bearer '.length))
    },
  }
}

/** RFC 8693 §2.1. */
function exchange(token: string): Record<string, string> {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: accessToken,
    requested_token_type: accessToken,
  }
}

/** "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow". */
function onBehalfOf(token: string): Record<string, string> {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: token,
    requested_token_use: 'on_behalf_of',
  }
}

/** Without those that are empty. */
function named(parameters: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''))
}

function nothingToExchange(connection: string): Fault {
  const message = [
    `Connection "${connection}" is reached with a token got in exchange for your own, and you showed`,
    'none that can be exchanged (a service account key, or a sign-in at this gateway itself). Sign in',
    'at the company’s issuer. Nothing was sent.',
  ].join(' ')
  return new Fault('refused', message, { facts: { reason: 'credential_caller', isSent: false } })
}
