/** Proofs of decisions, made with real passkeys and checked with nothing but the file. */
import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { openDirectory } from '../../src/identity/directory-store.ts'
import type { KnownPrincipal } from '../../src/identity/directory.ts'
import { bound, Desk, held, signingKey } from '../../src/hold/desk.fixture.ts'
import { hashesOf, sealType } from '../../src/hold/proof-format.ts'
import type { ApprovalProof, Evidence, ProvenDecision } from '../../src/hold/proof-format.ts'
import { Authenticator } from '../../src/signin/authenticator.fixture.ts'
import type { Lies } from '../../src/signin/authenticator.fixture.ts'
import { openPasskeys } from '../../src/signin/passkeys.ts'
import { canonicalize } from '../../src/tlog/canonical.ts'
import { sealEnvelope } from '../../src/tlog/dsse.ts'
import { vkeyOf } from '../../src/tlog/note.ts'
import { formatApproval, parseApproval } from '../../src/verify/approval-form.ts'
import { verifyApproval } from '../../src/verify/approval.ts'
import { checkAssertion, checkRegistration } from '../../src/verify/webauthn.ts'

const origin = 'https://console.example'
const rpId = 'console.example'
const vkey = vkeyOf('test/gateway', signingKey)

/** A gateway with people who have real passkeys. */
class House {
  readonly desk: Desk
  readonly ann: KnownPrincipal
  readonly bob: KnownPrincipal
  readonly keys: ReadonlyMap<string, Authenticator>

  static async open(): Promise<House> {
    const house = new House()
    for (const [id, key] of house.keys) {
      const { challenge } = await house.passkeys.beginEnrolment(id)
      await house.passkeys.finishEnrolment(id, key.create(challenge))
    }
    return house
  }

  readonly passkeys: ReturnType<typeof openPasskeys>

  private constructor() {
    const clock = { nowUs: () => this.desk.nowMs * 1000, monotonicMs: () => this.desk.monotonicMs }
    const directory = openDirectory(':memory:', { clock: { nowUs: () => 0, monotonicMs: () => 0 } })
    const person = (subject: string): KnownPrincipal =>
      directory.tell(
        { issuer: 'https://issuer.example', subject, name: subject, kind: 'person' },
        'sign-in',
        0,
      )
    this.ann = person('ann')
    this.bob = person('bob')
    const note = async (): Promise<void> => await Promise.resolve()
    this.passkeys = openPasskeys(':memory:', { clock, rpId, origins: [origin], directory, note })
    this.desk = new Desk(':memory:', { passkeys: this.passkeys })
    this.desk.people.clear()
    this.desk.join(this.ann, ['approver'])
    this.desk.join(this.bob, ['approver'])
    this.keys = new Map([this.ann, this.bob].map(({ id }) => [id, new Authenticator(origin, rpId)]))
  }

  async decide(
    ticket: string,
    person: KnownPrincipal,
    decision: 'approve' | 'deny' = 'approve',
    lies: Lies = {},
  ): Promise<void> {
    const asked = { decision, justification: 'I looked at it', method: 'passkey' } as const
    const { challenge } = await this.desk.tickets.beginDecision(ticket, person.id, asked)
    const assertion = this.keys.get(person.id)?.get(challenge, lies)
    await this.desk.tickets.finishDecision(challenge, person.id, { method: 'passkey', assertion })
  }
}

const house = await House.open()
const { id } = await house.desk.tickets.open(
  held({
    terms: { reviewers: [{ who: {}, quorum: 2 }], expiresMs: 3_600_000, needsPasskey: true },
  }),
)
await house.decide(id, house.ann)
await house.decide(id, house.bob)
assert.ok(house.desk.tickets.take(id, bound()))
await house.desk.tickets.executed(id, 'ok')
const proof = house.desk.tickets.approvalProof(id)
const file = formatApproval(proof)

const weak = new Desk()
const session = formatApproval(weak.tickets.approvalProof((await weak.approved()).id))

function places(text: string, keys: readonly string[] = [vkey]): string[] {
  return verifyApproval(text, keys)
    .findings.list()
    .filter(({ weight }) => weight === 'wrong')
    .map(({ place }) => place)
}

