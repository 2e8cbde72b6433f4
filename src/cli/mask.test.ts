import assert from 'node:assert/strict'
import { PassThrough, Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { pan } from '../../tests/cards.ts'
import { maskCommand } from './mask.ts'
import type { MaskOptions } from './mask.ts'

const visa = pan(4, 16)
const stars = '*'.repeat(12) + visa.slice(-4)

async function run(
  input: Iterable<string | Buffer>,
  options: MaskOptions,
): Promise<{ code: number; out: string }> {
  const output = new PassThrough()
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await maskCommand(Readable.from(input), output, options)
  return { code, out: Buffer.concat(chunks).toString() }
}
const jsonl = { jsonl: true }
const line = (id: unknown, message: unknown): string => `${JSON.stringify({ id, message })}\n`

test('bad lines are left out, named by their number, and the others go on', async (t) => {
  const complaints: string[] = []
  t.mock.method(process.stderr, 'write', (text: string) => complaints.push(text) > 0)
  const input = ['not json\n', line(1, visa), `{"id":${visa}}\n`, '\n', line(2, 7), line(3, 'ok')]
  const { code, out } = await run(input, jsonl)
  t.mock.restoreAll()
  assert.equal(code, 1)
  assert.deepEqual(
    out
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l).id),
    [1, 3],
  )
  assert.deepEqual(
    complaints.map((c) => /line (\d+)/.exec(c)?.[1]),
    ['1', '3', '5'],
  )
  assert.ok(complaints.every((c) => !c.includes(visa)))
})
test('each line is answered with its id as it was written, the masked message and the findings', async () => {
  const message = `{"jsonrpc":"2.0","id":1,"result":{"pan":"${visa}","cvv":123}}`
  const input = `{"id":12345678901234567890,"message":${JSON.stringify(message)}}\n${line('x', 'hi')}`
  const { code, out } = await run(
    [...Buffer.from(input)].map((b) => Buffer.of(b)),
    jsonl,
  )
  assert.equal(code, 0)
  const [first = '', second = ''] = out.split('\n')
  assert.ok(first.startsWith('{"id":12345678901234567890,'))
  const { message: masked, found } = JSON.parse(first)
  assert.equal(masked, `{"jsonrpc":"2.0","id":1,"result":{"pan":"${stars}","cvv":0  }}`)
  assert.deepEqual(found, [
    { kind: 'pan', brand: 'visa', confidence: 'certain', at: '/result/pan' },
    { kind: 'cvv', confidence: 'certain', at: '/result/cvv' },
  ])
  assert.deepEqual(JSON.parse(second), { id: 'x', message: 'hi', found: [] })
})
test('a last line without an end is a line', async () => {
  const { code, out } = await run([line(1, visa).trim()], jsonl)
  assert.equal(code, 0)
  assert.equal(JSON.parse(out).message, stars)
})
test('a text is masked as a text, a message as a message, broken JSON as a text', async () => {
  for (const [input, want] of [
    [`card ${visa}, CVV 123\n`, `card ${stars}, CVV ***\n`],
    [
      `{"jsonrpc":"2.0","id":1,"result":${visa}}`,
      `{"jsonrpc":"2.0","id":1,"result":9000${'0'.repeat(8)}${visa.slice(-4)}}`,
    ],
    [`{"a":"${visa}",,}`, `{"a":"${stars}",,}`],
    ['', ''],
  ] as const) {
    assert.deepEqual(await run([input], { jsonl: false }), { code: 0, out: want })
  }
})
test('reveal shows card numbers and still no verification value', async () => {
  const { out } = await run([line(1, `{"result":{"pan":"${visa}","cvv":"123"}}`)], {
    jsonl: true,
    reveal: 'pan',
  })
  assert.equal(JSON.parse(out).message, `{"result":{"pan":"${visa}","cvv":"***"}}`)
})
test('a slow reader of the output is waited for', async () => {
  let pending = 0
  let most = 0
  const slow = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      pending++
      most = Math.max(most, pending)
      setImmediate(() => {
        pending--
        done()
      })
    },
  })
  const input = Readable.from(Array.from({ length: 50 }, (_, i) => line(i, visa)))
  assert.equal(await maskCommand(input, slow, jsonl), 0)
  assert.ok(slow.writableLength === 0 && most === 1)
})
