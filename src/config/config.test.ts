import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkConfig, readConfig } from './config.ts'
import { publishedSchema } from './publish.ts'
import { parseDuration, parseHostPort, parseSize } from './units.ts'

const example = new URL('../../examples/sallyport.yaml', import.meta.url)
const lines = [
  'public_url: https://mcp.example.com', // 1
  'data_dir: data', // 2
  'identity:', // 3
  '  issuers:', // 4
  '    - { name: company, type: oidc, issuer: https://login.example.com }', // 5
  '    - { name: local, type: local }', // 6
  'connections:', // 7
  '  - name: payments', // 8
  '    url: https://payments.internal/mcp', // 9
  '    credential: { type: bearer, value: "${env:TOKEN}" }', // 10
  'access:', // 11
  '  - { who: { issuer: local, group: a }, may: { connection: payments } }', // 12
  '  - { who: { role: analyst }, may: { connection: "pay*", tools: ["get_*"] }, reveal: pan }', // 13
]
const good = lines.join('\n')

/** The good file with one line in another's place (0: added at the end). */
function withLine(number: number, text: string): string {
  if (number === 0) return `${good}\n${text}`
  return lines.with(number - 1, text).join('\n')
}

function mistakes(text: string): string[] {
  return checkConfig(text, '/etc/sallyport/sallyport.yaml').mistakes.map(
    ({ line, column, path, message }) => `${line}:${column} ${path} ${message}`,
  )
}

