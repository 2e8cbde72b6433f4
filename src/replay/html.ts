/**
 * A replay as one page that stands alone: it opens from a disk, loads nothing and runs no script.
 * Entries are written in the order of the log as they come, so the overview of sessions and calls,
 * which needs all of them, stands at the end; a link at the top leads there.
 */
import { entryItem } from './html-entry.ts'
import { head, moment, safe, words } from './markup.ts'
import { counted, duration } from './plain.ts'
import { Ranges } from './shown.ts'
import { Tally, endOf } from './summary.ts'
import { calledText, fromText, whoText } from './tell.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Markup } from './markup.ts'
import type { Frame, Shown } from './shown.ts'
import type { CallEnd, CallSummary, SessionSummary } from './summary.ts'

/** The page, piece by piece. Kept in memory: one entry, and a line for each session and call. */
export async function* html(shown: AsyncIterable<Shown>, frame: Frame): AsyncGenerator<string> {
  const page = new Page()
  let isBegun = false
  for await (const one of shown) {
    if (!isBegun) yield opening(frame).html
    isBegun = true
    yield page.take(one).html
  }
  yield page.end(frame).html
}

function opening({ origin, title }: Frame): Markup {
  const from = origin === undefined ? [] : [safe` Log: ${words(origin)}.`]
  return safe`${head(title)}<body>
<header>
<h1>${words(title)}</h1>
<p class="quiet">Times are UTC. What stands here was masked before it was recorded.${from}</p>
<nav aria-label="Page"><p><a href="#overview">Overview: sessions, calls, which entries</a></p></nav>
</header>
<main>
<h2>Timeline</h2>
`
}

class Page {
  readonly #tally = new Tally()
  readonly #ranges = new Ranges()
  readonly #ends: CallEnd[] = []
  /** Exchanges and sessions that had an article before, with their first entry. */
  readonly #first = new Map<string, number>()
  /** What the article that is open is about; undefined before the first. */
  #about: string | undefined

  take(shown: Shown): Markup {
    const { entry } = shown
    this.#ranges.add(entry.index)
    const end = this.#tally.take(entry)
    if (end) this.#ends.push(end)
    const about = subjectOf(entry)
    const isNew = about !== this.#about
    const close = isNew && this.#about !== undefined ? [articleEnd] : []
    const open = isNew ? [this.#articleStart(entry, about)] : []
    this.#about = about
    return safe`${close}${open}${entryItem(shown)}`
  }

  /** Calls that run at the same time take turns: one that goes on says where it began. */
  #articleStart(entry: RecordedEntry, about: string): Markup {
    const first = this.#first.get(about)
    if (first === undefined) this.#first.set(about, entry.index)
    const goesOn =
      first === undefined ? [] : [safe`, going on from <a href="#e${first}">${first}</a>`]
    return safe`<article>
<h3>${headingOf(entry)}${goesOn}</h3>
${first === undefined ? factsOf(entry) : []}<ol>
`
  }

