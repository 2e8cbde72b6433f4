/** Passkeys against an authenticator of our own, which can lie in every way a real one does not. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Authenticator } from './authenticator.fixture.ts'
import type { Lies } from './authenticator.fixture.ts'
import { openPasskeys } from './passkeys.ts'
import type { Passkeys } from './passkeys.ts'
import { openDirectory } from '../identity/directory-store.ts'
import { TestClock } from './site.fixture.ts'
import type { Noted } from './site.fixture.ts'

const origin = 'https://gw.example'

interface Enrolled {
  readonly passkeys: Passkeys
  readonly clock: TestClock
  readonly notes: Noted[]
  readonly ada: string
  readonly bob: string
  readonly key: Authenticator
  readonly id: string
}

async function opened(): Promise<Omit<Enrolled, 'key' | 'id'>> {
  const clock = new TestClock()
  const notes: Noted[] = []
  const directory = openDirectory(':memory:', { clock })
  const nowMs = clock.nowUs() / 1000
  const known = (subject: string): string =>
    directory.tell({ issuer: 'https://i.example', subject, kind: 'person' }, 'sign-in', nowMs).id
  // oxlint-disable-next-line require-await -- as the record's, which waits for its disk.
  const note = async (type: string, about: Noted['about'], details: Noted['details']) => {
    notes.push({ type, about, details })
  }
  const options = { clock, rpId: 'gw.example', origins: [origin], directory, note }
  return {
    passkeys: openPasskeys(':memory:', options),
    clock,
    notes,
    ada: known('ada'),
    bob: known('bob'),
  }
}

/** @param lies of the registration. */
async function enrolled(lies: Lies = {}): Promise<Enrolled> {
  const at = await opened()
  const key = new Authenticator(origin, 'gw.example')
  const { challenge } = await at.passkeys.beginEnrolment(at.ada)
  const { id } = await at.passkeys.finishEnrolment(at.ada, key.create(challenge, lies))
  return { ...at, key, id }
}
const challenge = (): string => randomBytes(32).toString('base64url')

const badMade: readonly [what: string, lies: Lies, reason: string][] = [
  ['nobody was verified', { flags: 0x41 }, 'passkey_unverified'],
  ['nobody was present', { flags: 0x44 }, 'passkey_unverified'],
  ['it is backed up and cannot be', { flags: 0x55 }, 'passkey_unverified'],
  ['another origin made it', { origin: 'https://evil.example' }, 'passkey_unverified'],
  ['it is for another domain', { rpId: 'evil.example' }, 'passkey_unverified'],
  ['it answers another question', { challenge: challenge() }, 'passkey_unverified'],
  ['it is a sign-in', { type: 'webauthn.get' }, 'passkey_unverified'],
  ['our page was inside another', { crossOrigin: true }, 'passkey_cross_origin'],
  ['another page stood around ours', { topOrigin: 'https://evil.example' }, 'passkey_cross_origin'],
  ['its id is not the one it holds', { id: challenge() }, 'passkey_unverified'],
]
for (const [what, lies, reason] of badMade) {
  test(`a passkey is not enrolled when ${what}`, async () => {
    await assert.rejects(enrolled(lies), { code: 'refused', facts: { reason } })
  })
}

