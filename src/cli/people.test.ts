import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isServiceKey, serviceIssuer } from '../identity/service-accounts.ts'
import { pan } from '../../tests/cards.ts'
import { corp, openBench, tenants } from './people.fixture.ts'
import type { Bench } from './people.fixture.ts'

const now = Date.now()

function tellAda({ desk }: Bench, more: { name?: string; email?: string } = {}): string {
  const ada = { issuer: corp, subject: 'ada', kind: 'person' as const, name: 'Ada L.', ...more }
  return desk.directory.tell(ada, 'sign-in', now).id
}

const misused: readonly [what: string, args: string[], says: RegExp][] = [
  ['revoke without anything', ['revoke'], /Name one thing/],
  ['revoke of two things', ['revoke', 'ada', '--client', 'x'], /Name one thing/],
  ['revoke of somebody, and a list', ['revoke', 'ada', '--list'], /Name one thing/],
  ['a lift without a reason', ['revoke', '--lift', 'rv_x'], /--reason/],
  ['a time with a list', ['revoke', '--list', '--at', '+2h'], /--at is for a stop/],
  ['a time without its zone', ['revoke', 'ada', '--at', '2030-01-01T10:00'], /--at is a moment/],
  ['a day that is none', ['revoke', 'ada', '--at', '2030-02-30T10:00:00Z'], /--at is a moment/],
  ['an end that is no date', ['people', 'end', 'ada', 'soon'], /The end is/],
  ['an end on a day that is none', ['people', 'end', 'ada', '2030-02-30'], /The end is/],
  ['a key for no time', ['service-account', 'key', 'etl', '--ttl', '0d'], /--ttl/],
  ['a service account without an owner', ['service-account', 'add', 'etl'], /--owner/],
]
for (const [what, args, says] of misused) {
  test(`${what} is wrong usage: exit 2, and nothing is asked`, async (t) => {
    const bench = await openBench(t)
    tellAda(bench)
    const { code, errors, out } = await bench.run(...args)
    assert.deepEqual([code, out, bench.entries], [2, '', []])
    assert.match(errors, says)
  })
}

const refused: readonly [what: string, args: string[], says: RegExp][] = [
  ['a stop of nobody', ['revoke', 'eve'], /Nobody is known.*corp, entra, two, service-accounts/],
  ['a stop at an issuer nobody knows', ['revoke', 'moon/eve'], /Nobody is known/],
  ['a stop of nobody at an issuer', ['revoke', 'corp/'], /Nobody is known/],
  ['one at an issuer with two identifiers', ['revoke', 'two/eve'], /several identifiers/],
  ['a stop of a mistyped connection', ['revoke', '--connection', 'cmr'], /crm, warehouse/],
  ['a stop in the past', ['revoke', 'ada', '--at', '2020-01-01T00:00:00Z'], /in the past/],
  ['a lift of nothing', ['revoke', '--lift', 'rv_x', '--reason', 'r'], /no stop of this id/],
  ['a look at nobody', ['people', 'show', 'eve'], /Nobody is known/],
  ['a look at somebody never seen', ['people', 'show', 'corp/eve'], /does not know/],
  ['an owner nobody knows', ['people', 'owner', 'ada', 'eve'], /Nobody is known/],
  ['a program as owner', ['service-account', 'add', 'etl', '--owner', 'robot'], /is no person/],
  ['an owner who is stopped', ['service-account', 'add', 'etl', '--owner', 'mia'], /is stopped/],
  [
    'an account for a mistyped connection',
    ['service-account', 'add', 'etl', '--owner', 'ada', '--connection', 'cmr'],
    /crm, warehouse/,
  ],
  [
    'a key for longer than is allowed',
    ['service-account', 'add', 'etl', '--owner', 'ada', '--ttl', '91d'],
    /90 days at most/,
  ],
  ['an account of no name', ['service-account', 'add', '4711', '--owner', 'ada'], /letter first/],
  ['a key for no account', ['service-account', 'key', 'etl'], /no service account/],
  ['the end of no key', ['service-account', 'end', 'k_x'], /no key/],
  ['the removal of no account', ['service-account', 'remove', 'etl'], /no service account/],
]
for (const [what, args, says] of refused) {
  test(`${what} is refused: exit 1, nothing changed, nothing recorded`, async (t) => {
    const bench = await openBench(t)
    const { directory, revocations, serviceAccounts } = bench.desk
    tellAda(bench)
    const mia = { issuer: corp, subject: 'mia', kind: 'person' as const }
    directory.tell(mia, 'sign-in', now)
    directory.tell({ issuer: corp, subject: 'robot', kind: 'service' }, 'token', now)
    const target = { kind: 'principal', issuer: corp, subject: 'mia' } as const
    const stop = { reason: 'r', by: 'op', source: 'cli' as const, madeMs: now - 9, fromMs: now - 9 }
    revocations.add({ target, ...stop })
    const { code, errors, out } = await bench.run(...args)
    assert.deepEqual([code, out, bench.entries], [1, '', []])
    assert.match(errors, says)
    assert.equal(revocations.list().length, 1)
    assert.deepEqual(serviceAccounts.list(), [])
  })
}

