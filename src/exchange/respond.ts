/** The way back: the server's HTTP answer to a client's request, message by message. */
import { Fault } from '../base/fault.ts'
import type { Finding } from '../inspect/facts.ts'
import type { Answer } from '../upstream/answer.ts'
import { splice } from '../wire/splice.ts'
import type { Edit } from '../wire/splice.ts'
import { SseReader } from '../wire/sse.ts'
import type { SseEvent } from '../wire/sse.ts'
import { pendingKey, receiptName, recordEnd, recordMessage } from './account.ts'
import type { Account } from './budget.ts'
import { endSession } from './closing.ts'
import {
  asMessage,
  badAnswer,
  cutsOf,
  deliveredBy,
  foreign,
  learn,
  learnTools,
  noteShown,
  outcomeOf,
  pass,
  readAnswerJson,
  readArrived,
  spokenIn,
  tooLarge,
} from './messages.ts'
import { shownEvent, shownHeaders } from './outside.ts'
import {
  beginStream,
  keepAlive,
  release,
  releaseAsEvent,
  releaseControl,
  releaseEvent,
  sendPart,
  sendWhole,
} from './release.ts'
import type { Stations } from './stations.ts'
import { checkStopped } from './stopped.ts'
import type { Known, Leg, Way } from './way.ts'

/**
 * Answers the client with what the server answered.
 * @throws {Fault} `upstream_bad`, `answer_too_large`, `mask_failed`, `record_*`, `cancelled`.
 */
export async function respond(way: Way, known: Known, answer: Answer, at: Stations): Promise<void> {
  const account = at.budget.open()
  try {
    await checkStatus(way, answer, at)
    bindSession(way, answer, at)
    if (answer.type === 'sse') await respondStream(way, known, answer, account, at)
    else if (answer.type === 'json') await respondWhole(way, known, answer, account, at)
    else await respondEmpty(way, known, answer, at)
  } finally {
    account.end()
    answer.discard() // What was not read to its end, for whatever reason, is cut off.
  }
}

/** A status of the server which the client must not take for one of ours. */
async function checkStatus(way: Way, answer: Answer, at: Stations): Promise<void> {
  const { status } = answer
  const { session } = way
  if (status === 404 && way.sid !== undefined && session !== undefined) {
    await endSession(session, 'ended_by_server', true, at)
  }
  if (status === 401 || status === 403 || status === 407) {
    const reason = 'upstream_refused_gateway'
    throw badAnswer(
      reason,
      'The server refuses the gateway: its credential or address is not accepted there.',
    )
  }
  if (status >= 300 && status < 400) {
    throw badAnswer('upstream_redirects', 'The server redirects, which is never followed.')
  }
}

/** The server's session id belongs to this principal from here on (before anybody learns it). */
function bindSession(way: Way, answer: Answer, at: Stations): void {
  const sid = answer.headers['mcp-session-id']
  const { session } = way
  if (sid === undefined || session === undefined || session.sid === sid) return
  if (way.legs.some((leg) => leg.method === 'initialize')) at.sessions.bind(session, sid)
}

/** No message: right for what is not answered by one. What a server says besides is not passed on. */
async function respondEmpty(way: Way, known: Known, answer: Answer, at: Stations): Promise<void> {
  if (way.legs.some((leg) => leg.kind === 'request')) {
    throw badAnswer(
      'no_message',
      `The server answered ${answer.status} without a JSON-RPC message.`,
    )
  }
  const outcome = answer.status < 400 ? ('ok' as const) : ('error' as const)
  for (const leg of way.legs) await recordEnd(leg, { outcome, httpStatus: answer.status }, at)
  const { 'content-type': _, ...headers } = shownHeaders(answer.headers, known, at)
  sendWhole(way, { status: answer.status, headers }, undefined)
}

