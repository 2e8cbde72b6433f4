/** Tokens of card numbers in a real log: who has them, who has not, and when they are gone. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { realDisk } from '../../src/base/disk.ts'
import { checkRecord } from '../../src/record/check.ts'
import { share } from '../../src/record/entry.ts'
import {
  batchHeaderBytes,
  frameHeaderBytes,
  readBatchHeader,
  readFrames,
  tokensFrame,
  writeBatchHeader,
} from '../../src/record/frames.ts'
import { readRecord } from '../../src/record/read.ts'
import { openRecord } from '../../src/record/record.ts'
import { dueMonths, remove } from '../../src/record/retention.ts'
import { replay } from '../../src/replay/replay.ts'
import { catchUp } from '../../src/search/follow.ts'
import { withCard } from '../../src/search/query.ts'
import { RecordIndex } from '../../src/search/record-index.ts'
import { verifyFolder } from '../../src/verify/folder.ts'
import { makePack } from '../../src/verify/pack-make.ts'
import { checkpointKeys } from '../../src/record/tree-keys.ts'
import { HandClock, masked } from '../faults/work.ts'
import { live, newLog, origin } from './make-log.ts'
import type { Recorder } from '../../src/record/record.ts'
import type { LogReport } from '../../src/verify/folder.ts'
import type { MadeLog } from './make-log.ts'

const tokens = Array.from({ length: 40 }, () => randomBytes(17))

/** A call with tokens in what was asked and in what came back. */
async function call(recorder: Recorder, exchange: string, own: readonly Buffer[]): Promise<void> {
  const shared = share({ session: 'se_a', exchange, connection: 'shop' })
  const body = masked(Buffer.from(`{"masked":"${exchange}"}`))
  const [first, ...others] = own
  const asked = first && masked([first])
  await recorder.append('', shared, [
    {
      entry: {
        type: 'call.received',
        era: 'modern',
        version: '2026-07-28',
        rpcKind: 'request',
        bytes: 9,
        decision: 'allow',
        rule: 'grant 1',
      },
      body,
      tokens: asked,
    },
    { entry: { type: 'call.dispatched', host: 'db:1', attempt: 1 } },
  ])
  const told = { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 9 } as const
  const end = { outcome: 'ok', httpStatus: 200, durationUs: 1, bytesIn: 1, bytesOut: 2 } as const
  await recorder.append('', shared, [
    { entry: told, body, tokens: masked(others) },
    { entry: { type: 'call.finished', ...end, messages: 1 } },
  ])
}

async function madeLog(start?: string): Promise<MadeLog> {
  const log = await newLog(start)
  await live(log, async (recorder) => {
    await call(recorder, 'ex_some', tokens.slice(0, 3))
    await call(recorder, 'ex_none', [])
    await call(recorder, 'ex_many', tokens)
  })
  return log
}

const made = await madeLog()

function placeOf(log: MadeLog, withKeys = true): Parameters<typeof readRecord>[0] {
  const { bodyKeys, dir, writer } = log
  return { disk: realDisk, dir, writer, bodyKeys: withKeys ? bodyKeys : undefined }
}

/** All tokens of a log by exchange, in hex. */
async function tokensOf(log: MadeLog, withKeys = true): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for await (const entry of readRecord(placeOf(log, withKeys))) {
    for (const each of entry.tokens()) {
      const name = `${entry.exchange} ${entry.type}`
      found.set(name, [...(found.get(name) ?? []), Buffer.from(each).toString('hex')])
    }
  }
  return found
}

const hex = (those: readonly Buffer[]): string[] => those.map((each) => each.toString('hex'))

function verify({ dir, vkeys, writer }: MadeLog): Promise<LogReport> {
  return verifyFolder({ disk: realDisk, dir, writer, keys: vkeys, witnesses: [], older: [] })
}

function segmentOf({ folder }: MadeLog): string {
  const [month = ''] = readdirSync(join(folder, 'log'))
  return join(folder, 'log', month, '0001.seg')
}

/** The payloads of all tokens frames of a segment, with where they begin. */
function payloads(bytes: Buffer): { at: number; batchAt: number; payload: Buffer }[] {
  const found: { at: number; batchAt: number; payload: Buffer }[] = []
  for (let batchAt = 0; batchAt < bytes.length;) {
    const read = readBatchHeader(bytes.subarray(batchAt))
    assert.ok(typeof read === 'object')
    const { bodiesBytes, framesBytes } = read.header
    let at = batchAt + batchHeaderBytes
    for (const { kind, payload } of readFrames(bytes.subarray(at, at + framesBytes)) ?? []) {
      at += frameHeaderBytes
      if (kind === tokensFrame) found.push({ at, batchAt, payload: Buffer.from(payload) })
      at += payload.length
    }
    batchAt = at + bodiesBytes
  }
  return found
}

