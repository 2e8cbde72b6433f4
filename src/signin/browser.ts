/**
 * Which browser it is. Each sign-in under way has a secret of its own in one cookie, so what is
 * known beforehand (a cookie planted by somebody else) never names a later sign-in.
 *
 *     __Host-sallyport-login = SECRET.SECRET.SECRET      newest last, a few tabs at most
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { parse, serialize } from 'hono/utils/cookie'

export const cookieName = '__Host-sallyport-login'
const secretForm = /^[\w-]{43}$/
const secretsMax = 5
const keptSeconds = 900

/** What the server keeps of a browser's secret. */
export type BrowserHash = Buffer

/**
 * A new secret beside those a browser has.
 * @param cookie the request's `Cookie` header.
 * @returns the `Set-Cookie` header (RFC 6265bis §4.1.3.2, the `__Host-` prefix), and what to keep.
 */
export function newBrowser(cookie: string | undefined): { hash: BrowserHash; setCookie: string } {
  const secret = randomBytes(32).toString('base64url')
  const value = [...secretsOf(cookie).slice(1 - secretsMax), secret].join('.')
  const setCookie = serialize(cookieName, value, {
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: keptSeconds,
  })
  return { hash: hashOf(secret), setCookie }
}

/** Whether this is the browser that was given the secret behind a hash. */
export function isBrowser(cookie: string | undefined, hash: BrowserHash): boolean {
  return secretsOf(cookie).some((secret) => timingSafeEqual(hashOf(secret), hash))
}

function secretsOf(cookie: string | undefined): string[] {
  const value = parse(cookie ?? '', cookieName)[cookieName] ?? ''
  return value.split('.', secretsMax).filter((secret) => secretForm.test(secret))
}

function hashOf(secret: string): BrowserHash {
  return createHash('sha256').update(secret).digest()
}