test('of several who are meant none is stopped, and the message lists them', async (t) => {
  const bench = await openBench(t)
  const id = tellAda(bench)
  const number = pan('4111', 16)
  const other = { issuer: tenants[0], subject: 'x', kind: 'person' as const, name: 'ADA' }
  const otherId = bench.desk.directory.tell(other, 'sign-in', now).id
  const third = { issuer: tenants[1], subject: 'ada', kind: 'person' as const }
  const bad = `card ${number}\u001b[2J`
  bench.desk.directory.tell({ ...third, name: bad }, 'sign-in', now)
  const { code, errors } = await bench.run('revoke', 'ada')
  assert.equal(code, 1)
  assert.match(errors, new RegExp(`${id}  ${corp}  ada  Ada L\\.\n`))
  assert.match(errors, new RegExp(`${otherId}  ${tenants[0]}  x  ADA`))
  assert.doesNotMatch(errors, new RegExp(number))
  assert.ok(!errors.includes('\u001b'))
  assert.deepEqual(bench.desk.revocations.list(), [])
  assert.equal((await bench.run('revoke', id)).code, 0)
})

test('a stop that cannot be recorded is in force, and the command fails', async (t) => {
  const bench = await openBench(t)
  tellAda(bench)
  bench.isDown = true
  assert.equal((await bench.run('revoke', 'ada')).code, 1)
  const { revocations } = bench.desk
  assert.notEqual(
    revocations.find({ issuer: corp, subject: 'ada' }, undefined, now + 9e6),
    undefined,
  )
  assert.equal(revocations.unrecorded().length, 1)
})

test('what cannot be recorded is not changed otherwise', async (t) => {
  const bench = await openBench(t)
  const id = tellAda(bench)
  await bench.run('service-account', 'add', 'etl', '--owner', 'ada')
  await bench.run('revoke', '--client', 'c')
  const [stop] = bench.desk.revocations.list()
  bench.isDown = true
  const tried = [
    ['people', 'end', 'ada', 'now'],
    ['people', 'owner', 'etl', 'ada'],
    ['service-account', 'add', 'new', '--owner', 'ada'],
    ['service-account', 'key', 'etl'],
    ['revoke', '--lift', stop?.id ?? '', '--reason', 'r'],
  ]
  for (const args of tried) {
    const { code, out } = await bench.run(...args)
    assert.deepEqual([code, out], [1, ''], args.join(' '))
  }
  const { directory, revocations, serviceAccounts } = bench.desk
  assert.equal(directory.byId(id)?.endsMs, undefined)
  assert.deepEqual(revocations.list(), [stop])
  const accounts = serviceAccounts.list()
  assert.deepEqual(
    accounts.map(({ keys, name }) => [name, keys.length]),
    [['etl', 1]],
  )
})

test('a key is ended even where that cannot be recorded', async (t) => {
  const bench = await openBench(t)
  tellAda(bench)
  const { out } = await bench.run('service-account', 'add', 'etl', '--owner', 'ada')
  const id = /^sp_(k_\w+?)_/.exec(out)?.[1] ?? ''
  bench.isDown = true
  assert.equal((await bench.run('service-account', 'end', id)).code, 1)
  assert.throws(() => bench.desk.serviceAccounts.verify(out.trim(), now), { code: 'no_identity' })
})

