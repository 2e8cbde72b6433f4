import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { checkConfig, showMistake } from './config.ts'
import type { Config } from './config.ts'
import { publishedProfileSchema } from './publish.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-rules-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'sallyport.yaml')

const lines = [
  'identity: { issuers: [{ name: company, type: oidc, issuer: "https://login.example" }] }', // 1
  'connections:', // 2
  '  - { name: payments, url: "http://127.0.0.1:9/mcp", profile: pci }', // 3
  '  - { name: tickets, url: "http://127.0.0.1:9/t", profile: none }', // 4
]

function told(more: string, connection = lines[2] ?? ''): string[] {
  const text = [...lines.with(2, connection), more].join('\n')
  return checkConfig(text, file).mistakes.map((mistake) => showMistake(mistake, file))
}

function configOf(more: string, connection = lines[2] ?? ''): Config {
  const { checked, mistakes } = checkConfig([...lines.with(2, connection), more].join('\n'), file)
  assert.deepEqual(mistakes, [])
  assert.ok(checked)
  return checked.config
}

const rule = (of: string): string => `rules:\n  - { name: a, when: "true", effect: deny, ${of} }`
const held = (of: string): string => `rules:\n  - { name: a, when: "true", effect: hold, ${of} }`
const refused: readonly [what: string, more: string, told: RegExp][] = [
  [
    'an unknown key of a rule',
    rule('efect: x'),
    /^sallyport\.yaml:6:\d+ rules\[0\]\.efect is no key .*"effect"/,
  ],
  [
    'no effect',
    'rules:\n  - { name: a, when: "true" }',
    /^sallyport\.yaml:6:5 rules\[0\]\.effect is missing/,
  ],
  [
    'another effect',
    'rules: [{ name: a, when: "true", effect: block }]',
    /5:\d+ rules\[0\]\.effect must be one/,
  ],
  [
    'a name twice',
    `${rule('note: x')}\n  - { name: a, when: "true", effect: deny }`,
    /^sallyport\.yaml:7:13 .*is taken/,
  ],
  [
    'a name of the profile',
    'rules: [{ name: injection, when: "true", effect: deny }]',
    /is taken: a rule of the profile/,
  ],
  [
    'a connection nobody knows',
    rule('connection: paymnts'),
    /connection names no connection.*"payments"/,
  ],
  ['a zone there is not', rule('timezone: Mars'), /timezone is no time zone/],
  [
    'reviewers of a denial',
    rule('reviewers: { role: a }'),
    /reviewers has no meaning for effect deny/,
  ],
  ['a quorum of a denial', rule('quorum: 2'), /quorum has no meaning/],
  ['a mask of a denial', rule('mask: true'), /mask has no meaning for effect deny/],
  ['a mask that is not', held('mask: false'), /mask must be "true"/],
  ['reviewers that are nobody', held('reviewers: {}'), /reviewers names nobody/],
  [
    'reviewers of an issuer nobody knows',
    held('reviewers: { issuer: compny }'),
    /issuer names no issuer.*"company"/,
  ],
  [
    'people beside a list of people',
    held('reviewers: { role: a, all: [{ role: b }] }'),
    /names people beside `all`/,
  ],
  ['a number of nobody', held('reviewers: { all: [{ quorum: 2 }] }'), /all\[0\] names nobody/],
  ['a quorum of none', held('quorum: 0'), /quorum must be at least 1/],
  ['a time that is too long', held('expires: 60d'), /expires must lie between 1m and 30d/],
  ['more reason than fits', held(`reason: "${'x'.repeat(501)}"`), /reason is over 500 characters/],
  [
    'a wait that outlasts clients',
    'holds: { wait: 55s }',
    /^sallyport\.yaml:5:16 holds\.wait must lie/,
  ],
  [
    'a reminder after the end',
    'holds: { expires: 5m, remind_after: 5m }',
    /remind_after is not before `expires`/,
  ],
  [
    'an emergency for nobody',
    'holds: { emergency: { who: {} } }',
    /holds\.emergency\.who names nobody/,
  ],
  [
    'a decision point in clear',
    'decision_point: { url: "http://opa.example/v1" }',
    /url must begin with https/,
  ],
  [
    'a token that stands there',
    'decision_point: { url: "https://o.example", token: abc }',
    /token must be a reference/,
  ],
  [
    'a point for nowhere',
    'decision_point: { url: "https://o.example", connections: [x] }',
    /names no connection/,
  ],
  [
    'a webhook without a key',
    'notify: [{ name: a, type: webhook, url: "https://h.example" }]',
    /secret is missing/,
  ],
  [
    'a webhook in clear',
    'notify: [{ name: a, type: slack, url: "http://h.example" }]',
    /url must be an https address/,
  ],
  ['a notice of no kind', 'notify: [{ name: a, type: pager }]', /type must be one of/],
  [
    'half a password',
    'notify: [{ name: a, type: email, host: m.example, from: a@b.c, to: [a@b.c], username: x }]',
    /one of username and password/,
  ],
  [
    'mail in clear',
    'notify: [{ name: a, type: email, host: m.example, security: none, from: a@b.c, to: [a@b.c] }]',
    /not on this machine/,
  ],
  [
    'an address with a name',
    'notify: [{ name: a, type: email, host: m, from: "A <a@b.c>", to: [a@b.c] }]',
    /from must be an e-mail/,
  ],
]
for (const [what, more, words] of refused) {
  test(`${what} is told with its place`, () => {
    const [first = 'nothing', ...others] = told(more)
    assert.match(first, words)
    assert.deepEqual(others, [])
  })
}

