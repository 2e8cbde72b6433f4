import assert from 'node:assert/strict'
import { createHmac, createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { grouped, pan } from '../../tests/cards.ts'
import { cardHash } from '../cards/hash.ts'
import { readJson } from '../wire/json.ts'
import { cardToken } from './card-token.ts'
import { detectionOf, pciDetection } from './detection.ts'
import { keepTokens } from './masked.ts'
import { createMasker } from './masker.ts'
import type { Masked } from './masked.ts'
import type { MaskPlan } from './masker.ts'

const secret = Buffer.alloc(32, 7)
const tokenKey = { version: 1, secret: createSecretKey(secret) }
const keys = { sealKey: new Uint8Array(32), hashKey: Uint32Array.of(1, 2) }
const masker = createMasker({ ...keys, tokenKey })
const plan: MaskPlan = { reveal: 'none', detect: pciDetection, rule: 'test' }
const limits = { bytesMax: 1 << 24, depthMax: 64 }
const [visa, amex, master] = [pan(4, 16), pan(37, 15), pan(51, 16)]

const hex = (tokens: readonly Uint8Array[]): string[] =>
  tokens.map((token) => Buffer.from(token).toString('hex')).toSorted()
const wanted = (...numbers: string[]): string[] =>
  hex(numbers.map((number) => cardToken(number, tokenKey)))
/** The tokens of a result with this content. */
function tokens(content: unknown, by: MaskPlan = plan): string[] {
  const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: content })
  const { maskings } = masker.answer(readJson(Buffer.from(message), limits), by, 'ada@shop')
  return hex(maskings.tokens()?.value ?? [])
}

test('a token is its version and half an HMAC of the digits', () => {
  const mac = createHmac('sha256', secret).update(visa, 'ascii').digest('hex')
  assert.equal(cardToken(visa, tokenKey).toString('hex'), `01${mac.slice(0, 32)}`)
  const other = cardToken(visa, { ...tokenKey, version: 2 })
  assert.equal(other.length, 17)
  assert.equal(other[0], 2)
})

const arabic = visa.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)))
const spelt: readonly [how: string, content: unknown, numbers: string[]][] = [
  ['plain in text', { text: `pay ${visa} now` }, [visa]],
  ['as a number', { a: Number(visa) }, [visa]],
  ['in groups', { text: grouped(visa, [4, 4, 4, 4], '-') }, [visa]],
  ['in digits of another script', { text: arabic }, [visa]],
  ['percent-encoded', { text: grouped(visa, [4, 4, 4, 4], '%20') }, [visa]],
  ['in JSON within a string', { text: JSON.stringify({ pan: visa }) }, [visa]],
  [
    'in base64',
    { blob: Buffer.from(`n ${visa}\n`).toString('base64'), mimeType: 'text/plain' },
    [visa],
  ],
  ['several times', { a: visa, b: `${visa} ${grouped(visa, [4, 4, 4, 4], ' ')}` }, [visa]],
  ['with others', { rows: [[visa], [amex], [master], [amex]] }, [visa, amex, master]],
  ['as a key', { [visa]: 1 }, [visa]],
  ['nowhere', { text: 'none', n: 12 }, []],
  ['masked already', { text: `**** **** **** ${visa.slice(-4)}` }, []],
]
for (const [how, content, numbers] of spelt) {
  test(`a number ${how} gives the tokens of its digits`, () => {
    assert.deepEqual(tokens(content), wanted(...numbers))
  })
}

test('what stays in clear for the client has its token all the same', () => {
  assert.deepEqual(tokens({ a: visa }, { ...plan, reveal: 'pan' }), wanted(visa))
  const detect = detectionOf({ ...pciDetection, testNumbers: 'pass' })
  const published = pan('4', 16, '1')
  assert.deepEqual(tokens({ a: published }, { ...plan, detect }), wanted(published))
})

test('tokens are those of their own message, asked for when they may be', () => {
  const read = (text: string): ReturnType<typeof readJson> => readJson(Buffer.from(text), limits)
  const first = masker.asked(read(`{"a":"${visa}"}`), plan, 'b').maskings
  const second = masker.text(Buffer.from(`see ${amex}`), plan).maskings
  const third = masker.asked(read('{"a":"b"}'), plan, 'b').maskings
  assert.deepEqual(hex(first.tokens()?.value ?? []), wanted(visa))
  assert.deepEqual(hex(second.tokens()?.value ?? []), wanted(amex))
  assert.equal(third.tokens(), undefined)
})

/** Two numbers whose short hashes are the same under the key of these tests. */
function twins(): [string, string] {
  const seen = new Map<number, string>()
  for (let i = 0; ; i++) {
    const number = pan(`4${i}`, 16, '97531')
    const hash = cardHash(Uint8Array.from(number, Number), 16, keys.hashKey)
    const twin = seen.get(hash)
    if (twin !== undefined && twin !== number) return [twin, number]
    seen.set(hash, number)
  }
}

test('numbers whose short hashes agree are told apart, in one message and over two', () => {
  const [a, b] = twins()
  assert.deepEqual(tokens({ a, b }), wanted(a, b))
  assert.deepEqual(tokens({ a }), wanted(a))
  assert.deepEqual(tokens({ b }), wanted(b))
})

test('only mask makes tokens that may be recorded', () => {
  const record = ({ value }: Masked<readonly Uint8Array[]>): number => value.length
  assert.equal(record(keepTokens([visa, amex], tokenKey)), 2)
  // @ts-expect-error tokens of anybody's making are none
  assert.throws(() => record([cardToken(visa, tokenKey)]))
  // @ts-expect-error a look-alike is none
  record({ value: [cardToken(visa, tokenKey)] })
  // @ts-expect-error masked bytes are no tokens
  record(masker.text(Buffer.from('text'), plan).kept)
})

test('without a key no token is made, and nothing is hashed without the key of hashes', () => {
  const { maskings } = createMasker(keys).text(Buffer.from(`see ${visa}`), plan)
  assert.equal(maskings.count, 1)
  assert.equal(maskings.tokens(), undefined)
  assert.throws(() => createMasker({ sealKey: keys.sealKey, tokenKey }), /found by hashes/)
})
