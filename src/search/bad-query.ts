/** What is wrong with a query, and where: never what it said, which may be a card number. */
import { Fault } from '../base/fault.ts'

/**
 * @param at offset into the query in UTF-16 units, from 0; people are told it from 1.
 * @param what a sentence that says what was expected.
 */
export function badQuery(at: number, what: string): Fault {
  const message = `The query has a mistake at character ${at + 1}: ${what}`
  return new Fault('bad_params', message, { facts: { reason: 'query_bad', position: at } })
}