const issuer5 = '    - { name: company, type: oidc, issuer: https://login.example.com'
const refused: readonly [what: string, line: number, text: string, told: RegExp][] = [
  [
    'an unknown key',
    0,
    'policies: []',
    /^14:1 policies is no key of this mapping; known here: listen, /,
  ],
  ['a misspelled key', 0, 'limit: {}', /^14:1 limit is no key .* did you mean "limits"\?$/],
  [
    'an archive, which does not exist yet',
    0,
    'record: { archive: x }',
    /^14:11 record\.archive is no/,
  ],
  [
    'an empty mapping',
    0,
    'limits:',
    /^14:\d+ limits must be a mapping of keys to values; it is emp/,
  ],
  ['a text for a list', 11, 'access: all\nlog:', /^11:9 access must be a list/],
  [
    'a public_url with a path',
    1,
    'public_url: https://a.example/b',
    /^1:13 public_url must be an or/,
  ],
  [
    'a public_url in clear',
    1,
    'public_url: http://a.example',
    /^1:13 public_url must begin with https/,
  ],
  [
    'a public_url that ends in a slash',
    1,
    'public_url: https://a.example/',
    /^1:13 public_url must/,
  ],
  ['no issuer', 4, '  issuers: []\nlog:', /^4:12 identity\.issuers must have at least one item/],
  [
    'an issuer in clear',
    5,
    '    - { name: company, type: oidc, issuer: http://a.example }',
    /^5:\d+ .*https/,
  ],
  [
    'an issuer of unknown type',
    5,
    '    - { name: company, type: okta }',
    /^5:\d+ .*"oidc", "entra", "github-actions", "local"/,
  ],
  [
    'a tenant that is a domain',
    5,
    '    - { name: company, type: entra, tenant: acme.example, audience: a }',
    /^5:\d+ identity\.issuers\[0\]\.tenant must be a tenant id or a list of them/,
  ],
  [
    'the tenant of everybody',
    5,
    '    - { name: company, type: entra, tenant: [9188040D-6c67-4c5b-b112-36a304b66dad], audience: a }',
    /^5:\d+ .*personal Microsoft accounts/,
  ],
  [
    'workflows of no repository',
    5,
    '    - { name: ci, type: github-actions, audience: a }',
    /^5:7 identity\.issuers\[0\] lets in no repository/,
  ],
  [
    'a workflow rule without a repository',
    5,
    '    - { name: ci, type: github-actions, audience: a, allow: [ { ref: refs/heads/main } ] }',
    /^5:\d+ identity\.issuers\[0\]\.allow\[0\] names no repository/,
  ],
  [
    'two sign-ins of one name',
    6,
    '    - { name: local, type: local }\n  sign_in: [ { name: a, type: accounts }, { name: a, type: accounts } ]',
    /^7:\d+ identity\.sign_in\[1\]\.name is taken/,
  ],
  [
    'accounts without a local issuer',
    6,
    '  sign_in: [ { name: a, type: accounts } ]\nlog: {}',
    /^6:\d+ identity\.sign_in\[0\]\.type needs an issuer of type local/,
  ],
  [
    'an authorization server nobody can sign in to',
    6,
    '    - { name: local, type: local }\n  authorization_server: {}',
    /^7:\d+ identity\.authorization_server needs identity\.sign_in/,
  ],
  [
    'a SAML provider that is the same as no tenant',
    6,
    '    - { name: local, type: local }\n  sign_in: [ { name: s, type: saml, idp_issuer: i, entry_point: "https://i.example/", certificates: [a.pem], same_as: company } ]',
    /^7:\d+ identity\.sign_in\[0\]\.same_as names no entra issuer/,
  ],
  [
    'SCIM of nobody',
    6,
    '    - { name: local, type: local }\n  scim: { issuer: okta, tokens: ["${env:A}"] }',
    /^7:\d+ identity\.scim\.issuer names no issuer/,
  ],
  [
    'assertions of an issuer without sign-ins',
    6,
    '    - { name: local, type: local }\n  sign_in: [ { name: a, type: accounts } ]\n  authorization_server: { assertion_issuers: [local] }',
    /^8:\d+ identity\.authorization_server\.assertion_issuers\[0\] names no oidc or entra issuer/,
  ],
  [
    'a window without a time zone there is',
    13,
    '  - { who: { role: a }, may: { connection: payments }, windows: [ { timezone: Europe/Bern } ] }',
    /^13:\d+ access\[1\]\.windows\[0\]\.timezone is no time zone/,
  ],
  [
    'a window of no form',
    13,
    '  - { who: { role: a }, may: { connection: payments }, windows: [ { hours: "8-18" } ] }',
    /^13:\d+ access\[1\]\.windows\[0\]\.hours must be a span/,
  ],
  [
    'a window that begins when it ends',
    13,
    '  - { who: { role: a }, may: { connection: payments }, windows: [ { hours: "08:00-08:00" } ] }',
    /^13:\d+ access\[1\]\.windows\[0\]\.hours begins when it ends/,
  ],
  [
    'a condition that does not parse',
    13,
    '  - { who: { role: a, condition: "principal.name ==" }, may: { connection: payments } }',
    /^13:\d+ access\[1\]\.who\.condition /,
  ],
  [
    'a condition that is no yes or no',
    13,
    '  - { who: { condition: "principal.name" }, may: { connection: payments } }',
    /^13:\d+ access\[1\]\.who\.condition /,
  ],
  [
    'two grants of one name',
    13,
    '  - { name: a, who: { role: a }, may: { connection: payments } }\n  - { name: a, who: { role: b }, may: { connection: payments } }',
    /^14:\d+ access\[2\]\.name is taken/,
  ],
  [
    'a network of no form',
    13,
    '  - { who: { role: a }, may: { connection: payments }, networks: [10.0.0.0/33] }',
    /^13:\d+ access\[1\]\.networks\[0\] must be an IP address or a range/,
  ],
  [
    'a day there is not',
    13,
    '  - { who: { role: a }, may: { connection: payments }, expires: 2026-13-01 }',
    /^13:\d+ access\[1\]\.expires is no date/,
  ],
  [
    'a console session that lasts an hour',
    0,
    'console: { session_idle: 1h }',
    /^14:\d+ console\.session_idle must lie between 1m and 15m/,
  ],
  [
    'an issuer without type',
    5,
    '    - { name: company }',
    /^5:7 identity\.issuers\[0\]\.type is missing/,
  ],
  [
    'a symmetric algorithm',
    5,
    `${issuer5}, algorithms: [HS256] }`,
    /^5:\d+ .*algorithms\[0\] must be one/,
  ],
  [
    'the algorithm none',
    5,
    `${issuer5}, algorithms: [none] }`,
    /^5:\d+ .*algorithms\[0\] must be one/,
  ],
  ['two issuers of one name', 6, '    - { name: company, type: local }', /^6:15 .*name is taken/],
  [
    'two local issuers',
    5,
    '    - { name: l2, type: local, issuer: https://x.example }',
    /^6:\d+ .*second local/,
  ],
  [
    'two entries of one issuer',
    6,
    '    - { name: other, type: oidc, issuer: https://login.example.com }',
    /^6:42 .*issuer is taken: another entry has this issuer/,
  ],
  [
    'a connection with a bad name',
    8,
    '  - name: Payments',
    /^8:11 connections\[0\]\.name must begin/,
  ],
  ['a connection without address', 9, '', /^8:5 connections\[0\]\.url is missing/],
  [
    'a password in an address',
    9,
    '    url: https://u:p@x/mcp',
    /^9:10 connections\[0\]\.url must be a c/,
  ],
  [
    'a password alone in an address',
    9,
    '    url: https://:p@x/mcp',
    /^9:10 connections\[0\]\.url must be a c/,
  ],
  ['a metadata address', 9, '    url: http://169.254.169.254/', /^9:10 .*link-local or metadata/],
  ['a file address', 9, '    url: file:///etc/passwd', /^9:10 .*must be a complete http or https/],
  [
    'a literal secret',
    10,
    '    credential: { type: bearer, value: hunter2hunter2 }',
    /^10:40 connections\[0\]\.credential\.value must be a reference, \$\{env:NAME\}, \$\{file:path\}/,
  ],
  [
    'a key vault without a secret',
    10,
    '    credential: { type: bearer, value: "${keyvault:vault}" }',
    /^10:40 .* must be a reference/,
  ],
  [
    'a vault without a path',
    10,
    '    credential: { type: bearer, value: "${vault:a#b}" }',
    /^10:40 .* must be a reference/,
  ],
  [
    'a header credential in Host',
    10,
    '    credential: { type: header, name: Host, value: "${env:A}" }',
    /^10:\d+ .*cannot carry/,
  ],
  [
    'an Authorization let through',
    10,
    '    headers: { request: [Authorization] }',
    /^10:26 .*keeps to itself/,
  ],
  [
    'a Set-Cookie let through',
    10,
    '    headers: { response: [Set-Cookie] }',
    /^10:27 .*keeps to itself/,
  ],
  [
    'a time without unit',
    10,
    '    timeouts: { connect: 5 }',
    /^10:26 .*must be a time with its unit/,
  ],
  [
    'a time that is too long',
    10,
    '    timeouts: { connect: 2h }',
    /^10:26 .*must lie between 10ms and 10m/,
  ],
  [
    'a certificate without key',
    10,
    '    tls: { cert: a.pem }',
    /^10:10 connections\[0\]\.tls has a cert but no/,
  ],
  [
    'a key without certificate',
    10,
    '    tls: { key: "${file:k}" }',
    /^10:10 .*has a key but no cert/,
  ],
  [
    'an unknown connection',
    12,
    '  - { who: { group: a }, may: { connection: paymnts } }',
    /^12:45 access\[0\]\.may\.connection names no connection of this file; did you mean "payments"\?$/,
  ],
  [
    'a pattern that fits none',
    12,
    '  - { who: { group: a }, may: { connection: "x*" } }',
    /^12:45 .*names no connection/,
  ],
  [
    'an unknown issuer',
    12,
    '  - { who: { issuer: lokal }, may: { connection: payments } }',
    /^12:22 .*did you mean "local"/,
  ],
  [
    'a grant for nobody in particular',
    12,
    '  - { who: {}, may: { connection: payments } }',
    /^12:12 access\[0\]\.who names nobody/,
  ],
  [
    'a subject without its issuer',
    12,
    '  - { who: { subject: s }, may: { connection: payments } }',
    /^12:23 .*needs an issuer/,
  ],
  [
    'an empty list of tools',
    12,
    '  - { who: { group: a }, may: { connection: payments, tools: [] } }',
    /^12:\d+ .*at least one item/,
  ],
  [
    'a reveal of more than the number',
    12,
    '  - { who: { group: a }, may: { connection: payments }, reveal: cvv }',
    /^12:\d+ .*must be "pan"/,
  ],
  [
    'a size without meaning',
    0,
    'limits: { request_bytes_max: 4MB }',
    /^14:30 .*must be a number of bytes or a size/,
  ],
  [
    'a size out of bounds',
    0,
    'limits: { request_bytes_max: 1 }',
    /^14:30 .*must lie between 1KiB and 1GiB/,
  ],
  [
    'a fraction of a count',
    0,
    'limits: { json_depth_max: 8.5 }',
    /^14:27 .*must be a whole number/,
  ],
  [
    'an answer that never fits',
    0,
    'limits: { answer_bytes_max: 64MiB, in_flight_bytes_max: 32MiB }',
    /^14:29 .*no such message would ever fit/,
  ],
  [
    'a bad proxy range',
    0,
    'listen: { trusted_proxies: [10.0.0.0/33] }',
    /^14:29 .*an IP address or a range/,
  ],
  [
    'one address for both listeners',
    0,
    'listen: { console: 127.0.0.1:4100 }',
    /^14:20 .*gateway’s own address/,
  ],
  [
    'a port above 65535',
    0,
    'listen: { gateway: 127.0.0.1:65536 }',
    /^14:20 .*no usable address or a port above/,
  ],
  [
    'an origin with a path',
    0,
    'listen: { origins: [https://a.example/x] }',
    /^14:21 .*must be an origin/,
  ],
  [
    'a detector that does not exist',
    0,
    'masking: { also: [passport] }',
    /^14:19 masking\.also\[0\] must be one of "iban", "routing", "ssn", "private_keys", "tokens"$/,
  ],
  [
    'an unknown threshold',
    0,
    'masking: { threshold: none }',
    /^14:23 masking\.threshold must be one of "low", "medium", "high", "certain"$/,
  ],
  [
    'test numbers for all connections',
    0,
    'masking: { test_numbers: pass }',
    /^14:12 masking\.test_numbers is no key of this mapping; known here: threshold, also, patterns$/,
  ],
  [
    'a pattern that does not compile',
    0,
    "masking: { patterns: [ { name: a, pattern: 'x(yz' } ] }",
    /^14:44 masking\.patterns\[0\]\.pattern is no RE2 pattern: missing closing \)$/,
  ],
  [
    'a pattern that JavaScript knows and RE2 does not',
    0,
    "masking: { patterns: [ { name: a, pattern: 'x(?=yz)' } ] }",
    /^14:44 .* is no RE2 pattern: invalid or unsupported Perl syntax$/,
  ],
  [
    'a pattern that matches nothing',
    10,
    "    mask: { patterns: [ { name: a, pattern: 'x*' } ] }",
    /^10:45 connections\[0\]\.mask\.patterns\[0\]\.pattern matches the empty text/,
  ],
  [
    'a pattern without text',
    0,
    "masking: { patterns: [ { name: a, pattern: '' } ] }",
    /^14:44 .*pattern must not be empty$/,
  ],
  [
    'a pattern of a thousand and one characters',
    0,
    `masking: { patterns: [ { name: a, pattern: '${'x'.repeat(1001)}' } ] }`,
    /^14:44 .*pattern must have at most 1000 characters$/,
  ],
  [
    'a pattern that is too large',
    0,
    "masking: { patterns: [ { name: a, pattern: '((x{10}){10}){10}' } ] }",
    /^14:44 .*is too large once its repetitions are written out/,
  ],
  [
    'a pattern without a name',
    0,
    'masking: { patterns: [ { pattern: abc } ] }',
    /^14:24 masking\.patterns\[0\]\.name is missing$/,
  ],
  [
    'an unknown check',
    0,
    'masking: { patterns: [ { name: a, pattern: abc, check: crc } ] }',
    /^14:56 .*check must be one of "none", "luhn", "mod97", "mod11"$/,
  ],
  [
    'an unknown replacement',
    0,
    'masking: { patterns: [ { name: a, pattern: abc, replace: hash } ] }',
    /^14:58 .*replace must be one of "stars", "remove"$/,
  ],
  [
    'a context word of signs',
    0,
    "masking: { patterns: [ { name: a, pattern: abc, context: ['--'] } ] }",
    /^14:59 .*context\[0\] must hold a letter or a digit/,
  ],
  [
    'two patterns of one name',
    0,
    'masking: { patterns: [ { name: a, pattern: abc }, { name: a, pattern: abd } ] }',
    /^14:59 masking\.patterns\[1\]\.name is taken: another pattern has this name$/,
  ],
  [
    'two patterns of one name on a connection',
    10,
    '    mask: { patterns: [ { name: a, pattern: abc }, { name: a, pattern: abd } ] }',
    /^10:60 .*mask\.patterns\[1\]\.name is taken: another pattern/,
  ],
  [
    'a pattern named as one of all connections',
    10,
    '    mask: { patterns: [ { name: a, pattern: abc } ] }\nmasking: { patterns: [ { name: a, pattern: abd } ] }',
    /^10:33 connections\[0\]\.mask\.patterns\[0\]\.name is taken: a pattern of `masking` has this name$/,
  ],
  [
    'thirty-three patterns',
    0,
    `masking: { patterns: [ ${Array.from({ length: 33 }, (_, i) => `{ name: a${i}, pattern: abc }`).join(', ')} ] }`,
    /^14:22 masking\.patterns must have at most 32 items$/,
  ],
  [
    'thirty-three patterns with those of all connections',
    10,
    `    mask: { patterns: [ { name: b, pattern: abc } ] }\nmasking: { patterns: [ ${Array.from({ length: 32 }, (_, i) => `{ name: a${i}, pattern: abc }`).join(', ')} ] }`,
    /^10:23 connections\[0\]\.mask\.patterns are 33 with those of `masking`; a connection has 32 at most$/,
  ],
  [
    'base64 of another kind',
    10,
    '    mask: { base64: none }',
    /^10:21 connections\[0\]\.mask\.base64 must be one of "text", "all"$/,
  ],
  [
    'a public_url in clear beside TLS',
    1,
    'public_url: http://localhost:1\nlisten: { tls: { cert: c, key: "${file:k}" } }',
    /^1:13 .*since listen\.tls is set/,
  ],
]
for (const [what, line, text, told] of refused) {
  test(`${what} is told with its place`, () => {
    const found = mistakes(withLine(line, text))
    assert.ok(
      found.some((one) => told.test(one)),
      found.join('\n') || 'no mistake was found',
    )
    assert.throws(() => readConfig(withLine(line, text), 's.yaml'), { code: 'config_bad' })
  })
}