const badUsed: readonly [what: string, lies: Lies, reason: string][] = [
  ['nobody was verified', { flags: 0x01 }, 'passkey_unverified'],
  ['nobody was present', { flags: 0x04 }, 'passkey_unverified'],
  ['nobody was either', { flags: 0x00 }, 'passkey_unverified'],
  ['another origin asked', { origin: 'https://evil.example' }, 'passkey_unverified'],
  ['it is for another domain', { rpId: 'evil.example' }, 'passkey_unverified'],
  ['it answers another question', { challenge: challenge() }, 'passkey_unverified'],
  ['it is an enrolment', { type: 'webauthn.create' }, 'passkey_unverified'],
  ['our page was inside another', { crossOrigin: true }, 'passkey_cross_origin'],
  [
    'another page stood around ours',
    { topOrigin: 'https://evil.example', crossOrigin: true },
    'passkey_cross_origin',
  ],
  ['it says it can be copied, which it could not', { flags: 0x0d }, 'passkey_backup_flag'],
  ['its signature is of other bytes', { isForged: true }, 'passkey_signature'],
  ['its client data was spaced anew', { isSpaced: true }, 'passkey_signature'],
  ['its counter went back', { counter: 0 }, 'passkey_counter'],
  ['its counter stood still', { counter: 7 }, 'passkey_counter'],
  ['its counter went back and it is forged', { counter: 0, isForged: true }, 'passkey_signature'],
  ['it names another person', { userHandle: 'pr_other' }, 'passkey_user_handle'],
  ['its id is not known', { id: challenge() }, 'passkey_unknown'],
  ['it has no form', { id: '' }, 'passkey_form'],
]
for (const [what, lies, reason] of badUsed) {
  test(`a passkey is not taken when ${what}`, async () => {
    const { key, passkeys } = await enrolled({ counter: 7 })
    const asked = challenge()
    const answer = key.get(asked, { counter: 8, ...lies })
    await assert.rejects(passkeys.check(answer, asked), { code: 'refused', facts: { reason } })
  })
}

test('a key that may have been copied raises an alert, a forged one does not', async () => {
  const { ada, key, notes, passkeys } = await enrolled({ counter: 7 })
  const asked = challenge()
  await assert.rejects(passkeys.check(key.get(asked, { counter: 3, isForged: true }), asked))
  assert.equal(notes.length, 1)
  await assert.rejects(passkeys.check(key.get(asked, { counter: 3 }), asked))
  const [, { details, type } = assert.fail()] = notes
  assert.deepEqual([type, details['reason']], ['alert.raised', 'passkey_counter'])
  assert.equal(passkeys.listPasskeys(ada).length, 1)
})

test('a passkey of another person is not taken, nor under the id of one’s own', async () => {
  const { ada, bob, key, passkeys } = await enrolled()
  const theirs = new Authenticator(origin, 'gw.example')
  const { challenge: made } = await passkeys.beginEnrolment(bob)
  await passkeys.finishEnrolment(bob, theirs.create(made))
  const asked = challenge()
  const of = { code: 'refused', facts: { reason: 'passkey_of_another' } }
  await assert.rejects(passkeys.check(theirs.get(asked), asked, ada), of)
  const disguised = theirs.get(asked, { id: key.id })
  await assert.rejects(passkeys.check(disguised, asked, ada), {
    facts: { reason: 'passkey_signature' },
  })
})

test('a passkey signs in its owner, and tells how', async () => {
  const { ada, key, passkeys, id } = await enrolled()
  const asked = challenge()
  const { amr, evidence, passkey, person } = await passkeys.check(
    key.get(asked, { userHandle: ada }),
    asked,
    ada,
  )
  assert.deepEqual([person.id, passkey.id, amr], [ada, id, ['hwk', 'user', 'mfa']])
  assert.equal(evidence.credential, key.id)
  assert.ok(evidence.registration.attestationObject.length > 100)
})

