/**
 * The pages of the authorization server: no script, no font or image of others. Whatever a client says
 * of itself is a stranger's text: escaped, set apart, and never more than a line.
 */
import { isLoopback } from './metadata.ts'

/** HTML that may be sent as it is: made by `html` below and nowhere else. */
class SafeHtml {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
}
type Html = SafeHtml

/** Where the one stylesheet is served. */
export const stylePath = '/oauth/style.css'

/** Headers of every page (CSP Level 3, Fetch Metadata). */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export const style = `:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif;background:light-dark(#fff,#16181c);color:light-dark(#1a1a1a,#eee)}
body{max-width:36rem;margin:8vh auto;padding:0 1.5rem}
h1{font-size:1.5rem;line-height:1.25}
dl{border-top:1px solid light-dark(#ccc,#555)}
dt{color:light-dark(#555,#aaa);margin-top:.75rem;font-size:.875rem}
dd{margin:0;overflow-wrap:anywhere}
code{font-size:.95em}
.warning{border:2px solid light-dark(#a40000,#ff8a80);padding:.75rem 1rem}
form{display:flex;gap:1rem;margin-top:1.5rem}
button{font:inherit;padding:.5rem 1.5rem;cursor:pointer}
`

/** A template whose values are escaped, but for what is HTML already. */
function html(parts: TemplateStringsArray, ...values: (string | Html)[]): Html {
  const text = parts.map((part, i) => {
    const value = values[i]
    if (value === undefined) return part
    return part + (value instanceof SafeHtml ? value.toString() : escaped(value))
  })
  return new SafeHtml(text.join(''))
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (sign) => names[sign] ?? '')
}

/** Text of a stranger in one line: what turns the reading direction or cannot be seen is shown. */
export function plainLine(text: string, charactersMax = 100): string {
  const seen = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => {
      return `[U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`
    })
    .trim()
  const characters = Array.from(seen)
  return characters.length > charactersMax
    ? `${characters.slice(0, charactersMax).join('')}…`
    : seen
}

function page(title: string, body: Html, head: Html = html``): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} · Sallyport</title>
        <link rel="stylesheet" href="${stylePath}" />
        ${head}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `.toString()
}

/** Who asks for what, as the person is to see it. */
export interface Asked {
  /** What the program calls itself; a stranger's text. */
  readonly name: string | undefined
  readonly clientId: string
  readonly origin: 'configured' | 'dynamic' | 'document'
  /** Names of connections; empty: the whole gateway. */
  readonly connections: readonly string[]
  readonly redirect: URL
  /** A name and what tells namesakes apart. */
  readonly person: { readonly name: string; readonly detail: string }
  readonly action: string
  readonly token: string
}

const origins = {
  configured: 'Set up by the administrators of this gateway.',
  dynamic: 'The program registered itself. Nobody has checked what it says.',
  document: 'The program is described at this address. Nobody has checked what it says there.',
} as const

/** The page that asks a person whether a program may act as them. */
export function consentPage(asked: Asked): string {
  const name = plainLine(asked.name ?? '') || 'A program without a name'
  const wants = asked.connections.map((one) => html`<strong>${one}</strong> `)
  const what =
    wants.length === 0
      ? html`<strong>every connection</strong> of this gateway that you may use`
      : html`${new SafeHtml(wants.join(''))}, and nothing else of this gateway`
  return page(
    'Allow this program?',
    html`<p>
        A program that calls itself <strong><bdi>${name}</bdi></strong> wants to act as you at this
        gateway.
      </p>
      <dl>
        <dt>It wants to use</dt>
        <dd>${what}. It may do there whatever you may do.</dd>
        <dt>Its id</dt>
        <dd><code>${plainLine(asked.clientId, 300)}</code><br />${origins[asked.origin]}</dd>
        <dt>Afterwards you are sent to</dt>
        <dd><code>${targetOf(asked.redirect)}</code></dd>
        <dt>You are signed in as</dt>
        <dd>
          <bdi>${plainLine(asked.person.name)}</bdi>
          <small>${plainLine(asked.person.detail, 300)}</small>
        </dd>
      </dl>
      ${warningOf(asked.redirect)}
      <form method="post" action="${asked.action}">
        <input type="hidden" name="token" value="${asked.token}" />
        <button name="answer" value="allow">Allow</button>
        <button name="answer" value="deny">Deny</button>
      </form>`,
  )
}

/** The host of a web address, the scheme of a program's own. */
export function targetOf(redirect: URL): string {
  const isWeb = redirect.protocol === 'https:' || redirect.protocol === 'http:'
  return isWeb ? redirect.host : `${redirect.protocol}//`
}

function warningOf(redirect: URL): Html {
  if (redirect.protocol === 'http:' && isLoopback(redirect)) {
    return html`<p class="warning">
      <strong>The answer goes to a program on this computer.</strong> Any program that runs here
      could have asked, under any name. Allow it only if you have just started this program
      yourself.
    </p>`
  }
  if (redirect.protocol !== 'https:') {
    return html`<p class="warning">
      <strong
        >The answer goes to whichever program on this computer has taken the addresses that begin
        with “${redirect.protocol}”.</strong
      >
      Allow it only if you have just started this program yourself.
    </p>`
  }
  return html``
}

/** After the answer. The browser goes on by itself: a form may not lead to another origin (CSP). */
export function goingOnPage(to: string, isAllowed: boolean): string {
  return page(
    isAllowed ? 'Allowed' : 'Denied',
    html`<p>You are sent back to the program. <a href="${to}">Go on</a> if nothing happens.</p>`,
    html`<meta http-equiv="refresh" content="0; url=${to}" /> `,
  )
}

const offSentences: Readonly<Record<string, string>> = {
  access_denied: 'You may not use programs at this gateway.',
  temporarily_unavailable: 'Whether you may use it cannot be decided now; try again later.',
  server_error: 'This failed on our side; try again later.',
}

/** What a stranger's program asked for was refused, and it would have the browser go elsewhere. */
export function offPage(name: string | undefined, to: URL, code: string): string {
  const program = plainLine(name ?? '') || 'A program without a name'
  const sentence = offSentences[code] ?? 'The program asked in a way that is not taken here.'
  return page(
    'This did not work',
    html`<p>${sentence} Nothing was allowed.</p>
      <p>
        The program calls itself <strong><bdi>${program}</bdi></strong> and would have you sent to
        <code>${plainLine(targetOf(to), 300)}</code>. Nobody has checked either. If you have just
        started it yourself,
        <a id="off" rel="noreferrer" href="${to.href}">go back to the program</a>; else close this
        page.
      </p>
      <p>
        <small>Code: <code>${plainLine(code)}</code></small>
      </p>`,
  )
}

/** Something went wrong: in a sentence, with what to do. */
export function errorPage(title: string, sentence: string, code?: string): string {
  const line =
    code === undefined
      ? html``
      : html`<p>
          <small>Code: <code>${plainLine(code)}</code></small>
        </p>`
  return page(
    title,
    html`<p>${plainLine(sentence, 300)}</p>
      ${line}`,
  )
}
