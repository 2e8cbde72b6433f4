/** What a client is told of a task of ours, in the words of its era. */
import type { Ticket } from '../../hold/ticket.ts'
import { NONE, readJson } from '../../wire/json.ts'
import type { Stations } from '../stations.ts'
import type { Leg } from '../way.ts'
import { keptMs } from './executions.ts'
import type { Poll } from './poll.ts'
import { endedWords, linkOf, momentOf, ticketMeta } from './words.ts'

/** Before the ticket's number in a task's. */
export const taskPrefix = 'held-'
const pollMs = 5000

type Status = 'working' | 'completed' | 'failed' | 'cancelled'

/** What of a ticket's end a client sees: the server's message, or words of ours as a result. */
interface End {
  readonly status: Status
  /** Raw JSON of a result, or of an error. */
  readonly result?: string
  readonly error?: string
}

function endOf(ticket: Ticket, isModern: boolean, at: Stations): End {
  if (['pending', 'approved', 'executing'].includes(ticket.state)) return { status: 'working' }
  const message = at.executions.ended(ticket.id)?.message
  if (ticket.state === 'executed' && message !== undefined) return serverEnd(message, isModern)
  const type = isModern ? '"resultType":"complete",' : ''
  const text = JSON.stringify(endedWords(ticket))
  const meta = JSON.stringify(ticketMeta(ticket, at.consoleUrl))
  const result = `{${type}"content":[{"type":"text","text":${text}}],"isError":true,"_meta":${meta}}`
  if (ticket.state === 'withdrawn') return { status: 'cancelled', result }
  // In the experimental tasks a result with `isError` is a failed one.
  return { status: isModern ? 'completed' : 'failed', result }
}

function serverEnd(message: Uint8Array, isModern: boolean): End {
  const tree = readJson(message, { bytesMax: message.length, depthMax: 512 })
  const raw = (node: number): string => Buffer.from(tree.raw(node)).toString('utf8')
  const error = tree.at('error')
  if (error !== NONE) return { status: 'failed', error: raw(error) }
  const result = tree.at('result')
  const isError = tree.get(result, 'isError')
  const hasFailed = !isModern && isError !== NONE && tree.kind(isError) === 'true'
  return { status: hasFailed ? 'failed' : 'completed', result: raw(result) }
}

/** The answer to `tasks/get`: in the modern era with the result inside. */
export function statusOf(ticket: Ticket, { leg, way }: Poll, at: Stations): Uint8Array {
  const isModern = way.spoken?.era === 'modern'
  const { error, result, status } = endOf(ticket, isModern, at)
  const task = taskOf(ticket, status, isModern, at)
  if (!isModern) return response(leg, `{${task}}`)
  const inside =
    error !== undefined
      ? `,"error":${error}`
      : result !== undefined && status === 'completed'
        ? `,"result":${result}`
        : ''
  return response(leg, `{"resultType":"complete",${task}${inside}}`)
}

/** The answer to `tasks/result`: the very result, with the task it belongs to. */
export function resultOf(ticket: Ticket, { leg }: Poll, at: Stations): Uint8Array {
  const { error, result = '{}' } = endOf(ticket, false, at)
  if (error !== undefined) {
    return Buffer.from(`{"jsonrpc":"2.0","id":${leg.idRaw ?? 'null'},"error":${error}}`)
  }
  return response(leg, withRelated(result, `${taskPrefix}${ticket.id}`))
}

const relatedKey = 'io.modelcontextprotocol/related-task'

/** Puts the related task into a result's `_meta`, beside what is there. */
function withRelated(result: string, taskId: string): string {
  const bytes = Buffer.from(result)
  const tree = readJson(bytes, { bytesMax: bytes.length, depthMax: 512 })
  const meta = tree.get(tree.root, '_meta')
  const related = `"${relatedKey}":{"taskId":"${taskId}"}`
  const isObject = meta !== NONE && tree.kind(meta) === 'object'
  const holder = isObject ? meta : tree.root
  const at = tree.start(holder) + 1
  const member = isObject ? related : `"_meta":{${related}}`
  const comma = tree.size(holder) > 0 ? ',' : ''
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.from(`${member}${comma}`),
    bytes.subarray(at),
  ]).toString('utf8')
}

/** The members of a task, without braces. Times are ISO 8601, spans milliseconds. */
export function taskOf(ticket: Ticket, status: Status, isModern: boolean, at: Stations): string {
  const created = new Date(ticket.createdMs).toISOString()
  const updated = new Date(at.clock.nowUs() / 1000).toISOString()
  const ttl = Math.max(0, Math.round(ticket.notAfterMs - ticket.createdMs)) + keptMs
  const words = status === 'working' ? workingWords(ticket, at) : endedOr(ticket, status)
  const [ttlName, pollName] = isModern ? ['ttlMs', 'pollIntervalMs'] : ['ttl', 'pollInterval']
  return (
    `"taskId":"${taskPrefix}${ticket.id}","status":"${status}","statusMessage":${JSON.stringify(words)},` +
    `"createdAt":"${created}","lastUpdatedAt":"${updated}","${ttlName}":${ttl},"${pollName}":${pollMs}`
  )
}

function workingWords(ticket: Ticket, at: Stations): string {
  if (ticket.state === 'executing') return 'Approved; it is running.'
  if (ticket.state === 'approved') return 'Approved; it runs now that it is asked for.'
  const link = linkOf(ticket, at.consoleUrl)
  return `Waiting for a person to approve it until ${momentOf(ticket.notAfterMs)}: ${link}`
}

function endedOr(ticket: Ticket, status: Status): string {
  return status === 'completed' && ticket.state === 'executed' ? 'It has run.' : endedWords(ticket)
}

export function response({ idRaw }: Leg, result: string): Uint8Array {
  return Buffer.from(`{"jsonrpc":"2.0","id":${idRaw ?? 'null'},"result":${result}}`)
}
