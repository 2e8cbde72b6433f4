import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Clock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import type { Disk } from '../base/disk.ts'
import { openDirectory } from '../identity/directory-store.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import { openServiceAccounts } from '../identity/service-account-store.ts'
import { createMasker } from '../mask/masker.ts'
import { share } from '../record/entry.ts'
import { openRecord } from '../record/record.ts'
import { readRecord } from '../record/read.ts'
import type { RecordedEntry } from '../record/read.ts'
import { pan } from '../../tests/cards.ts'
import { answerAccess } from './access-answer.ts'
import { parseAboutAccess } from './access-asked.ts'
import type { AboutAccess } from './access-asked.ts'
import type { AccessDesk } from './access-desk.ts'
import { reviewCommand, showCommand } from './access.ts'
import type { ReviewOptions, ShowOptions } from './access.ts'

const day = 86_400_000
const start = Date.parse('2026-11-20T12:00:00Z')
const issuer = 'https://login.example/acme'
const masker = createMasker({ sealKey: new Uint8Array(32) })

interface House {
  readonly desk: AccessDesk
  readonly call: (tool: string, rule: string) => Promise<void>
  readonly entries: () => Promise<RecordedEntry[]>
  nowMs: number
  disk: Disk
}

async function houseOf(t: TestContext): Promise<House> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-access-'))
  const clock: Clock = { nowUs: () => house.nowMs * 1000, monotonicMs: () => 0 }
  const dir = join(dataDir, 'record')
  const options = { dir, writer: 'w1', disk: realDisk, freeBytesMin: 0, segmentBytesMax: 1_000_000 }
  const state: Partial<House> = { nowMs: start, disk: realDisk }
  const house = state as House
  const { recorder } = await openRecord({ ...options, clock })
  const stores = {
    directory: openDirectory(':memory:', { clock }),
    revocations: openRevocations(':memory:', { clock }),
    serviceAccounts: openServiceAccounts(':memory:', { clock, key: new Uint8Array(32) }),
  }
  t.after(async () => {
    for (const store of Object.values(stores)) store.close()
    await recorder.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const never = (): never => assert.fail('nothing is stopped by a look')
  const desk: AccessDesk = {
    ...stores,
    clock,
    recorder,
    masker,
    stop: never,
    lift: never,
    dataDir,
    get place() {
      return { disk: house.disk, dir, writer: 'w1' }
    },
    issuers: [{ name: 'corp', issuer, isEntra: false }],
    connections: ['bank', 'shop'],
    serviceKeyMs: 90 * day,
    access: {
      roles: { admin: { group: 'platform' }, approver: { kind: 'person' } },
      grants: [
        {
          name: 'read',
          who: { group: 'engineers' },
          may: { connection: 'shop', tools: ['list', 'show_*'] },
        },
        { name: 'all', who: { role: 'analyst' }, may: { connection: '*' }, reveal: 'pan' },
        { name: 'office', who: {}, may: { connection: 'bank' }, networks: ['10.0.0.0/8'] },
      ],
    },
  }
  const call = async (tool: string, rule: string): Promise<void> => {
    const who = masker.words({ issuer, subject: 'ada', kind: 'person' as const })
    const shared = share({ exchange: `ex_${tool}`, connection: 'shop', principal: who })
    const received = {
      ...({
        type: 'call.received',
        era: 'modern',
        version: '2026-07-28',
        rpcKind: 'request',
      } as const),
      method: masker.word('tools/call'),
      target: { kind: 'tool', name: masker.word(tool) } as const,
      ...({ bytes: 1, decision: 'allow', rule } as const),
    }
    await recorder.append('d', shared, [{ entry: received }])
  }
  const entries = async (): Promise<RecordedEntry[]> => {
    const all: RecordedEntry[] = []
    for await (const entry of readRecord({ disk: realDisk, dir, writer: 'w1' })) all.push(entry)
    return all
  }
  return Object.assign(house, { desk, call, entries })
}

const view = { isAll: false, format: 'text' } as const
const text = async (asked: AboutAccess, { desk }: House): Promise<string> =>
  (await answerAccess(asked, 'root', desk)).join('')

test('nobody, several, and no configuration are refused without their names', async (t) => {
  const house = await houseOf(t)
  const { desk } = house
  await assert.rejects(text({ what: 'access', principal: 'eve', ...view }, house), {
    code: 'path_unknown',
  })
  for (const subject of ['a', 'b']) {
    desk.directory.tell({ issuer, subject, kind: 'person', name: 'Sam' }, 'scim', start)
  }
  await assert.rejects(text({ what: 'access', principal: 'sam', ...view }, house), {
    code: 'path_unknown',
  })
  const bare = { ...desk, access: undefined }
  await assert.rejects(answerAccess({ what: 'access', principal: 'a', ...view }, 'root', bare), {
    code: 'config_bad',
  })
  const asked = { what: 'access-review', sinceMs: day, format: 'text' } as const
  await assert.rejects(answerAccess(asked, 'root', bare), { code: 'config_bad' })
})

test('access is shown connection by connection, with grant and reason, and what is lacking on demand', async (t) => {
  const house = await houseOf(t)
  house.desk.directory.tell(
    { issuer, subject: 'ada', kind: 'person', name: 'Ada', groups: ['engineers'] },
    'scim',
    start,
  )
  const asked = { what: 'access', principal: 'ada', ...view } as const
  const plain = await text(asked, house)
  assert.match(
    plain,
    /Ada, ada {2}\(person of https:\/\/login\.example\/acme\), never seen\n2026-11-20T12:00:00Z, from an unknown address/,
  )
  assert.match(plain, /\nshop\n {4}read: tools list, show_\*\n {6}because: group engineers\n/)
  assert.doesNotMatch(plain, /bank|all:/)
  const full = await text({ ...asked, isAll: true }, house)
  assert.match(full, /- all: the whole connection; card numbers in clear\n {6}lacks: role analyst/)
  assert.match(
    full,
    /- office: the whole connection\n {6}lacks: from 10\.0\.0\.0\/8 \(no address is known\)/,
  )
  const lines = (await text({ ...asked, ip: '10.1.1.1', format: 'jsonl' }, house))
    .trim()
    .split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        connection: 'bank',
        grant: 'office',
        isHolding: true,
        reveal: 'none',
        because: ['from 10.0.0.0/8'],
      },
      {
        connection: 'shop',
        grant: 'read',
        isHolding: true,
        tools: ['list', 'show_*'],
        reveal: 'none',
        because: ['group engineers'],
      },
    ],
  )
  assert.equal((await house.entries()).length, 0, 'what is configured is no part of the record')
})

