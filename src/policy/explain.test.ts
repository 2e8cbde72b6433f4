import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GrantConfig, WhoConfig } from '../config/types.ts'
import { explainAccess } from './explain.ts'
import { compileGrants } from './grants.ts'
import type { Bearer, Moment } from './grants.ts'

const ada: Bearer = {
  issuer: 'i',
  subject: 'ada',
  kind: 'person',
  groups: ['engineers'],
  roles: ['reader'],
  claims: { tid: 't1' },
}
const here: Moment = { ip: '10.1.2.3', nowMs: Date.parse('2026-11-20T12:00:00Z') }
const may = { connection: 'shop' }
const night = { days: ['fri'] as const, fromMinute: 0, toMinute: 60, timezone: 'UTC' }

const missing: readonly [grant: GrantConfig, words: string][] = [
  [{ who: { group: 'leads' }, may }, 'group leads'],
  [{ who: { role: 'reader', subject: 'eve' }, may }, 'subject eve'],
  [{ who: { issuers: ['x', 'y'] }, may }, 'issuer x or y'],
  [{ who: { client: 'editor' }, may }, 'client editor'],
  [{ who: { condition: 'claims.tid ==\n "t2"' }, may }, 'condition claims.tid == "t2"'],
  [{ who: { condition: 'claims.zone == "x"' }, may }, 'condition claims.zone == "x" (no_such_key)'],
  [{ who: {}, may, windows: [night] }, 'at fri 00:00-01:00 UTC'],
  [{ who: {}, may, networks: ['192.0.2.0/24', '::1'] }, 'from 192.0.2.0/24 or ::1'],
  [{ who: {}, may, expiresMs: here.nowMs }, 'until 2026-11-20T12:00Z'],
  [{ who: {}, may: { connection: 'bank' } }, 'a connection of this name'],
  [{ who: { group: 'leads' }, may, networks: ['192.0.2.1'] }, 'group leads'],
]
for (const [grant, words] of missing) {
  test(`a grant that lacks "${words}" is shown with it`, () => {
    const [line] = explainAccess([grant], ada, ['shop'], here)
    assert.equal(line?.isHolding, false)
    assert.equal(line?.missing, words)
  })
}

test('what has ended does not change any more', () => {
  const [line] = explainAccess([{ who: {}, may, expiresMs: here.nowMs }], ada, ['shop'], here)
  assert.equal(line?.until, undefined)
})

test('without an address a grant with networks says so', () => {
  const list = [{ who: {}, may, networks: ['10.0.0.0/8'] }]
  const [line] = explainAccess(list, ada, ['shop'], { ...here, ip: '' })
  assert.equal(line?.missing, 'from 10.0.0.0/8 (no address is known)')
})

test('a key for other connections is told', () => {
  const list = [{ who: {}, may: { connection: '*' } }]
  const lines = explainAccess(list, { ...ada, connections: ['bank'] }, ['bank', 'shop'], here)
  assert.deepEqual(
    lines.map(({ isHolding, missing: lacks }) => [isHolding, lacks]),
    [
      [true, undefined],
      [false, 'a key for this connection'],
    ],
  )
})

test('a line says what is given, why, and until when', () => {
  const grant: GrantConfig = {
    name: 'read',
    who: { group: 'engineers', condition: 'claims.tid == "t1"' },
    may: { connection: 's*', tools: ['list', 'show_*'], resources: ['x://*'] },
    reveal: 'pan',
    networks: ['10.0.0.0/8'],
    expiresMs: here.nowMs + 1000,
  }
  assert.deepEqual(
    explainAccess([grant], ada, ['shop', 'store', 'bank'], here),
    ['shop', 'store'].map((connection) => ({
      connection,
      grant: 'read',
      isHolding: true,
      tools: ['list', 'show_*'],
      resources: ['x://*'],
      reveal: 'pan',
      because: [
        'group engineers',
        'condition claims.tid == "t1"',
        'from 10.0.0.0/8',
        'until 2026-11-20T12:00Z',
      ],
      until: here.nowMs + 1000,
    })),
  )
  const [everybody] = explainAccess([{ who: {}, may }], ada, ['shop'], here)
  assert.deepEqual(everybody?.because, ['everybody'])
})

test('the lines that hold are the grants that decide', () => {
  const who = fc.oneof(
    fc.constant<WhoConfig>({}),
    fc.record({ group: fc.constantFrom('engineers', 'leads') }),
    fc.record({ condition: fc.constantFrom('claims.tid == "t1"', 'claims.no == 1') }),
  )
  const connection = fc.constantFrom('shop', 'bank', '*')
  const grants = fc.array(
    fc.record({
      who,
      may: fc.record({ connection }),
      expiresMs: fc.constantFrom(here.nowMs, here.nowMs + 1),
    }),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(grants, fc.constantFrom(undefined, ['shop'], ['bank']), (list, connections) => {
      const bearer = { ...ada, ...(connections && { connections }) }
      const lines = explainAccess(list, bearer, ['shop', 'bank'], here)
      for (const name of ['shop', 'bank']) {
        const held = lines.filter((line) => line.connection === name && line.isHolding)
        const access = compileGrants(list)(bearer, name, here)
        assert.deepEqual(
          held.map(({ grant }) => grant),
          access?.grants ?? [],
        )
      }
    }),
  )
})
