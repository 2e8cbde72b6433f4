/**
 * Checks the proof of a ticket's decisions, with nothing but the file and, better, a key that the
 * verifier has from elsewhere. Each part is named that does not hold.
 */
import { createHash } from 'node:crypto'
import { hashesOf, proofVersion, receiptType, sealType } from '../hold/proof-format.ts'
import type { ApprovalProof, ProvenDecision } from '../hold/proof-format.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { openEnvelope } from '../tlog/dsse.ts'
import { ed25519Type, publicKeyOf } from '../tlog/keys.ts'
import { parseVkey } from '../tlog/note.ts'
import { base64Of } from '../tlog/spelling.ts'
import { Unproven } from '../tlog/unproven.ts'
import { membersOf, parseApproval } from './approval-form.ts'
import { checkRecord } from './approval-record.ts'
import { Findings } from './findings.ts'
import { checkAssertion, checkRegistration } from './webauthn.ts'

/** One decision in words; all of it is as the file says, and holds where the findings say so. */
export interface DecisionLine {
  readonly decision: string
  readonly by: string
  readonly onBehalfOf: string | undefined
  readonly method: string
  readonly at: string
  readonly justification: string
}

export interface ApprovalReport {
  readonly findings: Findings
  readonly proof: ApprovalProof | undefined
  readonly decisions: readonly DecisionLine[]
}

/** States in which a ticket must have been approved. */
const ran = ['approved', 'executing', 'executed', 'unknown']

/**
 * @param keys vkeys of the gateway's log, got elsewhere than with the file; without any the key in
 *   the file is believed, which proves the decisions of passkeys and little else.
 * @throws {Unproven} `key_malformed` for a key that is none.
 */
export function verifyApproval(file: Uint8Array | string, keys: readonly string[]): ApprovalReport {
  const findings = new Findings()
  const trusted = keys.map((vkey) => parseVkey(vkey))
  let proof: ApprovalProof
  try {
    proof = parseApproval(file)
  } catch (error) {
    if (!(error instanceof Unproven)) throw error
    findings.add('wrong', 'file', error.message)
    return { findings, proof: undefined, decisions: [] }
  }
  const raw = trusted.filter(({ type }) => type === ed25519Type).map(({ publicKey }) => publicKey)
  checkSeal(proof, findings)
  checkTrust(proof, raw, findings)
  const statements = proof.decisions.map((decision, i) =>
    checkDecision(decision, proof, (part, words, weight = 'wrong') => {
      findings.add(weight, `decision ${i + 1}, ${part}`, words)
    }),
  )
  checkOutcome(proof, statements, findings)
  checkRecord(proof, keys, findings)
  return { findings, proof, decisions: statements.map(lineOf) }
}

type Told = (part: string, words: string, weight?: 'wrong' | 'unsure' | 'note') => void

function checkSeal(proof: ApprovalProof, findings: Findings): void {
  const { decisions, gateway, gateway_key, made_at, seal, ticket, v: version } = proof
  const body = { v: version, gateway, gateway_key, made_at, ticket, decisions }
  const payload = opened(seal, gateway_key, sealType, (words) => {
    findings.add('wrong', 'seal', words)
  })
  if (payload === undefined) return
  const { sha256, v } = payload
  if (v !== proofVersion) findings.add('wrong', 'seal', 'is of another version.')
  for (const name of differing(hashesOf(body), sha256)) {
    findings.add('wrong', name, 'is not what was sealed when the file was made.')
  }
}

function checkTrust(proof: ApprovalProof, raw: readonly Buffer[], findings: Findings): void {
  if (raw.length === 0) {
    const words =
      "No --key was given: the gateway's key in the file is believed. Passkeys are proven by themselves; whose they are, and decisions by session, rest on that key."
    findings.add('note', 'key', words)
    return
  }
  const isKnown = (key: string): boolean => raw.some((each) => each.toString('base64url') === key)
  const used = new Map([['gateway_key', proof.gateway_key]])
  for (const [i, { receipt_key }] of proof.decisions.entries()) {
    used.set(`decision ${i + 1}, receipt_key`, receipt_key)
  }
  for (const [place, key] of used) {
    if (!isKnown(key)) {
      findings.add('unsure', place, 'is none of the keys given. Older ones can be given besides.')
    }
  }
}