test('tokens come back with their entries, to whoever has the key, and the log is proven', async () => {
  const found = await tokensOf(made)
  assert.deepEqual(Array.from(found.keys()), [
    'ex_some call.received',
    'ex_some response.event',
    'ex_many call.received',
    'ex_many response.event',
  ])
  assert.deepEqual(found.get('ex_some call.received'), hex(tokens.slice(0, 1)))
  assert.deepEqual(found.get('ex_many response.event'), hex(tokens.slice(1)))
  assert.equal((await tokensOf(made, false)).size, 0)
  const report = await verify(made)
  assert.deepEqual(report.findings.list(), [])
  assert.deepEqual((await checkRecord(placeOf(made))).problems, [])
  const bytes = readFileSync(segmentOf(made))
  assert.equal(payloads(bytes).length, 4)
  for (const token of tokens) assert.ok(!bytes.includes(token), 'a token stands in clear')
})

test('where bodies are not encrypted no token is written', async () => {
  const { clock, dir } = await newLog()
  const { recorder } = await openRecord({
    dir,
    writer: 'w1',
    disk: realDisk,
    clock,
    freeBytesMin: 1,
    segmentBytesMax: 20_000,
  })
  await call(recorder, 'ex_a', tokens)
  await recorder.close()
  const [month = ''] = readdirSync(join(dir, 'w1', 'log'))
  const bytes = readFileSync(join(dir, 'w1', 'log', month, '0001.seg'))
  assert.deepEqual(payloads(bytes), [])
  for (const token of tokens) assert.ok(!bytes.includes(token))
})

test('every changed byte of a tokens frame is seen', async () => {
  const path = segmentOf(made)
  const bytes = readFileSync(path)
  try {
    for (const { at, payload } of payloads(bytes).slice(0, 2)) {
      for (let i = at - frameHeaderBytes; i < at + payload.length; i += 3) {
        const changed = Buffer.from(bytes)
        changed.writeUInt8(bytes.readUInt8(i) ^ 4, i)
        writeFileSync(path, changed)
        assert.equal((await verify(made)).findings.exitCode, 1, `byte ${i}`)
      }
    }
  } finally {
    writeFileSync(path, bytes)
  }
})

test('tokens that are moved or made up, in a batch that fits together, do not open', async () => {
  const log = await madeLog()
  const path = segmentOf(log)
  const bytes = readFileSync(path)
  const [first, , third] = payloads(bytes)
  assert.ok(first && third && first.payload.length === third.payload.length)
  for (const payload of [third.payload, randomBytes(first.payload.length)]) {
    const forged = Buffer.from(bytes)
    payload.copy(forged, first.at)
    const read = readBatchHeader(forged.subarray(first.batchAt))
    assert.ok(typeof read === 'object')
    const frames = forged.subarray(first.batchAt + batchHeaderBytes)
    const framesCrc = crc32(frames.subarray(0, read.header.framesBytes))
    const head = forged.subarray(first.batchAt, first.batchAt + batchHeaderBytes)
    // The batch behind names this one's CRC: the forger has to change that as well, and all others.
    writeBatchHeader(head, { ...read.header, framesCrc })
    writeFileSync(path, forged)
    const report = await verify(log)
    assert.equal(report.findings.exitCode, 1)
    const only = forged.subarray(0, first.batchAt + batchHeaderBytes + sizeOf(read.header))
    writeFileSync(path, only)
    await assert.rejects(tokensOf(log), {
      code: 'record_down',
      facts: { reason: 'tokens_key', index: 1 },
    })
    for await (const entry of readRecord(placeOf(log))) entry.body() // What does not ask goes on.
  }
})

test('tokens stand behind an entry with a body, or the batch is none', async () => {
  const log = await madeLog()
  const path = segmentOf(log)
  const bytes = readFileSync(path)
  const [first] = payloads(bytes)
  assert.ok(first)
  const framesAt = first.batchAt + batchHeaderBytes
  const read = readBatchHeader(bytes.subarray(first.batchAt))
  assert.ok(typeof read === 'object')
  const framesEnd = framesAt + read.header.framesBytes
  const [from, to] = [first.at - frameHeaderBytes, first.at + first.payload.length]
  const [before, own, behind] = [
    bytes.subarray(framesAt, from),
    bytes.subarray(from, to),
    bytes.subarray(to, framesEnd),
  ]
  for (const [how, order] of [
    ['first', [own, before, behind]],
    ['behind an entry without a body', [before, behind, own]],
    ['as they were', [before, own, behind]],
  ] as const) {
    const forged = Buffer.from(bytes.subarray(0, framesEnd + read.header.bodiesBytes))
    const frames = Buffer.concat(order)
    frames.copy(forged, framesAt)
    writeBatchHeader(forged.subarray(first.batchAt), { ...read.header, framesCrc: crc32(frames) })
    writeFileSync(path, forged)
    const entries: (string | undefined)[] = []
    for await (const { exchange } of readRecord(placeOf(log))) entries.push(exchange)
    assert.equal(entries.includes('ex_some'), how === 'as they were', how)
  }
})

