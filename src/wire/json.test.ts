import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../base/fault.ts'
import { NONE, readJson } from './json.ts'
import type { JsonTree, Node } from './json.ts'

const limits = { bytesMax: 1 << 20, depthMax: 16 }
const read = (text: string): JsonTree => readJson(Buffer.from(text), limits)
const readRaw = (text: string): JsonTree => readJson(Buffer.from(text, 'latin1'), limits)

/** Reads a whole tree the way `JSON.parse` would, by nothing but the tree's own functions. */
function valueOf(tree: JsonTree, n: Node): unknown {
  const kind = tree.kind(n)
  if (kind === 'string') return tree.text(n)
  if (kind === 'number') return Number(Buffer.from(tree.raw(n)).toString())
  if (kind === 'array') {
    const list: unknown[] = []
    for (let e = tree.first(n); e !== NONE; e = tree.next(e)) list.push(valueOf(tree, e))
    assert.equal(tree.size(n), list.length)
    return list
  }
  if (kind === 'object') {
    const entries: [string, unknown][] = []
    for (let k = tree.first(n); k !== NONE; k = tree.next(k)) {
      assert.equal(tree.kind(k), 'string')
      entries.push([tree.text(k), valueOf(tree, tree.value(k))])
    }
    assert.equal(tree.size(n), entries.length)
    return Object.fromEntries(entries)
  }
  return kind === 'null' ? null : kind === 'true'
}

const long = 'x'.repeat(300)
const refused: readonly [what: string, latin1: string, reason: string, offset?: number][] = [
  ['nothing', '', 'empty', 0],
  ['blanks alone', ' \r\n\t ', 'empty', 5],
  ['a byte order mark', '\xef\xbb\xbf{}', 'bom', 0],
  ['a UTF-16 mark', '\xff\xfe{\x00}\x00', 'utf8', 0],
  ['a byte that is not UTF-8', '{"a":"\xff"}', 'utf8', 6],
  ['a character cut short', `{"a":"${long}\xc3"}`, 'utf8', 306],
  ['an overlong slash', '["\xc0\xaf"]', 'utf8', 2],
  ['half a surrogate pair in UTF-8', '["\xed\xa0\x80"]', 'utf8', 2],
  ['a character past U+10FFFF', '["\xf4\x90\x80\x80"]', 'utf8', 2],
  ['a second value', '{} {}', 'trailing', 3],
  ['a word after the value', '1 x', 'trailing', 2],
  ['a NUL after the value', '{}\x00', 'trailing', 2],
  ['a closing brace too many', '{}}', 'trailing', 2],
  ['a key twice', '{"a":1,"a":1}', 'duplicate_key', 7],
  ['a key twice, once escaped', '{"name":1,"na\\u006de":2}', 'duplicate_key', 10],
  ['a key twice, far below', '[{"a":{"b":[{"c":1,"d":2,"c":3}]}}]', 'duplicate_key', 25],
  ['an empty key twice', '{"":1,"":2}', 'duplicate_key', 6],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'duplicate_key', 15],
  ['a key twice around a nested one', '{"a":{"a":1},"a":2}', 'duplicate_key', 13],
  ['half a surrogate pair in a key', '{"\\ud800":1}', 'key_surrogate', 1],
  ['17 levels of 16', '['.repeat(17) + ']'.repeat(17), 'depth', 16],
  ['17 levels that never end', '{"a":'.repeat(100), 'depth', 80],
  ['a raw line end in a string', '["a\nb"]', 'control', 3],
  ['a NUL in a string', '["\x00"]', 'control', 2],
  ['a raw tab in a long string', `["${long}\t"]`, 'control', 302],
  ['a control character in a key', '{"a\x1f":1}', 'control', 3],
  ['an escape JSON lacks', '["\\x41"]', 'escape', 2],
  ['an escaped quote of another language', `["\\'"]`, 'escape', 2],
  ['three hexadecimal digits', '["\\u00zz"]', 'escape', 2],
  ['an escape cut off', '["\\', 'escape', 2],
  ['an escape cut off by the last bracket', '["\\u00]', 'escape', 2],
  ['a string without an end', '["abc', 'syntax', 5],
  ['a string that swallows its brace', '{"a":"b}', 'syntax', 8],
  ['a long string without an end', `["${long}`, 'syntax', 302],
  ['a long string that swallows its bracket', `["${long}]`, 'syntax', 303],
  ['a key without an end', '{"abc}', 'syntax', 6],
  ['a leading zero', '[01]', 'syntax', 2],
  ['a plus sign', '[+1]', 'syntax', 1],
  ['a number beginning with a point', '[.5]', 'syntax', 1],
  ['a number ending with a point', '[1.]', 'syntax', 3],
  ['an exponent without digits', '[1e+]', 'syntax', 4],
  ['a minus alone', '-', 'syntax', 1],
  ['two minuses', '[--1]', 'syntax', 2],
  ['NaN', '[NaN]', 'syntax', 1],
  ['Infinity', '[-Infinity]', 'syntax', 2],
  ['a hexadecimal number', '[0x10]', 'syntax', 2],
  ['a word cut short', '[tru]', 'syntax', 1],
  ['a word in capitals', '[True]', 'syntax', 1],
  ['undefined', '[undefined]', 'syntax', 1],
  ['a comma before the first element', '[,1]', 'syntax', 1],
  ['a comma after the last element', '[1,]', 'syntax', 3],
  ['a comma after the last member', '{"a":1,}', 'syntax', 7],
  ['two commas', '[1,,2]', 'syntax', 3],
  ['no comma', '[1 2]', 'syntax', 3],
  ['no colon', '{"a" 1}', 'syntax', 5],
  ['no value', '{"a":}', 'syntax', 5],
  ['a bare key', '{a:1}', 'syntax', 1],
  ['a number as key', '{1:1}', 'syntax', 1],
  ['a single-quoted string', "['a']", 'syntax', 1],
  ['a comment', '[1/**/]', 'syntax', 2],
  ['an array closed as an object', '[1}', 'syntax', 2],
  ['an object closed as an array', '{"a":1]', 'syntax', 6],
  ['an array that does not end', '[[1]', 'syntax', 4],
  ['an object that does not end', '{"a":{"b":1}', 'syntax', 12],
  ['an opening bracket alone', '[', 'syntax', 1],
  ['a vertical tab between tokens', '[1,\x0b2]', 'syntax', 3],
  ['a no-break space between tokens', '[\xc2\xa01]', 'syntax', 1],
]
for (const [what, text, reason, offset] of refused) {
  test(`${what} is refused: ${reason}`, () => {
    assert.throws(
      () => readRaw(text),
      (fault) => {
        assert.ok(fault instanceof Fault)
        assert.deepEqual(
          [fault.code, fault.facts['reason'], fault.facts['offset']],
          ['bad_json', reason, offset],
        )
        return true
      },
    )
  })
}

