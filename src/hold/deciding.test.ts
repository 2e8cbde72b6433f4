import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { KnownPrincipal } from '../identity/directory.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { anybody, bound, Desk, held, issuer, person } from './desk.fixture.ts'
import type { HeldCall } from './ticket.ts'
import type { AskedDecision, SessionFacts } from './tickets.ts'

const session: SessionFacts = { key: "hash of ann's session", amr: ['pwd'], authenticatedMs: 5 }
const yes: AskedDecision = {
  decision: 'approve',
  justification: 'I looked at it',
  method: 'session',
  session,
}
const signed = { method: 'session', session } as const

async function opened(more: Partial<HeldCall> = {}): Promise<{ desk: Desk; id: string }> {
  const desk = new Desk()
  const { id } = await desk.tickets.open(held(more))
  return { desk, id }
}

/** The reason of the last entry about a refused decision. */
function refusedFor(desk: Desk): unknown {
  const last = desk.told.at(-1)
  assert.deepEqual([last?.type, last?.details['outcome']], ['ticket.decided', 'refused'])
  return last?.details['reason']
}

/** Nobody decides here, and the refusal is in the record. */
async function refuses(desk: Desk, work: Promise<unknown>, reason: string): Promise<void> {
  await assert.rejects(work, { name: 'Fault', code: 'refused', facts: { reason } })
  assert.equal(refusedFor(desk), reason)
}

const asker = { issuer, subject: 'asker', name: 'asker', kind: 'person', clientId: 'cli' }
const unfit: readonly [
  what: string,
  who: string,
  reason: string,
  join?: KnownPrincipal | undefined,
  more?: Partial<HeldCall>,
][] = [
  ['somebody unknown', 'nobody', 'reviewer_unknown'],
  ['an administrator', 'adm', 'reviewer_admin'],
  ['the requester', 'asker', 'own_call'],
  ['a program', 'bot', 'reviewer_no_person', person('bot', { kind: 'service' })],
  [
    'the requester by another account with the same object id',
    'alias',
    'own_call',
    person('alias', { issuer: 'https://other.example', claims: { oid: 'o1', tid: 't1' } }),
    { principal: { ...asker, claims: { oid: 'o1', tid: 't1' } } },
  ],
  [
    'the requester by another account with the same e-mail',
    'alias',
    'own_call',
    person('alias', { email: 'Ask@Example.com' }),
    { principal: { ...asker, claims: { email: 'ask@example.com' } } },
  ],
  [
    'the requester by an account whose subject is their e-mail',
    'ask@example.com',
    'own_call',
    person('ask@example.com'),
    { principal: { ...asker, claims: { upn: 'ask@example.com' } } },
  ],
  [
    'the requester by another account with the same sign-in name',
    'alias',
    'own_call',
    person('alias', { claims: { preferred_username: 'ASK' } }),
    { principal: { ...asker, claims: { preferred_username: 'ask' } } },
  ],
  [
    'who answers for the requester',
    'ann',
    'own_call',
    undefined,
    { principal: { ...asker, kind: 'service', owner: 'pr_ann' } },
  ],
  [
    'another account of who answers for the requester',
    'alias',
    'own_call',
    person('alias', { owner: 'pr_ann' }),
    { principal: { ...asker, kind: 'service', owner: 'pr_ann' } },
  ],
  [
    'somebody outside the group it waits for',
    'ann',
    'not_reviewer',
    undefined,
    {
      terms: {
        reviewers: [{ who: { group: 'payments' }, quorum: 1 }],
        expiresMs: 9e5,
        needsPasskey: false,
      },
    },
  ],
]
for (const [what, who, reason, join, more] of unfit) {
  test(`${what} decides nothing, and the try is in the record`, async () => {
    const desk = new Desk()
    if (join !== undefined) desk.join(join, ['approver'])
    if (who === 'asker') desk.join(person('asker'), ['approver'])
    const { id } = await desk.tickets.open(held(more))
    for (const decision of ['approve', 'deny'] as const) {
      await refuses(desk, desk.decide(id, who, decision), reason)
    }
    assert.equal(desk.tickets.refusalOf(id, `pr_${who}`)?.reason, reason)
    const ticket = desk.tickets.byId(id)
    assert.deepEqual([ticket?.state, ticket?.decisions], ['pending', []])
  })
}

