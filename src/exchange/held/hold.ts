/**
 * A call that a rule holds. It is recorded before it waits; what was approved is exactly what runs,
 * once, and only for a caller who is there to take the result.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../../base/fault.ts'
import type { Ticket } from '../../hold/ticket.ts'
import type { Taken } from '../../hold/tickets.ts'
import type { Granted } from '../../policy/permit.ts'
import type { Verdict } from '../../policy/verdict.ts'
import type { Inspected } from '../../inspect/facts.ts'
import type { Durable } from '../../record/durable.ts'
import type { Answer } from '../../upstream/answer.ts'
import type { Message } from '../../wire/message.ts'
import { pendingKey, recordReceived } from '../account.ts'
import type { AskedMasked } from '../account.ts'
import { factsOf, ruleNames } from '../judged.ts'
import type { Stations } from '../stations.ts'
import type { Known, Leg, Way } from '../way.ts'
import { heldCallOf } from './held-call.ts'
import type { HoldableCall } from './held-call.ts'
import type { Claim, Ran } from './executions.ts'
import { answerAgain } from './again.ts'
import { legAnswer, mayLeg } from './legs.ts'
import { ownAnswer } from './own.ts'
import { whilePresent } from './present.ts'
import { takeApproved } from './take.ts'
import { beginTask, takesTask } from './tasks.ts'
import { isTheirs } from './theirs.ts'
import { hearsProgress, waitFor } from './wait.ts'
import { endedWords, runningWords, told, waitingWords } from './words.ts'
import type { Telling } from './words.ts'

/** A call that a rule holds, as far as it has come. */
export interface Asking {
  readonly way: Way
  readonly known: Known
  readonly message: Message
  readonly leg: Leg
  readonly asked: AskedMasked
  readonly inspected: Inspected
  readonly verdict: Verdict
  readonly granted: Granted
}

/** It may go, now; or its caller is answered by us. */
export type Held =
  | {
      readonly kind: 'go'
      readonly taken: Taken
      readonly verdict: Verdict
      readonly claim: Claim
    }
  | { readonly kind: 'answer'; readonly answer: Answer }

/**
 * Holds a call, and waits as long as its caller can.
 * @throws {Fault} `refused` when it was denied or has ended otherwise, or cannot be held;
 *   `cancelled`; what `checkStopped` throws; `record_*`; `busy`.
 */
export async function hold(asking: Asking, at: Stations): Promise<Held> {
  const { leg, known, way } = asking
  const call = heldCallOf(asking, at)
  const identity = identityOf(call, known, at)
  const before = formerTicket(way, known, identity, at)
  // Where its row says already that it has run, its answer is here only a moment later.
  if (before?.state === 'executed') await whilePresent(at.executions.of(before.id), way, leg)
  const lost = lostAnswer(before, way, at)
  // Whoever comes back to a ticket that has ended is told so; only then they may ask anew.
  const isToldOf = before !== undefined && (lost !== undefined || isEnded(before, way))
  const ticket = isToldOf ? before : await at.tickets.open(call)
  leg.ticket = ticket.id
  const receipt = await recordHeld(asking, at)
  if (lost?.message !== undefined) {
    lost.isDelivered = true
    return { kind: 'answer', answer: answerAgain(lost.message, leg) }
  }
  at.pending.set(pendingKey(leg), leg)
  // Whatever cuts this caller off: it hears of this ticket's end when it comes back.
  at.followed.note(identity, ticket.id)
  try {
    return await follow(ticket, { ...asking, receipt, call }, at)
  } catch (error) {
    const isTold = error instanceof Fault && error.facts['ticket'] === ticket.id
    if (isTold) at.followed.take(identity)
    throw error
  }
}

/** The answer of a ticket that ran, where its caller never had it, or goes on from a leg of it. */
function lostAnswer(before: Ticket | undefined, way: Way, at: Stations): Ran | undefined {
  const ran = before && at.executions.ended(before.id)
  if (ran?.message === undefined) return undefined
  return way.heldLeg === undefined && ran.isDelivered ? undefined : ran
}

/** Whether a ticket has an end to be told of. One that ran ends a leg of its own alone. */
function isEnded({ state }: Ticket, { heldLeg }: Way): boolean {
  const isOpen = state === 'pending' || state === 'approved' || state === 'executing'
  return !isOpen && (state !== 'executed' || heldLeg !== undefined)
}

const againMs = 50

type Following = Asking & { readonly receipt: Durable; readonly call: HoldableCall }