test('a message over the limit is refused before it is read', () => {
  const small = { bytesMax: 3, depthMax: 4 }
  assert.throws(() => readJson(Buffer.from('[\xff1]'), small), { code: 'too_large' })
  assert.equal(readJson(Buffer.from('[1]'), small).size(0), 1)
})

test('no refusal repeats a byte of the message', () => {
  const secret = 'SECRET'
  for (const text of [
    `[${secret}]`,
    `{"${secret}":1,"${secret}":2}`,
    `["${secret}\n"]`,
    `"${secret}`,
  ]) {
    assert.throws(
      () => read(text),
      (fault) =>
        fault instanceof Fault && !JSON.stringify([fault.message, fault.facts]).includes(secret),
    )
  }
})

test('a duplicate is found among any number of keys, wherever the two stand', () => {
  for (const count of [2, 9, 64, 65, 300]) {
    const keys = Array.from({ length: count }, (_, i) => `"${i * 7}":${i}`)
    assert.equal(read(`{${keys.join()}}`).size(0), count)
    for (const [from, to] of [
      [0, count - 1],
      [count - 2, count - 1],
      [count >> 1, count - 1],
    ] as const) {
      if (from === to) continue
      const twice = keys.with(to, keys[from] ?? '')
      assert.throws(() => read(`{${twice.join()}}`), { code: 'bad_json' }, `${count} ${from}`)
    }
  }
})

// The reader hashes a key as h * 31 + w over its words of four bytes, little-endian. One more in the
// first byte and 31 less in the fifth is the same hash: both halves may stand for each other.
const [half, other] = ['Axxxbxxx', 'BxxxCxxx']

