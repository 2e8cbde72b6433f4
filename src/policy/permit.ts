/**
 * The decision on one request, and the evidence of it. Only this file makes a `Permit`; `upstream`
 * sends nothing without one (MCP has no authorization of its own below the HTTP request).
 *
 *     decide           grants cover it                             -> Granted
 *     permit           Granted, and rules allow it                 -> Permit
 *     permitApproved   Granted, rules hold it, people approved it  -> Permit
 */
import { Fault } from '../base/fault.ts'
import type { Approval } from '../hold/approval.ts'
import type { Access } from './grants.ts'
import type { Verdict } from './verdict.ts'

/** What policy looks at: the request as the body says it, never as its headers do. */
export interface Asked {
  readonly kind: 'request' | 'notification' | 'response' | 'stream' | 'end'
  /** The JSON-RPC method; undefined for responses and for the two HTTP verbs without a body. */
  readonly method: string | undefined
  readonly target: { readonly kind: string; readonly name: string }
  /** Resource URIs of a `subscriptions/listen`. */
  readonly listensTo?: readonly string[]
  /** Whether the server is known to wait for this posted response, from this very session. */
  readonly isAwaited?: boolean
  /** Whether the task named belongs to this principal, as far as the gateway knows. */
  readonly isTaskOfOther?: boolean
}

class GrantedRequest {
  readonly #access: Access
  /** Names the bytes that were looked at. */
  readonly digest: string
  /** The grants it rests on, for the record. */
  readonly grants: readonly string[]

  constructor(access: Access, digest: string) {
    this.#access = access
    this.digest = digest
    this.grants = access.grants
  }

  /** @throws {Fault} as `decide`, where the same grants do not cover another call. */
  check(method: string, name: string): void {
    const kind = kinds[method] ?? 'none'
    checkMethod(this.#access, { kind: 'request', method, target: { kind, name } }, method)
  }
}
/** Grants cover the request; rules have not been asked yet. */
export type Granted = GrantedRequest

const kinds: Readonly<Record<string, string>> = {
  'tools/call': 'tool',
  'prompts/get': 'prompt',
  'resources/read': 'resource',
}

class PolicyPermit {
  readonly #digest: string
  readonly #approval: Approval | undefined
  #isSpent = false
  /** The grants it rests on, for the record. */
  readonly grants: readonly string[]

  constructor(digest: string, grants: readonly string[], approval?: Approval) {
    this.#digest = digest
    this.#approval = approval
    this.grants = grants
  }

  covers(digest: string): boolean {
    return this.#digest === digest
  }

  /** Takes the permit out of use, before the first byte leaves, and its approval with it.
   *  @throws {Fault} `refused` if it was. */
  spend(): void {
    if (this.#isSpent) throw new Fault('refused', 'A permit is good for one sending; it was spent.')
    this.#isSpent = true
    this.#approval?.spend()
  }
}
/** The type leaves the file, the constructor never does. */
export type Permit = PolicyPermit

/** Methods which every grant on a connection includes: they open, keep and list. */
export const openMethods: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'logging/setLevel',
  'subscriptions/listen',
  'tasks/list',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
])

/** Methods whose target carries the decision. */
const targeted: ReadonlySet<string> = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'tasks/get',
  'tasks/result',
  'tasks/update',
  'tasks/cancel',
])

/**
 * Decides one HTTP request by the grants that hold: every message it carries, or none.
 * @param digest an HMAC over the bytes that will be sent, under a key of this process.
 * @param all the messages of the body: one, or the elements of a batch (MCP 2025-03-26).
 * @throws {Fault} `tool_unknown` or `target_unknown` for what the principal has no grant for: it is
 *   told what a server says of a name it does not know. `refused` for everything else.
 */
export function decide(access: Access, digest: string, all: readonly Asked[]): Granted {
  for (const asked of all) {
    if (asked.kind === 'response' && asked.isAwaited !== true) {
      throw refused('response_not_awaited', 'No request of the server waits for this answer here.')
    }
    if (asked.method !== undefined) checkMethod(access, asked, asked.method)
  }
  return new GrantedRequest(access, digest)
}

/**
 * @param verdict what rules say of this request: of its messages the strictest.
 * @throws {Fault} `refused` where it is not `allow`: `facts.reason` is `rule` or `held`, `facts.rule`
 *   the deciding rule.
 */
export function permit({ digest, grants }: Granted, verdict: Verdict): Permit {
  if (verdict.effect !== 'allow') throw ruled(verdict)
  return new PolicyPermit(digest, grants)
}

/**
 * @param verdict what rules say now: a denial that came meanwhile stands.
 * @param of the approval, the call it must cover, and the digest of the bytes that will be sent.
 * @throws {Fault} `refused` where a rule denies it, or the approval is for another call; as `decide`
 *   where the grants of whoever asks now do not cover the call.
 */
export function permitApproved(
  granted: Granted,
  verdict: Verdict,
  of: { approval: Approval; call: Parameters<Approval['covers']>[0]; digest: string },
): Permit {
  if (verdict.effect === 'deny') throw ruled(verdict)
  const { approval, call, digest } = of
  granted.check(call.method, call.tool)
  if (!approval.covers(call)) {
    throw refused('approval_for_other', 'The approval is for another call; nothing was sent.')
  }
  return new PolicyPermit(digest, granted.grants, approval)
}

/** The rule's own reason, which its writer meant to be read. */
function ruled({ effect, matched, reason }: Verdict): Fault {
  const [first] = matched
  const facts = {
    reason: effect === 'hold' ? 'held' : 'rule',
    ...(first === undefined ? {} : { rule: first.rule }),
  }
  const words =
    effect === 'hold' ? 'This waits for a person: ' : 'A rule of this gateway refuses this: '
  return new Fault('refused', `${words}${reason} Nothing was sent.`, { facts })
}

function checkMethod(access: Access, asked: Asked, method: string): void {
  for (const uri of asked.listensTo ?? []) {
    if (!access.allows('resource', uri)) throw unknown('resource')
  }
  if (openMethods.has(method)) return
  if (!targeted.has(method)) {
    if (access.allows('method', method)) return
    throw refused('method_not_granted', 'No grant covers this method; nothing was sent.')
  }
  const { kind, name } = asked.target
  if (kind === 'task') {
    if (asked.isTaskOfOther === true) throw unknown('task')
    return
  }
  if (kind === 'tool' || kind === 'prompt' || kind === 'resource') {
    if (access.allows(kind, name)) return
    throw unknown(kind)
  }
  // Without a target there is nothing to compare; only a grant of everything covers it.
  if (access.allows('method', method)) return
  throw new Fault('bad_params', 'The request names no target in its params; nothing was sent.')
}

function refused(reason: string, message: string): Fault {
  return new Fault('refused', message, { facts: { reason } })
}

/** The text a server gives, without the name: it may hold a card number. */
function unknown(kind: 'tool' | 'prompt' | 'resource' | 'task'): Fault {
  const code = kind === 'tool' ? 'tool_unknown' : 'target_unknown'
  const message = `Unknown ${kind}: there is none of this name that you may use.`
  return new Fault(code, message, { facts: { reason: `${kind}_not_granted` } })
}
