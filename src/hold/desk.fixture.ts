/** For tests: held calls over a file or in memory, with people, a clock that is set, and a record
 *  that can fail. Passkeys are a stand-in here; the real ones are in `tests/verify`. */
import { createPrivateKey } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { HoldsConfig, ReviewersConfig } from '../config/policy-types.ts'
import type { ConsoleRole } from '../config/types.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import { pciDetection } from '../mask/detection.ts'
import { createMasker } from '../mask/masker.ts'
import type { Details, NotedType } from '../record/entry.ts'
import type { About } from '../record/notes.ts'
import { openTickets } from './open-tickets.ts'
import type { HeldCall, Ticket } from './ticket.ts'
import type { AskedDecision, BoundNow, Reviewer, Tickets, TicketsOptions } from './tickets.ts'

export const issuer = 'https://issuer.example'
const masker: ReturnType<typeof createMasker> = createMasker({
  sealKey: Buffer.alloc(32, 7),
})
const der = Buffer.concat([
  Buffer.from('302e020100300506032b657004220420', 'hex'),
  Buffer.alloc(32, 9),
])
export const signingKey: ReturnType<typeof createPrivateKey> = createPrivateKey({
  key: der,
  format: 'der',
  type: 'pkcs8',
})

export interface Told {
  readonly type: NotedType
  readonly about: About
  readonly details: Details
}

/** Somebody of the directory. */
export function person(id: string, more: Partial<KnownPrincipal> = {}): KnownPrincipal {
  return {
    id: `pr_${id}`,
    issuer,
    subject: id,
    name: id,
    kind: 'person',
    groups: ['dba'],
    roles: [],
    claims: {},
    madeMs: 0,
    seenMs: 0,
    source: 'token',
    ...more,
  }
}

export class Desk {
  nowMs: number = 1_800_000_000_000
  monotonicMs = 0
  /** Entries told, in order. */
  readonly told: Told[] = []
  /** Entry types that fail, and what is done while one is written. */
  readonly failing: Set<NotedType> = new Set()
  onNote: (told: Told) => void | Promise<void> = () => undefined
  readonly people: Map<string, { principal: KnownPrincipal; roles: ConsoleRole[] }> = new Map()
  readonly enrolled: Set<string> = new Set()
  holds: HoldsConfig = {
    waitMs: 45_000,
    expiresMs: 3_600_000,
    approvalMs: 600_000,
    progressClients: [],
    progressMs: 0,
    sessionDecisions: true,
  }
  readonly options: TicketsOptions
  tickets: Tickets
  readonly #file: string

  constructor(file = ':memory:', more: Partial<TicketsOptions> = {}) {
    this.#file = file
    for (const name of ['ann', 'bob', 'cy', 'dee']) this.join(person(name), ['approver'])
    this.join(person('adm'), ['admin'])
    this.join(person('asker'), [])
    const known = (of: string, subject: string): KnownPrincipal | undefined =>
      [...this.people.values()].find(
        ({ principal: one }) => one.issuer === of && one.subject === subject,
      )?.principal
    this.options = {
      clock: this.clock(),
      note: async (type, about, details) => {
        if (this.failing.has(type)) throw new Fault('record_down', 'The record is down.')
        const told = { type, about, details: masker.words(details).value }
        await this.onNote(told)
        this.told.push(told)
      },
      masker,
      masterKey: Buffer.alloc(32, 5),
      signingKey: () => signingKey,
      gateway: 'test/gateway',
      holds: () => this.holds,
      passkeys: {
        rpId: 'console.example',
        origins: ['https://console.example'],
        check: async (response, challenge, personId) => standIn(response, challenge, personId),
        listPasskeys: (id) => (this.enrolled.has(id) ? [{}] : []),
      },
      reviewer: (id) => this.#reviewer(id),
      known,
      knownById: (id) => this.people.get(id)?.principal,
      ...more,
    }
    this.tickets = openTickets(file, this.options)
  }

  join(principal: KnownPrincipal, roles: ConsoleRole[]): void {
    this.people.set(principal.id, { principal, roles })
  }