test('whoever is stopped, or whose access ended, has nothing', async (t) => {
  const house = await houseOf(t)
  const { directory, revocations } = house.desk
  const ada = directory.tell(
    { issuer, subject: 'ada', kind: 'person', groups: ['engineers'] },
    'scim',
    start,
  )
  const asked = { what: 'access', principal: 'ada', ...view } as const
  directory.change(ada.id, { endsMs: start })
  assert.match(await text(asked, house), /No grant gives anything/)
  assert.match(await text({ ...asked, isAll: true }, house), /lacks: access that has not ended/)
  directory.change(ada.id, { endsMs: undefined })
  const target = { kind: 'principal', issuer, subject: 'ada' } as const
  const stop = revocations.add({
    target,
    reason: 'r',
    by: 'root',
    source: 'cli',
    madeMs: start,
    fromMs: start,
  })
  assert.match(
    await text({ ...asked, isAll: true }, house),
    new RegExp(`lacks: not being stopped \\(${stop.id}\\)`),
  )
})

test('a service account has what its grants give on the connections of its keys', async (t) => {
  const house = await houseOf(t)
  const account = {
    name: 'etl',
    owner: 'pr_1',
    groups: ['engineers'],
    roles: ['analyst'],
    connections: ['bank'],
  }
  house.desk.serviceAccounts.make(account, start)
  const shown = await text({ what: 'access', principal: 'etl', ...view, isAll: true }, house)
  assert.match(shown, /bank\n {4}all: .*\n {6}because: a key for this connection, role analyst/)
  assert.match(shown, /shop\n {2}- read: .*\n {6}lacks: a key for this connection/)
})

