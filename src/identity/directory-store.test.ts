import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '../base/clock.ts'
import { openDirectory } from './directory-store.ts'
import type { Directory, KnownPrincipal, Told } from './directory.ts'
import type { Principal } from './principal.ts'

const now = 1_800_000_000_000
const clock: Clock = { nowUs: () => now * 1000, monotonicMs: () => 0 }
const issuer = 'https://issuer.example'
const told: Told = { issuer, subject: 'ada', kind: 'person', name: 'Ada L.', groups: ['a', 'b'] }
const token: Principal = {
  issuer,
  subject: 'ada',
  kind: 'person',
  groups: ['x'],
  roles: ['r'],
  expiresAtMs: now + 3_600_000,
}

function newFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-directory-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'state.sqlite')
}

function again(file: string): Directory {
  return openDirectory(file, { clock })
}

const broken: readonly [what: string, sql: string][] = [
  ['groups that are no list', `UPDATE principal SET groups = '{}'`],
  ['groups that are no words', `UPDATE principal SET groups = '[1]'`],
  ['claims that are no JSON', `UPDATE principal SET claims = '{'`],
  ['claims that are no object', `UPDATE principal SET claims = '[]'`],
  ['a kind we do not know', `UPDATE principal SET kind = 'moon'`],
  ['an id that is none of ours', `UPDATE principal SET id = 'x'`],
  ['no subject', `UPDATE principal SET subject = ''`],
  [
    'another table of lost groups',
    'DROP TABLE lost_group; CREATE TABLE lost_group (x TEXT); INSERT INTO lost_group VALUES (1)',
  ],
]
for (const [what, sql] of broken) {
  test(`a directory with ${what} does not open`, (t) => {
    const file = newFile(t)
    const directory = again(file)
    directory.tell(told, 'scim', now)
    directory.close()
    const db = new DatabaseSync(file)
    db.exec(sql)
    db.close()
    assert.throws(() => again(file), { name: 'Fault', code: 'identity_down' })
  })
}

const nobodies: readonly [what: string, told: Partial<Told>][] = [
  ['no issuer', { issuer: '' }],
  ['no subject', { subject: '' }],
  ['a line end in the subject', { subject: 'ada\neve' }],
  ['claims without end', { claims: { a: 'x'.repeat(65_536) } }],
]
for (const [what, more] of nobodies) {
  test(`nobody is made known by ${what}`, () => {
    const directory = again(':memory:')
    assert.throws(() => directory.tell({ ...told, ...more }, 'scim', now), { code: 'bad_request' })
    assert.deepEqual(directory.list(), [])
  })
}

test('what cannot be written is not known', (t) => {
  const file = newFile(t)
  const directory = again(file)
  const { id } = directory.tell(told, 'scim', now)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  t.after(() => other.close())
  assert.throws(() => directory.tell({ ...told, name: 'Eve' }, 'scim', now), {
    code: 'record_down',
  })
  assert.throws(() => directory.change(id, { endsMs: now }), { code: 'record_down' })
  assert.deepEqual([directory.byId(id)?.name, directory.byId(id)?.endsMs], ['Ada L.', undefined])
})

test('a group that was lost is lost at once, even where that cannot be written', (t) => {
  const file = newFile(t)
  const directory = again(file)
  const { id } = directory.tell(told, 'scim', now)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  t.after(() => other.close())
  assert.throws(() => directory.loseGroup(issuer, 'ada', 'a', now), { code: 'record_down' })
  assert.deepEqual(directory.lostGroups(issuer, 'ada'), new Map([['a', now]]))
  assert.deepEqual(directory.byId(id)?.groups, ['b'])
})

const misplaced: readonly [what: string, id: (ada: string, robot: string) => string][] = [
  ['nobody', () => 'pr_none'],
  ['a program', (_, robot) => robot],
  ['itself', (ada) => ada],
]
for (const [what, owner] of misplaced) {
  test(`${what} cannot be an owner`, () => {
    const directory = again(':memory:')
    const { id } = directory.tell(told, 'scim', now)
    const robot = directory.tell({ ...told, subject: 'r', kind: 'service' }, 'token', now).id
    const change = { owner: owner(id, robot) }
    assert.throws(() => directory.change(id, change), { code: 'bad_request' })
    assert.equal(directory.byId(id)?.owner, undefined)
  })
}

test('a change of nobody is refused', () => {
  assert.throws(() => again(':memory:').change('pr_x', { endsMs: 1 }), { code: 'path_unknown' })
})

