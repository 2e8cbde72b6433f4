/** One thing that is looked at, and what every look may use. */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { CheckedConfig, Config, Path } from '../config/config.ts'
import type { Fetch } from '../identity/fetch-json.ts'
import type { Secrets } from '../secrets/secrets.ts'

/** What came of one look. */
export interface Finding {
  /** `issuer company`, `connection payments`, `data folder`, … */
  readonly what: string
  readonly isGood: boolean
  /** Good as it is, but perhaps not what was meant, or not for long. */
  readonly isDoubtful?: true
  readonly message: string
  /** The key of the configuration it is about, and where it stands. */
  readonly path?: string
  readonly line?: number
  readonly column?: number
}

/** A message, or one that makes the finding doubtful. */
export type Seen = string | { readonly doubt: string }

export interface Look {
  readonly what: string
  readonly path: Path
  look: () => Seen | Promise<Seen>
}

export interface LookParts {
  readonly config: Config
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly secrets: Secrets
  readonly clock: Clock
  /** Notes the clocks of those it asks. */
  readonly fetch: Fetch
  /** A server said what time it is: its `Date` header. */
  readonly noteDate: (date: string) => void
}

/** Looks once; never throws. @param checked tells the place. */
export async function finding(
  { what, path, look }: Look,
  checked: Pick<CheckedConfig, 'place'>,
): Promise<Finding> {
  const place = checked.place(path)
  try {
    const seen = await look()
    if (typeof seen === 'string') return { what, isGood: true, message: seen, ...place }
    return { what, isGood: true, isDoubtful: true, message: seen.doubt, ...place }
  } catch (error) {
    // Anything but a fault may hold what a server or file said.
    const message = error instanceof Fault ? error.message : `failed (${codeOf(error)})`
    return { what, isGood: false, message, ...place }
  }
}

/** Thrown by a look that finds something wrong. */
export function wrong(message: string, cause?: unknown): Fault {
  return new Fault('config_bad', message, { cause })
}

export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : 'unknown'
}

/** Milliseconds since 1970. */
export function nowMsOf({ clock }: Pick<LookParts, 'clock'>): number {
  return Math.floor(clock.nowUs() / 1000)
}
