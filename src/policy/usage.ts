/** What the record shows of how grants were used: by grant, and by principal. */
import type { GrantConfig } from '../config/types.ts'
import { countOf, textOf } from '../record/stored.ts'
import type { StoredEntry } from '../record/stored.ts'
import { isObject } from '../record/unfinished.ts'
import { compileGrant } from './grants.ts'
import type { Compiled, Nameable } from './grants.ts'
import { openMethods } from './permit.ts'

/** The parts of an entry that are looked at. */
export type UsedEntry = Pick<
  StoredEntry,
  'type' | 'time' | 'timeUs' | 'exchange' | 'connection' | 'principal' | 'fields'
>

/** How a grant was used. */
export interface GrantUse {
  calls: number
  /** Microseconds since 1970; 0 for one that was not. */
  lastUs: number
  /** Calls in whose answers card numbers were delivered in clear by it. */
  reveals: number
  /** Calls by `kind name`. Names were masked before they were recorded. */
  readonly byName: Map<string, number>
  /** Calls of names that no longer fit into `byName`. */
  others: number
}

export interface PrincipalUse {
  readonly issuer: string
  readonly subject: string
  calls: number
  lastUs: number
}

export interface SignedOff {
  /** RFC 3339, as the entry has it. */
  readonly time: string
  readonly timeUs: number
  readonly by: string
  /** Of the report, in hexadecimal. */
  readonly sha256: string
}

/** Names kept for each grant: whoever is given everything may call whatever they make up. */
const namesMax = 1000
/** Exchanges kept until their end. One that is lost costs a reveal its count. */
const openMax = 100_000

/** Takes the entries of a record, in order, and counts. */
export class Usage {
  readonly grants: ReadonlyMap<string, GrantUse>
  readonly principals: Map<string, PrincipalUse> = new Map()
  /** The newest review that was signed off, at whatever time. */
  lastReview: SignedOff | undefined
  /** Of grants without a name only what came since the list last changed can be told, as they are
   *  named by their place in it. Microseconds since 1970. */
  unnamedSinceUs: number
  readonly #sinceUs: number
  readonly #compiled: readonly Compiled[]
  /** Names of grants by exchange, of those that reveal. */
  readonly #revealing = new Map<string, readonly string[]>()

  /** @param sinceUs entries before this moment count for nothing but the last review. */
  constructor(list: readonly GrantConfig[], sinceUs: number) {
    this.#sinceUs = sinceUs
    this.unnamedSinceUs = sinceUs
    this.#compiled = list.map((grant, index) => compileGrant(grant, index))
    this.grants = new Map(this.#compiled.map(({ name }) => [name, unused()]))
  }

  take(entry: UsedEntry): void {
    if (entry.type === 'access.reviewed') this.#takeReview(entry)
    if (entry.type === 'access.changed') this.#forgetUnnamed(entry)
    if (entry.timeUs < this.#sinceUs) return
    if (entry.type === 'call.received') this.#takeCall(entry)
    else if (entry.type === 'mask.applied') this.#takeMask(entry)
    else if (entry.type === 'call.finished') this.#revealing.delete(entry.exchange ?? '')
  }

  #takeReview({ fields, principal, time, timeUs }: UsedEntry): void {
    const { details } = fields
    const sha256 = isObject(details) ? textOf(details['sha256']) : undefined
    if (sha256 === undefined) return
    this.lastReview = { time, timeUs, by: principal?.subject ?? '', sha256 }
  }

  #forgetUnnamed({ fields, timeUs }: UsedEntry): void {
    const { details } = fields
    // An end date or an owner changed: the list of grants is the same.
    if (!isObject(details) || details['what'] !== 'access') return
    if (timeUs < this.#sinceUs) return
    this.unnamedSinceUs = timeUs
    for (const { grant, name } of this.#compiled) {
      if (grant.name === undefined) Object.assign(this.grants.get(name) ?? {}, unused())
    }
  }

  #takeCall({ connection, exchange, fields, principal, timeUs }: UsedEntry): void {
    if (principal) this.#takePrincipal(principal, timeUs)
    const rule = textOf(fields['rule']) ?? ''
    const named = new Set(rule.split(' '))
    // A long list is cut in the entry: then any grant that fits may have been among them.
    const isCut = rule.endsWith('…')
    const asked = askedIn(fields)
    const holding = this.#compiled.filter(
      ({ connection: pattern, name }) =>
        (isCut || named.has(name)) && pattern.matches(connection ?? ''),
    )
    const revealing = holding.filter(({ reveal }) => reveal === 'pan').map(({ name }) => name)
    if (revealing.length > 0 && exchange !== undefined && this.#revealing.size < openMax) {
      this.#revealing.set(exchange, revealing)
    }
    if (!asked) return
    const [kind, name] = asked
    for (const grant of holding) {
      if (!grant.names[kind].some((pattern) => pattern.matches(name))) continue
      const use = this.grants.get(grant.name)
      if (use) note(use, `${kind} ${name}`, timeUs)
    }
  }

  #takePrincipal({ issuer, subject }: { issuer: string; subject: string }, timeUs: number): void {
    const key = principalKey(issuer, subject)
    const use = this.principals.get(key) ?? { issuer, subject, calls: 0, lastUs: 0 }
    use.calls++
    use.lastUs = timeUs
    this.principals.set(key, use)
  }

  #takeMask({ exchange, fields }: UsedEntry): void {
    // A masking that is split over several entries is one.
    if (fields['delivered'] !== 'revealed' || (countOf(fields['part']) ?? 1) > 1) return
    for (const name of this.#revealing.get(exchange ?? '') ?? []) {
      const use = this.grants.get(name)
      if (use) use.reveals++
    }
  }
}

export function principalKey(issuer: string, subject: string): string {
  return `${issuer}\n${subject}`
}

function unused(): GrantUse {
  return { calls: 0, lastUs: 0, reveals: 0, byName: new Map(), others: 0 }
}

function note(use: GrantUse, name: string, timeUs: number): void {
  use.calls++
  use.lastUs = timeUs
  const known = use.byName.get(name)
  if (known === undefined && use.byName.size >= namesMax) use.others++
  else use.byName.set(name, (known ?? 0) + 1)
}

/** What a call asked for; undefined for what every grant includes, such as lists. */
function askedIn(fields: UsedEntry['fields']): [kind: Nameable, name: string] | undefined {
  const { target } = fields
  if (isObject(target)) {
    const [kind, name] = [target['kind'], textOf(target['name'])]
    const isNamed = kind === 'tool' || kind === 'resource' || kind === 'prompt'
    return isNamed && name !== undefined ? [kind, name] : undefined
  }
  const method = textOf(fields['method'])
  return method === undefined || openMethods.has(method) ? undefined : ['method', method]
}