test('what was told is there after a restart, under the same id', (t) => {
  const file = newFile(t)
  const made = again(file).tell({ ...told, claims: { dep: [1] }, email: 'A@b.c' }, 'sign-in', now)
  assert.deepEqual(again(file).byId(made.id), made)
  assert.deepEqual(again(file).find(issuer, 'ada'), made)
  assert.deepEqual([made.source, made.seenMs, made.madeMs, made.roles], ['sign-in', now, now, []])
})

test('what is not told stays, and what is told anew replaces', () => {
  const directory = again(':memory:')
  const first = directory.tell({ ...told, roles: ['r'] }, 'sign-in', now)
  directory.change(first.id, { endsMs: now + 5, email: 'a@b.c' })
  const second = directory.tell({ issuer, subject: 'ada', kind: 'service', groups: [] }, 'scim', 1)
  assert.deepEqual(second, {
    ...first,
    kind: 'service',
    groups: [],
    endsMs: now + 5,
    email: 'a@b.c',
  })
})

test('the revision grows when rights may have changed, and only then', () => {
  const directory = again(':memory:')
  const grows = (work: () => void): boolean => {
    const before = directory.revision
    work()
    return directory.revision > before
  }
  const { id } = directory.tell(told, 'sign-in', now)
  assert.ok(!grows(() => directory.tell(told, 'sign-in', now + 1)))
  assert.ok(!grows(() => directory.tell(told, 'scim', now + 1)))
  assert.ok(!grows(() => directory.seen(token, now + 900_000)))
  assert.ok(grows(() => directory.tell({ ...told, groups: ['a'] }, 'scim', now)))
  assert.ok(grows(() => directory.tell({ ...told, claims: { a: 1 } }, 'sign-in', now)))
  assert.ok(grows(() => directory.change(id, { endsMs: now })))
  assert.ok(grows(() => directory.loseGroup(issuer, 'ada', 'a', now)))
  assert.ok(grows(() => directory.gainGroup(issuer, 'ada', 'a')))
  assert.ok(!grows(() => directory.gainGroup(issuer, 'ada', 'a')))
})

test('a token makes its bearer known, behind, and says what it is', (t) => {
  const file = newFile(t)
  const directory = again(file)
  directory.seen(token, now)
  const ada = directory.find(issuer, 'ada')
  assert.deepEqual([ada?.source, ada?.seenMs, ada?.groups], ['token', now, ['x']])
  assert.deepEqual(again(file).list(), [])
  directory.flush()
  assert.deepEqual(again(file).list(), [ada])
  directory.seen({ ...token, groups: ['y'] }, now + 60_000)
  assert.deepEqual(directory.find(issuer, 'ada')?.groups, ['y'])
})

test('a token seen within a minute of the one before is not noted again', () => {
  const directory = again(':memory:')
  directory.seen(token, now)
  const before = directory.find(issuer, 'ada')
  directory.seen({ ...token, groups: ['y'] }, now + 59_999)
  assert.equal(directory.find(issuer, 'ada'), before)
  directory.seen(token, now + 60_000)
  assert.equal(directory.find(issuer, 'ada')?.seenMs, now + 60_000)
})

for (const source of ['sign-in', 'scim'] as const) {
  test(`a token does not change the groups that ${source} told, after a restart either`, (t) => {
    const file = newFile(t)
    again(file).tell(told, source, now)
    const directory = again(file)
    directory.seen(token, now + 120_000)
    const { groups, roles, seenMs } = directory.find(issuer, 'ada') ?? {}
    assert.deepEqual([groups, roles, seenMs], [['a', 'b'], [], now + 120_000])
  })
}

test('what is written behind is written on closing, and never over what was told since', (t) => {
  const file = newFile(t)
  const directory = again(file)
  directory.seen(token, now)
  directory.tell(told, 'sign-in', now + 1)
  directory.seen(token, now + 120_000)
  directory.close()
  const { groups, seenMs } = again(file).find(issuer, 'ada') ?? {}
  assert.deepEqual([groups, seenMs], [['a', 'b'], now + 120_000])
})

test('flush that fails keeps what it had for the next time', (t) => {
  const file = newFile(t)
  const directory = again(file)
  directory.seen(token, now)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  assert.throws(() => directory.flush(), { code: 'record_down' })
  other.exec('ROLLBACK')
  other.close()
  directory.flush()
  assert.equal(again(file).list().length, 1)
})

