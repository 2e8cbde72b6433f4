/** From what stands before the stations to what decides about calls and lets them wait. */
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { Executions } from '../exchange/held/executions.ts'
import { Followed } from '../exchange/held/followed.ts'
import type { Stations } from '../exchange/stations.ts'
import type { Ground } from './build.ts'
import { openHolding } from './holding.ts'
import type { Holding } from './holding.ts'

/** @throws {Fault} as `openHolding`; the record is closed then, since its thread would live on. */
export async function openHoldingOf(
  ground: Ground,
  of: { config: Config; dataDir: string; log: Logger },
): Promise<Holding> {
  const { clock, keys, known, live, masker, note, record, secrets } = ground
  const { directory, revocations } = known
  try {
    return await openHolding({
      ...of,
      clock,
      keys,
      secrets,
      masker,
      note,
      directory,
      revocations,
      holds: () => live.now.config.holds,
      roles: () => live.now.config.console.roles,
      gateway: record.recovered.origin,
      watch: record.watch,
    })
  } catch (error) {
    await record.close()
    throw error
  }
}

type HeldPart =
  | 'inspector'
  | 'pins'
  | 'rules'
  | 'holds'
  | 'mayHold'
  | 'tickets'
  | 'executions'
  | 'followed'
  | 'consoleUrl'

/** What decides about a call, and what it needs to wait. */
export function heldParts(
  { clock, live }: Ground,
  { inspector, pins, tickets }: Holding,
  config: Config,
): Pick<Stations, HeldPart> {
  return {
    inspector,
    pins,
    rules: () => live.now.rules,
    holds: () => live.now.config.holds,
    mayHold: (connection) => live.now.rules.mayHold(connection),
    tickets,
    executions: new Executions(clock),
    followed: new Followed(clock),
    consoleUrl: config.console.publicUrl,
  }
}
