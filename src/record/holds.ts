/**
 * Legal holds: what keeps whole months from going. A hold names a session, a principal or a period,
 * and is kept in `DATA/holds.json`; placing and releasing it are in the record.
 */
import { join } from 'node:path'
import { readWhole, writeWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { isObject } from './unfinished.ts'
import type { Disk } from '../base/disk.ts'
import type { LineReader } from './lines.ts'

/** What a hold keeps: every month that has an entry of it. */
export type Held =
  | { readonly session: string }
  /** A subject or a name, exactly. */
  | { readonly principal: string }
  /** Months, `YYYY-MM`, both included. */
  | { readonly from: string; readonly to: string }

export interface Hold {
  readonly id: string
  readonly held: Held
  readonly reason: string
  /** Who placed it, and when (RFC 3339). */
  readonly by: string
  readonly since: string
}

const fileName = 'holds.json'

/** All holds of a data folder. @throws {Fault} `record_down` when the file is not what we wrote: what
 *  is held cannot be told then, and nothing goes. */
export async function readHolds(disk: Disk, dataDir: string): Promise<Hold[]> {
  if (!(await disk.list(dataDir)).includes(fileName)) return []
  const text = Buffer.from(await readWhole(disk, join(dataDir, fileName))).toString('utf8')
  const holds = parse(text)
  if (holds) return holds
  throw new Fault(
    'record_down',
    'holds.json in the data folder is not usable, so it cannot be told what is held, and nothing ' +
      'is removed. Restore it from a backup.',
    { facts: { reason: 'holds' } },
  )
}

export async function writeHolds(
  disk: Disk,
  dataDir: string,
  holds: readonly Hold[],
): Promise<void> {
  const text = holds.map((hold) => `${canonicalize(hold)}\n`).join('')
  await writeWhole(disk, join(dataDir, fileName), Buffer.from(text))
}

/** Whether a month has an entry that the hold is about. @param lines begins at the month's first
 *  entry. @param end one past its last. */
export async function isHeld(
  { held }: Hold,
  month: string,
  lines: LineReader,
  end: number,
): Promise<boolean> {
  if ('from' in held) return held.from <= month && month <= held.to
  while (lines.nextIndex < end) {
    const found = await lines.next()
    if (!found) return false
    if (found.lines.some((line) => isAbout(held, line))) return true
  }
  return false
}

function isAbout(held: Exclude<Held, { from: string }>, line: Buffer): boolean {
  const entry: unknown = JSON.parse(line.toString('utf8'))
  if (!isObject(entry)) return false
  if ('session' in held) return entry['session'] === held.session
  const { principal } = entry
  if (!isObject(principal)) return false
  return principal['subject'] === held.principal || principal['name'] === held.principal
}

function parse(text: string): Hold[] | undefined {
  const holds: Hold[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const hold = parseHold(line)
    if (!hold) return undefined
    holds.push(hold)
  }
  return text === '' || text.endsWith('\n') ? holds : undefined
}

function parseHold(line: string): Hold | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { by, held, id, reason, since } = value
  const isWhole =
    typeof by === 'string' &&
    typeof id === 'string' &&
    typeof reason === 'string' &&
    typeof since === 'string'
  const what = heldOf(held)
  return isWhole && what ? { id, held: what, reason, by, since } : undefined
}

function heldOf(value: unknown): Held | undefined {
  if (!isObject(value)) return undefined
  const { from, principal, session, to } = value
  if (typeof session === 'string') return { session }
  if (typeof principal === 'string') return { principal }
  if (typeof from === 'string' && typeof to === 'string') return { from, to }
  return undefined
}
