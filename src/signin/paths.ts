/** Where a browser may be sent after a sign-in: a path on our own origin, and nowhere else. */

/**
 * A path with its query as the URL standard reads it on an origin, so that what is checked is what a
 * browser will do (RFC 9700 §4.11, open redirectors).
 * @param origin ours, such as `https://gw.example`.
 * @param value from outside or from the house: `/console?x=1`.
 * @returns undefined unless it is a path on exactly this origin.
 */
export function pathOn(origin: string, value: string): string | undefined {
  // `//e` and `/\e` name another host; tabs and line ends are dropped by browsers before they look.
  if (!/^\/(?![/\\])/.test(value) || /[\p{Cc}\\]/u.test(value)) return undefined
  const url = URL.parse(value, origin)
  if (url === null || url.origin !== origin || url.pathname.startsWith('//')) return undefined
  return `${url.pathname}${url.search}`
}

/** The same path with one more member in its query. @param path of `pathOn`. */
export function withQuery(path: string, name: string, value: string): string {
  const url = new URL(path, 'http://own.invalid')
  url.searchParams.set(name, value)
  return `${url.pathname}${url.search}`
}

/** Whether a host is this very machine, where plain HTTP is as good as TLS. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