test('keys whose hashes are equal are still told apart', () => {
  const keys = [half + half, half + other, other + half, other + other]
  const tree = read(`{${keys.map((key, i) => `"${key}":${i}`).join()}}`)
  for (const [i, key] of keys.entries()) {
    assert.equal(Buffer.from(tree.raw(tree.at(key))).toString(), `${i}`)
  }
  assert.throws(() => read(`{"${half}":1,"${other}":2,"${half}":3}`), { code: 'bad_json' })
})

test('thousands of keys of one hash take no more than a moment', () => {
  const keys = Array.from({ length: 1 << 13 }, (_, i) =>
    Array.from({ length: 13 }, (_each, bit) => ((i >> bit) & 1 ? half : other)).join(''),
  )
  const began = performance.now()
  assert.equal(read(`{${keys.map((key) => `"${key}":0`).join()}}`).size(0), keys.length)
  assert.ok(performance.now() - began < 1000)
})

test('a key twice is found in a message of any size and at any offset', () => {
  for (let fill = 0; fill < 80; fill++) {
    for (const key of ['', 'a', 'abc', 'abcd', 'abcdefghi']) {
      const text = `${' '.repeat(fill)}{"${key}":1,"${key}":2}`
      assert.throws(() => read(text), { code: 'bad_json' }, text)
      assert.equal(read(`${' '.repeat(fill)}{"${key}":1,"x${key}":2}`).size(0), 2)
    }
  }
})

test('what JSON.parse would change or lose is still there', () => {
  const text =
    '{"n":1234567890123456789,"z":-0,"e":1e400,"f":1.10,"__proto__":{"a":1},"10":0,"9":0}'
  const tree = read(text)
  const raw = (key: string): string => Buffer.from(tree.raw(tree.at(key))).toString()
  assert.equal(raw('n'), '1234567890123456789')
  assert.equal(raw('z'), '-0')
  assert.equal(raw('e'), '1e400')
  assert.equal(raw('f'), '1.10')
  assert.equal(tree.kind(tree.at('__proto__')), 'object')
  const keys: string[] = []
  for (let k = tree.first(tree.root); k !== NONE; k = tree.next(k)) keys.push(tree.text(k))
  assert.deepEqual(keys, ['n', 'z', 'e', 'f', '__proto__', '10', '9']) // Their order too.
  const parsed: unknown = JSON.parse(text) // And this is what it would have come to:
  assert.match(
    JSON.stringify(parsed),
    /^\{"9":0,"10":0,"n":1234567890123456800,"z":0,"e":null,"f":1.1,/,
  )
  assert.deepEqual(JSON.parse('{"a":1,"a":2}'), { a: 2 })
})

test('half a surrogate pair in a value passes and is told', () => {
  const tree = read('["\\ud83d\\ude00","\\ud83d","\\ude00\\ud83d","plain",7]')
  const told: boolean[] = []
  for (let n = tree.first(0); n !== NONE; n = tree.next(n)) told.push(tree.isWellFormed(n))
  assert.deepEqual(told, [true, false, false, true, true])
})

test('spans are byte offsets, and raw is a view of the message', () => {
  const tree = read(' {"ü\\n": [ "é" , -1.5e3 ]}')
  const list = tree.at('ü\n')
  const text = tree.first(list)
  assert.deepEqual([tree.start(tree.root), tree.end(tree.root)], [1, 28])
  assert.deepEqual([tree.start(list), tree.end(list)], [10, 27])
  assert.deepEqual([tree.start(text), tree.end(text)], [12, 16])
  assert.equal(tree.raw(text).buffer, tree.bytes.buffer)
  assert.equal(tree.isEscaped(tree.first(tree.root)), true)
  assert.equal(tree.isEscaped(text), false)
})

test('a key is escaped only if it holds a backslash, up to the last byte of the message', () => {
  for (let length = 0; length < 12; length++) {
    const tree = read(`{"${'k'.repeat(length)}":1}`)
    assert.equal(tree.isEscaped(tree.first(0)), false)
  }
  const escaped = read('{"\\n":1}')
  assert.equal(escaped.isEscaped(escaped.first(0)), true)
})

test('what is not there is NONE all the way down', () => {
  const tree = read('{"a":{"b":[1]},"s":"t"}')
  assert.equal(tree.at('a', 'c', 'd'), NONE)
  assert.equal(tree.at('s', 'b'), NONE)
  assert.equal(tree.at('a', 'b', '0'), NONE)
  assert.equal(tree.get(NONE, 'a'), NONE)
  assert.equal(tree.at('A'), NONE)
  assert.equal(tree.at('toString'), NONE)
  assert.equal(tree.first(tree.at('s')), NONE)
  assert.equal(tree.value(tree.at('s')), NONE)
  assert.equal(tree.size(tree.at('s')), 0)
  assert.equal(tree.next(tree.root), NONE)
  for (const ask of ['kind', 'start', 'end', 'text', 'raw'] as const) {
    assert.throws(() => tree[ask](NONE), { name: 'Broken' })
  }
  assert.throws(() => tree.text(tree.at('a')), { name: 'Broken' })
})

test('a tree stays as it is when others are read after it', () => {
  const one = read('{"a":[1,2,{"b":"c"}]}')
  const before = valueOf(one, one.root)
  for (let i = 0; i < 50; i++)
    read(JSON.stringify({ x: Array.from({ length: i * 40 }, () => ({})) }))
  assert.throws(() => read('[[[[["broken'))
  assert.deepEqual(valueOf(one, one.root), before)
})

test('every value that JSON.parse can represent is read the same', () => {
  const style = fc.constantFrom(undefined, 2, '\t')
  const same = fc.property(
    fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }),
    style,
    (value, space) => {
      const text = JSON.stringify(value, null, space)
      const tree = read(text)
      assert.deepEqual(valueOf(tree, tree.root), JSON.parse(text))
    },
  )
  fc.assert(same, { numRuns: 400 })
})

