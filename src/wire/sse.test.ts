import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SseReader, withData, withId, withoutComments, writeSse } from './sse.ts'
import type { SseEvent } from './sse.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const textOf = (part: Uint8Array | undefined): string | undefined =>
  part && Buffer.from(part).toString()

/** What a client makes of an event, as `data`, `id`, `event`, `retry`, in one row. */
type Row = readonly (string | undefined)[]
const row = (e: SseEvent): Row => [textOf(e.data), e.id, e.event, e.retry]

function readAll(chunks: readonly Uint8Array[], eventBytesMax = 1 << 16): SseEvent[] {
  const reader = new SseReader({ eventBytesMax })
  return chunks.flatMap((chunk) => reader.push(chunk))
}
const one = (text: string): SseEvent => {
  const [event, ...more] = readAll([bytes(text)])
  assert.ok(event !== undefined && more.length === 0)
  return event
}

const none = undefined
const streams: readonly [what: string, stream: string, events: Row[]][] = [
  ['an event without its blank line', 'data: a\n\ndata: b\n', [['a', none, none, none]]],
  ['a stream cut inside a field', 'data: a\n\nda', [['a', none, none, none]]],
  ['nothing but blank lines', '\n\r\n\r\r\n\n', []],
  ['an id with NUL', 'id: a\0b\ndata: x\n\n', [['x', none, none, none]]],
  ['a retry that is no number', 'retry: 1s\ndata: x\n\n', [['x', none, none, none]]],
  ['an unknown field', 'Data: no\ndatas: no\nid : no\ndata: x\n\n', [['x', none, none, none]]],
  [
    'a byte order mark in a later line',
    'id: 1\n\uFEFFdata: no\ndata: x\n\n',
    [['x', '1', none, none]],
  ],
  ['a byte order mark twice', '\uFEFF\uFEFFdata: no\n\n', [[none, none, none, none]]],
  ['a byte order mark', '\uFEFFdata: x\n\n', [['x', none, none, none]]],
  ['line ends of all kinds', 'data: a\r\ndata: b\rdata: c\n\r\n', [['a\nb\nc', none, none, none]]],
  [
    'events ended by CR alone',
    'data: a\r\rdata: b\r\r',
    [
      ['a', none, none, none],
      ['b', none, none, none],
    ],
  ],
  [
    'CR and LF that end two lines',
    'data: a\n\rdata: b\n\n',
    [
      ['a', none, none, none],
      ['b', none, none, none],
    ],
  ],
  ['a priming event', 'id: 7\ndata: \n\n', [['', '7', none, none]]],
  ['data without a colon', 'data\n\n', [['', none, none, none]]],
  ['two empty data lines', 'data\ndata:\n\n', [['\n', none, none, none]]],
  ['only the first blank taken off', 'data:  a \n\n', [[' a ', none, none, none]]],
  ['a value with colons', 'data:{"a":":"}\n\n', [['{"a":":"}', none, none, none]]],
  ['no data at all', 'id: 9\nevent: e\nretry: 10\n\n', [[none, '9', 'e', '10']]],
  ['a field given twice', 'id: 1\nid: 2\nevent: a\nevent:\ndata: x\n\n', [['x', '2', '', none]]],
  ['fields in any order', 'retry:5\nevent:m\ndata:x\nid:ü\n\n', [['x', 'ü', 'm', '5']]],
  [
    'a comment between events',
    ': hi\ndata: x\n\n',
    [
      [none, none, none, none],
      ['x', none, none, none],
    ],
  ],
  ['a comment inside an event', 'data: x\n: hi\ndata: y\n\n', [['x\ny', none, none, none]]],
]
for (const [what, stream, events] of streams) {
  test(`${what}: read as the standard says, however it is cut`, () => {
    const whole = bytes(stream)
    assert.deepEqual(readAll([whole]).map(row), events)
    assert.deepEqual(readAll([...whole].map((byte) => Uint8Array.of(byte))).map(row), events)
    for (let cut = 0; cut <= whole.length; cut++) {
      const halves = [whole.subarray(0, cut), whole.subarray(cut)]
      assert.deepEqual(readAll(halves).map(row), events, `cut at ${cut}`)
    }
  })
}