/** @returns the statement as it stands; empty where it is none. */
function checkDecision(
  decision: ProvenDecision,
  proof: ApprovalProof,
  told: Told,
): ReadonlyMap<string, unknown> {
  const { evidence, method, receipt, receipt_key: key, statement } = decision
  const said = readStatement(statement, told)
  const hash = createHash('sha256').update(statement).digest('hex')
  if (hash !== decision.statement_sha256) {
    told('statement', 'is not the one whose hash stands beside it.')
  }
  const challenge = Buffer.from(hash, 'hex').toString('base64url')
  if (evidence !== null) {
    checkAssertion(evidence, challenge, told)
    const format = checkRegistration(evidence, told)
    if (format === 'none') {
      told('registration', 'does not say which maker the passkey has (attestation "none").', 'note')
    }
    if (!evidence.origins.every((origin) => covers(origin, evidence.rp_id))) {
      told('origins', 'are not all of the domain that passkeys are for.')
    }
  }
  if ((method === 'passkey') !== (evidence !== null)) told('method', 'is not that of its evidence.')
  if (method === 'session') {
    told(
      'method',
      'is "session": signed by the gateway for a signed-in person, not by a passkey.',
      'note',
    )
  }
  checkReceipt({ receipt, key, expected: hashesOf({ statement, ...evidence }) }, said, told)
  checkStatement(said, decision, proof, told)
  return said
}

function checkReceipt(
  of: { receipt: string; key: string; expected: Record<string, string> },
  said: ReadonlyMap<string, unknown>,
  told: Told,
): void {
  const payload = opened(of.receipt, of.key, receiptType, (words) => told('receipt', words))
  if (payload === undefined) return
  for (const name of differing(of.expected, payload['sha256'])) {
    told(name, 'is not what the gateway signed when it was decided.')
  }
  const isSame =
    payload['v'] === 'sallyport-decision/1' &&
    payload['ticket'] === said.get('ticket') &&
    payload['method'] === said.get('method') &&
    payload['person'] === memberOf(said.get('approver'), 'person')
  if (!isSame) told('receipt', 'is for another decision.')
  const at = Date.parse(String(payload['decided_at']))
  const from = Date.parse(String(said.get('issued_at')))
  const until = Date.parse(String(said.get('not_after')))
  if (!(from <= at && at <= until))
    told('receipt', 'is of a time at which it could not be decided.')
}

function readStatement(statement: string, told: Told): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(statement)
    if (canonicalize(value) !== statement) told('statement', 'is not canonical JSON.')
    return new Map(Object.entries(membersOf(value)))
  } catch {
    told('statement', 'is no JSON.')
    return new Map()
  }
}

/** What a statement says must be what the file says of its ticket. */
function checkStatement(
  said: ReadonlyMap<string, unknown>,
  { method }: ProvenDecision,
  { gateway, ticket }: ApprovalProof,
  told: Told,
): void {
  const expected: readonly [what: string, is: unknown, should: unknown][] = [
    ['version', said.get('v'), 'sallyport-approval/1'],
    ['gateway', said.get('gateway'), gateway],
    ['ticket', said.get('ticket'), ticket.id],
    ['method', said.get('method'), method],
    ['connection', memberOf(said.get('connection'), 'name'), ticket.connection],
    ['tool', memberOf(said.get('tool'), 'name'), ticket.tool],
    ['call', memberOf(said.get('call'), 'hmac_sha256'), ticket.call_hmac_sha256],
    ['quorum', memberOf(said.get('quorum'), 'need'), ticket.quorum],
    ['time of the request', said.get('requested_at'), ticket.created_at],
  ]
  for (const [what, is, should] of expected) {
    if (is !== should) told('statement', `is about another ${what} than this ticket's.`)
  }
  const reviewers = [said.get('approver'), said.get('on_behalf_of') ?? {}]
  const isOwn = reviewers.some((one) => isSamePerson(said.get('requester'), one))
  if (said.get('emergency') !== true && isOwn) told('statement', 'has its requester as reviewer.')
  if (!['approve', 'deny'].includes(String(said.get('decision')))) {
    told('statement', 'is neither a yes nor a no.')
  }
}

