/** What somebody can do with a held call, on its page: decide, take back, run in need, review. */
import { html } from 'hono/html'
import type { Ticket } from '../hold/ticket.ts'
import { justificationLengthMax, justificationLengthMin } from '../hold/words.ts'
import type { Markup } from './frame.ts'
import type { Standing } from './ticket-sight.ts'

export interface Deciding {
  readonly ticket: Ticket
  readonly standing: Standing
  /** How many passkeys the asker has. */
  readonly passkeys: number
  /** Those for whom the asker may decide, by id and name. */
  readonly actsFor: readonly (readonly [id: string, name: string])[]
}

export function deciding(of: Deciding): Markup {
  const { standing, ticket } = of
  const { isMine, mayReview, mayRunInEmergency, mayWithdraw, refusal, waitsForMe } = standing
  const isPending = ticket.state === 'pending'
  return html`${waitsForMe ? decisionForm(of) : ''}
  ${
    isPending && !waitsForMe && refusal !== undefined
      ? html`<p class="soft" data-refusal>${refusal.words}</p>`
      : ''
  }
  ${mayReview ? reviewForm(ticket) : ''} ${mayRunInEmergency ? emergencyForm(of) : ''}
  ${
    isMine && mayWithdraw
      ? html`<section aria-labelledby="back">
          <h2 id="back">Your own call</h2>
          <p>Somebody else decides on it. You can take it back; then it never runs.</p>
          <button class="second" disabled data-withdraw="/api/tickets/${ticket.id}/withdraw">
            Take it back
          </button>
        </section>`
      : ''
  }`
}

function justification(id: string, label: string, hint: string): Markup {
  return html`<label for="${id}">${label}</label>
    <textarea
      id="${id}"
      name="justification"
      rows="3"
      required
      maxlength="${justificationLengthMax}"
      aria-describedby="${id}-hint ${id}-error"
    ></textarea>
    <p id="${id}-hint" class="soft">${hint} At least ${justificationLengthMin} letters.</p>
    <p id="${id}-error" class="error" data-error></p>`
}

/** Signed by passkey where the person has one, else by the session where that may be. */
function methodOf({ passkeys, ticket }: Deciding): 'passkey' | 'session' {
  return passkeys > 0 || ticket.terms.needsPasskey ? 'passkey' : 'session'
}

function noPasskey({ passkeys, ticket }: Deciding): Markup | string {
  if (passkeys > 0) return ''
  return ticket.terms.needsPasskey
    ? html`<p class="warning">
        You have no passkey, and this call needs a signature by one.
        <a href="/me">Add a passkey</a>, then come back here.
      </p>`
    : html`<p class="warning">
        You have no passkey. Your decision counts, and is marked as made without one.
      </p>`
}

function decisionForm(of: Deciding): Markup {
  const { actsFor, passkeys, standing, ticket } = of
  const method = methodOf(of)
  const by = method === 'passkey' ? ' with passkey' : ''
  const self = standing.refusal === undefined ? [['', 'Yourself'] as const] : []
  const options = [...self, ...actsFor].map(
    ([id, name]) => html`<option value="${id}">${name}</option>`,
  )
  const choice = html`<label for="for">In whose name</label>
    <select id="for" name="onBehalfOf">
      ${options}
    </select>`
  const isShut = passkeys === 0 && ticket.terms.needsPasskey
  return html`<section aria-labelledby="decide">
    <h2 id="decide">Decide</h2>
    ${noPasskey(of)}
    <form
      data-decide="/api/tickets/${ticket.id}/decisions"
      data-method="${method}"
      ${isShut ? 'data-shut' : ''}
      novalidate
    >
      ${options.length > (self.length === 0 ? 0 : 1) ? choice : ''}
      ${justification('justification', 'Justification', 'Why you approve or deny. It is signed with your decision, and kept.')}
      <button disabled name="decision" value="approve">Approve${by}</button>
      <button disabled name="decision" value="deny" class="second">Deny${by}</button>
    </form>
  </section>`
}

function emergencyForm(of: Deciding): Markup {
  const method = methodOf(of)
  return html`<section aria-labelledby="emergency">
    <h2 id="emergency">Emergency</h2>
    <details>
      <summary>Run it now, without an approval</summary>
      <p class="warning">
        It may run at once. That raises an alert, and somebody else reviews it afterwards.
      </p>
      ${noPasskey(of)}
      <form
        data-decide="/api/tickets/${of.ticket.id}/emergency"
        data-method="${method}"
        ${of.passkeys === 0 && of.ticket.terms.needsPasskey ? 'data-shut' : ''}
        novalidate
      >
        ${justification('need', 'Why it cannot wait', 'It is signed, told to the reviewers, and kept.')}
        <button disabled class="second" value="approve">Run it in an emergency</button>
      </form>
    </details>
  </section>`
}

function reviewForm({ id }: Ticket): Markup {
  return html`<section aria-labelledby="look">
    <h2 id="look">Review</h2>
    <p>This call ran in an emergency, without an approval. Say what you think of that.</p>
    <form data-review="/api/tickets/${id}/review" novalidate>
      ${justification('words', 'What you found', 'It is kept with the call.')}
      <button disabled>It is reviewed</button>
    </form>
  </section>`
}
