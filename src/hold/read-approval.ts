/** Reads the proof of a ticket out of `state.sqlite`, beside a gateway that runs or without one. */
import type { KeyObject } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import type { ApprovalProof } from './proof-format.ts'
import { proofOf } from './proof.ts'
import { decisionForm, ticketForm } from './rows.ts'
import { TicketTable } from './table.ts'

/**
 * @param of.key Ed25519, private: seals the proof.
 * @returns the proof, and the exchange under which the record tells of the ticket.
 * @throws {Fault} `path_unknown`, reason `ticket_unknown`; `record_down`, reason `state_file`.
 */
export function readApproval(
  file: string,
  ticket: string,
  of: { readonly gateway: string; readonly key: KeyObject; readonly nowMs: number },
): { readonly proof: ApprovalProof; readonly exchange: string } {
  const table = new TicketTable(file, true)
  try {
    const [row] = table.rows(ticketForm, 'SELECT * FROM ticket WHERE id = ?', ticket)
    if (row === undefined) {
      const message = 'There is no such held call in this data folder.'
      throw new Fault('path_unknown', message, { facts: { reason: 'ticket_unknown' } })
    }
    const sql = 'SELECT * FROM ticket_decision WHERE ticket = ? ORDER BY ordinal'
    const decisions = table.rows(decisionForm, sql, ticket)
    return { proof: proofOf(row, decisions, of), exchange: row.doc.exchange }
  } finally {
    table.close()
  }
}
