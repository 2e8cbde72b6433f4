import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GrantConfig, WhoConfig, WindowConfig } from '../config/types.ts'
import { compileGrants } from './grants.ts'
import type { Bearer, Moment, Nameable } from './grants.ts'
import { holds } from './who.ts'

const ada: Bearer = {
  issuer: 'https://issuer.example',
  subject: 'ada',
  name: 'Ada',
  kind: 'person',
  groups: ['engineers'],
  roles: ['reader'],
  clientId: 'editor',
  claims: { tid: 't1', amr: ['mfa'] },
}
const noon = Date.parse('2026-11-20T12:00:00Z') // A Friday.
const here: Moment = { ip: '10.1.2.3', nowMs: noon }
const office: WindowConfig = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  fromMinute: 8 * 60,
  toMinute: 18 * 60,
  timezone: 'UTC',
}
const grant = (of: Omit<Partial<GrantConfig>, 'may'> = {}): GrantConfig => ({
  who: {},
  may: { connection: '*' },
  ...of,
})
const allowed = (list: GrantConfig[], of: Moment | undefined = here, bearer = ada): boolean =>
  compileGrants(list)(bearer, 'shop', of) !== undefined

const whos: readonly [what: string, misses: WhoConfig, fits: WhoConfig][] = [
  [
    'issuer',
    { issuers: ['https://issuer.example/'] },
    { issuers: ['x', 'https://issuer.example'] },
  ],
  ['no issuer at all', { issuers: [] }, {}],
  ['subject', { subject: 'Ada' }, { subject: 'ada' }],
  ['group', { group: 'engineer' }, { group: 'engineers' }],
  ['group that is a role', { group: 'reader' }, { role: 'reader' }],
  ['kind', { kind: 'service' }, { kind: 'person' }],
  ['client', { client: 'other' }, { client: 'editor' }],
  ['condition', { condition: 'claims.tid == "t2"' }, { condition: 'claims.tid == "t1"' }],
  ['condition that fails', { condition: 'claims.zone == "x"' }, { condition: 'has(claims.tid)' }],
  ['one of two', { group: 'engineers', role: 'admin' }, { group: 'engineers', role: 'reader' }],
]
for (const [what, misses, fits] of whos) {
  test(`a grant for another ${what} does not hold, the right one does`, () => {
    assert.equal(allowed([grant({ who: misses })]), false)
    assert.equal(allowed([grant({ who: fits })]), true)
    assert.equal(holds(misses, ada), false)
    assert.equal(holds(fits, ada), true)
  })
}

test('who has no client and no claims is not whoever is asked for some', () => {
  const { claims: _, clientId: __, ...bare } = ada
  assert.equal(allowed([grant({ who: { client: 'editor' } })], here, bare), false)
  assert.equal(allowed([grant({ who: { condition: 'claims.tid == "t1"' } })], here, bare), false)
})

const limits: readonly [
  what: string,
  of: Partial<GrantConfig>,
  ip: string,
  time: string,
  is: boolean,
][] = [
  ['from elsewhere', { networks: ['10.0.0.0/8'] }, '11.0.0.1', '2026-11-20T12:00:00Z', false],
  ['from a place nobody knows', { networks: ['0.0.0.0/0'] }, '', '2026-11-20T12:00:00Z', false],
  ['from its network', { networks: ['10.0.0.0/8'] }, '10.1.1.1', '2026-11-20T12:00:00Z', true],
  [
    'from its network, mapped',
    { networks: ['10.0.0.0/8'] },
    '::ffff:10.1.1.1',
    '2026-11-20T12:00:00Z',
    true,
  ],
  ['from no network', { networks: [] }, '10.1.1.1', '2026-11-20T12:00:00Z', false],
  ['at night', { windows: [office] }, '10.1.1.1', '2026-11-20T03:00:00Z', false],
  ['on Saturday', { windows: [office] }, '10.1.1.1', '2026-11-21T12:00:00Z', false],
  ['in its hours', { windows: [office] }, '10.1.1.1', '2026-11-20T12:00:00Z', true],
  [
    'in its hours, from elsewhere',
    { windows: [office], networks: ['192.0.2.1'] },
    '10.1.1.1',
    '2026-11-20T12:00:00Z',
    false,
  ],
  ['in no hours', { windows: [] }, '10.1.1.1', '2026-11-20T12:00:00Z', false],
  ['at its end', { expiresMs: noon }, '10.1.1.1', '2026-11-20T12:00:00Z', false],
  ['just before its end', { expiresMs: noon + 1 }, '10.1.1.1', '2026-11-20T12:00:00Z', true],
]
for (const [what, of, ip, time, is] of limits) {
  test(`${what} a grant with limits ${is ? 'holds' : 'does not hold'}`, () => {
    assert.equal(allowed([grant(of)], { ip, nowMs: Date.parse(time) }), is)
  })
}

