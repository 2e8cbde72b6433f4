/** Entries about identities and access, as people read them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { notedTypes } from '../record/noted.ts'
import { furtherMembers, told } from './tell.ts'
import { replay } from './replay.ts'
import { entry, from, hostile } from './sample.fixture.ts'

const sample = (type: string, details: unknown, more: object = {}): ReturnType<typeof entry> =>
  entry(0, { type, session: null, exchange: null, connection: null, details, ...more })

const entra = 'https://login.microsoftonline.com/t/v2.0 1b2c'
const words: readonly [type: string, details: object, line: string][] = [
  [
    'principal.revoked',
    {
      id: 'rv_1',
      what: 'principal',
      of: entra,
      by: 'alex',
      source: 'cli',
      reason: 'left the company',
    },
    `x stopped principal ${entra} by alex over cli: left the company`,
  ],
  [
    'principal.revoked',
    {
      what: 'everything',
      of: 'everything',
      by: 'alex',
      reason: 'drill',
      from: '2026-12-01T00:00:00Z',
    },
    'x stopped everything by alex from 2026-12-01T00:00:00Z: drill',
  ],
  [
    'revocation.cut',
    { id: 'rv_1', calls: 1, streams: 2, sessions: 0 },
    'x cut by rv_1: 1 call, 2 streams, 0 sessions',
  ],
  ['revocation.lifted', { id: 'rv_1', by: 'ben', reason: 'found' }, 'lifted rv_1 by ben: found'],
  [
    'revocation.lifted',
    { revocation: 'rv_1', by: 'scim', source: 'scim' },
    'lifted rv_1 by scim over scim',
  ],
  [
    'signin.accepted',
    { at: 'authorization_server', method: 'corp', isFresh: true, isBreakGlass: true },
    'Ada signed in at authorization server by corp, anew, for an emergency',
  ],
  [
    'signin.refused',
    { at: 'console', method: 'token', reason: 'audience' },
    'x Ada was not let in at console by token: audience',
  ],
  [
    'signin.ended',
    { where: 'console', reason: 'idle', seconds: 90 },
    'Ada was signed out at console after 90 seconds: idle',
  ],
  ['account.changed', { what: 'password_set', account: 'ada' }, 'account ada: password set'],
  [
    'account.changed',
    { what: 'service account', change: 'key ended', account: 'job', by: 'alex', source: 'cli' },
    'service account job: key ended by alex over cli',
  ],
  [
    'passkey.changed',
    { what: 'enrolled', passkey: 'pk_1', ofSubject: 'ada' },
    'passkey pk_1 of ada enrolled by Ada',
  ],
  [
    'client.registered',
    { client: 'c1', name: 'Cursor', how: 'dynamic' },
    'client c1, Cursor, made known by dynamic',
  ],
  [
    'consent.given',
    { client: 'c1', name: 'Cursor', connections: ['shop', 'hr'] },
    'Ada let Cursor, c1 act for them on shop, hr',
  ],
  [
    'consent.refused',
    { client: 'c1', connections: ['all'] },
    'x Ada did not let c1 act for them on all',
  ],
  [
    'grant.ended',
    { grant: 'g', client: 'c1', reason: 'logged_out' },
    'what Ada allowed c1 in g has ended: logged_out',
  ],
  [
    'scim.changed',
    { resource: 'User', change: 'created', id: '7' },
    'the directory created User 7',
  ],
  [
    'config.changed',
    { from: 'aa', to: 'bb', by: 'reload' },
    'configuration bb is in force by reload, before it aa',
  ],
  [
    'access.changed',
    {
      what: 'end of access',
      of: 'i ada',
      before: 'none',
      after: '2026-12-01',
      by: 'b',
      source: 'cli',
    },
    'changed end of access of i ada from none to 2026-12-01 by b over cli',
  ],
  [
    'access.reviewed',
    { from: '2026-08', to: '2026-11', by: 'alex', reason: 'quarter' },
    'access from 2026-08 to 2026-11 reviewed by alex: quarter',
  ],
  [
    'credential.rotated',
    { where: 'connections[0]', from: 'vault' },
    'credential connections[0] renewed from vault',
  ],
  ['alert.raised', { reason: 'break_glass_used' }, '! alert: break_glass_used, about Ada'],
]
for (const [type, details, line] of words) {
  test(`${type} reads: ${line}`, () => assert.equal(told(sample(type, details)), line))
}

test('every type has its words, of whatever details there are', () => {
  for (const type of notedTypes) {
    for (const details of [null, [], {}, { of: 1, reason: {} }]) {
      assert.doesNotMatch(told(sample(type, details)), /undefined|\[object/)
    }
  }
})

test('no detail is kept from its reader', () => {
  const names = `what of by source reason from id revocation calls streams sessions at where method
    isBreakGlass isFresh seconds account change passkey ofSubject client name how connections grant
    resource to before after added toString`.split(/\s+/)
  const value = fc.oneof(
    fc.stringMatching(/^[a-z]{8}$/),
    fc.integer({ min: 100, max: 999 }),
    fc.array(fc.stringMatching(/^[a-z]{8}$/), { maxLength: 3 }),
  )
  const property = fc.property(
    fc.constantFrom(...notedTypes, 'auth.accepted'),
    fc.dictionary(fc.constantFrom(...names), value),
    (type, details) => {
      const one = sample(type, details)
      const text = [
        told(one),
        ...furtherMembers(one).map(({ name, text }) => `${name} ${text}`),
      ].join('\n')
      for (const detail of Object.values(details).flat()) {
        assert.ok(text.includes(String(detail)), `${type}: ${String(detail)} in ${text}`)
      }
    },
  )
  fc.assert(property, { numRuns: 500 })
})

for (const format of ['text', 'html'] as const) {
  test(`as ${format}, words from outside make no line and no element of their own`, async () => {
    for (const said of hostile) {
      const word = said.toWellFormed()
      const entries = notedTypes.map((type, index) =>
        entry(index, {
          type,
          session: null,
          exchange: null,
          details: { what: word, of: word, by: word, reason: word, more: [word] },
        }),
      )
      const lines = await Array.fromAsync(replay(from(entries), { format, shows: () => true }))
      const text = lines.join('')
      if (format === 'html') assert.doesNotMatch(text, /<(script|img|svg)|<[^>]*onmouseover/)
      else assert.equal(text.match(/^2026-11-21T07:48:/gm)?.length, notedTypes.length)
    }
  })
}
