/** The record as policy commands read it: by themselves, whether a gateway runs on it or not. */
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { CheckedConfig } from '../config/config.ts'
import { policyWords } from '../policy/change-rules.ts'
import { grantName } from '../policy/grants.ts'
import type { InForceSince, Policies } from '../policy/simulate.ts'
import { readBatches, readOrigin } from '../record/read.ts'
import type { RecordPlace } from '../record/read.ts'
import { storedEntry } from '../record/stored.ts'
import { isObject } from '../record/unfinished.ts'
import { readLast } from './in-force.ts'
import type { Where } from './installation.ts'
import { recordPlace, settingsOf } from './record-parts.ts'

/** @throws {Fault} `path_unknown` where there is no record. */
export async function recordOf(where: Where, dataDir: string): Promise<RecordPlace> {
  const { key } = settingsOf(where)
  const parts = { key, env: process.env, clock: systemClock(), hide: () => undefined }
  const place = recordPlace(dataDir, parts)
  if ((await readOrigin(place)) !== undefined) return place
  const message = `There is no record in ${dataDir}. Name the data folder with --data or -c.`
  throw new Fault('path_unknown', message)
}

/** What a first reading tells. */
export interface Survey {
  readonly connections: readonly string[]
  /** The entry behind which rules, profiles and holds have not changed any more. */
  readonly unchangedSince: number
  readonly entries: number
}

const connectionsMax = 1000

/** @param tick told of each entry. */
export async function survey(place: RecordPlace, tick: () => void): Promise<Survey> {
  const connections = new Set<string>()
  let unchangedSince = Infinity // Until one tells what is in force, nobody knows.
  let entries = 0
  for await (const batch of readBatches(place)) {
    for (const { value } of batch.entries) {
      entries++
      tick()
      const { connection, type } = value
      if (typeof connection === 'string' && connections.size < connectionsMax) {
        connections.add(connection)
      }
      if (type !== 'access.changed') continue
      const entry = storedEntry(value)
      const details = entry?.fields['details']
      if (entry && isObject(details) && details['what'] === 'policy') unchangedSince = entry.index
    }
  }
  return { connections: [...connections], unchangedSince, entries }
}

/**
 * The policy in force, if it is certain that the file says what the gateway took last: what rules
 * answered then stands in the record.
 */
export function inForceSince(
  own: CheckedConfig | undefined,
  dataDir: string,
  { unchangedSince }: Survey,
  policies: Policies,
): InForceSince | undefined {
  const last = readLast(dataDir)
  if (own === undefined || last === undefined || unchangedSince === Infinity) return undefined
  if (!isDeepStrictEqual(last.policy, policyWords(own.config))) return undefined
  const grants = new Set(own.config.access.map((grant, index) => grantName(grant, index)))
  return { policies, index: unchangedSince, grants }
}
