/** The passkeys of an installation. */
import { isIP } from 'node:net'
import type { Config } from '../config/config.ts'
import { isCovered, openPasskeys } from '../signin/passkeys.ts'
import type { Passkeys, PasskeysOptions } from '../signin/passkeys.ts'

/** Passkeys are for the console's domain, and for the gateway's site where that lies below it. */
export function openOwnPasskeys(
  file: string,
  config: Config,
  of: Pick<PasskeysOptions, 'clock' | 'directory' | 'note'>,
): Passkeys | undefined {
  const rpId = new URL(config.console.publicUrl).hostname
  if (isIP(rpId) !== 0 || rpId.startsWith('[')) return undefined
  const origins = [config.console.publicUrl, config.publicUrl].filter((origin) =>
    isCovered(new URL(origin).hostname, rpId),
  )
  return openPasskeys(file, { ...of, rpId, origins })
}
