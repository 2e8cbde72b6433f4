/**
 * The directory: in memory to be asked for every call, and in two tables of `state.sqlite`.
 *
 * What somebody said or ordered is written before it counts; only a loss of rights counts before it
 * is written. When somebody was last seen is written behind: a crash may lose the last moments, and
 * nobody is stopped for that, for the idle are warned of first.
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { lossForm, principalForm, principalValues, schema, upsert } from './directory-rows.ts'
import type { Loss } from './directory-rows.ts'
import type { Change, Directory, KnownPrincipal, Told } from './directory.ts'
import { Known } from './known.ts'
import { isWord } from './principal.ts'
import type { Principal } from './principal.ts'
import { Tables } from './tables.ts'

/** Sights of one principal closer than this are one. */
const seenEveryMs = 60_000
/** No token lives for longer than this, so what it lost is told by the next one. */
const lossMsMax = 7 * 86_400_000
/** Of the claims as JSON, in UTF-16 units. */
const claimsLengthMax = 65_536

/**
 * @param file the path of `state.sqlite`, or `:memory:`.
 * @throws {Fault} `identity_down`, reason `state_file`: the directory cannot be read in full.
 */
export function openDirectory(file: string, { clock }: { clock: Clock }): Directory {
  const tables = Tables.open(file, schema, ['principal', 'lost_group'])
  try {
    return new StoredDirectory(tables, Math.floor(clock.nowUs() / 1000))
  } catch (error) {
    tables.close()
    throw error
  }
}

class StoredDirectory implements Directory {
  readonly #tables: Tables
  readonly #known = new Known()
  /** Ids of those a sign-in or SCIM told of: tokens do not change what these said. */
  readonly #told = new Set<string>()
  /** By issuer, then subject: groups, each with the moment of the last loss. */
  readonly #lost = new Map<string, Map<string, Map<string, number>>>()
  /** Ids of those to be written behind. */
  readonly #unwritten = new Set<string>()
  #revision = 1

  constructor(tables: Tables, nowMs: number) {
    this.#tables = tables
    const all = tables.rows('principal', 'SELECT * FROM principal ORDER BY rowid', principalForm)
    for (const { known, isTold } of all) {
      this.#known.put(known)
      if (isTold) this.#told.add(known.id)
    }
    const losses = tables.rows('lost_group', 'SELECT * FROM lost_group', lossForm)
    const old = nowMs - lossMsMax
    for (const loss of losses) if (loss.at_ms >= old) this.#lose(loss)
    if (losses.some(({ at_ms }) => at_ms < old)) {
      tables.run('DELETE FROM lost_group WHERE at_ms < ?', old)
    }
  }

  get revision(): number {
    return this.#revision
  }

  tell(told: Told, source: KnownPrincipal['source'], nowMs: number): KnownPrincipal {
    check(told)
    const before = this.#known.find(told.issuer, told.subject)
    const isSeen = source === 'token' || source === 'sign-in'
    const isTold = source === 'sign-in' || source === 'scim' || this.#isTold(before)
    const base = before ?? newcomer(told, source, nowMs)
    const now: KnownPrincipal = Object.freeze({
      ...base,
      ...given(told),
      seenMs: isSeen ? Math.max(base.seenMs, Math.floor(nowMs)) : base.seenMs,
    })
    const isSame = before !== undefined && sameTold(before, now)
    if (isSame && before.seenMs === now.seenMs && this.#isTold(before) === isTold) return before
    this.#tables.run(upsert, ...principalValues({ known: now, isTold }))
    if (isTold) this.#told.add(now.id)
    this.#put(now)
    if (before !== undefined && !isSame) this.#revision++
    return now
  }

  seen(principal: Principal, nowMs: number): void {
    const before = this.#known.find(principal.issuer, principal.subject)
    if (before !== undefined && nowMs < before.seenMs + seenEveryMs) return
    const { groups, issuer, kind, name, roles, subject } = principal
    const told = { issuer, subject, kind, groups, roles, ...(name === undefined ? {} : { name }) }
    const base = before ?? newcomer(told, 'token', nowMs)
    const said = this.#isTold(before) ? {} : given(told)
    const seenMs = Math.max(base.seenMs, Math.floor(nowMs))
    const now = Object.freeze({ ...base, ...said, seenMs })
    this.#known.put(now)
    this.#unwritten.add(now.id)
  }

  byId(id: string): KnownPrincipal | undefined {
    return this.#known.byId(id)
  }

  find(issuer: string, subject: string): KnownPrincipal | undefined {
    return this.#known.find(issuer, subject)
  }

  search(text: string): readonly KnownPrincipal[] {
    return this.#known.search(text)
  }

  change(id: string, change: Change): KnownPrincipal {
    const before = this.#known.byId(id)
    if (before === undefined) throw new Fault('path_unknown', 'There is no principal of this id.')
    if (change.owner !== undefined) this.#checkOwner(change.owner, id)
    const now = changed(before, change)
    this.#tables.run(upsert, ...principalValues({ known: now, isTold: this.#told.has(id) }))
    this.#put(now)
    this.#revision++
    return now
  }

  hasEnded(issuer: string, subject: string, nowMs: number): boolean {
    if (!this.#known.hasEnding()) return false
    return nowMs >= (this.#known.find(issuer, subject)?.endsMs ?? Infinity)
  }

  ended(afterMs: number, upToMs: number): readonly KnownPrincipal[] {
    const found: KnownPrincipal[] = []
    for (const known of this.#known.ending()) {
      const { endsMs = Infinity } = known
      if (endsMs > afterMs && endsMs <= upToMs) found.push(known)
    }
    return found
  }

  loseGroup(issuer: string, subject: string, group: string, nowMs: number): void {
    check({ issuer, subject })
    const at_ms = this.#lose({ issuer, subject, name: group, at_ms: nowMs })
    this.#revision++
    const before = this.#known.find(issuer, subject)
    if (before?.groups.includes(group) === true) {
      const groups = Object.freeze(before.groups.filter((each) => each !== group))
      this.#known.put(Object.freeze({ ...before, groups }))
      this.#unwritten.add(before.id)
    }
    // In force here from now on. A crash before the end of the write: SCIM was not answered, and
    // tells it again.
    this.#tables.atOnce(() => {
      this.#tables.run('REPLACE INTO lost_group VALUES (?, ?, ?, ?)', issuer, subject, group, at_ms)
      if (before !== undefined) this.#write(before.id)
    })
  }

  gainGroup(issuer: string, subject: string, group: string): void {
    const bySubject = this.#lost.get(issuer)
    const lost = bySubject?.get(subject)
    if (bySubject === undefined || lost?.has(group) !== true) return
    const sql = 'DELETE FROM lost_group WHERE issuer = ? AND subject = ? AND name = ?'
    this.#tables.run(sql, issuer, subject, group)
    lost.delete(group)
    if (lost.size === 0) bySubject.delete(subject)
    this.#revision++
  }

  lostGroups(issuer: string, subject: string): ReadonlyMap<string, number> | undefined {
    return this.#lost.get(issuer)?.get(subject)
  }

  list(): readonly KnownPrincipal[] {
    return this.#known.all()
  }

  flush(): void {
    if (this.#unwritten.size === 0) return
    this.#tables.behind(() => {
      for (const id of this.#unwritten) this.#write(id)
    })
    this.#unwritten.clear()
  }

  close(): void {
    try {
      this.flush()
    } finally {
      this.#tables.close()
    }
  }

  #isTold(known: KnownPrincipal | undefined): boolean {
    return known !== undefined && this.#told.has(known.id)
  }

