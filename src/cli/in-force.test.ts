import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { readConfig } from '../config/config.ts'
import type { Config } from '../config/config.ts'
import type { Identity } from '../identity/identify.ts'
import type { Principal } from '../identity/principal.ts'
import { createUsedTokens } from '../identity/replay.ts'
import { Standing } from '../identity/tokens.fixture.ts'
import { compileRules } from '../policy/rules.ts'
import type { Details } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { identities, openKnown } from './identities.ts'
import { Live, keepLast, needRestart, noteChange, readLast, rulesOf } from './in-force.ts'

interface Parts {
  readonly identity: string
  readonly url: string
  readonly access: string
  readonly console: string
  readonly rest: string
  readonly profile: string
}

const usual: Parts = {
  identity: 'issuers: [{ name: company, type: oidc, issuer: "https://login.example" }]',
  url: 'http://127.0.0.1:9/mcp',
  access: '{ name: staff, who: { group: staff }, may: { connection: shop } }',
  console: '',
  rest: '',
  profile: 'pci',
}

function configOf(over: Partial<Parts> = {}): Config {
  const { access, console, identity, profile, rest, url } = { ...usual, ...over }
  const text = `
data_dir: data
identity: { ${identity} }
connections: [{ name: shop, url: "${url}", profile: ${profile} }]
access: [${access}]
console: { ${console} }
${rest}
`
  return readConfig(text, '/etc/sallyport/sallyport.yaml').config
}

const local = '{ name: local, type: local }'
const changes: readonly [what: string, over: Partial<Parts>, needed: string[]][] = [
  ['grants', { access: '' }, []],
  ['roles', { console: 'roles: { admin: { group: ops } }' }, []],
  ['issuers', { identity: 'issuers: [{ name: c, type: oidc, issuer: "https://c.example" }]' }, []],
  ['rules', { rest: 'rules: [{ name: a, when: "true", effect: deny }]' }, []],
  ['a profile', { profile: 'none' }, []],
  ['how held calls wait', { rest: 'holds: { wait: 10s }' }, []],
  [
    'who is told',
    { rest: 'notify: [{ name: a, type: slack, url: "https://hooks.example" }]' },
    ['notify'],
  ],
  ['a decision point', { rest: 'decision_point: { url: "https://o.example" }' }, ['decisionPoint']],
  ['a connection', { url: 'http://127.0.0.1:9/other' }, ['connections']],
  ['the pages', { console: 'session_idle: 5m' }, ['console']],
  ['limits', { rest: 'limits: { stop_grace: 1s }' }, ['limits']],
  ['the record', { rest: 'record: { free_bytes_min: 1MiB }' }, ['record']],
  ['a listener', { rest: 'listen: { hosts: [mcp.example] }' }, ['listen']],
  ['what is masked', { rest: 'masking: { threshold: high }' }, ['connections']],
  ['idleness', { identity: `${usual.identity}, idle_after: 30d` }, ['identity']],
  [
    'the local issuer',
    { identity: usual.identity.replace('[', `[${local}, `) },
    ['identity.issuers (local)'],
  ],
  [
    'two of them, beside grants',
    { access: '', rest: 'log: { level: debug }', url: 'http://127.0.0.1:9/other' },
    ['connections', 'log'],
  ],
]
for (const [what, over, needed] of changes) {
  const then = needed.length === 0 ? 'is taken up' : `needs a restart: ${needed.join(', ')}`
  test(`a change of ${what} ${then}`, () => {
    assert.deepEqual(needRestart(configOf(), configOf(over)).toSorted(), needed)
    assert.deepEqual(needRestart(configOf(over), configOf()).toSorted(), needed)
  })
}

function openNote(): { note: Note; told: (Details & { type: string })[] } {
  const told: (Details & { type: string })[] = []
  const note: Note = async (type, _about, details) => void told.push({ ...details, type })
  return { note, told }
}

