/**
 * `npm run bench:inspect`: how many attacks the inspection finds and how much else it takes for one, on
 * a corpus drawn from a seed. docs/inspection.md says how it is measured.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Case } from './case.ts'
import { judged } from './command.ts'
import type { Answer } from './command.ts'
import { families, makeCorpus } from './corpus.ts'

const help = `npm run bench:inspect -- [--seed N] [--count N] [--failures N] [--write]
  --seed      another corpus of the same families (default 7001)
  --count     texts of each family, times its weight (default 150)
  --failures  the first N wrong verdicts of each family
  --write     put the tables into docs/inspection.md
Example: npm run bench:inspect -- --seed 12 --failures 3`

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '7001' },
    count: { type: 'string', default: '150' },
    failures: { type: 'string', default: '0' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

interface Row {
  readonly name: string
  readonly isAttack: boolean
  readonly isHeldOut: boolean
  readonly cases: number
  readonly suspicious: number
  readonly wrong: readonly Case[]
}

function rowsOf(cases: readonly Case[], answers: ReadonlyMap<string, Answer>): Row[] {
  return families.map(({ isAttack, isHeldOut, name }) => {
    const own = cases.filter(({ family }) => family === name)
    const isSeen = ({ id }: Case): boolean => answers.get(id)?.verdict === 'suspicious'
    const wrong = own.filter((one) => isSeen(one) !== isAttack)
    return {
      name,
      isAttack,
      isHeldOut,
      cases: own.length,
      suspicious: own.filter(isSeen).length,
      wrong,
    }
  })
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(2)} %`

function sum(rows: readonly Row[], of: 'cases' | 'suspicious'): number {
  return rows.reduce((total, row) => total + row[of], 0)
}

function table(rows: readonly Row[], share: string): string {
  const line = ({ cases, isHeldOut, name, suspicious }: Row): string =>
    `| ${name}${isHeldOut && !name.includes('held-out') ? ' (held out)' : ''} | ${cases} | ${suspicious} | ${percent(suspicious, cases)} |`
  const all = `| **all** | ${sum(rows, 'cases')} | ${sum(rows, 'suspicious')} | **${percent(sum(rows, 'suspicious'), sum(rows, 'cases'))}** |`
  return [
    `| family | texts | suspicious | ${share} |`,
    '| --- | --: | --: | --: |',
    ...rows.map(line),
    all,
  ].join('\n')
}

/** Between the marks; the rest of the document is written by hand. */
function writeDocument(tables: string): void {
  const path = join(import.meta.dirname, '..', '..', 'docs', 'inspection.md')
  const [before, after] = ['<!-- figures -->', '<!-- end of figures -->']
  const text = readFileSync(path, 'utf8')
  const [start, end] = [text.indexOf(before), text.indexOf(after)]
  if (start < 0 || end < start) throw new Error('docs/inspection.md lacks its marks')
  writeFileSync(path, `${text.slice(0, start + before.length)}\n\n${tables}\n\n${text.slice(end)}`)
}

if (flags.help) {
  console.log(help)
} else {
  const cases = makeCorpus(Number(flags.seed), Number(flags.count))
  const from = performance.now()
  const rows = rowsOf(cases, await judged(cases))
  const ms = performance.now() - from
  const attacks = rows.filter(({ isAttack }) => isAttack)
  const harmless = rows.filter(({ isAttack }) => !isAttack)
  const tables = `${table(attacks, 'recall')}\n\n${table(harmless, 'false alarms')}`
  console.log(
    `seed ${flags.seed}: ${cases.length} texts in ${(ms / 1000).toFixed(1)} s\n\n${tables}`,
  )
  for (const { name, wrong } of rows) {
    for (const { argument, value } of wrong.slice(0, Number(flags.failures))) {
      console.log(`${name}: ${argument} = ${JSON.stringify(value)}`)
    }
  }
  if (flags.write) writeDocument(tables)
}
