/** What goes wrong in one life of a process, and when: drawn by dice, or nothing at all. */
import type { Disk, DiskFile } from '../../src/base/disk.ts'
import type { Dice } from './dice.ts'

/** An operation of a disk or of a file. */
export type Kind = keyof Disk | keyof DiskFile

/** How a process ends: `kill` takes the process alone, `crash` the power; or it leaves by itself. */
export type Death = 'kill' | 'crash' | 'leave'

/** The first operation of a kind from number `at` on; of any kind when none is named. */
export interface Moment {
  readonly at: number
  readonly kind?: Kind | undefined
}

/** What happens to one process. Operations are counted from its start, from 1 on. */
export interface Weather {
  readonly faults: readonly Moment[]
  readonly death?: (Moment & { readonly how: Death }) | undefined
  /** The disk is full from one operation to another; `hidden` leaves `freeBytes` as it was. */
  readonly full?: { readonly from: number; readonly to: number; readonly isHidden: boolean }
  /** An operation takes up to so many turns of the event loop. */
  readonly turnsMax: number
}

export const calm: Weather = { faults: [], turnsMax: 0 }

/** From calm to several faults and a death, each early (in recovery) as often as late. */
export function weather(dice: Dice): Weather {
  const at = (): number => 1 + dice.below(dice.pick([12, 25, 60, 60, 120]))
  const faults = Array.from({ length: dice.pick([0, 0, 1, 1, 2, 4]) }, () => ({
    at: at(),
    kind: dice.pick(kinds),
  }))
  const from = at()
  const full = { from, to: from + 1 + dice.below(40), isHidden: dice.chance(0.3) }
  const death = {
    at: at(),
    kind: dice.pick([undefined, 'commit', 'commit'] as const),
    how: dice.pick(['crash', 'crash', 'kill'] as const),
  }
  return {
    faults,
    turnsMax: dice.pick([0, 0, 1, 3, 8]),
    ...(dice.chance(0.2) && { full }),
    ...(dice.chance(0.6) && { death }),
  }
}

/** Those that fail: as it comes, or the next of one kind; of commits there is most to fear. */
const kinds: readonly [Kind | undefined, ...(Kind | undefined)[]] = [
  undefined,
  undefined,
  undefined,
  'commit',
  'commit',
  'commit',
  'rename',
  'rename',
  'syncFolder',
  'syncFolder',
  'open',
  'list',
  'create',
  'truncate',
  'read',
  'remove',
  'makeFolder',
  'freeBytes',
]