  /** What is written is as new as what is known. */
  #put(known: KnownPrincipal): void {
    this.#known.put(known)
    this.#unwritten.delete(known.id)
  }

  #write(id: string): void {
    const known = this.#known.byId(id)
    if (known === undefined) return
    this.#tables.run(upsert, ...principalValues({ known, isTold: this.#told.has(id) }))
  }

  #checkOwner(owner: string, id: string): void {
    if (this.#known.byId(owner)?.kind === 'person' && owner !== id) return
    const message =
      'An owner is a person of the directory, by id. List them with "sallyport people".'
    throw new Fault('bad_request', message)
  }

  /** @returns the moment of the last loss: a clock that was set back gives nothing back. */
  #lose({ at_ms, issuer, name, subject }: Loss): number {
    const bySubject = this.#lost.get(issuer) ?? new Map<string, Map<string, number>>()
    this.#lost.set(issuer, bySubject)
    const groups = bySubject.get(subject) ?? new Map<string, number>()
    bySubject.set(subject, groups)
    const lastMs = Math.max(groups.get(name) ?? 0, Math.ceil(at_ms))
    groups.set(name, lastMs)
    return lastMs
  }
}

function check({ claims, issuer, subject }: Pick<Told, 'issuer' | 'subject' | 'claims'>): void {
  if (!isWord(issuer) || !isWord(subject)) {
    const message = 'Issuer and subject of a principal have 1 to 256 characters, none of control.'
    throw new Fault('bad_request', message)
  }
  if (claims === undefined || JSON.stringify(claims).length <= claimsLengthMax) return
  const message = `The claims of a sign-in have more than ${claimsLengthMax} characters. Let the provider send fewer.`
  throw new Fault('bad_request', message)
}

function newcomer(
  { issuer, kind, subject }: Told,
  source: KnownPrincipal['source'],
  nowMs: number,
): KnownPrincipal {
  const nothing = { groups: [], roles: [], claims: Object.freeze({}) }
  const madeMs = Math.floor(nowMs)
  return { id: newId('pr'), issuer, subject, kind, ...nothing, madeMs, seenMs: 0, source }
}

/** What was told, and nothing else that may be in the same object. */
function given({ claims, email, groups, kind, name, roles }: Told): Partial<KnownPrincipal> {
  return {
    kind,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(groups === undefined ? {} : { groups: Object.freeze([...groups]) }),
    ...(roles === undefined ? {} : { roles: Object.freeze([...roles]) }),
    ...(claims === undefined ? {} : { claims: Object.freeze({ ...claims }) }),
  }
}

function changed(before: KnownPrincipal, change: Change): KnownPrincipal {
  const { email, endsMs, name, owner, ...others } = { ...before, ...change }
  return Object.freeze({
    ...others,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(endsMs === undefined ? {} : { endsMs: Math.floor(endsMs) }),
    ...(owner === undefined ? {} : { owner }),
  })
}

/** Whether both say the same of somebody, whenever they were seen. */
function sameTold(a: KnownPrincipal, b: KnownPrincipal): boolean {
  const told = ({ claims, email, groups, kind, name, roles }: KnownPrincipal): string =>
    JSON.stringify([claims, email, groups, kind, name, roles])
  return told(a) === told(b)
}