/** Whether the decisions come to what became of the ticket. */
function checkOutcome(
  { ticket }: ApprovalProof,
  statements: readonly ReadonlyMap<string, unknown>[],
  findings: Findings,
): void {
  const wrong = (words: string): void => findings.add('wrong', 'ticket', words)
  const people = statements.flatMap((said) => {
    const own = memberOf(said.get('approver'), 'person')
    const other = memberOf(said.get('on_behalf_of'), 'person')
    return other === undefined ? [own] : [own, other]
  })
  if (new Set(people).size < people.length) wrong('One person has decided twice.')
  const no = statements.filter((said) => said.get('decision') === 'deny').length
  const yes = statements.filter((said) => said.get('emergency') === false).length - no
  const isEmergency = statements.some((said) => said.get('emergency') === true)
  if (isEmergency !== (ticket.emergency !== null)) {
    wrong('Whether it was an emergency is not what the statements say.')
  }
  if (ticket.state === 'denied' && no === 0) wrong('It is denied, and nobody said no.')
  if (!ran.includes(ticket.state)) return
  if (no > 0) wrong(`It is ${ticket.state}, and somebody said no.`)
  if (!isEmergency && yes < Math.max(1, ticket.quorum)) {
    wrong(`It is ${ticket.state} with ${yes} of ${ticket.quorum} needed decisions.`)
  }
  if (isEmergency) {
    const words =
      ticket.emergency?.reviewed_by == null
        ? 'It ran without a reviewer, and nobody has reviewed it since.'
        : 'It ran without a reviewer, and was reviewed afterwards.'
    findings.add('note', 'ticket', words)
  }
}

/** The payload of an envelope by this key. */
function opened(
  envelope: string,
  key: string,
  type: string,
  say: (words: string) => void,
): Readonly<Record<string, unknown>> | undefined {
  const raw = Buffer.from(key, 'base64url')
  if (raw.length !== 32 || raw.toString('base64url') !== key) {
    say('names a key that is none.')
    return undefined
  }
  try {
    const keys = [{ keyid: key, key: publicKeyOf('ed25519', raw) }]
    const { payload, payloadType } = openEnvelope(envelope, keys)
    if (payloadType !== type) say('is of another kind.')
    if (!isOurSpelling(envelope, { payload, type: payloadType, key })) {
      say('is spelt otherwise than it was made.')
    }
    const value: unknown = JSON.parse(payload.toString('utf8'))
    return membersOf(value)
  } catch (error) {
    if (!(error instanceof Unproven) && !(error instanceof SyntaxError)) throw error
    say('is not signed by the key that it names.')
    return undefined
  }
}

/** The hint of a key is signed by nobody, and base64 has two alphabets: ours has one spelling. */
function isOurSpelling(
  envelope: string,
  { key, payload, type }: { payload: Buffer; type: string; key: string },
): boolean {
  const { signatures } = membersOf(JSON.parse(envelope))
  const sig = Array.isArray(signatures) ? memberOf(signatures[0], 'sig') : undefined
  if (typeof sig !== 'string' || base64Of(sig) === undefined) return false
  const made = {
    payload: payload.toString('base64'),
    payloadType: type,
    signatures: [{ keyid: key, sig }],
  }
  return canonicalize(made) === envelope
}

/** Names whose hashes are not the same, or which only one side has. */
function differing(found: Readonly<Record<string, string>>, signed: unknown): string[] {
  const names = new Set([...Object.keys(found), ...Object.keys(membersOf(signed))])
  return [...names].filter((name) => found[name] !== memberOf(signed, name))
}

function memberOf(value: unknown, name: string): unknown {
  return new Map<string, unknown>(Object.entries(membersOf(value))).get(name)
}

function isSamePerson(a: unknown, b: unknown): boolean {
  return (
    memberOf(a, 'issuer') === memberOf(b, 'issuer') &&
    memberOf(a, 'subject') === memberOf(b, 'subject')
  )
}

function covers(origin: string, rpId: string): boolean {
  const host = URL.canParse(origin) ? new URL(origin).hostname : ''
  return host === rpId || host.endsWith(`.${rpId}`)
}

function lineOf(said: ReadonlyMap<string, unknown>): DecisionLine {
  const name = (who: unknown): string => {
    const word = memberOf(who, 'name') ?? memberOf(who, 'subject')
    return typeof word === 'string' ? word : ''
  }
  const other = said.get('on_behalf_of')
  return {
    decision: String(said.get('decision')),
    by: name(said.get('approver')),
    onBehalfOf: other === null || other === undefined ? undefined : name(other),
    method: String(said.get('method')),
    at: String(said.get('issued_at')),
    justification: String(said.get('justification')),
  }
}
