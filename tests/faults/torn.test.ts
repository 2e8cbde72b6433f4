/** What start-up makes of a log that did not end well, and of one that was damaged. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { share } from '../../src/record/entry.ts'
import { readBatches } from '../../src/record/read.ts'
import { FaultyMachine } from './disk.ts'
import {
  all,
  appendCall,
  dir,
  HandClock,
  masked,
  october,
  open,
  place,
  received,
  reopen,
  stop,
} from './work.ts'
import type { Disk } from '../../src/base/disk.ts'

const first = `${dir}/main/log/2026-10/0001.seg`

/** A record of two calls in one segment, closed well, and where its last batch begins. */
async function small(): Promise<{ bytes: Buffer; lastAt: number; offsets: number[] }> {
  const machine = new FaultyMachine({ seed: 1 })
  const disk = machine.boot()
  const { recorder } = await open(disk, new HandClock(october))
  await appendCall(recorder, 'ex_a')
  await appendCall(recorder, 'ex_b', 'a body that is a little longer')
  await recorder.append('', share({}), [{ entry: stop }])
  await recorder.close()
  const offsets: number[] = []
  for await (const { offset } of readBatches(place(disk))) offsets.push(offset)
  return { bytes: Buffer.from(machine.bytes(first)), lastAt: offsets.at(-1) ?? 0, offsets }
}

async function withSegment(bytes: Uint8Array): Promise<{ machine: FaultyMachine; disk: Disk }> {
  const machine = new FaultyMachine({ seed: 1 })
  const disk = machine.boot()
  await disk.makeFolder(`${dir}/main/log/2026-10`)
  machine.put(first, bytes)
  return { machine, disk }
}

test('a tail torn at any byte of the last batch is cut, kept aside and reported', async () => {
  const { bytes, lastAt } = await small()
  for (let cut = lastAt + 1; cut < bytes.length; cut++) {
    const { disk, machine } = await withSegment(bytes.subarray(0, cut))
    const { recorded, recovered } = await reopen(disk)
    const [tail] = recovered.torn
    const dropped = bytes.subarray(lastAt, cut)
    const sha256 = createHash('sha256').update(trimmed(dropped)).digest('hex')
    assert.deepEqual(
      tail,
      { segment: '2026-10/0001.seg', offset: lastAt, bytes: trimmed(dropped).length, sha256 },
      `cut at ${cut}`,
    )
    const told = recorded.find(({ type }) => type === 'gateway.recovered')
    assert.deepEqual(told?.fields['torn'], [tail])
    const aside = machine.paths().find((path) => path.includes('/torn/')) ?? ''
    assert.ok(aside.endsWith('.tail'))
    assert.deepEqual(machine.bytes(aside), trimmed(dropped))
  }
})

test('a last batch with any sector old, whatever is behind it, is cut and nothing before it', async () => {
  const { bytes, lastAt } = await small()
  for (let at = lastAt; at < bytes.length; at += 40) {
    const torn = Buffer.concat([bytes, Buffer.alloc(3000)])
    torn.fill(0, at, Math.min(at + 40, bytes.length))
    const { disk } = await withSegment(torn)
    const { recorded, recovered } = await reopen(disk)
    assert.equal(recovered.torn[0]?.offset, lastAt, `zeros at ${at}`)
    assert.equal(recorded.filter(({ exchange }) => exchange !== undefined).length, 4)
  }
})

test('damage before the last batch is refused with its place, and nothing is changed', async () => {
  const { bytes, lastAt, offsets } = await small()
  for (let at = 0; at < lastAt; at += 7) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x40
    const { disk, machine } = await withSegment(damaged)
    const offset = offsets.findLast((start) => start <= at)
    await assert.rejects(open(disk, new HandClock(october)), (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error && 'facts' in error)
      assert.equal(error.code, 'record_down')
      assert.deepEqual(error.facts, {
        reason: 'damaged',
        segment: '2026-10/0001.seg',
        offset,
      })
      return true
    })
    assert.deepEqual(machine.bytes(first), damaged)
    await assert.rejects(all(disk), { code: 'record_down' })
  }
})

test('a batch taken out, or two exchanged, is refused', async () => {
  const { bytes, offsets } = await small()
  const [a = 0, b = 0, c = 0, d = 0] = offsets
  const parts = [
    bytes.subarray(a, b),
    bytes.subarray(b, c),
    bytes.subarray(c, d),
    bytes.subarray(d),
  ]
  for (const order of [
    [0, 2, 3],
    [0, 2, 1, 3],
    [1, 2, 3],
    [0, 1, 1, 2, 3],
  ]) {
    const { disk } = await withSegment(Buffer.concat(order.map((i) => parts[i] ?? Buffer.alloc(0))))
    await assert.rejects(open(disk, new HandClock(october)), { code: 'record_down' })
    if (order[0] === 0) await assert.rejects(all(disk), { code: 'record_down' })
  }
})

