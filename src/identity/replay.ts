/** Tokens that may be used once: their ids are kept until they have expired. */
import { Fault } from '../base/fault.ts'

/** Where ids of used tokens are kept; a durable one outlives a restart, and serves several processes. */
export interface UsedTokens {
  /**
   * @param key issuer and id of the token.
   * @param untilMs it may be forgotten then: the token has expired.
   * @returns false where it was there already.
   */
  use(key: string, untilMs: number, nowMs: number): boolean | Promise<boolean>
}

/**
 * In memory. When it is full of tokens that are still good, a further one is refused: forgetting one
 * would let it in a second time.
 */
export function createUsedTokens(sizeMax = 50_000): UsedTokens {
  const ends = new Map<string, number>()
  return {
    use(key: string, untilMs: number, nowMs: number): boolean {
      const known = ends.get(key)
      if (known !== undefined && nowMs < known) return false
      ends.delete(key)
      if (ends.size >= sizeMax) forgetEnded(ends, nowMs)
      if (ends.size >= sizeMax) {
        const message = `${sizeMax} tokens that may be used once are remembered, and none has expired. No other is taken until one has.`
        throw new Fault('identity_down', message, { facts: { reason: 'used_tokens_full' } })
      }
      ends.set(key, untilMs)
      return true
    },
  }
}

function forgetEnded(ends: Map<string, number>, nowMs: number): void {
  for (const [key, untilMs] of ends) if (nowMs >= untilMs) ends.delete(key)
}