test('where time and place are not told, a grant with limits does not hold, one without does', () => {
  for (const of of [
    { windows: [office] },
    { networks: ['0.0.0.0/0', '::/0'] },
    { expiresMs: noon * 2 },
  ]) {
    assert.equal(compileGrants([grant(of)])(ada, 'shop'), undefined)
    assert.equal(allowed([grant(of)], { ip: '10.0.0.1', nowMs: Number.NaN }), false)
    const both = compileGrants([grant(of), grant()])(ada, 'shop')
    assert.deepEqual(both?.grants, ['access[1]'])
  }
})

test('a key that is for other connections gives nothing here, whatever its grants say', () => {
  const decide = compileGrants([grant()])
  assert.equal(decide({ ...ada, connections: ['bank'] }, 'shop', here), undefined)
  assert.equal(decide({ ...ada, connections: [] }, 'shop', here), undefined)
  assert.ok(decide({ ...ada, connections: ['bank', 'shop'] }, 'shop', here))
  assert.equal(compileGrants([])({ ...ada, connections: ['shop'] }, 'shop', here), undefined)
})

test('access says when it may change: the first border of a grant that is in question', () => {
  const until = (list: GrantConfig[], of = here): number | undefined =>
    compileGrants(list)(ada, 'shop', of)?.until
  const evening = Date.parse('2026-11-20T18:00:00Z')
  assert.equal(until([grant()]), undefined)
  assert.equal(until([grant({ networks: ['10.0.0.0/8'] })]), undefined)
  assert.equal(until([grant({ windows: [office] })]), evening)
  assert.equal(until([grant({ windows: [office], expiresMs: noon + 5 })]), noon + 5)
  assert.equal(until([grant(), grant({ expiresMs: noon + 7 })]), noon + 7)
  // Closed now, and may open: whoever has a stream open gets more then.
  assert.equal(
    until([grant(), grant({ windows: [{ ...office, fromMinute: 13 * 60 }] })]),
    noon + 3_600_000,
  )
  // What the network keeps out, or has ended, does not come back with time.
  assert.equal(until([grant(), grant({ windows: [office], networks: ['192.0.2.1'] })]), undefined)
  assert.equal(until([grant(), grant({ expiresMs: noon })]), undefined)
})

test('the same answer is the same object, until it changes', () => {
  const decide = compileGrants([grant({ windows: [office] }), grant({ networks: ['10.0.0.0/8'] })])
  const first = decide(ada, 'shop', here)
  assert.equal(decide(ada, 'shop', { ...here, nowMs: noon + 60_000 }), first)
  assert.notEqual(decide(ada, 'shop', { ...here, ip: '192.0.2.1' }), first)
  assert.equal(decide(ada, 'shop', here), first)
  const night = decide(ada, 'shop', { ...here, nowMs: Date.parse('2026-11-20T19:00:00Z') })
  assert.deepEqual(night?.grants, ['access[1]'])
  const plain = compileGrants([grant()])
  assert.equal(plain(ada, 'shop', here), plain(ada, 'shop', { ip: '::1', nowMs: 0 }))
})

test('each day says anew when it ends', () => {
  const decide = compileGrants([grant({ windows: [office] })])
  const until = (time: string): number | undefined =>
    decide(ada, 'shop', { ip: '', nowMs: Date.parse(time) })?.until
  assert.equal(until('2026-11-19T12:00:00Z'), Date.parse('2026-11-19T18:00:00Z'))
  assert.equal(until('2026-11-20T12:00:00Z'), Date.parse('2026-11-20T18:00:00Z'))
})

test('grants keep the order of the list and their names, and reveal only while they hold', () => {
  const decide = compileGrants([
    grant({ name: 'by-day', windows: [office], reveal: 'pan' }),
    grant(),
    grant({ name: 'from-here', networks: ['10.0.0.0/8'] }),
  ])
  assert.deepEqual(decide(ada, 'shop', here)?.grants, ['by-day', 'access[1]', 'from-here'])
  assert.equal(decide(ada, 'shop', here)?.reveal, 'pan')
  const night = { ...here, nowMs: Date.parse('2026-11-20T19:00:00Z') }
  assert.equal(decide(ada, 'shop', night)?.reveal, 'none')
})

