/** What else lies in a log's folder, and what does not lie there any more. */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { readWhole } from '../base/disk.ts'
import { placeOf } from './walk.ts'
import type { Disk } from '../base/disk.ts'
import type { Findings } from './findings.ts'
import type { Removal } from './walk.ts'

/** What is in a writer's folder. */
const ours: ReadonlySet<string> = new Set([
  'checkpoint',
  'checkpoint.part', // A crash left them; they have no name that counts.
  'checkpoints.log',
  'cosigned',
  'cosigned.part',
  'lock',
  'log',
  'origin',
  'synced',
  'synced.part',
  'tile',
  'torn',
])

/** Files that no writer made. */
export async function checkNames(disk: Disk, folder: string, findings: Findings): Promise<void> {
  for (const name of await disk.list(folder)) {
    if (!ours.has(name)) findings.add('wrong', name, 'No writer makes such a file.')
  }
}

/** Tails that recovery cut off are kept, each named by its digest in an entry. */
export async function checkTorn(
  disk: Disk,
  folder: string,
  named: readonly { readonly sha256: string }[],
  findings: Findings,
): Promise<void> {
  const known = new Set(named.map(({ sha256 }) => sha256))
  const aside = join(folder, 'torn')
  for (const name of await disk.list(aside)) {
    const digest = hash('sha256', await readWhole(disk, join(aside, name)))
    if (name.endsWith('.tail') && !known.has(digest)) {
      findings.add('wrong', `torn/${name}`, 'It is not what recovery set aside.')
    }
  }
}

interface Stretch {
  readonly from: number
  readonly to: number
}

/** Every stretch that is missing was removed, and the record says so; so it does of content. */
export function checkRemovals(
  missing: readonly Stretch[],
  removals: readonly Removal[],
  findings: Findings,
): void {
  const told = removals.filter(({ what }) => what === 'month').toSorted((a, b) => a.first - b.first)
  for (const stretch of missing) {
    const untold = untoldOf(stretch, told)
    if (untold) {
      const words = `Entries ${untold.from} to ${untold.to - 1} are missing, and no entry says that they were removed`
      findings.add('wrong', placeOf(untold.from), words)
    } else {
      const words = `Entries ${stretch.from} to ${stretch.to - 1} were removed at the end of their retention: proof only`
      findings.add('note', placeOf(stretch.from), words)
    }
  }
  for (const { isDone, month, reason, time, what } of removals) {
    if (what !== 'content' || !isDone) continue
    const words = `The bodies of ${month} were shredded at ${time} (${reason}); their digests stand`
    findings.add('note', month, words)
  }
}

/** The first part of a stretch which no removal covers; `told` are in the order of their beginnings. */
function untoldOf({ from, to }: Stretch, told: readonly Removal[]): Stretch | undefined {
  let at = from // Invariant: [from, at) is covered.
  for (const { end, first } of told) {
    if (at >= to) break
    if (first > at) return { from: at, to: Math.min(first, to) }
    at = Math.max(at, end)
  }
  return at >= to ? undefined : { from: at, to }
}
