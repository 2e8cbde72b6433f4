/** The figures as tables: for the terminal, for docs/detection.md and as JSON. */
import type { Case, Family } from './corpus.ts'
import { faultKinds } from './ours.ts'
import type { Fault, Ours } from './ours.ts'
import { goals, groups, missed, rate, tallyFamily, tallyGroup } from './tally.ts'
import type { Judged, Tally } from './tally.ts'

/** One detector's column. */
export interface Column {
  readonly name: string
  readonly judged: readonly Judged[]
  /** How it was handed the messages. */
  readonly way: string
}

export interface Result {
  readonly seed: number
  readonly families: readonly Family[]
  readonly cases: readonly Case[]
  readonly ours: Ours
  /** Ours first. */
  readonly columns: readonly Column[]
  readonly notes: readonly string[]
}

const groupNames = {
  core: 'core: brands, places, formats',
  disguise: 'disguises',
  sad: 'CVV, tracks, PIN',
  negative: 'negatives touched',
} as const

const percent = (sums: Tally, group: keyof typeof groupNames): string =>
  rate(sums, group).toFixed(1).replace(/\.0$/, '')

type Row = readonly string[]

function groupRows({ columns }: Result): Row[] {
  return groups.map((group) => {
    const sums = columns.map(({ judged }) => tallyGroup(judged, group))
    const { cases = 0, secrets = 0 } = sums[0] ?? {}
    const goal = `${group === 'negative' ? '≤' : '≥'} ${goals[group]}`
    const cells = sums.map((each) => rate(each, group).toFixed(group === 'negative' ? 2 : 1))
    return [groupNames[group], String(cases), String(secrets || '–'), goal, ...cells]
  })
}

function familyRows({ families, columns }: Result): Row[] {
  return families.map((family) => {
    const sums = columns.map(({ judged }) => tallyFamily(judged, family))
    const { cases = 0, secrets = 0 } = sums[0] ?? {}
    const cells = sums.map((each) => percent(each, family.group))
    return [family.group, family.name, String(cases), String(secrets || '–'), ...cells]
  })
}

const markdown = (rows: readonly Row[], head: Row, textColumns: number): string =>
  [head, head.map((_, i) => (i < textColumns ? '---' : '---:')), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

/** What stands between the marks of docs/detection.md. */
export function documentTables(result: Result): string {
  const names = result.columns.map(({ name }) => name)
  const totals = markdown(groupRows(result), ['group', 'cases', 'secrets', 'goal', ...names], 1)
  const table = markdown(familyRows(result), ['group', 'family', 'cases', 'secrets', ...names], 2)
  return `${summary(result).join('\n')}\n\nIn per cent: recall of secrets, and of the negatives the cases touched.\n\n${totals}\n\n### By family\n\n${table}`
}

function summary(result: Result): string[] {
  const { seed, families, cases, ours, columns, notes } = result
  const faults = Object.entries(faultKinds).map(
    ([kind, words]) => `${words}: ${ours.faults[kind as Fault].length}`,
  )
  const ways = columns.slice(1).map(({ name, way }) => `${name} ${way}`)
  return [
    `Seed ${seed}, ${cases.length} cases in ${families.length} families. Of our outputs: ${faults.join('; ')}.`,
    ...(ways.length > 0 ? ['', `Handed over: ${ways.join(', ')}.`] : []),
    ...notes.flatMap((note) => ['', `Left out: ${note}.`]),
  ]
}

const lengthOf = (text: string): number => Array.from(text).length

function plain(rows: readonly Row[], textColumns: number): string {
  const widths =
    rows[0]?.map((_, i) => Math.max(...rows.map((row) => lengthOf(row[i] ?? '')))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, i) => {
          const room = ' '.repeat((widths[i] ?? 0) - lengthOf(cell))
          return i < textColumns ? cell + room : room + cell
        })
        .join('  '),
    )
    .join('\n')
}

/** For a terminal. */
export function printed(result: Result): string {
  const names = result.columns.map(({ name }) => name)
  const misses = missed(result.ours.judged, result.families)
  return [
    plain([['group', 'family', 'cases', 'secrets', ...names], ...familyRows(result)], 2),
    plain([['group', 'cases', 'secrets', 'goal', ...names], ...groupRows(result)], 1),
    summary(result).join('\n'),
    misses.length === 0 ? 'All goals are met.' : `Missed goals:\n${misses.join('\n')}`,
  ].join('\n\n')
}

/** For other programs; holds counts only. */
export function asJson(result: Result): string {
  const { seed, families, cases, columns, ours } = result
  const faults = Object.entries(ours.faults).map(([kind, ids]) => [kind, ids.length] as const)
  const report = {
    seed,
    cases: cases.length,
    faults: Object.fromEntries(faults),
    missed: missed(ours.judged, families),
    detectors: columns.map(({ name, way, judged }) => ({
      name,
      way,
      groups: groups.map((group) => ({ group, ...tallyGroup(judged, group) })),
      families: families.map((family) => ({
        family: family.name,
        group: family.group,
        ...tallyFamily(judged, family),
      })),
    })),
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

/** Failing cases of our masker; digits are shown only when asked for. */
export function failures(result: Result, each: number, isShown: boolean): string {
  const { ours, families } = result
  const bad = ours.judged.filter(({ one, verdict, isTouched }) =>
    one.group === 'negative'
      ? isTouched
      : verdict.found.includes(false) || !verdict.isSameShape || verdict.lost.length > 0,
  )
  const conceal = (text: string): string =>
    isShown
      ? text
      : text
          .replaceAll(/[A-Za-z0-9+/_-]{24,}={0,2}/g, (long) => `<${long.length} characters>`)
          .replaceAll(/\p{N}/gu, '#')
  return families
    .flatMap((family) => bad.filter(({ one }) => one.family === family.name).slice(0, each))
    .map(({ one, verdict }) => {
      const wanted = one.secrets.flatMap(({ kind, digits }, i) =>
        verdict.found[i] ? [] : [`${kind} ${isShown ? digits : `of ${digits.length}`}`],
      )
      const why = [
        ...(wanted.length > 0 ? [`not found: ${wanted.join(', ')}`] : []),
        ...(one.group === 'negative' ? ['touched'] : []),
        ...(verdict.isSameShape ? [] : ['not the same shape']),
        ...verdict.lost.map((text) => `lost: ${conceal(text)}`),
      ]
      const output = ours.outputs.get(one.id) ?? '(none)'
      return `${one.id}: ${why.join('; ')}\n  in:  ${conceal(one.message)}\n  out: ${conceal(output)}`
    })
    .join('\n')
}