test('a card number in a name is masked', async (t) => {
  const house = await houseOf(t)
  const number = pan('4', 16)
  house.desk.directory.tell(
    { issuer, subject: 'ada', kind: 'person', name: `Ada ${number}`, groups: ['engineers'] },
    'scim',
    start,
  )
  const shown = await text({ what: 'access', principal: 'ada', ...view }, house)
  assert.match(shown, /Ada/)
  assert.ok(!shown.includes(number))
  house.nowMs += 100 * day
  const review = await text({ what: 'access-review', sinceMs: 90 * day, format: 'text' }, house)
  assert.match(review, /never seen: 1/)
  assert.ok(!review.includes(number))
})

test('a review reads the record, says so in it, and tells what was not used', async (t) => {
  const house = await houseOf(t)
  house.desk.directory.tell(
    { issuer, subject: 'eve', kind: 'person', groups: ['engineers', 'platform'] },
    'scim',
    start,
  )
  await house.call('list', 'read')
  house.nowMs += 89 * day
  await house.call('show_x', 'read')
  const asked = { what: 'access-review', sinceMs: 90 * day, format: 'text' } as const
  const now = await text(asked, house)
  assert.match(now, /Grants nobody used: 2\n {2}all /)
  assert.match(now, /Granted by name and never called: 0\n {2}none\n/)
  assert.match(now, /No review is recorded: one is due now/)
  assert.match(now, /Roles that exclude each other: 1\n.*eve of .*: admin and approver/)
  house.nowMs += 2 * day
  const later = await text(asked, house)
  assert.match(later, /Granted by name and never called: 1\n {2}read: tool list\n/)
  assert.match(later, /never seen: 1\n.*eve of .*: read, office; known since 2026-11-20/)
  const looks = (await house.entries()).filter(({ type }) => type === 'record.viewed')
  assert.deepEqual(
    looks
      .map(({ fields, principal }) => [
        principal?.subject,
        fields['query'],
        fields['shown'] ?? null,
      ])
      .slice(0, 2),
    [
      ['root', 'access review since 2026-11-19T12:00:00Z', null],
      ['root', 'access review since 2026-11-19T12:00:00Z', 3],
    ],
  )
})

test('a signed-off review is on the disk, in the record by its hash, and remembered by the next', async (t) => {
  const house = await houseOf(t)
  await house.call('list', 'read')
  const asked = { what: 'access-review', sinceMs: 90 * day, format: 'jsonl' } as const
  const [report = '', signed = ''] = await answerAccess(
    { ...asked, signOff: 'agreed' },
    'root',
    house.desk,
  )
  const { file, nextDue, sha256 } = JSON.parse(signed) as Record<string, string>
  assert.equal(sha256, createHash('sha256').update(report).digest('hex'))
  const path = join(house.desk.dataDir, file ?? '')
  assert.equal(readFileSync(path, 'utf8'), report)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(nextDue, new Date(start + 180 * day).toISOString())
  const entry = (await house.entries()).find(({ type }) => type === 'access.reviewed')
  const details = entry?.fields['details'] as Record<string, unknown>
  assert.equal(entry?.principal?.subject, 'root')
  assert.deepEqual(
    [
      details['sha256'],
      details['reason'],
      details['file'],
      details['grants'],
      details['grantsUnused'],
    ],
    [sha256, 'agreed', file, 3, 2],
  )
  house.nowMs += 10 * day
  const next = await text({ ...asked, format: 'text' }, house)
  assert.match(next, /Last signed off 2026-11-20 by root; the next is due by 2027-05-19\./)
  house.nowMs += 180 * day
  assert.match(await text({ ...asked, format: 'text' }, house), /It is overdue/)
})

test('a report that cannot be written is not signed off, and is not shown as if it were', async (t) => {
  const house = await houseOf(t)
  const broken = (): Promise<never> =>
    Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
  house.disk = { ...realDisk, create: broken }
  const asked = { what: 'access-review', sinceMs: day, signOff: 'agreed', format: 'text' } as const
  await assert.rejects(text(asked, house), { code: 'ENOSPC' })
  assert.ok((await house.entries()).every(({ type }) => type !== 'access.reviewed'))
})

test('a look that cannot be recorded shows nothing', async (t) => {
  const house = await houseOf(t)
  await house.desk.recorder.append('d', share({}), []).catch(() => undefined)
  const recorder = { append: () => Promise.reject(new Error('down')) }
  const asked = { what: 'access-review', sinceMs: day, signOff: 'x', format: 'text' } as const
  await assert.rejects(answerAccess(asked, 'root', { ...house.desk, recorder }))
  assert.ok(!readdirSync(house.desk.dataDir).includes('reviews'))
})

