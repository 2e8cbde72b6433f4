/**
 * No input makes the scanner quadratic. Counted are executions of blocks of code, as V8 counts them
 * for coverage, and the bytes that searches in buffers pass over: the same on every machine and at
 * any load, unlike times. Regular expressions and WebAssembly are not counted.
 */
import assert from 'node:assert/strict'
import { Session } from 'node:inspector/promises'
import { after, before, test } from 'node:test'
import { pan, grouped } from '../cards.ts'
import type { Profiler } from 'node:inspector'

const session = new Session()
session.connect()

let searched = 0
/** Has each search note how many bytes it passed over. */
function countSearches(of: Uint8Array, name: 'indexOf' | 'includes'): void {
  const plain: unknown = Reflect.get(of, name)
  if (typeof plain !== 'function') throw new Error(`A buffer has no ${name}.`)
  const counted = function (this: Uint8Array, ...asked: unknown[]): unknown {
    const found: unknown = Reflect.apply(plain, this, asked)
    const from = typeof asked[1] === 'number' ? asked[1] : 0
    // What `includes` passed over is asked of the search that tells where.
    const at = name === 'indexOf' ? found : Buffer.from(this).indexOf(Number(asked[0]), from)
    searched += (typeof at === 'number' && at >= 0 ? at : this.length) - from
    return found
  }
  Object.defineProperty(of, name, { value: counted, configurable: true, writable: true })
}

/** Counting begins before the sources are compiled, or their blocks are not told apart. */
async function start(): Promise<(bytes: Uint8Array) => void> {
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const { createMasker } = await import('../../src/mask/masker.ts')
  const { pciDetection } = await import('../../src/mask/detection.ts')
  const { readJson } = await import('../../src/wire/json.ts')
  const masker = createMasker({ sealKey: new Uint8Array(32), isCareful: true })
  const plan = { reveal: 'none', detect: pciDetection, rule: 'test' } as const
  return (bytes) => {
    masker.text(bytes, plan)
    const text = Buffer.from(bytes).toString('latin1')
    const result = { content: [{ type: 'text', text }] }
    const message = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
    masker.answer(readJson(message, { bytesMax: 1 << 24, depthMax: 64 }), plan, 'test')
  }
}

/** How often blocks of the scanner and masker were executed since the last look. */
async function operations(): Promise<number> {
  const { result } = await session.post('Profiler.takePreciseCoverage')
  const counts = (script: Profiler.ScriptCoverage): number =>
    script.functions.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0)
  const blocks = result
    .filter(({ url }) => /\/src\/(?:cards|mask|wire)\//.test(url))
    .reduce((sum, script) => sum + counts(script), 0)
  const sum = blocks + searched
  searched = 0
  return sum
}

const visa = pan(4, 16)
const fours = grouped(visa, [4, 4, 4, 4], ' ')
/** What is repeated, and what stands before it. */
const inputs: readonly (readonly [name: string, piece: string, head?: string])[] = [
  ['one digit', '4'],
  ['digits with blanks', '4 '],
  ['groups', '4111 '],
  ['groups with dashes', '4111-'],
  ['groups of two kinds', '4111 1'],
  ['a number in groups', `${fours} `],
  ['a digit and long blanks', `4${' '.repeat(200)}`],
  ['an escape in clear', String.raw`\u0034`],
  ['a doubled escape', String.raw`\\u0034`],
  ['an escape behind three', String.raw`\\\u0034`],
  ['an escape and a line break', String.raw`\u0034\n`],
  ['a doubled backslash and a digit', String.raw`\\4`],
  ['backslashes', '\\'],
  ['quotes that are escaped', String.raw`\"`],
  ['references', '&#52;'],
  ['a reference that never ends', '0', '&#'],
  ['percent-encoding', '%34'],
  ['percent-encoding twice', '%2534'],
  ['quoted-printable', '=34'],
  ['soft line breaks', '4=\n'],
  ['other digits', '\u0664'],
  ['invisible characters', '4\u200b'],
  ['wide blanks', '\u00a0'],
  ['tags', '<b>4'],
  ['a tag that never ends', 'a', '4<b '],
  ['openings of tags', '<'],
  ['rows of HTML', '<tr><td>4'],
  ['openings of JSON', '{"'],
  ['lists of JSON', '['],
  ['quoted objects', String.raw`{\"pan\":\"4111\"},`],
  ['rows of JSON', `{"pan":"${visa}","cvv":"123"},`, '['],
  ['lines of CSV', `1,${visa},123\n`, 'id,pan,cvv\n'],
  ['columns of CSV', 'pan,'],
  ['a drawn table', `| 11 | ${visa} |\n`, '| id | pan |\n|----|-----|\n'],
  ['aligned columns', `1    ${visa}\n`, 'id   pan\n'],
  ['tuples', `(1,'${visa}'),`, 'INSERT INTO t (a,pan) VALUES '],
  ['records', `-[ RECORD 1 ]---\npan | ${visa}\n`],
  ['labels', 'cvv: 1'],
  ['names', 'cardnumber '],
  ['base64', Buffer.from('the number is 4 or 5').toString('base64')],
  ['lines of base64', `${Buffer.from('x'.repeat(57)).toString('base64')}\n`],
  ['hex', '5A084111'],
  ['partly masked numbers', '411111******1111 '],
  ['carets', '^'],
  ['separators', '| '],
]

let scan: (bytes: Uint8Array) => void
before(async () => {
  scan = await start()
  for (const buffers of [Uint8Array.prototype, Buffer.prototype]) {
    countSearches(buffers, 'indexOf')
    countSearches(buffers, 'includes')
  }
  for (const [, piece] of inputs) scan(Buffer.from(piece.repeat(9)))
})
after(() => session.disconnect())

const kilobytes = [8, 32]
/** Steps for a byte may differ by what is at the ends, and not by the length. */
const growthMax = 1.5

for (const [name, piece, head = ''] of inputs) {
  test(`the work on ${name} grows with the bytes`, async () => {
    const perByte: number[] = []
    for (const size of kilobytes) {
      const repeats = Math.ceil((size * 1024) / Buffer.byteLength(piece))
      const bytes = Buffer.from(head + piece.repeat(repeats))
      await operations()
      scan(bytes)
      perByte.push((await operations()) / bytes.length)
    }
    const [small = 0, large = 0] = perByte
    assert.ok(
      large < small * growthMax,
      `${small.toFixed(1)} steps a byte became ${large.toFixed(1)}`,
    )
  })
}