test('a change is told in words, once for the file and once for the access', async () => {
  const { note, told } = openNote()
  const before = rulesOf({ config: configOf(), sha256: 'aa' })
  const config = configOf({
    access: `${usual.access.replace('connection: shop', 'connection: shop, tools: [read]')}, { name: ci, who: { kind: workload }, may: { connection: shop } }`,
    console: 'roles: { admin: { group: ops } }',
  })
  await noteChange(before, rulesOf({ config, sha256: 'bb' }), 'file', note)
  const [file, access, ...more] = told
  assert.deepEqual(file, { type: 'config.changed', from: 'aa', to: 'bb', by: 'file' })
  assert.deepEqual(access, {
    type: 'access.changed',
    what: 'access',
    by: 'file',
    added: [
      'ci: who kind workload; connection shop; gives everything; name ci',
      'console role admin: group ops',
    ],
    removed: [],
    changed: ['staff: gives no longer everything; tools: none -> read'],
  })
  assert.deepEqual(more, [])
})

test('a change of rules is told in words, each rule by its name', async () => {
  const { note, told } = openNote()
  const was = `rules:
  - { name: writes, when: 'sql.exists(s, s.writes)', effect: hold, reviewers: { role: a }, expires: 5m }
  - { name: gone, when: 'true', effect: allow, mask: true }`
  const is = `rules:
  - { name: writes, when: 'sql.exists(s, s.writes)', effect: deny }
  - { name: new, when: 'tool.changed', effect: hold, quorum: 2, limit: { rows: 5 } }
holds: { wait: 30s, emergency: { who: { role: on-call } } }`
  const before = rulesOf({ config: configOf({ rest: was, profile: 'none' }), sha256: 'aa' })
  const after = rulesOf({ config: configOf({ rest: is, profile: 'none' }), sha256: 'bb' })
  await noteChange(before, after, 'file', note)
  assert.deepEqual(told[1], {
    type: 'access.changed',
    what: 'policy',
    by: 'file',
    added: ['rule new: when tool.changed; effect hold; rows 5; reviewers 2 of any approver'],
    removed: ['rule gone: when true; effect allow; mask true'],
    changed: [
      'holds: wait_ms: 45000 -> 30000; emergency: none -> role on-call',
      'rule writes: effect: hold -> deny; expires_ms: 300000 -> none; reviewers: 1 of role a -> none',
    ],
  })
  await noteChange(after, after, 'file', note)
  assert.equal(told.length, 2)
})

test('another profile is told by its name and its rules', async () => {
  const { note, told } = openNote()
  const [pci, none] = ['pci', 'none'].map((profile) =>
    rulesOf({ config: configOf({ profile }), sha256: 'aa' }),
  )
  assert.ok(pci && none)
  await noteChange(none, pci, 'file', note)
  const [change] = told
  assert.ok(Array.isArray(change?.['added']))
  assert.deepEqual(change['changed'], ['connection shop: profile: none -> pci'])
  assert.match(
    String(change['added'][0]),
    /^profile pci: otherwise allow; suspicious \w+; exposure_days 30; answers lists, withheld never$/,
  )
  assert.ok(change['added'].every((line) => String(line).length <= 260))
  assert.ok(
    change['added'].some((line) =>
      String(line).startsWith('profile pci rule cardholder-writes: when '),
    ),
  )
})

test('a comment is no change of access, and the same file is no change at all', async () => {
  const { note, told } = openNote()
  const rules = rulesOf({ config: configOf(), sha256: 'aa' })
  await noteChange(rules, { ...rules, sha256: 'bb' }, 'file', note)
  await noteChange(rules, rules, 'file', note)
  assert.deepEqual(
    told.map(({ type }) => type),
    ['config.changed'],
  )
})

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-in-force-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

test('what was in force is kept for the owner alone, and read back as no change', async (t) => {
  const dir = folder(t)
  assert.equal(readLast(dir), undefined)
  const access = `{ who: { issuer: company, condition: "claims.level > 2" }, may: { connection: "sh*" }, reveal: pan, networks: [10.0.0.0/8], windows: [{ hours: "08:00-18:00" }], expires: 2027-01-31 }`
  const config = configOf({ access, console: 'roles: { auditor: { role: audit } }' })
  const rules = rulesOf({ config, sha256: 'aa' })
  keepLast(dir, rules)
  assert.equal(statSync(join(dir, 'access.json')).mode & 0o777, 0o600)
  const { note, told } = openNote()
  await noteChange(readLast(dir), rules, 'start', note)
  assert.deepEqual(told, [])
})

