import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pan } from '../../tests/cards.ts'
import { plan } from '../../tests/masking.ts'
import { readJson } from '../wire/json.ts'
import { createMasker } from './masker.ts'
import { OwnWords } from './own.ts'
import type { JsonTree } from '../wire/json.ts'

const visa = pan(4, 16)
const amex = pan(37, 15)
const treeOf = (json: string): JsonTree =>
  readJson(Buffer.from(json), { bytesMax: 1 << 20, depthMax: 64 })
const call = (id: string, token: string): JsonTree =>
  treeOf(`{"id":${id},"method":"tools/call","params":{"_meta":{"progressToken":${token}}}}`)
const progress = (token: string): string =>
  `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1}}`

const masker = createMasker({ sealKey: new Uint8Array(32).fill(7) })
const shown = (json: string, binding = 'ada'): string =>
  Buffer.from(masker.answer(treeOf(json), plan, binding).shown.bytes).toString()
const undone = (json: string): string => Buffer.from(masker.undo(treeOf(json), 'ada')).toString()
const cursorOf = (value: string): string =>
  JSON.parse(shown(`{"id":1,"result":{"nextCursor":"${value}"}}`)).result.nextCursor

test('a word nobody said is no echo, however it is spelt', () => {
  masker.asked(call('1', `"${amex}"`), plan, 'eve')
  for (const token of [`"${amex}"`, amex, `${amex}.0`]) {
    assert.match(JSON.parse(shown(progress(token))).params.progressToken, /^sp1\./)
  }
})
test('a word the client said comes back to it, in any spelling, and to nobody else', () => {
  masker.asked(call(visa, `"${visa}"`), plan, 'ada')
  const respelt = `"\\u003${visa.slice(0, 1)}${visa.slice(1)}"`
  const cancelled = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${visa}}}`
  for (const json of [progress(`"${visa}"`), progress(respelt), cancelled]) {
    assert.equal(shown(json), json)
    assert.equal(shown(json, 'eve').includes(visa), false)
  }
})
test('the oldest words are forgotten, and short ones and decimals are never kept', () => {
  const own = new OwnWords()
  const hasId = (id: string): boolean => {
    const tree = treeOf(`{"id":${id},"method":"m"}`)
    return own.has(tree, tree.get(tree.root, 'id'), 'ada')
  }
  for (const id of ['7', `${visa}.5`]) {
    own.note(call(id, '1'), 'ada')
    assert.equal(hasId(id), false)
  }
  own.note(call(visa, '1'), 'ada')
  assert.equal(hasId(visa), true)
  for (let i = 0; i < 10_000; i++) own.note(call(String(10 ** 15 + i), '1'), 'ada')
  assert.equal(hasId(visa), false)
  assert.equal(hasId(String(10 ** 15)), true)
})
test('an alias is undone where it goes back to its server, and nowhere else', () => {
  const alias = cursorOf(`after:${visa}`)
  for (const json of [
    `{"id":"${alias}","method":"ping"}`,
    `{"id":2,"method":"ping","params":{"_meta":{"progressToken":"${alias}"}}}`,
    `{"id":2,"method":"tools/call","params":{"name":"t","arguments":{"cursor":"${alias}"}}}`,
  ]) {
    assert.equal(undone(json), json)
  }
})
test('an alias of a header is none of a message, and the other way round', () => {
  const alias = masker.seal(visa, 'ada')
  assert.throws(() => undone(`{"id":2,"method":"m","params":{"cursor":"${alias}"}}`), {
    code: 'bad_params',
  })
  assert.throws(() => masker.unseal(cursorOf(visa), 'ada'), { code: 'bad_params' })
})
test('the names of questions come back as they were, and are masked in the record', () => {
  const ask = '{"method":"elicitation/create","params":{"message":"?"}}'
  const json = `{"id":1,"result":{"inputRequests":{"q ${visa}":${ask},"r":${ask}}}}`
  const { kept } = masker.answer(treeOf(json), plan, 'ada')
  const stars = '*'.repeat(12) + visa.slice(-4)
  assert.equal(Buffer.from(kept.value).toString(), json.replace(visa, stars))
  const [alias = '', other] = Object.keys(JSON.parse(shown(json)).result.inputRequests)
  assert.match(alias, /^sp1\./)
  assert.equal(other, 'r')
  const retry = `{"id":2,"method":"tools/call","params":{"inputResponses":{"${alias}":{},"r":{}}}}`
  assert.equal(undone(retry), retry.replace(alias, `q ${visa}`))
})
