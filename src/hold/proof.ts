/** Makes the file that proves a ticket's decisions: see `proof-format.ts`. */
import type { KeyObject } from 'node:crypto'
import { canonicalize } from '../tlog/canonical.ts'
import { sealEnvelope } from '../tlog/dsse.ts'
import { rawPublicKey } from '../tlog/keys.ts'
import { base64url, hashesOf, proofVersion, sealType, sha256 } from './proof-format.ts'
import type { ApprovalProof, Evidence, ProvenDecision } from './proof-format.ts'
import { envelopeKey } from './receipts.ts'
import { quorumOf } from './rows.ts'
import type { DecisionRow, TicketRow } from './rows.ts'
import { iso } from './statement.ts'
import type { AssertedPasskey, PasskeyCheck } from './tickets.ts'

export function evidenceOf(
  { evidence, passkey }: AssertedPasskey,
  { origins, rpId }: Pick<PasskeyCheck, 'origins' | 'rpId'>,
): Evidence {
  const { registration } = evidence
  return {
    credential: evidence.credential,
    public_key: base64url(evidence.publicKey),
    authenticator_data: evidence.authenticatorData,
    client_data: evidence.clientData,
    signature: evidence.signature,
    enrolled_at: iso(passkey.madeMs),
    registration: {
      attestation_object: base64url(registration.attestationObject),
      client_data: base64url(registration.clientData),
      origin: registration.origin,
      rp_id: registration.rpId,
    },
    rp_id: rpId,
    origins,
  }
}

/** The file, sealed. */
export function proofOf(
  row: TicketRow,
  decisions: readonly DecisionRow[],
  of: { readonly gateway: string; readonly key: KeyObject; readonly nowMs: number },
): ApprovalProof {
  const { gateway, key, nowMs } = of
  const body = {
    v: proofVersion,
    gateway,
    gateway_key: base64url(rawPublicKey(key)),
    made_at: iso(nowMs),
    ticket: {
      id: row.id,
      state: row.state,
      ended: row.ended,
      outcome: row.outcome,
      connection: row.connection,
      method: row.method,
      tool: row.tool,
      created_at: iso(row.created_ms),
      call_hmac_sha256: Buffer.from(row.commitment).toString('hex'),
      quorum: quorumOf(row.doc.terms),
      emergency:
        row.emergency === null
          ? null
          : {
              justification: row.emergency,
              by: row.emergency_by ?? '',
              reviewed_by: row.reviewed_by,
              review: row.review,
            },
    },
    decisions: decisions.map(provenOf),
  } as const
  const hashes = Buffer.from(canonicalize({ v: proofVersion, sha256: hashesOf(body) }))
  return { ...body, seal: sealEnvelope(sealType, hashes, [envelopeKey(key)]) }
}

function provenOf(row: DecisionRow): ProvenDecision {
  return {
    statement: row.statement,
    statement_sha256: sha256(row.statement),
    method: row.method,
    evidence: row.evidence,
    receipt: row.receipt,
    receipt_key: row.receipt_key,
  }
}