test('an administrator who is also an approver decides nothing', async () => {
  const { desk, id } = await opened()
  desk.join(person('adm'), ['admin', 'approver'])
  await refuses(desk, desk.decide(id, 'adm', 'approve'), 'reviewer_admin')
})

test('a person without the role decides nothing', async () => {
  const { desk, id } = await opened()
  desk.join(person('eve'), ['analyst'])
  await refuses(desk, desk.decide(id, 'eve', 'approve'), 'not_approver')
})

for (const words of ['', ' \t\n', 'ok', '…………………', '\u200b'.repeat(40), 'x'.repeat(2001)]) {
  test(`"${JSON.stringify(words).slice(0, 12)}" is no justification`, async () => {
    const { desk, id } = await opened()
    const asked = desk.tickets.beginDecision(id, 'pr_ann', { ...yes, justification: words })
    await refuses(desk, asked, 'justification')
  })
}

test('a justification is masked before it is kept or signed', async () => {
  const { desk, id } = await opened()
  const digits = `4${'1'.repeat(15)}`
  const ticket = await desk.decide(id, 'ann', 'deny', { justification: `It names ${digits}.` })
  const everything = JSON.stringify([ticket, desk.told, desk.tickets.approvalProof(id)])
  assert.equal(everything.includes(digits), false)
  assert.match(ticket.decisions[0]?.justification ?? '', /^It names /)
})

test('the statement says what was shown, canonically, and its hash is the challenge', async () => {
  const { desk, id } = await opened()
  const { challenge, statement } = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  assert.equal(createHash('sha256').update(statement).digest('base64url'), challenge)
  const said: unknown = JSON.parse(statement)
  assert.equal(canonicalize(said), statement)
  const { nonce, ...rest } = Object(said)
  assert.match(String(nonce), /^[\w-]{32}$/)
  const { arguments: shown, hmac_sha256 } = rest.call
  assert.equal(shown, held().args.toString())
  assert.match(hmac_sha256, /^[0-9a-f]{64}$/)
  assert.deepEqual(
    [rest.v, rest.ticket, rest.decision, rest.method, rest.emergency],
    ['sallyport-approval/1', id, 'approve', 'session', false],
  )
  assert.deepEqual(rest.requester, {
    issuer,
    subject: 'asker',
    name: 'asker',
    kind: 'person',
    client: 'cli',
  })
  assert.deepEqual(rest.approver, {
    issuer,
    subject: 'ann',
    name: 'ann',
    kind: 'person',
    person: 'pr_ann',
  })
  assert.deepEqual(rest.quorum, { need: 1, ordinal: 1 })
})

test('a decision is in the record before it counts', async () => {
  const { desk, id } = await opened()
  desk.onNote = ({ type }) => {
    if (type === 'ticket.decided') assert.equal(desk.tickets.byId(id)?.decisions.length, 0)
    if (type === 'ticket.approved') assert.equal(desk.tickets.take(id, bound()), undefined)
  }
  const ticket = await desk.decide(id, 'ann', 'approve')
  assert.deepEqual(desk.types(), ['ticket.created', 'ticket.decided', 'ticket.approved'])
  const [, entry] = desk.told
  assert.equal(entry?.about.principal?.subject, 'ann')
  const { statementSha256 } = ticket.decisions[0] ?? {}
  const sha256 = Buffer.from(statementSha256 ?? '', 'hex').toString('base64url')
  assert.equal(entry?.details['statementSha256'], sha256)
})

test('a decision that cannot be recorded does not count', async () => {
  const { desk, id } = await opened()
  desk.failing.add('ticket.decided')
  await assert.rejects(desk.decide(id, 'ann', 'approve'), { code: 'record_down' })
  desk.failing.clear()
  assert.deepEqual(desk.tickets.byId(id)?.decisions, [])
  assert.equal((await desk.decide(id, 'ann', 'approve')).state, 'approved')
})

