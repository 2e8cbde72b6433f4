/** Registrations by strangers: neither many of them nor one with many addresses shuts others out. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openDesk } from './desk.fixture.ts'
import { clientId, codeFor, register } from './flow.fixture.ts'
import { Registrations } from './registrations.ts'
import { Store } from './store.ts'

const hourMs = 3_600_000

interface Door {
  readonly store: Store
  readonly registrations: Registrations
  aheadMs: number
  /** @returns whether it is kept. */
  register(ip: string, id: string): Promise<boolean>
}

function open(limits: {
  perNetworkHourMax: number
  perHourMax?: number
  clientsMax?: number
}): Door {
  const nowMs = (): number => 1_000_000 + door.aheadMs
  const clock = { nowUs: () => nowMs() * 1000, monotonicMs: nowMs }
  const store = new Store({
    file: ':memory:',
    nowMs,
    clientIdleMs: 30 * 24 * hourMs,
    newClientIdleMs: 24 * hourMs,
    interactionsMax: 10,
    interactionsPerNetworkMax: 10,
    network: () => '',
    onClient: async () => {},
    onGrantEnded: () => {},
    usedTwice: () => new Error('used twice'),
  })
  const registrations = new Registrations(clock, store, limits)
  const door: Door = {
    store,
    registrations,
    aheadMs: 0,
    register: async (ip, id) => {
      if (!registrations.mayAsk(ip) || !registrations.mayKeep()) return false
      door.aheadMs++
      await store.adapter('Client').upsert(id, { client_id: id })
      return true
    },
  }
  return door
}

const ids = ({ store }: Door): string[] => store.clients().map(({ id }) => id)
const allow = (at: Door, id: string): Promise<unknown> =>
  Promise.resolve(
    at.store.adapter('Grant').upsert(`g-${id}`, { accountId: 'pr_a', clientId: id }, 100),
  )

test('ten thousand registrations of many networks shut nobody out', async () => {
  const at = open({ perNetworkHourMax: 30 })
  await at.register('192.0.2.1', 'in-use')
  await allow(at, 'in-use')
  await at.register('192.0.2.1', 'unused')
  for (let i = 0; i < 10_000; i++) {
    const network = Math.floor(i / 25).toString(16)
    assert.equal(await at.register(`2001:db8:${network}:1::${i % 25}`, `flood-${i}`), true)
  }
  assert.equal(await at.register('198.51.100.1', 'honest'), true)
  assert.equal(at.store.clientCount(), 10_000)
  const kept = ids(at)
  assert.deepEqual(
    ['in-use', 'unused', 'flood-0', 'flood-9999', 'honest'].map((id) => kept.includes(id)),
    [true, false, false, true, true],
  )
})

test('the oldest that nobody allowed anything goes first, whatever has been asked for since', async () => {
  const at = open({ perNetworkHourMax: 100, clientsMax: 3 })
  for (const id of ['a', 'b', 'c']) await at.register('192.0.2.1', id)
  await allow(at, 'a')
  at.aheadMs += 20 * hourMs
  await at.store.adapter('Client').find('b') // It is in use in the least sense.
  assert.equal(await at.register('192.0.2.1', 'd'), true)
  assert.deepEqual(ids(at), ['a', 'c', 'd'])
})

test('with all of them in use nobody else gets in, until one has ended', async () => {
  const at = open({ perNetworkHourMax: 100, clientsMax: 2 })
  for (const id of ['a', 'b']) {
    await at.register('192.0.2.1', id)
    await allow(at, id)
  }
  assert.equal(await at.register('192.0.2.1', 'c'), false)
  assert.deepEqual(ids(at), ['a', 'b'])
  at.aheadMs += 29 * 24 * hourMs
  await at.store.adapter('Client').find('b')
  at.aheadMs += 2 * 24 * hourMs
  assert.equal(await at.register('192.0.2.1', 'c'), true) // Nobody has swept in between.
  assert.deepEqual(ids(at), ['b', 'c'])
})

