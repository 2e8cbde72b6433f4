/**
 * The public keys of one issuer: found by discovery, kept, fetched again when due.
 *
 * Asked for are only addresses of the configuration, and the `jwks_uri` of the document found there;
 * nothing in a token chooses an address.
 */
import { createLocalJWKSet } from 'jose'
import type { JSONWebKeySet, JWK, JWTVerifyGetKey } from 'jose'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { isRecord } from './claims.ts'
import { fetchJson } from './fetch-json.ts'
import type { Fetch } from './fetch-json.ts'

/** Where the keys of one issuer are. */
export interface KeySource {
  /** The issuer's name in the configuration, for messages. */
  readonly name: string
  /** Must be equal to `issuer` of the discovery document. */
  readonly issuer: string
  /** Without it the keys are found by discovery. */
  readonly jwksUri?: string
  /** Where the discovery document may lie; the standard's places where it is missing. */
  readonly addresses?: readonly string[]
  /** A second document of the same issuer, whose keys count as well; it may not be there. */
  readonly ownAddress?: string
  /** Whether a published key may sign for this issuer; any may where it is missing. */
  readonly isOurs?: (key: JWK) => boolean
}

/** One state of an issuer's keys. */
export interface KeySet {
  readonly find: JWTVerifyGetKey
  /** Changes with the keys; what was verified under another revision is verified anew. */
  readonly revision: number
}

export interface IssuerKeys {
  /** The keys in force. @throws {Fault} `identity_down` when there are none to be had. */
  current(): Promise<KeySet>
  /**
   * The keys after a token named one that is unknown: fetched again at most once in 30 s.
   * @throws {Fault} `identity_down` when they cannot be fetched: the key may be a new one.
   */
  again(): Promise<KeySet>
  readonly revision: number
}

const refreshMs = 10 * 60_000
const cooldownMs = 30_000
const retryMs = 2_000
/** Keys that could not be fetched anew are believed this long. */
const keepMs = 24 * 3_600_000

export interface KeysOptions {
  readonly clock: Clock
  readonly fetch: Fetch
}

/** Keys of this process, which may be rotated: no network. */
export function ownKeys(of: { jwks(): JSONWebKeySet; readonly revision: number }): IssuerKeys {
  let set: KeySet | undefined
  const current = (): KeySet => {
    const { revision } = of
    if (set?.revision !== revision) set = { find: createLocalJWKSet(of.jwks()), revision }
    return set
  }
  return {
    current: async () => current(),
    again: async () => current(),
    get revision(): number {
      return of.revision
    },
  }
}

/** @param row the issuer whose keys are wanted; nothing is fetched before they are asked for. */
export function issuerKeys(row: KeySource, { clock, fetch }: KeysOptions): IssuerKeys {
  let set: KeySet | undefined
  let text = ''
  let fetchedMs = 0 // Monotonic, of the last success.
  let triedMs = Number.NEGATIVE_INFINITY
  let failure: Fault | undefined // Of the last try; undefined when it went well.
  let running: Promise<void> | undefined

  async function load(): Promise<void> {
    triedMs = clock.monotonicMs()
    try {
      const jwks = await loadKeys(row, fetch)
      const next = JSON.stringify(jwks)
      if (set === undefined || next !== text) {
        set = { find: createLocalJWKSet(jwks), revision: (set?.revision ?? 0) + 1 }
        text = next
      }
      fetchedMs = clock.monotonicMs()
      failure = undefined
    } catch (error) {
      failure = error instanceof Fault ? error : down(row, 'keys', error)
    }
  }
  /** One fetch at a time, however many wait for it. */
  const refresh = (): Promise<void> => (running ??= load().finally(() => (running = undefined)))
  const kept = (): KeySet => {
    if (set !== undefined && clock.monotonicMs() - fetchedMs <= keepMs) return set
    throw failure ?? down(row, 'keys')
  }

  return {
    async current(): Promise<KeySet> {
      const now = clock.monotonicMs()
      const isDue = set === undefined || now - fetchedMs > refreshMs
      const pauseMs = set === undefined ? retryMs : cooldownMs
      if (running !== undefined && set === undefined) await running
      else if (isDue && now - triedMs > pauseMs) await refresh()
      return kept()
    },
    async again(): Promise<KeySet> {
      if (running !== undefined || clock.monotonicMs() - triedMs > cooldownMs) await refresh()
      // The issuer cannot be asked whether it has this key: a good token must not be called bad.
      if (failure !== undefined) throw failure
      return kept()
    },
    get revision(): number {
      return set?.revision ?? 0
    },
  }
}

