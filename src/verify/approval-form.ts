/** Reads the file that proves a ticket's decisions: its form, of which nothing is believed yet. */
import { proofVersion } from '../hold/proof-format.ts'
import type { ApprovalProof, Evidence, ProvenDecision } from '../hold/proof-format.ts'
import { textOf } from '../tlog/spelling.ts'
import { Unproven } from '../tlog/unproven.ts'

const bytesMax = 64 * 1024 * 1024

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isCount: Check = (value) => Number.isSafeInteger(value)
const isTextOrNull: Check = (value) => value === null || isText(value)
const isList =
  (of: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(of)
const isOr =
  (of: Check): Check =>
  (value) =>
    value === null || of(value)

/** An object with exactly these members. */
const has =
  (members: Readonly<Record<string, Check>>, optional: readonly string[] = []): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const given = new Map<string, unknown>(Object.entries(value))
    const isKnown = [...given.keys()].every((name) => Object.hasOwn(members, name))
    const isMissing = (name: string): boolean => !given.has(name) && !optional.includes(name)
    if (!isKnown || Object.keys(members).some(isMissing)) return false
    return [...given].every(([name, member]) => members[name]?.(member) === true)
  }

const evidenceMembers: { readonly [name in keyof Evidence]: Check } = {
  credential: isText,
  public_key: isText,
  authenticator_data: isText,
  client_data: isText,
  signature: isText,
  enrolled_at: isText,
  registration: has({
    attestation_object: isText,
    client_data: isText,
    origin: isText,
    rp_id: isText,
  }),
  rp_id: isText,
  origins: isList(isText),
}
const decisionMembers: { readonly [name in keyof ProvenDecision]: Check } = {
  statement: isText,
  statement_sha256: isText,
  method: (value) => value === 'passkey' || value === 'session',
  evidence: isOr(has(evidenceMembers)),
  receipt: isText,
  receipt_key: isText,
}
const ticketMembers: { readonly [name in keyof ApprovalProof['ticket']]: Check } = {
  id: isText,
  state: isText,
  ended: isText,
  outcome: isText,
  connection: isText,
  method: isText,
  tool: isText,
  created_at: isText,
  call_hmac_sha256: isText,
  quorum: isCount,
  emergency: isOr(
    has({ justification: isText, by: isText, reviewed_by: isTextOrNull, review: isTextOrNull }),
  ),
}
const proofMembers: { readonly [name in keyof Required<ApprovalProof>]: Check } = {
  v: (value) => value === proofVersion,
  gateway: isText,
  gateway_key: isText,
  made_at: isText,
  ticket: has(ticketMembers),
  decisions: isList(has(decisionMembers)),
  seal: isText,
  record: isList(has({ type: isText, entry: isText, proof: isText })),
}
const isProof = (value: unknown): value is ApprovalProof => has(proofMembers, ['record'])(value)

/** The members of an object; none of anything else. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** The file's one spelling. */
export function formatApproval(proof: ApprovalProof): string {
  return `${JSON.stringify(proof, null, 2)}\n`
}

/**
 * @throws {Unproven} `proof_malformed`: it is no such file, or is spelt otherwise than we do, so that
 *   not even a blank in it is unaccounted for.
 */
export function parseApproval(file: Uint8Array | string): ApprovalProof {
  const text = Buffer.byteLength(file) <= bytesMax ? textOf(file) : undefined
  if (text === undefined) throw malformed('it is over 64 MiB, or not UTF-8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('it is no JSON') // Node's words would quote it.
  }
  if (!isProof(value)) throw malformed('members are missing, strange, or of another kind')
  if (formatApproval(value) !== text) throw malformed('it is spelt otherwise than when it was made')
  return value
}

function malformed(why: string): Unproven {
  return new Unproven(
    'proof_malformed',
    `This is not the proof of a ticket as it was made: ${why}.`,
  )
}
