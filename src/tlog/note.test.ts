import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifierOf } from './cosignature.ts'
import { logKey, logSigner, logVerifier, origin, witnessVerifier } from './keys.fixture.ts'
import { publicKeyOf, rawPublicKey } from './keys.ts'
import {
  keyId,
  noteSigner,
  openNote,
  parseVkey,
  signNote,
  splitNote,
  vkeyOf,
  signatureLines,
} from './note.ts'
import type { Signer } from './note.ts'
import { hex, vectors } from './vectors.fixture.ts'

const { key, notes, reject, specExample } = vectors.signedNote
const good = notes[0]?.note ?? ''
const [text = '', line = ''] = good.split('\n\n')

const codes: readonly [goError: RegExp, code: string][] = [
  [/^malformed/, 'note_malformed'],
  [/^invalid signature/, 'signature_bad'],
  [/no verifiable/, 'signature_missing'],
]
for (const { goError, note, why } of reject) {
  test(`a note is refused, as Go's package does: ${why}`, () => {
    const code = codes.find(([pattern]) => pattern.test(goError))?.[1]
    assert.throws(() => openNote(note, [logVerifier]), { name: 'Unproven', code })
    assert.throws(() => openNote(Buffer.from(note), [logVerifier]), { code })
  })
}

const [dash, name, signature = ''] = line.trimEnd().split(' ')
const inUrls = (vectors.checkpoints.valid[0]?.note ?? '').replace(/[^ ]+\n$/, (last) => {
  return last.replaceAll('/', '_')
})
const malformed: readonly [what: string, note: string | Uint8Array][] = [
  ['is not UTF-8', Buffer.concat([Buffer.of(0xff), Buffer.from(good)])],
  [
    'is cut inside a character',
    Buffer.concat([Buffer.from(good).subarray(0, -1), Buffer.of(0xe2)]),
  ],
  ['holds half a surrogate pair', `\ud800${good}`],
  ['holds a tab', good.replace('example', '\t')],
  ['holds a NUL', good.replace('example', '\0')],
  ['has two spaces before the name', good.replace(`${dash} ${name}`, `${dash}  ${name}`)],
  ['has a space at the end of a line', good.replace(/=\n$/, '= \n')],
  ['ends in another character', `${good.trimEnd()}x`],
  ['has a name with a next-line character', good.replace(`${dash} ${name}`, `${dash} a\u0085b`)],
  ['has a name with a plus', good.replace(`${dash} ${name}`, `${dash} a+b`)],
  ['has a name with a no-break space', good.replace(`${dash} ${name}`, `${dash} a\u00a0b`)],
  ['has a signature in the alphabet for URLs', inUrls],
  ['has a signature of four bytes', `${text}\n\n${dash} ${name} AAAAAA==\n`],
  ['has an empty signature', `${text}\n\n${dash} ${name} \n`],
  ['has a carriage return after a line', good.replace(/\n$/, '\r\n')],
  ['has over 100 signatures', `${text}\n\n${line.repeat(101)}`],
  ['is longer than 1 MiB', `${'x'.repeat(1_048_576)}\n${good}`],
  ['is empty', ''],
]
for (const [what, note] of malformed) {
  test(`a note is refused that ${what}`, () => {
    assert.throws(() => openNote(note, [logVerifier]), { name: 'Unproven', code: 'note_malformed' })
  })
}
const keys: readonly [what: string, vkey: string][] = [
  ['of one part', key.name],
  ['without name', key.vkey.slice(key.name.length)],
  ['with a space in its name', key.vkey.replace('/', ' ')],
  ['of another name', `x${key.vkey}`],
  ['with another id', key.vkey.replace(key.keyId, '00000000')],
  ['with an id in capitals', key.vkey.replace(key.keyId, key.keyId.toUpperCase())],
  ['that is cut short', key.vkey.slice(0, -4)],
  ['with a space after it', `${key.vkey} `],
  ['with a newline after it', `${key.vkey}\n`],
  ['of nothing', `a+${keyId('a', 1, Buffer.alloc(0))}+`],
  ['of 31 bytes', `a+${keyId('a', 1, Buffer.alloc(31))}+${Buffer.alloc(32, 1).toString('base64')}`],
]
for (const [what, vkey] of keys) {
  test(`a key is refused ${what}, and the message does not quote it`, () => {
    assert.throws(
      () => parseVkey(vkey),
      (error: Error & { code?: string }) => {
        return error.code === 'key_malformed' && !error.message.includes(vkey.slice(0, 8))
      },
    )
  })
}
test('a key of a type that cannot be checked is read, and makes no verifier', () => {
  const raw = Buffer.alloc(32, 5)
  const encoded = Buffer.concat([Buffer.of(5), raw]).toString('base64')
  const vkey = parseVkey(`a+${keyId('a', 5, raw)}+${encoded}`)
  assert.deepEqual(vkey, { name: 'a', keyId: keyId('a', 5, raw), type: 5, publicKey: raw })
  assert.throws(() => verifierOf(vkey), { name: 'Unproven', code: 'key_unsupported' })
})
test('a text that is none is not signed, nor by a key whose name is none', () => {
  for (const wrong of ['', 'x', 'x\r\n', 'a\tb\n', '\ud800\n']) {
    assert.throws(() => signNote(wrong, [logSigner]), { code: 'note_malformed' })
  }
  for (const wrong of ['', 'a b', 'a+b', 'a\n', 'a\u2003b', '\ud800']) {
    assert.throws(() => signNote('x\n', [noteSigner(wrong, logKey)]), { code: 'key_malformed' })
    assert.throws(() => vkeyOf(wrong, logKey), { code: 'key_malformed' })
  }
  assert.throws(() => signNote('x\n', []), { name: 'Broken' })
})

