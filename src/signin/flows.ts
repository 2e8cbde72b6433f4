/**
 * Sign-ins under way, and the codes at their end.
 *
 *     start() ──► bound to the first browser that opens it ──► finish() ──► code ──► redeem()
 *        10 minutes, one browser                                  60 seconds, once, the same browser
 *
 * Everything here is in memory: after a restart people begin anew. It is bounded, and what is too
 * much goes from the address that has most: nobody pushes out the sign-ins of others by beginning
 * very many. Those that no browser has opened yet are of one such place together.
 */
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { networkOf } from '../base/network.ts'
import type { Told } from '../identity/directory.ts'
import { isBrowser, newBrowser } from './browser.ts'
import type { BrowserHash } from './browser.ts'
import type { SignedIn } from './signed-in.ts'

const flowMs = 10 * 60_000
const codeMs = 60_000
const flowsMax = 10_000
/** A code is made by whoever has signed in, so there are not many. */
const codesMax = 10_000
/** Requests of one sign-in; a person mistypes a few times. */
const triesMax = 60

/** What a provider or an account proved, before the directory is told. */
export interface Proven {
  readonly told: Told
  readonly authenticatedMs: number
  /** When the provider made the proof, milliseconds since 1970: what it says held then, and nobody
   *  knows how long it was under way. Not later than now. */
  readonly provenMs: number
  readonly amr: readonly string[]
  readonly providerSession?: string | undefined
  readonly isBreakGlass?: boolean
}

/** What a sign-in waits for. Each is taken out when it comes, so nothing is taken twice. */
export type Awaited =
  | {
      readonly kind: 'oidc'
      readonly method: string
      readonly state: string
      readonly nonce: string
      readonly verifier: string
      readonly askedMs: number
    }
  | { readonly kind: 'saml'; readonly method: string; readonly requestId: string }
  | {
      readonly kind: 'saml-told'
      readonly method: string
      readonly code: string
      readonly proven: Proven
    }
  | { readonly kind: 'passkey'; readonly challenge: string }
  /** The password of this break-glass account was right; its security key is missing. */
  | { readonly kind: 'key'; readonly account: string; readonly challenge?: string }
  | { readonly kind: 'invite'; readonly secret: string; readonly account: string }

export interface Flow {
  readonly id: string
  /** Path on our origin. */
  readonly returnTo: string
  /** Whether the person must prove it anew; that may turn out on the way. */
  isFresh: boolean
  readonly method: string | undefined
  readonly endsMs: number
  browser: BrowserHash | undefined
  /** The network of the browser that opened it; empty until one does. */
  place: string
  awaited: Awaited | undefined
  tries: number
}

interface Coded {
  readonly signedIn: SignedIn
  readonly browser: BrowserHash
  readonly endsMs: number
}

export class Flows {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #flows = new Map<string, Flow>()
  /** Ids of those by their place, oldest first. Invariant: each flow is in the one of its place. */
  readonly #places = new Map<string, Set<string>>()
  readonly #codes = new Map<string, Coded>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Begins one. Where there are too many, the oldest of whoever has most is forgotten. */
  start(of: Pick<Flow, 'returnTo' | 'isFresh' | 'method'>): Flow {
    const nowMs = this.#clock.monotonicMs()
    const open = { browser: undefined, place: '', awaited: undefined, tries: 0 }
    const flow: Flow = { id: newId('sf'), ...of, endsMs: nowMs + flowMs, ...open }
    this.#flows.set(flow.id, flow)
    this.#put(flow)
    this.#sweep(nowMs)
    return flow
  }

  /**
   * Opens a sign-in in the first browser that comes; later only in that one.
   * @param ip address of that browser.
   * @returns the flow, and the cookie to set where it was bound just now.
   * @throws {Fault} as `find`.
   */
  open(id: string, cookie: string | undefined, ip: string): { flow: Flow; setCookie?: string } {
    const flow = this.#live(id)
    if (flow.browser !== undefined) return { flow: this.find(id, cookie) }
    const { hash, setCookie } = newBrowser(cookie)
    flow.browser = hash
    this.#take(flow)
    flow.place = networkOf(ip)
    this.#put(flow)
    return { flow, setCookie }
  }

