import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GrantConfig } from '../config/types.ts'
import { describeChange } from './change.ts'

const read: GrantConfig = {
  name: 'read',
  who: { group: 'engineers' },
  may: { connection: 'shop', tools: ['list', 'show'] },
}
const all: GrantConfig = { who: { role: 'analyst' }, may: { connection: 'shop' } }
const none = { added: [], removed: [], changed: [] }

const cases: readonly [
  what: string,
  before: GrantConfig[],
  after: GrantConfig[],
  want: Partial<ReturnType<typeof describeChange>>,
][] = [
  ['nothing', [read, all], [read, all], {}],
  ['only the order', [read, all], [all, read], {}],
  [
    'a grant that came',
    [read],
    [read, all],
    { added: ['access[1]: who role analyst; connection shop; gives everything'] },
  ],
  [
    'a grant that went',
    [all, read],
    [all],
    { removed: ['read: who group engineers; connection shop; tools list, show; name read'] },
  ],
  [
    'a grant that went ahead of another without a name',
    [read, all],
    [all],
    { removed: ['read: who group engineers; connection shop; tools list, show; name read'] },
  ],
  [
    'tools',
    [read],
    [{ ...read, may: { connection: 'shop', tools: ['drop', 'show'] } }],
    { changed: ['read: tools: +drop, -list'] },
  ],
  [
    'who, of a grant with a name',
    [read],
    [{ ...read, who: { group: 'interns' } }],
    { changed: ['read: who: group engineers -> group interns'] },
  ],
  [
    'what is revealed',
    [all],
    [{ ...all, reveal: 'pan' }],
    { changed: ['access[0]: reveal: none -> pan'] },
  ],
  [
    'a whole connection to a tool',
    [all],
    [{ ...all, may: { connection: 'shop', tools: ['a'] } }],
    { changed: ['access[0]: gives no longer everything; tools: none -> a'] },
  ],
  ['a name', [all], [{ ...all, name: 'new' }], { changed: ['new: name: none -> new'] }],
  [
    'one of two for the same people',
    [
      { ...all, may: { connection: 'shop', tools: ['a'] } },
      { ...all, may: { connection: 'shop', tools: ['b'] } },
    ],
    [{ ...all, may: { connection: 'shop', tools: ['b'] } }],
    { removed: ['access[0]: who role analyst; connection shop; tools a'] },
  ],
  [
    'a name in place of another: two grants',
    [{ ...all, name: 'old' }],
    [{ ...all, name: 'new' }],
    {
      removed: ['old: who role analyst; connection shop; gives everything; name old'],
      added: ['new: who role analyst; connection shop; gives everything; name new'],
    },
  ],
  [
    'when, from where and until when',
    [all],
    [
      {
        ...all,
        windows: [{ days: ['sat'], fromMinute: 60, toMinute: 120, timezone: 'UTC' }],
        networks: ['10.0.0.0/8'],
        expiresMs: Date.parse('2027-01-01'),
      },
    ],
    {
      changed: [
        'access[0]: windows: none -> sat 01:00-02:00 UTC; networks: none -> 10.0.0.0/8; expires: none -> 2027-01-01T00:00Z',
      ],
    },
  ],
  [
    'who, of a grant without a name: one went and one came',
    [all],
    [{ ...all, who: {} }],
    {
      removed: ['access[0]: who role analyst; connection shop; gives everything'],
      added: ['access[0]: who everybody; connection shop; gives everything'],
    },
  ],
]
for (const [what, before, after, want] of cases) {
  test(`${what} is told as it is`, () => {
    assert.deepEqual(describeChange(before, after), { ...none, ...want })
  })
}

test('what is long goes on in the next word, and nothing of it is lost', () => {
  for (const shift of ['', 'x', 'xx']) {
    const tools = Array.from({ length: 60 }, (_, i) => `${shift}${i}_💳💳💳💳💳💳`)
    const { added } = describeChange([], [{ ...read, may: { connection: 'shop', tools } }])
    assert.ok(added.length > 2)
    for (const word of added) assert.ok(word.length <= 256 && word.isWellFormed(), word)
    const text = added.map((word) => word.replace('read: ', '').replace(/…$/, '')).join('')
    assert.ok(text.includes(tools.join(', ')))
  }
})

test('nothing is told exactly when the same grants are there', () => {
  const grant = fc.record({
    who: fc.record({ group: fc.constantFrom('a', 'b') }),
    may: fc.record({
      connection: fc.constantFrom('x', 'y'),
      tools: fc.uniqueArray(fc.constantFrom('1', '2'), { minLength: 1 }),
    }),
  })
  const lists = fc.array(grant, { maxLength: 4 })
  const text = (list: GrantConfig[]): string[] => list.map((one) => JSON.stringify(one)).toSorted()
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      const { added, changed, removed } = describeChange(before, after)
      const same = (one: GrantConfig): string[] => [...(one.may.tools ?? [])].toSorted()
      const plain = (list: GrantConfig[]): string[] =>
        text(list.map((one) => ({ ...one, may: { ...one.may, tools: same(one) } })))
      const isSame = JSON.stringify(plain(before)) === JSON.stringify(plain(after))
      assert.equal(added.length + changed.length + removed.length === 0, isSame)
    }),
  )
})