test('a condition that fails is told once, with its grant and a code, and is asked again of others', () => {
  const told: string[] = []
  const list = [grant({ name: 'by-zone', who: { condition: 'claims.zone == "x"' } })]
  const decide = compileGrants(list, (line, fault) => told.push(`${line} ${fault}`))
  for (let i = 0; i < 5; i++) assert.equal(decide({ ...ada }, 'shop', here), undefined)
  assert.deepEqual(told, ['by-zone no_such_key'])
  assert.ok(decide({ ...ada, claims: { zone: 'x' } }, 'shop', here))
})

for (const [what, bad] of [
  ['a condition', grant({ who: { condition: 'claims.' } })],
  ['a network', grant({ networks: ['office'] })],
  ['a time zone', grant({ windows: [{ ...office, timezone: 'Nowhere' }] })],
] as const) {
  test(`${what} that is none is refused when grants are compiled`, () => {
    assert.throws(() => compileGrants([bad]), { name: 'Fault', code: 'config_bad' })
  })
}

// A world small enough that random grants often meet random callers.
const few = fc.constantFrom('a', 'b', 'c')
const opt = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(of, { nil: undefined })
/** Members that came out as undefined are left out, as in a file. */
const sparse = <T extends object>(of: {
  [K in keyof Required<T>]: fc.Arbitrary<T[K] | undefined>
}): fc.Arbitrary<T> =>
  fc.record<Record<string, unknown>>(of).map((all) => JSON.parse(JSON.stringify(all)) as T)
const anyWho = sparse<WhoConfig>({
  subject: opt(few),
  issuers: opt(fc.uniqueArray(few, { minLength: 1, maxLength: 2 })),
  group: opt(few),
  role: opt(few),
  kind: opt(fc.constantFrom('person', 'service')),
  client: opt(few),
  condition: opt(
    fc.constantFrom('claims.a == "a"', '"b" in principal.groups', 'has(claims.b)', 'claims.n > 1'),
  ),
})
const anyWindow = fc.record({
  days: fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, { minLength: 1 }),
  fromMinute: fc.nat({ max: 1439 }),
  toMinute: fc.integer({ min: 1, max: 1440 }),
  timezone: fc.constant('UTC'),
})
const namePattern = fc.constantFrom('a', 'b', 'a*', '*')
const anyGrant = sparse<GrantConfig>({
  who: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, anyWho),
  may: sparse<GrantConfig['may']>({
    connection: fc.constantFrom('shop', 'bank', 's*', '*'),
    tools: opt(fc.array(namePattern, { minLength: 1, maxLength: 2 })),
    prompts: opt(fc.array(namePattern, { minLength: 1, maxLength: 2 })),
    resources: fc.constant(undefined),
    methods: fc.constant(undefined),
  }),
  name: opt(fc.constantFrom('one', 'two')),
  reveal: opt(fc.constant('pan' as const)),
  windows: opt(fc.array(anyWindow, { minLength: 1, maxLength: 2 })),
  networks: opt(fc.subarray(['10.0.0.0/8', '10.1.0.0/16', '2001:db8::/32'], { minLength: 1 })),
  expiresMs: opt(fc.integer({ min: noon - 5, max: noon + 5 })),
})
const anyBearer = sparse<Bearer>({
  issuer: few,
  subject: few,
  kind: fc.constantFrom('person', 'service'),
  groups: fc.uniqueArray(few),
  roles: fc.uniqueArray(few),
  clientId: opt(few),
  claims: opt(fc.dictionary(few, few)),
  connections: opt(fc.uniqueArray(fc.constantFrom('shop', 'bank'))),
  name: fc.constant(undefined),
  owner: fc.constant(undefined),
})
const anyMoment = fc.record({
  ip: fc.constantFrom('10.1.0.1', '10.2.0.1', '::ffff:10.1.0.1', '192.0.2.1', '2001:db8::1', ''),
  nowMs: fc.oneof(
    fc.integer({ min: noon - 6, max: noon + 6 }),
    fc.integer({ min: noon, max: noon + 9 * 86_400_000 }),
  ),
})

