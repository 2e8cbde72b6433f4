/** Who may call: a bearer secret from an address that is expected. Everybody else is nobody. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { plainIp } from '../listener/source.ts'
import type { Source } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'

/** A secret that may change while we run. */
export interface ScimToken {
  read(): { reveal(): string }
}

export interface DoorOptions {
  readonly tokens: readonly ScimToken[]
  readonly allowFrom: readonly string[]
  readonly note: Note
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** Lets a request in, or throws. */
export type Door = (authorization: string | null, source: Source) => Promise<void>

/** As many as 24 random bytes have in Base64. A right secret is let in however many were wrong. */
const secretCharactersMin = 32
const failuresPerMinute = 10
const addressesMax = 10_000

/**
 * A right secret passes even while wrong ones from its address are turned away: Entra calls for all
 * its tenants from the same addresses, so a stranger's wrong secret must not keep leavers in. What
 * makes guessing hopeless is the length of the secret, which is why short ones are refused.
 * @throws {Fault} `config_bad` for a secret of less than 32 characters, or none at all;
 *   `secret_missing` when one cannot be read.
 */
export function createDoor({ allowFrom, clock, note, tokens }: DoorOptions): Door {
  const isExpected = addressCheck(allowFrom)
  const failures = new Failures(clock)
  if (tokens.length === 0 || tokens.some((token) => !isLong(token.read().reveal()))) {
    const message = `A SCIM secret has ${secretCharactersMin} characters at least; make it by openssl rand -base64 32.`
    throw new Fault('config_bad', message)
  }
  return async (authorization, source) => {
    const reason = isExpected(source.ip) ? whyNot(authorization, tokens) : 'address'
    if (reason === undefined) return
    const { isTold, untold } = failures.add(source.ip)
    if (!isTold) throw new Fault('rate_limited', 'Too many requests without a right secret.')
    const details = { method: 'scim', reason, ...(untold === 0 ? {} : { notRecorded: untold }) }
    await note('signin.refused', { source }, details)
    throw new Fault('no_identity', 'A SCIM secret of this gateway is needed.')
  }
}

/** The machine's word for why a request is refused; undefined when it is not. */
function whyNot(
  authorization: string | null,
  tokens: readonly ScimToken[],
): 'token_missing' | 'token_wrong' | undefined {
  const [, sent] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
  if (sent === undefined) return 'token_missing'
  // Each is looked at, so that time tells neither which one it was nor how much of it was right.
  const unread: unknown[] = []
  const right = tokens.map((token) => {
    try {
      return isSame(sent, token.read().reveal())
    } catch (error) {
      unread.push(error) // The other secret may still let somebody in.
      return false
    }
  })
  if (right.includes(true)) return undefined
  const [fault] = unread
  if (fault !== undefined) throw fault
  return 'token_wrong'
}

function isSame(sent: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(sent), digest(secret)) && isLong(secret)
}

function isLong(secret: string): boolean {
  return secret.length >= secretCharactersMin
}

/** @param ranges addresses and CIDR ranges, checked with the configuration; empty: any. */
function addressCheck(ranges: readonly string[]): (ip: string) => boolean {
  if (ranges.length === 0) return () => true
  const list = new BlockList()
  for (const range of ranges) {
    const [ip = '', bits] = range.split('/')
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(ip, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return (address) => {
    const ip = plainIp(address)
    const version = isIP(ip)
    return version !== 0 && list.check(ip, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/** Refusals by address: a few a minute are recorded and answered as such, the rest are counted. */
class Failures {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #byAddress = new Map<string, { sinceMs: number; count: number }>()
  #untold = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** @returns whether this one is to be recorded, and how many were not since the last that was. */
  add(ip: string): { isTold: boolean; untold: number } {
    const nowMs = this.#clock.monotonicMs()
    const known = this.#byAddress.get(ip)
    const isOpen = known !== undefined && nowMs - known.sinceMs < 60_000
    const entry = isOpen ? { ...known, count: known.count + 1 } : { sinceMs: nowMs, count: 1 }
    this.#byAddress.delete(ip)
    this.#byAddress.set(ip, entry)
    const [oldest] = this.#byAddress.keys()
    if (this.#byAddress.size > addressesMax && oldest !== undefined) this.#byAddress.delete(oldest)
    const isTold = entry.count <= failuresPerMinute
    const untold = this.#untold
    this.#untold = isTold ? 0 : untold + 1
    return { isTold, untold }
  }
}
