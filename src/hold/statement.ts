/**
 * The statement that a reviewer signs: canonical JSON (RFC 8785), kept exactly as it was signed. Its
 * SHA-256 is the challenge of the passkey. It holds what the reviewer was shown, all of it masked.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Who } from '../record/entry.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { quorumOf } from './rows.ts'
import type { TicketRow } from './rows.ts'
import type { AskedDecision } from './tickets.ts'

const statementVersion = 'sallyport-approval/1'

export interface StatementParts {
  readonly gateway: string
  readonly row: TicketRow
  readonly asked: AskedDecision
  /** Masked. */
  readonly justification: string
  readonly approver: Who & { readonly person: string }
  readonly onBehalfOf: (Who & { readonly person: string }) | undefined
  /** Which yes it would be, from 1. */
  readonly ordinal: number
  readonly nowMs: number
  /** Until when this statement may be signed. */
  readonly notAfterMs: number
}

export function makeStatement(of: StatementParts): string {
  const { approver, asked, gateway, justification, onBehalfOf, ordinal, row } = of
  const { doc } = row
  const { session } = asked
  const statement = {
    v: statementVersion,
    gateway,
    ticket: row.id,
    nonce: randomBytes(24).toString('base64url'),
    decision: asked.decision,
    emergency: asked.isEmergency === true,
    method: asked.method,
    requester: doc.requester,
    approver,
    on_behalf_of: onBehalfOf ?? null,
    session:
      asked.method === 'session' && session !== undefined
        ? { key: session.key, amr: session.amr, authenticated_at: iso(session.authenticatedMs) }
        : null,
    connection: { name: row.connection, revision: row.connection_revision },
    tool: { method: row.method, name: row.tool, sha256: row.tool_sha256 },
    call: {
      arguments: row.shown,
      bytes: row.args_bytes,
      hmac_sha256: Buffer.from(row.commitment).toString('hex'),
    },
    facts: doc.facts,
    rules: doc.matched.map(({ effect, reason, rule }) => ({ rule, effect, reason })),
    reason: doc.reason,
    justification,
    policy_revision: row.policy_revision,
    quorum: { need: quorumOf(doc.terms), ordinal },
    requested_at: iso(row.created_ms),
    issued_at: iso(of.nowMs),
    not_after: iso(of.notAfterMs),
  }
  return canonicalize(spoken(statement))
}

/** The challenge of a statement: its SHA-256, base64url. */
export function challengeOf(statement: string): string {
  return createHash('sha256').update(statement).digest('base64url')
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** What canonical JSON has a spelling for: half surrogates are replaced, what is undefined left out. */
function spoken(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(spoken)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name.toWellFormed(), spoken(member)]))
}