test('a decision is signed once', async () => {
  const { desk, id } = await opened()
  const { challenge } = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  const finish = async (): Promise<unknown> =>
    await desk.tickets.finishDecision(challenge, 'pr_ann', signed)
  const all = await Promise.allSettled([finish(), finish(), finish()])
  assert.deepEqual(
    all.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  await refuses(desk, finish(), 'statement_unknown')
})

test('two decisions of one person at the same time count as one', async () => {
  const { desk, id } = await opened({
    terms: { reviewers: [{ who: {}, quorum: 2 }], expiresMs: 3_600_000, needsPasskey: false },
  })
  const first = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  const second = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  await refuses(
    desk,
    desk.tickets.finishDecision(first.challenge, 'pr_ann', signed),
    'statement_unknown',
  )
  await desk.tickets.finishDecision(second.challenge, 'pr_ann', signed)
  await refuses(desk, desk.decide(id, 'ann', 'approve'), 'already_decided')
  await refuses(desk, desk.decide(id, 'ann', 'deny'), 'already_decided')
  assert.equal(desk.tickets.byId(id)?.state, 'pending')
})

test('yes and no at the same moment: one of them counts', async () => {
  const { desk, id } = await opened()
  const all = await Promise.allSettled([
    desk.decide(id, 'ann', 'approve'),
    desk.decide(id, 'bob', 'deny'),
  ])
  assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
  const ticket = desk.tickets.byId(id)
  assert.deepEqual([ticket?.state, ticket?.decisions.length], ['approved', 1])
})

test('a decision begun by one is not signed by another', async () => {
  const { desk, id } = await opened()
  const { challenge } = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  await refuses(
    desk,
    desk.tickets.finishDecision(challenge, 'pr_bob', signed),
    'decision_of_another',
  )
  await refuses(desk, desk.tickets.finishDecision(challenge, 'pr_ann', signed), 'statement_unknown')
})

test('the statement of one ticket decides no other', async () => {
  const { desk, id } = await opened()
  const other = await desk.tickets.open(held({ args: Buffer.from('{}') }))
  const { challenge } = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  const ticket = await desk.tickets.finishDecision(challenge, 'pr_ann', signed)
  assert.equal(ticket.id, id)
  assert.equal(desk.tickets.byId(other.id)?.state, 'pending')
})

test('a statement waits for its signature five minutes, however the clock is set', async () => {
  const { desk, id } = await opened()
  const late = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  desk.monotonicMs += 300_000
  await refuses(
    desk,
    desk.tickets.finishDecision(late.challenge, 'pr_ann', signed),
    'statement_unknown',
  )
  const { challenge } = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  desk.nowMs -= 1
  await refuses(desk, desk.tickets.finishDecision(challenge, 'pr_ann', signed), 'clock_back')
  desk.nowMs -= 3_600_000
  await refuses(desk, desk.decide(id, 'ann', 'approve'), 'ticket_late')
})

test('a late decision is none, also where nobody has noticed the end yet', async () => {
  const { desk, id } = await opened()
  desk.pass(3_600_000)
  await refuses(desk, desk.decide(id, 'ann', 'approve'), 'ticket_late')
  await desk.tickets.tick()
  await refuses(desk, desk.decide(id, 'ann', 'approve'), 'ticket_expired')
})

const between: readonly [
  what: string,
  change: (desk: Desk, id: string) => unknown,
  reason: string,
][] = [
  [
    'its requester withdraws',
    async (desk, id) => await desk.tickets.withdraw(id, held().owner),
    'ticket_withdrawn',
  ],
  [
    'everything is stopped',
    (desk) => desk.tickets.endAll({ everything: true }, 'x'),
    'ticket_revoked',
  ],
  ['the reviewer loses the role', (desk) => desk.join(person('ann'), []), 'not_approver'],
  [
    'the reviewer becomes an administrator',
    (desk) => desk.join(person('ann'), ['admin']),
    'reviewer_admin',
  ],
  ['the reviewer is stopped', (desk) => desk.people.delete('pr_ann'), 'reviewer_unknown'],
  [
    'somebody else says no',
    async (desk, id) => await desk.decide(id, 'bob', 'deny'),
    'ticket_denied',
  ],
  [
    'sessions may not decide any more',
    (desk) => (desk.holds = { ...desk.holds, sessionDecisions: false }),
    'passkey_needed',
  ],
  [
    'the reviewer has enrolled a passkey',
    (desk) => desk.enrolled.add('pr_ann'),
    'passkey_enrolled',
  ],
]
for (const [what, change, reason] of between) {
  test(`a decision is refused when ${what} before it is signed`, async () => {
    const { desk, id } = await opened()
    const { challenge } = await desk.tickets.beginDecision(id, 'pr_ann', yes)
    await change(desk, id)
    await refuses(desk, desk.tickets.finishDecision(challenge, 'pr_ann', signed), reason)
    assert.equal(desk.tickets.take(id, bound()), undefined)
  })
  test(`a decision is refused when ${what} while it is recorded`, async () => {
    const { desk, id } = await opened()
    const { challenge } = await desk.tickets.beginDecision(id, 'pr_ann', yes)
    desk.onNote = async ({ about, type }) => {
      if (type !== 'ticket.decided' || about.principal?.subject !== 'ann') return
      desk.onNote = () => undefined
      // Another's decision waits for its turn, which comes when this one is through.
      if (reason !== 'ticket_denied') await change(desk, id)
    }
    const finishing = desk.tickets.finishDecision(challenge, 'pr_ann', signed)
    if (reason === 'ticket_denied') assert.equal((await finishing).state, 'approved')
    else await refuses(desk, finishing, reason)
  })
}

const weak: readonly [
  what: string,
  work: (desk: Desk) => void,
  more: Partial<HeldCall>,
  reason: string,
][] = [
  [
    'where the configuration wants passkeys',
    (desk) => (desk.holds = { ...desk.holds, sessionDecisions: false }),
    {},
    'passkey_needed',
  ],
  [
    'where the rule wants one',
    () => undefined,
    { terms: { reviewers: anybody, expiresMs: 3_600_000, needsPasskey: true } },
    'passkey_needed',
  ],
  ['of somebody who has one', (desk) => void desk.enrolled.add('pr_ann'), {}, 'passkey_enrolled'],
]
for (const [what, work, more, reason] of weak) {
  test(`a decision without passkey ${what} is refused`, async () => {
    const { desk, id } = await opened(more)
    work(desk)
    await refuses(desk, desk.tickets.beginDecision(id, 'pr_ann', yes), reason)
    const begun = await desk.tickets.beginDecision(id, 'pr_ann', { ...yes, method: 'passkey' })
    const assertion = { by: 'pr_ann' }
    const proof = { method: 'passkey', assertion } as const
    const ticket = await desk.tickets.finishDecision(begun.challenge, 'pr_ann', proof)
    assert.deepEqual([ticket.state, ticket.decisions[0]?.method], ['approved', 'passkey'])
  })
}

test('a decision is signed as it was begun, in the session it was begun in', async () => {
  const { desk, id } = await opened()
  const passkey = { method: 'passkey', assertion: { by: 'pr_ann' } } as const
  const first = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  await refuses(
    desk,
    desk.tickets.finishDecision(first.challenge, 'pr_ann', passkey),
    'method_other',
  )
  const second = await desk.tickets.beginDecision(id, 'pr_ann', yes)
  const other = { method: 'session', session: { ...session, key: 'other' } } as const
  await refuses(
    desk,
    desk.tickets.finishDecision(second.challenge, 'pr_ann', other),
    'session_other',
  )
  const third = await desk.tickets.beginDecision(id, 'pr_ann', { ...yes, method: 'passkey' })
  await refuses(
    desk,
    desk.tickets.finishDecision(third.challenge, 'pr_ann', signed),
    'method_other',
  )
  const fourth = await desk.tickets.beginDecision(id, 'pr_ann', { ...yes, method: 'passkey' })
  const foreign = { method: 'passkey', assertion: { by: 'pr_bob' } } as const
  await refuses(
    desk,
    desk.tickets.finishDecision(fourth.challenge, 'pr_ann', foreign),
    'passkey_of_another',
  )
  assert.equal(desk.tickets.byId(id)?.state, 'pending')
})

test('any no ends it', async () => {
  const { desk, id } = await opened({
    terms: { reviewers: [{ who: {}, quorum: 3 }], expiresMs: 3_600_000, needsPasskey: false },
  })
  await desk.decide(id, 'ann', 'approve')
  const ticket = await desk.decide(id, 'bob', 'deny')
  assert.deepEqual([ticket.state, ticket.decisions.length], ['denied', 2])
  await refuses(desk, desk.decide(id, 'cy', 'approve'), 'ticket_denied')
})

test('each group has its own people, and one person fills one place', async () => {
  const desk = new Desk()
  desk.join(person('ann', { groups: ['dba', 'security'] }), ['approver'])
  desk.join(person('bob', { groups: ['dba'] }), ['approver'])
  desk.join(person('cy', { groups: ['dba'] }), ['approver'])
  const reviewers = [
    { who: { group: 'dba' }, quorum: 1 },
    { who: { group: 'security' }, quorum: 1 },
  ]
  const { id } = await desk.tickets.open(
    held({ terms: { reviewers, expiresMs: 3_600_000, needsPasskey: false } }),
  )
  assert.equal((await desk.decide(id, 'ann', 'approve')).state, 'pending')
  // Ann counts for security from now on, since Bob can be nothing but a DBA.
  assert.equal((await desk.decide(id, 'bob', 'approve')).state, 'approved')
  const again = await desk.tickets.open(
    held({
      args: Buffer.from('1'),
      terms: { reviewers, expiresMs: 3_600_000, needsPasskey: false },
    }),
  )
  await desk.decide(again.id, 'bob', 'approve')
  await refuses(desk, desk.decide(again.id, 'cy', 'approve'), 'group_full')
  assert.equal((await desk.decide(again.id, 'cy', 'deny')).state, 'denied')
})

test('one person with two accounts is one of a quorum', async () => {
  const desk = new Desk()
  desk.join(person('ann', { email: 'ann@example.com' }), ['approver'])
  desk.join(person('ann2', { email: 'ANN@example.com' }), ['approver'])
  const { id } = await desk.tickets.open(
    held({ terms: { reviewers: [{ who: {}, quorum: 2 }], expiresMs: 9e5, needsPasskey: false } }),
  )
  await desk.decide(id, 'ann', 'approve')
  await refuses(desk, desk.decide(id, 'ann2', 'approve'), 'already_decided')
})

test('who lost their rights after a yes does not count any more', async () => {
  const desk = new Desk()
  const { id } = await desk.tickets.open(
    held({
      terms: { reviewers: [{ who: {}, quorum: 2 }], expiresMs: 3_600_000, needsPasskey: false },
    }),
  )
  await desk.decide(id, 'ann', 'approve')
  desk.people.delete('pr_ann')
  assert.equal((await desk.decide(id, 'bob', 'approve')).state, 'pending')
  assert.equal((await desk.decide(id, 'cy', 'approve')).state, 'approved')
  desk.join(person('cy'), ['admin', 'approver'])
  assert.equal(desk.tickets.take(id, bound()), undefined)
  assert.equal(desk.tickets.byId(id)?.state, 'revoked')
})

test('a deputy decides by the rights of who named them, until the end, and passes nothing on', async () => {
  const desk = new Desk()
  desk.join(person('dep'), [])
  desk.join(person('sub'), [])
  const { id } = await desk.tickets.open(held())
  const onBehalfOf = 'pr_ann'
  await refuses(desk, desk.decide(id, 'dep', 'approve', { onBehalfOf }), 'not_delegated')
  const untilMs = desk.nowMs + 60_000
  const made = await desk.tickets.delegate('pr_ann', 'pr_dep', untilMs, 'On holiday')
  assert.equal(desk.told.at(-1)?.type, 'delegation.changed')
  assert.deepEqual(desk.tickets.delegations('pr_dep'), [made])
  assert.deepEqual(desk.tickets.mayActFor(id, 'pr_dep'), ['pr_ann'])
  await assert.rejects(desk.tickets.delegate('pr_dep', 'pr_sub', untilMs, 'Pass it on'), {
    facts: { reason: 'not_approver' },
  })
  await refuses(desk, desk.decide(id, 'sub', 'approve', { onBehalfOf: 'pr_dep' }), 'not_delegated')
  await refuses(desk, desk.decide(id, 'dep', 'approve'), 'not_approver')
  desk.pass(60_000)
  await refuses(desk, desk.decide(id, 'dep', 'approve', { onBehalfOf }), 'not_delegated')
  const again = await desk.tickets.delegate('pr_ann', 'pr_dep', desk.nowMs + 60_000, 'On holiday')
  await desk.tickets.endDelegation('pr_dep', again.id)
  await refuses(desk, desk.decide(id, 'dep', 'approve', { onBehalfOf }), 'not_delegated')
  await desk.tickets.delegate('pr_ann', 'pr_dep', desk.nowMs + 60_000, 'On holiday')
  const ticket = await desk.decide(id, 'dep', 'approve', { onBehalfOf })
  assert.equal(ticket.decisions[0]?.onBehalfOf, 'pr_ann')
  assert.equal(ticket.state, 'approved')
  assert.ok(desk.tickets.take(id, bound()))
})

test('requester and deputy are never the same, and who delegated does not decide besides', async () => {
  const desk = new Desk()
  const terms = { reviewers: [{ who: {}, quorum: 2 }], expiresMs: 3_600_000, needsPasskey: false }
  const { id } = await desk.tickets.open(held({ terms }))
  const until = desk.nowMs + 60_000
  await desk.tickets.delegate('pr_ann', 'pr_asker', until, 'On holiday')
  await desk.tickets.delegate('pr_ann', 'pr_bob', until, 'On holiday')
  await refuses(desk, desk.decide(id, 'asker', 'approve', { onBehalfOf: 'pr_ann' }), 'own_call')
  await desk.decide(id, 'bob', 'approve', { onBehalfOf: 'pr_ann' })
  await refuses(desk, desk.decide(id, 'ann', 'approve'), 'already_decided')
  await refuses(desk, desk.decide(id, 'bob', 'approve'), 'already_decided')
  assert.equal(desk.tickets.byId(id)?.state, 'pending')
})

const misgiven: readonly [what: string, from: string, to: string, ms: number, reason: string][] = [
  ['by somebody who may not decide', 'asker', 'bob', 60_000, 'not_approver'],
  ['by an administrator', 'adm', 'bob', 60_000, 'not_approver'],
  ['to an administrator', 'ann', 'adm', 60_000, 'delegate_unfit'],
  ['to nobody', 'ann', 'nobody', 60_000, 'delegate_unfit'],
  ['to oneself', 'ann', 'ann', 60_000, 'delegate_unfit'],
  ['that has ended', 'ann', 'bob', 0, 'delegate_until'],
  ['for a year', 'ann', 'bob', 365 * 86_400_000, 'delegate_until'],
  ['for no time that is one', 'ann', 'bob', NaN, 'delegate_until'],
]
for (const [what, from, to, ms, reason] of misgiven) {
  test(`a delegation ${what} is refused`, async () => {
    const desk = new Desk()
    const made = desk.tickets.delegate(`pr_${from}`, `pr_${to}`, desk.nowMs + ms, 'On holiday')
    await assert.rejects(made, { code: 'refused', facts: { reason } })
    assert.deepEqual(desk.tickets.delegations(), [])
  })
}

test('a delegation that cannot be recorded is none', async () => {
  const desk = new Desk()
  desk.failing.add('delegation.changed')
  const made = desk.tickets.delegate('pr_ann', 'pr_bob', desk.nowMs + 60_000, 'On holiday')
  await assert.rejects(made, { code: 'record_down' })
  assert.deepEqual(desk.tickets.delegations(), [])
})

test('in an emergency the requester runs their own call, with an alert and a review', async () => {
  const { desk, id } = await opened()
  const events: string[] = []
  desk.tickets.onEvent((event) => events.push(event))
  const own = { isEmergency: true } as const
  assert.equal(desk.tickets.mayRunInEmergency(id, 'pr_asker'), false)
  await refuses(desk, desk.decide(id, 'asker', 'approve', own), 'emergency_refused')
  desk.holds = { ...desk.holds, emergency: { group: 'dba' } }
  assert.ok(desk.tickets.mayRunInEmergency(id, 'pr_asker'))
  await refuses(desk, desk.decide(id, 'ann', 'approve', own), 'emergency_not_own')
  await refuses(desk, desk.decide(id, 'asker', 'deny', own), 'emergency_not_own')
  await refuses(desk, desk.decide(id, 'asker', 'approve'), 'own_call')
  const ticket = await desk.decide(id, 'asker', 'approve', own)
  assert.deepEqual(
    [ticket.state, ticket.emergency],
    ['approved', { justification: 'I looked at it' }],
  )
  assert.deepEqual(desk.types().slice(-3), ['ticket.decided', 'alert.raised', 'ticket.approved'])
  assert.deepEqual(events, ['emergency'])
  assert.ok(desk.tickets.take(id, bound())?.approval.isEmergency)
  await desk.tickets.executed(id, 'ok')
  assert.deepEqual(
    desk.tickets.list({ isUnreviewed: true }).map((each) => each.id),
    [id],
  )
  for (const [who, reason] of [
    ['asker', 'own_call'],
    ['adm', 'reviewer_admin'],
  ] as const) {
    await assert.rejects(desk.tickets.review(id, `pr_${who}`, 'It was fine'), { facts: { reason } })
  }
  await assert.rejects(desk.tickets.review(id, 'pr_ann', ''), {
    facts: { reason: 'justification' },
  })
  const after = await desk.tickets.review(id, 'pr_ann', 'It was fine')
  assert.equal(after.emergency?.reviewedBy, 'ann')
  assert.equal(desk.told.at(-1)?.type, 'ticket.reviewed')
  assert.deepEqual(desk.tickets.list({ isUnreviewed: true }), [])
  const again = desk.tickets.review(id, 'pr_bob', 'It was fine')
  await assert.rejects(again, { facts: { reason: 'reviewed' } })
})

test('an emergency without its alert runs nothing', async () => {
  const { desk, id } = await opened()
  desk.holds = { ...desk.holds, emergency: {} }
  desk.failing.add('alert.raised')
  const own = { isEmergency: true } as const
  await assert.rejects(desk.decide(id, 'asker', 'approve', own), { code: 'record_down' })
  assert.equal(desk.tickets.byId(id)?.state, 'pending')
})

test('what was approved as an emergency does not run for who lost that right', async () => {
  const { desk, id } = await opened()
  desk.holds = { ...desk.holds, emergency: { subject: 'asker' } }
  await desk.decide(id, 'asker', 'approve', { isEmergency: true })
  desk.holds = { ...desk.holds, emergency: { subject: 'other' } }
  assert.equal(desk.tickets.take(id, bound()), undefined)
  assert.equal(desk.tickets.byId(id)?.state, 'revoked')
})

test('a call that was approved by people is not reviewed afterwards', async () => {
  const desk = new Desk()
  const { id } = await desk.approved()
  const reviewing = desk.tickets.review(id, 'pr_bob', 'It was fine')
  await assert.rejects(reviewing, { facts: { reason: 'no_emergency' } })
})
