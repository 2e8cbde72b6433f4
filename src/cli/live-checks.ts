/** What can be wrong with an installation although its file has no mistake. */
import { systemClock } from '../base/clock.ts'
import type { CheckedConfig } from '../config/config.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { connectionLooks } from './live-connections.ts'
import { holdLooks } from './live-holds.ts'
import { issuerLooks } from './live-issuers.ts'
import { finding } from './live-look.ts'
import type { Finding, LookParts } from './live-look.ts'
import { machineLooks } from './live-machine.ts'
import { ruleLooks } from './live-rules.ts'
import { secretLooks } from './live-secrets.ts'
import { signInLooks } from './live-sign-in.ts'

export interface LiveOptions {
  readonly checked: CheckedConfig
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether receivers of notices are sent a test; else they are connected to and no more. */
  readonly sendsNotices?: boolean | undefined
}

/**
 * Looks at data folder, keys, rules, secrets, issuers, sign-ins, upstreams and clock, all at once;
 * never throws.
 */
export async function liveFindings({
  checked,
  dataDir,
  env,
  sendsNotices = false,
}: LiveOptions): Promise<Finding[]> {
  const { config } = checked
  const clock = systemClock()
  const secrets = createSecrets({ env, clock })
  const dates: string[] = []
  const noteDate = (date: string): void => void dates.push(date)
  const parts = { config, dataDir, env, secrets, clock, noteDate, fetch: noting(noteDate) }
  const looks = [
    ...machineLooks(parts),
    ...ruleLooks(config),
    ...secretLooks(parts),
    ...issuerLooks(parts),
    ...signInLooks(parts),
    ...connectionLooks(parts),
    ...holdLooks(parts, sendsNotices),
  ]
  try {
    const found = await Promise.all(looks.map((look) => finding(look, checked)))
    return [...found, clockFinding(dates)]
  } finally {
    secrets.close()
  }
}

/** The rules alone: only what is wrong, and nothing is asked for it. */
export async function ruleFindings(checked: CheckedConfig): Promise<Finding[]> {
  const found = await Promise.all(ruleLooks(checked.config).map((look) => finding(look, checked)))
  return found.filter(({ isGood }) => !isGood)
}

function noting(noteDate: LookParts['noteDate']): LookParts['fetch'] {
  return async (address, options) => {
    const answer = await fetch(address, options)
    const date = answer.headers.get('date')
    if (date !== null) noteDate(date)
    return answer
  }
}

const skewMsMax = 30_000

/** Tokens are good for minutes and the record's times are evidence: compare with whoever answered. */
function clockFinding(dates: readonly string[]): Finding {
  const what = 'clock'
  if (Date.now() < Date.UTC(2026, 0)) {
    return { what, isGood: false, message: 'stands before 2026; set the clock (NTP)' }
  }
  const skews = dates.map((date) => Date.parse(date) - Date.now()).filter(Number.isFinite)
  const least = skews.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0]
  if (least === undefined) {
    return { what, isGood: true, message: 'nobody answered whose clock it could be compared with' }
  }
  const seconds = Math.round(Math.abs(least) / 1000)
  if (Math.abs(least) > skewMsMax) {
    const message = `is ${seconds} s ${least > 0 ? 'behind' : 'ahead of'} the nearest server asked; set the clock (NTP)`
    return { what, isGood: false, message }
  }
  return { what, isGood: true, message: `agrees with the servers asked within ${seconds + 1} s` }
}