/** Strings around the sizes where the reader changes from single bytes to words and back. */
const spelled = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.string({ maxLength: 40 }).map((s) => JSON.stringify(s).slice(1, -1)),
      },
      fc.constantFrom(
        '\\"',
        '\\\\',
        '\\/',
        '\\u0041',
        '\\uD83D\\uDE00',
        'ü',
        '€',
        '😀',
        '\x7f',
        '!',
        '#',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `"${parts.join('')}"`)

test('strings end where JSON.parse ends them, at any place in memory', () => {
  const ends = fc.property(
    spelled,
    fc.nat({ max: 7 }),
    fc.nat({ max: 90 }),
    (string, shift, fill) => {
      const text = `["${'y'.repeat(fill)}",${string},{${string}:1}]`
      const memory = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).subarray(shift)
      const tree = readJson(memory, limits)
      const second = tree.next(tree.first(tree.root))
      assert.deepEqual(valueOf(tree, tree.root), JSON.parse(text))
      assert.equal(Buffer.from(tree.raw(second)).toString(), string)
      assert.equal(tree.isEscaped(second), string.includes('\\'))
    },
  )
  fc.assert(ends, { numRuns: 500 })
})

test('whatever the bytes are, it accepts what JSON.parse accepts, or says why it is stricter', () => {
  const stricter: unknown[] = ['duplicate_key', 'key_surrogate', 'depth']
  const token = fc.constantFrom(
    ...'{ } [ ] , : " \\ \n 0 1 2 3 . e E + -'.split(' '),
    ' ',
    'true',
    'null',
    'fals',
    '"a"',
    '"a":',
    '1e5',
    '\\u00',
    'x',
  )
  const mangled = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), token, fc.nat({ max: 3 }))
    .map(([text, at, put, cut]) => {
      const i = at % (text.length + 1)
      return text.slice(0, i) + put + text.slice(i + cut)
    })
  const soup = fc.array(token, { maxLength: 12 }).map((parts) => parts.join(''))
  const agrees = fc.property(fc.oneof(mangled, soup), (text) => {
    let parsed: unknown
    let isFine = true
    try {
      parsed = JSON.parse(text)
    } catch {
      isFine = false
    }
    try {
      const tree = read(text)
      assert.ok(isFine, 'accepted what JSON.parse refuses')
      assert.deepEqual(valueOf(tree, tree.root), parsed)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      if (isFine) assert.ok(stricter.includes(fault.facts['reason']), fault.message)
    }
  })
  fc.assert(agrees, { numRuns: 3000 })
})

test('no bytes whatever make it fail in another way than by a fault', () => {
  const survives = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      readJson(bytes, limits)
    } catch (fault) {
      assert.ok(fault instanceof Fault)
    }
  })
  fc.assert(survives, { numRuns: 500 })
})
