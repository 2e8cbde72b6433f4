/** What stands around every page of somebody who is signed in, and the one for whoever is not. */
import { html } from 'hono/html'
import type { ConsoleRole } from '../config/types.ts'
import type { Asker } from './parts.ts'

export type Markup = ReturnType<typeof html>

/** Roles that may see who and what is stopped. */
export const stopReaders: readonly ConsoleRole[] = ['admin', 'analyst', 'compliance', 'auditor']

/** A page for somebody who is signed in. @param script of ours besides `/console.js`. */
export function page(asker: Asker, title: string, body: Markup, script?: string): Markup {
  const csrf = asker.session?.csrf ?? ''
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta name="csrf" content="${csrf}" />
        <title>${title} · Sallyport</title>
        <link rel="stylesheet" href="/style.css" />
        <script src="/console.js" defer></script>
        ${script === undefined ? '' : html`<script src="${script}" defer></script>`}
      </head>
      <body>
        <header>
          <nav aria-label="Console">
            <a href="/">In force</a>
            <a href="/approvals">Approvals</a>
            ${maySeeStops(asker) ? html`<a href="/stops">Stops</a>` : ''} <a href="/me">You</a>
          </nav>
          <form method="post" action="/sign-out">
            <input type="hidden" name="csrf" value="${csrf}" /> <span>${asker.name}</span>
            <button class="second">Sign out</button>
          </form>
        </header>
        <main>
          <h1>${title}</h1>
          <p role="alert" data-trouble></p>
          ${body}
        </main>
        ${reasonDialog}
      </body>
    </html>`
}

/** Asks why, before somebody is stopped or let in again. */
const reasonDialog = html`<dialog data-why aria-labelledby="why-title">
  <form method="dialog">
    <h2 id="why-title"></h2>
    <label>Reason, for the record <input name="reason" required maxlength="1000" /></label>
    <button value="yes">Do it</button>
    <button value="no" class="second" formnovalidate>Cancel</button>
  </form>
</dialog>`

function maySeeStops({ roles }: Asker): boolean {
  return stopReaders.some((role) => roles.has(role))
}

/** A moment in milliseconds since 1970, to the minute. */
export function time(ms: number): Markup {
  const iso = new Date(ms).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

/** For whoever is signed out or may not be here. */
export function plainPage(title: string, sentence: string, next = 'To the console'): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} · Sallyport</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p>${sentence}</p>
          <p><a href="/">${next}</a></p>
        </main>
      </body>
    </html>`
}
