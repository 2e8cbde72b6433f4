/** Tickets as the record tells of them: names, counts and words, never arguments or query text. */
import type { SqlFact } from '../inspect/facts.ts'
import { whoWords } from '../policy/who.ts'
import type { Details } from '../record/entry.ts'
import type { About } from '../record/notes.ts'
import type { TicketRow } from './rows.ts'
import { iso } from './statement.ts'

/** Of the requester's entries. */
export function aboutRequester({ connection, doc }: TicketRow): About {
  const { exchange, requester, session } = doc
  const { client: _, ...principal } = requester
  return { principal, connection, session, exchange }
}

export function createdDetails({ doc, id, method, not_after_ms, tool }: TicketRow): Details {
  const { facts, matched, reason, source, terms } = doc
  return {
    ticket: id,
    rules: matched.filter(({ effect }) => effect === 'hold').map(({ rule }) => rule),
    reason,
    method,
    tool,
    from: source,
    facts: [
      ...facts.sql.map(sqlWords),
      ...facts.findings.map(({ at, confidence, family, what }) => {
        return `${family} (${what}, ${confidence}) at ${at}`
      }),
    ],
    reviewers: reviewerWords(terms.reviewers),
    needsPasskey: terms.needsPasskey,
    expires: iso(not_after_ms),
  }
}

/** Whom a ticket waits for. */
function reviewerWords(reviewers: TicketRow['doc']['terms']['reviewers']): string[] {
  return reviewers.map(({ quorum, who }) => {
    const whom = whoWords(who)
    return `${quorum} of ${whom === 'everybody' ? 'the approvers' : whom}`
  })
}

/** A statement in words: `DELETE; writes cards; where filter; cardholder data written`. */
function sqlWords(fact: SqlFact): string {
  if (!fact.parsed) return `SQL that was not understood (${fact.problem})`
  const { dangerous_functions, tables_read, tables_written, verb, where } = fact
  const parts = [
    verb,
    tables_written.length > 0 && `writes ${tables_written.join(', ')}`,
    tables_read.length > 0 && `reads ${tables_read.join(', ')}`,
    ['UPDATE', 'DELETE', 'SELECT'].includes(verb) && `where ${where}`,
    dangerous_functions.length > 0 && `calls ${dangerous_functions.join(', ')}`,
    fact.writes_cardholder_data && 'cardholder data written',
    fact.returns_cardholder_data && 'cardholder data returned',
    fact.touches_cardholder_data && 'cardholder data touched',
    fact.exports && 'exports',
    fact.statements > 1 && `${fact.ordinal + 1} of ${fact.statements} statements`,
  ]
  return parts.filter((part) => typeof part === 'string').join('; ')
}