const brokenYaml: readonly [what: string, text: string, told: RegExp][] = [
  ['an empty file', '', /^1:1 {2}is empty/],
  ['a list in place of a mapping', '- a', /^1:1 {2}must be a mapping/],
  ['a key that stands twice', 'log: {}\nlog: {}', /^2:1 {2}this key stands twice/],
  ['a tab as indentation', 'log:\n\tlevel: info', /^2:1 /],
  ['an open quote', 'data_dir: "x', /^1:\d+ {2}a character is missing/],
  ['an alias without anchor', 'log: *a', /^1:6 {2}this alias/],
  ['two documents', 'log: {}\n---\nlog: {}', /^2:1 {2}a second document/],
  ['an unknown tag', 'log: !js x', /^1:6 {2}this tag/],
]
for (const [what, text, told] of brokenYaml) {
  test(`${what} is told with its place`, () => {
    assert.match(mistakes(text)[0] ?? 'no mistake was found', told)
  })
}

test('aliases that multiply are refused, not expanded', () => {
  const bomb = Array.from({ length: 12 }, (_, i) => {
    const inner = i === 0 ? 'x' : Array.from({ length: 12 }, () => `*a${i - 1}`).join(', ')
    return `k${i}: &a${i} [${inner}]`
  })
  assert.match(mistakes(bomb.join('\n'))[0] ?? '', /^1:1 {2}has aliases that multiply/)
})

