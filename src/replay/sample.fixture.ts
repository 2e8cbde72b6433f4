/** Records for the tests of this folder: made entry by entry, read as if they came from a log. */
import assert from 'node:assert/strict'
import { storedEntry } from '../record/stored.ts'
import { canonicalize } from '../tlog/canonical.ts'
import type { BodyState, RecordedEntry } from '../record/read.ts'

const ada = { issuer: 'https://issuer', kind: 'person', name: 'Ada', subject: 'u-1', groups: ['x'] }
const common = {
  v: 1,
  outcome: 'ok',
  session: 'se_a',
  exchange: 'ex_a',
  connection: 'shop',
  principal: ada,
  source: { ip: '10.0.0.1', port: 40, forwarded: '192.0.2.9' },
}

/** The entry at `index`, a second after the one before. A body is given as bytes in Latin-1. */
export function entry(
  index: number,
  fields: Readonly<Record<string, unknown>>,
  body?: string,
  state?: BodyState,
): RecordedEntry {
  const time = new Date(Date.UTC(2026, 10, 21, 7, 48, index)).toISOString().replace('Z', '001Z')
  const value = { ...common, index, time, ...fields }
  const stored = storedEntry(value)
  assert.ok(stored)
  const bytes = body === undefined ? undefined : Buffer.from(body, 'latin1')
  return {
    ...stored,
    line: Buffer.from(canonicalize(value)),
    bodyState: state ?? (bytes ? 'readable' : 'none'),
    body: () => bytes,
    tokens: () => [],
    storedBody: bytes,
    next: { segment: '2026-11/0001.seg', offset: 0, nextIndex: index + 1 },
  }
}

export async function* from(entries: readonly RecordedEntry[]): AsyncGenerator<RecordedEntry> {
  await Promise.resolve()
  yield* entries
}

const query = 'SELECT *\nFROM cards -- \u001b[2J'
const target = { kind: 'tool', name: 'execute_sql' }
const era = { era: 'legacy', version: '2025-11-25' }
const asks = { ...era, type: 'call.received', rpcKind: 'request', method: 'tools/call', target }
const allowed = { decision: 'allow', rule: 'grant 1' }

/** A call that reaches a tool, as the record has it; its body stands for itself. */
export function received(
  index: number,
  fields: Readonly<Record<string, unknown>> = {},
  body: string = asked,
): RecordedEntry {
  return entry(index, { ...asks, ...allowed, bytes: 90, ...fields }, body)
}

/** Its end. */
export function finished(
  index: number,
  fields: Readonly<Record<string, unknown>> = {},
): RecordedEntry {
  const figures = {
    httpStatus: 200,
    durationUs: 5_012_345,
    bytesIn: 90,
    bytesOut: 1234,
    messages: 1,
  }
  return entry(index, { type: 'call.finished', ...figures, ...fields })
}

export const asked: string = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'execute_sql', arguments: { sql: query, limit: 10 } },
})
export const answered =
  '{"result":{"content":[{"type":"text","text":"a\\u009b31m"},{"type":"image"}],"isError":false}}'

/** One session, whole; an entry of no session; and a call of another that was refused at the door. */
export const log: readonly RecordedEntry[] = [
  entry(0, {
    type: 'session.opened',
    exchange: null,
    ...era,
    clientName: 'cli',
    clientVersion: '1.0',
  }),
  received(1),
  entry(2, {
    type: 'gateway.started',
    session: null,
    exchange: null,
    version: '1',
    configHash: 'x',
  }),
  entry(3, { type: 'call.dispatched', host: 'localhost:9', attempt: 1 }),
  entry(4, { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 1234 }, answered),
  entry(5, {
    type: 'mask.applied',
    of: 'answer',
    seq: 1,
    delivered: 'masked',
    count: 2,
    groups: [
      {
        at: '/result/*',
        brand: 'visa',
        confidence: 'certain',
        each: ['0:1111', '3:4242'],
        kind: 'pan',
        rule: 'shop',
      },
    ],
  }),
  finished(6),
  entry(7, {
    type: 'call.denied',
    session: 'se_b',
    exchange: 'ex_b',
    outcome: 'denied',
    rpcKind: 'request',
    method: 'tools/call',
    target: { kind: 'tool', name: 'drop_table' },
    reason: 'tool_not_granted',
    code: 'tool_unknown',
    status: 200,
  }),
  entry(8, {
    type: 'session.closed',
    exchange: null,
    source: { ip: '10.0.0.2', port: 41 },
    durationUs: 90_061_000_002,
    reason: 'ended',
    calls: 1,
  }),
]