test('bytes that only begin like a byte order mark are kept, however they are cut', () => {
  const whole = bytes('\uFEC0: no field\ndata: x\n\n') // U+FEC0 shares two of the mark's bytes.
  for (let cut = 0; cut <= 4; cut++) {
    for (let next = cut; next <= 4; next++) {
      const pieces = [whole.subarray(0, cut), whole.subarray(cut, next), whole.subarray(next)]
      const [event, ...more] = readAll(pieces)
      assert.deepEqual([textOf(event?.raw), more.length], [whole.toString(), 0])
    }
  }
})

test('an unfinished event is counted, not delivered', () => {
  const reader = new SseReader({ eventBytesMax: 100 })
  assert.equal(reader.push(bytes('data: a\n\ndata: b\n')).length, 1)
  assert.deepEqual(reader.end(), { unfinishedBytes: 8 })
  const whole = new SseReader({ eventBytesMax: 100 })
  whole.push(bytes('data: a\r\n\r'))
  assert.deepEqual(whole.push(bytes('\n')), [])
  assert.deepEqual(whole.end(), { unfinishedBytes: 0 })
})

test('an event is out as soon as its blank line is, even if that ends in CR', () => {
  const reader = new SseReader({ eventBytesMax: 100 })
  assert.equal(reader.push(bytes('data: a\r\n\r')).length, 1)
  const [next] = reader.push(bytes('\ndata: b\r\n\r\n'))
  assert.equal(textOf(next?.raw), 'data: b\r\n\r\n')
})

test('a comment is out at once, without waiting for a blank line', () => {
  const reader = new SseReader({ eventBytesMax: 100 })
  const [event] = reader.push(bytes(': ping\n'))
  assert.deepEqual([textOf(event?.raw), event?.data, event?.hasComment], [': ping\n', none, true])
  assert.deepEqual(reader.push(bytes('\n')), [])
})

test('an event over its limit is refused, in one chunk or in many, ended or not', () => {
  const exact = `data: ${'x'.repeat(92)}\n\n`
  assert.equal(readAll([bytes(exact)], 100).length, 1)
  assert.equal(
    readAll(
      [...bytes(exact)].map((b) => Uint8Array.of(b)),
      100,
    ).length,
    1,
  )
  for (const text of [`data: ${'x'.repeat(93)}\n\n`, 'x'.repeat(101), 'data\n'.repeat(21)]) {
    const code = { name: 'Fault', code: 'answer_too_large' }
    assert.throws(() => readAll([bytes(text)], 100), code)
    assert.throws(
      () =>
        readAll(
          [...bytes(text)].map((b) => Uint8Array.of(b)),
          100,
        ),
      code,
    )
  }
})

test('many small lines in one event cost time by their length only', () => {
  const began = performance.now()
  for (const end of ['\n', '\r']) {
    const [event] = readAll([bytes(`data${end}`.repeat(100_000) + end)], 1 << 20)
    assert.ok(event !== undefined)
    assert.equal(event.data?.length, 99_999)
    assert.equal(withData(event, bytes('x')).length, `data: x${end}${end}`.length)
  }
  assert.ok(performance.now() - began < 2000)
})

const line = fc.oneof(
  fc.constantFrom(
    'data: {"a":1}',
    'data',
    'id: 1',
    'id',
    'event: message',
    'retry: 3',
    ': c',
    'x: y',
    '',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }).map((s) => s.replace(/[\r\n\0\uFEFF]/g, '')),
  fc.string({ maxLength: 30 }).map((s) => `data: ${s.replace(/[\r\n]/g, '')}`),
)
const end = fc.constantFrom('\n', '\r', '\r\n')
const stream = fc
  .array(fc.tuple(line, end), { maxLength: 14 })
  .map((lines) => bytes(lines.flat().join('')))

/** The standard's own procedure, word by word, on the whole text (WHATWG HTML §9.2.6). */
function model(text: string): Row[] {
  const rows: Row[] = []
  let data: string[] = []
  let [id, event, retry]: Row = []
  let isTouched = false
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  for (const each of lines.slice(0, -1)) {
    if (each === '') {
      if (isTouched) rows.push([data.length > 0 ? data.join('\n') : none, id, event, retry])
      data = []
      id = event = retry = none
      isTouched = false
      continue
    }
    if (each.startsWith(':')) {
      if (!isTouched) rows.push([none, none, none, none])
      continue
    }
    isTouched = true
    const [, name, value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(each) ?? []
    if (name === 'data') data.push(value)
    else if (name === 'event') event = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^[0-9]+$/.test(value)) retry = value
  }
  return rows
}

