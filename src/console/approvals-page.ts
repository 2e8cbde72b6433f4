/** The page of held calls: what waits for me first, then what waits for others, then what ended. */
import { html } from 'hono/html'
import type { Ticket } from '../hold/ticket.ts'
import type { Delegation } from '../hold/tickets.ts'
import type { PendingChange } from '../inspect/pins.ts'
import { page, time } from './frame.ts'
import type { Markup } from './frame.ts'
import type { Asker } from './parts.ts'
import { factTitle } from './sql-words.ts'
import { strange } from './strange.ts'
import { approvalsOf, nameOf, standingWords, stateNames, titleOf } from './ticket-words.ts'

export const approvalsScript = '/approvals.js'

export interface Approvals {
  /** The one that ends first ahead. */
  readonly waiting: readonly Ticket[]
  /** Those that are open besides. */
  readonly others: readonly Ticket[]
  readonly toReview: readonly Ticket[]
  readonly ended: readonly Ticket[]
  /** Of the next page of those that ended. */
  readonly cursor: string | undefined
  readonly changes: readonly Changed[]
  /** Missing for who cannot let anybody decide for them. */
  readonly delegations: readonly NamedDelegation[] | undefined
}

export interface Changed {
  readonly change: PendingChange
  readonly lines: readonly string[]
  readonly mayAccept: boolean
}

export type NamedDelegation = Delegation & {
  readonly fromName: string
  readonly toName: string
}

export function approvalsPage(asker: Asker, of: Approvals): Markup {
  const { changes, cursor, delegations, ended, others, toReview, waiting } = of
  const nothing = html`<p>
    Nothing waits for you. A call that a rule holds appears here when you are one of its reviewers.
  </p>`
  const body = html`<p role="status" data-status></p>
    <section aria-labelledby="waiting">
      <h2 id="waiting">Waits for you (${waiting.length})</h2>
      ${waiting.length === 0 ? nothing : ticketList(waiting)}
    </section>
    ${section('review', 'Ran in an emergency, to be reviewed', toReview)}
    ${section('others', 'Other calls that are open', others)}
    ${changes.length === 0 ? '' : changeList(changes)}
    <section aria-labelledby="ended">
      <h2 id="ended">Ended lately</h2>
      ${
        ended.length === 0
          ? html`<p>No call that you may see has ended yet.</p>`
          : ticketList(ended)
      }
      ${cursor === undefined ? '' : html`<p><a href="/approvals?cursor=${cursor}">Older ones</a></p>`}
    </section>
    ${delegations === undefined ? '' : delegationPart(asker, delegations)}`
  return page(asker, 'Approvals', body, approvalsScript)
}

/** Where a gateway holds no calls. */
export function noApprovalsPage(asker: Asker): Markup {
  return page(asker, 'Approvals', html`<p>This gateway holds no calls.</p>`)
}