/** From state to state, until it may go, has an answer, has ended, or the caller's time is up. */
async function follow(first: Ticket, of: Following, at: Stations): Promise<Held> {
  const until = at.clock.monotonicMs() + waitMs(of, at)
  let ticket = first
  for (;;) {
    const leftMs = until - at.clock.monotonicMs()
    if (ticket.state === 'pending') {
      if (takesTask(of)) return beginTask(ticket, of, at)
      ticket = await waitFor(ticket, leftMs, of, at)
      if (ticket.state === 'pending') return stillWaiting(ticket, of, at)
    } else if (ticket.state === 'approved') {
      const taken = await takeLive(ticket, of, at)
      if (taken !== undefined) return taken
      await ran(ticket, leftMs, of, at)
      ticket = at.tickets.byId(ticket.id) ?? ticket
      if (ticket.state !== 'approved') continue
      // Another has just let go of it, or it cannot be taken yet: never a loop without a pause.
      if (leftMs <= 0) return stillWaiting(ticket, of, at)
      await pause(againMs)
    } else {
      const answer = await answered(ticket, leftMs, of, at)
      if (answer !== undefined) return answer
      ticket = at.tickets.byId(ticket.id) ?? ticket
      if (ticket.state === 'executing') return stillWaiting(ticket, of, at)
      throw ended(ticket)
    }
  }
}

/** Takes the ticket, where nobody else is about to. */
async function takeLive(ticket: Ticket, of: Following, at: Stations): Promise<Held | undefined> {
  const { call, inspected, known, leg, message, way } = of
  const facts = factsOf(way, known, { message, leg, inspected }, at)
  const taking = await takeApproved(ticket, { way, known, facts, args: call.args }, at)
  return taking && { kind: 'go', ...taking }
}

/** What comes of an execution that somebody else has; undefined where there is none, or not in time. */
async function ran(
  { id }: Ticket,
  leftMs: number,
  { leg, way }: Following,
  at: Stations,
): Promise<Ran | undefined> {
  return await whilePresent(at.executions.of(id), way, leg, Math.max(leftMs, 0))
}

/** The answer of an execution that somebody else had; undefined where there is none. */
async function answered(
  ticket: Ticket,
  leftMs: number,
  of: Following,
  at: Stations,
): Promise<Held | undefined> {
  if (ticket.state !== 'executing' && ticket.state !== 'executed') return undefined
  const { message } = (await ran(ticket, leftMs, of, at)) ?? {}
  if (message === undefined) return undefined
  return { kind: 'answer', answer: answerAgain(message, of.leg) }
}

async function recordHeld(
  { asked, inspected, known, leg, verdict, way }: Asking,
  at: Stations,
): Promise<Durable> {
  const rule = ruleNames(known.access.grants, verdict)
  const of = { digest: leg.exchange, decision: 'hold' as const, rule, inspected: [inspected] }
  return await recordReceived(way, [asked], { ...of, ticket: leg.ticket }, at)
}

/** The time is up: a leg of the modern era, else the ticket's number as the floor that always works. */
function stillWaiting(ticket: Ticket, of: Following, at: Stations): Held {
  of.leg.outcome = 'held'
  // Nobody is sent on a leg to a gateway that stops.
  if (mayLeg(of) && !at.isStopping()) return { kind: 'answer', answer: legAnswer(ticket, of, at) }
  const isRunning = ticket.state === 'executing'
  const text = isRunning ? runningWords(ticket) : waitingWords(ticket, at.consoleUrl)
  return { kind: 'answer', answer: ownAnswer(told(ticket, text, tellingOf(of, at))) }
}

function tellingOf({ leg, way }: Pick<Asking, 'leg' | 'way'>, at: Stations): Telling {
  return {
    idRaw: leg.idRaw ?? 'null',
    era: way.spoken?.era ?? 'legacy',
    isToolCall: leg.method === 'tools/call',
    consoleUrl: at.consoleUrl,
  }
}

function ended(ticket: Ticket): Fault {
  const facts = { reason: `ticket_${ticket.state}`, ticket: ticket.id, isSent: false }
  return new Fault('refused', endedWords(ticket), { facts })
}

/** A client that is known to start its timer anew with each progress can be kept for long. */
function waitMs({ message, way }: Following, at: Stations): number {
  const { progressClients, progressMs, waitMs: usual } = at.holds()
  const name = way.session?.clientName
  const isPatient = name !== undefined && progressClients.includes(name)
  return isPatient && hearsProgress(message, way) ? progressMs : usual
}

/** A keyed hash of the call: equal for the identical call of the same caller alone. */
function identityOf({ args, method, tool }: HoldableCall, known: Known, at: Stations): string {
  const who = `${known.owner}\n${known.principal.clientId ?? ''}\n${method}\n${tool}`
  return at.digest(known.connection.name, 'held', who, args)
}

/** The ticket that this caller was told of before, if it is theirs. */
function formerTicket(
  { heldLeg }: Way,
  known: Known,
  identity: string,
  at: Stations,
): Ticket | undefined {
  const id = heldLeg?.ticket ?? at.followed.take(identity)
  const ticket = id === undefined ? undefined : at.tickets.byId(id)
  return ticket !== undefined && isTheirs(ticket, known, at) ? ticket : undefined
}
