/** A browser without eyes: cookies by path, redirects one by one. */

export interface Seen {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Cookies by path, redirects one by one, never off the gateway's origin. */
export class Browser {
  readonly #origin: string
  readonly #jar: { name: string; value: string; path: string }[] = []

  constructor(origin: string) {
    this.#origin = origin
  }

  cookies(path: string): string {
    return this.#jar
      .filter((one) => path === one.path || path.startsWith(one.path.replace(/\/?$/, '/')))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  async send(url: string | URL, init: RequestInit = {}): Promise<Seen> {
    const at = new URL(url, this.#origin)
    const headers = new Headers(init.headers)
    const cookie = this.cookies(at.pathname)
    if (cookie !== '') headers.set('cookie', cookie)
    const answer = await fetch(at, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) this.#keep(line, at.pathname)
    return { url: at, status: answer.status, headers: answer.headers, text: await answer.text() }
  }

  /** Follows redirects up to a page, or to the first address that is not the gateway's. */
  async visit(url: string | URL): Promise<Seen> {
    let seen = await this.send(url)
    for (let hops = 0; hops < 15; hops++) {
      const to = seen.headers.get('location')
      if (to === null) return seen
      const next = new URL(to, seen.url)
      if (next.origin !== this.#origin) return { ...seen, url: next }
      seen = await this.send(next)
    }
    throw new Error('redirected without end')
  }

  /** Presses a button of a consent page, and follows to where the program waits. */
  async press(
    page: Seen,
    answer: 'allow' | 'deny',
    headers: Record<string, string> = {},
  ): Promise<Seen> {
    const after = await this.post(page, answer, headers)
    const to = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(after.text)?.[1]
    return to === undefined ? after : await this.visit(to.replaceAll('&amp;', '&'))
  }

  async post(page: Seen, answer: string, headers: Record<string, string> = {}): Promise<Seen> {
    const action = /action="([^"]+)"/.exec(page.text)?.[1] ?? '/no-form'
    const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    return await this.send(action, {
      method: 'POST',
      body: new URLSearchParams({ token, answer }),
      headers: { origin: this.#origin, 'sec-fetch-site': 'same-origin', ...headers },
    })
  }

  #keep(line: string, from: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const path = attributes.find((one) => one.toLowerCase().startsWith('path='))?.slice(5) ?? from
    const at = this.#jar.findIndex((one) => one.name === name && one.path === path)
    if (at >= 0) this.#jar.splice(at, 1)
    if (value !== '' && !/expires=Thu, 01 Jan 1970/i.test(line))
      this.#jar.push({ name, value, path })
  }
}

/** Where a page that keeps the browser here would lead. */
export function offOf({ text }: Seen): URL | undefined {
  const href = /<a id="off"[^>]* href="([^"]+)"/.exec(text)?.[1]
  return href === undefined ? undefined : new URL(href.replaceAll('&amp;', '&'))
}

/** The error of a request that was refused on a page of ours, with a link to the program. */
export function refusalOf(seen: Seen): string | null | undefined {
  if (seen.headers.has('location')) return `sent to ${seen.url.origin}`
  return offOf(seen)?.searchParams.get('error')
}
