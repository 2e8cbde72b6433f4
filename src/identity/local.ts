/**
 * The issuer inside this gateway, for a first try, tests and places without an identity provider.
 * Whoever can read its key file can be anybody: it lies in `DATA/keys/` with mode 0600.
 */
import { createPrivateKey, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { JSONWebKeySet } from 'jose'
import type { Clock } from '../base/clock.ts'
import type { PrincipalKind } from '../config/types.ts'
import { fileMark, localKeyFile, readKeys, signingKey, unusable } from './local-keys.ts'
import type { SigningKey } from './local-keys.ts'

export { localKeyFile, makeLocalKey } from './local-keys.ts'

/** Who a token is to name. */
export interface Mint {
  readonly subject: string
  readonly name?: string | undefined
  readonly kind: PrincipalKind
  readonly groups?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  /** A connection's address, or the gateway's (`audience` of the issuer in the configuration). */
  readonly audience: string
  /** 1 to 86,400. */
  readonly ttlSeconds: number
}

export interface LocalIssuer {
  readonly issuer: string
  mint(who: Mint): Promise<string>
  /** The public keys. */
  jwks(): JSONWebKeySet
  /** What the gateway serves for it: path to JSON document (RFC 8414, OpenID Connect Discovery). */
  documents(): Readonly<Record<string, object>>
  /** The keys themselves, the one that signs now first. For the authorization server only. */
  privateKeys(): readonly SigningKey[]
  /** Changes with the keys and with which of them signs. */
  readonly revision: number
}

const pollMs = 2_000

interface State {
  readonly keys: readonly SigningKey[]
  readonly signing: SigningKey
  readonly privateKey: KeyObject
  readonly publicKeys: JSONWebKeySet['keys']
  readonly revision: number
}

/**
 * Opens the issuer, and follows its key file: a rotated key is taken up within seconds.
 * @param issuer its identifier, as in the configuration.
 * @throws {Fault} `secret_missing` when the file is not there, can be read by others, or is no key.
 */
export async function openLocalIssuer(options: {
  dataDir: string
  issuer: string
  clock: Clock
}): Promise<LocalIssuer> {
  const { issuer, clock } = options
  const now = followKeys(localKeyFile(options.dataDir), clock)
  now()
  return {
    issuer,
    async mint(who: Mint): Promise<string> {
      const { signing, privateKey } = now()
      const nowS = Math.floor(clock.nowUs() / 1_000_000)
      const claims = { kind: who.kind, name: who.name, groups: who.groups, roles: who.roles }
      return new SignJWT({ ...claims, client_id: 'sallyport', scope: 'mcp', jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: signing.kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setSubject(who.subject)
        .setAudience(who.audience)
        .setIssuedAt(nowS)
        .setExpirationTime(nowS + Math.min(Math.max(1, Math.floor(who.ttlSeconds)), 86_400))
        .sign(privateKey)
    },
    jwks: () => ({ keys: now().publicKeys }),
    documents: () => documentsOf(issuer, { keys: now().publicKeys }),
    privateKeys: () => now().keys,
    get revision(): number {
      return now().revision
    },
  }
}

/** @returns the state of the keys now. The file is looked at once in two seconds at most. */
function followKeys(file: string, clock: Clock): () => State {
  let state: State | undefined
  let mark = ''
  let lookedMs = Number.NEGATIVE_INFINITY
  let keys: readonly SigningKey[] = []
  const look = (): void => {
    try {
      const seen = fileMark(file)
      if (seen === mark) return
      const found = readKeys(file)
      if (found.length === 0) throw unusable('it holds no ES256 key')
      keys = found
      mark = seen
    } catch (error) {
      // Going on is safe: the keys read before are still the issuer's, and a file that cannot be
      // used is seen by whoever changed it, since the command that rotates reads it first.
      if (state === undefined) throw readKeysFault(file, error)
    }
  }
  return () => {
    const nowMs = clock.nowUs() / 1000
    if (clock.monotonicMs() - lookedMs >= pollMs) {
      look()
      lookedMs = clock.monotonicMs()
    }
    const signing = signingKey(keys, nowMs)
    if (signing === undefined) throw unusable('it holds no ES256 key')
    if (state?.signing !== signing || state.publicKeys.length !== keys.length) {
      state = stateOf(keys, signing, (state?.revision ?? -1) + 1)
    }
    return state
  }
}

/** What `stat` says of a file that is not there is said by reading it. */
function readKeysFault(file: string, error: unknown): unknown {
  try {
    readKeys(file)
  } catch (fault) {
    return fault
  }
  return error
}

function stateOf(keys: readonly SigningKey[], signing: SigningKey, revision: number): State {
  const rest = keys.filter((key) => key !== signing)
  return {
    keys: [signing, ...rest],
    signing,
    privateKey: createPrivateKey({ key: { ...signing }, format: 'jwk' }),
    publicKeys: [signing, ...rest].map(({ crv, x, y, kid }) => {
      return { kty: 'EC', crv, x, y, kid, alg: 'ES256', use: 'sig' }
    }),
    revision,
  }
}

function documentsOf(issuer: string, jwks: JSONWebKeySet): Readonly<Record<string, object>> {
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  const base = issuer.replace(/\/$/, '')
  // No endpoint hands out tokens: they are made by `sallyport token` on the gateway's own machine.
  const metadata = {
    issuer,
    jwks_uri: `${base}/jwks`,
    scopes_supported: ['mcp'],
    response_types_supported: [],
    grant_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
  return {
    [`${path}/.well-known/openid-configuration`]: metadata,
    [`/.well-known/openid-configuration${path}`]: metadata,
    [`/.well-known/oauth-authorization-server${path}`]: metadata,
    [`${path}/jwks`]: jwks,
  }
}
