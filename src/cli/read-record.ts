/** `sallyport sessions` and `sallyport replay`: through the running gateway, else on the folder itself. */
import { accessSync, constants, existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { systemClock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { createMasker } from '../mask/masker.ts'
import { openRecord } from '../record/record.ts'
import { askGateway } from './control.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'
import { openKeys } from './keys.ts'
import { linesOf, look } from './look.ts'
import type { Look } from './look.ts'

/** Prints one line a session. */
export async function sessionsCommand(
  options: Where & { json?: boolean | undefined },
  out: Writable,
  errors: Writable,
): Promise<number> {
  const format = options.json === true ? 'jsonl' : 'text'
  return await show({ what: 'sessions', format }, findDataDir(options), out, errors)
}

/** Prints what happened in one session, in order. @returns 2 for a format nobody knows. */
export async function replayCommand(
  session: string,
  options: Where & { format: string; json?: boolean | undefined },
  out: Writable,
  errors: Writable,
): Promise<number> {
  const format = options.json === true ? 'jsonl' : options.format
  if (format !== 'text' && format !== 'jsonl') {
    errors.write('--format is text or jsonl.\n')
    return 2
  }
  return await show({ what: 'replay', session, format }, findDataDir(options), out, errors)
}

async function show(
  wanted: Look,
  dataDir: string,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const slow = setTimeout(() => errors.write('Reading the record …\n'), 2000)
  const user = userInfo().username
  try {
    const live = await askGateway(dataDir, wanted, user)
    if (live !== undefined) await print(live, out)
    else if (isWritable(dataDir)) await showAlone(wanted, dataDir, user, out)
    else {
      if (existsSync(join(dataDir, 'record'))) {
        errors.write('This folder is read-only: the view is unrecorded.\n')
      }
      await print(linesOf(wanted, dataDir), out)
    }
    return 0
  } finally {
    clearTimeout(slow)
  }
}

function isWritable(dataDir: string): boolean {
  try {
    accessSync(join(dataDir, 'record'), constants.W_OK)
    return true
  } catch {
    return false // Read-only or not there: reading it says which.
  }
}

/** No gateway runs here: this process takes the lock, records the view and shows it. */
async function showAlone(wanted: Look, dataDir: string, by: string, out: Writable): Promise<void> {
  const keys = openKeys(dataDir)
  const { recorder } = await openRecord({
    dir: join(dataDir, 'record'),
    writer: 'w1',
    disk: realDisk,
    clock: systemClock(),
    freeBytesMin: 1024 * 1024,
    segmentBytesMax: 64 * 1024 * 1024,
    sealKey: keys.signing,
  })
  try {
    const masker = createMasker({ sealKey: keys.seal })
    await print(await look(wanted, { dataDir, recorder, masker, by }), out)
  } finally {
    await recorder.close()
  }
}

async function print(lines: AsyncIterable<string | Buffer>, out: Writable): Promise<void> {
  await pipeline(Readable.from(lines), out, { end: false })
}
