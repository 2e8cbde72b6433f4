import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headersOf } from './headers.ts'
import { checkJson, checkPlain } from './media.ts'

for (const encoding of ['gzip', 'br', 'identity, gzip', 'gzip, identity', 'x']) {
  test(`a request in Content-Encoding ${encoding} is refused`, () => {
    const headers = headersOf(['Content-Encoding', encoding])
    assert.throws(() => checkPlain(headers), { name: 'Fault', code: 'media_unsupported' })
  })
}

test('a second Content-Encoding behind a harmless one is refused', () => {
  const headers = headersOf(['Content-Encoding', 'identity', 'content-encoding', 'gzip'])
  assert.throws(() => checkPlain(headers), { code: 'media_unsupported' })
})

test('plain bytes pass, said or not', () => {
  checkPlain(headersOf([]))
  checkPlain(headersOf(['Content-Encoding', 'Identity']))
})

const refused: readonly [what: string, raw: string[]][] = [
  ['no type', []],
  ['text', ['Content-Type', 'text/plain']],
  ['a longer name', ['Content-Type', 'application/jsonx']],
  ['JSON within another type', ['Content-Type', 'text/plain; a=application/json']],
  ['another charset', ['Content-Type', 'application/json; charset=utf-16']],
  ['two types', ['Content-Type', 'application/json', 'Content-Type', 'application/json']],
  ['a list of types', ['Content-Type', 'application/json, text/plain']],
]
for (const [what, raw] of refused) {
  test(`a body of ${what} is refused`, () => {
    assert.throws(() => checkJson(headersOf(raw)), { code: 'media_unsupported' })
  })
}

for (const type of [
  'application/json',
  'Application/JSON; charset=UTF-8',
  'application/json ; charset="utf-8"',
]) {
  test(`a body of ${type} passes`, () => checkJson(headersOf(['Content-Type', type])))
}