function sizeOf(header: { framesBytes: number; bodiesBytes: number }): number {
  return header.framesBytes + header.bodiesBytes
}

test('a tail torn within tokens is cut off, and what was acknowledged before has its own', async () => {
  const log = await newLog()
  const options = {
    dir: log.dir,
    writer: 'w1',
    disk: realDisk,
    clock: log.clock,
    freeBytesMin: 1,
    segmentBytesMax: 1_000_000,
    origin,
    bodyKeys: log.bodyKeys,
  }
  const { recorder } = await openRecord(options)
  await call(recorder, 'ex_a', tokens.slice(0, 2))
  await call(recorder, 'ex_b', tokens)
  await recorder.close()
  const path = segmentOf(log)
  const bytes = readFileSync(path)
  const last = payloads(bytes).at(-1)
  assert.ok(last)
  for (const cut of [last.at - 5, last.at + 1, last.at + last.payload.length]) {
    writeFileSync(path, bytes.subarray(0, cut))
    const again = await openRecord(options)
    assert.equal(again.recovered.torn.length, 1, `cut at ${cut}`)
    await again.recorder.close()
    const found = await tokensOf(log)
    assert.deepEqual(found.get('ex_a response.event'), hex(tokens.slice(1, 2)))
    assert.deepEqual(found.get('ex_b call.received'), hex(tokens.slice(0, 1)))
    assert.equal(found.get('ex_b response.event'), undefined)
    assert.deepEqual((await checkRecord(placeOf(log))).problems, [])
  }
})

test('no pack and no replay holds tokens, in clear or encrypted', async () => {
  const out = join(mkdtempSync(join(tmpdir(), 'sallyport-tokens-')), 'pack')
  const counts = await makePack({
    place: placeOf(made),
    shows: () => true,
    asked: 'all',
    out,
    signers: checkpointKeys(origin, made.keys).signers.slice(0, 1),
    vkeys: made.vkeys,
    version: '1',
    now: new Date('2026-11-21T07:48:00Z'),
    replay,
  })
  assert.ok(counts.bodies > 0)
  const sealed = payloads(readFileSync(segmentOf(made))).map(({ payload }) => payload)
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
  for (const each of files.filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(each.parentPath, each.name))
    for (const part of [...tokens, ...sealed.map((payload) => payload.subarray(0, 12))]) {
      for (const how of ['hex', 'base64', 'base64url'] as const) {
        assert.ok(!bytes.includes(part.toString(how)), `${each.name} has a token in ${how}`)
      }
      assert.ok(!bytes.includes(part), `${each.name} has a token`)
    }
  }
  for (const format of ['jsonl', 'har', 'text', 'html'] as const) {
    const options = { shows: () => true, title: 'x', origin, version: '1', format }
    let text = ''
    for await (const piece of replay(readRecord(placeOf(made)), options)) text += piece
    for (const token of tokens) {
      for (const how of ['hex', 'base64'] as const) assert.ok(!text.includes(token.toString(how)))
    }
  }
})

test('when a month is shredded its tokens are gone, from the record and from the index', async () => {
  const log = await madeLog('2026-01-10T10:00:00.000Z')
  const [first] = tokens
  assert.ok(first)
  const query = withCard({ kind: 'all' }, first)
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-tokens-'))
  const index = RecordIndex.open(dir, { isReadOnly: false, indexOutputs: false, cardSearch: true })
  const follow = { disk: realDisk, dir: log.dir, bodyKeys: () => log.bodyKeys }
  await catchUp(index, follow)
  assert.equal(index.search(query).total, 2)
  log.clock.us = new HandClock('2026-04-10T10:00:00.000Z').us
  const { bodyKeys, folder } = log
  const at = { disk: realDisk, folder, keys: { ...bodyKeys, disk: realDisk, origin } }
  const day = 86_400_000
  const rules = { retentionMs: 400 * day, contentRetentionMs: 30 * day, holds: [] }
  const due = await dueMonths(at, rules, log.clock.us)
  assert.equal(due.length, 1)
  await live(log, async (recorder) => {
    const signedSize = recorder.figures().durableIndex
    for (const each of due) {
      const forget = (): Promise<void> => Promise.resolve(index.forgetText(each.month))
      await remove(each, at, { recorder, reason: 'retention', signedSize, forget })
    }
  })
  assert.equal((await tokensOf(log)).size, 0)
  assert.equal(index.search(query).total, 0)
  index.clear()
  await catchUp(index, follow)
  assert.equal(index.search(query).total, 0, 'nor can they be read anew')
  index.close()
  assert.equal((await verify(log)).findings.exitCode, 0)
})