test('a batch that is whole but names another before it is refused', async () => {
  const { bytes, offsets } = await small()
  for (const at of offsets.slice(1)) {
    const forged = Buffer.from(bytes)
    forged.writeUInt32LE(7, at + 52)
    forged.writeUInt32LE(crc32(forged.subarray(at + 8, at + 64)), at + 4)
    const { disk } = await withSegment(forged)
    await assert.rejects(open(disk, new HandClock(october)), {
      code: 'record_down',
      facts: { reason: 'damaged', segment: '2026-10/0001.seg', offset: at },
    })
    await assert.rejects(all(disk), { code: 'record_down' })
  }
})

test('what is cut is gone: however much stood behind the log, the next start finds it clean', async () => {
  const { bytes } = await small()
  const { disk } = await withSegment(Buffer.concat([bytes, Buffer.alloc(9_000, 0xaa)]))
  const { recovered } = await reopen(disk)
  assert.deepEqual(
    recovered.torn.map(({ offset, bytes: cut }) => [offset, cut]),
    [[bytes.length, 9_000]],
  )
  const next = await reopen(disk)
  assert.deepEqual([next.recovered.torn, next.recovered.isClean], [[], true])
})

test('a segment before the last that does not end well is refused', async () => {
  const { bytes } = await small()
  const { disk, machine } = await withSegment(Buffer.concat([bytes, Buffer.from('junk')]))
  machine.put(`${dir}/main/log/2026-10/0002.seg`, Buffer.from('a first batch, torn'))
  await assert.rejects(open(disk, new HandClock(october)), { code: 'record_down' })
  await assert.rejects(all(disk), { code: 'record_down' })
})

test('a record of a newer version is left alone, and said to be one', async () => {
  const { bytes } = await small()
  const newer = Buffer.from(bytes)
  newer.write('SPB2', 0, 'latin1')
  const { disk } = await withSegment(newer)
  await assert.rejects(open(disk, new HandClock(october)), {
    code: 'record_down',
    facts: { reason: 'newer_version', segment: '2026-10/0001.seg', offset: 0 },
  })
})

test('what was in flight is ended by recovery: unknown if sent, failed if not, sessions closed', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const clock = new HandClock(october)
  const { recorder } = await open(machine.boot(), clock)
  const session = 'se_a'
  const opened = { type: 'session.opened', era: 'legacy', version: '2025-11-25' } as const
  const who = masked({ issuer: 'https://issuer', subject: 'ada', kind: 'person' } as const)
  const sent = share({ session, exchange: 'ex_sent', principal: who, connection: 'shop' })
  await recorder.append('d', sent, [
    { entry: opened },
    { entry: received() },
    { entry: { type: 'call.dispatched', host: 'localhost:1', attempt: 1 } },
  ])
  // Far into further segments, so that what is open has to be carried into them.
  for (let i = 0; i < 60; i++) await appendCall(recorder, `ex_${i}`, 'y'.repeat(300))
  clock.us += 2_000_000
  await recorder.append('d', share({ session, exchange: 'ex_held' }), [{ entry: received() }])
  machine.crash()
  const { recorded, recovered } = await reopen(machine.boot(), clock)
  assert.equal(recovered.isClean, false)
  assert.equal(recovered.callsUnknown, 1)
  assert.equal(recovered.callsFailed, 1)
  assert.equal(recovered.sessionsClosed, 1)
  const ends = recorded.filter(({ fields }) => fields['reason'] === 'process_ended')
  const seen = ends.map(({ exchange, fields, outcome, type }) => [
    type,
    exchange,
    outcome,
    fields['durationUs'],
  ])
  assert.deepEqual(seen, [
    ['call.finished', 'ex_sent', 'unknown', 2_000_000],
    ['call.finished', 'ex_held', 'failed', 0],
    ['session.closed', undefined, 'ok', 2_000_000],
  ])
  assert.equal(ends[0]?.principal?.subject, 'ada')
  assert.equal(ends[0]?.connection, 'shop')
  assert.equal(ends[2]?.fields['calls'], 62)
  const again = await reopen(machine.boot(), clock, true)
  assert.equal(again.recovered.isClean, true)
})

function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return bytes.subarray(0, end)
}