const damaged: readonly [what: string, text: string][] = [
  ['no policy', '{"sha256":"aa","access":[],"roles":{}}'],
  ['a policy that is null', '{"sha256":"aa","access":[],"roles":{},"policy":null}'],
  ['a rule that is null', '{"sha256":"aa","access":[],"roles":{},"policy":{"rule a":null}}'],
  ['nothing', ''],
  ['half of it', '{"sha256":"aa","acc'],
  ['no object', '[]'],
  ['null', 'null'],
  ['no hash', '{"access":[],"roles":{},"policy":{}}'],
  ['roles that are null', '{"sha256":"aa","access":[],"roles":null,"policy":{}}'],
  ['a role that is none', '{"sha256":"aa","access":[],"roles":{"admin":null},"policy":{}}'],
  ['a grant that is none', '{"sha256":"aa","access":[null],"roles":{},"policy":{}}'],
  [
    'a grant for nobody',
    '{"sha256":"aa","access":[{"may":{"connection":"a"}}],"roles":{},"policy":{}}',
  ],
  ['a grant of nothing', '{"sha256":"aa","access":[{"who":{}}],"roles":{},"policy":{}}'],
  [
    'a condition that is a number',
    '{"sha256":"aa","access":[{"who":{"condition":1},"may":{"connection":"a"}}],"roles":{},"policy":{}}',
  ],
  [
    'a condition that is no CEL',
    '{"sha256":"aa","access":[{"who":{"condition":"(("},"may":{"connection":"a"}}],"roles":{},"policy":{}}',
  ],
  [
    'tools that are a number',
    '{"sha256":"aa","access":[{"who":{},"may":{"connection":"a","tools":7}}],"roles":{},"policy":{}}',
  ],
  [
    'windows that are none',
    '{"sha256":"aa","access":[{"who":{},"may":{"connection":"a"},"windows":[{}]}],"roles":{},"policy":{}}',
  ],
]
for (const [what, text] of damaged) {
  test(`where the file of what was in force holds ${what}, all is told as new`, async (t) => {
    const dir = folder(t)
    writeFileSync(join(dir, 'access.json'), text)
    const { note, told } = openNote()
    await noteChange(readLast(dir), rulesOf({ config: configOf(), sha256: 'aa' }), 'start', note)
    assert.deepEqual(
      told.map(({ type }) => type),
      ['config.changed', 'access.changed', 'access.changed'],
    )
    assert.deepEqual(told[1]?.['removed'], [])
  })
}

/* Who is believed. */

const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-in-force-'))
const clock = new Standing()
const known = openKnown(dataDir, clock, new Uint8Array(32))
after(() => {
  known.close()
  rmSync(dataDir, { recursive: true })
})
const secrets = createSecrets({ env: {}, clock })
const parts = { clock, known, secrets, local: undefined, usedTokens: createUsedTokens() }

const principal: Principal = {
  issuer: 'https://login.example',
  subject: 'ada',
  kind: 'person',
  groups: [],
  roles: [],
  expiresAtMs: 0,
}

test('who is let in while others come into force is looked at by these', async () => {
  const made = identities(parts)(configOf())
  let goOn = (): void => undefined
  const slow: Identity = {
    ...made,
    identify: async () => {
      await new Promise<void>((resolve) => (goOn = resolve))
      return principal
    },
  }
  const rules = compileRules(configOf())
  const rest = { config: configOf(), sha256: 'aa', access: () => undefined, rules }
  const live = new Live({ ...rest, identity: slow })
  const asking = live.identity.identify(['Bearer x'], 'https://mcp.example/mcp/shop')
  live.replace({ ...rest, identity: made })
  goOn()
  await assert.rejects(asking, { code: 'no_identity' })
})

test('keys and groups that were fetched stay where nothing about issuers changed', () => {
  const make = identities(parts)
  const first = make(configOf())
  assert.equal(make(configOf({ access: usual.access.replace('name: staff, ', '') })), first)
  const others: Partial<Parts>[] = [
    { access: usual.access.replace('group: staff', 'group: more') }, // Graph is asked about others.
    { console: 'roles: { admin: { group: ops } }' },
    { identity: usual.identity.replace('type: oidc', 'type: oidc, clients: [one]') },
    { rest: 'public_url: https://mcp.example' },
  ]
  for (const over of others) assert.notEqual(make(configOf(over)), first)
})
