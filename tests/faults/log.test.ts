/** What the log does with full disks, clocks, the turn of a month, and readers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blockBytes } from '../../src/base/disk.ts'
import { checkRecord, missingFrom } from '../../src/record/check.ts'
import { share } from '../../src/record/entry.ts'
import { listWriters } from '../../src/record/read.ts'
import { FaultyMachine } from './disk.ts'
import {
  all,
  appendCall,
  broken,
  dir,
  finished,
  HandClock,
  masked,
  october,
  open,
  place,
  Promises,
  received,
  reopen,
  stop,
  work,
} from './work.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { EntryInput } from '../../src/record/entry.ts'

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

test('a seal counts what the log holds since the one before it, whatever the caller knew', async () => {
  const disk = new FaultyMachine({ seed: 1 }).boot()
  const { recorder } = await open(disk, new HandClock(october))
  const refused = { rate_limited: 3, bad_json: 1 }
  const seal = { type: 'seal', everyMs: 60_000, refused } as const
  const started = { type: 'gateway.started', version: '1', configHash: 'x' } as const
  const call = share({ exchange: 'ex_1' })
  const append = (entry: EntryInput): Promise<unknown> =>
    recorder.append('', entry.type.startsWith('call') ? call : share({}), [{ entry }])
  await append({ type: 'auth.refused', reason: 'x', httpStatus: 401 })
  await append(started)
  for (const entry of [received(), received(), finished()]) await append(entry)
  await append(seal)
  await append(finished())
  await append(seal)
  await recorder.close()
  const seals = (await all(disk)).filter(({ type }) => type === 'seal')
  const counted = seals.map(({ fields }) => {
    const { accepted, denied, inFlight, since } = fields
    return { accepted, denied, inFlight, since }
  })
  assert.deepEqual(counted, [
    { accepted: 2, denied: 0, inFlight: 1, since: 1 },
    { accepted: 0, denied: 0, inFlight: 0, since: 6 },
  ])
  assert.deepEqual(seals[0]?.fields['refused'], refused)
  const mixed = [{ entry: received() }, { entry: seal }]
  const { recorder: again } = await open(disk, new HandClock(october))
  await assert.rejects(again.append('', share({}), mixed), /appended alone/)
  await again.close()
})

test('batches are written as whole blocks, but for those too large to be put together', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const written: (readonly [start: number, end: number])[] = []
  const disk = machine.boot()
  const watched: Disk = {
    ...disk,
    create: async (path) => {
      const file = await disk.create(path)
      return {
        ...file,
        commit: (parts, position, done) => {
          const bytes = parts.reduce((sum, part) => sum + part.length, 0)
          if (path.endsWith('.seg')) written.push([position, position + bytes])
          file.commit(parts, position, done)
        },
      }
    },
  }
  const { recorder } = await open(watched, new HandClock(october), { segmentBytesMax: 2 ** 30 })
  const sizes = [1, 4_095, 9_000_000, 5, 70_000, 300_000, 8_400_000, 12_345_678, 3_000]
  const texts = sizes.map((size) => Buffer.alloc(size, `a body of ${size} bytes, `).toString())
  for (const [i, text] of texts.entries()) await appendCall(recorder, `ex_${i}`, text)
  await recorder.close()
  const bodies = (await all(disk)).filter(({ type }) => type === 'call.received')
  assert.deepEqual(
    bodies.map((entry) => Buffer.from(entry.body() ?? []).toString()),
    texts,
  )
  const odd = written.filter(([start, end]) => start % blockBytes !== 0 || end % blockBytes !== 0)
  assert.equal(written.length, 2 * sizes.length)
  assert.equal(odd.length, 3)
  assert.deepEqual((await checkRecord(place(disk))).problems, [])
  const again = await open(disk, new HandClock(october), { segmentBytesMax: 2 ** 30 })
  await appendCall(again.recorder, 'ex_last')
  await again.recorder.close()
  assert.deepEqual((await checkRecord(place(disk))).problems, [])
})

test('behind the last batch stand zeros: a process killed between two leaves nothing torn', async () => {
  const machine = new FaultyMachine({ seed: 1 })
  const clock = new HandClock(october)
  const { recorder } = await open(machine.boot(), clock, { layOutBytes: 0 })
  await appendCall(recorder, 'ex_a')
  await appendCall(recorder, 'ex_b', 'x'.repeat(3_000))
  await appendCall(recorder, 'ex_c')
  machine.kill()
  const { recovered } = await reopen(machine.boot(), clock)
  assert.deepEqual(recovered.torn, [])
  assert.equal(recovered.entries, 6)
  await recorder.close()
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