test('the contractor: a date at first, a stop on the day, and the record of both', async (t) => {
  const bench = await openBench(t)
  const ended = await bench.run('people', 'end', 'corp/kim', '2090-12-31')
  assert.deepEqual([ended.code, ended.errors], [0, ''])
  assert.equal(ended.out, 'The access of kim ends at 2091-01-01T00:00:00Z.\n')
  const stopped = await bench.run('revoke', 'kim', '--reason', 'contract ended')
  assert.match(
    stopped.out,
    /^Stopped now: principal https:\/\/login\.example\/corp kim\nNothing was/,
  )
  const [stop] = bench.desk.revocations.list()
  assert.deepEqual(bench.desk.revocations.unrecorded(), [])
  assert.deepEqual(bench.entries, [
    {
      type: 'access.changed',
      details: {
        what: 'end of access',
        of: `${corp} kim`,
        before: 'none',
        after: '2091-01-01T00:00:00Z',
        by: 'op',
        source: 'cli',
      },
    },
    {
      type: 'principal.revoked',
      details: {
        id: stop?.id,
        what: 'principal',
        of: `${corp} kim`,
        reason: 'contract ended',
        by: 'op',
        source: 'cli',
      },
    },
  ])
  const listed = await bench.run('revoke', '--list')
  assert.match(listed.out, /^rv_\w+ {2}since 20.* {2}principal .* kim {2}by op \(cli\) {2}contract/)
  const shown = await bench.run('people', 'show', 'kim')
  assert.match(shown.out, /state {5}stopped\n/)
  assert.match(shown.out, /ends {6}2091-01-01T00:00:00Z\n/)
  const args = ['revoke', '--lift', stop?.id ?? '', '--reason', 'new contract']
  assert.match((await bench.run(...args)).out, /^Lifted: principal/)
  assert.deepEqual((await bench.run('revoke', '--list')).out, 'Nothing is stopped.\n')
  assert.equal(bench.entries.at(-1)?.type, 'revocation.lifted')
})

const targets: readonly [args: string[], target: Record<string, unknown>][] = [
  [['corp/eve'], { kind: 'principal', issuer: corp, subject: 'eve' }],
  [['corp/a/b'], { kind: 'principal', issuer: corp, subject: 'a/b' }],
  [[`${tenants[1]} eve`], { kind: 'principal', issuer: tenants[1], subject: 'eve' }],
  [
    ['entra/0AAAAAAA-1111-2222-3333-BBBBBBBBBBBB'],
    { kind: 'principal', issuer: tenants[0], subject: '0aaaaaaa-1111-2222-3333-bbbbbbbbbbbb' },
  ],
  [['service-accounts/etl'], { kind: 'principal', issuer: serviceIssuer, subject: 'etl' }],
  [['--client', 'c'], { kind: 'client', client: 'c' }],
  [['--token', 't'], { kind: 'token', token: 't' }],
  [['--sign-in', 's'], { kind: 'sign-in', signIn: 's' }],
  [['--connection', 'crm'], { kind: 'connection', connection: 'crm' }],
  [['--everything'], { kind: 'everything' }],
]
for (const [args, target] of targets) {
  test(`revoke ${args.join(' ')} stops just that`, async (t) => {
    const bench = await openBench(t)
    const { code, out } = await bench.run('revoke', ...args, '--json')
    assert.equal(code, 0)
    const told: unknown = JSON.parse(out)
    assert.deepEqual(bench.desk.revocations.list()[0]?.target, target)
    assert.ok(typeof told === 'object' && told !== null && 'target' in told)
    assert.deepEqual(told.target, target)
  })
}

test('a planned stop says from when on, and begins by itself', async (t) => {
  const bench = await openBench(t)
  const { out } = await bench.run('revoke', 'corp/eve', '--at', '2090-01-01T10:00:00+01:00')
  assert.match(out, /^Stopped from 2090-01-01T09:00:00Z on: /)
  const { revocations } = bench.desk
  const eve = { issuer: corp, subject: 'eve' }
  assert.equal(revocations.find(eve, undefined, now), undefined)
  const dueMs = Date.parse('2090-01-01T09:00:00Z')
  assert.notEqual(revocations.find(eve, undefined, dueMs), undefined)
  assert.equal(bench.entries[0]?.details['from'], '2090-01-01T09:00:00.000Z')
})

test('an end of access comes, goes, and is recorded before and after', async (t) => {
  const bench = await openBench(t)
  const id = tellAda(bench)
  await bench.run('people', 'end', 'Ada L.', '2090-06-01T00:00:00Z')
  await bench.run('people', 'end', 'ADA l.', 'never', '--json')
  assert.equal(bench.desk.directory.byId(id)?.endsMs, undefined)
  const after = bench.entries.map(({ details }) => [details['before'], details['after']])
  assert.deepEqual(after, [
    ['none', '2090-06-01T00:00:00Z'],
    ['2090-06-01T00:00:00Z', 'none'],
  ])
  assert.match((await bench.run('people', 'end', 'ada', 'now')).out, /ended at/)
  assert.ok(bench.desk.directory.hasEnded(corp, 'ada', Date.now()))
})

