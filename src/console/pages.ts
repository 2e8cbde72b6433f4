/** The console's pages as far as they go: what is in force, oneself, and stops. */
import { html } from 'hono/html'
import type { KnownPrincipal } from '../identity/directory.ts'
import type { Revocation } from '../identity/revocations.ts'
import type { Passkey } from '../signin/passkeys.ts'
import { page, time } from './frame.ts'
import type { Markup } from './frame.ts'
import type { Asker, InForce } from './parts.ts'
import type { ConsoleSession } from './sessions.ts'

export function homePage(asker: Asker, is: InForce): Markup {
  const rows = is.connections.map(
    ({ name, resource }) =>
      html`<tr>
        <th scope="row">${name}</th>
        <td>${resource}</td>
      </tr>`,
  )
  const body = html`<dl>
      <dt>Gateway</dt>
      <dd>${is.status}, version ${is.version}</dd>
      <dt>Record</dt>
      <dd>${is.record}</dd>
      <dt>Sessions open</dt>
      <dd>${is.sessions}</dd>
      <dt>The log’s public key, to be kept elsewhere</dt>
      <dd><code>${is.vkey}</code></dd>
    </dl>
    <table>
      <caption>
        Connections
      </caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Address</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    <p class="soft"><a href="/metrics">Metrics</a> · <a href="/readyz">Readiness</a></p>`
  return page(asker, 'In force', body)
}

export interface Mine {
  readonly person: KnownPrincipal
  /** Missing where there can be none. */
  readonly passkeys: readonly Passkey[] | undefined
  readonly sessions: readonly ConsoleSession[]
}

export function mePage(asker: Asker, { passkeys, person, sessions }: Mine): Markup {
  const groups = person.groups.length === 0 ? 'none' : person.groups.join(', ')
  const roles = asker.roles.size === 0 ? 'none' : [...asker.roles].join(', ')
  const body = html`<dl>
      <dt>Name</dt>
      <dd>${asker.name}</dd>
      <dt>Issuer</dt>
      <dd><code>${person.issuer}</code></dd>
      <dt>Subject</dt>
      <dd><code>${person.subject}</code></dd>
      <dt>Groups</dt>
      <dd>${groups}</dd>
      <dt>Roles on this console</dt>
      <dd>${roles}</dd>
    </dl>
    ${passkeys === undefined ? '' : passkeyTable(passkeys)} ${sessionTable(asker, sessions)}`
  return page(asker, 'You', body)
}

function passkeyTable(passkeys: readonly Passkey[]): Markup {
  const rows = passkeys.map(
    ({ id, label, madeMs }) =>
      html`<tr>
        <th scope="row">${label ?? 'Passkey'}</th>
        <td>${time(madeMs)}</td>
        <td>
          <button class="second" disabled data-delete="/api/me/passkeys/${id}">Remove</button>
        </td>
      </tr>`,
  )
  const table = html`<table>
    <caption>
      Passkeys
    </caption>
    <thead>
      <tr>
        <th scope="col">Name</th>
        <th scope="col">Since</th>
        <th scope="col">Change</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
  return html`${
      passkeys.length > 0
        ? table
        : html`<p>
            You have no passkey. With one you sign what you approve, so that it can be proven.
          </p>`
    }
    <form data-enrol>
      <label>Its name <input name="label" maxlength="64" value="Passkey" /></label>
      <button disabled>Add a passkey</button>
    </form>`
}

function sessionTable(asker: Asker, sessions: readonly ConsoleSession[]): Markup {
  const rows = sessions.map((one) => {
    const end =
      one.key === asker.session?.key
        ? html`This one`
        : html`<button class="second" disabled data-delete="/api/me/sessions/${one.key}">
            End
          </button>`
    return html`<tr>
      <th scope="row">${one.ip}</th>
      <td>${one.userAgent}</td>
      <td>${time(one.madeMs)}</td>
      <td>${end}</td>
    </tr>`
  })
  return html`<table>
    <caption>
      Where you are signed in
    </caption>
    <thead>
      <tr>
        <th scope="col">Address</th>
        <th scope="col">Browser</th>
        <th scope="col">Since</th>
        <th scope="col">Change</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

/** @param mayLift whether it is for this asker to take a stop back. */
export function stopsPage(
  asker: Asker,
  stops: readonly Revocation[],
  mayLift: (stop: Revocation) => boolean,
): Markup {
  const mayStop = asker.roles.has('admin') || asker.roles.has('analyst')
  const rows = stops.map(
    (one) =>
      html`<tr>
        <th scope="row">${one.target.kind}</th>
        <td>${nameOf(one)}</td>
        <td>${one.reason}</td>
        <td>${one.by}</td>
        <td>${time(one.fromMs)}</td>
        <td>
          ${
            mayLift(one)
              ? html`<button
                  disabled
                  class="second"
                  data-delete="/api/revocations/${one.id}"
                  data-why="Let ${nameOf(one)} in again"
                >
                  Lift
                </button>`
              : asker.roles.has('admin')
                ? 'By another admin'
                : ''
          }
        </td>
      </tr>`,
  )
  const table = html`<table>
    <caption>
      Who and what is stopped
    </caption>
    <thead>
      <tr>
        <th scope="col">What</th>
        <th scope="col">Which</th>
        <th scope="col">Why</th>
        <th scope="col">By</th>
        <th scope="col">Since</th>
        <th scope="col">Change</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
  const none = html`<p>
    Nobody is stopped. Somebody who leaves is stopped here, by <code>sallyport revoke</code>, or by
    your directory over SCIM.
  </p>`
  return page(
    asker,
    'Stops',
    html`${mayStop ? stopForm() : ''}${stops.length === 0 ? none : table}`,
  )
}

function stopForm(): Markup {
  return html`<form data-find>
      <label>Whom to stop: name, e-mail, subject or id <input name="text" required /></label
      ><button class="second" disabled>Find</button>
    </form>
    <ul data-found aria-live="polite"></ul>`
}

function nameOf({ target }: Revocation): string {
  if ('subject' in target) return `${target.subject} (${target.issuer})`
  if (target.kind === 'client') return target.client
  if (target.kind === 'connection') return target.connection
  if (target.kind === 'token') return target.token
  return target.kind === 'sign-in' ? target.signIn : 'everything'
}
