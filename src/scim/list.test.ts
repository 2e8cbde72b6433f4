import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listUsers, readQuery } from './list.ts'
import { openScimStore } from './store.ts'

test('users that no index finds are looked for in all, and others are served meanwhile', async () => {
  const store = openScimStore(':memory:')
  const many = 1_201
  for (let i = 0; i < many; i++) {
    const body = { title: i % 400 === 0 ? 'found' : 'other', userName: `u${i}` }
    const id = String(i)
    store.saveUser({ id, name: `u${i}`, external: id, version: 1, madeMs: 0, changedMs: 0, body })
  }
  let turns = 0
  const count = (): void => void (turns++, (timer = setImmediate(count)))
  let timer = setImmediate(count)
  const query = readQuery(new URLSearchParams({ filter: 'title eq "found"', count: '3' }))
  const page = await listUsers(store, query, true)
  clearImmediate(timer)
  assert.deepEqual(
    page.rows.map(({ id }) => id),
    ['0', '400', '800'],
  )
  assert.equal(page.total, 4)
  assert.ok(turns >= 3, 'between its parts other work was done')
  store.close()
})

test('a page has 200 at most, and 100 where nobody says', () => {
  const of = (text: string): number => readQuery(new URLSearchParams(text)).count
  assert.deepEqual([of(''), of('count=200'), of('count=999999999')], [100, 200, 200])
})