  /** The same file, as the next start finds it. */
  reopen(): void {
    this.tickets.close()
    this.tickets = openTickets(this.#file, this.options)
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.monotonicMs += ms
  }

  types(): string[] {
    return this.told.map(({ type }) => type)
  }

  /** Begins and signs a decision by session. */
  async decide(
    ticket: string,
    who: string,
    decision: 'approve' | 'deny',
    more: Partial<AskedDecision> = {},
  ): Promise<Ticket> {
    const session = { key: `hash of ${who}'s session`, amr: ['pwd'], authenticatedMs: this.nowMs }
    const asked = { decision, justification: 'I looked at it', method: 'session', session } as const
    const begun = await this.tickets.beginDecision(ticket, `pr_${who}`, { ...asked, ...more })
    return await this.tickets.finishDecision(begun.challenge, `pr_${who}`, {
      method: 'session',
      session,
    })
  }

  /** Held and approved. */
  async approved(call: HeldCall = held()): Promise<Ticket> {
    const { id } = await this.tickets.open(call)
    return await this.decide(id, 'ann', 'approve')
  }

  clock(): Clock {
    return { nowUs: () => this.nowMs * 1000, monotonicMs: () => this.monotonicMs }
  }

  #reviewer(id: string): Reviewer | undefined {
    const found = this.people.get(id)
    return (
      found && { principal: found.principal, bearer: found.principal, roles: new Set(found.roles) }
    )
  }
}

/** Says yes to `{ by }`, as the real check does to that person's signature. */
function standIn(
  response: unknown,
  challenge: string,
  personId: string,
): ReturnType<NonNullable<TicketsOptions['passkeys']>['check']> {
  const by: unknown = Object(response)['by']
  if (by !== personId)
    throw new Fault('refused', 'No.', { facts: { reason: 'passkey_of_another' } })
  const registration = {
    attestationObject: Buffer.from('attestation'),
    clientData: Buffer.from('client'),
    origin: 'https://console.example',
    rpId: 'console.example',
  }
  const signed = {
    authenticatorData: 'AAAA',
    clientData: challenge,
    signature: 'AAAA',
    registration,
  }
  return Promise.resolve({
    passkey: { id: 'pk_x', madeMs: 1_700_000_000_000 },
    person: { id: personId },
    evidence: { credential: 'Y3JlZA', publicKey: Buffer.from('key'), ...signed },
  })
}

export const anybody: readonly ReviewersConfig[] = [{ who: {}, quorum: 1 }]

/** A call by `asker` that waits for one approver. */
export function held(more: Partial<HeldCall> = {}): HeldCall {
  const args = more.args ?? Buffer.from('{"sql":"DELETE FROM cards WHERE id = 7"}')
  const { kept } = masker.text(args, { reveal: 'none', detect: pciDetection, rule: 'test' })
  return {
    exchange: 'ex_abc',
    session: 'se_abc',
    owner: `${issuer}\nasker`,
    principal: { issuer, subject: 'asker', name: 'asker', kind: 'person', clientId: 'cli' },
    who: masker.words({ issuer, subject: 'asker', name: 'asker', kind: 'person' as const }),
    source: { ip: '192.0.2.1' },
    connection: 'shop-db',
    connectionRevision: 'r1',
    method: 'tools/call',
    tool: 'execute_sql',
    toolSha256: 'pin',
    hasSensitiveAuth: false,
    shown: kept,
    facts: { sql: [], findings: [] },
    matched: [{ rule: 'cardholder-writes', effect: 'hold', reason: 'It deletes cardholder data.' }],
    reason: 'It deletes cardholder data.',
    terms: { reviewers: anybody, expiresMs: 3_600_000, needsPasskey: false },
    policyRevision: 'p1',
    ...more,
    args,
  }
}

/** What `take` is given where nothing has changed. */
export function bound(call: HeldCall = held(), more: Partial<BoundNow> = {}): BoundNow {
  const { connection, connectionRevision, method, owner, policyRevision, tool, toolSha256 } = call
  const { clientId } = call.principal
  const what = { owner, clientId, connection, connectionRevision, method, tool, toolSha256 }
  return { ...what, policyRevision, args: call.args, ...more }
}
