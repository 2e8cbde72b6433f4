/** The record of one writer: opened here, whatever its last process left behind. */
import { join } from 'node:path'
import { assert } from '../base/assert.ts'
import { errorCode, readWhole, writeWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { share } from './entry.ts'
import { takeLock } from './lock.ts'
import { MonthKeys } from './months.ts'
import { recoverLog, settleTails } from './recover.ts'
import { Room } from './room.ts'
import { clockBackUsMax, SegmentRecorder } from './writer.ts'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Durable } from './durable.ts'
import type { EntryInput, Item, Shared, TornTail } from './entry.ts'
import type { Release } from './lock.ts'
import type { BodyKeys } from './months.ts'
import type { LogState } from './recover.ts'

/** `full`: nothing new until space returns, by itself. `latched`: nothing at all until a restart. */
export type RecorderState = 'open' | 'full' | 'latched' | 'closed'

/** Counts since the process began, for metrics. */
export interface RecorderFigures {
  readonly entries: number
  readonly batches: number
  readonly bytes: number
  readonly nextIndex: number
  /** One past the last entry that is on the disk. */
  readonly durableIndex: number
  readonly pendingBytes: number
  /** As of the last look; undefined before the first or when it failed. */
  readonly freeBytes: number | undefined
}

export interface Recorder {
  /**
   * Makes these entries and their bodies durable in one commit, in this order, with nothing of
   * another caller between them.
   * @param digest names the call; the receipt covers it and nothing else.
   * @throws {Fault} `record_full` below the floor of free space, for whatever starts something new;
   *   `record_down` (reason `latched` or `closed`) when nothing can be written; `busy` when more
   *   waits to be written than may. The promise rejects; nothing is thrown at once.
   */
  append(digest: string, shared: Shared, items: readonly Item[]): Promise<Durable>
  state(): RecorderState
  /** Takes nothing more until a restart: what is on the disk was found to be wrong. */
  latch(reason: string): void
  figures(): RecorderFigures
  /** Writes what was appended, then closes. Afterwards appends are refused. Never rejects. */
  close(): Promise<void>
}

export interface RecordOptions {
  /** The folder of all writers, `DATA/record`. Made if it is missing. */
  readonly dir: string
  /** This writer's name: small letters, digits and dashes. */
  readonly writer: string
  readonly disk: Disk
  readonly clock: Clock
  /** Below so many free bytes nothing new is taken in; below an eighth of it, nothing at all. */
  readonly freeBytesMin: number
  /** A segment that has reached this size gets no further batch. */
  readonly segmentBytesMax: number
  /** The log's name for the world; kept in the file `origin`, where an older one wins. */
  readonly origin?: string | undefined
  /** The keys of bodies; without them bodies stay in clear. */
  readonly bodyKeys?: BodyKeys | undefined
  /** Told when the key of a coming month cannot be made. */
  readonly onKeyTrouble?: ((why: Fault) => void) | undefined
  /** Bodies from this size on are kept zstd-compressed where that saves an eighth. Default: none. */
  readonly compressFromBytes?: number | undefined
  /** Bytes that may wait to be written. Default 256 MiB. */
  readonly pendingBytesMax?: number | undefined
  /** How often free space is looked at. Default 1 s. */
  readonly freeCheckMs?: number | undefined
  /** Zeros written ahead of small batches, to shorten their syncs. Default 2 MiB; 0 for none. */
  readonly layOutBytes?: number | undefined
  /** Told after each commit: one past the last entry that is on the disk. Must not throw. */
  readonly onDurable?: ((durableIndex: number) => void) | undefined
  /** Told of each change of state; `why` says what happened. */
  readonly onState?: ((state: RecorderState, why: Fault | undefined) => void) | undefined
}

/** What start-up found. */
export interface Recovered {
  /** Nothing had to be repaired or ended: the log is new, or was closed by `gateway.stopped`. */
  readonly isClean: boolean
  /** Entries in the log before this start. */
  readonly entries: number
  readonly torn: readonly TornTail[]
  /** Calls that had been dispatched; whether they ran is not known. */
  readonly callsUnknown: number
  /** Calls that had been received and were never sent. */
  readonly callsFailed: number
  readonly sessionsClosed: number
  readonly origin: string
}

/**
 * Opens a writer's record: takes the lock, recovers the log from any stop, ends what was left open,
 * and records that it did.
 * @throws {Fault} `record_down` with facts.reason `locked`, `damaged`, `newer_version`,
 *   `clock_behind`, or the message of what failed while recovering (`unreadable`).
 */
export async function openRecord(
  options: RecordOptions,
): Promise<{ recorder: Recorder; recovered: Recovered }> {
  const { dir, disk, writer } = options
  assert(/^[a-z0-9][a-z0-9-]{0,31}$/.test(writer), 'a writer has a plain name')
  const folder = join(dir, writer)
  try {
    await disk.makeFolder(folder)
    const release = await takeLock(disk, folder)
    return await openLocked(options, folder, release).catch(async (error: unknown) => {
      await release()
      throw error
    })
  } catch (error) {
    throw error instanceof Fault ? error : unreadable(error)
  }
}

