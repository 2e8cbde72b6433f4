import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { Look } from './masked.fixture.ts'

const look = new Look(['tokens'])
const token = '[token removed]'
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Random-looking characters of an alphabet; tokens are made here, so none stands in this file. */
function made(length: number, alphabet = base62): string {
  let text = ''
  for (let i = 0; text.length < length; i++)
    text += alphabet[(i * 7 + (i >> 2) * 11 + 3) % alphabet.length]
  return text
}
const joined = (...parts: string[]): string => parts.join('')
const hex = '0123456789abcdef'
/** Thirty characters and the checksum of GitHub and npm. */
function checked(body: string): string {
  let rest = crc32(body)
  let sum = ''
  for (let i = 0; i < 6; i++) {
    sum = (base62[rest % 62] ?? '') + sum
    rest = Math.floor(rest / 62)
  }
  return body + sum
}
const url64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = joined(
  url64({ alg: 'HS256', typ: 'JWT' }),
  '.',
  url64({ sub: '1234567890' }),
  '.',
  made(43),
)

const tokens: readonly [issuer: string, text: string][] = [
  ['GitHub, personal', joined('ghp', '_', made(36))],
  ['GitHub, OAuth', joined('gho', '_', made(36))],
  ['GitHub, user to server', joined('ghu', '_', made(36))],
  ['GitHub, refresh, longer than today', joined('ghr', '_', made(76))],
  ['GitHub, an installation’s', joined('ghs', '_', made(36))],
  ['GitHub, an installation’s with a JWT in it', joined('ghs', '_', '12345', '_', jwt)],
  ['GitHub, fine-grained', joined('github', '_pat_', made(22), '_', made(59))],
  ['GitLab', joined('glpat', '-', made(20, `${base62}-_`))],
  ['GitLab, routable', joined('glpat', '-', made(40), '.01.', made(9, '0123456789abcdef'))],
  [
    'Slack, bot',
    joined('xox', 'b-', made(12, '0123456789'), '-', made(13, '0123456789'), '-', made(24)),
  ],
  [
    'Slack, app',
    joined('xap', 'p-1-A0', made(10), '-', made(13, '0123456789'), '-', made(64, hex)),
  ],
  ['Slack, configuration', joined('xoxe', '.xoxb-1-', made(160))],
  ['Stripe, secret', joined('sk', '_live_', made(24))],
  ['Stripe, restricted', joined('rk', '_live_', made(99))],
  ['Stripe, secret for tests', joined('sk', '_test_', made(24))],
  ['Stripe, webhooks', joined('whs', 'ec_', made(32))],
  ['AWS, id of a key', joined('AK', 'IA', made(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))],
  ['Google, API key', joined('AI', 'za', made(35))],
  ['Google, access token', joined('ya', '29.', made(60))],
  ['Google, client secret', joined('GOC', 'SPX-', made(28))],
  ['npm', joined('np', 'm_', made(36))],
  ['PyPI', joined('pypi', '-AgE', made(60))],
  ['RubyGems', joined('ruby', 'gems_', made(48, hex))],
  ['Docker Hub', joined('dckr', '_pat_', made(27))],
  ['Anthropic', joined('sk-', 'ant-api03-', made(93), 'AA')],
  ['OpenAI, of a project', joined('sk-', 'proj-', made(74), 'T3Blbk', 'FJ', made(74))],
  ['OpenAI, of old', joined('sk-', made(20), 'T3Blbk', 'FJ', made(20))],
  ['OpenRouter', joined('sk-', 'or-v1-', made(64, hex))],
  ['Hugging Face', joined('h', 'f_', made(34, base62.slice(10)))],
  ['Databricks', joined('da', 'pi', made(32, hex))],
  ['DigitalOcean', joined('dop', '_v1_', made(64, hex))],
  ['Vault', joined('hv', 's.', made(95))],
  ['Shopify', joined('shp', 'at_', made(32, hex))],
  ['SendGrid', joined('S', 'G.', made(22), '.', made(43))],
  ['Atlassian', joined('ATAT', 'T3', made(186))],
  ['Microsoft Entra', joined(made(3), '8', 'Q~', made(34))],
  ['a JSON Web Token', jwt],
  ['one without its signature', jwt.split('.').slice(0, 2).join('.')],
  [
    'one that is encrypted',
    joined(
      url64({ alg: 'dir', enc: 'A256GCM' }),
      '..',
      made(16),
      '.',
      made(80),
      '.',
      made(22),
    ).replace('..', `.${made(12)}.`),
  ],
  [
    'one whose header was printed with blanks',
    joined(
      Buffer.from('{\n "alg":"ES256"}').toString('base64url'),
      '.',
      url64({ sub: 'abcdefgh' }),
      '.',
      made(86),
    ),
  ],
]
for (const [issuer, text] of tokens) {
  test(`a token is removed wherever it stands: ${issuer}`, () => {
    for (const [before, after] of [
      ['', ''],
      ['token=', '&x=1'],
      ['key "', '", next'],
      ['it is ', '. Then'],
      ['https://u:', '@host/'],
    ]) {
      const { masked, found } = look.at(`${before}${text}${after}`)
      assert.equal(masked, `${before}${token}${after}`)
      assert.equal(found[0]?.kind, 'token')
      assert.notEqual(found[0]?.confidence, 'low')
    }
    assert.equal(new Look(['iban', 'ssn', 'routing', 'private_keys']).at(text).masked, text)
  })
}

