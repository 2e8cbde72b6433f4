/** What a search found, as lines: a table with counts by day for people, or JSON for programs. */
import { duration, grouped, oneLine } from '../replay/plain.ts'
import type { Found, Item } from '../search/item.ts'

/**
 * Text: one line an item, then how many there are by day, and how to go on. `jsonl`: one object an
 * item, then one with `total`, `days`, `cursor` and `lag`.
 */
export function* searchLines(
  found: Found & { readonly lag: number },
  format: 'text' | 'jsonl',
): Generator<string> {
  const { cursor, days, items, lag, total } = found
  if (format === 'jsonl') {
    for (const { place: _, ...item } of items) yield `${JSON.stringify(item)}\n`
    yield `${JSON.stringify({ total, days, cursor, lag })}\n`
    return
  }
  for (const item of items) yield `${lineOf(item)}\n`
  if (items.length === 0) yield 'Nothing fits.\n'
  if (days && days.length > 0) {
    yield `\n${grouped(total ?? 0)} in all\n`
    const most = Math.max(...days.map(({ count }) => count))
    for (const { count, day } of days) {
      const bar = '▇'.repeat(Math.max(1, Math.round((count / most) * 30)))
      yield `  ${day}  ${grouped(count).padStart(9)}  ${bar}\n`
    }
  }
  if (lag > 0) yield `The newest ${grouped(lag)} entries are not in the index yet.\n`
  if (cursor !== undefined) yield `More: --cursor ${cursor}\n`
}

function lineOf(item: Item): string {
  const { bytes, connection, durationUs, excerpt, ip, masked, method, outcome, principal } = item
  const { reason, rule, session, time, tool, types } = item
  const what = tool ?? method ?? types[0] ?? ''
  const who = principal?.name ?? principal?.subject ?? ''
  const facts = [
    outcome,
    reason,
    durationUs === undefined ? undefined : duration(durationUs),
    bytes > 0 ? `${grouped(bytes)} bytes` : undefined,
    masked > 0 ? `${masked} masked` : undefined,
    rule,
    ip,
    session,
  ]
  const where = connection === undefined ? '' : ` on ${connection}`
  const head = `${time}  ${who}  ${what}${where}  ${facts.filter(Boolean).join(', ')}`
  return excerpt === undefined ? oneLine(head) : `${oneLine(head)}\n    ${oneLine(excerpt)}`
}
