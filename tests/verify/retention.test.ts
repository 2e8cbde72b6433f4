/** Months that go: what stays provable, what nobody can read any more, and what must not go. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { checkRecord } from '../../src/record/check.ts'
import { readRecord } from '../../src/record/read.ts'
import { openRecord } from '../../src/record/record.ts'
import { dueMonths, remove } from '../../src/record/retention.ts'
import { verifyFolder } from '../../src/verify/folder.ts'
import { call, live, newLog, origin } from './make-log.ts'
import type { DueMonth, RetentionPlace, RetentionRules } from '../../src/record/retention.ts'
import type { Hold } from '../../src/record/holds.ts'
import type { LogReport } from '../../src/verify/folder.ts'
import type { MadeLog } from './make-log.ts'

const dayMs = 86_400_000
const secret = 'SELECT name FROM customers_of_'

/** Three months with calls in each, and today in the fourth. */
async function threeMonths(): Promise<MadeLog> {
  const log = await newLog('2026-01-10T10:00:00.000Z')
  for (const month of ['2026-01', '2026-02', '2026-03', '2026-04']) {
    log.clock.us = Date.parse(`${month}-10T10:00:00Z`) * 1000
    await live(log, async (recorder) => {
      for (let i = 0; i < 12; i++) {
        const at = { isFirst: i === 0, isLast: i === 11 }
        const text = `${secret}${month}_${i}`
        await call(recorder, log.clock, {
          session: `se_${month}`,
          exchange: `ex_${month}_${i}`,
          text,
          ...at,
        })
      }
    })
  }
  return log
}

function placeOf({ bodyKeys, folder }: MadeLog): RetentionPlace {
  return { disk: realDisk, folder, keys: { ...bodyKeys, disk: realDisk, origin } }
}

const rules = (days: number, content: number, holds: Hold[] = []): RetentionRules => ({
  retentionMs: days * dayMs,
  contentRetentionMs: content * dayMs,
  holds,
})

async function run(log: MadeLog, with_: RetentionRules): Promise<DueMonth[]> {
  const at = placeOf(log)
  const due = await dueMonths(at, with_, log.clock.us)
  await live(log, async (recorder) => {
    const signedSize = recorder.figures().durableIndex
    for (const each of due.filter(({ heldBy }) => heldBy.length === 0)) {
      const forget = (): Promise<void> => Promise.resolve()
      await remove(each, at, { recorder, reason: 'retention', signedSize, forget })
    }
  })
  return due
}

function verify({ dir, vkeys, writer }: MadeLog): Promise<LogReport> {
  return verifyFolder({ disk: realDisk, dir, writer, keys: vkeys, witnesses: [], older: [] })
}

async function texts(log: MadeLog): Promise<string> {
  const { bodyKeys, dir, writer } = log
  let all = ''
  for await (const entry of readRecord({ disk: realDisk, dir, writer, bodyKeys })) {
    all += Buffer.from(entry.body() ?? []).toString()
  }
  return all
}

const words = ({ findings }: LogReport): string[] =>
  findings.list().map(({ place, words: what, weight }) => `${weight} ${place}: ${what}`)

test('a shredded month is still proven, and nobody can read it any more', async () => {
  const log = await threeMonths()
  assert.match(await texts(log), /customers_of_2026-01/)
  const due = await run(log, rules(400, 60))
  assert.deepEqual(
    due.map(({ month, what }) => `${month} ${what}`),
    ['2026-01 content'],
  )
  const report = await verify(log)
  assert.equal(report.findings.exitCode, 0)
  assert.match(
    words(report).join('\n'),
    /note 2026-01: The bodies of 2026-01 were shredded at .* \(retention\)/,
  )
  const left = await texts(log)
  assert.doesNotMatch(left, /customers_of_2026-01/)
  assert.match(left, /customers_of_2026-02/)
  assert.ok(!readdirSync(log.bodyKeys.dir).includes('2026-01.json'))
  // Nothing is due a second time.
  assert.deepEqual(await run(log, rules(400, 60)), [])
})

test('a removed month is proof only, and everything else stands', async () => {
  const log = await threeMonths()
  const due = await run(log, rules(30, 30))
  assert.deepEqual(
    due.map(({ month, what }) => `${month} ${what}`),
    ['2026-01 month', '2026-02 month'],
  )
  const report = await verify(log)
  assert.equal(report.findings.exitCode, 0, words(report).join('\n'))
  assert.equal(report.proofOnly.length, 1)
  assert.equal(report.proofOnly[0]?.from, 0)
  assert.match(words(report).join('\n'), /proof only/)
  assert.equal(report.signed, report.size)
  assert.doesNotMatch(await texts(log), /2026-0[12]/)
  // The log goes on, and a reader finds it in order.
  const { problems } = await checkRecord({ disk: realDisk, dir: log.dir, writer: log.writer })
  assert.deepEqual(problems, [])
})