  end({ origin, title }: Frame): Markup {
    const calls = [...this.#ends, ...this.#tally.open.map(openEnd)]
    const rows = calls.toSorted((a, b) => a.call.index - b.call.index).map(callRow)
    const of = origin === undefined ? [] : [safe` of ${words(origin)}`]
    const count = counted(this.#ranges.count, 'entry', 'entries')
    return safe`${articleEnd}</main>
<section id="overview" aria-label="Overview">
<h2>Overview</h2>
<p>${words(title)}: ${words(`${count}, ${this.#ranges.toString()}`)}${of}.</p>
${sessionTable(this.#tally.sessions)}${callTable(rows)}</section>
</body>
</html>
`
  }
}

const articleEnd = safe`</ol>
</article>
`

/** What an entry is about: its exchange, else its session. A sign-in and an opening stand in the log
 *  with the call that caused them, and still are the session's. */
function subjectOf({ exchange, session, type }: RecordedEntry): string {
  const isOfSession = type.startsWith('session.') || type.startsWith('auth.')
  return (isOfSession ? undefined : exchange) ?? session ?? ''
}

function headingOf(entry: RecordedEntry): Markup {
  const { connection, exchange, fields, session, type } = entry
  if (exchange === undefined || subjectOf(entry) !== exchange) {
    return session === undefined ? safe`Gateway` : safe`Session`
  }
  const on = connection === undefined ? '' : ` on ${connection}`
  const isAsked = type === 'call.received' || type === 'call.denied'
  return words(`${isAsked ? calledText(fields) : 'Exchange'}${on}`)
}

function factsOf(entry: RecordedEntry): Markup {
  const { connection, exchange, fields, principal, session, source, time } = entry
  const rows: [name: Markup, value: Markup][] = [[safe`When`, moment(time)]]
  const add = (name: Markup, value: unknown): void => {
    if (typeof value === 'string' && value !== '') rows.push([name, words(value)])
  }
  if (principal) add(safe`Who`, whoText(principal))
  if (source) add(safe`From`, fromText(source))
  add(safe`Session`, session)
  add(safe`Exchange`, exchange)
  add(safe`Connection`, connection)
  add(safe`Method`, fields['method'])
  add(safe`Decision`, fields['decision'] ?? (entry.type === 'call.denied' ? 'denied' : undefined))
  add(safe`Rule`, fields['rule'])
  const list = rows.map(([name, value]) => safe`<dt>${name}</dt><dd>${value}</dd>\n`)
  return safe`<dl class="facts">\n${list}</dl>\n`
}

function openEnd(call: CallSummary): CallEnd {
  return { call, outcome: 'no end shown', reason: undefined, durationUs: undefined }
}

function callRow({ call, durationUs, outcome, reason }: CallEnd): Markup {
  const why = reason === undefined ? '' : `: ${reason}`
  const took = durationUs === undefined ? '-' : duration(durationUs)
  return safe`<tr><th scope="row"><a href="#e${call.index}">${call.index}</a></th><td>${moment(call.time)}</td>\
<td>${words(call.session ?? '-')}</td><td>${words(call.who)}</td><td>${words(call.connection ?? '-')}</td>\
<td>${words(call.called)}</td><td>${words(`${outcome}${why}`)}</td><td>${words(took)}</td></tr>
`
}

function callTable(rows: readonly Markup[]): Markup {
  if (rows.length === 0) return safe``
  return safe`<div class="wide" tabindex="0" role="region" aria-label="Calls"><table>
<caption>Calls, in the order of the log</caption>
<thead><tr><th scope="col">Entry</th><th scope="col">Time</th><th scope="col">Session</th>\
<th scope="col">Who</th><th scope="col">Connection</th><th scope="col">Call</th>\
<th scope="col">Outcome</th><th scope="col">Duration</th></tr></thead>
<tbody>
${rows}</tbody></table></div>
`
}

function sessionTable(sessions: readonly SessionSummary[]): Markup {
  if (sessions.length === 0) return safe``
  return safe`<div class="wide" tabindex="0" role="region" aria-label="Sessions"><table>
<caption>Sessions</caption>
<thead><tr><th scope="col">Session</th><th scope="col">Who</th><th scope="col">From</th>\
<th scope="col">Client</th><th scope="col">Era</th><th scope="col">Start</th><th scope="col">End</th>\
<th scope="col">Duration</th><th scope="col">Calls</th><th scope="col">Masked</th></tr></thead>
<tbody>
${sessions.map(sessionRow)}</tbody></table></div>
`
}

function sessionRow(of: SessionSummary): Markup {
  const endedAt = endOf(of)
  const end = endedAt === undefined ? safe`no end shown` : moment(endedAt)
  const why = of.closedBy === undefined ? [] : [safe` ${words(of.closedBy)}`]
  const took = of.durationUs === undefined ? '-' : duration(of.durationUs)
  const outcomes = Object.entries(of.outcomes).map(([outcome, times]) => `${times} ${outcome}`)
  if (of.open > 0) outcomes.push(`${of.open} without an end`)
  const calls = [counted(of.calls, 'call'), ...outcomes].join(', ')
  return safe`<tr><th scope="row">${words(of.session)}</th><td>${words(whoText(of.principal))}</td>\
<td>${words(fromText(of.source))}</td><td>${words(of.client ?? of.userAgent ?? '-')}</td>\
<td>${words(`${of.era ?? '-'} ${of.version ?? ''}`)}</td><td>${moment(of.openedAt)}</td>\
<td>${end}${why}</td><td>${words(took)}</td><td>${words(calls)}</td><td>${of.maskings}</td></tr>
`
}
