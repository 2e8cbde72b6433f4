import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rowId, seal, unseal } from './sealed.ts'
import { Store } from './store.ts'
import type { GrantRow } from './store.ts'

interface Opened {
  readonly store: Store
  readonly ended: GrantRow[]
  readonly clients: unknown[]
  nowMs: number
  network: string
}

function open(onClient?: () => Promise<void>): Opened {
  const opened = {
    ended: [] as GrantRow[],
    clients: [] as unknown[],
    nowMs: 1_000_000,
    network: 'a',
  }
  const store = new Store({
    file: ':memory:',
    nowMs: () => opened.nowMs,
    clientIdleMs: 30 * 86_400_000,
    newClientIdleMs: 86_400_000,
    interactionsMax: 6,
    interactionsPerNetworkMax: 3,
    network: () => opened.network,
    onClient: onClient ?? (async (client) => void opened.clients.push(client)),
    onGrantEnded: (grant) => opened.ended.push(grant),
    usedTwice: () => new Error('used twice'),
  })
  return Object.assign(opened, { store })
}

async function withGrant(at: Opened): Promise<void> {
  await at.store.adapter('Grant').upsert('g1', { accountId: 'pr_a', clientId: 'c' }, 100)
  const payload = { accountId: 'pr_a', clientId: 'c', grantId: 'g1', jti: 'secret', scope: 'mcp' }
  await at.store.adapter('RefreshToken').upsert('secret', payload, 50)
}

test('a row is found by its id only, whole, and gone when its time is over', async () => {
  const at = open()
  await withGrant(at)
  const tokens = at.store.adapter('RefreshToken')
  const found = await tokens.find('secret')
  assert.deepEqual(found, {
    accountId: 'pr_a',
    clientId: 'c',
    grantId: 'g1',
    scope: 'mcp',
    jti: 'secret',
  })
  assert.equal(await tokens.find('secreT'), undefined)
  assert.equal(await tokens.find(rowId('RefreshToken', 'secret')), undefined)
  assert.equal(await at.store.adapter('AuthorizationCode').find('secret'), undefined)
  at.nowMs += 50_000
  assert.equal(await tokens.find('secret'), undefined)
  assert.equal(at.store.sweep(), 1)
})

test('the second to consume ends the grant, and everything of it', async () => {
  const at = open()
  await withGrant(at)
  const tokens = at.store.adapter('RefreshToken')
  await tokens.consume('secret')
  assert.equal((await tokens.find('secret'))?.consumed, 1000)
  await assert.rejects(async () => await tokens.consume('secret'), /used twice/)
  assert.deepEqual(
    at.ended.map(({ id, account, client }) => [id, account, client]),
    [['g1', 'pr_a', 'c']],
  )
  assert.equal(await tokens.find('secret'), undefined)
  assert.deepEqual(at.store.grants(), [])
})
test('what is not there cannot be consumed', async () => {
  const at = open()
  await assert.rejects(
    async () => await at.store.adapter('RefreshToken').consume('x'),
    /used twice/,
  )
  assert.deepEqual(at.ended, [])
})

test('the library’s end of a grant is told once, with whose it was', async () => {
  const at = open()
  await withGrant(at)
  await at.store.adapter('RefreshToken').revokeByGrantId('g1')
  assert.equal(await at.store.adapter('RefreshToken').find('secret'), undefined)
  assert.equal(at.store.grants('pr_a').length, 1)
  await at.store.adapter('Grant').destroy('g1')
  await at.store.adapter('Grant').destroy('g1')
  assert.equal(at.ended.length, 1)
  assert.equal(at.ended[0]?.account, 'pr_a')
})

test('forgetting a person forgets nobody else', async () => {
  const at = open()
  await withGrant(at)
  await at.store.adapter('Grant').upsert('g2', { accountId: 'pr_b', clientId: 'c' }, 100)
  await at.store.adapter('Session').upsert('s', { uid: 'u', accountId: 'pr_a' }, 100)
  assert.equal(at.store.sessionCount('pr_a'), 1)
  assert.equal(at.store.forget('pr_a'), 3)
  assert.deepEqual(
    at.store.grants().map(({ id }) => id),
    ['g2'],
  )
})

