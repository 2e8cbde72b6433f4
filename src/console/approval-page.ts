/** The page of one held call: what will be sent, what that does, why it waits, and the decision. */
import { html } from 'hono/html'
import type { Decision, Ticket } from '../hold/ticket.ts'
import type { SqlFact } from '../inspect/facts.ts'
import { approvalsScript, until } from './approvals-page.ts'
import { deciding } from './decision-form.ts'
import type { Deciding } from './decision-form.ts'
import { page, time } from './frame.ts'
import type { Markup } from './frame.ts'
import type { Asker } from './parts.ts'
import { factDetails, factTitle, factWords, findingWords } from './sql-words.ts'
import { strange, strangeIn } from './strange.ts'
import type { Sight } from './ticket-sight.ts'
import type { Earlier, History } from './ticket-view.ts'
import { approvalsOf, awaited, decisionWords, nameOf, stateWords, titleOf } from './ticket-words.ts'

export interface Approval extends Deciding {
  readonly ticket: Ticket
  readonly sight: Sight
  readonly history: History
  readonly nameOf: (person: string) => string
  readonly mayTakeProof: boolean
}

export function approvalPage(asker: Asker, of: Approval): Markup {
  const { sight, ticket } = of
  const body = html`<p role="status" data-status></p>
    ${statePart(of)}
    <section aria-labelledby="call">
      <h2 id="call">What would be sent</h2>
      ${
        sight === 'all'
          ? argumentsPart(ticket)
          : html`<p>Your role sees what a call is about, and not its arguments.</p>`
      }
    </section>
    ${factsPart(ticket)} ${reasonPart(ticket)} ${requesterPart(of)} ${decisionsPart(of)}
    ${deciding(of)}
    <p><a href="/approvals">All held calls</a></p>`
  return page(asker, titleOf(ticket), body, approvalsScript)
}

function statePart({ mayTakeProof, ticket }: Approval): Markup {
  const { emergency, ended, id, notAfterMs, outcome, state } = ticket
  const approvals = ticket.decisions.filter(({ decision }) => decision === 'approve').length
  const isOpen = state === 'pending' || state === 'approved'
  const after =
    emergency === undefined
      ? ''
      : html`<p>
          It ran without an approval, in an emergency, because: ${strange(emergency.justification)}
          ${
            emergency.reviewedBy === undefined
              ? 'Nobody has reviewed that yet.'
              : `Reviewed by ${emergency.reviewedBy}.`
          }
        </p>`
  return html`<div
    class="banner"
    data-ticket="${id}"
    data-state="${state}"
    data-approvals="${approvals}"
  >
    <p tabindex="-1" data-state-words>${stateWords[state]}</p>
    ${isOpen ? html`<p>${state === 'pending' ? 'It may be decided' : 'It may be taken up'} ${until(notAfterMs)}</p>` : ''}
    ${ended === '' ? '' : html`<p>${strange(ended)}</p>`}
    ${outcome === '' ? '' : html`<p>What came of it: ${strange(outcome)}.</p>`} ${after}
    ${
      mayTakeProof && ticket.decisions.length > 0
        ? html`<p>
            <a href="/api/tickets/${id}/proof" download>Download the proof</a>
            <span class="soft">— what was signed, to be verified by anybody without us</span>
          </p>`
        : ''
    }
  </div>`
}

/** Texts as they are read, then all of it as it stands in what is signed. */
function argumentsPart({ shown }: Ticket): Markup {
  const texts = textsIn(shown)
  const count = strangeIn(shown) + texts.reduce((sum, [, text]) => sum + strangeIn(text), 0)
  return html`<p class="soft">
      Card numbers show no more than their last four digits; what is sent has them whole.
    </p>
    ${
      count === 0
        ? ''
        : html`<p class="warning">
            There are characters in it which nobody sees, or which pass for others. They stand here
            by their code points, such as <b class="odd">U+202E</b>.
          </p>`
    }
    ${texts.map(
      ([name, text]) =>
        html`<h3>Argument <code>${strange(name)}</code></h3>
          <pre>${strange(text)}</pre>`,
    )}
    <h3>All of it, as raw text</h3>
    ${
      shown === '' ? html`<p>It has no arguments.</p>` : html`<pre data-raw>${strange(shown)}</pre>`
    }`
}

