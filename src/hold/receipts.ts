/**
 * What the gateway signs of each decision as it is made: an envelope (DSSE) over the hashes of
 * statement and evidence. Nothing runs without one, whatever a row of the file says.
 */
import type { KeyObject } from 'node:crypto'
import { canonicalize } from '../tlog/canonical.ts'
import { openEnvelope, sealEnvelope } from '../tlog/dsse.ts'
import { publicKeyOf, rawPublicKey } from '../tlog/keys.ts'
import { Unproven } from '../tlog/unproven.ts'
import { base64url, hashesOf, receiptType } from './proof-format.ts'
import type { Evidence } from './proof-format.ts'
import { quorumOf } from './rows.ts'
import type { DecisionRow, TicketRow } from './rows.ts'
import { iso } from './statement.ts'

/** What the gateway says of a decision, as it is made. */
export interface ReceiptParts {
  readonly ticket: string
  /** Id in the directory. */
  readonly person: string
  readonly statement: string
  /** `null` for a decision of method `session`. */
  readonly evidence: Evidence | null
  readonly method: 'passkey' | 'session'
  readonly atMs: number
}

/** @param key Ed25519, private. */
export function receiptOf(of: ReceiptParts, key: KeyObject): string {
  return sealEnvelope(receiptType, payloadOf(of), [envelopeKey(key)])
}

function payloadOf(of: ReceiptParts): Buffer {
  const { atMs, evidence, method, person, statement, ticket } = of
  const payload = canonicalize({
    v: 'sallyport-decision/1',
    ticket,
    person,
    method,
    sha256: hashesOf({ statement, ...evidence }),
    decided_at: iso(atMs),
  })
  return Buffer.from(payload)
}

/** Whether the gateway made this decision, on this very call, under these terms. */
export function isReceipted(row: DecisionRow, ticket: TicketRow, key: KeyObject): boolean {
  const { at_ms: atMs, evidence, method, person, statement } = row
  const parts = { ticket: ticket.id, person, statement, evidence, method, atMs }
  try {
    const publicKey = publicKeyOf('ed25519', rawPublicKey(key))
    const opened = openEnvelope(row.receipt, [{ keyid: 'own', key: publicKey }])
    const isOurs = opened.payload.equals(payloadOf(parts)) && opened.payloadType === receiptType
    return isOurs && isAbout(statement, row, ticket)
  } catch (error) {
    if (error instanceof Unproven) return false
    throw error
  }
}

/** Whether a statement says what the rows say. */
function isAbout(statement: string, row: DecisionRow, ticket: TicketRow): boolean {
  const said: unknown = JSON.parse(statement)
  const at = (...path: readonly string[]): unknown =>
    path.reduce<unknown>((value, name) => Object(value)[name], said)
  return (
    at('ticket') === ticket.id &&
    at('decision') === row.decision &&
    at('approver', 'person') === row.person &&
    at('emergency') === (row.person === ticket.emergency_by) &&
    at('call', 'hmac_sha256') === Buffer.from(ticket.commitment).toString('hex') &&
    at('quorum', 'need') === quorumOf(ticket.doc.terms)
  )
}

/** Names a key in an envelope by itself: 32 bytes, base64url. */
export function envelopeKey(key: KeyObject): { keyid: string; key: KeyObject } {
  return { keyid: base64url(rawPublicKey(key)), key }
}
