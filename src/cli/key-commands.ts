/** `sallyport keys`: the key that signs, and the one that wraps the keys of bodies. */
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { parseDuration } from '../config/units.ts'
import { rewrapMonthKeys, wrappedBy } from '../record/months.ts'
import { readOrigin } from '../record/read.ts'
import { forgetUnused, rotateFile } from '../secrets/key-file.ts'
import { ask } from './ask.ts'
import type { Outlets } from './ask.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'
import { recordPlace, settingsOf } from './record-parts.ts'

/** Changes the signing key, of checkpoints or of the local issuer's tokens; prints what is public. @returns 2 for an overlap that is none. */
export function rotateCommand(
  options: Where & { readonly overlap: string; readonly localIssuer?: boolean },
  outlets: Outlets,
): Promise<number> {
  if (options.localIssuer === true) return ask({ what: 'rotate-issuer' }, options, outlets)
  const overlapMs = parseDuration(options.overlap)
  if (overlapMs >= 0 && overlapMs <= 365 * 86_400_000) {
    return ask({ what: 'rotate', overlapMs }, options, outlets)
  }
  outlets.errors.write('--overlap is a time up to 365d, such as 30d.\n')
  return Promise.resolve(2)
}

/**
 * Makes a new key-encryption key where it is a file of ours, wraps every month's key by the newest
 * version, and takes the versions out that wrap nothing any more. Files only: a gateway that runs
 * goes on with what it has unwrapped.
 */
export async function rewrapCommand(options: Where, { out }: Outlets): Promise<number> {
  const dataDir = findDataDir(options)
  const clock = systemClock()
  const { key } = settingsOf(options)
  const parts = { key, env: process.env, clock, hide: () => undefined }
  const place = recordPlace(dataDir, parts)
  const { bodyKeys } = place
  if (!bodyKeys) return 1
  const at = { ...bodyKeys, disk: realDisk, origin: (await readOrigin(place)) ?? '' }
  const file = join(dataDir, 'keys', 'months.kek')
  if (key.kind === 'file') await rotateFile(file, { disk: realDisk, clock })
  const rewrapped = await rewrapMonthKeys(at)
  const by = await bodyKeys.wrapper.current()
  const gone =
    key.kind === 'file'
      ? await forgetUnused(file, await wrappedBy(at), { disk: realDisk, clock })
      : []
  out.write(`${JSON.stringify({ by, rewrapped, forgotten: gone })}\n`)
  return 0
}