/** A JSON body: one message, or the array that answers a batch. Nothing leaves before all of it is in. */
async function respondWhole(
  way: Way,
  known: Known,
  answer: Answer,
  account: Account,
  at: Stations,
): Promise<void> {
  const bytes = await collect(answer.body, known.connection.answerBytesMax, account)
  checkStopped(way, known, at)
  const { status } = answer
  const headers = shownHeaders(answer.headers, known, at)
  if (bytes[0] === 0x5b && way.legs.length > 1) {
    await respondBatch(way, known, { status, headers, bytes }, at)
    return
  }
  const arrived = readArrived(way, known, bytes, at)
  const { shown, maskings, receipt, name } = await pass(arrived, { known, status }, at)
  const released = release(shown, receipt, name)
  for (const leg of way.legs) {
    // One refusal for a whole batch answers every element of it.
    await recordEnd(leg, { outcome: outcomeOf(arrived.message), httpStatus: status }, at)
  }
  checkStopped(way, known, at)
  noteShown(way, known, maskings, at)
  if (way.began === 'stream') {
    // A caller who was told of its waiting has a stream already.
    await sendPart(way, releaseAsEvent(shown, receipt, name))
    way.reply?.end()
  } else sendWhole(way, { status, headers }, released)
}

/** The array that answers a batch is masked and recorded as one text, under its first exchange. */
async function respondBatch(
  way: Way,
  known: Known,
  answer: { status: number; headers: Record<string, string>; bytes: Uint8Array },
  at: Stations,
): Promise<void> {
  const tree = readAnswerJson(at.redact(answer.bytes), known, at)
  const [first] = way.legs
  if (first === undefined) throw badAnswer('no_message', 'The server answered nothing.')
  const outcomes = new Map<Leg, ReturnType<typeof outcomeOf>>()
  const edits: Edit[] = []
  const findings: Finding[] = []
  for (let node = tree.first(tree.root); node >= 0; node = tree.next(node)) {
    const message = asMessage(tree, node)
    const leg = way.legs.find((one) => one.kind === 'request' && one.idKey === message.idKey)
    if (leg === undefined) throw foreign()
    await learnTools(message, leg, known, at)
    findings.push(...spokenIn(message, leg, known, at))
    edits.push(...cutsOf(tree, message, leg, known, at))
    learn(message, leg, known, at)
    outcomes.set(leg, outcomeOf(message))
  }
  const cut = edits.length === 0 ? tree : readAnswerJson(splice(tree.bytes, edits), known, at)
  const { kept, shown, maskings } = at.masker.answer(cut, known.plan, known.binding)
  first.messages++
  first.bytesOut += shown.bytes.length
  const told = {
    rpcKind: 'response' as const,
    method: undefined,
    bytes: tree.bytes.length,
    kept,
    maskings,
  }
  const rest = { delivered: deliveredBy(known), eventId: undefined, isAgain: false, findings }
  const receipt = await recordMessage(first, { ...told, ...rest }, undefined, at)
  const released = release(shown, receipt, receiptName(first))
  for (const leg of way.legs) {
    const outcome = outcomes.get(leg) ?? (leg.kind === 'request' ? 'unknown' : 'ok')
    await recordEnd(leg, { outcome, httpStatus: answer.status }, at)
  }
  checkStopped(way, known, at)
  noteShown(way, known, maskings, at)
  sendWhole(way, { status: answer.status, headers: answer.headers }, released)
}

/** Reads a whole body into one array, within its limit and the gateway's. */
async function collect(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
  account: Account,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > bytesMax) throw tooLarge('bytes')
    await account.take(part.length)
    parts.push(part)
  }
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size)
}

/** A stream: its head goes out at once, each event as soon as it is masked and durable. */
async function respondStream(
  way: Way,
  known: Known,
  answer: Answer,
  account: Account,
  at: Stations,
): Promise<void> {
  const giveBack = at.streams.take(known.owner)
  way.undo.push(giveBack)
  if (way.began === undefined) {
    beginStream(way, answer.status, shownHeaders(answer.headers, known, at))
  }
  const reader = new SseReader({ eventBytesMax: known.connection.answerBytesMax })
  for await (const chunk of answer.body) {
    await account.take(chunk.length)
    const events = reader.push(chunk)
    for (const event of events) await respondEvent(way, known, event, answer.status, at)
    if (events.length > 0) account.end()
    if (isOver(way)) break
  }
  reader.end()
  await endStream(way, at)
}

