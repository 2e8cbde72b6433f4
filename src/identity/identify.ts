/** From the `Authorization` headers of a request to a principal, or to a refusal. */
import { hash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { IssuerConfig } from '../config/types.ts'
import { bearerToken, isCompact } from './bearer.ts'
import { challenge, resourceMetadata } from './challenge.ts'
import type { Fetch } from './fetch-json.ts'
import { fixedKeys, issuerKeys } from './keys.ts'
import type { LocalIssuer } from './local.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import { claimedIssuer, verifyToken } from './verify.ts'
import type { IssuerRow, VerifiedToken } from './verify.ts'

export type { Principal } from './principal.ts'

export interface Identity {
  /**
   * @param authorization the values of all `Authorization` headers, as they came.
   * @param resource the connection's address, `{public_url}/mcp/{connection}`, or its path alone.
   * @throws {Fault} `no_identity` with `facts.reason` (see reasons.ts) and, where one was chosen,
   *   `facts.issuer`, its configured name; `identity_down` when an issuer's keys cannot be had.
   */
  identify(authorization: readonly string[], resource: string): Promise<Principal>
  /** RFC 9728 metadata of a connection. */
  metadata(resource: string): object
  /** `WWW-Authenticate` for a 401 (or 400, see `statusOf`). @param reason of the fault. */
  challenge(resource: string, reason?: string): string
}

export interface IdentityOptions {
  readonly issuers: readonly IssuerConfig[]
  /** The gateway's origin: where a resource that is only a path belongs. */
  readonly publicUrl?: string
  readonly clock: Clock
  /** The local issuer; needed where `issuers` has one of type local. */
  readonly local?: LocalIssuer | undefined
  readonly fetch?: Fetch
  readonly cachedTokensMax?: number
}

const keepMs = 60_000
const refusedKeepMs = 5_000

interface Cached {
  readonly token: VerifiedToken
  readonly row: IssuerRow
  readonly untilMs: number
}

/**
 * Trusts the issuers given and nobody else. Nothing is fetched before the first token of an issuer.
 * @throws {Fault} `config_bad` when a local issuer is configured and not handed in.
 */
export function createIdentity(options: IdentityOptions): Identity {
  const rows = new Map(options.issuers.map((config) => [config.issuer, makeRow(config, options)]))
  const verified = new Bounded<Cached>(options.cachedTokensMax ?? 10_000)
  // Signatures found wrong, so that one bad token sent over and over costs a hash.
  const refused = new Bounded<{ fault: Fault; untilMs: number }>(1_000)

  const verify = async (token: string, key: string, nowMs: number): Promise<Cached> => {
    if (!isCompact(token)) throw refusal('malformed')
    const known = refused.get(key)
    if (known !== undefined && nowMs < known.untilMs) throw known.fault
    const issuer = claimedIssuer(token)
    const row = typeof issuer === 'string' ? rows.get(issuer) : undefined
    if (row === undefined) throw refusal('issuer')
    try {
      const proven = await verifyToken(token, row, nowMs)
      const untilMs = Math.min(nowMs + keepMs, proven.principal.expiresAtMs)
      const entry = { token: proven, row, untilMs }
      if (untilMs > nowMs) verified.set(key, entry)
      return entry
    } catch (error) {
      if (error instanceof Fault && error.facts['reason'] === 'signature') {
        refused.set(key, { fault: error, untilMs: nowMs + refusedKeepMs })
      }
      throw error
    }
  }

  const whole = (resource: string): string => new URL(resource, options.publicUrl).href
  return {
    async identify(authorization: readonly string[], resource: string): Promise<Principal> {
      const token = bearerToken(authorization)
      const key = hash('sha256', token, 'base64') // The token itself is kept nowhere.
      const nowMs = options.clock.nowUs() / 1000
      let entry = verified.get(key)
      if (entry === undefined || nowMs >= entry.untilMs || isOutdated(entry)) {
        verified.delete(key)
        entry = await verify(token, key, nowMs)
      }
      checkAudience(entry, resource)
      return entry.token.principal
    },
    metadata: (resource) => resourceMetadata(whole(resource), [...rows.keys()]),
    challenge: (resource, reason) => challenge(whole(resource), reason),
  }
}

function makeRow(config: IssuerConfig, { clock, fetch, local }: IdentityOptions): IssuerRow {
  if (config.type === 'oidc') {
    return { config, keys: issuerKeys(config, { clock, fetch: fetch ?? globalThis.fetch }) }
  }
  if (local === undefined || local.issuer !== config.issuer) {
    const message = `Issuer "${config.name}" is of type local, but its key is not there. Make it with "sallyport init".`
    throw new Fault('config_bad', message)
  }
  return { config, keys: fixedKeys(local.jwks()) }
}

/** The issuer has changed its keys since: the one this token is signed with may be withdrawn. */
function isOutdated({ token, row }: Cached): boolean {
  return token.revision !== row.keys.revision
}

/**
 * Every audience must be this resource or the issuer's name for the whole gateway: whoever else is
 * named in a token could send it here (MCP 2026-07-28, Authorization, "Token Audience Binding").
 */
function checkAudience({ token, row }: Cached, resource: string): void {
  const { audiences } = token
  const ours = row.config.audience
  const isOurs = (audience: string): boolean =>
    isSame(audience, resource) || ours.some((one) => isSame(audience, one))
  if (audiences.length === 0 || !audiences.every(isOurs)) throw refusal('audience', row.config.name)
}

/** Equal but for one slash at the end: address libraries put one behind a bare origin. */
function isSame(audience: string, wanted: string): boolean {
  if (audience === wanted) return true
  return `${audience}/` === wanted || audience === `${wanted}/`
}

/** A map which forgets its oldest entry when it is full. */
class Bounded<T> {
  readonly #map = new Map<string, T>()
  readonly #sizeMax: number
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }
  get(key: string): T | undefined {
    return this.#map.get(key)
  }
  set(key: string, value: T): void {
    this.#map.delete(key)
    this.#map.set(key, value)
    if (this.#map.size <= this.#sizeMax) return
    for (const oldest of this.#map.keys()) {
      this.#map.delete(oldest)
      break
    }
  }
  delete(key: string): void {
    this.#map.delete(key)
  }
}
