/** Accounts nobody uses are reported, and stopped if that does not change (PCI DSS req. 8.2.6). */
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../exchange/stations.ts'
import type { Stops } from '../exchange/stop.ts'
import { idleAccounts } from '../identity/idle.ts'
import { openIdleWarnings } from '../identity/idle-warnings.ts'
import type { Note } from '../record/notes.ts'
import type { Accounts } from '../signin/accounts.ts'
import type { Known } from './identities.ts'

export interface IdleParts {
  readonly dataDir: string
  readonly config: Config
  readonly clock: Clock
  readonly known: Known
  readonly stops: Pick<Stops, 'stop'>
  readonly accounts: Accounts | undefined
  readonly note: Note
  readonly log: Log
}

export interface IdleWatch {
  look(): Promise<void>
  close(): void
}

/** @throws {Fault} as `openIdleWarnings`. */
export function openIdle(of: IdleParts): IdleWatch {
  const { clock, config, dataDir, known, log, note, stops } = of
  const { idleMs, idleWarningMs } = config.identity
  const warnings = openIdleWarnings(join(dataDir, 'state.sqlite'))
  const look = async (): Promise<void> => {
    const { directory, revocations, serviceAccounts } = known
    const { stop, warn } = idleAccounts(directory, serviceAccounts, {
      nowMs: clock.nowUs() / 1000,
      idleMs,
      warningMs: idleWarningMs,
      exempt: emergencyIds(of),
      warnedMs: (issuer, subject) => warnings.warnedMs(issuer, subject),
      revocations,
    })
    for (const { issuer, subject, idleSinceMs, stopsMs } of warn.filter(({ isNew }) => isNew)) {
      const account = `${issuer} ${subject}`
      const [since, stops] = [idleSinceMs, stopsMs].map((ms) => new Date(ms).toISOString())
      await note('alert.raised', {}, { what: 'account_idle', of: account, since, stops })
      log.warn({ since, stops }, 'an account is not used and will be stopped')
    }
    // Told before it is kept: a crash between warns twice, and never stops whom nobody was warned of.
    warnings.keep([...stop, ...warn])
    for (const { issuer, subject } of stop) {
      const target = { kind: 'principal' as const, issuer, subject }
      await stops.stop({ target, reason: 'not used for long', by: 'gateway', source: 'idle' })
    }
  }
  return { look, close: () => warnings.close() }
}

/** Emergency accounts are there to be unused. */
function emergencyIds({ accounts, known }: IdleParts): ReadonlySet<string> {
  const all = accounts?.list().filter(({ isBreakGlass }) => isBreakGlass) ?? []
  return new Set(
    all.flatMap(({ name }) => known.directory.find(accounts?.issuer ?? '', name)?.id ?? []),
  )
}
