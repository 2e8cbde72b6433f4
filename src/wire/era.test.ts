import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../base/fault.ts'
import { classify } from './era.ts'
import type { HeaderView } from './headers.ts'
import { readPosted } from './message.ts'

const limits = { bytesMax: 1 << 16, depthMax: 32 }
function headersOf(...values: readonly string[]): HeaderView {
  const has = (name: string): boolean => name === 'mcp-protocol-version'
  return {
    get: (name) => (has(name) && values.length > 0 ? values.join(', ') : undefined),
    count: (name) => (has(name) ? values.length : 0),
  }
}
const M = '2026-07-28'
const V = 'io.modelcontextprotocol/protocolVersion'
const C = 'io.modelcontextprotocol/clientCapabilities'
const message = (method: string, params: object = {}, id: number | undefined = 1): object => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})
const meta = (version: unknown, capabilities: unknown = {}): object => ({
  _meta: { [V]: version, [C]: capabilities },
})
const list = message('tools/list')
const modern = message('tools/list', meta(M))
const initialize = (asked: string): object => message('initialize', { protocolVersion: asked })
const answer = { jsonrpc: '2.0', id: 1, result: {} }

interface Case {
  readonly body: object | null
  readonly header?: string | readonly string[]
  readonly session?: string
}
function speak({ body, header = [], session }: Case): string {
  const posted = body === null ? null : readPosted(Buffer.from(JSON.stringify(body)), limits)
  const spoken = classify(posted, headersOf(...[header].flat()), session)
  return `${spoken.era} ${spoken.version}`
}

const refused: readonly [what: string, request: Case, code: string, reason: string][] = [
  ['a modern body without the header', { body: modern }, 'header_mismatch', 'missing'],
  [
    'a modern body under a legacy header',
    { body: modern, header: '2025-11-25' },
    'header_mismatch',
    'different',
  ],
  [
    'a modern body under another modern header',
    { body: modern, header: '2027-01-01' },
    'header_mismatch',
    'different',
  ],
  ['the header twice', { body: modern, header: [M, M] }, 'header_mismatch', 'repeated'],
  [
    'the header twice, legacy',
    { body: list, header: ['2025-11-25', '2025-06-18'] },
    'header_mismatch',
    'repeated',
  ],
  [
    'the header twice on a GET',
    { body: null, header: [M, '2025-06-18'] },
    'header_mismatch',
    'repeated',
  ],
  [
    'a future version',
    { body: message('x', meta('2099-01-01')), header: '2099-01-01' },
    'version_unsupported',
    'unsupported',
  ],
  [
    'a legacy version in modern form',
    { body: message('x', meta('2025-11-25')), header: '2025-11-25' },
    'version_unsupported',
    'unsupported',
  ],
  [
    'a numeric version in _meta',
    { body: message('x', meta(1)), header: M },
    'bad_params',
    'meta_version',
  ],
  [
    'a null version in _meta',
    { body: message('x', meta(null)), header: M },
    'bad_params',
    'meta_version',
  ],
  [
    'no capabilities',
    { body: message('x', { _meta: { [V]: M } }), header: M },
    'bad_params',
    'meta_capabilities',
  ],
  [
    'capabilities in an array',
    { body: message('x', meta(M, [])), header: M },
    'bad_params',
    'meta_capabilities',
  ],
  ['a modern header without _meta', { body: list, header: M }, 'bad_params', 'meta_missing'],
  [
    'a modern header with an empty _meta',
    { body: message('x', { _meta: {} }), header: M, session: '2025-11-25' },
    'bad_params',
    'meta_missing',
  ],
  ['an answer under a modern header', { body: answer, header: M }, 'bad_request', 'response'],
  ['a GET under a modern header', { body: null, header: M }, 'method_not_allowed', 'modern'],
  ['an unknown header', { body: list, header: '2024-11-05' }, 'version_unsupported', 'unsupported'],
  [
    'an unknown header on a GET',
    { body: null, header: 'latest' },
    'version_unsupported',
    'unsupported',
  ],
  [
    'a batch with a modern element',
    { body: [list, modern], header: '2025-03-26' },
    'batch_refused',
    'modern',
  ],
  ['a batch under a modern header', { body: [list], header: M }, 'batch_refused', 'modern'],
  ['a batch of 2025-06-18', { body: [list], header: '2025-06-18' }, 'batch_refused', 'version'],
  [
    'a batch in a session of 2025-11-25',
    { body: [list], session: '2025-11-25' },
    'batch_refused',
    'version',
  ],
  [
    'a batch whose header denies its session',
    { body: [list], header: '2025-03-26', session: '2025-11-25' },
    'batch_refused',
    'version',
  ],
  ['initialize in a batch', { body: [initialize('2025-03-26')] }, 'batch_refused', 'initialize'],
]
for (const [what, request, code, reason] of refused) {
  test(`${what} is refused: ${code}, ${reason}`, () => {
    assert.throws(
      () => speak(request),
      (fault) => {
        assert.ok(fault instanceof Fault)
        assert.deepEqual([fault.code, fault.facts['reason']], [code, reason])
        return true
      },
    )
  })
}

