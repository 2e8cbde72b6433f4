import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint } from './checkpoint.ts'
import { cosigner } from './cosignature.ts'
import { logKey, logSigner, origin, witnessVector } from './keys.fixture.ts'
import { signNote, vkeyOf } from './note.ts'
import { isMet, openByPolicy, parsePolicy } from './policy.ts'
import type { Group, Witness } from './policy.ts'
import { leaf, vectors } from './vectors.fixture.ts'

const log = `log ${vectors.checkpoints.vkey}\n`
const keys = Array.from({ length: 6 }, () => generateKeyPairSync('ed25519').privateKey)
const vkeys = keys.map((key, i) => vkeyOf(`w${i}.example`, key, 4))
const [w0 = '', w1 = '', w2 = '', w3 = '', w4 = '', w5 = ''] = vkeys
const two = `${log}witness X ${w0}\nwitness Y ${w1}\n`
const body = formatCheckpoint({ origin, size: 1, root: leaf(0) })
const cosigned = (...by: KeyObject[]): string => {
  const witnesses = by.map((key) => cosigner(`w${keys.indexOf(key)}.example`, key, () => 1))
  return signNote(body, [logSigner, ...witnesses])
}

const refused: readonly [what: string, file: string | Uint8Array, code?: string][] = [
  ['is empty', ''],
  ['has no quorum', two],
  ['has two quorums', `${two}quorum X\nquorum X\n`],
  ['ends without newline', `${log}quorum none`],
  ['has an unknown word', `${log}witnesses X\nquorum none\n`],
  ['has a word in capitals', `LOG ${vectors.checkpoints.vkey}\nquorum none\n`],
  ['has a carriage return', `${log}quorum none\r\n`],
  ['has a NUL', `${log}#\0\nquorum none\n`],
  ['is not UTF-8', Buffer.concat([Buffer.of(0x23, 0xff, 0x0a), Buffer.from('quorum none\n')])],
  ['has a log without key', 'log\nquorum none\n'],
  ['has a log with three items', `log ${vectors.checkpoints.vkey} a b\nquorum none\n`],
  ['has a log with a bad key', 'log a+00000000+AAAA\nquorum none\n', 'key_malformed'],
  ['has a log with a key of a witness', `log ${w0}\nquorum none\n`],
  ['has a log twice', `${log}${log}quorum none\n`],
  ['has a log twice under two names', `${log}log ${vkeyOf('b', logKey)}\nquorum none\n`],
  ['has a witness with a key of a log', `witness X ${vectors.checkpoints.vkey}\nquorum none\n`],
  ['has a witness without key', 'witness X\nquorum none\n'],
  ['has a witness with four items', `witness X ${w0} a b\nquorum none\n`],
  ['has a witness twice', `witness X ${w0}\nwitness Y ${w0}\nquorum none\n`],
  ['has a name twice', `witness X ${w0}\nwitness X ${w1}\nquorum none\n`],
  ['calls a witness none', `witness none ${w0}\nquorum none\n`],
  ['calls a group like a witness', `${two}group X any Y\nquorum none\n`],
  ['has a group in itself', `${two}group G any G\nquorum G\n`],
  ['has a group without members', `${two}group G any\nquorum none\n`],
  ['has a group of none', `${two}group G any none\nquorum none\n`],
  ['has a member twice in a group', `${two}group G all X X\nquorum G\n`],
  ['has a member in two groups', `${two}group G all X\ngroup H all X Y\nquorum H\n`],
  ['asks for 0 of 2', `${two}group G 0 X Y\nquorum G\n`],
  ['asks for 3 of 2', `${two}group G 3 X Y\nquorum G\n`],
  ['asks for 01 of 2', `${two}group G 01 X Y\nquorum G\n`],
  ['asks for some of 2', `${two}group G some X Y\nquorum G\n`],
  ['has a quorum without name', `${two}quorum\n`],
  ['has a quorum of two', `${two}quorum X Y\n`],
  ['has a quorum that is defined below', `${log}quorum X\nwitness X ${w0}\n`],
  ['is longer than 1 MiB', `#${'x'.repeat(1_048_576)}\nquorum none\n`],
  ['has over 4096 lines', `${'\n'.repeat(4096)}quorum none\n`],
]
for (const [what, file, code = 'policy_malformed'] of refused) {
  test(`a policy is refused that ${what}`, () => {
    assert.throws(() => parsePolicy(file), { name: 'Unproven', code })
  })
}
test('a message names the line and quotes nothing', () => {
  assert.throws(
    () => parsePolicy(`${two}\n# x\nquorum secret\n`),
    /^Unproven: Line 6 of the policy[^]*above\.$/,
  )
})
test('blanks, tabs, comments and urls are read', () => {
  const file = `\n# logs\n \t log\t${vectors.checkpoints.vkey}  https://a.example/ \n\t#\nwitness X ${w0} https://b.example\n quorum X`
  const policy = parsePolicy(`${file}\n`)
  assert.equal(policy.logs[0]?.url, 'https://a.example/')
  assert.equal(policy.logs[0]?.vkey.name, origin)
  assert.deepEqual(
    policy.witnesses.map(({ name, url }) => [name, url]),
    [['X', 'https://b.example']],
  )
  assert.equal(policy.quorum, policy.witnesses[0])
  assert.deepEqual(parsePolicy(`${log}quorum none\n`).quorum, { need: 0, of: [] })
  const names = parsePolicy(`witness K ${w0}\nwitness \u212a ${w1}\nquorum none\n`)
  assert.equal(names.witnesses.length, 2)
})
test('the checkpoint of a log is accepted with as many witnesses as the groups ask for', () => {
  const file = [
    `${log}witness X1 ${w0}\nwitness X2 ${w1}\nwitness X3 ${w2}\ngroup X 2 X1 X2 X3`,
    `witness Y1 ${w3}\nwitness Y2 ${w4}\nwitness Y3 ${w5}\ngroup Y any Y1 Y2 Y3`,
    'group X-and-Y all X Y\nquorum X-and-Y\n',
  ].join('\n')
  const policy = parsePolicy(file)
  const want = (by: readonly number[]): boolean =>
    by.filter((i) => i < 3).length >= 2 && by.some((i) => i >= 3)
  const subsets = fc.subarray([0, 1, 2, 3, 4, 5])
  const judged = fc.property(subsets, (by) => {
    const note = cosigned(...keys.filter((_, i) => by.includes(i)))
    if (want(by)) assert.equal(openByPolicy(note, policy).size, 1)
    else assert.throws(() => openByPolicy(note, policy), { code: 'quorum_missing' })
  })
  fc.assert(judged)
})
test('a log that the policy has not, and a log under the key of another, are refused', () => {
  const policy = parsePolicy(`${log}quorum none\n`)
  const other = formatCheckpoint({ origin: 'other.example', size: 1, root: leaf(0) })
  const note = signNote(other, [logSigner])
  assert.throws(() => openByPolicy(note, policy), { code: 'origin_other' })
  assert.throws(() => openByPolicy(signNote(body, [cosigner(origin, logKey, () => 1)]), policy), {
    code: 'signature_missing',
  })
  assert.throws(() => openByPolicy(signNote(body, [logSigner]), parsePolicy('quorum none\n')), {
    code: 'origin_other',
  })
})
test('a witness is known by its key, not by the name which the policy gives it', () => {
  const policy = parsePolicy(`${log}witness mine ${witnessVector.vkey}\nquorum mine\n`)
  assert.equal(openByPolicy(vectors.cosignatureV1.note, policy).size, 65_537)
  assert.throws(() => openByPolicy(cosigned(), policy), { code: 'quorum_missing' })
})
test('a quorum is met by the keys it asks for, as a model counts them', () => {
  const { quorum } = parsePolicy(`${two}group G any X Y\nquorum G\n`)
  const [x] = 'of' in quorum ? quorum.of : []
  assert.ok(x && 'vkey' in x)
  const none: Group | Witness = { need: 0, of: [] }
  assert.deepEqual(
    [isMet(quorum, []), isMet(none, []), isMet(quorum, [x.vkey])],
    [false, true, true],
  )
  assert.equal(isMet(quorum, [{ ...x.vkey, keyId: '00000000' }]), false)
})
