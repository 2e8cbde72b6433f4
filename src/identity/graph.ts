/**
 * Asks Microsoft Graph which of some groups somebody belongs to, groups within groups included.
 *
 * Source: Graph v1.0, "directoryObject: checkMemberGroups" (20 ids at most in a question); Microsoft
 * identity platform, "OAuth 2.0 client credentials flow"; Graph "throttling guidance".
 */
import { Fault } from '../base/fault.ts'
import { Bounded } from './bounded.ts'
import { isGuid, isRecord } from './claims.ts'
import { askJson } from './fetch-json.ts'
import type { AskedJson, Fetch } from './fetch-json.ts'
import { refusal } from './reasons.ts'

/** A secret that may have changed since it was last read. */
export interface GraphSecret {
  read(): { reveal(): string } | Promise<{ reveal(): string }>
}

/** Whose groups are wanted. */
export interface Member {
  readonly tenant: string
  readonly oid: string
  readonly bearer: 'person' | 'application'
}

export interface Graph {
  /**
   * Those of the groups that the member belongs to, lower case.
   * @throws {Fault} `identity_down` (`groups_unknown`) when it cannot be found out now; `no_identity`
   *   (`groups_unknown`) when Graph knows nobody of this id.
   */
  memberOf(member: Member, nowMs: number): Promise<readonly string[]>
  /**
   * Whether it can be asked about people of a tenant: asks about nobody.
   * @throws {Fault} `identity_down` (`groups_unknown`) with the reason why not.
   */
  probe(tenant: string, nowMs: number): Promise<void>
}

export interface GraphOptions {
  /** The issuer's name, for messages. */
  readonly name: string
  /** Origins. */
  readonly authority: string
  readonly url: string
  readonly clientId: string
  readonly secret: GraphSecret
  /** Ids of the groups that matter; what is no GUID is left out, as Graph would refuse it. */
  readonly groups: readonly string[]
  readonly fetch: Fetch
}

const keepMs = 5 * 60_000
const unknownKeepMs = 30_000
const membersMax = 10_000
const groupsInQuestion = 20
const nobody = '00000000-0000-0000-0000-000000000000'
/** After a failure, and where Graph names no time itself. */
const pauseMs = 2_000
const pauseMsMax = 10 * 60_000
/** A token is not used in its last minute. */
const tokenMarginMs = 60_000

/** The groups; undefined where Graph knows nobody of this id. */
type Found = readonly string[] | undefined

interface Kept<T> {
  readonly value: T
  readonly untilMs: number
}

export function createGraph(options: GraphOptions): Graph {
  const groups = [...new Set(options.groups.filter(isGuid).map((id) => id.toLowerCase()))]
  const kept = new Bounded<Kept<Found>>(membersMax)
  const running = new Map<string, Promise<Found>>()
  const tenants = new Map<string, Tenant>()

  const tenantOf = (id: string): Tenant => {
    const tenant = tenants.get(id) ?? new Tenant(id, options)
    tenants.set(id, tenant) // As many as are configured.
    return tenant
  }
  const ask = async (member: Member, nowMs: number): Promise<Found> => {
    const tenant = tenantOf(member.tenant)
    const all: string[] = []
    for (let i = 0; i < groups.length; i += groupsInQuestion) {
      // One after the other: a tenant that has had enough is not asked the rest.
      const found = await tenant.check(member, groups.slice(i, i + groupsInQuestion), nowMs)
      if (found === undefined) return undefined
      all.push(...found)
    }
    return Object.freeze(all)
  }
  const find = async (member: Member, nowMs: number): Promise<Found> => {
    const key = `${member.tenant} ${member.oid}`
    const known = kept.get(key)
    if (known !== undefined && nowMs < known.untilMs) return known.value
    const going = running.get(key)
    if (going !== undefined) return going
    const asking = ask(member, nowMs).finally(() => running.delete(key))
    running.set(key, asking)
    const value = await asking
    kept.set(key, { value, untilMs: nowMs + (value === undefined ? unknownKeepMs : keepMs) })
    return value
  }
  return {
    async memberOf(member: Member, nowMs: number): Promise<readonly string[]> {
      const found = await find(member, nowMs)
      if (found === undefined) throw refusal('groups_unknown', options.name)
      return found
    },
    async probe(tenant: string, nowMs: number): Promise<void> {
      // That nobody is unknown is the right answer, which Graph gives to whoever may ask.
      const member: Member = { tenant, oid: nobody, bearer: 'person' }
      await tenantOf(tenant).check(member, [nobody], nowMs)
    },
  }
}

