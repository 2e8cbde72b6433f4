/** The tables of held calls, and what a row of them must be. */
import { z } from 'zod'
import type { Inspected } from '../inspect/facts.ts'
import type { HoldTerms, Matched } from '../policy/verdict.ts'
import type { Evidence } from './proof-format.ts'
import type { Decision, Ticket, TicketState } from './ticket.ts'
import type { Delegation } from './tickets.ts'

/** Kept as one text: what people see of a ticket. All of it is masked. */
export interface TicketDoc {
  readonly requester: Ticket['requester']
  readonly source: string
  readonly facts: Inspected
  readonly matched: readonly Matched[]
  readonly reason: string
  readonly terms: HoldTerms
  readonly exchange: string
  readonly session: string
}

/**
 * `told`: whether the state has its entry in the record. An approval that has none yet is not shown
 * and not consumed. `holder`: a keyed hash of requester, client, connection, method and tool.
 */
export const schema = `
  CREATE TABLE IF NOT EXISTS ticket (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
    told INTEGER NOT NULL, holder TEXT NOT NULL, owner TEXT NOT NULL, client TEXT,
    connection TEXT NOT NULL, connection_revision TEXT NOT NULL, method TEXT NOT NULL,
    tool TEXT NOT NULL, tool_sha256 TEXT NOT NULL, policy_revision TEXT NOT NULL,
    commitment BLOB NOT NULL, args_bytes INTEGER NOT NULL, args BLOB, key BLOB,
    doc TEXT NOT NULL, shown TEXT NOT NULL, marks TEXT NOT NULL, created_ms INTEGER NOT NULL,
    not_after_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, reminded INTEGER NOT NULL,
    emergency TEXT, emergency_by TEXT, reviewed_by TEXT, review TEXT, ended TEXT NOT NULL,
    outcome TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS ticket_holder ON ticket (holder) WHERE key IS NOT NULL;
  CREATE INDEX IF NOT EXISTS ticket_open ON ticket (state) WHERE key IS NOT NULL;
  CREATE INDEX IF NOT EXISTS ticket_untold ON ticket (told) WHERE told = 0;
  CREATE INDEX IF NOT EXISTS ticket_owner ON ticket (owner);
  CREATE INDEX IF NOT EXISTS ticket_unreviewed ON ticket (number)
    WHERE emergency IS NOT NULL AND reviewed_by IS NULL;
  CREATE TABLE IF NOT EXISTS ticket_decision (
    ticket TEXT NOT NULL, ordinal INTEGER NOT NULL, challenge TEXT NOT NULL UNIQUE,
    decision TEXT NOT NULL, person TEXT NOT NULL, on_behalf_of TEXT, method TEXT NOT NULL,
    justification TEXT NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL,
    statement TEXT NOT NULL, evidence TEXT NOT NULL, receipt TEXT NOT NULL,
    receipt_key TEXT NOT NULL, marks TEXT NOT NULL,
    PRIMARY KEY (ticket, ordinal), UNIQUE (ticket, person)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS delegation (
    id TEXT PRIMARY KEY, from_person TEXT NOT NULL, to_person TEXT NOT NULL, reason TEXT NOT NULL,
    made_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, ended_ms INTEGER) STRICT, WITHOUT ROWID;
`

export const tableNames = ['ticket', 'ticket_decision', 'delegation'] as const

const text = z.string()
const whole = z.int()
const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1)
const bytes = z.instanceof(Uint8Array)

/** A text that holds JSON of ours, of which its first level is looked at. */
function json<T>(isRight: (value: unknown) => boolean): z.ZodType<T> {
  const form = z.custom<T>(isRight)
  return text
    .transform((word, ctx): unknown => {
      try {
        return JSON.parse(word)
      } catch {
        ctx.addIssue({ code: 'custom', message: 'no JSON' })
        return z.NEVER
      }
    })
    .pipe(form)
}

const isWords = (value: unknown): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')
const hasAll =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' && value !== null && names.every((name) => name in value)

const states = [
  'pending',
  'approved',
  'executing',
  'executed',
  'denied',
  'expired',
  'withdrawn',
  'revoked',
  'void',
  'unknown',
] as const satisfies readonly TicketState[]

export interface TicketRow {
  readonly number: number
  readonly id: string
  readonly state: TicketState
  readonly told: boolean
  readonly holder: string
  readonly owner: string
  readonly client: string | null
  readonly connection: string
  readonly connection_revision: string
  readonly method: string
  readonly tool: string
  readonly tool_sha256: string
  readonly policy_revision: string
  readonly commitment: Uint8Array
  readonly args_bytes: number
  /** Sealed under the key; gone once it is on its way. */
  readonly args: Uint8Array | null
  /** Wrapped; gone once the ticket has ended. */
  readonly key: Uint8Array | null
  readonly doc: TicketDoc
  readonly shown: string
  /** Keyed hashes of what its requester is known by. */
  readonly marks: readonly string[]
  readonly created_ms: number
  readonly not_after_ms: number
  readonly changed_ms: number
  /** The last moment at which it is known to have waited; a clock before this one went back. */
  readonly seen_ms: number
  readonly reminded: boolean
  /** The justification, where its requester ran it themselves. */
  readonly emergency: string | null
  readonly emergency_by: string | null
  readonly reviewed_by: string | null
  readonly review: string | null
  readonly ended: string
  readonly outcome: string
}

