/** The record and the thread that signs it, opened together: neither works without the other. */
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { RecordConfig } from '../config/types.ts'
import type { Log } from '../exchange/stations.ts'
import type { BodyKeys } from '../record/months.ts'
import { openRecord } from '../record/record.ts'
import type { Recorder, Recovered } from '../record/record.ts'
import type { SigningKeys } from '../record/tree-keys.ts'
import { TreeThread } from '../record/tree-thread.ts'
import { writer } from './record-parts.ts'
import type { RecordWatch } from './record-watch.ts'

export interface SignedRecord {
  readonly recorder: Recorder
  readonly recovered: Recovered
  readonly watch: RecordWatch
  /** Signs what is durable now. @returns entries under the newest checkpoint. */
  sign(): Promise<number>
  figures(): ReturnType<TreeThread['figures']>
  /** Signs with other keys from now on. */
  rekey(keys: SigningKeys): Promise<void>
  /** Closes the record, then signs all of it. */
  close(): Promise<void>
}

export interface RecordParts {
  /** `DATA/record`. */
  readonly dir: string
  readonly disk: Disk
  readonly clock: Clock
  readonly config: RecordConfig
  readonly bodyKeys: BodyKeys
  readonly signing: SigningKeys
  readonly watch: RecordWatch
  readonly log: Log
}

/**
 * @throws {Fault} `record_down` as `openRecord` and `LogTree.open`: a log that is not the one which
 *   was signed takes nothing.
 */
export async function openSignedRecord(of: RecordParts): Promise<SignedRecord> {
  const { bodyKeys, clock, config, dir, disk, log, watch } = of
  let tree: TreeThread | undefined
  const { recorder, recovered } = await openRecord({
    dir,
    writer,
    disk,
    clock,
    freeBytesMin: config.freeBytesMin,
    segmentBytesMax: config.segmentBytesMax,
    compressFromBytes: config.compressFromBytes,
    origin: config.origin,
    bodyKeys,
    onKeyTrouble: (why) => watch.failed('month_key', why.code, log),
    onDurable: (durableIndex) => tree?.onDurable(durableIndex),
    onState: (state, why) => watch.changed(state, why, log),
  })
  const start = async (keys: SigningKeys): Promise<TreeThread> => {
    const work = { folder: join(dir, writer), recordDir: dir, origin: recovered.origin, keys }
    const started = await TreeThread.start(work, recorder.figures().durableIndex, (trouble) => {
      if (!trouble) return watch.restored('checkpoints', log)
      watch.failed('checkpoints', trouble.reason, log)
      if (trouble.reason === 'tree_differs') recorder.latch('tree_differs')
    })
    // What was appended while it started.
    started.onDurable(recorder.figures().durableIndex)
    return started
  }
  try {
    tree = await start(of.signing)
  } catch (error) {
    await recorder.close()
    throw error
  }
  let running = tree
  watch.recorder = recorder
  return {
    recorder,
    recovered,
    watch,
    sign: () => running.signNow(),
    figures: () => running.figures(),
    rekey: async (keys) => {
      await running.stop()
      running = tree = await start(keys)
    },
    close: async () => {
      await recorder.close()
      await running.stop()
    },
  }
}
