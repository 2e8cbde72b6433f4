/**
 * A held call as a task, for clients that announce them: the extension of MCP 2026-07-28, and the
 * experimental tasks of 2025-11-25 where the call itself asked for one. The task is the ticket; polls
 * of it are answered here, and an approved one runs when its caller polls.
 */
import { Fault } from '../../base/fault.ts'
import type { Ticket } from '../../hold/ticket.ts'
import type { Answer } from '../../upstream/answer.ts'
import { NONE } from '../../wire/json.ts'
import { rpcError } from '../../wire/text.ts'
import { dutiful, nothingAsked } from '../judged.ts'
import type { Stations } from '../stations.ts'
import type { Known } from '../way.ts'
import type { Asking, Held } from './hold.ts'
import { ownAnswer } from './own.ts'
import { advanced, ended } from './poll.ts'
import type { Poll } from './poll.ts'
import { response, resultOf, statusOf, taskOf, taskPrefix } from './task-answers.ts'
import { isTheirs } from './theirs.ts'
import { ticketMeta } from './words.ts'

const extension = 'io.modelcontextprotocol/tasks'
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'
/** What names a task of ours: anything else is a server's own. */
const form = /^held-tk_[A-Za-z]{26,64}$/

/** Whether the caller of this request can be given a task. */
export function takesTask({ message, way }: Pick<Asking, 'message' | 'way'>): boolean {
  const { params, tree } = message
  if (message.method !== 'tools/call') return false
  if (way.spoken?.era === 'modern') {
    const capabilities = tree.get(tree.get(params, '_meta'), capabilitiesKey)
    return tree.get(tree.get(capabilities, 'extensions'), extension) !== NONE
  }
  const task = tree.get(params, 'task')
  return way.spoken?.version === '2025-11-25' && task !== NONE && tree.kind(task) === 'object'
}

/** The task in the call's place. */
export function beginTask(ticket: Ticket, { leg, way }: Asking, at: Stations): Held {
  leg.outcome = 'held'
  const isModern = way.spoken?.era === 'modern'
  const task = taskOf(ticket, 'working', isModern, at)
  const meta = `"_meta":${JSON.stringify(ticketMeta(ticket, at.consoleUrl))}`
  const result = isModern ? `{"resultType":"task",${task},${meta}}` : `{"task":{${task}},${meta}}`
  return { kind: 'answer', answer: ownAnswer(response(leg, result)) }
}

/**
 * The ticket that a task stands for; undefined for tasks of servers.
 * @throws {Fault} `target_unknown` for another principal's or program's.
 */
export function ticketOfTask(taskId: string, known: Known, at: Stations): Ticket | undefined {
  if (!form.test(taskId)) return undefined
  const ticket = at.tickets.byId(taskId.slice(taskPrefix.length))
  if (ticket !== undefined && isTheirs(ticket, known, at)) return ticket
  const message = 'Unknown task: there is none of this name that you may use.'
  throw new Fault('target_unknown', message, { facts: { reason: 'task_not_granted' } })
}

/** An answer, and who may see what of it: what rules wanted done with it holds for every poll. */
export interface TaskAnswer {
  readonly answer: Answer
  readonly known: Known
}

/** Answers a request about a task of ours. @throws {Fault} `cancelled`, `refused`, `record_*`. */
export async function answerTask(ticket: Ticket, poll: Poll, at: Stations): Promise<TaskAnswer> {
  const message = await messageOf(ticket, poll, at)
  const { duties = {} } = at.executions.ended(ticket.id) ?? {}
  return { answer: ownAnswer(message), known: dutiful(poll.known, { ...nothingAsked, duties }) }
}

async function messageOf(ticket: Ticket, poll: Poll, at: Stations): Promise<Uint8Array> {
  const { method } = poll.message
  if (method === 'tasks/get') return statusOf(await advanced(ticket, poll, at), poll, at)
  if (method === 'tasks/result') return resultOf(await ended(ticket, poll, at), poll, at)
  if (method === 'tasks/cancel') return await cancelled(ticket, poll, at)
  return response(poll.leg, '{"resultType":"complete"}') // It asks for nothing.
}

async function cancelled(
  ticket: Ticket,
  { known, leg, way }: Poll,
  at: Stations,
): Promise<Uint8Array> {
  const isOpen = ticket.state === 'pending' || ticket.state === 'approved'
  if (!isOpen && way.spoken?.era !== 'modern') {
    const message = 'The task has ended or is running; it cannot be cancelled.'
    return rpcError(leg.idRaw, { code: -32602, message })
  }
  const now = isOpen ? await at.tickets.withdraw(ticket.id, known.owner) : ticket
  const isModern = way.spoken?.era === 'modern'
  if (isModern) return response(leg, '{"resultType":"complete"}')
  return response(leg, `{${taskOf(now, 'cancelled', false, at)}}`)
}
