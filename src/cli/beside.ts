/** What works beside the way of a call: the index, the socket for commands, retention. */
import { dirname, join } from 'node:path'
import { createTimers } from './timers.ts'
import type { Config } from '../config/types.ts'
import type { Log, Stations } from '../exchange/stations.ts'
import type { RecordPlace } from '../record/read.ts'
import { startIndexThreads } from '../search/threads.ts'
import type { IndexThreads } from '../search/threads.ts'
import { answerAsked } from './answer.ts'
import { openControl } from './control.ts'
import type { Desk } from './desk.ts'
import { writer } from './record-parts.ts'
import { runRetention } from './retention-run.ts'
import type { SignedRecord } from './signed-record.ts'

export interface Beside {
  readonly desk: Desk
  readonly index: IndexThreads
  /** Ends it all, before the record is closed. */
  close(): Promise<void>
}

/** Retention is looked at so often; the first time when the gateway has settled. */
const retentionEveryMs = 3_600_000
const retentionFirstMs = 60_000
/** A search waits no longer for the newest entries to be indexed. */
const catchUpMsMax = 2000

export async function openBeside(of: {
  dataDir: string
  config: Config
  at: Stations
  record: SignedRecord
  place: RecordPlace
  log: Log
}): Promise<Beside> {
  const { at, config, dataDir, log, place, record } = of
  const { bodyKeys } = place
  const index = startIndexThreads({
    indexDir: join(dataDir, 'index'),
    recordDir: place.dir,
    keys: bodyKeys && { dir: dirname(bodyKeys.dir), wrapper: bodyKeys.wrapper },
    indexOutputs: config.record.indexOutputs,
    durable: () => ({ [writer]: at.recorder.figures().durableIndex }),
  })
  const desk: Desk = {
    dataDir,
    place,
    origin: record.recovered.origin,
    clock: at.clock,
    recorder: at.recorder,
    masker: at.masker,
    find: async (query, options) => {
      await Promise.race([index.catchUp().catch(goOn), pause(catchUpMsMax)])
      return await index.search(query, options)
    },
    forget: (month, what) =>
      what === 'month' ? index.removeMonth(month) : index.forgetText(month),
    reindex: async () => {
      await index.rebuild()
      return at.recorder.figures().durableIndex - index.figures().lag
    },
    sign: () => record.sign(),
    retention: config.record,
    rekey: (keys) => record.rekey(keys),
    exposures: (asked) => at.exposure.list(asked),
  }
  const control = await openControl({
    dataDir,
    answer: (asked, by) => answerAsked(asked, by, desk),
    log,
  })
  const timers = createTimers((error) => {
    log.warn({ kind: error instanceof Error ? error.constructor.name : 'unknown' }, 'retention')
  })
  timers.every(retentionEveryMs, retentionFirstMs, async () => {
    const gone = (await runRetention(desk, false)).filter(({ isGone }) => isGone)
    for (const { month, what } of gone) log.info({ month, what }, 'retention')
  })
  return {
    desk,
    index,
    close: async () => {
      timers.stop()
      await control.close()
      await index.stop()
    },
  }
}

/** For a search: what is not in the index yet is told by the lag. */
function goOn(): void {}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
