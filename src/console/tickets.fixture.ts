/** For tests: a console before real tickets and pins, and calls to be held. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { HoldsConfig, ReviewersConfig } from '../config/policy-types.ts'
import { openTickets } from '../hold/open-tickets.ts'
import type { HeldCall, Ticket } from '../hold/ticket.ts'
import type { Tickets } from '../hold/tickets.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import type { SqlFact } from '../inspect/facts.ts'
import type { Pins } from '../inspect/pins.ts'
import { openPins } from '../inspect/pins-store.ts'
import { createMasker } from '../mask/masker.ts'
import type { Masker } from '../mask/masker.ts'
import { pciDetection } from '../mask/detection.ts'
import { Authenticator } from '../signin/authenticator.fixture.ts'
import { readJson } from '../wire/json.ts'
import { openRoom, origin, standing } from './console.fixture.ts'
import type { Browser, Room } from './console.fixture.ts'

const masker: Masker = createMasker({ sealKey: randomBytes(32) })
const plan = { reveal: 'none', detect: pciDetection, rule: 'test' } as const

export const deletion: SqlFact = {
  at: '/sql',
  ordinal: 0,
  statements: 1,
  dialect: 'postgresql',
  parsed: true,
  problem: '',
  verb: 'DELETE',
  verbs: ['DELETE'],
  tables_read: ['cards'],
  tables_written: ['cards'],
  columns_read: ['id'],
  columns_written: [],
  columns_returned: {},
  where: 'filter',
  where_less: false,
  limit: -1,
  functions: [],
  dangerous_functions: [],
  writes: true,
  is_ddl: false,
  is_dcl: false,
  exports: false,
  uses_files: false,
  is_dynamic: false,
  changes_session: false,
  is_transaction: false,
  locks: false,
  has_comments: false,
  touches_cardholder_data: true,
  writes_cardholder_data: true,
  returns_cardholder_data: false,
}

const holds: HoldsConfig = {
  waitMs: 45_000,
  expiresMs: 15 * 60_000,
  approvalMs: 10 * 60_000,
  progressClients: [],
  progressMs: 300_000,
  sessionDecisions: true,
  emergency: { group: 'oncall' },
}

export interface TicketRoom extends Room {
  readonly tickets: Tickets
  readonly pins: Pins
  /** Holds a call of somebody. */
  hold(of: KnownPrincipal, more?: Partial<Held>): Promise<Ticket>
  /** Gives somebody a passkey. */
  enrol(person: KnownPrincipal): Promise<Authenticator>
}

interface Held {
  readonly args: string
  readonly reviewers: readonly ReviewersConfig[]
  readonly needsPasskey: boolean
  readonly tool: string
  readonly rule: string
  readonly expiresMs: number
}

export function openTicketRoom(t: Pick<TestContext, 'after'>, at: string = origin): TicketRoom {
  let tickets: Tickets | undefined
  let pins: Pins | undefined
  const { privateKey } = generateKeyPairSync('ed25519')
  const make: Parameters<typeof openRoom>[2] = ({
    clock,
    directory,
    note,
    passkeys,
    revocations,
  }) => {
    pins = openPins(':memory:', { clock, note, masker })
    tickets = openTickets(':memory:', {
      clock,
      note,
      masker,
      masterKey: randomBytes(32),
      signingKey: () => privateKey,
      gateway: 'gw.example',
      holds: () => holds,
      passkeys,
      reviewer: (id) => {
        const principal = directory.byId(id)
        if (principal === undefined) return undefined
        const { issuer, subject } = principal
        const nowMs = clock.nowUs() / 1000
        const of = { issuer, subject, issuedAtMs: nowMs }
        const isOut =
          directory.hasEnded(issuer, subject, nowMs) ||
          revocations.find(of, undefined, nowMs) !== undefined
        if (isOut) return undefined
        return { principal, bearer: principal, roles: standing.rolesOf(principal) }
      },
      known: (issuer, subject) => directory.find(issuer, subject),
      knownById: (id) => directory.byId(id),
    })
    return { tickets, pins }
  }
  const room = openRoom(t, ':memory:', make, at)
  assert.ok(tickets && pins)
  const open = tickets
  const all = { tickets: open, pins }
  t.after(() => {
    for (const one of [all.tickets, all.pins]) one.close()
  })
  return Object.assign(room, all, {
    hold: async (of: KnownPrincipal, more: Partial<Held> = {}) =>
      await open.open(heldCall(of, more)),
    enrol: async (person: KnownPrincipal) => await enrolled(room, person),
  })
}

function heldCall(of: KnownPrincipal, more: Partial<Held> = {}): HeldCall {
  const { issuer, kind, name, subject } = of
  const { args = '{"sql":"DELETE FROM cards WHERE id = 7"}', needsPasskey = true } = more
  const { expiresMs = 600_000, reviewers = [], rule = 'card-writes', tool = 'execute_sql' } = more
  const bytes = Buffer.from(args)
  return {
    exchange: 'ex_1',
    session: 'se_1',
    owner: `${issuer}\n${subject}`,
    principal: {
      issuer,
      subject,
      kind,
      ...(name === undefined ? {} : { name }),
      clientId: 'claude-code',
      ...(of.owner === undefined ? {} : { owner: of.owner }),
      claims: of.claims,
    },
    who: masker.words({ issuer, subject, kind, name }),
    source: { ip: '192.0.2.7' },
    connection: 'shop',
    connectionRevision: 'c1',
    method: 'tools/call',
    tool,
    toolSha256: 'ab'.repeat(32),
    args: bytes,
    hasSensitiveAuth: false,
    shown: masker.text(bytes, plan).kept,
    facts: { sql: [deletion], findings: [] },
    matched: [{ rule, effect: 'hold', reason: 'Card rows are changed.' }],
    reason: 'Card rows are changed.',
    terms: { reviewers, expiresMs, needsPasskey },
    policyRevision: 'p1',
  }
}

async function enrolled({ passkeys }: Room, person: KnownPrincipal): Promise<Authenticator> {
  const authenticator = new Authenticator(origin, 'localhost')
  const { challenge } = await passkeys.beginEnrolment(person.id)
  await passkeys.finishEnrolment(person.id, authenticator.create(challenge))
  return authenticator
}

/** Both steps of a decision by a passkey. */
export async function decide(
  browser: Browser,
  { id }: Ticket,
  authenticator: Authenticator,
  decision: 'approve' | 'deny' = 'approve',
): Promise<Response> {
  const path = `/api/tickets/${id}/decisions`
  const body = { decision, justification: 'agreed in CHG-1' }
  const begun = await browser.change('POST', `${path}/begin`, body)
  if (!begun.ok) return begun
  const told: unknown = await begun.json()
  const challenge = told instanceof Object ? String(Reflect.get(told, 'challenge')) : ''
  const response = authenticator.get(challenge)
  return await browser.change('POST', path, { method: 'passkey', challenge, response })
}

/** What a server's list of tools says, as pins learn it. */
export async function learn(pins: Pins, ...tools: readonly object[]): Promise<void> {
  const tree = readJson(Buffer.from(JSON.stringify({ tools })), { bytesMax: 1e6, depthMax: 64 })
  await pins.learn('shop', tree, tree.root)
}