/** Two sessions that take turns: one call is left open by a crash and ended at the next start, one
 *  has no end in the log at all. */
export const crashed: readonly RecordedEntry[] = [
  received(0, { session: 'se_a', exchange: 'ex_a' }),
  received(1, { session: 'se_c', exchange: 'ex_c', era: 'modern', version: '2026-07-28' }),
  entry(2, {
    type: 'call.dispatched',
    session: 'se_a',
    exchange: 'ex_a',
    host: '[::1]:9',
    attempt: 1,
  }),
  finished(3, {
    session: 'se_a',
    exchange: 'ex_a',
    outcome: 'unknown',
    reason: 'process_ended',
    httpStatus: 0,
    bytesOut: 0,
    messages: 0,
  }),
]

/** What servers and clients may say to do harm to who reads it. */
export const hostile: readonly string[] = [
  '</pre></article><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><style>*{display:none}</style>',
  '</title><svg onload=alert(1)>',
  '<!-- --!> ]]> <![CDATA[ <?php',
  '&lt;b&gt; &#60;i&#62; &amp;amp;',
  '\u202egnp.exe\u202c \u2066x\u2069 \u200f \u200b \ufeff',
  '\u0000\u0007\u001b]0;title\u0007\u001b[2J\u009b31m\r\n\u007f\u0085\u2028\u2029',
  '\u{e0041}\u{e007f} hidden in tags, \ud800 half',
  '2026-11-21T07:48:05.000001Z  = ok  HTTP 200',
  '\n\n  \t leading and trailing \n',
  'javascript:alert(1) data:text/html,<script>alert(1)</script> https://evil.example/?q=',
  '`${alert(1)}` {{constructor.constructor("alert(1)")()}}',
  '__proto__ constructor hasOwnProperty',
]

/** A session in which every place that takes words from outside holds `word`. */
export function hostileLog(word: string): RecordedEntry[] {
  const said = word.toWellFormed()
  const principal = { ...ada, name: said, subject: said, issuer: said, kind: said, groups: [said] }
  const by = { principal, connection: said, session: said, exchange: said }
  const source = { ip: said, port: 1, forwarded: said }
  const group = { at: said, brand: said, confidence: said, each: [said], kind: said, rule: said }
  const call = JSON.stringify({ params: { arguments: { [said]: word, sql: word } } })
  const body = Buffer.from(call).toString('latin1')
  const told = JSON.stringify({
    result: { content: [{ type: 'text', text: word }, word], [said]: word },
  })
  const answer = Buffer.from(told).toString('latin1')
  const mask = {
    type: 'mask.applied',
    of: said,
    seq: 1,
    delivered: said,
    count: 1,
    groups: [group],
  }
  const opened = { ...era, clientName: said, clientVersion: said, userAgent: said }
  const place = { method: said, target: { kind: 'tool', name: said } }
  return [
    entry(0, { ...by, source, type: 'session.opened', ...opened, further: said }),
    received(1, { ...by, ...place, rule: said, decision: said }, body),
    entry(2, { ...by, type: 'call.dispatched', host: said, attempt: 1 }),
    entry(
      3,
      { ...by, type: 'response.event', seq: 1, method: said, rpcKind: said, bytes: 1 },
      answer,
    ),
    entry(4, { ...by, ...mask }),
    finished(5, { ...by, outcome: said, reason: said }),
    entry(6, { ...by, ...place, type: 'call.denied', reason: said, code: said, status: 403 }, word),
    entry(7, { ...by, type: 'session.closed', durationUs: 1, reason: said, calls: 1 }),
  ]
}

/** A stand-in for a proof: it has the parts that readers look at. */
export function proofOf(index: number): Promise<string | undefined> {
  const proof = `c2sp.org/tlog-proof@v1\nindex ${index}\nAAAA\n\nlog.example/one\n1234\nBBBB\n\n— log.example CCCC\n`
  return Promise.resolve(index === 2 ? undefined : proof)
}