const spoken: readonly [what: string, request: Case, speaks: string][] = [
  ['a modern request', { body: modern, header: M }, `modern ${M}`],
  [
    'a modern request beside a session',
    { body: modern, header: M, session: '2025-11-25' },
    `modern ${M}`,
  ],
  [
    'a modern notification',
    { body: { jsonrpc: '2.0', method: 'n', params: { _meta: { [V]: M } } }, header: M },
    `modern ${M}`,
  ],
  [
    'a notification under a modern header alone',
    { body: { jsonrpc: '2.0', method: 'n' }, header: M },
    `modern ${M}`,
  ],
  ['initialize', { body: initialize('2025-06-18') }, 'legacy 2025-06-18'],
  ['initialize asking for the modern revision', { body: initialize(M) }, 'legacy 2025-11-25'],
  ['initialize under a modern header', { body: initialize(M), header: M }, 'legacy 2025-11-25'],
  ['initialize asking for nothing', { body: message('initialize') }, 'legacy 2025-11-25'],
  ['a legacy header', { body: list, header: '2025-06-18' }, 'legacy 2025-06-18'],
  [
    'a legacy header beside its session',
    { body: list, header: '2025-11-25', session: '2025-11-25' },
    'legacy 2025-11-25',
  ],
  ['no header in a session', { body: list, session: '2025-06-18' }, 'legacy 2025-06-18'],
  ['no header at all', { body: list }, 'legacy 2025-03-26'],
  ['a posted answer', { body: answer, header: '2025-11-25' }, 'legacy 2025-11-25'],
  ['a GET', { body: null, header: '2025-11-25' }, 'legacy 2025-11-25'],
  ['a GET without header', { body: null, session: '2025-06-18' }, 'legacy 2025-06-18'],
  ['a batch without header', { body: [list, answer] }, 'legacy 2025-03-26'],
  [
    'a batch of its revision',
    { body: [list], header: '2025-03-26', session: '2025-03-26' },
    'legacy 2025-03-26',
  ],
]
for (const [what, request, speaks] of spoken) {
  test(`${what} speaks ${speaks}`, () => assert.equal(speak(request), speaks))
}

const factsOf = (header: string): Fault['facts'] => {
  try {
    speak({ body: message('x', meta(header)), header })
  } catch (fault) {
    if (fault instanceof Fault) return fault.facts
  }
  return {}
}

test('an unsupported version is repeated if it looks like one', () => {
  for (const requested of ['2099-01-01', 'v999.0.0', 'latest']) {
    const facts = { reason: 'unsupported', era: 'modern', supported: [M], requested }
    assert.deepEqual(factsOf(requested), facts)
  }
})

test('what could be a card number or a message is never repeated as a version', () => {
  const groups = ['1234', '5678', '9012', '3456']
  for (const sep of ['', '-', '.', ' ', '-v']) {
    assert.equal(factsOf(groups.join(sep))['requested'], undefined)
  }
  for (const odd of ['', 'a'.repeat(25), '<b>', '123456', '2099-01-01-9']) {
    assert.equal(factsOf(odd)['requested'], undefined)
  }
})

test('a version refused in a legacy request says so, and lists all that is spoken', () => {
  assert.throws(
    () => speak({ body: list, header: '2024-11-05' }),
    (fault) => {
      assert.ok(fault instanceof Fault)
      const supported = [M, '2025-11-25', '2025-06-18', '2025-03-26']
      const facts = { reason: 'unsupported', era: 'legacy', supported, requested: '2024-11-05' }
      assert.deepEqual(fault.facts, facts)
      return true
    },
  )
})
