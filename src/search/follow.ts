/** Reading the log behind its writer, into the index: from where the index stands to where the log ends. */
import { setImmediate } from 'node:timers/promises'
import { Fault } from '../base/fault.ts'
import { listWriters, readRecord } from '../record/read.ts'
import type { Disk } from '../base/disk.ts'
import type { BodyKeys } from '../record/months.ts'
import type { Position, RecordedEntry } from '../record/read.ts'
import type { LogBatch } from './add.ts'
import type { RecordIndex } from './record-index.ts'

/** The record to read. */
export interface Log {
  readonly disk: Disk
  /** `DATA/record`. */
  readonly dir: string
  /** What opens the bodies of a writer. Without it, those that are encrypted are not searched. */
  readonly bodyKeys?: ((writer: string) => BodyKeys) | undefined
}

export interface Following {
  /** Ends it between two transactions. */
  readonly signal?: AbortSignal | undefined
  /** After each transaction: how many entries it took in. */
  readonly onAdded?: ((entries: number) => void) | undefined
}

/** One transaction takes in about this much: few enough to stop soon, many enough to be fast. */
const entriesMax = 2000
const bodyBytesMax = 8_388_608

/**
 * Reads every writer's log to its end.
 * @throws {Fault} `record_down` where the record cannot be read; `secret_missing` while the key of a
 *   body is not to be had, since without it the text would be missed for good. What was read before
 *   is in the index.
 */
export async function catchUp(
  index: RecordIndex,
  log: Log,
  { onAdded, signal }: Following = {},
): Promise<void> {
  for (const writer of await listWriters(log.disk, log.dir)) {
    let held: LogBatch[] = []
    let entries = 0
    let bytes = 0
    for await (const batch of batches(log, writer, index.position(writer))) {
      held.push(batch)
      entries += batch.entries.length
      bytes += batch.bytes
      if (entries < entriesMax && bytes < bodyBytesMax) continue
      await add()
      if (signal?.aborted === true) return
    }
    await add()
    if (signal?.aborted === true) return

    async function add(): Promise<void> {
      index.add(held)
      if (entries > 0) onAdded?.(entries)
      held = []
      entries = bytes = 0
      // Whoever asks this thread to stop gets a turn.
      await setImmediate()
    }
  }
}

interface ReadBatch extends LogBatch {
  /** Of the bodies as they are stored. */
  readonly bytes: number
}

/** Entries that became durable together have the same place behind them. */
async function* batches(
  { bodyKeys, dir, disk }: Log,
  writer: string,
  from: Position | undefined,
): AsyncGenerator<ReadBatch> {
  let place = from
  let next: Position | undefined
  let entries: RecordedEntry[] = []
  for await (const entry of readRecord({ disk, dir, writer, bodyKeys: bodyKeys?.(writer) }, from)) {
    if (bodyKeys && entry.bodyState === 'locked') throw locked()
    if (next && entry.next.nextIndex !== next.nextIndex) {
      yield { writer, place, next, entries, bytes: bytesOf(entries) }
      place = next
      entries = []
    }
    next = entry.next
    entries.push(entry)
  }
  if (next) yield { writer, place, next, entries, bytes: bytesOf(entries) }
}

function bytesOf(entries: readonly RecordedEntry[]): number {
  return entries.reduce((sum, { storedBody }) => sum + (storedBody?.length ?? 0), 0)
}

function locked(): Fault {
  return new Fault(
    'secret_missing',
    'The key that opens the bodies of the record is not to be had, so the index waits. It goes on ' +
      'by itself; searches miss what came since.',
    { facts: { reason: 'index_locked' } },
  )
}