async function openLocked(
  options: RecordOptions,
  folder: string,
  release: Release,
): Promise<{ recorder: Recorder; recovered: Recovered }> {
  const { clock, disk, freeBytesMin } = options
  const origin = await keepOrigin(disk, folder, options)
  const log = await recoverLog(disk, folder)
  let recorder: SegmentRecorder | undefined
  try {
    assertClock(clock, log.lastUs)
    const room = await Room.open(disk, folder, freeBytesMin)
    const { bodyKeys } = options
    const months = bodyKeys && (await MonthKeys.open({ ...bodyKeys, disk, origin }, clock.nowUs()))
    recorder = new SegmentRecorder(options, { folder, log, months, origin, release, room })
    return { recorder, recovered: await endWhatWasOpen(recorder, { disk, folder, log, origin }) }
  } catch (error) {
    await (recorder ? recorder.close() : log.tip?.file.close())
    throw error
  }
}

/** Ends what the last process left open, and records that and what was repaired. */
async function endWhatWasOpen(
  recorder: Recorder,
  at: { disk: Disk; folder: string; log: LogState; origin: string },
): Promise<Recovered> {
  const { log, origin } = at
  const ends = endings(log)
  const isClean = log.unfinished.stoppedWell && log.torn.length === 0 && ends.length === 0
  const having = (word: string): number =>
    ends.filter(({ entry }) => outcomeOf(entry) === word).length
  const found = {
    torn: log.torn,
    callsUnknown: having('unknown'),
    callsFailed: having('failed'),
    sessionsClosed: ends.filter(({ entry }) => entry.type === 'session.closed').length,
  }
  if (!isClean) {
    const told: EntryInput = { type: 'gateway.recovered', ...found }
    // In this order in the log; a crash on the way leaves the rest open for the next start.
    const all = [{ entry: told, shared: share({}) }, ...ends]
    await Promise.all(all.map(({ entry, shared }) => recorder.append('', shared, [{ entry }])))
    await settleTails(at.disk, at.folder)
  }
  return { isClean, entries: log.nextIndex, origin, ...found }
}

/** The ends for everything that recovery found open. */
function endings({ lastUs, unfinished }: LogState): { shared: Shared; entry: EntryInput }[] {
  const ends: { shared: Shared; entry: EntryInput }[] = []
  for (const { calls, dispatched, messages, shared, sinceUs } of unfinished.exchanges.values()) {
    const entry: EntryInput = {
      type: 'call.finished',
      outcome: dispatched ? 'unknown' : 'failed',
      httpStatus: 0,
      // Until the last entry that the ended process wrote; what came after nobody saw.
      durationUs: Math.max(0, lastUs - sinceUs),
      bytesIn: 0,
      bytesOut: 0,
      messages,
      reason: 'process_ended',
    }
    for (let i = 0; i < calls; i++) ends.push({ shared, entry })
  }
  for (const { calls, lastUs: seenUs, shared, sinceUs } of unfinished.sessions.values()) {
    const durationUs = Math.max(0, seenUs - sinceUs)
    const entry = { type: 'session.closed', durationUs, calls, reason: 'process_ended' } as const
    ends.push({ shared, entry })
  }
  return ends
}

function outcomeOf(entry: EntryInput): string | undefined {
  return entry.type === 'call.finished' ? entry.outcome : undefined
}

/**
 * The log's name for the world, made when there is none yet.
 * @param folder the writer's; it is made if it is missing.
 */
export async function keepOrigin(
  disk: Disk,
  folder: string,
  options: Pick<RecordOptions, 'writer' | 'origin'>,
): Promise<string> {
  const path = join(folder, 'origin')
  await disk.makeFolder(folder)
  const names = await disk.list(folder)
  if (names.includes('origin')) {
    await disk.syncFolder(folder)
    return Buffer.from(await readWhole(disk, path))
      .toString('utf8')
      .trim()
  }
  const origin = options.origin ?? `sallyport.local/${newId('log')}/${options.writer}`
  await writeWhole(disk, path, Buffer.from(`${origin}\n`))
  return origin
}

function assertClock(clock: Clock, lastUs: number): void {
  const behindUs = lastUs - clock.nowUs()
  if (behindUs <= clockBackUsMax) return
  throw new Fault(
    'record_down',
    `The clock is ${Math.ceil(behindUs / 1_000_000)} s behind the last entry of the record. Times ` +
      'in the record never decrease, so nothing was started. Set the clock right.',
    { facts: { reason: 'clock_behind' } },
  )
}

function unreadable(cause: unknown): Fault {
  const code = errorCode(cause)
  return new Fault(
    'record_down',
    `The record could not be opened${code === undefined ? '' : ` (${code})`}; nothing was started. ` +
      'Look at the data folder: its disk, its owner, its rights.',
    { cause, facts: { reason: 'unreadable', ...(code !== undefined && { code }) } },
  )
}
