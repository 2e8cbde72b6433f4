/**
 * Access tokens we got for connections, kept until shortly before they end.
 *
 *   nothing ──asked──▶ fresh ──60 s before its end──▶ stale ──▶ nothing
 *                        ▲ handed out at once          │ handed out, and asked for anew behind it
 *                        └────────────────────────────-┘
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { FreshToken } from '../secrets/kept-token.ts'
import { Secret } from '../secrets/secret.ts'

export interface KeptTokensOptions {
  readonly clock: Clock
  /** Told every token, so that nothing we write or pass on shows it. */
  readonly hide: (value: string) => void
  /** Told when a token could not be renewed while the old one is still good. */
  readonly onTrouble?: ((fault: Fault) => void) | undefined
  /** Tokens at once; the oldest goes. */
  readonly entriesMax?: number
}

interface Entry {
  token?: Secret | undefined
  /** Monotonic milliseconds: renewed from the first on, not used from the second on. */
  staleMs: number
  endsMs: number
  asking?: Promise<string> | undefined
  /** Until `quietMs` nobody is asked again, and callers without a token get this. */
  fault?: Fault | undefined
  quietMs: number
  /** When a token was last given up because its server refused it. */
  refusedMs: number
}

const marginMs = 60_000
/** After a failure; and so often at the most is a token given up because it was refused. */
const quietMs = 2_000
const refusedMs = 5_000

export class KeptTokens {
  readonly #options: KeptTokensOptions
  /** Invariant: the oldest is first. A token stands under one key only, and keys name principals. */
  readonly #entries = new Map<string, Entry>()

  constructor(options: KeptTokensOptions) {
    this.#options = options
  }

  /**
   * The token under a key, at once if one is good; many who want one wait for the same asking.
   * @param key names all that a token depends on, the principal among it.
   * @throws {Fault} of `askAnew`; the same for 2 seconds to all who come after.
   */
  get(key: string, askAnew: () => Promise<FreshToken>): string | Promise<string> {
    const entry = this.#entry(key)
    const nowMs = this.#options.clock.monotonicMs()
    if (entry.token !== undefined && nowMs < entry.endsMs) {
      if (nowMs >= entry.staleMs && nowMs >= entry.quietMs) this.#renewBehind(entry, askAnew)
      return entry.token.reveal()
    }
    if (entry.asking !== undefined) return entry.asking
    if (entry.fault !== undefined && nowMs < entry.quietMs) throw entry.fault
    return this.#ask(entry, askAnew)
  }

  /** The server refused this token. @returns whether another one will be asked for. */
  refused(key: string, token: string): boolean {
    const entry = this.#entries.get(key)
    const nowMs = this.#options.clock.monotonicMs()
    if (entry?.token === undefined) return entry?.asking !== undefined
    if (entry.token.reveal() !== token) return true // Replaced meanwhile.
    // A server that refuses every token must not make a flood of requests for new ones.
    if (nowMs - entry.refusedMs < refusedMs) return false
    entry.refusedMs = nowMs
    entry.token = undefined
    return true
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const made: Entry = { staleMs: 0, endsMs: 0, quietMs: -Infinity, refusedMs: -Infinity }
    this.#entries.set(key, made)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= (this.#options.entriesMax ?? 1_000)) break
      this.#entries.delete(oldest)
    }
    return made
  }

  #renewBehind(entry: Entry, askAnew: () => Promise<FreshToken>): void {
    if (entry.asking !== undefined) return
    this.#ask(entry, askAnew).catch((error: unknown) => {
      // Going on is safe: the token at hand is good until its end, and not used after it.
      if (error instanceof Fault) this.#options.onTrouble?.(error)
    })
  }

  #ask(entry: Entry, askAnew: () => Promise<FreshToken>): Promise<string> {
    const { clock, hide } = this.#options
    const ask = async (): Promise<string> => {
      const askedMs = clock.monotonicMs()
      try {
        const { livesMs, value } = await askAnew()
        hide(value)
        entry.token = new Secret(value)
        entry.endsMs = askedMs + livesMs
        entry.staleMs = entry.endsMs - Math.min(marginMs, livesMs / 2)
        entry.fault = undefined
        return value
      } catch (error) {
        if (error instanceof Fault) entry.fault = error
        throw error
      } finally {
        entry.quietMs = clock.monotonicMs() + quietMs
      }
    }
    entry.asking = ask().finally(() => {
      entry.asking = undefined
    })
    return entry.asking
  }
}