const whens: readonly [what: string, text: string, place: string][] = [
  ['on one line', 'rules:\n  - name: a\n    effect: deny\n    when: tool.chaged', '8:16'],
  ['in double quotes', 'rules: [{ name: a, effect: deny, when: "tool.chaged" }]', '5:46'],
  [
    'after an escape',
    'rules: [{ name: a, effect: deny, when: "call.name == \\"x\\" && tool.chaged" }]',
    '5:68',
  ],
  [
    'in single quotes',
    "rules: [{ name: a, effect: deny, when: 'call.name == ''x'' && tool.chaged' }]",
    '5:68',
  ],
  [
    'in a block',
    'rules:\n  - name: a\n    effect: deny\n    when: |\n      tool.known &&\n        tool.chaged',
    '10:14',
  ],
  [
    'in a folded block',
    'rules:\n  - name: a\n    effect: deny\n    when: >-\n      tool.known &&\n      tool.chaged',
    '10:12',
  ],
  [
    'over two plain lines',
    'rules:\n  - name: a\n    effect: deny\n    when: tool.known &&\n      tool.chaged',
    '9:12',
  ],
  [
    'over two quoted lines',
    'rules:\n  - name: a\n    effect: deny\n    when: "tool.known &&\n      tool.chaged"',
    '9:12',
  ],
  [
    'in a condition of access',
    'access: [{ who: { condition: "claims.a && principal.nme == 1" }, may: { connection: payments } }]',
    '5:53',
  ],
]
for (const [what, text, place] of whens) {
  test(`a mistake of CEL ${what} is told where it stands in the file`, () => {
    const [first = '', ...others] = told(text)
    assert.match(first, /No such key: (chaged|nme)$/)
    assert.equal(first.split(' ')[0], `sallyport.yaml:${place}`)
    assert.deepEqual(others, [])
  })
}

