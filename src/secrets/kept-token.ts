/** A service's access token, kept for half of its time. */
import type { Clock } from '../base/clock.ts'
import type { Ask } from './ask.ts'
import type { Env } from './token-file.ts'
import type { Blame } from './trouble.ts'

/** What getting a token takes. */
export interface TokenParts {
  readonly env: Env
  readonly clock: Clock
  readonly ask: Ask
  readonly blame: Blame
  /** Told every token, so that no log shows it. */
  readonly hide: (value: string) => void
}

/** Hands out a token that is good for a while. */
export interface TokenSource {
  /** @throws {Fault} blamed on `settings`, `denied` and those of asking. */
  token(): Promise<string>
  /** The service refused the last token: the next `token()` asks for a new one. */
  forget(): void
}

export interface FreshToken {
  readonly value: string
  readonly livesMs: number
}

/** Many who want a token at once wait for one: each asking may use up a secret. */
export function keptToken(
  { clock, hide }: TokenParts,
  askAnew: () => Promise<FreshToken>,
): TokenSource {
  let kept: { value: string; untilMs: number } | undefined
  let asking: Promise<string> | undefined
  const renew = async (): Promise<string> => {
    const { value, livesMs } = await askAnew()
    hide(value)
    kept = { value, untilMs: clock.monotonicMs() + livesMs / 2 }
    return value
  }
  return {
    async token() {
      if (kept !== undefined && clock.monotonicMs() < kept.untilMs) return kept.value
      asking ??= renew().finally(() => {
        asking = undefined
      })
      return asking
    },
    forget() {
      kept = undefined
    },
  }
}
