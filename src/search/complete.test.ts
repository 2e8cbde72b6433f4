import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completionAt } from './complete.ts'

const cases: readonly [typed: string, start: number, fields: string[], names: string][] = [
  ['', 0, [], ''],
  ['to', 0, ['tool', 'to'], ''],
  ['a (to', 3, ['tool', 'to'], ''],
  ['-TA', 1, ['table'], ''],
  ['a zz', 2, [], ''],
  ['tool:', 5, [], 'tool '],
  ['a -tool:exe', 8, [], 'tool exe'],
  ['tool:a,exe', 7, [], 'tool exe'],
  ['duration:5', 9, [], ''],
  ['a "to', 5, [], ''],
]
for (const [typed, start, fields, names] of cases) {
  test(`behind ${typed === '' ? 'nothing' : typed} stands what can follow`, () => {
    const found = completionAt(`${typed} later`, typed.length)
    const asked = found.names ? `${found.names.of} ${found.names.begun}` : ''
    const told = found.fields.map(({ name }) => name as string)
    assert.deepEqual([found.start, told, asked], [start, fields, names])
    assert.equal(found.end, typed.length)
    assert.ok(found.fields.every(({ meaning }) => meaning.length > 0))
  })
}
