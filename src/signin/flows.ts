/**
 * Sign-ins under way, and the codes at their end.
 *
 *     start() ──► bound to the first browser that opens it ──► finish() ──► code ──► redeem()
 *        10 minutes, one browser                                  60 seconds, once, the same browser
 *
 * Everything here is in memory: after a restart people begin anew.
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import type { Told } from '../identity/directory.ts'
import { isBrowser, newBrowser } from './browser.ts'
import type { BrowserHash } from './browser.ts'
import type { SignedIn } from './signed-in.ts'

const flowMs = 10 * 60_000
const codeMs = 60_000
const flowsMax = 10_000
/** Requests of one sign-in; a person mistypes a few times. */
const triesMax = 60

/** What a provider or an account proved, before the directory is told. */
export interface Proven {
  readonly told: Told
  readonly authenticatedMs: number
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
  readonly #codes = new Map<string, Coded>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Begins one. Where there are too many, the oldest is forgotten: memory stays bounded. */
  start(of: Pick<Flow, 'returnTo' | 'isFresh' | 'method'>): Flow {
    const nowMs = this.#clock.monotonicMs()
    const open = { browser: undefined, awaited: undefined, tries: 0 }
    const flow: Flow = { id: newId('sf'), ...of, endsMs: nowMs + flowMs, ...open }
    keep(this.#flows, flow.id, flow, nowMs)
    return flow
  }

  /**
   * Opens a sign-in in the first browser that comes; later only in that one.
   * @returns the flow, and the cookie to set where it was bound just now.
   * @throws {Fault} as `find`.
   */
  open(id: string, cookie: string | undefined): { flow: Flow; setCookie?: string } {
    const flow = this.#live(id)
    if (flow.browser !== undefined) return { flow: this.find(id, cookie) }
    const { hash, setCookie } = newBrowser(cookie)
    flow.browser = hash
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
      this.#flows.delete(id)
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
    if (browser === undefined || !this.#flows.delete(flow.id)) throw over()
    const code = newId('sc')
    keep(this.#codes, code, { signedIn, browser, endsMs: nowMs + codeMs }, nowMs)
    return code
  }

  /** Ends one that leads nowhere. */
  drop(flow: Flow): void {
    this.#flows.delete(flow.id)
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
    this.#flows.delete(id)
    throw over()
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
    if (all.size <= flowsMax && endsMs > nowMs) break
    all.delete(oldest)
  }
}
