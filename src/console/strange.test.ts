/** Texts that somebody judges: what nobody sees, or takes for something else, stands by its code. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { strange, strangeIn } from './strange.ts'

/** The text which a reader of the page gets. */
async function read(text: string): Promise<string> {
  const html = await strange(text)
  return html
    .toString()
    .replaceAll(/<b class="odd">|<\/b>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

const cases: readonly [name: string, text: string, shown: string][] = [
  ['a right-to-left override', 'a\u202eb', 'aU+202Eb'],
  ['isolates', '\u2066x\u2069', 'U+2066xU+2069'],
  ['a blank without width', 'dr\u200bop', 'drU+200Bop'],
  ['joiners', 'a\u200db\u200c', 'aU+200DbU+200C'],
  ['tags in which text is smuggled', '\u{e0041}', 'U+E0041'],
  ['selectors of variants', 'x\ufe0f\u{e0100}', 'xU+FE0FU+E0100'],
  ['a blank that is no space', 'a\u00a0b\u3000c', 'aU+00A0bU+3000c'],
  ['a filler', 'a\u3164', 'aU+3164'],
  ['codes of a terminal', '\u001b[2J\u0000\u007f', 'U+001B[2JU+0000U+007F'],
  ['a line separator', 'a\u2028b', 'aU+2028b'],
  ['half a surrogate', 'a\ud800b', 'aU+D800b'],
  ['a Cyrillic letter in a Latin name', 'c\u0430rds', 'c\u0430U+0430rds'],
  ['a Greek one', 'us\u03bfrs', 'us\u03bfU+03BFrs'],
  ['letters of full width', '\uff24\uff32op', '\uff24U+FF24\uff32U+FF32op'],
  ['letters of mathematics', '\u{1d41d}rop', '\u{1d41d}U+1D41Drop'],
]
for (const [name, text, shown] of cases) {
  test(`${name} is shown by its code point`, async () => {
    assert.equal(await read(text), shown)
    assert.ok(strangeIn(text) > 0)
  })
}

const plain = [
  'SELECT 1;\n\tFROM "t" -- ok',
  'Müller, Łódź, São Paulo, naïve',
  'Москва и Волга',
  'Ελλάδα',
  '東京 カード',
  'שלום',
  '5 µm',
  '😀',
]
for (const text of plain) {
  test(`${JSON.stringify(text)} is left as it is`, async () => {
    assert.equal(await read(text), text)
    assert.equal(strangeIn(text), 0)
  })
}

test('markup is text, and nothing of a text is lost', async () => {
  assert.equal((await strange('<b>&')).toString(), '&lt;b&gt;&amp;')
  const units = fc.constantFrom('a', 'c', '\u0430', '\u202e', '\u200b', '<', '&', ' ', '\u{e0041}')
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: units }), async (text) => {
      const shown = await read(text)
      const back = shown
        .replaceAll('\u0430U+0430', '\u0430')
        .replaceAll(/U\+([0-9A-F]{4,6})/g, (_, code) => String.fromCodePoint(parseInt(code, 16)))
      assert.equal(back, text)
      assert.doesNotMatch(shown, /[\u202e\u200b\u{e0041}]/u)
    }),
  )
})