function section(id: string, title: string, tickets: readonly Ticket[]): Markup | string {
  if (tickets.length === 0) return ''
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title} (${tickets.length})</h2>
    ${ticketList(tickets)}
  </section>`
}

function ticketList(tickets: readonly Ticket[]): Markup {
  return html`<ul class="cards">
    ${tickets.map(ticketLine)}
  </ul>`
}

function ticketLine(ticket: Ticket): Markup {
  const { createdMs, id, notAfterMs, reason, requester, state } = ticket
  const isPending = state === 'pending'
  return html`<li data-ticket="${id}" data-state="${state}">
    <a href="/approvals/${id}">${strange(titleOf(ticket))}</a>
    <span class="state">${stateNames[state]}</span>
    <p>${about(ticket)}${reason}</p>
    <p class="soft">
      ${strange(nameOf(requester))},
      ${time(createdMs)}${isPending ? html` · ${approvalsOf(ticket)} · ${until(notAfterMs)}` : ''}
    </p>
  </li>`
}

/** What the call is about, in a few words: names of tables, no literal of it. */
function about({ facts }: Ticket): Markup | string {
  const titles = facts.sql.slice(0, 3).map(factTitle)
  if (titles.length === 0) return ''
  const more = facts.sql.length > titles.length ? '; …' : ''
  return html`<strong>${strange(`${titles.join('; ')}${more}`)}</strong>. `
}

/** A moment to come; the script says how long it is to it. */
export function until(ms: number): Markup {
  return html`until ${time(ms)} <span data-until="${new Date(ms).toISOString()}"></span>`
}

function changeList(changes: readonly Changed[]): Markup {
  return html`<section aria-labelledby="tools">
    <h2 id="tools">Tools that changed (${changes.length})</h2>
    <p class="soft">
      What a tool says of itself is read by models. Where rules say so, a tool that changed is held
      until a person accepts the difference.
    </p>
    ${changes.map(changePart)}
  </section>`
}

function changePart({ change, lines, mayAccept }: Changed): Markup {
  const { connection, id, parts, sinceMs, standing, tool } = change
  const name = `${tool} on ${connection}`
  const takings =
    standing === 'returned'
      ? ([['pinned', 'Keep the pinned form']] as const)
      : ([
          ['new', 'Accept the new form'],
          ['beside', 'Accept both forms'],
        ] as const)
  const field = `reason-${id}`
  const form = html`<form data-accept="${id}" novalidate>
    <label for="${field}">Why it is good, for the record</label>
    <input
      id="${field}"
      name="reason"
      required
      maxlength="1000"
      aria-describedby="${field}-error"
    />
    <p id="${field}-error" class="error" data-error></p>
    ${takings.map(
      ([taking, words], i) =>
        html`<button disabled value="${taking}" class="${i === 0 ? '' : 'second'}">
          ${words}
        </button> `,
    )}
  </form>`
  return html`<article aria-label="${name}">
    <h3>${strange(name)}</h3>
    <p>${standingWords[standing]} Seen ${time(sinceMs)}; it differs in ${parts.join(', ')}.</p>
    <pre>${strange(lines.join('\n'))}</pre>
    ${mayAccept ? form : html`<p class="soft">An approver accepts it.</p>`}
  </article>`
}

function delegationPart(asker: Asker, delegations: readonly NamedDelegation[]): Markup {
  const line = (one: NamedDelegation): Markup => {
    const isMine = one.from === asker.id
    const words = isMine
      ? html`${one.toName} decides for you`
      : one.to === asker.id
        ? html`You decide for ${one.fromName}`
        : html`${one.toName} decides for ${one.fromName}`
    const mayEnd = isMine || one.to === asker.id
    return html`<li>
      ${words} until ${time(one.untilMs)}. <span class="soft">${one.reason}</span> ${
        mayEnd
          ? html`<button
              class="second"
              disabled
              data-end="${one.id}"
              aria-label="End: ${one.toName} decides for ${one.fromName}"
            >
              End
            </button>`
          : ''
      }
    </li>`
  }
  const form = html`<form data-delegate novalidate>
    <label for="delegate">Who decides for you: e-mail, name or id</label>
    <input id="delegate" name="to" required maxlength="1000" aria-describedby="delegate-error" />
    <label for="delegate-until">Until</label>
    <input
      id="delegate-until"
      name="until"
      type="datetime-local"
      required
      aria-describedby="delegate-error"
    />
    <label for="delegate-why">Why, for the record</label>
    <input
      id="delegate-why"
      name="reason"
      required
      maxlength="1000"
      aria-describedby="delegate-error"
    />
    <p id="delegate-error" class="error" data-error></p>
    <button disabled>Let them decide</button>
  </form>`
  return html`<section aria-labelledby="delegations">
    <h2 id="delegations">While you are away</h2>
    ${
      delegations.length === 0
        ? html`<p>Nobody decides for you.</p>`
        : html`<ul class="cards">
            ${delegations.map(line)}
          </ul>`
    }
    ${asker.roles.has('approver') && asker.session !== undefined ? form : ''}
  </section>`
}
