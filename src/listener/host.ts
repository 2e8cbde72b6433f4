/**
 * DNS rebinding: a page somewhere makes a browser call a gateway it can reach and the page cannot.
 * The browser tells on it by Host and Origin (MCP 2025-11-25, Transports, Security Warning).
 */
import { Fault } from '../base/fault.ts'
import type { RequestHeaders } from './headers.ts'

const loopback = ['localhost', '127.0.0.1', '[::1]']

/** What of the listener decides which names it answers to. */
export interface HostRules {
  /** The address the listener is bound to. */
  readonly bound: string
  /** Origin of the gateway as clients see it: its host is allowed, and it is an allowed origin. */
  readonly publicUrl?: string
  /** More `Host` values: `name` with any port, or `name:port`. */
  readonly hosts?: readonly string[]
  /** More `Origin` values: `https://app.example`, or `http://localhost:*` for any port. */
  readonly origins?: readonly string[]
}

/**
 * The `Host` values of a listener: its own address, its loopback names if it is bound to loopback,
 * the host of `publicUrl`, and what is configured.
 */
export function allowedHosts(rules: HostRules): readonly string[] {
  const own = isLoopback(rules.bound) ? loopback : isAny(rules.bound) ? [] : [inUrl(rules.bound)]
  const open = rules.publicUrl === undefined ? [] : [new URL(rules.publicUrl).hostname]
  return [...new Set([...own, ...open, ...(rules.hosts ?? [])].map((host) => host.toLowerCase()))]
}

/**
 * The `Origin` values of a listener: pages of its own loopback names if it is bound to loopback,
 * the origin of `publicUrl`, and what is configured.
 */
export function allowedOrigins(rules: HostRules): readonly string[] {
  const pages = loopback.flatMap((name) => [`http://${name}:*`, `https://${name}:*`])
  const own = isLoopback(rules.bound) ? pages : []
  const open = rules.publicUrl === undefined ? [] : [new URL(rules.publicUrl).origin]
  return [
    ...new Set([...own, ...open, ...(rules.origins ?? [])].map((origin) => origin.toLowerCase())),
  ]
}

/**
 * Checks Host and Origin of a request. A request without Origin does not come from a page.
 * @param hosts as from `allowedHosts`: lower case; without a port, any port will do.
 * @param origins as from `allowedOrigins`: lower case; `:*` at the end takes any port or none.
 * @throws {Fault} `host_refused` when Host is absent, repeated, unreadable or not allowed;
 *   `origin_refused` when Origin is repeated or not allowed (`null` never is).
 */
export function checkHost(
  headers: Pick<RequestHeaders, 'get' | 'count'>,
  hosts: readonly string[],
  origins: readonly string[],
): void {
  const host = headers.get('host')?.toLowerCase()
  if (host === undefined) throw refusedHost('missing')
  if (headers.count('host') !== 1) throw refusedHost('repeated')
  if (!hosts.includes(host) && !hosts.includes(withoutPort(host))) throw refusedHost('not_allowed')
  const origin = headers.get('origin')?.toLowerCase()
  if (origin === undefined) return
  if (headers.count('origin') !== 1) throw refusedOrigin('repeated')
  if (!origins.includes(origin) && !origins.includes(`${withoutPort(origin)}:*`)) {
    throw refusedOrigin('not_allowed')
  }
}

function withoutPort(text: string): string {
  const colon = text.lastIndexOf(':')
  if (colon < 0) return text
  const port = text.slice(colon + 1)
  return /^\d{1,5}$/.test(port) ? text.slice(0, colon) : text
}

function isLoopback(bound: string): boolean {
  return bound === 'localhost' || bound === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bound)
}

function isAny(bound: string): boolean {
  return bound === '0.0.0.0' || bound === '::' || bound === ''
}

function inUrl(bound: string): string {
  return bound.includes(':') ? `[${bound}]` : bound
}

function refusedHost(reason: string): Fault {
  const message =
    'The Host header does not name this gateway. If it should, add the name to listen.hosts.'
  return new Fault('host_refused', message, { facts: { reason } })
}

function refusedOrigin(reason: string): Fault {
  const message =
    'Pages of this Origin may not call the gateway. If they should, add it to listen.origins.'
  return new Fault('origin_refused', message, { facts: { reason } })
}