  /**
   * The sign-in of this id, in the browser it is bound to.
   * @throws {Fault} `bad_request` for one that is over or unknown, `refused` in another browser.
   */
  find(id: string, cookie: string | undefined): Flow {
    const flow = this.#live(id)
    if (flow.browser === undefined || !isBrowser(cookie, flow.browser)) {
      const facts = { reason: 'other_browser' }
      throw new Fault('refused', 'This sign-in was begun in another browser. Begin again.', {
        facts,
      })
    }
    if (++flow.tries > triesMax) {
      this.drop(flow)
      throw new Fault('rate_limited', 'That was tried too often. Begin again.', {
        facts: { reason: 'too_many_tries' },
      })
    }
    return flow
  }

  /** The sign-in a provider's post is for, whatever browser carries it: `find` it before the end. */
  unbound(id: string): Flow {
    return this.#live(id)
  }

  /** Ends a sign-in. @returns the code for whoever asked for it. */
  finish(flow: Flow, signedIn: SignedIn): string {
    const nowMs = this.#clock.monotonicMs()
    const { browser } = flow
    if (browser === undefined || !this.#flows.has(flow.id)) throw over()
    this.drop(flow)
    const code = newId('sc')
    keep(this.#codes, code, { signedIn, browser, endsMs: nowMs + codeMs }, nowMs)
    return code
  }

  /** Ends one that leads nowhere. */
  drop(flow: Flow): void {
    this.#flows.delete(flow.id)
    this.#take(flow)
  }

  /** What a code stands for: once, and only to the browser that signed in. */
  redeem(code: string, cookie: string | undefined): SignedIn | undefined {
    const found = this.#codes.get(code)
    // A wrong browser does not use it up: whoever saw a code could else end other people's sign-ins.
    if (found === undefined || !isBrowser(cookie, found.browser)) return undefined
    this.#codes.delete(code)
    return found.endsMs > this.#clock.monotonicMs() ? found.signedIn : undefined
  }

  #live(id: string): Flow {
    const flow = this.#flows.get(id)
    if (flow !== undefined && flow.endsMs > this.#clock.monotonicMs()) return flow
    if (flow !== undefined) this.drop(flow)
    throw over()
  }

  #put({ id, place }: Flow): void {
    const ids = this.#places.get(place) ?? new Set()
    this.#places.set(place, ids.add(id))
  }

  #take({ id, place }: Flow): void {
    const ids = this.#places.get(place)
    ids?.delete(id)
    if (ids?.size === 0) this.#places.delete(place)
  }

  /** Forgets what has ended, and where that is not enough the oldest of the place that has most. */
  #sweep(nowMs: number): void {
    for (const flow of this.#flows.values()) {
      if (flow.endsMs > nowMs) break // All last equally long, in the order in which they began.
      this.drop(flow)
    }
    while (this.#flows.size > flowsMax) {
      let most: Set<string> = new Set()
      for (const ids of this.#places.values()) if (ids.size > most.size) most = ids
      const [oldest = ''] = most
      const flow = this.#flows.get(oldest)
      assert(flow !== undefined, 'each flow is in the place it is said to be in')
      this.drop(flow)
    }
  }
}

/** Takes out what a sign-in waits for, if it is of this kind. @throws {Fault} `bad_request` else. */
export function take<K extends Awaited['kind']>(
  flow: Flow,
  kind: K,
): Extract<Awaited, { kind: K }> {
  const { awaited } = flow
  flow.awaited = undefined
  if (awaited !== undefined && isOf(awaited, kind)) return awaited
  const facts = { reason: 'not_awaited' }
  throw new Fault('bad_request', 'This sign-in does not wait for that. Begin again.', { facts })
}

function isOf<K extends Awaited['kind']>(
  awaited: Awaited,
  kind: K,
): awaited is Extract<Awaited, { kind: K }> {
  return awaited.kind === kind
}

function over(): Fault {
  const facts = { reason: 'unknown_or_over' }
  return new Fault('bad_request', 'This sign-in is over, or took too long. Begin again.', { facts })
}

/** Maps keep the order of insertion and all entries last equally long: the first end first. */
function keep<T extends { readonly endsMs: number }>(
  all: Map<string, T>,
  key: string,
  value: T,
  nowMs: number,
): void {
  all.set(key, value)
  for (const [oldest, { endsMs }] of all) {
    if (all.size <= codesMax && endsMs > nowMs) break
    all.delete(oldest)
  }
}