test('any stream in any pieces gives the events of the standard, and the bytes they came in', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 6 })
  const same = fc.property(stream, cuts, fc.boolean(), (whole, at, hasMark) => {
    const marked = hasMark ? Buffer.concat([bytes('\uFEFF'), whole]) : whole
    const places = [
      0,
      ...at.map((n) => n % (marked.length + 1)).toSorted((a, b) => a - b),
      marked.length,
    ]
    const pieces = places.slice(1).map((to, i) => marked.subarray(places[i], to))
    const cut = readAll(pieces)
    const uncut = readAll([marked])
    assert.deepEqual(cut.map(row), model(whole.toString()))
    assert.deepEqual(cut.map(row), uncut.map(row))
    // Line ends of blank lines aside, the raw bytes are the stream's.
    const bare = (events: SseEvent[]): string =>
      Buffer.concat(events.map((e) => e.raw))
        .toString()
        .replace(/[\r\n]/g, '')
    assert.equal(bare(cut), bare(uncut))
    assert.ok(
      whole
        .toString()
        .replace(/[\r\n]/g, '')
        .startsWith(bare(cut)),
    )
  })
  fc.assert(same, { numRuns: 1000 })
})

test('other data takes the place of all data lines; everything else stays where it was', () => {
  const event = one('event: message\r\nid: 4\r\ndata: a\r\n: note\r\ndata: b\r\nretry: 1\r\n\r\n')
  assert.equal(
    textOf(withData(event, bytes('{"x":1}'))),
    'event: message\r\nid: 4\r\ndata: {"x":1}\r\n:\r\nretry: 1\r\n\r\n',
  )
  assert.throws(() => withData(one('id: 1\n\n'), bytes('x')), { name: 'Broken' })
})

test('text that no client reads is emptied', () => {
  const event = one('data: a\nsecret: 1\n: secret\nid: se\0cret\nretry: secret\nsecret\n\n')
  assert.equal(event.hasComment, true)
  assert.equal(textOf(withoutComments(event)), 'data: a\n:\n:\n:\n:\n:\n\n')
  const plain = one('data: a\n\n')
  assert.equal(withoutComments(plain), plain.raw)
  assert.equal(textOf(withoutComments(one(': secret\n'))), ':\n')
})

test('another id replaces those there are, or is added', () => {
  assert.equal(
    textOf(withId(one('id: 1\nevent: m\nid: 2\ndata: a\n\n'), 's-1')),
    'id: s-1\nevent: m\ndata: a\n\n',
  )
  assert.equal(textOf(withId(one('data: a\n\n'), 's-2')), 'id: s-2\ndata: a\n\n')
  for (const id of ['a\nb', 'a\rb', 'a\0b']) {
    assert.throws(() => withId(one('data: a\n\n'), id), { name: 'Broken' })
  }
})

test('what is written is read again, line ends in data counting as LF', () => {
  assert.equal(textOf(writeSse({ data: bytes('{}') })), 'data: {}\n\n')
  assert.equal(textOf(writeSse({ data: bytes(''), id: '1' })), 'id: 1\ndata: \n\n')
  const word = fc.string({ unit: 'binary' }).map((s) => s.replace(/[\r\n\0]/g, '').toWellFormed())
  const data = fc.string({ unit: fc.constantFrom('a', ' ', ':', '\n', '\r', '\r\n', 'ü') })
  const again = fc.property(data, word, word, (text, id, event) => {
    const back = one(
      Buffer.from(writeSse({ data: bytes(text), id, event, retry: '25' })).toString(),
    )
    const lines = text.replace(/\r\n|\r/g, '\n')
    assert.deepEqual(row(back), [lines, id, event, '25'])
    const other = one(Buffer.from(withData(back, bytes(`<${text}`))).toString())
    assert.deepEqual(row(other), [`<${lines}`, id, event, '25'])
  })
  fc.assert(again, { numRuns: 300 })
})
