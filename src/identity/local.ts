/**
 * The issuer inside this gateway, for a first try, tests and places without an identity provider.
 * Whoever can read its key file can be anybody: it lies in `DATA/keys/` with mode 0600.
 */
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import type { JSONWebKeySet, JWK } from 'jose'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { PrincipalKind } from '../config/types.ts'

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
}

/** Where its key lies in a data folder. */
export function localKeyFile(dataDir: string): string {
  return join(dataDir, 'keys', 'local-issuer.json')
}

/**
 * Makes the key file unless it is there.
 * @returns whether it was made.
 */
export async function makeLocalKey(dataDir: string): Promise<boolean> {
  const file = localKeyFile(dataDir)
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  const text = `${JSON.stringify({ keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] }, null, 2)}\n`
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  chmodSync(dirname(file), 0o700)
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/**
 * Opens the issuer. The first key of the file signs, all of them verify.
 * @param issuer its identifier, as in the configuration.
 * @throws {Fault} `secret_missing` when the file is not there, can be read by others, or is no key.
 */
export async function openLocalIssuer(options: {
  dataDir: string
  issuer: string
  clock: Clock
}): Promise<LocalIssuer> {
  const { issuer, clock } = options
  const keys = readKeys(localKeyFile(options.dataDir))
  const [signing] = keys
  if (signing === undefined) throw unusable('it holds no ES256 key')
  const privateKey = await importJWK(signing, 'ES256')
  const publicKeys = keys.map(({ crv, x, y, kid }) => {
    return { kty: 'EC', crv, x, y, kid, alg: 'ES256', use: 'sig' }
  })
  return {
    issuer,
    async mint(who: Mint): Promise<string> {
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
    jwks: () => ({ keys: publicKeys }),
    documents: () => documentsOf(issuer, { keys: publicKeys }),
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

interface SigningKey extends JWK {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly d: string
  readonly kid: string
}

function readKeys(file: string): readonly SigningKey[] {
  let text: string
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw unusable('others than its owner can read it')
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw unusable('it is not there or cannot be read', cause)
  }
  try {
    const parsed: unknown = JSON.parse(text)
    const keys: unknown = typeof parsed === 'object' && parsed ? Reflect.get(parsed, 'keys') : []
    return Array.isArray(keys) ? keys.filter(isSigning) : []
  } catch (cause) {
    throw unusable('it is no JSON', cause)
  }
}

function isSigning(key: unknown): key is SigningKey {
  if (typeof key !== 'object' || key === null) return false
  const { kty, crv, d, kid }: { kty?: unknown; crv?: unknown; d?: unknown; kid?: unknown } = key
  const { x, y }: { x?: unknown; y?: unknown } = key
  const isWhole = [x, y, d, kid].every((part) => typeof part === 'string')
  return kty === 'EC' && crv === 'P-256' && isWhole
}

function unusable(why: string, cause?: unknown): Fault {
  const message = `The local issuer's key, keys/local-issuer.json in the data folder, is not usable: ${why}. "sallyport init" makes one; its mode must be 0600.`
  return new Fault('secret_missing', message, { cause, facts: { reason: 'local_issuer_key' } })
}