test('a client that was allowed something once is not dropped when its grant has ended', async () => {
  const at = open({ perNetworkHourMax: 100, clientsMax: 1 })
  await at.register('192.0.2.1', 'a')
  await allow(at, 'a')
  at.store.endGrant('g-a')
  assert.equal(await at.register('192.0.2.1', 'b'), false)
})

const bounds: readonly [what: string, ips: readonly string[], isTaken: boolean[]][] = [
  ['one address', ['192.0.2.1', '192.0.2.1', '192.0.2.1'], [true, true, false]],
  ['three addresses', ['192.0.2.1', '192.0.2.2', '192.0.2.3'], [true, true, true]],
  [
    'one network of IPv6',
    ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:f::1', '2001:db8:0:1::1'],
    [true, true, false, true],
  ],
]
for (const [what, ips, isTaken] of bounds) {
  test(`registrations are counted by network: ${what}`, () => {
    const { registrations } = open({ perNetworkHourMax: 2 })
    assert.deepEqual(
      ips.map((ip) => registrations.mayAsk(ip)),
      isTaken,
    )
  })
}

test('a site of many networks may do as much as eight, and its neighbour as well', () => {
  const at = open({ perNetworkHourMax: 2 })
  const asks = Array.from({ length: 40 }, (_, i) => at.registrations.mayAsk(`2001:db8:1:${i}::1`))
  assert.equal(asks.filter(Boolean).length, 16)
  assert.equal(at.registrations.mayAsk('2001:db8:2:1::1'), true)
  at.aheadMs = hourMs
  assert.equal(at.registrations.mayAsk('2001:db8:1:1::1'), true)
})

test('all together register so many an hour, and bad registrations are none of them', async () => {
  const at = open({ perNetworkHourMax: 100, perHourMax: 2 })
  for (let i = 0; i < 20; i++) at.registrations.mayAsk('192.0.2.9')
  const kept = []
  for (const id of ['a', 'b', 'c']) kept.push(await at.register('192.0.2.1', id))
  assert.deepEqual(kept, [true, true, false])
  at.aheadMs += hourMs
  assert.equal(await at.register('192.0.2.1', 'd'), true)
})

test('a person’s yes is what keeps a client, seen through the whole server', async () => {
  const desk = await openDesk()
  try {
    const [used, unused] = [await clientId(desk), await clientId(desk)]
    await codeFor(desk, used)
    const left = (id: string): number =>
      (desk.server.clients().find((one) => one.id === id)?.expiresMs ?? 0) - Date.now()
    assert.ok(left(used) > 29 * 24 * hourMs)
    assert.ok(left(unused) > 23 * hourMs && left(unused) <= 24 * hourMs)
  } finally {
    await desk.close()
  }
})

test('a full house is full through the whole server, as long as all in it are in use', async () => {
  const desk = await openDesk()
  const db = new DatabaseSync(join(desk.dataDir, 'state.sqlite'))
  const endMs = Date.now() + 24 * hourMs
  try {
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO oauth_rows (model, id, client, made_ms, expires_ms, consumed_s)
      SELECT 'Client', 'x' || i, 'x' || i, i, ${endMs}, 1 FROM n`)
    assert.equal((await register(desk)).status, 429)
    assert.deepEqual(desk.notes, []) // What is refused is not recorded: there may be many.
    db.exec(`UPDATE oauth_rows SET consumed_s = NULL WHERE id = 'x7'`)
    assert.equal((await register(desk)).status, 201)
    assert.equal(
      desk.server.clients().some(({ id }) => id === 'x7'),
      false,
    )
  } finally {
    db.close()
    await desk.close()
  }
})

test('a registration that is bad is told so, however many there were', async () => {
  const desk = await openDesk({ registrationsPerHourMax: 2 })
  try {
    assert.equal((await register(desk, { redirect_uris: [] })).status, 400)
    assert.equal((await register(desk)).status, 201)
    assert.equal((await register(desk)).status, 429)
  } finally {
    await desk.close()
  }
})
