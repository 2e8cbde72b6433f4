/** Finds the stop that meets a caller: a few look-ups by whole words, whatever is stopped. */
import type { Revocation, Stoppable, Target } from './revocations.ts'

/** A stop and the moment from which it holds, in milliseconds since 1970. */
export interface Held {
  readonly revocation: Revocation
  /** 0 for one that has begun: a clock that was set back does not take it back. */
  inForceMs: number
}

type ByWord = Map<string, Held[]>

export class StopIndex {
  #size = 0
  readonly #everything: Held[] = []
  /** By issuer, then subject: nothing is put together, so no two pairs can look alike. */
  readonly #principals = new Map<string, ByWord>()
  readonly #clients: ByWord = new Map()
  readonly #tokens: ByWord = new Map()
  readonly #signIns: ByWord = new Map()
  readonly #connections: ByWord = new Map()

  add(held: Held): void {
    const { target } = held.revocation
    this.#size++
    if (target.kind === 'everything') {
      this.#everything.push(held)
      return
    }
    const { map, word } = this.#place(target)
    const those = map.get(word)
    if (those === undefined) map.set(word, [held])
    else those.push(held)
  }

  remove(held: Held): void {
    const { target } = held.revocation
    if (target.kind === 'everything') {
      this.#take(held, this.#everything)
      return
    }
    const { map, word } = this.#place(target)
    const those = map.get(word) ?? []
    this.#take(held, those)
    if (those.length === 0) map.delete(word)
    if ('issuer' in target && map.size === 0) this.#principals.delete(target.issuer)
  }

  /**
   * The stop that reaches furthest, of those that hold now: of everything, the principal, its
   * client, sign-in or token, and at last the connection. Makes no objects; as long as nothing is
   * stopped it looks nothing up.
   */
  find(of: Stoppable, connection: string | undefined, nowMs: number): Revocation | undefined {
    if (this.#size === 0) return undefined
    const { clientId, issuer, signInId, subject, tokenId } = of
    const byWord = this.#principals.get(issuer)
    return (
      holding(this.#everything, of, nowMs) ??
      (byWord && holding(byWord.get(subject), of, nowMs)) ??
      (clientId === undefined ? undefined : holding(this.#clients.get(clientId), of, nowMs)) ??
      (signInId === undefined ? undefined : holding(this.#signIns.get(signInId), of, nowMs)) ??
      (tokenId === undefined ? undefined : holding(this.#tokens.get(tokenId), of, nowMs)) ??
      (connection === undefined ? undefined : holding(this.#connections.get(connection), of, nowMs))
    )
  }

  #take(held: Held, those: Held[]): void {
    const at = those.indexOf(held)
    if (at === -1) return
    those.splice(at, 1)
    this.#size--
  }

  #place(target: Exclude<Target, { kind: 'everything' }>): { map: ByWord; word: string } {
    switch (target.kind) {
      case 'principal':
      case 'tokens-before': {
        const map: ByWord = this.#principals.get(target.issuer) ?? new Map()
        this.#principals.set(target.issuer, map)
        return { map, word: target.subject }
      }
      case 'client':
        return { map: this.#clients, word: target.client }
      case 'sign-in':
        return { map: this.#signIns, word: target.signIn }
      case 'token':
        return { map: this.#tokens, word: target.token }
      case 'connection':
        return { map: this.#connections, word: target.connection }
      default:
        return target satisfies never
    }
  }
}

/** The first that holds, of stops of one and the same thing. */
function holding(
  those: readonly Held[] | undefined,
  of: Stoppable,
  nowMs: number,
): Revocation | undefined {
  if (those === undefined) return undefined
  for (let i = 0; i < those.length; i++) {
    const held = those[i]
    if (held === undefined || nowMs < held.inForceMs) continue
    const { target } = held.revocation
    // A token that does not say when it was issued may be an old one.
    const isMet = target.kind !== 'tokens-before' || (of.issuedAtMs ?? 0) <= target.beforeMs
    if (isMet) return held.revocation
  }
  return undefined
}