test('a proof holds, with the key and without', () => {
  for (const text of [file, session]) {
    for (const keys of [[vkey], []]) {
      const { findings } = verifyApproval(text, keys)
      assert.equal(findings.exitCode, 0, JSON.stringify(findings.list()))
    }
  }
  const { decisions } = verifyApproval(file, [vkey])
  assert.deepEqual(
    decisions.map(({ by, decision, method }) => [by, decision, method]),
    [
      ['ann', 'approve', 'passkey'],
      ['bob', 'approve', 'passkey'],
    ],
  )
  assert.equal(parseApproval(file).ticket.state, 'executed')
})

test('under a key that is none of those given nothing is proven', () => {
  const other = vkeyOf('test/gateway', generateKeyPairSync('ed25519').publicKey)
  assert.equal(verifyApproval(file, [other]).findings.exitCode, 2)
  assert.equal(verifyApproval(session, [other]).findings.exitCode, 2)
})

type Parts = Record<string, (decision: ProvenDecision) => string | undefined>
/** Where each altered part is named. */
const parts: Parts = {
  statement: ({ statement }) => statement,
  signature: ({ evidence }) => evidence?.signature,
  client_data: ({ evidence }) => evidence?.client_data,
  authenticator_data: ({ evidence }) => evidence?.authenticator_data,
  public_key: ({ evidence }) => evidence?.public_key,
  credential: ({ evidence }) => evidence?.credential,
  registration: ({ evidence }) => evidence?.registration.attestation_object,
  receipt: ({ receipt }) => receipt,
}

for (const [part, find] of Object.entries(parts)) {
  test(`a byte of a ${part} that is altered is found, and the ${part} named`, () => {
    const [decision] = proof.decisions
    assert.ok(decision)
    const whole = find(decision) ?? ''
    const isBase64 = !['statement', 'receipt'].includes(part)
    const bytes = isBase64 ? Buffer.from(whole, 'base64url') : Buffer.from(whole)
    const alters = fc.property(
      fc.nat(bytes.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (at, by) => {
        const altered = Buffer.from(bytes)
        altered[at] = (altered[at] ?? 0) ^ by
        const text = isBase64 ? altered.toString('base64url') : altered.toString('utf8')
        const found = places(formatApproval(replaced(proof, whole, text)))
        assert.ok(
          found.some((place) => place === `decision 1, ${part}`),
          `${at}: ${found.join('; ')}`,
        )
      },
    )
    fc.assert(alters, { numRuns: 60 })
  })
}

/** The first decision with one text in place of another, wherever it stands in it. */
function replaced(of: ApprovalProof, from: string, to: string): ApprovalProof {
  const swap = (value: unknown): unknown => {
    if (typeof value === 'string') return value === from ? to : value
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(swap)
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, swap(member)]))
  }
  const [first, ...others] = of.decisions
  const changed: ProvenDecision = Object(swap(first))
  return { ...of, decisions: [changed, ...others] }
}

