/** What the log does with torn tails, damage, full disks, clocks and the turn of a month. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { checkRecord, missingFrom } from '../../src/record/check.ts'
import { share } from '../../src/record/entry.ts'
import { listWriters, readBatches, readRecord } from '../../src/record/read.ts'
import { canonicalize } from '../../src/tlog/canonical.ts'
import { FaultyMachine } from './disk.ts'
import {
  broken,
  dir,
  finished,
  HandClock,
  masked,
  open,
  place,
  Promises,
  received,
  work,
} from './work.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { RecordedEntry } from '../../src/record/read.ts'
import type { Recorder } from '../../src/record/record.ts'

const stop = { type: 'gateway.stopped', reason: 'test' } as const
const october = '2026-10-05T00:00:00.000Z'
const first = `${dir}/main/log/2026-10/0001.seg`

async function all(disk: Disk): Promise<RecordedEntry[]> {
  return await Array.fromAsync(readRecord(place(disk)))
}

async function appendCall(recorder: Recorder, exchange: string, text = 'x'): Promise<void> {
  const shared = share({ exchange, session: 'se_a' })
  await recorder.append('d', shared, [{ entry: received(), body: masked(Buffer.from(text)) }])
  await recorder.append('d', shared, [{ entry: finished() }])
}

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

test('entries go into the folder of their month, and segments end at their size', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const clock = new HandClock('2026-11-30T23:59:58.000Z')
  const disk = machine.boot()
  const { recorder } = await open(disk, clock)
  await work(recorder, new Promises(), { clock, rounds: 12, name: 'a' })
  await recorder.close()
  const names = machine.paths().filter((path) => path.endsWith('.seg'))
  assert.ok(names.some((path) => path.endsWith('2026-11/0002.seg')))
  assert.ok(names.some((path) => path.endsWith('2026-12/0001.seg')))
  for (const path of names) {
    const month = path.split('/').at(-2) ?? ''
    const text = machine.bytes(path).toString('latin1')
    for (const [, time] of text.matchAll(/"time":"(\d{4}-\d\d)/g)) assert.equal(time, month)
    assert.ok(machine.bytes(path).length < 6_000 + 4_000, 'a segment ends soon after its size')
    assert.notEqual(machine.bytes(path).at(-1), 0, 'no zeros are left in a finished segment')
  }
  assert.deepEqual(await listWriters(disk, dir), ['main'])
})

test('below the floor nothing new begins, what runs may end, and space brings it back', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const states: string[] = []
  const { recorder } = await open(machine.boot(), new HandClock(october), {
    freeCheckMs: 1,
    onState: (state) => states.push(state),
  })
  const until = async (state: string): Promise<void> => {
    while (recorder.state() !== state) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const shared = share({ exchange: 'ex_a' })
  await recorder.append('d', shared, [{ entry: received() }])
  machine.freeBytes = 500_000
  await until('full')
  await assert.rejects(recorder.append('d', share({ exchange: 'ex_b' }), [{ entry: received() }]), {
    code: 'record_full',
  })
  await recorder.append('d', shared, [{ entry: finished() }])
  machine.freeBytes = 1_000
  await new Promise((resolve) => setTimeout(resolve, 20))
  await assert.rejects(recorder.append('d', shared, [{ entry: finished() }]), {
    code: 'record_full',
  })
  machine.freeBytes = 2_000_000
  await until('open')
  await appendCall(recorder, 'ex_c')
  await recorder.close()
  assert.deepEqual(states, ['full', 'open', 'closed'])
})

test('a clock that steps back a little is held, far back it latches, and start-up refuses it', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const clock = new HandClock(october)
  const { recorder } = await open(machine.boot(), clock)
  await appendCall(recorder, 'ex_a')
  clock.us -= 3_000_000
  await appendCall(recorder, 'ex_b')
  clock.us -= 3_000_000
  await assert.rejects(appendCall(recorder, 'ex_c'), { code: 'record_down' })
  assert.equal(recorder.state(), 'latched')
  clock.us += 6_000_000
  await assert.rejects(appendCall(recorder, 'ex_d'), { code: 'record_down' })
  await recorder.close()
  clock.us -= 20_000_000
  const disk = machine.boot()
  await assert.rejects(open(disk, clock), {
    code: 'record_down',
    facts: { reason: 'clock_behind' },
  })
  const times = (await all(disk)).map(({ timeUs }) => timeUs)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  clock.us += 20_000_000
  const { recorder: next } = await open(disk, clock)
  await next.close()
})

test('more waiting than may wait is refused, and what waits is written', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const { recorder } = await open(machine.boot(), new HandClock(october), {
    pendingBytesMax: 5_000,
  })
  const body = masked(Buffer.alloc(4_000, 65))
  const appends = ['a', 'b', 'c'].map((name) =>
    recorder.append('d', share({ exchange: name }), [{ entry: received(), body }]),
  )
  const ended = await Promise.allSettled(appends)
  assert.deepEqual(
    ended.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  assert.equal(recorder.figures().pendingBytes, 0)
  await recorder.close()
})

test('an append is whole or not at all: an entry over its size takes its companions with it', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const disk = machine.boot()
  const { recorder } = await open(disk, new HandClock(october))
  const hashes = Object.fromEntries(
    Array.from({ length: 2000 }, (_, i) => [`name${i}`, 'x'.repeat(20)]),
  )
  const large = { type: 'gateway.started', version: '1', configHash: 'x', hashes } as const
  const shared = share({ exchange: 'ex_a' })
  await assert.rejects(recorder.append('d', shared, [{ entry: received() }, { entry: large }]), {
    name: 'Broken',
  })
  const notMessage = { entry: stop, body: masked(Buffer.from('x')) }
  await assert.rejects(recorder.append('d', shared, [notMessage]), { name: 'Broken' })
  await appendCall(recorder, 'ex_b')
  await recorder.append('', share({}), [{ entry: stop }])
  await recorder.close()
  const found = await all(disk)
  assert.deepEqual(
    found.map(({ index }) => index),
    [0, 1, 2],
  )
})

test('a closed record refuses, and closing writes what was appended before', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const disk = machine.boot()
  const { recorder } = await open(disk, new HandClock(october))
  const last = recorder.append('d', share({}), [{ entry: stop }])
  await recorder.close()
  assert.equal((await last).covers('d'), true)
  assert.equal((await last).covers('e'), false)
  await assert.rejects(recorder.append('d', share({}), [{ entry: stop }]), {
    code: 'record_down',
    facts: { reason: 'closed' },
  })
  assert.equal((await all(disk)).length, 1)
})

test('a second writer on one folder is refused by the lock, which names the holder', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const disk = machine.boot()
  const { recorder } = await open(disk, new HandClock(october))
  await assert.rejects(open(disk, new HandClock(october)), {
    code: 'record_down',
    facts: { reason: 'locked', pid: process.pid },
  })
  await recorder.close()
  await (await open(disk, new HandClock(october))).recorder.close()
})

test('large bodies are compressed where asked for, and read back the same', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const disk = machine.boot()
  const { recorder } = await open(disk, new HandClock(october), { compressFromBytes: 1_000 })
  const texts = ['row,'.repeat(30_000), 'short', 'z'.repeat(999)]
  for (const [i, text] of texts.entries()) await appendCall(recorder, `ex_${i}`, text)
  await recorder.close()
  const bodies = (await all(disk)).filter(({ type }) => type === 'call.received')
  assert.deepEqual(
    bodies.map((entry) => Buffer.from(entry.body() ?? []).toString()),
    texts,
  )
  const encodings = bodies.map(({ fields }) => Object(fields['body']).encoding)
  assert.deepEqual(encodings, ['zstd', 'identity', 'identity'])
})

test('a seal is signed over its canonical text without the signature', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const disk = machine.boot()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { recorder } = await open(disk, new HandClock(october), { sealKey: privateKey })
  const refused = { rate_limited: 3, bad_json: 1 }
  const seal = {
    type: 'seal',
    fromUs: 1_000_000,
    toUs: 2_000_000,
    accepted: 5,
    inFlight: 1,
    refused,
  } as const
  await recorder.append('', share({}), [{ entry: seal }])
  await recorder.close()
  const [entry] = await all(disk)
  const { signature, ...unsigned } = entry?.fields ?? {}
  const value = Buffer.from(String(Object(signature).value), 'base64')
  assert.ok(verify(null, Buffer.from(canonicalize(unsigned)), publicKey, value))
  assert.equal(unsigned['from'], '1970-01-01T00:00:01.000000Z')
  assert.deepEqual(unsigned['refused'], refused)
})

test('a running record can be read, up to the last whole batch', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const clock = new HandClock()
  const disk = machine.boot()
  const { recorder } = await open(disk, clock)
  const promises = new Promises()
  let isOver = false
  const working = work(recorder, promises, { clock, rounds: 30, name: 'a' }).then(
    () => (isOver = true),
  )
  while (!isOver) {
    const seen = new Promises()
    for (const [key, text] of promises.kept) seen.kept.set(key, text)
    assert.deepEqual(await broken(disk, seen), [])
    await new Promise((resolve) => setImmediate(resolve))
  }
  await working
  await recorder.close()
  const acknowledged = [{ exchange: 'ex_a_0_0', types: ['call.finished', 'seal'] as const }]
  assert.deepEqual(await missingFrom(place(disk), acknowledged), ['ex_a_0_0 seal'])
})

test('whatever is appended, by how many at once, reads back in order with its bodies', async () => {
  const sizes = fc.array(fc.array(fc.nat({ max: 40_000 }), { minLength: 1, maxLength: 4 }), {
    maxLength: 12,
  })
  const readsBack = fc.asyncProperty(
    sizes,
    fc.integer({ min: 1, max: 4 }),
    async (appends, together) => {
      const machine = new FaultyMachine({ seed: 1 })
      const disk = machine.boot()
      const { recorder } = await open(disk, new HandClock(october), { segmentBytesMax: 30_000 })
      for (let i = 0; i < appends.length; i += together) {
        const some = appends.slice(i, i + together).map((bodies) => {
          const items = bodies.map((size) => ({
            entry: received(),
            body: masked(Buffer.alloc(size, 65 + (size % 50))),
          }))
          return recorder.append('d', share({ exchange: 'ex_p' }), items)
        })
        await Promise.all(some)
      }
      await recorder.close()
      const found = await all(disk)
      assert.deepEqual(
        found.map((entry) => entry.body()?.length ?? 0),
        appends.flat(),
      )
      assert.deepEqual(
        found.map(({ index }) => index),
        appends.flat().map((_, i) => i),
      )
      assert.deepEqual((await checkRecord(place(disk))).problems, [])
    },
  )
  await fc.assert(readsBack, { numRuns: 40 })
})

async function reopen(
  disk: Disk,
  clock: HandClock = new HandClock(october),
  stops = true,
): Promise<{
  recorded: RecordedEntry[]
  recovered: Awaited<ReturnType<typeof open>>['recovered']
}> {
  const { recorder, recovered } = await open(disk, clock)
  if (stops) await recorder.append('', share({}), [{ entry: stop }])
  await recorder.close()
  return { recorded: await all(disk), recovered }
}

function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return bytes.subarray(0, end)
}
