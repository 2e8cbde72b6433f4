/** What policy says of a request, by its facts; and what its duties change on the way. */
import { Fault } from '../base/fault.ts'
import type { Inspected } from '../inspect/facts.ts'
import type { CallFacts, Verdict } from '../policy/verdict.ts'
import { plainAt } from '../wire/plain.ts'
import type { Message, Posted } from '../wire/message.ts'
import type { Stations } from './stations.ts'
import type { Known, Leg, Way } from './way.ts'

/** The facts of one message, for rules. */
export function factsOf(
  way: Way,
  known: Known,
  of: { message: Message; leg: Leg; inspected: Inspected },
  at: Stations,
): CallFacts {
  const { inspected, leg, message } = of
  const { principal, connection } = known
  const { kind, name } = leg.target
  return {
    ...inspected,
    principal,
    connection: connection.name,
    call: {
      method: message.method ?? '',
      kind,
      name,
      bytes: leg.bytesIn,
      arguments: () => plainAt(message.tree, message.tree.get(message.params, 'arguments')),
    },
    source: { ip: way.incoming.source.ip },
    exposure: (days) => at.exposure.of(known.owner, { days }),
    tool: kind === 'tool' ? at.pins.facts(connection.name, name) : undefined,
    nowMs: at.clock.nowUs() / 1000,
  }
}

/**
 * Judges every message of a POST. An array of several goes as a whole or not at all (MCP 2025-03-26),
 * and nobody can wait for a part of it.
 * @throws {Fault} `batch_refused` for an array of which one would be held.
 */
export async function judge(
  way: Way,
  known: Known,
  of: { posted: Posted; inspected: readonly Inspected[] },
  at: Stations,
): Promise<Verdict> {
  const { inspected, posted } = of
  const messages = posted.kind === 'one' ? [posted.message] : posted.messages
  const verdicts: Verdict[] = []
  for (const [index, message] of messages.entries()) {
    const leg = way.legs[index]
    const seen = inspected[index]
    if (leg === undefined || seen === undefined) throw new Fault('defect', 'A message was lost.')
    const facts = factsOf(way, known, { message, leg, inspected: seen }, at)
    const said = at.rules().judge(known.connection.name, facts)
    // Most verdicts are there at once: only another decision maker has to be waited for.
    verdicts.push(said instanceof Promise ? await said : said)
  }
  const strictest = verdicts.reduce(stricter)
  if (strictest.effect === 'hold' && messages.length > 1) {
    const message =
      'One message of this array would have to wait for a person; send it by itself. Nothing was sent.'
    throw new Fault('batch_refused', message, { facts: { reason: 'held_in_batch' } })
  }
  return strictest
}

/** Of a request without a message: there is nothing that rules could look at. */
export const nothingAsked: Verdict = {
  effect: 'allow',
  matched: [],
  reason: '',
  hold: undefined,
  duties: {},
  revision: '',
}

/** Grants and rules by name, as the record tells them. */
export function ruleNames(grants: readonly string[], { matched }: Verdict): string {
  return [...grants, ...matched.map(({ rule }) => rule)].join(' ')
}

const strictness = { allow: 0, hold: 1, deny: 2 } as const

/** The stricter of two, with the duties of both: an array is answered as one. */
function stricter(a: Verdict, b: Verdict): Verdict {
  const own = strictness[b.effect] > strictness[a.effect] ? b : a
  return { ...own, duties: bothDuties(a.duties, b.duties) }
}

function bothDuties(a: Verdict['duties'], b: Verdict['duties']): Verdict['duties'] {
  const rows = least(a.limit?.rows, b.limit?.rows)
  const bytes = least(a.limit?.bytes, b.limit?.bytes)
  const limit = {
    ...(rows === undefined ? {} : { rows }),
    ...(bytes === undefined ? {} : { bytes }),
  }
  const notes = [...(a.notes ?? []), ...(b.notes ?? [])]
  return {
    ...(a.mask === true || b.mask === true ? { mask: true as const } : {}),
    ...(rows === undefined && bytes === undefined ? {} : { limit }),
    ...(notes.length === 0 ? {} : { notes }),
  }
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

/** The way on, as the duties of a verdict have it: masked for everybody, or with a smaller answer. */
export function dutiful(known: Known, { duties }: Verdict): Known {
  const { limit, mask } = duties
  if (mask === undefined && limit === undefined) return known
  const { connection, plan } = known
  const bytes = Math.min(connection.answerBytesMax, limit?.bytes ?? Infinity)
  return {
    ...known,
    connection: { ...connection, answerBytesMax: bytes },
    plan: mask === true && plan.reveal !== 'none' ? maskedPlan(plan) : plan,
    ...(limit?.rows === undefined ? {} : { rowsMax: limit.rows }),
  }
}

const maskedPlans = new WeakMap<Known['plan'], Known['plan']>()

/** One plan for one plan, so that the masker can keep what it derives. */
function maskedPlan(plan: Known['plan']): Known['plan'] {
  const made = maskedPlans.get(plan) ?? { ...plan, reveal: 'none' as const }
  maskedPlans.set(plan, made)
  return made
}
