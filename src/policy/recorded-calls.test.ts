/** What of a call comes back from the record as it went in, and what is not known any more. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { createMasker } from '../mask/masker.ts'
import type { SqlFact } from '../inspect/facts.ts'
import { share } from '../record/entry.ts'
import type { CallReceived, RecordedFacts } from '../record/entry.ts'
import { readRecord } from '../record/read.ts'
import { openRecord } from '../record/record.ts'
import { configOf, finding, statement, unparsed } from './facts.fixture.ts'
import { isJudged, recordedCall } from './recorded-calls.ts'
import type { RecordedCall } from './recorded-calls.ts'
import { compileRules } from './rules.ts'
import { outcomeOf, simulate } from './simulate.ts'
import type { Policies } from './simulate.ts'

const dir = mkdtempSync(join(tmpdir(), 'sallyport-recorded-'))
after(() => rmSync(dir, { recursive: true }))
const masker = createMasker({ sealKey: new Uint8Array(32) })
let folders = 0

/** As the gateway writes it. */
function stored(fact: SqlFact): Record<string, unknown> {
  const returned = Object.entries(fact.columns_returned)
  return { ...fact, columns_returned: returned.map(([name, of]) => `${name}: ${of.join(', ')}`) }
}

interface Written {
  readonly facts?: RecordedFacts
  readonly groups?: readonly string[]
  readonly tool?: string
  readonly more?: Partial<CallReceived>
}

/** Writes calls with the real recorder. @returns where they are. */
async function written(calls: readonly Written[]): Promise<Parameters<typeof readRecord>[0]> {
  const place = { disk: realDisk, dir: join(dir, String(folders++)), writer: 'w1' }
  const { recorder } = await openRecord({
    ...place,
    clock: systemClock(),
    freeBytesMin: 1024,
    segmentBytesMax: 64 * 1024 * 1024,
  })
  const appended = calls.map(async ({ facts, groups = ['a'], more, tool = 'execute_sql' }, i) => {
    const who = { issuer: 'https://i.example', subject: 'ada', kind: 'person' as const, groups }
    const exchange = `ex_${i}`
    const shared = share({ exchange, principal: masker.words(who), connection: 'shop' })
    const entry: CallReceived = {
      type: 'call.received',
      era: 'legacy',
      version: '2025-06-18',
      rpcKind: 'request',
      method: masker.word('tools/call'),
      target: { kind: 'tool', name: masker.word(tool) },
      bytes: 120,
      decision: 'allow',
      rule: 'staff',
      facts: facts && masker.words(facts),
      ...more,
    }
    await recorder.append(exchange, shared, [{ entry }])
  })
  await Promise.all(appended)
  await recorder.close()
  return place
}

async function readBack(of: Written): Promise<RecordedCall> {
  for await (const entry of readRecord(await written([of]))) {
    if (isJudged(entry)) return recordedCall(entry, { isMasked: false, isUnchanged: true })
  }
  throw new Error('nothing was recorded')
}

test('facts come back as they were', async () => {
  const fact = statement({ columns_returned: { 'a: b': ['pan', 'id'], c: [] }, limit: 7 })
  const { facts, unknown } = await readBack({
    facts: { sql: [stored(fact), stored(unparsed())], findings: [{ ...finding() }] },
  })
  assert.deepEqual(facts.sql, [fact, unparsed()])
  assert.deepEqual(facts.findings, [finding()])
  assert.deepEqual(
    [facts.call.bytes, facts.call.name, facts.principal.groups],
    [120, 'execute_sql', ['a']],
  )
  for (const known of ['sql', 'findings', 'principal.groups', 'tool.changed']) {
    assert.equal(unknown.has(known), false, known)
  }
  for (const lost of [
    'exposure',
    'claims',
    'principal.roles',
    'call.arguments',
    'tool.read_only',
  ]) {
    assert.equal(unknown.has(lost), true, lost)
  }
})

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `c${i}`)
const { parsed: _, ...older } = stored(statement())
const cut: readonly [what: string, of: Written, unknown: string][] = [
  ['facts that were cut', { facts: { sql: [stored(statement())], cut: true } }, 'sql'],
  ['findings that were cut', { facts: { cut: true } }, 'findings'],
  [
    'a list as long as one gets',
    { facts: { sql: [stored(statement({ columns_read: many(40) }))] } },
    'sql',
  ],
  ['a name that was cut', { facts: { sql: [stored(statement({ functions: ['f…'] }))] } }, 'sql'],
  ['a statement of another version', { facts: { sql: [older] } }, 'sql'],
  ['as many groups as are kept', { groups: many(64) }, 'principal.groups'],
  ['a tool whose name was cut', { tool: 'x'.repeat(600) }, 'call.tool'],
]
for (const [what, of, unknown] of cut) {
  test(`${what}: nobody can tell by them`, async () => {
    assert.equal((await readBack(of)).unknown.has(unknown), true)
  })
}

test('streams, ends and polls of held calls were never judged', async () => {
  const place = await written([
    { more: { rpcKind: 'stream' } },
    { more: { rpcKind: 'end' } },
    { more: { ticket: 'hd_1' } },
    { more: { ticket: 'hd_1', decision: 'hold' } },
  ])
  const judged: boolean[] = []
  for await (const entry of readRecord(place)) judged.push(isJudged(entry))
  assert.deepEqual(judged, [false, false, false, true])
})

test('twenty thousand calls are tried one by one', async () => {
  const place = await written(
    Array.from({ length: 20_000 }, (_, i) => ({
      facts: { sql: [stored(statement({ limit: i % 100 }))] },
    })),
  )
  const config = configOf(`rules: [{ name: a, when: 'sql.exists(s, s.limit > 89)', effect: deny }]`)
  const rules = compileRules(config)
  const { profile } = config.connections[0] ?? assert.fail()
  const { holds } = config
  const candidate: Policies = () => ({ rules, holds, list: config.rules, profile, hasPoint: false })
  const counts = { same: 0, changed: 0, unsure: 0 }
  const period = { fromUs: -Infinity, toUs: Infinity }
  for await (const judged of simulate(readRecord(place), { candidate, period })) {
    counts[outcomeOf(judged)]++
  }
  assert.deepEqual(counts, { same: 18_000, changed: 2000, unsure: 0 })
})