test('a session is found by its other name as well, with no more than whose it is', async () => {
  const at = open()
  const sessions = at.store.adapter('Session')
  await sessions.upsert('cookie', { uid: 'u', accountId: 'pr_a', loginTs: 5 }, 100)
  const exp = (at.nowMs + 100_000) / 1000
  assert.deepEqual(await sessions.findByUid('u'), {
    uid: 'u',
    kind: 'Session',
    exp,
    accountId: 'pr_a',
  })
  assert.equal(await sessions.findByUid('cookie'), undefined)
  at.nowMs += 100_000
  assert.equal(await sessions.findByUid('u'), undefined)
})

test('a client that cannot be told of is not kept', async () => {
  const at = open(() => Promise.reject(new Error('no record')))
  await assert.rejects(async () => await at.store.adapter('Client').upsert('c', { client_id: 'c' }))
  assert.equal(at.store.clientCount(), 0)
})

async function begin(at: Opened, id: string, account?: string): Promise<void> {
  at.nowMs++
  const session = account === undefined ? {} : { session: { uid: 'u', accountId: account } }
  await at.store.adapter('Interaction').upsert(id, session, 600)
}
async function left(at: Opened, ids: string): Promise<string> {
  const interactions = at.store.adapter('Interaction')
  const found = await Promise.all(
    Array.from(ids).map(async (id) => ((await interactions.find(id)) === undefined ? '' : id)),
  )
  return found.join('')
}
test('of many requests from one network the oldest go, those of nobody first', async () => {
  const at = open()
  await begin(at, 'a', 'pr_a')
  for (const id of 'bcd') await begin(at, id)
  assert.equal(await left(at, 'abcd'), 'acd')
  at.network = 'b'
  await begin(at, 'e') // Another's are not touched.
  assert.equal(await left(at, 'abcde'), 'acde')
  at.network = 'a'
  await begin(at, 'd', 'pr_a') // Kept anew, as it is with each answer: nothing has to go for it.
  assert.equal(await left(at, 'abcde'), 'acde')
  for (const id of 'fgh') await begin(at, id, 'pr_b')
  assert.equal(await left(at, 'abcdefgh'), 'efgh')
})
test('of many requests from many networks the oldest of nobody go, then the oldest', async () => {
  const at = open()
  for (const [i, id] of Array.from('abcdefghi').entries()) {
    at.network = String(i)
    await begin(at, id, id < 'c' ? 'pr_a' : undefined)
  }
  assert.equal(await left(at, 'abcdefghi'), 'abfghi')
  for (const [i, id] of Array.from('jklmn').entries()) {
    at.network = `more ${i}`
    await begin(at, id, 'pr_b')
  }
  assert.equal(await left(at, 'abcdefghijklmn'), 'bjklmn')
})
test('the bound of requests leaves all else alone', async () => {
  const at = open()
  await withGrant(at)
  await at.store.adapter('Client').upsert('c', { client_id: 'c' })
  for (const [i, id] of Array.from('abcdefghijk').entries()) {
    at.network = String(i)
    await begin(at, id)
  }
  assert.equal(at.store.grants().length, 1)
  assert.ok(await at.store.adapter('RefreshToken').find('secret'))
  assert.equal(at.store.clientCount(), 1)
})

test('a mark is new once, until its time is over', () => {
  const at = open()
  assert.deepEqual(
    [at.store.mark('a', 10), at.store.mark('a', 10), at.store.mark('b', 10)],
    [true, false, true],
  )
  at.nowMs += 10
  assert.equal(at.store.mark('a', 10), true)
})

test('what is sealed opens with its own id and model, unchanged, and with nothing else', () => {
  const text = fc.string({ unit: 'binary' })
  const id = fc.string({ minLength: 20, maxLength: 60 })
  fc.assert(
    fc.property(text, id, fc.nat(), (said, name, at) => {
      const sealed = seal('Session', name, said)
      assert.equal(unseal('Session', name, sealed), said.toWellFormed())
      assert.equal(unseal('Session', `${name}x`, sealed), undefined)
      assert.equal(unseal('Interaction', name, sealed), undefined)
      const bent = Uint8Array.from(sealed)
      bent[at % bent.length] = (bent[at % bent.length] ?? 0) ^ 1
      assert.equal(unseal('Session', name, bent), undefined)
      assert.equal(unseal('Session', name, sealed.subarray(0, at % 28)), undefined)
    }),
  )
})