/** Fetches an issuer's keys, by discovery unless the configuration names their address.
 *  @throws {Fault} `identity_down` */
export async function loadKeys(row: KeySource, fetch: Fetch): Promise<JSONWebKeySet> {
  const address = row.jwksUri ?? (await discover(row, fetch))
  const keys = await keysAt(address, row, fetch)
  const own = await ownAddress(row, fetch)
  // The same key stands in both documents where there is none of its own.
  const more = own === undefined || own === address ? [] : await keysAt(own, row, fetch)
  const names = new Set(keys.map(({ kid }) => kid))
  return { keys: [...keys, ...more.filter(({ kid }) => !names.has(kid))] }
}

async function keysAt(
  address: string,
  row: KeySource,
  fetch: Fetch,
): Promise<JSONWebKeySet['keys']> {
  const found = await fetchJson(address, fetch)
  if (found.kind !== 'json') throw down(row, 'keys', found.cause)
  const keys: unknown = Reflect.get(found.value, 'keys')
  if (!Array.isArray(keys)) throw down(row, 'keys')
  const usable = keys.filter(isVerifying)
  if (usable.length === 0) throw down(row, 'keys')
  return usable.filter((key) => row.isOurs?.(key) ?? true)
}

/** Keys for signatures, with a name, and of a key pair. */
function isVerifying(key: unknown): key is JSONWebKeySet['keys'][number] {
  if (!isRecord(key)) return false
  const { kty, kid, use } = key
  const isPair = kty === 'RSA' || kty === 'EC' || kty === 'OKP'
  return isPair && typeof kid === 'string' && (use === undefined || use === 'sig')
}

async function ownAddress(row: KeySource, fetch: Fetch): Promise<string | undefined> {
  if (row.ownAddress === undefined) return undefined
  const found = await fetchJson(row.ownAddress, fetch)
  if (found.kind === 'down') throw down(row, 'discovery', found.cause)
  return found.kind === 'json' ? keysAddress(row, found.value) : undefined
}

/** OpenID Connect Discovery 1.0 §4, then RFC 8414 §3.1. @returns the `jwks_uri`. */
async function discover(row: KeySource, fetch: Fetch): Promise<string> {
  let cause: unknown
  for (const address of row.addresses ?? discoveryAddresses(row.issuer)) {
    // One after the other: the second is asked only where the first has no such document.
    const found = await fetchJson(address, fetch)
    if (found.kind === 'json') return keysAddress(row, found.value)
    cause = found.cause
    if (found.kind === 'down') break
  }
  throw down(row, 'discovery', cause)
}

/** Where an issuer's discovery document may lie. */
export function discoveryAddresses(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
}

function keysAddress(row: KeySource, document: object): string {
  // Byte for byte: another issuer's document would bring another issuer's keys (RFC 8414 §3.3).
  if (Reflect.get(document, 'issuer') !== row.issuer) throw down(row, 'mismatch')
  const address: unknown = Reflect.get(document, 'jwks_uri')
  const url = typeof address === 'string' ? URL.parse(address) : null
  if (url === null) throw down(row, 'discovery')
  const isPlain = url.protocol === 'http:' && row.issuer.startsWith('http:')
  if (url.protocol !== 'https:' && !isPlain) throw down(row, 'discovery')
  return url.href
}

const whys = {
  discovery: 'its discovery document cannot be fetched or has no usable jwks_uri',
  mismatch: 'its discovery document names another issuer (compare the slash at the end)',
  keys: 'its keys cannot be fetched, or none of them can verify a signature',
} as const

function down(row: KeySource, reason: keyof typeof whys, cause?: unknown): Fault {
  const message = `Tokens of issuer "${row.name}" cannot be checked: ${whys[reason]}. Nobody is let in on its word meanwhile; it is asked again by itself.`
  return new Fault('identity_down', message, { cause, facts: { reason, issuer: row.name } })
}