/** One tenant's Graph: its token, and until when it is not to be asked. */
class Tenant {
  readonly #id: string
  readonly #options: GraphOptions
  #token: Kept<string> | undefined
  #asking: Promise<string> | undefined
  #quietUntilMs = 0
  constructor(id: string, options: GraphOptions) {
    this.#id = id
    this.#options = options
  }

  async check(member: Member, groups: readonly string[], nowMs: number): Promise<Found> {
    if (nowMs < this.#quietUntilMs) throw this.#down('it is left alone for a moment')
    let answer = await this.#question(member, groups, nowMs)
    if (answer.status === 401) {
      this.#token = undefined // Withdrawn before its time: one more try with a new one.
      answer = await this.#question(member, groups, nowMs)
    }
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw this.#refused(answer, nowMs)
    const value: unknown = answer.value && Reflect.get(answer.value, 'value')
    if (!Array.isArray(value) || !value.every(isGuid))
      throw this.#fail(nowMs, 'its answer has another form')
    const found = new Set(value.map((id) => id.toLowerCase()))
    return groups.filter((id) => found.has(id)) // Nothing that was not asked about.
  }

  async #question(member: Member, groups: readonly string[], nowMs: number): Promise<AskedJson> {
    const token = await this.#bearer(nowMs)
    const folder = member.bearer === 'person' ? 'users' : 'servicePrincipals'
    const address = `${this.#options.url}/v1.0/${folder}/${member.oid}/checkMemberGroups`
    return this.#ask(address, nowMs, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ groupIds: groups }),
    })
  }

  /** One request for a token, however many wait for it. */
  async #bearer(nowMs: number): Promise<string> {
    if (this.#token !== undefined && nowMs < this.#token.untilMs) return this.#token.value
    this.#asking ??= this.#fetchToken(nowMs).finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #fetchToken(nowMs: number): Promise<string> {
    const { authority, url, clientId, secret } = this.#options
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: (await secret.read()).reveal(),
      scope: `${url}/.default`,
    }
    const answer = await this.#ask(`${authority}/${this.#id}/oauth2/v2.0/token`, nowMs, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
    if (answer.status !== 200) throw this.#refused(answer, nowMs)
    const { access_token: value, expires_in: seconds } = isRecord(answer.value) ? answer.value : {}
    if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || typeof seconds !== 'number') {
      throw this.#fail(nowMs, 'it was given no token for it')
    }
    this.#token = { value, untilMs: nowMs + seconds * 1000 - tokenMarginMs }
    return value
  }

  async #ask(
    address: string,
    nowMs: number,
    question: { headers: Record<string, string>; body: string },
  ): Promise<AskedJson> {
    try {
      return await askJson(address, this.#options.fetch, { method: 'POST', ...question })
    } catch (cause) {
      throw this.#fail(nowMs, 'it did not answer', cause)
    }
  }

  #refused({ status, headers }: AskedJson, nowMs: number): Fault {
    const wishS = Number(headers.get('retry-after') ?? Number.NaN)
    const waitMs = wishS > 0 ? Math.min(wishS * 1000, pauseMsMax) : pauseMs
    this.#quietUntilMs = nowMs + waitMs
    const why =
      status === 429
        ? 'it has had too many questions'
        : status === 403
          ? 'the application named under graph has no consent to ask (GroupMember.Read.All, User.Read.All)'
          : `it answered with status ${status}`
    return this.#down(why)
  }

  #fail(nowMs: number, why: string, cause?: unknown): Fault {
    this.#quietUntilMs = nowMs + pauseMs
    return this.#down(why, cause)
  }

  #down(why: string, cause?: unknown): Fault {
    const { name } = this.#options
    const message = `This account is in too many groups for its token, and Microsoft Graph, which knows them, cannot be asked: ${why}. Nobody with so many groups is let in by issuer "${name}" meanwhile; it is asked again by itself.`
    return new Fault('identity_down', message, {
      cause,
      facts: { reason: 'groups_unknown', issuer: name },
    })
  }
}
