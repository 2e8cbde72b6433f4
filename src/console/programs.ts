/** Programs at the API: whose token it is, whether that is good here, and the record of both. */
import { Fault } from '../base/fault.ts'
import { Bounded } from '../identity/bounded.ts'
import type { Principal } from '../identity/principal.ts'
import type { Source } from '../record/entry.ts'
import type { ConsoleParts, ConsoleRoom } from './parts.ts'

/** A token in use is recorded again after this time. */
const toldMs = 3_600_000
/** Refusals of one address with an entry of their own, each minute. */
const refusalsPerMinute = 60

export function createPrograms(parts: ConsoleParts): ConsoleRoom['programOf'] {
  const told = new Bounded<number>(1000)
  const admits = refusalBudget(parts)
  return async (authorization, source) => {
    let principal: Principal
    try {
      principal = await parts.identify([authorization])
      checkGood(principal, parts)
    } catch (error) {
      if (error instanceof Fault && error.code === 'no_identity' && admits(source.ip)) {
        const reason = String(error.facts['reason'] ?? error.code)
        // The program is refused either way, so a record that is down changes nothing for it.
        const details = { at: 'console', method: 'token', reason }
        await parts.note('signin.refused', { source }, details).catch(() => undefined)
      }
      throw error
    }
    await tellUse(principal, source)
    const { issuer, kind, name, subject } = principal
    return {
      bearer: principal,
      id: parts.directory.find(issuer, subject)?.id ?? '',
      name: name ?? subject,
      kind,
      roles: parts.rolesOf(principal),
      session: undefined,
      source,
    }
  }

  /** @throws {Fault} `record_down`, `record_full`: nobody comes in unrecorded. */
  async function tellUse(principal: Principal, source: Source): Promise<void> {
    const { clientId: client, issuer, kind, name, subject, tokenId: token } = principal
    const key = JSON.stringify([issuer, subject, token ?? principal.issuedAtMs])
    const nowMs = parts.clock.monotonicMs()
    const lastMs = told.get(key)
    if (lastMs !== undefined && nowMs - lastMs < toldMs) return
    const about = { principal: { issuer, subject, name, kind }, source }
    await parts.note('signin.accepted', about, { at: 'console', method: 'token', client, token })
    told.set(key, nowMs)
  }
}

/** @throws {Fault} `no_identity`. */
function checkGood(principal: Principal, { clock, directory, revocations }: ConsoleParts): void {
  const nowMs = clock.nowUs() / 1000
  const { issuer, subject } = principal
  const isOut =
    revocations.find(principal, undefined, nowMs) !== undefined ||
    directory.hasEnded(issuer, subject, nowMs)
  if (isOut) throw new Fault('no_identity', 'Access was stopped.', { facts: { reason: 'revoked' } })
  if (principal.connections !== undefined) {
    // Whoever made it for some connections meant these and nothing else.
    const message = 'This key is for connections only.'
    throw new Fault('no_identity', message, { facts: { reason: 'audience' } })
  }
}

/** Whoever sends rubbish shall not fill the record. */
function refusalBudget({ clock }: ConsoleParts): (ip: string) => boolean {
  const counts = new Bounded<{ minute: number; count: number }>(10_000)
  return (ip) => {
    const minute = Math.floor(clock.monotonicMs() / 60_000)
    const before = counts.get(ip)
    const count = before?.minute === minute ? before.count + 1 : 1
    counts.set(ip, { minute, count })
    return count <= refusalsPerMinute
  }
}
