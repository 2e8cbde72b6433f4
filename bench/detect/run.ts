/**
 * `npm run bench:detect`: how much card data our masker finds and how much else it touches, on a
 * corpus drawn from a seed, beside other detectors. docs/detection.md says how it is measured.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeCorpus } from './corpus.ts'
import type { Case } from './corpus.ts'
import { families } from './families/all.ts'
import { judge } from './judge.ts'
import { runOurs } from './ours.ts'
import { maskWith, packagedPeers, recipes, ways } from './peers.ts'
import type { Peer } from './peers.ts'
import { asJson, documentTables, failures, printed } from './report.ts'
import type { Column, Result } from './report.ts'
import { tally } from './tally.ts'
import type { Judged } from './tally.ts'

const help = `npm run bench:detect -- [--seed N] [--cases N] [--family TEXT] [--write] [--json FILE]
  --seed       another corpus of the same families (default 4001)
  --cases      how many, equally many of each family (default 30 of each)
  --family     only families whose names hold this text; several by semicolons
  --ours       our masker only
  --failures   the first N failing cases of each family, their digits replaced
  --show       with --failures: digits as they are, for finding out why
  --write      put the tables into docs/detection.md
  --json       counts into a file
Example: npm run bench:detect -- --ours --family CVV --failures 2`

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '4001' },
    cases: { type: 'string', default: String(families.length * 30) },
    family: { type: 'string' },
    ours: { type: 'boolean', default: false },
    failures: { type: 'string' },
    show: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

/** All cases through one peer, in the way in which it finds more. */
async function columnOf(peer: Peer, cases: readonly Case[]): Promise<Column> {
  let best: Column | undefined
  for (const way of ways) {
    const judged: Judged[] = []
    for (const one of cases) {
      const { text, isCard } = await maskWith(peer, way, one.message)
      judged.push({ one, verdict: judge(one, text), isTouched: isCard })
    }
    if (best === undefined || tally(judged).found > tally(best.judged).found) {
      best = { name: peer.name, way, judged }
    }
  }
  if (best === undefined) throw new Error('there is no way to hand a message over')
  return best
}

async function measure(): Promise<Result> {
  const seed = Number(flags.seed)
  const names = flags.family?.toLowerCase().split(';')
  const chosen = families.filter(
    ({ name }) => names?.some((part) => name.toLowerCase().includes(part)) ?? true,
  )
  if (chosen.length === 0) throw new Error('no family has such a name')
  const count = Math.ceil((Number(flags.cases) * chosen.length) / families.length)
  const cases = makeCorpus(chosen, seed, count)
  console.error(`seed ${seed}: ${cases.length} cases in ${chosen.length} families`)
  const ours = await runOurs(cases)
  const columns: Column[] = [{ name: 'Sallyport', way: 'by its command', judged: ours.judged }]
  const { peers, missing } = flags.ours ? { peers: [], missing: [] } : await packagedPeers()
  for (const peer of flags.ours ? [] : [...peers, ...recipes]) {
    console.error(`${peer.name} …`)
    columns.push(await columnOf(peer, cases))
  }
  return { seed, families: chosen, cases, ours, columns, notes: missing }
}

/** Between the marks; the rest of the document is written by hand. */
function writeDocument(tables: string): void {
  const path = join(import.meta.dirname, '..', '..', 'docs', 'detection.md')
  const [before, after] = ['<!-- figures -->', '<!-- end of figures -->']
  const text = readFileSync(path, 'utf8')
  const [start, end] = [text.indexOf(before), text.indexOf(after)]
  if (start < 0 || end < start) throw new Error('docs/detection.md lacks its marks')
  writeFileSync(path, `${text.slice(0, start + before.length)}\n\n${tables}\n\n${text.slice(end)}`)
}

if (flags.help) {
  console.log(help)
} else {
  const result = await measure()
  console.log(printed(result))
  if (flags.failures !== undefined) {
    console.log(`\n${failures(result, Number(flags.failures), flags.show)}`)
  }
  if (flags.json !== undefined) writeFileSync(flags.json, asJson(result))
  if (flags.write) writeDocument(documentTables(result))
}
