import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalize } from '../tlog/canonical.ts'
import { block, words } from './markup.ts'
import { replay } from './replay.ts'
import { received } from './sample.fixture.ts'
import { crashed, entry, from, hostile, hostileLog, log, proofOf } from './sample.fixture.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Prove } from './shown.ts'

async function pageOf(
  of: readonly RecordedEntry[],
  title = 'Bundle',
  proof?: Prove,
): Promise<string> {
  const options = { format: 'html', shows: () => true, title, origin: title, proof } as const
  return (await Array.fromAsync(replay(from(of), options))).join('')
}

const odd = /<b class="odd">U\+([0-9A-F]{4,6})<\/b>/g

/** What a reader sees of our escapes: the inverse of `words` and `block`. */
function unescaped(html: string): string {
  const names: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    '#39': "'",
  }
  return html
    .replace(odd, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => names[name] ?? '')
}

/** Every tag with its attributes, in order; texts and shown characters left out. */
function tagsOf(page: string): string[] {
  const [, body = ''] = page.split('</style>')
  return body.replace(odd, '').match(/<[^>]*>/g) ?? []
}

for (const word of hostile) {
  test(`a page keeps its form, whoever says ${JSON.stringify(word)}`, async () => {
    const page = await pageOf(hostileLog(word), word, proofOf)
    assert.deepEqual(tagsOf(page), tagsOf(await pageOf(hostileLog('word'), 'word', proofOf)))
    assert.equal(page.split('<style').length, 2)
    assert.doesNotMatch(
      page,
      /(?![\n\t])[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u,
    )
    const said = unescaped(page)
    assert.ok(said.includes(word), 'it is there to be read')
  })
}

test('every element that is opened is closed, in turn', async () => {
  for (const record of [log, crashed, hostileLog('word')]) {
    const open: string[] = []
    for (const tag of tagsOf(await pageOf(record, 'x', proofOf))) {
      const [, slash, name = ''] = /^<(\/?)(\w+)/.exec(tag) ?? []
      if (slash === '') open.push(name)
      else assert.equal(['html', 'head'].includes(name) ? name : open.pop(), name)
    }
    assert.deepEqual(open, [])
  }
})

test('nothing that was said stands in an attribute', async () => {
  const tags = tagsOf(await pageOf(hostileLog('qqq'), 'qqq', proofOf))
  assert.ok(tags.length > 100)
  assert.deepEqual(
    tags.filter((tag) => tag.includes('qqq')),
    [],
  )
})

test('any text is escaped so that it reads as it was', () => {
  const reads = fc.property(fc.string({ unit: 'binary' }), (text) => {
    const inline = words(text).html
    assert.doesNotMatch(
      inline.replace(odd, ''),
      /<(?!\/?bdi>)|[>"'](?<!<\/?bdi>)|&(?!(amp|lt|gt|quot|#39);)/,
    )
    assert.equal(unescaped(inline).slice(5, -6), text)
    assert.equal(unescaped(block(text).html).slice(6, -6), text)
  })
  fc.assert(reads)
})

test('a page runs nothing and loads nothing, and its policy allows its own style alone', async () => {
  const page = await pageOf(log)
  const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
  const [, style = ''] = /<style>([^]*?)<\/style>/.exec(page) ?? []
  const digest = createHash('sha256').update(style).digest('base64')
  assert.equal(
    policy,
    `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`,
  )
  assert.ok(page.indexOf('Content-Security-Policy') < page.indexOf('<style'))
  assert.doesNotMatch(page, /<(script|img|link|iframe|object|embed|form|base|svg)\b|url\(|@import/i)
  assert.doesNotMatch(page, / (on\w+|style|src)=/i)
  for (const [, href = ''] of page.matchAll(/href="([^"]*)"/g)) assert.match(href, /^#/)
})

test('a call has who, when, where, what, decision, rule, text, output, maskings and duration', async () => {
  const page = unescaped(await pageOf(log)).replace(/<[^>]*>/g, '')
  const said = [
    '2026-11-21T07:48:01.000001Z',
    'Ada, u-1 (person) of https://issuer',
    '192.0.2.9, through 10.0.0.1:40',
    'tools/call execute_sql on shop',
    'Decisionallow',
    'Rulegrant 1',
    'sql\nSELECT *\nFROM cards -- \u001b[2J',
    'limit\n10',
    'text\na\u009b31m',
    'pan, visa, certain at /result/* by shop',
    '0:1111 3:4242',
    '5.012345 s',
    'legacy 2025-11-25  cli 1.0',
    '1 d 01:01:01.000002',
    '1 call, 1 ok',
  ]
  for (const one of said) assert.ok(page.includes(one), one)
})

test('each entry has its own anchor, and the table of calls leads to each call', async () => {
  const page = await pageOf(log)
  for (const { index } of log) {
    assert.equal(page.split(`<li id="e${index}">`).length, 2)
    assert.ok(page.includes(`<a href="#e${index}">${index}</a>`))
  }
  const [, table = ''] = page.split('<caption>Calls')
  assert.deepEqual(
    [...table.matchAll(/href="#e(\d+)"/g)].map(([, index]) => index),
    ['1', '7'],
  )
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length)
  for (const [, to] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(to), to)
})

test('calls that take turns are one timeline, and each part says where its call began', async () => {
  const page = await pageOf(crashed)
  const order = [...page.matchAll(/<li id="e(\d+)">/g)].map(([, index]) => index)
  assert.deepEqual(order, ['0', '1', '2', '3'])
  assert.match(page, /going on from <a href="#e0">0<\/a>/)
  assert.match(page, /class="note">Note: <bdi>the gateway stopped/)
  const rows = unescaped(page).match(/<tr><th scope="row"><a .*<\/tr>/g) ?? []
  assert.match(rows[0] ?? '', /unknown: process_ended/)
  assert.match(rows[1] ?? '', /no end shown/)
})

test('a sign-in stands with its session, though the call that caused it is logged beside it', async () => {
  const opened = { type: 'session.opened', era: 'modern', version: '2026-07-28' }
  const page = await pageOf([entry(0, { type: 'auth.accepted' }), entry(1, opened), received(2)])
  const headings = [...page.matchAll(/<h3>(.*)<\/h3>/g)].map(([, heading]) => heading)
  assert.deepEqual(headings, ['Session', '<bdi>tools/call execute_sql on shop</bdi>'])
})

test('a call that a crash cut off has no duration', async () => {
  const rows = (await pageOf(crashed)).match(/<tr><th scope="row"><a .*<\/tr>/g) ?? []
  assert.equal(rows.length, 2)
  for (const row of rows) assert.match(row, /<td><bdi>-<\/bdi><\/td><\/tr>$/)
})

test('a long text is folded and still there in full', async () => {
  const text = 'a line\n'.repeat(1000)
  const body = JSON.stringify({ result: { content: [{ type: 'text', text }] } })
  const page = await pageOf([
    entry(0, { type: 'response.event', seq: 1, rpcKind: 'response' }, body),
  ])
  assert.match(
    page,
    /<summary><bdi>text<\/bdi>, <bdi>7,000 characters, 1,001 lines<\/bdi><\/summary>/,
  )
  assert.ok(page.includes(text))
})

const lengths: readonly [what: string, text: string, isFolded: boolean][] = [
  ['40 lines', 'a\n'.repeat(39), false],
  ['41 lines', 'a\n'.repeat(40), true],
  ['4,000 characters', 'a'.repeat(4000), false],
  ['4,001 characters', 'a'.repeat(4001), true],
]
for (const [what, text, isFolded] of lengths) {
  test(`a text of ${what} is ${isFolded ? 'folded' : 'open'}`, async () => {
    const page = await pageOf([entry(0, { type: 'response.event', seq: 1 }, text)])
    assert.equal(page.includes('<summary>'), isFolded)
  })
}

test('with a proof stands its entry, from which the bytes of the log can be made again', async () => {
  for (const record of [log, ...hostile.map(hostileLog)]) {
    const page = await pageOf(record, 'x', proofOf)
    const found = [...page.matchAll(/The entry<\/p><pre>\n([^]*?)<\/pre>.*<pre>\n([^]*?)<\/pre>/g)]
    const proven = record.filter(({ index }) => index !== 2)
    assert.equal(found.length, proven.length)
    for (const [i, { index, line }] of proven.entries()) {
      const [, stored = '', proof = ''] = found[i] ?? []
      assert.equal(canonicalize(JSON.parse(unescaped(stored))), line.toString())
      assert.equal(unescaped(proof), await proofOf(index))
    }
  }
})