/** A client that left a stream it can resume has left it: the server is told by the closed stream. */
function isOver(way: Way): boolean {
  return way.incoming.gone.aborted && (way.isResumable || way.spoken?.era === 'modern')
}

async function respondEvent(
  way: Way,
  known: Known,
  event: SseEvent,
  status: number,
  at: Stations,
): Promise<void> {
  if (event.data === undefined || event.data.length === 0) {
    await respondControl(way, known, event, at)
    return
  }
  const arrived = readArrived(way, known, event.data, at)
  const isNewId = noteEvent(way, event, arrived.leg, at)
  const again = { ...arrived, isAgain: arrived.isAgain || !isNewId }
  const passed = await pass(again, { known, status, eventId: event.id }, at)
  const { shown, maskings, receipt, name } = passed
  checkStopped(way, known, at)
  noteShown(way, known, maskings, at)
  await sendPart(way, releaseEvent(shownEvent(event, known, at), shown, receipt, name))
}

/** An event without a message: it opens or paces a stream that can be resumed, or keeps it alive. */
async function respondControl(
  way: Way,
  known: Known,
  event: SseEvent,
  at: Stations,
): Promise<void> {
  if (event.id === undefined && event.retry === undefined) {
    await sendPart(way, keepAlive)
    return
  }
  const [leg] = way.legs
  if (leg === undefined) return
  const isNewId = noteEvent(way, event, leg, at)
  const told = {
    rpcKind: 'control' as const,
    method: undefined,
    bytes: event.raw.length,
    kept: undefined,
    maskings: undefined,
    delivered: 'masked' as const,
    eventId: event.id === undefined ? undefined : at.masker.word(event.id),
    isAgain: !isNewId,
  }
  const receipt = await recordMessage(leg, told, undefined, at)
  await sendPart(way, releaseControl(shownEvent(event, known, at), receipt, receiptName(leg)))
}

/** Keeps which exchange an event id belongs to. @returns false for an event that was sent before. */
function noteEvent(way: Way, event: SseEvent, leg: Leg, at: Stations): boolean {
  const { session } = way
  if (event.id === undefined || event.id === '' || session?.sid === undefined) return true
  way.isResumable = true
  const nowMs = Math.floor(at.clock.nowUs() / 1000)
  return at.state.noteEvent(session.sid, event.id, leg.exchange, nowMs)
}

/** The stream has ended. What has no answer yet waits for a resumed stream, or has failed. */
async function endStream(way: Way, at: Stations): Promise<void> {
  const open = way.legs.filter((leg) => leg.kind === 'request' && !leg.isFinished)
  for (const leg of open) {
    if (leg.isCancelled) {
      await recordEnd(leg, { outcome: 'cancelled', httpStatus: 200 }, at)
    } else if (leg.method === 'subscriptions/listen') {
      // It may end without a result (MCP 2026-07-28, Subscriptions: abrupt end).
      await recordEnd(leg, { outcome: 'ok', httpStatus: 200, reason: 'stream_ended' }, at)
    } else if (way.isResumable && leg.session.closedFor === undefined) {
      leg.leftMs = at.clock.monotonicMs()
      at.pending.set(pendingKey(leg), leg)
    } else if (way.incoming.gone.aborted) {
      throw new Fault('cancelled', 'The client closed the stream before the answer.')
    } else {
      throw badAnswer('no_answer', 'The server ended its stream without an answer.')
    }
  }
  for (const leg of way.legs) {
    if (leg.kind !== 'request') await recordEnd(leg, { outcome: 'ok', httpStatus: 200 }, at)
  }
  way.reply?.end()
}