test('a month between two that stay leaves a gap that is proven', async () => {
  const log = await threeMonths()
  const hold: Hold = {
    id: 'h1',
    held: { session: 'se_2026-01' },
    reason: 'case',
    by: 'me',
    since: '',
  }
  const due = await run(log, rules(30, 30, [hold]))
  assert.deepEqual(
    due.map(({ heldBy, month }) => [month, heldBy]),
    [
      ['2026-01', ['h1']],
      ['2026-02', []],
    ],
  )
  const report = await verify(log)
  assert.equal(report.findings.exitCode, 0, words(report).join('\n'))
  assert.ok((report.proofOnly[0]?.from ?? 0) > 0)
  assert.match(await texts(log), /2026-01/)
  const again = await openRecord({
    dir: log.dir,
    writer: log.writer,
    disk: realDisk,
    clock: log.clock,
    freeBytesMin: 1,
    segmentBytesMax: 20_000,
  })
  await again.recorder.close()
})

const holds: readonly [what: string, held: Hold['held'], kept: string[]][] = [
  ['a session', { session: 'se_2026-02' }, ['2026-02']],
  ['a principal by name', { principal: 'Ada' }, ['2026-01', '2026-02']],
  ['a principal by subject', { principal: 'u-1' }, ['2026-01', '2026-02']],
  ['somebody else', { principal: 'Bob' }, []],
  ['a period', { from: '2026-02', to: '2026-12' }, ['2026-02']],
]
test('a hold keeps the whole months of what it names, and no others', async () => {
  const log = await threeMonths()
  for (const [what, held, kept] of holds) {
    const hold: Hold = { id: 'h', held, reason: 'case', by: 'me', since: '' }
    const due = await dueMonths(placeOf(log), rules(30, 30, [hold]), log.clock.us)
    const found = due.filter(({ heldBy }) => heldBy.length > 0).map(({ month }) => month)
    assert.deepEqual(found, kept, what)
  }
})

test('what is held, or not signed yet, does not go', async () => {
  const log = await threeMonths()
  const [due] = await dueMonths(placeOf(log), rules(30, 30), log.clock.us)
  assert.ok(due)
  await live(log, async (recorder) => {
    const by = { recorder, reason: 'x', signedSize: due.end - 1, forget: () => Promise.resolve() }
    await assert.rejects(remove(due, placeOf(log), by), /under a checkpoint/)
    const held = { ...due, heldBy: ['h1'] }
    await assert.rejects(remove(held, placeOf(log), { ...by, signedSize: 1e6 }), /hold/)
  })
  const report = await verify(log)
  assert.deepEqual(words(report), [])
})

test('a month that is gone without a word is missed', async () => {
  const log = await threeMonths()
  rmSync(join(log.folder, 'log', '2026-02'), { recursive: true })
  const report = await verify(log)
  assert.equal(report.findings.exitCode, 1)
  assert.match(words(report)[0] ?? '', /are missing, and no entry says that they were removed/)
})

test('a month that is gone beside one that was removed is missed as well', async () => {
  const log = await threeMonths()
  await run(log, rules(60, 60))
  assert.equal((await verify(log)).findings.exitCode, 0)
  rmSync(join(log.folder, 'log', '2026-02'), { recursive: true })
  const report = await verify(log)
  assert.equal(report.findings.exitCode, 1)
  assert.match(words(report)[0] ?? '', /are missing, and no entry says that they were removed/)
})

test('a crash between the two entries of a removal leaves it due, and the rest proven', async () => {
  const log = await threeMonths()
  const at = placeOf(log)
  const [due] = await dueMonths(at, rules(30, 30), log.clock.us)
  assert.ok(due)
  await live(log, async (recorder) => {
    const signedSize = recorder.figures().durableIndex
    const forget = (): Promise<void> => Promise.reject(new Error('the power went'))
    await assert.rejects(remove(due, at, { recorder, reason: 'retention', signedSize, forget }))
  })
  assert.equal((await verify(log)).findings.exitCode, 0)
  assert.equal((await run(log, rules(30, 30))).length, 2)
  assert.equal((await verify(log)).findings.exitCode, 0)
  assert.ok(readFileSync(join(log.folder, 'checkpoint'), 'utf8').startsWith(origin))
})
