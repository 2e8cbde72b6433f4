/** From the `Authorization` headers of a request to a principal, or to a refusal. */
import { hash } from 'node:crypto'
import type { JWTPayload } from 'jose'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { IssuerConfig, OidcIssuerConfig } from '../config/types.ts'
import { readAssertion } from './assertion.ts'
import type { Assertion } from './assertion.ts'
import { bearerToken, isCompact } from './bearer.ts'
import { Bounded } from './bounded.ts'
import { challenge, resourceMetadata, tokenSources } from './challenge.ts'
import { isSameAudience } from './claims.ts'
import { settle } from './settle.ts'
import { readLogout } from './logout.ts'
import type { LoggedOut } from './logout.ts'
import type { Principal } from './principal.ts'
import { refusal } from './reasons.ts'
import { createUsedTokens } from './replay.ts'
import type { UsedTokens } from './replay.ts'
import type { IssuerRow, RowParts } from './row.ts'
import { issuerRows } from './rows.ts'
import { isServiceKey, serviceIssuerName } from './service-accounts.ts'
import type { ServiceAccounts } from './service-accounts.ts'
import { claimedIssuer, verifyAccessToken } from './verify.ts'

export type { Principal } from './principal.ts'

export interface Identity {
  /**
   * @param authorization the values of all `Authorization` headers, as they came.
   * @param resource the connection's address, `{public_url}/mcp/{connection}`.
   * @throws {Fault} `no_identity` with `facts.reason` (see reasons.ts) and, where one was chosen,
   *   `facts.issuer`, its configured name; `identity_down` when an issuer's keys, or somebody's
   *   groups, cannot be had.
   */
  identify(authorization: readonly string[], resource: string): Promise<Principal>
  /** RFC 9728 metadata of a connection. */
  metadata(resource: string): object
  /** `WWW-Authenticate` for a 401 (or 400, see `statusOf`). @param reason of the fault. */
  challenge(resource: string, reason?: string): string
  /**
   * A logout token of an issuer of type oidc or entra (OpenID Connect Back-Channel Logout 1.0).
   * @param issuerName its name in the configuration.
   * @throws {Fault} `no_identity` with its reason; `identity_down`.
   */
  verifyLogout(issuerName: string, logoutToken: string): Promise<LoggedOut>
  /**
   * An ID-JAG, used up by this call.
   * @param from names of the issuers (oidc, entra) that may make one, and the identifier of our
   *   authorization server, for which it must be made.
   * @throws {Fault} `no_identity` with its reason; `identity_down`.
   */
  verifyAssertion(
    token: string,
    from: { readonly issuers: readonly string[]; readonly audience: string },
  ): Promise<Assertion>
}

export interface IdentityOptions extends Partial<Omit<RowParts, 'clock'>> {
  readonly issuers: readonly IssuerConfig[]
  /** The gateway's origin: where a resource that is only a path belongs. */
  readonly publicUrl?: string
  readonly clock: Clock
  /** Whether the authorization server inside hands out tokens of the local issuer. */
  readonly isAuthorizationServerOn?: boolean
  readonly serviceAccounts?: Pick<ServiceAccounts, 'verify'> | undefined
  /** Client ids by which people sign in here, by the issuer as it stands in a principal: logout
   *  tokens are made for these, besides the issuer's audiences. */
  readonly signInClients?: ReadonlyMap<string, readonly string[]>
  /** Providers people sign in at, besides `issuers`: their logout tokens are taken, and no other
   *  token of theirs. By the name of the sign-in. */
  readonly signInIssuers?: readonly OidcIssuerConfig[]
  /** Ids of logout tokens and ID-JAGs; in memory where it is missing. */
  readonly usedTokens?: UsedTokens
  readonly cachedTokensMax?: number
}

const keepMs = 60_000
const refusedKeepMs = 5_000

/** A token that was verified. No right is decided here, and nothing of the token itself is kept. */
interface Cached {
  readonly row: IssuerRow
  readonly audiences: readonly string[]
  readonly keysRevision: number
  readonly directoryRevision: number
  /** What it says, until it is known whom it names. */
  claims: JWTPayload | undefined
  principal: Principal | undefined
  untilMs: number
  /** The resource its audience was last found to be good for. */
  resource: string | undefined
}

/**
 * Trusts the issuers given and nobody else. Nothing is fetched before the first token of an issuer.
 * @throws {Fault} `config_bad` when a local issuer is configured and not handed in, or two issuers
 *   are one.
 */