test('one answer is taken once where the authenticator counts', async () => {
  const { key, passkeys } = await enrolled({ counter: 1 })
  const asked = challenge()
  const answer = key.get(asked, { counter: 2 })
  const all = await Promise.allSettled([1, 2, 3].map(() => passkeys.check(answer, asked)))
  assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('an enrolment is asked for first, within five minutes, and once', async () => {
  const { ada, bob, clock, passkeys } = await opened()
  const over = { code: 'refused', facts: { reason: 'enrolment_over' } }
  const key = new Authenticator(origin, 'gw.example')
  await assert.rejects(passkeys.finishEnrolment(ada, key.create(challenge())), over)
  const late = await passkeys.beginEnrolment(ada)
  clock.pass(300_000)
  await assert.rejects(passkeys.finishEnrolment(ada, key.create(late.challenge)), over)
  const { challenge: asked } = await passkeys.beginEnrolment(ada)
  await assert.rejects(passkeys.finishEnrolment(bob, key.create(asked)), over)
  await passkeys.finishEnrolment(ada, key.create(asked))
  await assert.rejects(passkeys.finishEnrolment(ada, key.create(asked)), over)
})

test('one key is not enrolled twice, whoever asks', async () => {
  const { bob, key, passkeys } = await enrolled()
  const { challenge: asked } = await passkeys.beginEnrolment(bob)
  const again = passkeys.finishEnrolment(bob, key.create(asked))
  await assert.rejects(again, { facts: { reason: 'passkey_known' } })
})

test('the options demand verification and attestation, and leave out what is known', async () => {
  const { ada, key, passkeys } = await enrolled()
  const made = await passkeys.beginEnrolment(ada)
  assert.equal(made.attestation, 'direct')
  assert.equal(made.authenticatorSelection?.userVerification, 'required')
  assert.equal(made.authenticatorSelection?.residentKey, 'required')
  assert.deepEqual(
    made.excludeCredentials?.map(({ id }) => id),
    [key.id],
  )
  const used = await passkeys.request(challenge(), ada)
  assert.equal(used.userVerification, 'required')
  assert.deepEqual(
    used.allowCredentials?.map(({ id }) => id),
    [key.id],
  )
})

test('a key for emergencies stays on its device, and its maker vouches for it', async () => {
  const { ada, passkeys } = await opened()
  const tries: readonly Lies[] = [{ flags: 0x4d }, {}]
  for (const lies of tries) {
    const key = new Authenticator(origin, 'gw.example')
    const { challenge: asked } = await passkeys.beginEnrolment(ada)
    const made = passkeys.finishEnrolment(ada, key.create(asked, lies), { isHardware: true })
    await assert.rejects(made, { facts: { reason: 'not_hardware' } })
  }
})

test('a removed passkey signs nobody in, and only its owner’s can be removed', async () => {
  const { ada, bob, id, key, notes, passkeys } = await enrolled()
  await assert.rejects(passkeys.removePasskey(bob, id), { code: 'path_unknown' })
  await passkeys.removePasskey(ada, id)
  const asked = challenge()
  await assert.rejects(passkeys.check(key.get(asked), asked), {
    facts: { reason: 'passkey_unknown' },
  })
  assert.deepEqual(passkeys.listPasskeys(ada), [])
  assert.deepEqual(
    notes.map(({ details }) => details['what']),
    ['enrolled', 'removed'],
  )
})

test('what is not recorded is neither enrolled nor removed', async () => {
  const at = await opened()
  const { clock } = at
  const directory = openDirectory(':memory:', { clock })
  const { id: ada } = directory.tell({ issuer: 'i', subject: 'ada', kind: 'person' }, 'sign-in', 1)
  let isDown = true
  const note = (): Promise<void> => (isDown ? Promise.reject(new Error('down')) : Promise.resolve())
  const options = { clock, rpId: 'gw.example', origins: [origin], directory, note }
  const passkeys = openPasskeys(':memory:', options)
  const key = new Authenticator(origin, 'gw.example')
  const make = async (): Promise<unknown> => {
    const { challenge: asked } = await passkeys.beginEnrolment(ada)
    return await passkeys.finishEnrolment(ada, key.create(asked))
  }
  await assert.rejects(make())
  assert.deepEqual(passkeys.listPasskeys(ada), [])
  isDown = false
  await make()
  isDown = true
  const [one] = passkeys.listPasskeys(ada)
  await assert.rejects(passkeys.removePasskey(ada, one?.id ?? ''))
  assert.equal(passkeys.listPasskeys(ada).length, 1)
})

test('an address is no domain for passkeys, nor is one beside the site', async () => {
  const at = await opened()
  const wrong = ['127.0.0.1', '::1', 'other.example', 'w.example', 'a.gw.example', '', 'GW.example']
  const directory = openDirectory(':memory:', { clock: at.clock })
  const note = (): Promise<void> => Promise.resolve()
  for (const rpId of wrong) {
    const options = { clock: at.clock, rpId, origins: [origin], directory, note }
    assert.throws(() => openPasskeys(':memory:', options), { code: 'config_bad' }, rpId)
  }
})