export const ticketForm: z.ZodType<TicketRow> = z.strictObject({
  number: whole,
  id: text.startsWith('tk_'),
  state: z.enum(states),
  told: flag,
  holder: text,
  owner: text,
  client: text.nullable(),
  connection: text,
  connection_revision: text,
  method: text,
  tool: text,
  tool_sha256: text,
  policy_revision: text,
  commitment: bytes.refine(({ length }) => length === 32),
  args_bytes: whole,
  args: bytes.nullable(),
  key: bytes.nullable(),
  doc: json<TicketDoc>(hasAll('requester', 'source', 'facts', 'matched', 'reason', 'terms')),
  shown: text,
  marks: json<readonly string[]>(isWords),
  created_ms: whole,
  not_after_ms: whole,
  changed_ms: whole,
  seen_ms: whole,
  reminded: flag,
  emergency: text.nullable(),
  emergency_by: text.nullable(),
  reviewed_by: text.nullable(),
  review: text.nullable(),
  ended: text,
  outcome: text,
})

/** What is asked of every open ticket each second. */
export type OpenRow = Pick<
  TicketRow,
  'id' | 'state' | 'told' | 'created_ms' | 'not_after_ms' | 'changed_ms' | 'seen_ms' | 'reminded'
>
export const openColumns =
  'id, state, told, created_ms, not_after_ms, changed_ms, seen_ms, reminded' as const
export const openForm: z.ZodType<OpenRow> = z.strictObject({
  id: text,
  state: z.enum(states),
  told: flag,
  created_ms: whole,
  not_after_ms: whole,
  changed_ms: whole,
  seen_ms: whole,
  reminded: flag,
})

export interface DecisionRow {
  readonly ticket: string
  readonly ordinal: number
  readonly challenge: string
  readonly decision: 'approve' | 'deny'
  readonly person: string
  readonly on_behalf_of: string | null
  readonly method: 'passkey' | 'session'
  readonly justification: string
  readonly by: Decision['by']
  readonly at_ms: number
  /** Canonical JSON, exactly as it was signed. */
  readonly statement: string
  /** What the authenticator signed; `null` for a decision of method `session`. */
  readonly evidence: Evidence | null
  /** Envelope (DSSE) by the gateway's key. */
  readonly receipt: string
  /** Its public half then: 32 bytes, base64url. */
  readonly receipt_key: string
  readonly marks: readonly string[]
}

export const decisionForm: z.ZodType<DecisionRow> = z.strictObject({
  ticket: text,
  ordinal: whole,
  challenge: text,
  decision: z.enum(['approve', 'deny']),
  person: text,
  on_behalf_of: text.nullable(),
  method: z.enum(['passkey', 'session']),
  justification: text,
  by: json<Decision['by']>(hasAll('issuer', 'subject', 'kind')),
  at_ms: whole,
  statement: text,
  evidence: json<Evidence | null>((value) => value === null || hasAll('signature')(value)),
  receipt: text,
  receipt_key: text,
  marks: json<readonly string[]>(isWords),
})

export const delegationForm: z.ZodType<Delegation> = z
  .strictObject({
    id: text.startsWith('dg_'),
    from_person: text,
    to_person: text,
    reason: text,
    made_ms: whole,
    until_ms: whole,
    ended_ms: whole.nullable(),
  })
  .transform(({ from_person, id, made_ms, reason, to_person, until_ms }) => {
    return { id, from: from_person, to: to_person, reason, madeMs: made_ms, untilMs: until_ms }
  })

/** How many different people must say yes. */
export function quorumOf({ reviewers }: HoldTerms): number {
  return Math.max(
    1,
    reviewers.reduce((sum, { quorum }) => sum + quorum, 0),
  )
}

/** A ticket as others see it: an approval counts once it is in the record. */
export function ticketOf(row: TicketRow, decisions: readonly DecisionRow[]): Ticket {
  const { doc, emergency, reviewed_by: reviewedBy } = row
  const isHidden = row.state === 'approved' && !row.told
  return {
    ...doc,
    id: row.id,
    state: isHidden ? 'pending' : row.state,
    owner: row.owner,
    connection: row.connection,
    connectionRevision: row.connection_revision,
    method: row.method,
    tool: row.tool,
    toolSha256: row.tool_sha256,
    shown: row.shown,
    policyRevision: row.policy_revision,
    createdMs: row.created_ms,
    notAfterMs: row.not_after_ms,
    quorum: quorumOf(doc.terms),
    decisions: decisions.map(decisionOf),
    ...(emergency === null
      ? {}
      : {
          emergency: { justification: emergency, ...(reviewedBy === null ? {} : { reviewedBy }) },
        }),
    ended: row.ended,
    outcome: row.outcome,
  }
}

function decisionOf(row: DecisionRow): Decision {
  return {
    decision: row.decision,
    by: row.by,
    person: row.person,
    ...(row.on_behalf_of === null ? {} : { onBehalfOf: row.on_behalf_of }),
    method: row.method,
    justification: row.justification,
    atMs: row.at_ms,
    statementSha256: Buffer.from(row.challenge, 'base64url').toString('hex'),
  }
}