test('access ends at its moment, not before, and can be given again', () => {
  const directory = again(':memory:')
  const { id } = directory.tell(told, 'scim', now)
  assert.ok(!directory.hasEnded(issuer, 'ada', now))
  directory.change(id, { endsMs: now + 0.5 })
  assert.ok(!directory.hasEnded(issuer, 'ada', now - 1))
  assert.ok(directory.hasEnded(issuer, 'ada', now))
  assert.ok(!directory.hasEnded(issuer, 'eve', now))
  assert.ok(!directory.hasEnded('https://other.example', 'ada', now))
  assert.deepEqual(directory.ended(now - 1, now), [directory.byId(id)])
  assert.deepEqual(directory.ended(now, now + 1), [])
  assert.deepEqual(directory.ended(now - 2, now - 1), [])
  directory.change(id, { endsMs: undefined })
  assert.ok(!directory.hasEnded(issuer, 'ada', now))
  assert.deepEqual(directory.ended(0, Infinity), [])
})

test('a lost group keeps its last moment, is taken back, and is forgotten after a week', (t) => {
  const file = newFile(t)
  const directory = again(file)
  directory.loseGroup(issuer, 'ada', 'a', now)
  directory.loseGroup(issuer, 'ada', 'a', now - 5)
  directory.loseGroup(issuer, 'ada', 'b', now - 5)
  directory.loseGroup(issuer, 'eve', 'a', now)
  const lost = new Map([
    ['a', now],
    ['b', now - 5],
  ])
  assert.deepEqual(directory.lostGroups(issuer, 'ada'), lost)
  assert.deepEqual(again(file).lostGroups(issuer, 'ada'), lost)
  directory.gainGroup(issuer, 'ada', 'a')
  assert.deepEqual(again(file).lostGroups(issuer, 'ada'), new Map([['b', now - 5]]))
  directory.gainGroup(issuer, 'ada', 'b')
  assert.equal(directory.lostGroups(issuer, 'ada'), undefined)
  const later: Clock = { ...clock, nowUs: () => (now + 7 * 86_400_000 + 1) * 1000 }
  assert.equal(openDirectory(file, { clock: later }).lostGroups(issuer, 'eve'), undefined)
  assert.equal(again(file).lostGroups(issuer, 'eve'), undefined)
})

test('an owner comes and goes', (t) => {
  const file = newFile(t)
  const directory = again(file)
  const { id } = directory.tell(told, 'scim', now)
  const robot = directory.tell({ ...told, subject: 'r', kind: 'service' }, 'token', now).id
  assert.equal(directory.change(robot, { owner: id }).owner, id)
  assert.equal(again(file).byId(robot)?.owner, id)
  assert.ok(!('owner' in directory.change(robot, { owner: undefined })))
  assert.equal(again(file).byId(robot)?.owner, undefined)
})

const found: readonly [text: string, who: readonly string[]][] = [
  ['ada', ['ada']],
  ['ADA', []],
  [`${issuer} ada`, ['ada']],
  ['ADA l.', ['ada', 'eve']],
  ['EVE@B.C', ['eve']],
  ['eve@b', []],
  ['', []],
  ['__proto__', []],
]
for (const [text, who] of found) {
  test(`a search for "${text}" finds ${who.join(' and ') || 'nobody'}`, () => {
    const directory = again(':memory:')
    directory.tell({ ...told, email: 'a@b.c' }, 'scim', now)
    directory.tell({ ...told, subject: 'eve', email: 'Eve@b.c' }, 'scim', now)
    directory.tell({ ...told, name: 'ada l.', subject: 'x' }, 'scim', now)
    directory.tell({ ...told, name: 'Other', subject: 'x' }, 'scim', now)
    assert.deepEqual(
      directory.search(text).map(({ subject }) => subject),
      who,
    )
  })
}

test('whatever is told, seen and changed, search agrees with a walk over the list', () => {
  const word = fc.constantFrom('a', 'b', 'A', 'i s')
  const some = fc.record(
    { issuer: word, subject: word, name: word, email: word },
    { requiredKeys: ['issuer', 'subject'] },
  )
  const agrees = fc.property(fc.array(some, { maxLength: 12 }), word, (all, text) => {
    const directory = again(':memory:')
    for (const each of all) {
      const { id } = directory.tell({ ...each, kind: 'person' }, 'scim', now)
      if (each.name === 'b') directory.change(id, { name: undefined })
    }
    const lower = text.toLowerCase()
    const isMeant = ({ email, id, issuer: from, name, subject }: KnownPrincipal): boolean =>
      [id, subject, `${from} ${subject}`].includes(text) ||
      [name, email].some((each) => each?.toLowerCase() === lower)
    const ids = (list: readonly KnownPrincipal[]): string[] => list.map(({ id }) => id).toSorted()
    assert.deepEqual(ids(directory.search(text)), ids(directory.list().filter(isMeant)))
    directory.close()
  })
  fc.assert(agrees)
})