const bodies: readonly [what: string, body: unknown][] = [
  ['nothing', undefined],
  ['another question', { what: 'sessions', format: 'text' }],
  ['no principal', { what: 'access', isAll: false, format: 'text' }],
  ['a member too many', { what: 'access-review', sinceMs: 1, format: 'text', force: true }],
  ['an empty reason', { what: 'access-review', sinceMs: 1, format: 'text', signOff: '' }],
  ['no time at all', { what: 'access-review', sinceMs: 0, format: 'text' }],
]
for (const [what, body] of bodies) {
  test(`a body with ${what} asks for nothing`, () =>
    assert.equal(parseAboutAccess(body), undefined))
}

function outlets(): { out: PassThrough; errors: PassThrough; said: () => string } {
  const [out, errors] = [new PassThrough(), new PassThrough()]
  return { out, errors, said: () => `${String(out.read() ?? '')}${String(errors.read() ?? '')}` }
}
const nobody = (): Promise<number> => assert.fail('nobody should be asked')

const wrongShows: readonly [
  what: string,
  principal: string | undefined,
  options: ShowOptions,
  words: RegExp,
][] = [
  ['nobody', undefined, {}, /Name a principal, or describe one/],
  ['somebody known and imagined', 'ada', { group: ['x'] }, /not both/],
  ['an address that is none', 'ada', { from: 'office' }, /--from/],
  ['a time that is none', 'ada', { at: 'tomorrow' }, /--at/],
  ['a kind that is none', undefined, { kind: 'robot' }, /--kind/],
]
for (const [what, principal, options, words] of wrongShows) {
  test(`access show of ${what} says what is wrong`, async () => {
    const to = outlets()
    assert.equal(await showCommand(principal, options, to, nobody), 2)
    assert.match(to.said(), words)
  })
}

const wrongReviews: readonly [what: string, options: ReviewOptions, words: RegExp][] = [
  ['a time that is none', { since: '90' }, /--since/],
  ['no time', { since: '0d' }, /--since/],
  ['more than ten years', { since: '4000d' }, /--since/],
  ['a signature without a reason', { since: '90d', signOff: true }, /--by-reason TEXT/],
  [
    'a signature with a blank reason',
    { since: '90d', signOff: true, byReason: ' ' },
    /--by-reason TEXT/,
  ],
  ['a reason without a signature', { since: '90d', byReason: 'x' }, /goes with --sign-off/],
]
for (const [what, options, words] of wrongReviews) {
  test(`access review with ${what} says what is wrong`, async () => {
    const to = outlets()
    assert.equal(await reviewCommand(options, to, nobody), 2)
    assert.match(to.said(), words)
  })
}

const config = `
data_dir: ./data
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: 'http://127.0.0.1:9/mcp' }]
access:
  - { name: read, who: { group: engineers, issuer: local }, may: { connection: shop, tools: [list] } }
  - { name: cleared, who: { condition: 'claims.level > 2' }, may: { connection: shop } }
`

test('somebody imagined is looked up in the file alone', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-access-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const [file, claims] = [join(dir, 'sallyport.yaml'), join(dir, 'claims.json')]
  writeFileSync(file, config)
  writeFileSync(claims, '{"level": 3}')
  const show = async (options: ShowOptions): Promise<string> => {
    const to = outlets()
    assert.equal(await showCommand(undefined, { config: file, ...options }, to, nobody), 0)
    return to.said()
  }
  assert.match(
    await show({ group: ['engineers'] }),
    /Somebody of kind person, group engineers\n[^]*read: tools list\n/,
  )
  assert.match(await show({ role: ['engineers'] }), /No grant gives anything/)
  assert.match(await show({ claims, issuer: 'local' }), /cleared: the whole connection/)
  assert.match(
    await show({ group: ['engineers'], all: true }),
    /lacks: condition claims\.level > 2 \(no_such_key\)/,
  )
  assert.match(
    await show({ group: ['engineers'], issuer: 'service-accounts' }),
    /No grant gives anything/,
  )
  writeFileSync(claims, '[1]')
  await assert.rejects(show({ claims }), { code: 'config_bad' })
  await assert.rejects(show({ issuer: 'nobody' }), { code: 'config_bad' })
})
