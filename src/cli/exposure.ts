/** `sallyport exposure`: how many card numbers principals were shown, from the running gateway, else
 *  from its state file, which is only read. */
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { userInfo } from 'node:os'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { dayOf, listExposures, windowDays, windowDaysMax } from '../policy/exposure.ts'
import type { ExposureOf } from '../policy/exposure.ts'
import { ExposureStore } from '../session/exposure-store.ts'
import { askGateway } from './control.ts'
import { daysOf, exposureLines } from './exposure-lines.ts'
import type { ExposureAsked } from './exposure-lines.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'

/** Prints one line a principal. @returns 2 for a window that is none. */
export async function exposureCommand(
  principal: string | undefined,
  options: Where & { days?: string | undefined; json?: boolean | undefined },
  out: Writable,
  errors: Writable,
): Promise<number> {
  const days = options.days === undefined ? windowDays : daysOf(options.days)
  if (days === undefined) {
    errors.write(`--days is a number from 1 to ${windowDaysMax}; older days are not kept.\n`)
    return 2
  }
  const format = options.json === true ? 'jsonl' : 'text'
  const wanted: ExposureAsked = { what: 'exposure', days, principal, format }
  const dataDir = findDataDir(options)
  const live = await askGateway(dataDir, wanted, userInfo().username)
  const lines = live ?? (await exposureLines(wanted, (asked) => listStored(asked, dataDir)))
  await pipeline(Readable.from(lines), out, { end: false })
  return 0
}

/** No gateway runs here: what it wrote before it stopped. */
async function listStored(wanted: ExposureAsked, dataDir: string): Promise<ExposureOf[]> {
  let store: ExposureStore | undefined
  try {
    store = ExposureStore.openToRead(join(dataDir, 'state.sqlite'))
    if (store !== undefined) return await listExposures(store, dayOf(systemClock()), wanted)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const message = `The file state.sqlite in ${dataDir} cannot be read. Look at its rights, or ask as the user that runs the gateway.`
    throw new Fault('path_unknown', message, { cause })
  } finally {
    store?.close()
  }
  const message = `There is no exposure in ${dataDir}. Name the data folder with --data or -c.`
  throw new Fault('path_unknown', message)
}