test('any byte of the file that is altered is found', () => {
  for (const text of [file, session]) {
    const bytes = Buffer.from(text)
    const alters = fc.property(
      fc.nat(bytes.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (at, by) => {
        const altered = Buffer.from(bytes)
        altered[at] = (altered[at] ?? 0) ^ by
        const { findings } = verifyApproval(altered, [vkey])
        assert.ok(findings.exitCode > 0, `byte ${at}`)
        assert.ok(findings.list().length > 0)
      },
    )
    fc.assert(alters, { numRuns: 300 })
  }
})

test('so is any byte that is gone, or too much', () => {
  for (const text of [
    file.slice(0, -1),
    `${file} `,
    `\ufeff${file}`,
    file.slice(1),
    '',
    '{}',
    'null',
  ]) {
    assert.deepEqual(places(text), ['file'])
  }
})

/** A change of the whole file, sealed anew by whoever made it. */
const forged: readonly [what: string, change: (of: ApprovalProof) => unknown, place: RegExp][] = [
  [
    'a decision taken out',
    (of) => ({ ...of, decisions: of.decisions.slice(1) }),
    /^(ticket|decisions)$/,
  ],
  [
    'a decision twice',
    (of) => ({ ...of, decisions: [of.decisions[0], of.decisions[0]] }),
    /^ticket$/,
  ],
  ['another ticket', (of) => ({ ...of, ticket: { ...of.ticket, id: 'tk_other' } }), /statement/],
  [
    'another call',
    (of) => ({ ...of, ticket: { ...of.ticket, call_hmac_sha256: '00' } }),
    /statement/,
  ],
  ['a quorum of one', (of) => ({ ...of, ticket: { ...of.ticket, quorum: 1 } }), /statement/],
  ['a denial', (of) => ({ ...of, ticket: { ...of.ticket, state: 'denied' } }), /^ticket$/],
  ['another gateway', (of) => ({ ...of, gateway: 'other' }), /gateway|statement/],
  [
    'a decision of another method',
    (of) => ({ ...of, decisions: of.decisions.map((each) => ({ ...each, method: 'session' })) }),
    /method/,
  ],
  [
    'a decision without evidence',
    (of) => ({ ...of, decisions: of.decisions.map((each) => ({ ...each, evidence: null })) }),
    /method/,
  ],
  [
    'evidence of the other reviewer',
    (of) => ({
      ...of,
      decisions: of.decisions.map((each, i) => ({
        ...each,
        evidence: of.decisions[1 - i]?.evidence,
      })),
    }),
    /client_data/,
  ],
  ['another time', (of) => ({ ...of, made_at: '2020-01-01T00:00:00.000Z' }), /made_at/],
]
for (const [what, change, place] of forged) {
  test(`a proof with ${what} is found out`, () => {
    const changed: ApprovalProof = Object(change(proof))
    const found = places(formatApproval(changed))
    assert.ok(
      found.some((each) => place.test(each)),
      found.join('; '),
    )
  })
}

test('a whole proof made by another gateway is believed by nobody who has the key', async () => {
  const other = generateKeyPairSync('ed25519').privateKey
  const key = createPrivateKey(other.export({ type: 'pkcs8', format: 'pem' }))
  const theirs = new Desk(':memory:', { signingKey: () => key })
  const text = formatApproval(theirs.tickets.approvalProof((await theirs.approved()).id))
  assert.equal(verifyApproval(text, []).findings.exitCode, 0)
  assert.equal(verifyApproval(text, [vkey]).findings.exitCode, 2)
})

test('proofs of what was denied, waits, or ran in an emergency hold as well', async () => {
  const more = new Desk()
  more.holds = { ...more.holds, emergency: {} }
  const { tickets } = more
  const pending = await tickets.open(held({ args: Buffer.from('1') }))
  const denied = await tickets.open(held({ args: Buffer.from('2') }))
  await more.decide(denied.id, 'ann', 'deny')
  const emergency = await tickets.open(held({ args: Buffer.from('3') }))
  await more.decide(emergency.id, 'asker', 'approve', { isEmergency: true })
  await tickets.review(emergency.id, 'pr_ann', 'It was fine')
  for (const ticket of [pending, denied, emergency]) {
    const { findings } = verifyApproval(formatApproval(tickets.approvalProof(ticket.id)), [vkey])
    assert.equal(findings.exitCode, 0, JSON.stringify(findings.list()))
  }
})

const lies: readonly [what: string, lies: Lies][] = [
  ['without user verification', { flags: 0x01 }],
  ['without user presence', { flags: 0x04 }],
  ['made on another origin', { origin: 'https://evil.example' }],
  ['for another domain', { rpId: 'evil.example' }],
  ['that is a registration', { type: 'webauthn.create' }],
  ['made inside another page', { crossOrigin: true }],
  ['below another page', { topOrigin: 'https://evil.example' }],
  ['over another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
  ['that is forged', { isForged: true }],
  ['of a client data spelt anew', { isSpaced: true }],
  ["by another's credential", { id: 'bob' }],
  ['with the handle of another', { userHandle: 'pr_other' }],
]
for (const [what, told] of lies) {
  test(`a signature ${what} decides nothing`, async () => {
    const own = await House.open()
    const ticket = await own.desk.tickets.open(held())
    const lie = told.id === 'bob' ? { id: own.keys.get(own.bob.id)?.id ?? '' } : told
    await assert.rejects(own.decide(ticket.id, own.ann, 'approve', lie), { code: 'refused' })
    assert.equal(own.desk.tickets.byId(ticket.id)?.state, 'pending')
    assert.equal(own.desk.told.at(-1)?.details['outcome'], 'refused')
  })
}

test("a signature of one ticket's statement decides no other", async () => {
  const own = await House.open()
  const { tickets } = own.desk
  const one = await tickets.open(held())
  const two = await tickets.open(held({ args: Buffer.from('{}') }))
  const asked = { decision: 'approve', justification: 'I looked at it', method: 'passkey' } as const
  const first = await tickets.beginDecision(one.id, own.ann.id, asked)
  const second = await tickets.beginDecision(two.id, own.ann.id, asked)
  const assertion = own.keys.get(own.ann.id)?.get(first.challenge)
  const signed = { method: 'passkey', assertion } as const
  await assert.rejects(tickets.finishDecision(second.challenge, own.ann.id, signed), {
    code: 'refused',
  })
  assert.equal(
    (await tickets.finishDecision(first.challenge, own.ann.id, signed)).state,
    'approved',
  )
  await assert.rejects(tickets.finishDecision(first.challenge, own.ann.id, signed), {
    code: 'refused',
  })
  assert.equal(tickets.byId(two.id)?.state, 'pending')
})

/** What a gateway could write that lies: the passkey's signature is checked by itself. */
const unsigned: readonly [what: string, lies: Lies, part: string][] = [
  ['without user verification', { flags: 0x01 }, 'authenticator_data'],
  ['without user presence', { flags: 0x04 }, 'authenticator_data'],
  ['of a key copied that may not be', { flags: 0x15 }, 'authenticator_data'],
  ['for another domain', { rpId: 'evil.example' }, 'authenticator_data'],
  ['made on another origin', { origin: 'https://evil.example' }, 'client_data'],
  ['that is a registration', { type: 'webauthn.create' }, 'client_data'],
  ['inside another page', { crossOrigin: true }, 'client_data'],
  ['below another page', { topOrigin: 'https://evil.example' }, 'client_data'],
  ['of another statement', { challenge: Buffer.alloc(32).toString('base64url') }, 'client_data'],
  ['that is forged', { isForged: true }, 'signature'],
  ['over a client data spelt anew', { isSpaced: true }, 'signature'],
]
const told = (work: (wrong: (part: string) => void) => unknown): string[] => {
  const names = new Set<string>()
  work((part) => void names.add(part))
  return [...names]
}
for (const [what, lie, part] of unsigned) {
  test(`evidence ${what} is none, whatever the gateway says`, () => {
    const [first] = proof.decisions
    assert.ok(first?.evidence)
    const key = house.keys.get(house.ann.id)
    const challenge = Buffer.from(first.statement_sha256, 'hex').toString('base64url')
    const answer: { response: Record<string, string> } = Object(key?.get(challenge, lie))
    const { authenticatorData = '', clientDataJSON = '', signature = '' } = answer.response
    const data = { authenticator_data: authenticatorData, client_data: clientDataJSON, signature }
    const evidence = { ...first.evidence, ...data }
    assert.deepEqual(
      told((wrong) => checkAssertion(evidence, challenge, wrong)),
      [part],
    )
  })
}

test('a registration of another key, domain or page is named', () => {
  const [first, second] = proof.decisions
  assert.ok(first?.evidence && second?.evidence)
  const { registration } = first.evidence
  for (const other of [
    second.evidence.registration,
    { ...registration, rp_id: 'evil.example' },
    { ...registration, origin: 'https://evil.example' },
    { ...registration, client_data: first.evidence.client_data },
    { ...registration, attestation_object: 'AAAA' },
  ]) {
    const evidence: Evidence = { ...first.evidence, registration: other }
    assert.deepEqual(
      told((wrong) => checkRegistration(evidence, wrong)),
      ['registration'],
    )
  }
})

/** Sealed anew by who has the gateway's key. */
function resealed({ record: _record, seal: _seal, ...body }: ApprovalProof): string {
  const hashes = Buffer.from(canonicalize({ v: body.v, sha256: hashesOf(body) }))
  const keyid = body.gateway_key
  const seal = sealEnvelope(sealType, hashes, [{ keyid, key: signingKey }])
  return formatApproval({ ...body, seal })
}

test('a file sealed anew still needs the decisions that it claims', () => {
  assert.deepEqual(places(resealed(proof)), [])
  const [first] = proof.decisions
  assert.ok(first)
  for (const [decisions, place] of [
    [[first], 'ticket'],
    [[first, first], 'ticket'],
    [[{ ...first, statement_sha256: '00' }, ...proof.decisions.slice(1)], 'decision 1, statement'],
  ] as const) {
    assert.deepEqual(places(resealed({ ...proof, decisions })), [place])
  }
})
