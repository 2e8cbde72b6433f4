/** Entries of the record that come with the proof of a ticket, each with a proof of its own. */
import type { ApprovalProof } from '../hold/proof-format.ts'
import { Unproven } from '../tlog/unproven.ts'
import { membersOf } from './approval-form.ts'
import type { Findings } from './findings.ts'
import { verifyProof } from './prove.ts'

/**
 * Checks each against the log's keys, and that it tells of this ticket. Without a key the proofs are
 * not looked at, which is told.
 */
export function checkRecord(
  { decisions, record = [], ticket }: ApprovalProof,
  keys: readonly string[],
  findings: Findings,
): void {
  if (record.length === 0) return
  if (keys.length === 0) {
    findings.add('note', 'record', 'Entries of the log are proven only with --key.')
    return
  }
  const decided = new Set<unknown>()
  for (const [i, { entry, proof, type }] of record.entries()) {
    const place = `record, entry ${i + 1}`
    try {
      verifyProof(proof, Buffer.from(entry), keys)
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      const weight = error.code === 'signature_missing' ? 'unsure' : 'wrong'
      findings.add(weight, place, error.message)
      continue
    }
    const told = membersOf(JSON.parse(entry))
    const details = membersOf(told['details'])
    if (details['ticket'] !== ticket.id || told['type'] !== type) {
      findings.add('wrong', place, 'is about something else.')
    }
    if (type === 'ticket.decided') decided.add(details['statementSha256'])
  }
  for (const [i, { statement_sha256: hash }] of decisions.entries()) {
    if (!decided.has(Buffer.from(hash, 'hex').toString('base64url'))) {
      findings.add('wrong', `decision ${i + 1}`, 'has no entry among those of the record.')
    }
  }
}