export function createIdentity(options: IdentityOptions): Identity {
  const rows = issuerRows(options.issuers, {
    ...options,
    fetch: options.fetch ?? globalThis.fetch,
  })
  const signInRows = issuerRows(options.signInIssuers ?? [], {
    ...options,
    fetch: options.fetch ?? globalThis.fetch,
  })
  const known = createKnownTokens(rows, options)
  const used = options.usedTokens ?? createUsedTokens()
  const whole = (resource: string): string => new URL(resource, options.publicUrl).href
  const sources = (resource: string): ReturnType<typeof tokenSources> =>
    tokenSources(resource, rows.values(), options.isAuthorizationServerOn ?? false)
  const now = (): number => options.clock.nowUs() / 1000

  /** The row of a token that is no access token, among issuers of some names. */
  const rowOf = (
    token: string,
    names: readonly string[],
    more?: ReadonlyMap<string, IssuerRow>,
  ): IssuerRow => {
    if (!isCompact(token)) throw refusal('malformed')
    const issuer = claimedIssuer(token) ?? ''
    const row = rows.get(issuer) ?? more?.get(issuer)
    const isFit = row?.type === 'oidc' || row?.type === 'entra'
    if (!isFit || !names.includes(row.name)) throw refusal('issuer')
    return row
  }
  return {
    async identify(authorization: readonly string[], resource: string): Promise<Principal> {
      const token = bearerToken(authorization)
      const nowMs = now()
      return isKey(token, options)
        ? accountOf(token, options, nowMs)
        : await known.principal(token, resource, nowMs)
    },
    metadata(resource: string): object {
      return resourceMetadata(whole(resource), sources(whole(resource)))
    },
    challenge(resource: string, reason?: string): string {
      return challenge(whole(resource), reason, sources(whole(resource)).scope)
    },
    async verifyLogout(issuerName: string, logoutToken: string): Promise<LoggedOut> {
      const row = rowOf(logoutToken, [issuerName], signInRows)
      const clients = options.signInClients?.get(row.principalIssuer) ?? []
      return readLogout(logoutToken, row, [...row.audience, ...clients], { used, nowMs: now() })
    },
    async verifyAssertion(token, { issuers, audience }): Promise<Assertion> {
      return readAssertion(token, rowOf(token, issuers), audience, { used, nowMs: now() })
    },
  }
}

function isKey(token: string, { serviceAccounts }: IdentityOptions): boolean {
  return serviceAccounts !== undefined && token.startsWith('sp_') && isServiceKey(token)
}

/** A key of ours: looked up each time, since it may be ended at any time. */
function accountOf(key: string, options: IdentityOptions, nowMs: number): Principal {
  const principal = options.serviceAccounts?.verify(key, nowMs)
  if (principal === undefined) throw refusal('malformed')
  return settle(principal, options.directory, { name: serviceIssuerName, nowMs }).principal
}

interface KnownTokens {
  /** @throws {Fault} as `identify`. */
  principal(token: string, resource: string, nowMs: number): Promise<Principal>
}

/** The verified tokens, by their SHA-256. */
function createKnownTokens(
  rows: ReadonlyMap<string, IssuerRow>,
  { directory, cachedTokensMax = 10_000 }: IdentityOptions,
): KnownTokens {
  const verified = new Bounded<Cached>(cachedTokensMax)
  // Signatures found wrong, so that one bad token sent over and over costs a hash.
  const refused = new Bounded<{ fault: Fault; untilMs: number }>(1_000)

  const verify = async (token: string, key: string, nowMs: number): Promise<Cached> => {
    if (!isCompact(token)) throw refusal('malformed')
    const bad = refused.get(key)
    if (bad !== undefined && nowMs < bad.untilMs) throw bad.fault
    const issuer = claimedIssuer(token)
    const row = typeof issuer === 'string' ? rows.get(issuer) : undefined
    if (row === undefined) throw refusal('issuer')
    const directoryRevision = directory?.revision ?? 0 // Before: a change meanwhile counts.
    try {
      const { claims, audiences, revision } = await verifyAccessToken(token, row, nowMs)
      const untilMs = Math.min(nowMs + keepMs, (claims.exp ?? 0) * 1000)
      const parts = { row, audiences, keysRevision: revision, directoryRevision, claims, untilMs }
      const entry = { ...parts, principal: undefined, resource: undefined }
      if (untilMs > nowMs) verified.set(key, entry)
      return entry
    } catch (error) {
      if (error instanceof Fault && error.facts['reason'] === 'signature') {
        refused.set(key, { fault: error, untilMs: nowMs + refusedKeepMs })
      }
      throw error
    }
  }

  /** Whom it names. After the audience: nobody is asked about the bearer of a foreign token. */
  const read = async (entry: Cached, nowMs: number): Promise<Principal> => {
    const { row, claims = {} } = entry
    const said = await row.read(claims, nowMs)
    const { principal, untilMs } = settle(said, directory, { name: row.name, nowMs })
    entry.untilMs = Math.min(entry.untilMs, untilMs)
    entry.principal = principal
    entry.claims = undefined
    return principal
  }

  /** Keys may have been withdrawn, people may have lost something, since it was verified. */
  const isOutdated = (entry: Cached): boolean =>
    entry.keysRevision !== entry.row.keys.revision ||
    entry.directoryRevision !== (directory?.revision ?? 0)

  return {
    async principal(token: string, resource: string, nowMs: number): Promise<Principal> {
      const key = hash('sha256', token, 'base64') // The token itself is kept nowhere.
      let entry = verified.get(key)
      if (entry === undefined || nowMs >= entry.untilMs || isOutdated(entry)) {
        verified.delete(key)
        entry = await verify(token, key, nowMs)
      }
      if (entry.resource !== resource) {
        checkAudience(entry, resource)
        entry.resource = resource
      }
      return entry.principal ?? read(entry, nowMs)
    },
  }
}

/**
 * Every audience must be this resource or the issuer's name for the whole gateway: whoever else is
 * named in a token could send it here (MCP 2026-07-28, Authorization, "Token Audience Binding").
 */
function checkAudience({ audiences, row }: Cached, resource: string): void {
  const isOurs = (audience: string): boolean =>
    isSameAudience(audience, resource) || row.audience.some((one) => isSameAudience(audience, one))
  if (audiences.length === 0 || !audiences.every(isOurs)) throw refusal('audience', row.name)
}
