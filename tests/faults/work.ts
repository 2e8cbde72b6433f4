/** Work for a record under test, and the model of what it promised: nothing acknowledged is lost. */
import { share } from '../../src/record/entry.ts'
import { readRecord } from '../../src/record/read.ts'
import { openRecord } from '../../src/record/record.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { Masked } from '../../src/mask/masked.ts'
import type { EntryInput, Item, Shared } from '../../src/record/entry.ts'
import type { RecordedEntry, RecordPlace } from '../../src/record/read.ts'
import type { RecordOptions, Recorder, Recovered } from '../../src/record/record.ts'

/** Stands for a masked value: what the record does with it does not depend on who made it. */
export function masked<T>(value: T): Masked<T> {
  return { value } as unknown as Masked<T>
}

/** A clock that moves only when told. */
export class HandClock implements Clock {
  us: number
  constructor(start = '2026-11-30T23:59:59.000Z') {
    this.us = Date.parse(start) * 1000
  }
  nowUs(): number {
    return this.us
  }
  monotonicMs(): number {
    return this.us / 1000
  }
}

export const dir: string = '/data/record'
export const place = (disk: Disk): RecordPlace => ({ disk, dir, writer: 'main' })

/** Small segments, so that even a short run changes them. */
export function open(
  disk: Disk,
  clock: Clock,
  more: Partial<RecordOptions> = {},
): Promise<{ recorder: Recorder; recovered: Recovered }> {
  return openRecord({
    dir,
    writer: 'main',
    disk,
    clock,
    freeBytesMin: 1_000_000,
    segmentBytesMax: 6_000,
    freeCheckMs: 3_600_000,
    layOutBytes: 2_000,
    ...more,
  })
}

export function received(): EntryInput {
  return {
    type: 'call.received',
    era: 'legacy',
    version: '2025-11-25',
    rpcKind: 'request',
    bytes: 10,
    decision: 'allow',
    rule: 'test',
  }
}

export function finished(): EntryInput {
  return {
    type: 'call.finished',
    outcome: 'ok',
    httpStatus: 200,
    durationUs: 5,
    bytesIn: 1,
    bytesOut: 2,
    messages: 1,
  }
}

const dispatched: EntryInput = { type: 'call.dispatched', host: 'localhost:1', attempt: 1 }
const answered: EntryInput = { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 4 }

/** What was promised: by exchange, the types acknowledged for it, and the body of each. */
export class Promises {
  readonly kept: Map<string, string> = new Map()
  count = 0
  note(exchange: string, items: readonly Item[]): void {
    for (const { body, entry } of items) {
      const text = body ? Buffer.from(body.value).toString('latin1') : ''
      this.kept.set(`${exchange} ${entry.type}`, text)
      this.count++
    }
  }
}

/** Runs a few calls at a time, each as the gateway does it: two commits. Stops at the first fault. */
export async function work(
  recorder: Recorder,
  promises: Promises,
  options: { clock: HandClock; rounds: number; name: string },
): Promise<void> {
  const { clock, name, rounds } = options
  for (let round = 0; round < rounds; round++) {
    clock.us += 400_000
    const calls = [0, 1, 2].map(async (i) => {
      const exchange = `ex_${name}_${round}_${i}`
      const shared = share({ exchange, session: 'se_x', connection: 'shop' })
      const text = `body ${exchange} `.repeat(1 + ((round * 7 + i * 13) % 40))
      const body = masked(Buffer.from(text))
      await promised(recorder, promises, shared, [
        { entry: received(), body },
        { entry: dispatched },
      ])
      await promised(recorder, promises, shared, [{ entry: answered, body }, { entry: finished() }])
    })
    const ended = await Promise.allSettled(calls)
    if (ended.some(({ status }) => status === 'rejected')) return
  }
}

async function promised(
  recorder: Recorder,
  promises: Promises,
  shared: Shared,
  items: readonly Item[],
): Promise<void> {
  const durable = await recorder.append('digest', shared, items)
  if (durable.covers('digest')) promises.note(shared.exchange ?? '', items)
}

/** Everything promised that is not in the record as it was appended. */
export async function broken(disk: Disk, promises: Promises): Promise<string[]> {
  const missing = new Map(promises.kept)
  for await (const entry of readRecord(place(disk))) {
    const key = `${entry.exchange ?? ''} ${entry.type}`
    const want = missing.get(key)
    if (want === Buffer.from(entry.body() ?? []).toString('latin1')) missing.delete(key)
  }
  return [...missing.keys()]
}

export const stop: EntryInput = { type: 'gateway.stopped', reason: 'test' }
export const october: string = '2026-10-05T00:00:00.000Z'

/** Every entry of the record. */
export async function all(disk: Disk): Promise<RecordedEntry[]> {
  return await Array.fromAsync(readRecord(place(disk)))
}

/** One call from its receipt to its end, in two commits. */
export async function appendCall(recorder: Recorder, exchange: string, text = 'x'): Promise<void> {
  const shared = share({ exchange, session: 'se_a' })
  await recorder.append('d', shared, [
    { entry: received(), body: masked<Uint8Array>(Buffer.from(text)) },
  ])
  await recorder.append('d', shared, [{ entry: finished() }])
}

/** Starts on what is there, stops well, and reads all of it. */
export async function reopen(
  disk: Disk,
  clock: HandClock = new HandClock(october),
  stops = true,
): Promise<{
  recorded: RecordedEntry[]
  recovered: Recovered
}> {
  const { recorder, recovered } = await open(disk, clock)
  if (stops) await recorder.append('', share({}), [{ entry: stop }])
  await recorder.close()
  return { recorded: await all(disk), recovered }
}