test('the key of the vectors has its id and its vkey, from raw bytes and from key objects', () => {
  const raw = hex(key.publicKey)
  assert.equal(keyId(key.name, 1, raw), key.keyId)
  for (const it of [raw, logKey, createPublicKey(logKey), publicKeyOf('ed25519', raw)]) {
    assert.equal(vkeyOf(key.name, it), key.vkey)
  }
  assert.deepEqual(parseVkey(key.vkey), {
    name: key.name,
    keyId: key.keyId,
    type: 1,
    publicKey: raw,
  })
  assert.deepEqual(rawPublicKey(logKey), raw)
})
test('the notes of the vectors are signed byte by byte, and opened', () => {
  for (const { note, text: signed } of notes) {
    assert.equal(signNote(signed, [logSigner]), note)
    for (const form of [note, Buffer.from(note)]) {
      const { text: read, unknown, verified } = openNote(form, [logVerifier])
      assert.equal(read, signed)
      assert.deepEqual(unknown, [])
      assert.deepEqual(verified, [
        { name: key.name, keyId: key.keyId, line: note.slice(signed.length + 1) },
      ])
    }
  }
  const [, exampleLine] = specExample.note.split('\n\n')
  const example = openNote(specExample.note, [verifierOf(parseVkey(specExample.vkey))])
  assert.equal(example.verified[0]?.line, exampleLine)
})
test('a byte order mark is a part of the text', () => {
  const marked = Buffer.concat([Buffer.from('efbbbf', 'hex'), Buffer.from(good)])
  assert.throws(() => openNote(marked, [logVerifier]), { code: 'signature_bad' })
  assert.equal(splitNote(marked).text.codePointAt(0), 0xfeff)
})
test('lines of unknown keys are told and prove nothing, also if name or id is a known one', () => {
  const pair = generateKeyPairSync('ed25519').privateKey
  const strangers: Signer[] = [
    noteSigner('other.example', pair),
    noteSigner(key.name, pair),
    { ...logSigner, name: 'other.example' },
  ]
  const note = signNote(text + '\n', [...strangers, logSigner])
  const { unknown, verified } = openNote(note, [logVerifier, witnessVerifier])
  assert.deepEqual(
    unknown.map((it) => it.name),
    ['other.example', key.name, 'other.example'],
  )
  assert.deepEqual(
    verified.map((it) => it.keyId),
    [key.keyId],
  )
  const alone = signNote(`${text}\n`, strangers)
  assert.throws(() => openNote(alone, [logVerifier]), { code: 'signature_missing' })
  assert.throws(() => openNote(note, []), { code: 'signature_missing' })
})
test('one line of a known key that does not fit spoils the note', () => {
  const wrong: Signer = {
    name: witnessVerifier.name,
    keyId: witnessVerifier.keyId,
    sign: () => Buffer.alloc(72),
  }
  const note = signNote(`${text}\n`, [logSigner, wrong])
  assert.equal(openNote(note, [logVerifier]).unknown.length, 1)
  assert.throws(() => openNote(note, [logVerifier, witnessVerifier]), { code: 'signature_bad' })
})
test('a key is read once, its first line', () => {
  const { verified } = openNote(`${text}\n\n${line.repeat(3)}`, [logVerifier])
  assert.equal(verified.length, 1)
  const wrong = signatureLines('x\n', [logSigner])
  assert.equal(openNote(`${text}\n\n${line}${wrong}`, [logVerifier]).verified.length, 1)
  assert.throws(() => openNote(`${text}\n\n${wrong}${line}`, [logVerifier]), {
    code: 'signature_bad',
  })
  assert.equal(openNote(`${text}\n\n${line.repeat(100)}`, [logVerifier]).verified.length, 1)
  assert.throws(() => openNote(good, [logVerifier, logVerifier]), { name: 'Broken' })
})
test('a signature is not accepted with the order of the curve added to it', () => {
  const order = 2n ** 252n + BigInt('0x14def9dea2f79cd65812631a5cf5d3ed')
  const bytes = Buffer.from(signature, 'base64')
  const scalar = BigInt(`0x${Buffer.from(bytes.subarray(36)).reverse().toString('hex')}`)
  const more = Buffer.from((scalar + order).toString(16).padStart(64, '0'), 'hex').reverse()
  const forged = Buffer.concat([bytes.subarray(0, 36), more]).toString('base64')
  assert.throws(() => openNote(`${text}\n\n— ${name} ${forged}\n`, [logVerifier]), {
    code: 'signature_bad',
  })
})
test('what is signed is opened, and with any byte changed it is refused', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 60 }).map((it) => {
    return `${it.replace(/\p{Cc}/gu, '\n')}\n`
  })
  const kept = fc.property(texts, fc.nat(), fc.integer({ min: 1, max: 255 }), (signed, at, by) => {
    const note = signNote(signed, [logSigner])
    assert.equal(openNote(note, [logVerifier]).text, signed)
    const bytes = Buffer.from(note)
    const where = at % bytes.length
    bytes[where] = bytes.readUInt8(where) ^ by
    assert.throws(() => openNote(bytes, [logVerifier]), { name: 'Unproven' })
  })
  fc.assert(kept)
})
test('the origin of the vectors is the name of their key', () => assert.equal(origin, key.name))
