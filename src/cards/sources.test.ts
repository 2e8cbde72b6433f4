/** The table of ranges against two other tables: each difference is named here, with its reason. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import cardTypes from 'credit-card-type'
import * as listed from 'creditcards-types'
import type { ICardType } from 'creditcards-types/type.js'
import { pan } from '../../tests/cards.ts'
import { fits } from './ranges.ts'

// A CommonJS array whose types promise a default export.
const isList = (value: unknown): value is readonly ICardType[] => Array.isArray(value)
const list: unknown = Reflect.get(listed, 'default')
assert.ok(isList(list))
const types = list
type Pattern = number | string | [number, number]
const edges = (pattern: Pattern): string[] =>
  (Array.isArray(pattern) ? pattern : [pattern]).map(String)

/** Prefixes of other tables which ours leaves out on purpose. */
const leftOut: readonly (readonly [brand: string, prefix: RegExp, why: string])[] = [
  ['jcb', /^(?:2131|1800)$/, 'the ranges of old cards, which have fifteen digits and no more'],
]

test('every prefix and length of credit-card-type is in the table, or is left out by name', () => {
  let pairs = 0
  for (const name of Object.values(cardTypes.types)) {
    const { type, patterns, lengths } = cardTypes.getTypeInfo(name)
    for (const prefix of patterns.flatMap((pattern) => edges(pattern as Pattern))) {
      if (leftOut.some(([brand, out]) => brand === type && out.test(prefix))) continue
      for (const length of lengths) {
        pairs++
        const number = pan(prefix, length)
        assert.notEqual(fits(number), undefined, `${type} ${prefix}, ${length} digits`)
      }
    }
  }
  assert.ok(pairs > 500, `only ${pairs} pairs were compared`)
})

/** Prefixes that creditcards-types takes for a card and ours does not. */
const foreign: readonly (readonly [brand: string, prefix: RegExp, why: string])[] = [
  ['Maestro', /^62/, 'issued by UnionPay, never with twelve or thirteen digits'],
  ['JCB', /^35(?:[01]|2[0-7]|9)/, 'JCB is 3528 to 3589 (ISO/IEC 7812)'],
]

test('every number of creditcards-types is in the table, or its prefix is left out by name', () => {
  let numbers = 0
  for (const brand of types) {
    const [from, to = from] = [brand.digits].flat()
    for (let prefix = 10_000; prefix < 70_000; prefix += 7) {
      if (foreign.some(([name, out]) => name === brand.name && out.test(String(prefix)))) continue
      for (let length = from ?? 0; length <= (to ?? 0); length++) {
        const number = pan(prefix, length)
        if (!brand.pattern.test(number)) continue
        numbers++
        assert.notEqual(fits(number), undefined, `${brand.name} ${prefix}, ${length} digits`)
      }
    }
  }
  assert.ok(numbers > 5000, `only ${numbers} numbers were compared`)
})
