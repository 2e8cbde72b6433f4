/** Counts from verdicts, by family and by group, and what they miss of the goals. */
import type { Case, Family, Group } from './corpus.ts'
import type { Verdict } from './judge.ts'

/** Sums of one detector over some cases. */
export interface Tally {
  readonly cases: number
  readonly secrets: number
  readonly found: number
  /** Negative cases that did not come out byte for byte. */
  readonly touched: number
}

export const groups: readonly Group[] = ['core', 'disguise', 'sad', 'negative']

/** A case with a detector's verdict; `isTouched` counts for negatives only. */
export interface Judged {
  readonly one: Case
  readonly verdict: Verdict
  readonly isTouched: boolean
}

export function tally(judged: readonly Judged[]): Tally {
  let [secrets, found, touched] = [0, 0, 0]
  for (const { one, verdict, isTouched } of judged) {
    secrets += verdict.found.length
    found += verdict.found.filter(Boolean).length
    touched += one.group === 'negative' && isTouched ? 1 : 0
  }
  return { cases: judged.length, secrets, found, touched }
}

export const tallyFamily = (judged: readonly Judged[], family: Family): Tally =>
  tally(judged.filter(({ one }) => one.family === family.name))
export const tallyGroup = (judged: readonly Judged[], group: Group): Tally =>
  tally(judged.filter(({ one }) => one.group === group))

/** Recall for what holds secrets, the part of touched cases for negatives; both in per cent. */
export const rate = (sums: Tally, group: Group): number =>
  group === 'negative' ? (sums.touched / sums.cases) * 100 : (sums.found / sums.secrets) * 100

/** Per cent: recall at least, touched negatives at most. */
export const goals: Readonly<Record<Group, number>> = {
  core: 99.5,
  disguise: 97,
  sad: 97,
  negative: 0.5,
}
/** Recall of each family by itself, per cent at least. */
export const familyGoal = 95

/** What one family or group misses, in words; empty when the goals are met. */
export function missed(judged: readonly Judged[], families: readonly Family[]): string[] {
  const out: string[] = []
  for (const group of groups) {
    const value = rate(tallyGroup(judged, group), group)
    const isMet = group === 'negative' ? value <= goals[group] : value >= goals[group]
    if (!isMet) out.push(`group ${group}: ${value.toFixed(2)} %, goal ${goals[group]} %`)
  }
  for (const family of families.filter(({ group }) => group !== 'negative')) {
    const value = rate(tallyFamily(judged, family), family.group)
    if (value < familyGoal)
      out.push(`family ${family.name}: ${value.toFixed(1)} %, goal ${familyGoal} %`)
  }
  return out
}