/** Model: everything looked at anew, in the plainest way there is. */
function names(list: readonly GrantConfig[], bearer: Bearer, of: Moment): string[] {
  const like = (source: string, name: string): boolean =>
    source.endsWith('*') ? name.startsWith(source.slice(0, -1)) : source === name
  const conditions: Record<string, boolean> = {
    'claims.a == "a"': bearer.claims?.['a'] === 'a',
    '"b" in principal.groups': bearer.groups.includes('b'),
    'has(claims.b)': bearer.claims?.['b'] !== undefined,
    'claims.n > 1': false,
  }
  const at = new Date(of.nowMs)
  const minute = at.getUTCHours() * 60 + at.getUTCMinutes()
  const day = (offset: number): string =>
    ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(at.getUTCDay() + offset + 7) % 7] ?? ''
  const isIn = ({ days, fromMinute, toMinute }: WindowConfig): boolean => {
    const has = (name: string): boolean => (days as readonly string[]).includes(name)
    if (fromMinute < toMinute) return has(day(0)) && minute >= fromMinute && minute < toMinute
    if (fromMinute === toMinute) return false
    return (has(day(0)) && minute >= fromMinute) || (has(day(-1)) && minute < toMinute)
  }
  const starts: Record<string, RegExp> = {
    '10.0.0.0/8': /^(::ffff:)?10\./,
    '10.1.0.0/16': /^(::ffff:)?10\.1\./,
    '2001:db8::/32': /^2001:db8:/,
  }
  if (bearer.connections && !bearer.connections.includes('shop')) return []
  return list.flatMap((one, index) => {
    const { client, condition, group, issuers, kind, role, subject } = one.who
    const all = [
      like(one.may.connection, 'shop'),
      !issuers || issuers.includes(bearer.issuer),
      subject === undefined || subject === bearer.subject,
      kind === undefined || kind === bearer.kind,
      group === undefined || bearer.groups.includes(group),
      role === undefined || bearer.roles.includes(role),
      client === undefined || client === bearer.clientId,
      condition === undefined || conditions[condition] === true,
      one.windows === undefined || one.windows.some(isIn),
      one.networks === undefined || one.networks.some((range) => starts[range]?.test(of.ip)),
      one.expiresMs === undefined || of.nowMs < one.expiresMs,
    ]
    return all.includes(false) ? [] : [one.name ?? `access[${index}]`]
  })
}

test('whatever the grants, the caller, the time and the place: the model says the same, also when asked again', () => {
  fc.assert(
    fc.property(
      fc.array(anyGrant, { maxLength: 5 }),
      anyBearer,
      fc.array(anyMoment, { minLength: 1, maxLength: 4 }),
      (list, bearer, moments) => {
        const decide = compileGrants(list)
        for (const of of [...moments, ...moments]) {
          const access = decide(bearer, 'shop', of)
          const want = names(list, bearer, of)
          assert.deepEqual(access?.grants ?? [], want)
          const holding = list.filter(
            (one, index) =>
              want.includes(one.name ?? `access[${index}]`) && names([one], bearer, of).length > 0,
          )
          assert.equal(
            access?.reveal ?? 'none',
            holding.some(({ reveal }) => reveal === 'pan') ? 'pan' : 'none',
          )
          for (const [kind, key] of [
            ['tool', 'tools'],
            ['prompt', 'prompts'],
          ] as const satisfies readonly [Nameable, string][]) {
            for (const name of ['a', 'b', 'ab', 'ba']) {
              const may = holding.some(({ may: { [key]: mine, tools, prompts } }) =>
                (mine ?? ((tools ?? prompts) ? [] : ['*'])).some(
                  (one) => one === name || one === '*' || (one === 'a*' && name.startsWith('a')),
                ),
              )
              assert.equal(access?.allows(kind, name) ?? false, may)
            }
          }
        }
      },
    ),
    { numRuns: 400 },
  )
})

test('until the moment an access names, the same grants hold', () => {
  fc.assert(
    fc.property(
      fc.array(anyGrant, { maxLength: 4 }),
      anyBearer,
      anyMoment,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (list, bearer, of, part) => {
        const access = compileGrants(list)(bearer, 'shop', of)
        const until = access?.until ?? of.nowMs + 30 * 86_400_000
        assert.ok(until > of.nowMs)
        const later = Math.min(until - 1, Math.floor(of.nowMs + (until - of.nowMs) * part))
        if (access) assert.deepEqual(names(list, bearer, { ...of, nowMs: later }), access.grants)
      },
    ),
    { numRuns: 400 },
  )
})