test('a file of many mistakes tells all of them, in order, in one fault', () => {
  const text = [
    'listen: { gatway: 1 }',
    'identity: { issuers: [ { name: A, type: local } ] }',
    'connections: [ { name: x, url: nonsense, credential: { type: bearer, value: topsecretvalue } } ]',
    'access: [ { who: {}, may: { connection: y } } ]',
  ].join('\n')
  assert.throws(
    () => readConfig(text, 'dir/s.yaml'),
    (error: Error & { code?: string; facts?: { mistakes: string[] } }) => {
      assert.equal(error.code, 'config_bad')
      const places = error.facts?.mistakes.map((one) => one.split(' ')[0]) ?? []
      assert.deepEqual(places, [
        's.yaml:1:11',
        's.yaml:2:32',
        's.yaml:3:32',
        's.yaml:3:77',
        's.yaml:4:18',
        's.yaml:4:41',
      ])
      assert.match(error.message, /^s\.yaml has 6 mistakes; nothing of it was used\./)
      assert.ok(!error.message.includes('topsecret'))
      return true
    },
  )
})

test('no message repeats a value that may be a secret', () => {
  const secret = fc.stringMatching(/^[A-Z]{12,20}$/)
  const places = (value: string): string[] => [
    withLine(10, `    credential: { type: bearer, value: ${value} }`),
    withLine(10, `    credential: { type: ${value} }`),
    withLine(9, `    url: https://u:${value}@x/mcp`),
    withLine(10, `    credential: { type: bearer, value: "${value} }`),
    withLine(2, `data_dir: [${value}]`),
  ]
  const quiet = fc.property(secret, (value) =>
    places(value).every((text) => {
      const found = mistakes(text)
      return found.length > 0 && !found.join('\n').includes(value)
    }),
  )
  fc.assert(quiet, { numRuns: 30 })
})

