/** What stands around every page: the headers it goes out with, and which posts are ours. */
import type { MiddlewareHandler } from 'hono'
import { Fault } from '../base/fault.ts'

/** Nothing inline, nothing foreign (CSP Level 3). `Referrer-Policy` is not `no-referrer`, which
 *  would turn the `Origin` of our own forms into `null`. */
const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Permissions-Policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self)',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
}

/** Sets those headers on every answer; what a handler said of caching stays. */
export const guarded: MiddlewareHandler = async (c, next) => {
  await next()
  for (const [name, value] of Object.entries(pageHeaders)) c.res.headers.set(name, value)
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
}

/**
 * Whether a request that changes something was made by a page of ours: `Origin` is there and is our
 * own, and the browser does not say otherwise (Fetch Metadata). A sibling subdomain (`same-site`) is
 * as foreign as any other.
 */
export function isOwnPost(headers: Headers, origin: string): boolean {
  const site = headers.get('sec-fetch-site')
  return headers.get('origin') === origin && (site === null || site === 'same-origin')
}

/** Lets only our own pages post. @throws {Fault} `origin_refused` for any other. */
export function ownPostsOnly(origin: string): MiddlewareHandler {
  return async (c, next) => {
    if (!isOwnPost(c.req.raw.headers, origin)) {
      const facts = { reason: 'foreign_post' }
      throw new Fault('origin_refused', 'This was not sent by a page of this site.', { facts })
    }
    await next()
  }
}
