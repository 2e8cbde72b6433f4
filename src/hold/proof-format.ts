/**
 * What proves a ticket's decisions to others, years later and without us: for each the statement as
 * it was signed, the signature, the key with its registration, and the gateway's receipt for it.
 *
 *     proof { decisions [ { statement, evidence, receipt } ], seal }
 *
 * A receipt is an envelope (DSSE) by the gateway over the hashes of statement and evidence, made when
 * it was decided; for a decision of method `session` it is the signature. The seal is one over all of
 * the file. Bytes are base64url.
 */
import { createHash } from 'node:crypto'
import { canonicalize } from '../tlog/canonical.ts'

export const receiptType = 'application/vnd.sallyport.decision+json'
export const proofVersion = 'sallyport-approval-proof/1'
export const sealType = 'application/vnd.sallyport.approval-proof+json'

/** What a passkey signed, and what anybody needs to check it. */
export interface Evidence {
  /** Credential id. */
  readonly credential: string
  /** COSE key (RFC 9052). */
  readonly public_key: string
  readonly authenticator_data: string
  readonly client_data: string
  readonly signature: string
  /** When the key was enrolled. */
  readonly enrolled_at: string
  readonly registration: {
    readonly attestation_object: string
    readonly client_data: string
    readonly origin: string
    readonly rp_id: string
  }
  /** The domain and the pages that were in force. */
  readonly rp_id: string
  readonly origins: readonly string[]
}

export interface ProvenDecision {
  /** Canonical JSON: exactly the bytes that were signed, as UTF-8. */
  readonly statement: string
  readonly statement_sha256: string
  readonly method: 'passkey' | 'session'
  /** `null` for a decision of method `session`. */
  readonly evidence: Evidence | null
  /** Envelope, canonical JSON. */
  readonly receipt: string
  /** The gateway's Ed25519 key that made the receipt: 32 bytes. */
  readonly receipt_key: string
}

/** An entry of the record, and that it stands there. */
export interface ProvenEntry {
  readonly type: string
  /** The entry's bytes, as text. */
  readonly entry: string
  /** C2SP tlog-proof. */
  readonly proof: string
}

export interface ApprovalProof {
  readonly v: typeof proofVersion
  readonly gateway: string
  /** The gateway's Ed25519 key that made the seal: 32 bytes. */
  readonly gateway_key: string
  readonly made_at: string
  readonly ticket: {
    readonly id: string
    readonly state: string
    readonly ended: string
    readonly outcome: string
    readonly connection: string
    readonly method: string
    readonly tool: string
    readonly created_at: string
    readonly call_hmac_sha256: string
    readonly quorum: number
    readonly emergency: null | {
      readonly justification: string
      readonly by: string
      readonly reviewed_by: string | null
      readonly review: string | null
    }
  }
  readonly decisions: readonly ProvenDecision[]
  /** Envelope over the SHA-256 of everything else but `record`. */
  readonly seal: string
  /** Entries of the record with proofs of their own, where the file was made with them. */
  readonly record?: readonly ProvenEntry[]
}

/** The hash of each member, in hex over its canonical JSON: a change is found by its name. */
export function hashesOf(members: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, sha256(canonicalize(value))]),
  )
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