test('wherever a word stands in a condition, however YAML folds it, its place is found', () => {
  const words = fc.array(
    fc.constantFrom<string>('tool.known', 'tool.changed', '"it\'s"== "\\"a"', 'true'),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  const styles = fc.constantFrom(
    'PLAIN',
    'QUOTE_DOUBLE',
    'QUOTE_SINGLE',
    'BLOCK_LITERAL',
    'BLOCK_FOLDED',
  )
  fc.assert(
    fc.property(
      words,
      fc.nat(12),
      styles,
      fc.constantFrom(' ', '\n', '\n  '),
      (some, at, style, gap) => {
        const list = some.toSpliced(at % (some.length + 1), 0, 'tool.odd')
        const doc = stringify(
          { rules: [{ name: 'a', effect: 'deny', when: list.join(` &&${gap}`) }] },
          { defaultStringType: style as 'PLAIN', defaultKeyType: 'PLAIN', lineWidth: 30 },
        )
        const [first = ''] = told(doc)
        const [, line = '', column = ''] = /^sallyport\.yaml:(\d+):(\d+) /.exec(first) ?? []
        const at5 = doc.split('\n')[Number(line) - 5] ?? ''
        assert.equal(at5.slice(Number(column) - 1, Number(column) + 2), 'odd', `${first}\n${doc}`)
      },
    ),
    { numRuns: 60 },
  )
})

/* Profiles. */

const mine = '  - { name: payments, url: "http://127.0.0.1:9/mcp", profile: ./mine.yaml }'
const profiles: readonly [what: string, text: string, told: RegExp][] = [
  ['that is empty', '# nothing', /^mine\.yaml:1:1 is empty/],
  ['that is no YAML', 'rules: [', /^mine\.yaml:\d+:\d+ /],
  ['with an unknown key', 'rule: []', /^mine\.yaml:1:1 rule is no key .*"rules"/],
  ['with another otherwise', 'otherwise: ask', /^mine\.yaml:1:12 otherwise must be one of/],
  [
    'with a mistake of CEL',
    'rules:\n  - name: a\n    effect: deny\n    when: |\n      true &&\n      sq.all(s, true)',
    /^mine\.yaml:6:7 rules\[0\]\.when .*Unknown variable: sq/,
  ],
  [
    'with reviewers nobody knows',
    'rules: [{ name: a, when: "true", effect: hold, reviewers: { issuer: x } }]',
    /^mine\.yaml:1:69 /,
  ],
  [
    'with a name twice',
    'rules: [{ name: a, when: "true", effect: deny }, { name: a, when: "true", effect: deny }]',
    /^mine\.yaml:1:58 .*is taken/,
  ],
]
for (const [what, text, words] of profiles) {
  test(`a profile ${what} is told by its own file, line and column`, () => {
    writeFileSync(join(folder, 'mine.yaml'), text)
    const [first = 'nothing', ...others] = told('', mine)
    assert.match(first, words)
    assert.deepEqual(others, [])
  })
}

test('a profile that is not there is told where it is named', () => {
  const [first = ''] = told('', mine.replace('mine', 'none-such'))
  assert.match(
    first,
    /^sallyport\.yaml:3:63 connections\[0\]\.profile names a file that cannot be read/,
  )
  assert.match(
    told('', mine.replace('./mine.yaml', 'pcj'))[0] ?? '',
    /must be pci, none, or the path/,
  )
})

test('a profile of one’s own is read with its places, from the folder of the configuration', () => {
  writeFileSync(
    join(folder, 'mine.yaml'),
    'otherwise: deny\nexposure_days: 7\nrules:\n  - name: b\n    when: "true"\n    effect: hold\n    reviewers: { issuer: company, role: r }\n',
  )
  const [payments] = configOf('', mine).connections
  assert.ok(payments)
  const { profile } = payments
  assert.equal(profile.otherwise, 'deny')
  assert.equal(profile.exposureDays, 7)
  assert.match(profile.sha256, /^[0-9a-f]{64}$/)
  assert.deepEqual(profile.rules, [
    {
      name: 'b',
      when: 'true',
      effect: 'hold',
      reviewers: [{ who: { role: 'r', issuers: ['https://login.example'] }, quorum: 1 }],
      place: { file: 'mine.yaml', line: 4, column: 5 },
    },
  ])
})

test('connections have the pci profile unless they say otherwise, and none has no rules', () => {
  const [payments, tickets] = configOf(
    '',
    '  - { name: payments, url: "http://127.0.0.1:9/mcp" }',
  ).connections
  assert.equal(payments?.profile.name, 'pci')
  assert.ok((payments?.profile.rules.length ?? 0) > 10)
  assert.deepEqual(tickets?.profile, {
    name: 'none',
    sha256: '',
    otherwise: 'allow',
    suspicious: 'medium',
    exposureDays: 30,
    answers: { inspect: 'off', withhold: 'never' },
    rules: [],
  })
})

test('what is left out has its default', () => {
  const { decisionPoint, holds, notify, rules, connections } = configOf('')
  assert.deepEqual([rules, notify, decisionPoint], [[], [], undefined])
  assert.deepEqual(holds, {
    waitMs: 45_000,
    expiresMs: 900_000,
    approvalMs: 600_000,
    progressClients: [],
    progressMs: 600_000,
    sessionDecisions: false,
  })
  assert.deepEqual(connections[0]?.sql, { tools: {}, schema: {} })
  assert.deepEqual(connections[0]?.cardholderData, { columns: [], tables: [] })
})

test('everything that can be said is taken over', () => {
  const config = configOf(
    `
rules:
  - name: pan-writes
    when: sql.exists(s, s.writes)
    effect: hold
    reason: Because.
    connection: pay*
    timezone: Europe/Berlin
    reviewers: { all: [{ role: a, quorum: 2 }, { issuer: company, group: b }] }
    quorum: 3
    expires: 30m
    signature: passkey
    mask: true
    limit: { rows: 10, bytes: 64KiB }
    note: seen
decision_point: { url: "https://opa.example/v1/data/x", timeout: 1s, token: "\${env:OPA}", connections: [pay*] }
holds:
  wait: 30s
  expires: 1h
  approval: 5m
  progress_clients: [claude-code]
  progress_max: 20m
  session_decisions: true
  emergency: { who: { issuer: company, role: on-call } }
  remind_after: 10m
notify:
  - { name: w, type: webhook, url: "https://hooks.example/x", secret: "\${env:HOOK}" }
  - { name: t, type: teams, url: "\${keyvault:prod/teams}" }
  - { name: m, type: email, host: mail.example, username: u, password: "\${file:m.txt}", from: a@b.c, to: [d@e.f] }
`,
    '  - { name: payments, url: "http://127.0.0.1:9/mcp", sql: { dialect: oracle, tools: { "run_*": q }, schema: { cards: [id, pan] } }, cardholder_data: { columns: [pan], tables: [cards, "*_cards"] } }',
  )
  assert.deepEqual(config.rules, [
    {
      name: 'pan-writes',
      when: 'sql.exists(s, s.writes)',
      effect: 'hold',
      reason: 'Because.',
      connection: 'pay*',
      timezone: 'Europe/Berlin',
      reviewers: [
        { who: { role: 'a' }, quorum: 2 },
        { who: { group: 'b', issuers: ['https://login.example'] }, quorum: 3 },
      ],
      expiresMs: 1_800_000,
      signature: 'passkey',
      mask: true,
      limit: { rows: 10, bytes: 65_536 },
      note: 'seen',
      place: { file: 'sallyport.yaml', line: 7, column: 5 },
    },
  ])
  assert.deepEqual(config.decisionPoint, {
    url: 'https://opa.example/v1/data/x',
    timeoutMs: 1000,
    token: { from: 'env', name: 'OPA' },
    connections: ['pay*'],
  })
  assert.deepEqual(config.holds, {
    waitMs: 30_000,
    expiresMs: 3_600_000,
    approvalMs: 300_000,
    progressClients: ['claude-code'],
    progressMs: 1_200_000,
    sessionDecisions: true,
    emergency: { role: 'on-call', issuers: ['https://login.example'] },
    remindAfterMs: 600_000,
  })
  assert.deepEqual(config.connections[0]?.sql, {
    dialect: 'oracle',
    tools: { 'run_*': 'q' },
    schema: { cards: ['id', 'pan'] },
  })
  assert.deepEqual(config.connections[0]?.cardholderData.tables, ['cards', '*_cards'])
})

test('the published schema of profiles is current', () => {
  const committed = new URL('../../schema/profile.schema.json', import.meta.url)
  assert.equal(
    readFileSync(committed, 'utf8'),
    publishedProfileSchema(),
    'run: node src/config/publish.ts',
  )
})
