/** Asking: the gateway that runs on a data folder, else this process itself, else a mere reader. */
import { accessSync, constants, existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { listWriters, readOrigin } from '../record/read.ts'
import { LazyIndex, withDesk } from './alone.ts'
import { answerAsked } from './answer.ts'
import type { Asked, Look } from './asked.ts'
import { askGateway } from './control.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'
import { linesOf } from './look.ts'
import { recordPlace, settingsOf } from './record-parts.ts'

export interface Outlets {
  readonly out: Writable
  readonly errors: Writable
}

/** Makes of the lines what is printed. */
export type Through = (lines: AsyncIterable<string | Buffer>) => AsyncIterable<string | Buffer>

/**
 * Prints the answer. Whoever looks is recorded, but on a read-only copy, which says so.
 * @throws {Fault} in the gateway's words or our own.
 */
export async function ask(
  asked: Asked,
  where: Where,
  { errors, out }: Outlets,
  through: Through = (lines) => lines,
): Promise<number> {
  const dataDir = findDataDir(where)
  const slow = setTimeout(() => errors.write('Reading the record …\n'), 2000)
  const print = async (lines: AsyncIterable<string | Buffer>): Promise<void> => {
    await pipeline(Readable.from(through(lines)), out, { end: false })
  }
  try {
    const user = userInfo().username
    const live = await askGateway(dataDir, asked, user)
    if (live !== undefined) await print(live)
    else if (isWritable(dataDir)) {
      await withDesk(
        dataDir,
        where,
        async (desk) => await print(await answerAsked(asked, user, desk)),
      )
    } else await print(await unrecorded(asked, dataDir, where, errors))
    return 0
  } finally {
    clearTimeout(slow)
  }
}

/** On a copy which cannot be written to: looks only. */
async function unrecorded(
  asked: Asked,
  dataDir: string,
  where: Where,
  errors: Writable,
): Promise<AsyncIterable<string>> {
  const clock = systemClock()
  const settings = settingsOf(where)
  const parts = { key: settings.key, env: process.env, clock, hide: () => undefined }
  const place = recordPlace(dataDir, parts)
  const writers = await listWriters(place.disk, place.dir)
  if (writers.length === 0) {
    const message = `There is no record in ${dataDir}. Name the data folder with --data or -c.`
    throw new Fault('path_unknown', message)
  }
  if (!isLook(asked)) {
    const message = `${dataDir} is read-only: only looks at the record are possible there.`
    throw new Fault('refused', message)
  }
  errors.write('This folder is read-only: the view is unrecorded.\n')
  const index = new LazyIndex(dataDir, place, settings)
  const origin = (await readOrigin(place)) ?? ''
  return linesOf(asked, { place, origin, clock, find: index.find })
}

function isLook(asked: Asked): asked is Look {
  return asked.what === 'sessions' || asked.what === 'replay' || asked.what === 'search'
}

function isWritable(dataDir: string): boolean {
  if (!existsSync(join(dataDir, 'record'))) return false
  try {
    accessSync(join(dataDir, 'record'), constants.W_OK)
    return true
  } catch {
    return false // Read-only: reading it says what it holds.
  }
}
