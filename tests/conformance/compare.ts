/** Two runs of one suite against one server, direct and through the gateway, check by check. */

/** As the suites write it: SUCCESS, FAILURE, WARNING, SKIPPED, INFO. */
export type Status = string

/** A check, named by {@link checkName}, and what became of it. */
export type Outcome = ReadonlyMap<string, Status>

/** A check that the gateway passes although the server alone does not, and why. */
export interface Gain {
  readonly server: string
  readonly suite: string
  readonly scenario: string
  readonly id: string
  readonly reason: string
}

export interface Comparison {
  readonly direct: Figures
  readonly through: Figures
  /** Passed directly, and fails, warns or is missing through the gateway; or warned and now fails. */
  readonly regressions: readonly Difference[]
  /** Passes through the gateway and did not directly. */
  readonly gains: readonly Difference[]
  /** Other changes: neither promised nor forbidden. */
  readonly others: readonly Difference[]
}

export interface Figures {
  readonly passed: number
  readonly failed: number
}

export interface Difference {
  readonly check: string
  readonly direct: Status
  readonly through: Status
}

const missing = 'missing'

/**
 * The name under which a check is compared.
 * @param nth how often the scenario has reported this very name before; scenarios run their steps in
 *   one order, so the same step has the same number on both sides.
 */
export function checkName(scenario: string, id: string, name: string, nth: number): string {
  return `${scenario} ${id} ${name}${nth === 0 ? '' : `#${nth + 1}`}`
}

/** @returns what differs, and how many checks passed and failed on each side. */
export function compare(direct: Outcome, through: Outcome): Comparison {
  const regressions: Difference[] = []
  const gains: Difference[] = []
  const others: Difference[] = []
  for (const check of new Set([...direct.keys(), ...through.keys()])) {
    const difference = {
      check,
      direct: direct.get(check) ?? missing,
      through: through.get(check) ?? missing,
    }
    if (difference.direct === difference.through) continue
    if (isLost(difference)) regressions.push(difference)
    else if (difference.through === 'SUCCESS') gains.push(difference)
    else others.push(difference)
  }
  return { direct: figures(direct), through: figures(through), regressions, gains, others }
}

function isLost({ direct, through }: Difference): boolean {
  return direct === 'SUCCESS' || (direct === 'WARNING' && through === 'FAILURE')
}

function figures(outcome: Outcome): Figures {
  const all = [...outcome.values()]
  const count = (status: Status): number => all.filter((one) => one === status).length
  return { passed: count('SUCCESS'), failed: count('FAILURE') }
}

/** Gains that are not on the list, and lines of the list that were not seen; each named once. */
export function checkGains(
  listed: readonly Gain[],
  seen: readonly Omit<Gain, 'reason'>[],
): { unlisted: Gain[]; unseen: Gain[] } {
  const name = ({ server, suite, scenario, id }: Omit<Gain, 'reason'>): string =>
    [server, suite, scenario, id].join(' | ')
  const wanted = new Map(listed.map((gain) => [name(gain), gain]))
  const found = new Map(seen.map((gain) => [name(gain), { ...gain, reason: '' }]))
  return {
    unlisted: [...found].filter(([key]) => !wanted.has(key)).map(([, gain]) => gain),
    unseen: [...wanted].filter(([key]) => !found.has(key)).map(([, gain]) => gain),
  }
}