/** Arguments that are texts, by name. */
function textsIn(shown: string): readonly (readonly [name: string, text: string])[] {
  try {
    const value: unknown = JSON.parse(shown)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
    return Object.entries(value).filter(
      (one): one is [string, string] => typeof one[1] === 'string',
    )
  } catch {
    return [] // The raw text says it all.
  }
}

function factsPart({ facts }: Ticket): Markup | string {
  if (facts.sql.length === 0) return ''
  return html`<section aria-labelledby="facts">
    <h2 id="facts">What it does</h2>
    ${facts.sql.map(factPart)}
  </section>`
}

function factPart(fact: SqlFact): Markup {
  const words = factWords(fact)
  const details = factDetails(fact)
  return html`<h3>${strange(factTitle(fact))}</h3>
    ${
      words.length === 0
        ? ''
        : html`<ul>
            ${words.map((word) => html`<li>${strange(word)}</li>`)}
          </ul>`
    }
    <dl class="pairs">
      ${details.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${strange(value)}</dd>`,
      )}
    </dl>`
}

function reasonPart({ facts, matched, reason }: Ticket): Markup {
  const rules = matched.map(
    ({ effect, reason: why, rule }) =>
      html`<li><code>${rule}</code> (${effect})${why === '' ? '' : `: ${why}`}</li>`,
  )
  const findings = facts.findings.map((finding) => html`<li>${strange(findingWords(finding))}</li>`)
  return html`<section aria-labelledby="why">
    <h2 id="why">Why it is held</h2>
    <p>${reason}</p>
    ${
      rules.length === 0
        ? ''
        : html`<ul aria-label="Rules">
            ${rules}
          </ul>`
    }
    ${
      findings.length === 0
        ? ''
        : html`<p>What was seen in it:</p>
            <ul>
              ${findings}
            </ul>`
    }
  </section>`
}

function requesterPart({ history, ticket }: Approval): Markup {
  const { createdMs, exchange, requester, session, source } = ticket
  const earlier = (words: string, { approved, asked, denied }: Earlier): Markup =>
    html`<dt>${words}</dt>
      <dd>${asked === 0 ? 'none' : `${asked} held, ${approved} approved, ${denied} denied`}</dd>`
  return html`<section aria-labelledby="who">
    <h2 id="who">Who asks</h2>
    <dl class="pairs">
      <dt>Name</dt>
      <dd>${strange(nameOf(requester))} (${requester.kind})</dd>
      <dt>Subject</dt>
      <dd><code>${strange(requester.subject)}</code> of <code>${requester.issuer}</code></dd>
      <dt>Program</dt>
      <dd>${strange(requester.client ?? 'not known')}</dd>
      <dt>From</dt>
      <dd>${source}</dd>
      <dt>Asked</dt>
      <dd>${time(createdMs)}</dd>
      <dt>In the record</dt>
      <dd>call <code>${exchange}</code>, session <code>${session}</code></dd>
      ${earlier('Earlier calls of the same requester', history.requester)}
      ${earlier('Earlier calls of this tool', history.tool)}
      ${earlier('Earlier calls by this rule', history.rule)}
    </dl>
  </section>`
}

function decisionsPart({ nameOf: named, ticket }: Approval): Markup {
  const line = (one: Decision): Markup =>
    html`<li>
      ${strange(nameOf(one.by))}${
        one.onBehalfOf === undefined ? '' : html` for ${strange(named(one.onBehalfOf))}`
      }:
      ${decisionWords(one)}, ${time(one.atMs)}. <q>${strange(one.justification)}</q>
    </li>`
  const isPending = ticket.state === 'pending'
  return html`<section aria-labelledby="decisions">
    <h2 id="decisions">Decisions</h2>
    ${
      ticket.decisions.length === 0
        ? html`<p>Nobody has decided.</p>`
        : html`<ul>
            ${ticket.decisions.map(line)}
          </ul>`
    }
    ${
      isPending
        ? html`<p>
            ${approvalsOf(ticket)}. It needs ${awaited(ticket).join(', and ')}; one denial ends it.
          </p>`
        : ''
    }
  </section>`
}
