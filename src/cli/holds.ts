/** `sallyport hold`. */
import type { Writable } from 'node:stream'
import { realDisk } from '../base/disk.ts'
import { readHolds } from '../record/holds.ts'
import type { Held } from '../record/holds.ts'
import { oneLine } from '../replay/plain.ts'
import { textOf } from './answer.ts'
import { ask } from './ask.ts'
import type { Outlets } from './ask.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'

export interface HoldOptions extends Where {
  readonly session?: string
  readonly principal?: string
  readonly from?: string
  readonly to?: string
  readonly reason: string
}

/** Places a hold and prints its id. @returns 2 unless exactly one thing is to be held. */
export function placeCommand(options: HoldOptions, outlets: Outlets): Promise<number> {
  const held = heldOf(options)
  if (typeof held !== 'string')
    return ask({ what: 'hold', held, reason: options.reason }, options, outlets)
  outlets.errors.write(`${held}\n`)
  return Promise.resolve(2)
}

/** Prints one line a hold. Nothing of the record is looked at. */
export async function listCommand(
  options: Where & { readonly json?: boolean },
  out: Writable,
): Promise<number> {
  for (const hold of await readHolds(realDisk, findDataDir(options))) {
    const { by, held, id, reason, since } = hold
    const line = `${id}  ${since}  by ${by}  ${textOf(held)}  ${reason}`
    out.write(`${options.json === true ? JSON.stringify(hold) : oneLine(line)}\n`)
  }
  return 0
}

const monthForm = /^\d{4}-(0[1-9]|1[0-2])$/

/** What is to be held, or what is wrong with it. */
function heldOf({ from, principal, session, to }: HoldOptions): Held | string {
  const given = [session, principal, from ?? to].filter((each) => each !== undefined)
  if (given.length !== 1) return 'Name a --session, a --principal, or a period by --from and --to.'
  if (session !== undefined) return { session }
  if (principal !== undefined) return { principal }
  const [first = '', last = ''] = [from ?? to, to ?? from]
  if (!monthForm.test(first) || !monthForm.test(last))
    return 'A month reads YYYY-MM, such as 2026-11.'
  if (first > last) return '--from is after --to.'
  return { from: first, to: last }
}
