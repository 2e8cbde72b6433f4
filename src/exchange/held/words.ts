/** What a caller is told of a held call: short, factual, and what to do next. */
import type { Ticket, TicketState } from '../../hold/ticket.ts'
import type { Era } from '../../record/entry.ts'
import { rpcError, rpcResult } from '../../wire/text.ts'
import type { Json } from '../../wire/text.ts'

/** Where a ticket is told of. */
export interface Telling {
  readonly idRaw: string
  readonly era: Era
  readonly isToolCall: boolean
  /** Origin of the console. */
  readonly consoleUrl: string
}

/** The JSON-RPC code of a call that waits, where no tool result can say so. */
const heldCode = 1202

export function linkOf({ id }: Ticket, consoleUrl: string): string {
  return `${consoleUrl}/approvals/${id}`
}

/** `2026-11-21 23:59 UTC`. */
export function momentOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** That it still waits: the ticket's number, link and end, and the identical call as the way on. */
export function waitingWords(ticket: Ticket, consoleUrl: string): string {
  return (
    `This call needs a person's approval and was not sent. Ticket ${ticket.id}, open until ` +
    `${momentOf(ticket.notAfterMs)}; reviewers find it at ${linkOf(ticket, consoleUrl)}. Tell the user. ` +
    'Once it is approved, make the identical call again, with exactly these arguments: it then runs, ' +
    'once. Any other arguments are a new request.'
  )
}

/** That it runs, for another request of the same caller. */
export function runningWords({ id }: Ticket): string {
  return (
    `This call was approved and is running, for an earlier request of yours. Ticket ${id}. It is not ` +
    'sent twice. Make the identical call again, with exactly these arguments, to get its answer.'
  )
}

/** What became of a ticket that will not run, for its caller. */
export function endedWords({ ended, id, state, tool }: Ticket): string {
  const why = ended === '' ? '' : ` ${ended}`
  return `${endings[state] ?? 'The ticket has ended.'} Ticket ${id}.${why} Call ${tool} again only if the user still wants it.`
}

const endings: Readonly<Partial<Record<TicketState, string>>> = {
  denied: 'A reviewer denied this call; it was not sent.',
  expired: 'Nobody approved this call in time; it was not sent.',
  withdrawn: 'This call was withdrawn; it was not sent.',
  revoked: 'Access was stopped while this call waited; it was not sent.',
  void: 'This call could not run as it was held; it was not sent.',
  unknown:
    'This call was approved and may have run: the gateway stopped in the middle. It is not sent again; look at the data first.',
  executed: 'This call was approved and has run; its answer is not kept any more.',
}

/** Members of ours, under our own prefix (MCP 2026-07-28, `_meta`). */
export function ticketMeta(ticket: Ticket, consoleUrl: string): Json {
  return {
    'dev.sallyport/ticket': {
      ticket: ticket.id,
      state: ticket.state,
      link: linkOf(ticket, consoleUrl),
      expiresAt: new Date(ticket.notAfterMs).toISOString(),
    },
  }
}

/** A tool result that a model reads; for other methods a JSON-RPC error with the same facts. */
export function told(ticket: Ticket, text: string, to: Telling): Uint8Array {
  const meta = ticketMeta(ticket, to.consoleUrl)
  if (!to.isToolCall) return rpcError(to.idRaw, { code: heldCode, message: text, data: meta })
  return rpcResult(to.idRaw, {
    content: [{ type: 'text', text }],
    isError: true,
    resultType: to.era === 'modern' ? 'complete' : undefined,
    _meta: meta,
  })
}