const labelled: readonly [what: string, before: string, secret: string, after: string][] = [
  ['a bearer token', 'Authorization: Bearer ', made(24), ''],
  ['one in small letters', 'authorization: bearer ', made(24), ' '],
  ['a bearer token in quotes', '"Authorization": "Bearer ', made(24), '"'],
  [
    'a name with its password',
    'Authorization: Basic ',
    Buffer.from('ada:lovelace1').toString('base64'),
    '',
  ],
  ['a storage key', 'AccountName=a;AccountKey=', `${made(86)}==`, ';EndpointSuffix=core'],
  ['a shared key', 'SharedAccessKeyName=all;SharedAccessKey=', `${made(43)}=`, ''],
  ['a shared access signature', 'https://a.blob/x?sv=2024&sig=', `${made(41)}%2B%3D`, '&se=2030'],
]
for (const [what, before, secret, after] of labelled) {
  test(`its label stays, it goes: ${what}`, () => {
    assert.equal(look.at(before + secret + after).masked, before + token + after)
  })
}

test('a word is not looked into', () => {
  assert.equal(look.at(joined('aghp', '_', made(36))).found.length, 0)
  assert.equal(look.at(joined('my_ghp', '_', made(36))).masked, `my_${token}`)
})

const kept: readonly [what: string, text: string][] = [
  ['a prefix alone', joined('ghp', '_')],
  ['one too short', joined('ghp', '_', made(35))],
  ['a class of a style sheet', 'sk-circle-fade-dot sk-abc-def'],
  ['a long word behind sk-', joined('sk-', made(40, 'abcdefghij'))],
  [
    'an id with one character more',
    joined('AK', 'IA', made(17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')),
  ],
  ['an id within a word', joined('XAK', 'IA', made(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))],
  ['bearer in a sentence', 'the bearer of-this-letter-may-pass-the-gate, bearer shares'],
  ['basic in a sentence', 'Basic information aboutthehouse'],
  ['a Slack name', 'xoxb-this-is-a-name-without-any'],
  ['three words with dots', 'eyJust.another.sentence eyJabcdefghijklmnop.abcdefghijk.abcdefghijkl'],
  [
    'a header without an algorithm',
    joined(url64({ typ: 'none of ours' }), '.', url64({ sub: '12345678' }), '.', made(43)),
  ],
  ['a public Stripe key', joined('pk', '_live_', made(24))],
  ['a short signature', 'sig=abc123'],
  ['what was written in place of one', `Bearer ${token}, ${token}`],
  ['a commit', made(40, hex)],
  ['a UUID', '123e4567-e89b-12d3-a456-426614174000'],
  ['a header alone', `${url64({ alg: 'HS256', typ: 'JWT' })}.x.y`],
  ['a prefix in the other case', joined('GHP', '_', made(36))],
  ['a label without a sign behind it', `AccountKey ${made(86)}==`],
  ['a mark within a longer word', joined('x', made(3), '8', 'Q~', made(34))],
  ['a mark with too little behind', joined(made(3), '8', 'Q~', made(30))],
]
for (const [what, text] of kept) {
  test(`left as it is: ${what}`, () => {
    assert.deepEqual(look.at(text), { masked: text, found: [] })
  })
}

test('a checksum that fits is proof; one that does not lowers the confidence, and no more', () => {
  const body = made(30)
  for (const prefix of [joined('ghp', '_'), joined('np', 'm_')]) {
    assert.equal(look.at(prefix + checked(body)).found[0]?.confidence, 'certain')
    const wrong = checked(body).slice(0, -1) + (checked(body).endsWith('A') ? 'B' : 'A')
    assert.equal(look.at(prefix + wrong).found[0]?.confidence, 'medium')
    assert.equal(look.at(prefix + checked(body) + 'longer').found[0]?.confidence, 'high')
  }
})
test('the sample which GitHub gave for its checksum fits', () => {
  const sample = joined('ghp', '_', 'zQWBuTSOoRi4A9spHcVY5', 'ncnsDkxkJ', '0mLq17')
  assert.equal(look.at(sample).found[0]?.confidence, 'certain')
})
test('an OpenAI key with its mark is certain, any other of that form is not', () => {
  assert.equal(
    look.at(joined('sk-', made(20), 'T3Blbk', 'FJ', made(20))).found[0]?.confidence,
    'certain',
  )
  assert.equal(look.at(joined('sk-', made(48))).found[0]?.confidence, 'medium')
})
test('several in one text are removed each by itself', () => {
  const [one, two] = [joined('ghp', '_', made(36)), joined('np', 'm_', made(36))]
  assert.equal(look.at(`${one},${two} ${jwt}`).masked, `${token},${token} ${token}`)
})
test('masking twice is masking once', () => {
  const part = fc.oneof(
    fc.constantFrom(...tokens.map(([, text]) => text)),
    fc.constantFrom('Bearer ', 'AccountKey=', 'sig=', 'eyJ', ' ', '.', '-', joined('ghp', '_')),
    fc.string({ maxLength: 8 }),
  )
  const quiet = fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
    const once = look.at(parts.join(' ')).masked // Glued together they are none.
    assert.equal(look.at(once).masked, once)
  })
  fc.assert(quiet, { numRuns: 500 })
})
test('words that begin like tokens, a million bytes of them, take no more than their time', () => {
  for (const word of [
    'eyJ-',
    'sk-',
    'ghp_',
    'bearer ',
    'sig=',
    'xoxb-',
    'eyJabcdefghijklmnop.',
    '1Q~',
  ]) {
    const since = performance.now()
    look.at(word.repeat(Math.ceil(1_000_000 / word.length)))
    // Square time would take minutes.
    assert.ok(performance.now() - since < 5000, word)
  }
})
