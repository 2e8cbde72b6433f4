import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { splice } from './splice.ts'
import type { Edit } from './splice.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const edit = (start: number, end: number, text = ''): Edit => ({ start, end, bytes: bytes(text) })
const word = bytes('abcdef')
const refused: readonly [reach: string, edits: Edit[], code: string][] = [
  ['before the first byte', [edit(-1, 2)], 'span_outside'],
  ['past the last byte', [edit(3, 7)], 'span_outside'],
  ['backwards', [edit(4, 3)], 'span_outside'],
  ['between two bytes', [edit(0.5, 2)], 'span_outside'],
  ['into the edit ahead of it', [edit(0, 3), edit(2, 4)], 'span_overlap'],
]
for (const [reach, edits, code] of refused) {
  test(`an edit that reaches ${reach} is refused`, () => {
    assert.throws(() => splice(word, edits), { name: 'Fault', code })
  })
}
test('edits that touch, lengthen and insert all land', () => {
  const edits = [edit(0, 2, 'X'), edit(2, 4, 'long'), edit(6, 6, '!')]
  assert.deepEqual(splice(word, edits), bytes('Xlongef!'))
})
test('no edits give back the very same array', () => assert.equal(splice(word, []), word))
test('every byte outside the edits is kept, whatever the edits are', () => {
  const message = fc.uint8Array({ minLength: 40, maxLength: 40 })
  const offsets = fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 8 })
  const keeps = fc.property(message, offsets, (before, at) => {
    const cuts = at.toSorted((a, b) => a - b)
    const edits = cuts.flatMap((end, i) => (i % 2 ? [edit(cuts[i - 1] ?? 0, end, '<>')] : []))
    let want = Buffer.from(before).toString('latin1') // Model: cut from the right, on text.
    for (const { start, end } of edits.toReversed()) {
      want = `${want.slice(0, start)}<>${want.slice(end)}`
    }
    assert.equal(Buffer.from(splice(before, edits)).toString('latin1'), want)
  })
  fc.assert(keeps)
})
