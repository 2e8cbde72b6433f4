/** What works beside the way of a call: the index, the socket for commands, retention. */
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Config } from '../config/types.ts'
import type { Log, Stations } from '../exchange/stations.ts'
import type { Stops } from '../exchange/stop.ts'
import type { Pins } from '../inspect/pins.ts'
import type { Note } from '../record/notes.ts'
import type { RecordPlace } from '../record/read.ts'
import { realDisk } from '../base/disk.ts'
import { Witnesses } from '../witness/witnesses.ts'
import { startIndexThreads } from '../search/threads.ts'
import type { IndexThreads } from '../search/threads.ts'
import { answerAsked } from './answer.ts'
import { openControl } from './control.ts'
import type { Desk } from './desk.ts'
import type { Front } from './front.ts'
import type { Known } from './identities.ts'
import { cardTokens } from './keys.ts'
import { accessIn, namedIn } from './people-parts.ts'
import type { Live } from './in-force.ts'
import type { Reload } from './reload.ts'
import { writer } from './record-parts.ts'
import { runRetention } from './retention-run.ts'
import type { SignedRecord } from './signed-record.ts'
import { createTimers } from './timers.ts'
import { openIdle } from './idle.ts'

export interface Beside {
  readonly desk: Desk
  readonly index: IndexThreads
  /** Ends it all, before the record is closed. */
  close(): Promise<void>
}

/** Retention is looked at so often; the first time when the gateway has settled. */
const retentionEveryMs = 3_600_000
const retentionFirstMs = 60_000
/** Witnesses are asked once a minute; they keep the time themselves. */
const witnessEveryMs = 5000
/** When a principal was last seen is on disk after this time at the latest. */
const flushEveryMs = 10_000
/** Who was not seen for long is looked for so often; the first time when the gateway has settled. */
const idleEveryMs = 3_600_000
const idleFirstMs = 90_000
/** A search waits no longer for the newest entries to be indexed. */
const catchUpMsMax = 2000

export interface BesideParts {
  readonly dataDir: string
  readonly config: Config
  readonly at: Stations
  readonly record: SignedRecord
  readonly place: RecordPlace
  readonly log: Log
  readonly known: Known
  readonly note: Note
  readonly pins: Pins
  readonly live: Live
  readonly reload: Reload
  readonly stops: Stops
  readonly front: Pick<Front, 'accounts' | 'passkeys'>
}

export async function openBeside(of: BesideParts): Promise<Beside> {
  const { at, config, dataDir, front, known, log, place, record, reload, stops } = of
  const { bodyKeys } = place
  const index = startIndexThreads({
    indexDir: join(dataDir, 'index'),
    recordDir: place.dir,
    keys: bodyKeys && { dir: dirname(bodyKeys.dir), wrapper: bodyKeys.wrapper },
    indexOutputs: config.record.indexOutputs,
    cardSearch: config.record.cardSearch,
    durable: () => ({ [writer]: at.recorder.figures().durableIndex }),
  })
  const desk: Desk = {
    ...known,
    ...namedIn(config),
    get access() {
      return accessIn(of.live.now.config)
    },
    reload: (by) => reload.now(by),
    stop: (stopping) => stops.stop(stopping),
    lift: (id, by, reason) => stops.lift(id, by, reason),
    accounts: front.accounts,
    passkeys: front.passkeys,
    pins: of.pins,
    dataDir,
    place,
    origin: record.recovered.origin,
    clock: at.clock,
    recorder: at.recorder,
    masker: at.masker,
    find: async (query, options) => {
      await Promise.race([
        index.catchUp().catch(goOn),
        pause(catchUpMsMax, undefined, { ref: false }),
      ])
      return await index.search(query, options)
    },
    cardToken: cardTokens(dataDir, config.record.cardSearch),
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
  const witnesses = openWitnesses(of)
  const timers = openTimers(of, desk, witnesses)
  return {
    desk,
    index,
    close: async () => {
      timers.stop()
      await witnesses.close()
      await control.close()
      await index.stop()
    },
  }
}

function openTimers(
  { at, config, dataDir, front, known, log, note, stops }: BesideParts,
  desk: Desk,
  witnesses: Witnesses,
): { stop(): void } {
  const timers = createTimers((error) => {
    log.warn({ kind: error instanceof Error ? error.constructor.name : 'unknown' }, 'timers')
  })
  timers.every(retentionEveryMs, retentionFirstMs, async () => {
    const gone = (await runRetention(desk, false)).filter(({ isGone }) => isGone)
    for (const { month, what } of gone) log.info({ month, what }, 'retention')
  })
  // Written behind: what is not there yet after a crash is seen again.
  timers.every(flushEveryMs, flushEveryMs, async () => {
    known.directory.flush()
    known.serviceAccounts.flush()
    await Promise.resolve()
  })
  const idle = openIdle({
    dataDir,
    config,
    clock: at.clock,
    known,
    stops,
    accounts: front.accounts,
    note,
    log,
  })
  timers.every(idleEveryMs, idleFirstMs, async () => await idle.look())
  if (config.record.witnesses.length > 0) {
    timers.every(witnessEveryMs, witnessEveryMs, async () => await witnesses.tick())
  }
  return {
    stop: () => {
      timers.stop()
      idle.close()
    },
  }
}

function openWitnesses({ at, config, log, place, record }: BesideParts): Witnesses {
  return new Witnesses({
    disk: realDisk,
    folder: join(place.dir, writer),
    origin: record.recovered.origin,
    witnesses: config.record.witnesses,
    clock: at.clock,
    onTrouble: ({ detail, isOver, reason, witness }) => {
      const control = `witness ${witness} ${reason}` // One each: a dispute is told beside a failure.
      if (isOver) return record.watch.restored(control, log)
      if (reason === 'witness_disputes')
        log.error({ witness, detail }, 'a witness disputes the log')
      record.watch.failed(control, reason, log)
    },
  })
}

/** For a search: what is not in the index yet is told by the lag. */
function goOn(): void {}
