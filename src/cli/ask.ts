/** Asking: the gateway that runs on a data folder, else this process itself, else a mere reader. */
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
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
    } else await unrecorded(asked, dataDir, { where, errors, print })
    return 0
  } finally {
    clearTimeout(slow)
  }
}

/** On a copy which cannot be written to: looks only. */
async function unrecorded(
  asked: Asked,
  dataDir: string,
  to: { where: Where; errors: Writable; print: (lines: AsyncIterable<string>) => Promise<void> },
): Promise<void> {
  const { errors, print, where } = to
  const clock = systemClock()
  const settings = settingsOf(where)
  const parts = { key: settings.key, env: process.env, clock, hide: () => undefined }
  const place = recordPlace(dataDir, parts)
  const writers = await listWriters(place.disk, place.dir)
  if (writers.length === 0) {
    const message = `There is no record in ${dataDir}. Name the data folder with --data or -c.`
    throw new Fault('path_unknown', message)
  }
  if (asked.what === 'viewing') {
    errors.write('This folder is read-only: the view is unrecorded.\n')
    return
  }
  if (!isLook(asked)) {
    const message = `${dataDir} is read-only: only looks at the record are possible there.`
    throw new Fault('refused', message)
  }
  if (asked.what === 'search' && asked.card !== undefined) {
    const message = 'A search by a card number is always recorded, and this folder is read-only.'
    throw new Fault('refused', message)
  }
  errors.write('This folder is read-only: the view is unrecorded.\n')
  // The folder cannot take an index: one is made for this look.
  const temporary = mkdtempSync(join(tmpdir(), 'sallyport-index-'))
  const index = new LazyIndex(temporary, place, settings)
  try {
    const origin = (await readOrigin(place)) ?? ''
    await print(linesOf(asked, { place, origin, clock, find: index.find, cardToken: undefined }))
  } finally {
    index.close()
    rmSync(temporary, { recursive: true, force: true })
  }
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
