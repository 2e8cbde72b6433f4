import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Look } from './masked.fixture.ts'

const look = new Look(['private_keys'])
const removed = '[private key removed]'
const dashes = '-'.repeat(5)
const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'
const block = (label: string, lines: readonly string[], end = '\n'): string =>
  [`${dashes}BEGIN ${label}${dashes}`, ...lines, `${dashes}END ${label}${dashes}`].join(end)

for (const label of [
  'PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY',
  'DSA PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'OPENSSH PRIVATE KEY',
  'PGP PRIVATE KEY BLOCK',
]) {
  test(`a block is removed whole: ${label}`, () => {
    const whole = block(label, [line, line, 'abc='])
    const { masked, found } = look.at(`before ${whole} behind`)
    assert.equal(masked, `before ${removed} behind`)
    assert.deepEqual(found, [{ kind: 'key', confidence: 'certain', text: whole }])
  })
}
const wholes: readonly [what: string, text: string][] = [
  ['on one line', block('PRIVATE KEY', [line + line], ' ')],
  ['with line breaks of Windows', block('PRIVATE KEY', [line, line], '\r\n')],
  ['with escaped line breaks, as in variables', block('PRIVATE KEY', [line, line], '\\n')],
  ['as source code joins it', block('PRIVATE KEY', [`" + "${line}\\n"`, `+ "${line}`])],
  ['indented, as in YAML', block('PRIVATE KEY', [`    ${line}`, `    ${line}`], '\n    ')],
  [
    'with headers',
    block('RSA PRIVATE KEY', ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0A1B', '', line]),
  ],
  [
    'with four dashes, as of SSH2',
    `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n${line}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----`,
  ],
]
for (const [what, text] of wholes) {
  test(`a block is removed whole ${what}`, () => {
    assert.equal(look.at(`x\n${text}\ny`).masked, `x\n${removed}\ny`)
  })
}
const cut: readonly [what: string, text: string, rest: string][] = [
  [
    'at the end of the text',
    `${dashes}BEGIN PRIVATE KEY${dashes}\n${line}\n${line.slice(0, 20)}`,
    '',
  ],
  [
    'in front of prose',
    `${dashes}BEGIN PRIVATE KEY${dashes}\n${line}\n${line}\n`,
    'and so on, it says',
  ],
  [
    'behind its headers',
    `${dashes}BEGIN RSA PRIVATE KEY${dashes}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n\n${line}\n${line}`,
    '',
  ],
  [
    'with a checksum',
    `${dashes}BEGIN PGP PRIVATE KEY BLOCK${dashes}\nVersion: GnuPG v2\n\n${line}\nabcD1\n=aB1c\n`,
    'well',
  ],
]
for (const [what, text, rest] of cut) {
  test(`a block without its end is removed as far as it goes: ${what}`, () => {
    const { masked } = look.at(`a ${text}${rest}`)
    assert.equal(masked.replace('\n', ''), `a ${removed}${rest}`)
  })
}
test('the end of one block is not taken for the end of one before it', () => {
  const open = `${dashes}BEGIN PRIVATE KEY${dashes}\n${line}\n\nsome words\n`
  const { masked } = look.at(`${open}${block('EC PRIVATE KEY', [line])}\nend`)
  assert.equal(masked, `${removed}\n\nsome words\n${removed}\nend`)
})

test('blocks glued together are removed each by itself', () => {
  const one = block('PRIVATE KEY', [line])
  assert.equal(look.at(one + one + one).masked, removed.repeat(3))
})

const kept: readonly [what: string, text: string, name: string][] = [
  ['a public key', block('PUBLIC KEY', [line, line]), ''],
  ['a certificate', block('CERTIFICATE', [line, line]), ''],
  [
    'a sentence about such keys',
    `paste the text from ${dashes}BEGIN PRIVATE KEY${dashes} on, please`,
    '',
  ],
  ['a placeholder', block('PRIVATE KEY', ['your key here']), ''],
  ['what is left of a masked one', block('PRIVATE KEY', ['***']), ''],
  ['dashes', '-'.repeat(300), ''],
  ['a public name', line, 'public_key'],
  ['words under a private name', 'see the vault for it', 'private_key'],
  ['a short value', 'abc123', 'private_key'],
  ['a digest under one letter', 'a'.repeat(64), 'd'],
  ['a word under one letter', 'hello', 'd'],
  ['a secret of AWS under another name', 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab', 'id'],
  ['one character less', 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYa', 'aws_secret_access_key'],
  ['a JSON web key without secrets', `key {"kty":"RSA","n":"${line}","e":"AQAB"}`, ''],
  ['what was written', `it was ${removed}`, 'private_key'],
]
for (const [what, text, name] of kept) {
  test(`left as it is: ${what}`, () => {
    assert.deepEqual(look.at(text, name), { masked: text, found: [] })
  })
}

const aws = `wJalrXUtnFEMI/K7MDENG/${'bPxRfiCYzEXAMPLEKE'}`
const curve = `870MB6gfuTJ4HtUnUvYM${'yJpr5eUZNP4Bk43bVdj3eAE'}`
test('a value is removed by its name', () => {
  assert.equal(aws.length, 40)
  assert.equal(look.at(aws, 'aws_secret_access_key').found[0]?.confidence, 'certain')
  assert.equal(look.at(` ${aws}\n`, 'secretaccesskey').masked, ` ${removed}\n`)
  assert.equal(look.at(line, 'private_key').masked, removed)
  assert.equal(look.at(line, 'client_private_key_pem').found[0]?.confidence, 'high')
  assert.equal(look.at(curve, 'd').found[0]?.confidence, 'medium')
  assert.equal(look.at(curve, 'x').found.length, 0)
})
test('a secret of AWS is removed behind its label', () => {
  for (const label of [
    'aws_secret_access_key = ',
    'AWS_SECRET_ACCESS_KEY=',
    'secretAccessKey: "',
    "export AWS_SECRET_KEY='",
  ]) {
    assert.equal(look.at(`${label}${aws}`).masked, `${label}${removed}`)
  }
  assert.equal(look.at(`aws_secret_access_key=${aws}0`).found.length, 0)
})
test('the secret members of a JSON web key in running text are removed, the others stay', () => {
  const text = (d: string): string =>
    `log: {"kty":"EC","crv":"P-256","x":"${line.slice(0, 43)}","d":"${d}"} done`
  assert.equal(look.at(text(curve)).masked, text(removed))
  const two = `{"kty":"EC","d":"${curve}"} {"d":"${curve}","kty":"EC"}`
  assert.equal(look.at(`x ${two}`).found.length, 2)
  const rsa = `{"n":"${line}","d":"${line.slice(0, 60)}","p":"${curve}","kty":"RSA"}`
  assert.equal(look.at(`x ${rsa}`).found.length, 2)
  assert.equal(look.at(`"kty" ${'x'.repeat(9000)} "d":"${curve}"`).found.length, 0)
})
test('keys of age and of PuTTY are removed', () => {
  const age = `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}`
  assert.equal(look.at(`# created\n${age}\n`).masked, `# created\n${removed}\n`)
  const putty = `PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 2\n${line}\nAbc1=\nPrivate-MAC: 0a1b`
  assert.equal(
    look.at(putty).masked,
    `PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 2\n${removed}\nPrivate-MAC: 0a1b`,
  )
})
test('a block in base64 once more is removed, a public one stays', () => {
  const wrapped = (text: string): string => Buffer.from(text).toString('base64')
  assert.equal(
    look.at(`tls.key: ${wrapped(block('RSA PRIVATE KEY', [line, line]))}`).masked,
    `tls.key: ${removed}`,
  )
  assert.equal(look.at(wrapped(block('CERTIFICATE', [line, line]))).found.length, 0)
})
test('masking twice is masking once, whatever blocks are cut and joined', () => {
  const part = fc.constantFrom(
    `${dashes}BEGIN PRIVATE KEY${dashes}`,
    `${dashes}END PRIVATE KEY${dashes}`,
    `${dashes}BEGIN CERTIFICATE${dashes}`,
    line,
    line.slice(0, 40),
    '\n',
    '\\n',
    ' ',
    'word',
    'A: b\n',
    '"kty"',
    `"d":"${curve}"`,
    '{',
    '}',
  )
  const quiet = fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
    const once = look.at(parts.join('')).masked
    assert.equal(look.at(once).masked, once)
  })
  fc.assert(quiet, { numRuns: 1000 })
})
test('heads of blocks, a million bytes of them, take no more than their time', () => {
  for (const word of [
    `${dashes}BEGIN PRIVATE KEY${dashes}\n`,
    `${dashes}BEGIN PRIVATE KEY${dashes} END `,
    '"kty"',
    `${dashes}BEGIN PRIVATE KEY${dashes}A: b\n`,
  ]) {
    const since = performance.now()
    look.at(word.repeat(Math.ceil(1_000_000 / word.length)))
    assert.ok(performance.now() - since < 5000, word)
  }
})