test('a new key stands alone on standard output, once, and in no entry', async (t) => {
  const bench = await openBench(t)
  const owner = tellAda(bench)
  const args = ['--owner', 'ada', '--role', 'reader', '--connection', 'crm', '--ttl', '30d']
  const { errors, out } = await bench.run('service-account', 'add', 'etl', ...args)
  const key = out.trim()
  assert.equal(out, `${key}\n`)
  assert.ok(isServiceKey(key))
  assert.match(errors, /^Key k_\w+ of etl, good until 20/)
  const { connections, owner: of, roles } = bench.desk.serviceAccounts.verify(key, Date.now())
  assert.deepEqual([of, roles, connections], [owner, ['reader'], ['crm']])
  const second = JSON.parse((await bench.run('service-account', 'key', 'etl', '--json')).out)
  assert.ok(typeof second === 'object' && second !== null && isServiceKey(String(second.key)))
  const said = JSON.stringify(bench.entries) + (await bench.run('service-account', 'list')).out
  assert.ok(!said.includes(key.slice(-43)) && !said.includes(String(second.key).slice(-43)))
  assert.deepEqual(
    bench.entries.map(({ details, type }) => [type, details['change']]),
    [
      ['account.changed', 'made'],
      ['account.changed', 'key made'],
      ['account.changed', 'key made'],
    ],
  )
})

test('an ended key stops its token too, which cuts what is open with it', async (t) => {
  const bench = await openBench(t)
  tellAda(bench)
  const { out } = await bench.run('service-account', 'add', 'etl', '--owner', 'ada')
  const principal = bench.desk.serviceAccounts.verify(out.trim(), Date.now())
  // The whole key, as somebody pastes it; only its id goes on.
  const { code } = await bench.run('service-account', 'end', out.trim())
  assert.equal(code, 0)
  assert.throws(() => bench.desk.serviceAccounts.verify(out.trim(), Date.now()))
  const found = bench.desk.revocations.find(principal, undefined, Date.now())
  assert.deepEqual([found?.target.kind, found?.untilMs], ['token', principal.expiresAtMs])
  assert.deepEqual(bench.desk.serviceAccounts.list()[0]?.keys, [])
})

test('a removed account is gone with all its keys, and its name is not given again', async (t) => {
  const bench = await openBench(t)
  tellAda(bench)
  const { out } = await bench.run('service-account', 'add', 'etl', '--owner', 'ada')
  const { out: second } = await bench.run('service-account', 'key', 'etl')
  assert.equal((await bench.run('service-account', 'remove', 'etl')).code, 0)
  for (const key of [out, second]) {
    assert.throws(() => bench.desk.serviceAccounts.verify(key.trim(), Date.now()))
  }
  assert.equal((await bench.run('service-account', 'list')).out, 'There are no service accounts.\n')
  const again = await bench.run('service-account', 'add', 'etl', '--owner', 'ada')
  assert.match(again.errors, /never given twice/)
})

test('an account whose owner left gets no further key, and the list says so', async (t) => {
  const bench = await openBench(t)
  tellAda(bench)
  await bench.run('service-account', 'add', 'etl', '--owner', 'ada')
  await bench.run('revoke', 'ada')
  assert.match((await bench.run('service-account', 'list')).out, /^etl {2}owner ada \(stopped\)/)
  const { code, errors } = await bench.run('service-account', 'key', 'etl')
  assert.equal(code, 1)
  assert.match(errors, /Nobody answers for this account/)
})

test('people are listed masked and on one line each, seen last first', async (t) => {
  const bench = await openBench(t)
  const number = pan('5500', 16)
  tellAda(bench, { name: `A ${number}\nrv_fake  stopped` })
  const old = { issuer: corp, subject: 'old', kind: 'workload' as const }
  bench.desk.directory.tell(old, 'scim', now)
  const { out } = await bench.run('people', 'list')
  const lines = out.trimEnd().split('\n')
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /^pr_\w+ {2}in {2}person {2}seen 20/)
  assert.match(lines[1] ?? '', /^pr_\w+ {2}in {2}workload {2}never seen {2}old/)
  const asJson = (await bench.run('people', 'list', '--json')).out
  assert.ok(!(out + asJson).includes(number))
  assert.equal(asJson.trimEnd().split('\n').length, 2)
})