test('any text gives a configuration or mistakes with places inside it, never another error', () => {
  const words = fc.constantFrom(
    ...good.split(/(?<=[\s:{}[\],"-])/),
    '&a ',
    '*a',
    '? ',
    '| ',
    '!!x ',
    '\t',
  )
  const total = fc.property(fc.array(words, { maxLength: 60 }), (parts) => {
    const text = parts.join('')
    const { checked, mistakes: found } = checkConfig(text, 'x.yaml')
    const count = text.split('\n').length
    assert.ok((checked === undefined) === found.length > 0)
    for (const { line, column } of found) assert.ok(line >= 1 && line <= count && column >= 1)
  })
  fc.assert(total, { numRuns: 300 })
})

test('the example passes', () => {
  const { config } = readConfig(readFileSync(example, 'utf8'), 'examples/sallyport.yaml')
  assert.equal(config.connections.length, 2)
  assert.equal(config.listen.trustedProxies[0], '10.0.0.0/8')
})

test('defaults, units and relative paths come out as the rest of the house wants them', () => {
  const { config, sha256 } = readConfig(good, '/etc/sallyport/sallyport.yaml')
  assert.equal(sha256, createHash('sha256').update(good).digest('hex'))
  assert.equal(config.dataDir, '/etc/sallyport/data')
  assert.deepEqual(config.listen.gateway, { host: '127.0.0.1', port: 4100 })
  assert.equal(config.limits.requestBytesMax, 4 * 1024 * 1024)
  assert.equal(config.limits.answerBytesMax, 16 * 1024 * 1024)
  assert.equal(config.limits.inFlightBytesMax, 512 * 1024 * 1024)
  assert.equal(config.connections[0]?.answerBytesMax, 16 * 1024 * 1024)
  assert.deepEqual(config.connections[0]?.timeouts, {
    connectMs: 5_000,
    headersMs: 60_000,
    idleMs: 300_000,
  })
  assert.deepEqual(config.connections[0]?.credential, {
    type: 'bearer',
    value: { from: 'env', name: 'TOKEN' },
  })
  assert.deepEqual(config.identity.issuers[1], {
    name: 'local',
    type: 'local',
    issuer: 'https://mcp.example.com/oauth',
    audience: ['https://mcp.example.com'],
  })
  // A principal carries the identifier, the file the name.
  assert.deepEqual(config.access[0]?.who.issuers, ['https://mcp.example.com/oauth'])
  assert.equal(config.access[1]?.reveal, 'pan')
})

test('one name stands for every tenant, and for the sign-in of the same people', () => {
  const [one, two] = [
    '1b2c3d4e-0000-4000-8000-00000000000a',
    '1B2C3D4E-0000-4000-8000-00000000000B',
  ]
  const text = [
    'public_url: https://mcp.example.com',
    'identity:',
    '  issuers:',
    `    - { name: entra, type: entra, tenant: [${one}, ${two}], audience: api://sallyport }`,
    '    - { name: ci, type: github-actions, audience: a, repositories: [acme/payments] }',
    '    - { name: own, type: local }',
    '  sign_in:',
    `    - { name: entra, type: entra, tenant: ${one}, client_id: ${one}, client_secret: "\${keyvault:prod/s}" }`,
    '    - { name: okta, type: saml, idp_issuer: i, entry_point: "https://i.example/", certificates: [a.pem], label: Okta }',
    '    - { name: staff, type: accounts }',
    '  scim: { issuer: entra, tokens: ["${vault:kv/scim#token}"] }',
    'connections: [ { name: p, url: "https://p.internal/mcp" } ]',
    'access:',
    ...['entra', 'ci', 'okta', 'staff', 'service-accounts'].map(
      (name) => `  - { who: { issuer: ${name} }, may: { connection: p }, expires: 2026-12-31 }`,
    ),
  ].join('\n')
  const { access, identity } = readConfig(text, 's.yaml').config
  const tenants = [one, two.toLowerCase()].map(
    (id) => `https://login.microsoftonline.com/${id}/v2.0`,
  )
  assert.deepEqual(
    access.map(({ who }) => who.issuers),
    [
      tenants,
      ['https://token.actions.githubusercontent.com'],
      ['i'],
      ['https://mcp.example.com/oauth'],
      ['urn:sallyport:service-accounts'],
    ],
  )
  assert.equal(access[0]?.expiresMs, Date.UTC(2027, 0, 1))
  assert.deepEqual([identity.scim?.issuer, identity.scim?.isEntra], [tenants[0], true])
  assert.deepEqual(identity.scim?.tokens, [{ from: 'vault', path: 'kv/scim', key: 'token' }])
  assert.deepEqual(
    identity.signIn.map(({ label }) => label),
    ['entra', 'Okta', 'staff'],
  )
})

test('what masking says holds for each connection; its own says more, or otherwise', () => {
  const text = [
    ...lines.with(
      9,
      "    mask: { threshold: high, also: [ssn, tokens], test_numbers: pass, base64: text, patterns: [ { name: own, pattern: 'B[0-9]+', check: luhn, replace: remove, context: [badge] } ] }\n  - { name: tickets, url: https://tickets.internal/mcp }",
    ),
    "masking: { threshold: low, also: [iban, ssn], patterns: [ { name: shared, pattern: 'A[0-9]+' } ] }",
  ].join('\n')
  const { config } = readConfig(text, 's.yaml')
  const shared = {
    name: 'shared',
    pattern: 'A[0-9]+',
    check: 'none',
    replace: 'stars',
    context: [],
  }
  assert.deepEqual(config.connections[0]?.mask, {
    threshold: 'high',
    also: ['iban', 'ssn', 'tokens'],
    patterns: [
      shared,
      { name: 'own', pattern: 'B[0-9]+', check: 'luhn', replace: 'remove', context: ['badge'] },
    ],
    testNumbers: 'pass',
    base64: 'text',
  })
  assert.deepEqual(config.connections[1]?.mask, {
    threshold: 'low',
    also: ['iban', 'ssn'],
    patterns: [shared],
    testNumbers: 'mask',
    base64: 'all',
  })
  assert.ok(!('masking' in config))
})

test('without a word on masking a connection has what its profile says', () => {
  assert.deepEqual(readConfig(good, 's.yaml').config.connections[0]?.mask, {
    threshold: 'medium',
    also: [],
    patterns: [],
    testNumbers: 'mask',
    base64: 'all',
  })
})

test('no message repeats a pattern', () => {
  for (const pattern of [
    'hunter2hunter2(',
    'hunter2hunter2{1001}',
    '(?<=hunter2)hunter2',
    'x*|hunter2',
  ]) {
    const found = mistakes(
      withLine(0, `masking: { patterns: [ { name: a, pattern: '${pattern}' } ] }`),
    )
    assert.equal(found.length, 1)
    assert.doesNotMatch(found.join(), /hunter2/)
  }
})

test('a port of 0 is replaced everywhere by the one really taken', () => {
  const text = withLine(1, 'listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }')
  const config = readConfig(text, 's.yaml').withPorts(5001, 5002)
  assert.equal(config.publicUrl, 'http://127.0.0.1:5001')
  assert.equal(config.console.publicUrl, 'http://localhost:5002')
  const [, local] = config.identity.issuers
  assert.ok(local?.type === 'local')
  assert.equal(local.issuer, 'http://127.0.0.1:5001/oauth')
  assert.deepEqual(config.access[0]?.who.issuers, ['http://127.0.0.1:5001/oauth'])
})

test('a listener open to the network needs a public_url', () => {
  const text = withLine(1, 'listen: { gateway: 0.0.0.0:4100, console: 0.0.0.0:4101 }')
  assert.deepEqual(
    mistakes(text).map((one) => one.split(': ')[0]),
    ['1:1 public_url is missing', '1:1 console.public_url is missing'],
  )
})

test('a value and a missing key have their place', () => {
  const checked = readConfig(good, 's.yaml')
  assert.deepEqual(checked.place(['connections', 0, 'url']), {
    line: 9,
    column: 10,
    path: 'connections[0].url',
  })
  assert.equal(checked.place(['connections', 0, 'tls', 'ca']).line, 8)
})

test('durations, sizes and addresses are read exactly', () => {
  assert.deepEqual(
    ['250ms', '30s', '15m', '2h', '400d', '5', '1.5s', '-1s', ''].map(parseDuration),
    [250, 30_000, 900_000, 7_200_000, 34_560_000_000, NaN, NaN, NaN, NaN],
  )
  assert.deepEqual(['7', '7B', '4KiB', '16MiB', '2GiB', '4MB', '1.5KiB'].map(parseSize), [
    7,
    7,
    4096,
    16_777_216,
    2_147_483_648,
    NaN,
    NaN,
  ])
  assert.deepEqual(parseHostPort('[::1]:4100'), { host: '::1', port: 4100 })
  assert.equal(parseHostPort('[::z]:4100'), undefined)
  assert.equal(parseHostPort('::1:4100'), undefined)
})

test('the published JSON Schema is current', () => {
  const file = new URL('../../schema/sallyport.schema.json', import.meta.url)
  const help = 'run: node src/config/publish.ts'
  assert.equal(readFileSync(file, 'utf8'), publishedSchema(), help)
})

test('every key of the schema is explained in docs/configuration.md', () => {
  const docs = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const keys = new Set<string>()
  const walk = (shape: unknown): void => {
    if (typeof shape !== 'object' || shape === null) return
    const { properties, items, oneOf } = shape as Record<string, unknown>
    for (const [key, inner] of Object.entries(properties ?? {})) {
      keys.add(key)
      walk(inner)
    }
    walk(items)
    if (Array.isArray(oneOf)) oneOf.forEach(walk)
  }
  walk(JSON.parse(publishedSchema()))
  assert.ok(keys.size > 50)
  const missing = [...keys].filter((key) => !docs.includes(`\`${key}\``))
  assert.deepEqual(missing, [])
})
