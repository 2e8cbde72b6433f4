/** What the server says: read whole, understood, filtered, masked, recorded, and then released. */
import { Fault } from '../base/fault.ts'
import type { Finding } from '../inspect/facts.ts'
import { visible } from '../policy/visible.ts'
import type { Durable } from '../record/durable.ts'
import type { CallFinished } from '../record/entry.ts'
import type { Deliverable } from '../mask/masked.ts'
import type { Maskings } from '../mask/masker.ts'
import { NONE, readJson } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import { readMessage } from '../wire/message.ts'
import type { Message } from '../wire/message.ts'
import { splice } from '../wire/splice.ts'
import type { Edit } from '../wire/splice.ts'
import { pendingKey, receiptName, recordMessage } from './account.ts'
import { announceTasks } from './held/announce.ts'
import { rowsOf } from './rows.ts'
import { fitOf, learnSchemas } from './schemas.ts'
import type { Stations } from './stations.ts'
import type { Known, Leg, Way } from './way.ts'

/** A message of the server, read, with the exchange it belongs to. */
export interface Arrived {
  readonly tree: JsonTree
  readonly message: Message
  readonly leg: Leg
  /** Whether it is the answer that ends its exchange. */
  readonly isEnd: boolean
  /** Whether it was delivered before, on a stream that the client resumes. */
  readonly isAgain: boolean
}

/**
 * Reads one message of the server.
 * @throws {Fault} `upstream_bad` for what is not a JSON-RPC message, or answers nobody here.
 */
export function readArrived(way: Way, known: Known, bytes: Uint8Array, at: Stations): Arrived {
  // A server may say the gateway's own credential back; nobody else is to have it.
  const tree = readAnswerJson(at.redact(bytes), known, at)
  const message = asMessage(tree, tree.root)
  if (message.kind !== 'response') {
    const [leg] = way.legs
    if (leg === undefined) throw foreign()
    return { tree, message, leg, isEnd: false, isAgain: false }
  }
  return { tree, message, ...answered(way, message, at) }
}

/** @throws {Fault} `upstream_bad` for broken JSON, `answer_too_large` past the limits. */
export function readAnswerJson(bytes: Uint8Array, known: Known, at: Stations): JsonTree {
  const { answerBytesMax } = known.connection
  try {
    return readJson(bytes, { bytesMax: answerBytesMax, depthMax: at.limits.jsonDepthMax })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code === 'too_large' || error.facts['reason'] === 'depth') throw tooLarge('depth')
    throw badAnswer('not_json', 'The server answered with something that is not valid JSON.', error)
  }
}

export function asMessage(tree: JsonTree, node: Node): Message {
  try {
    return readMessage(tree, node)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw badAnswer(
      'not_json_rpc',
      'The server answered with something that is not JSON-RPC.',
      error,
    )
  }
}

/** Finds whose answer it is: one of this request's, or one that waits on another stream. */
function answered(
  way: Way,
  message: Message,
  at: Stations,
): Pick<Arrived, 'leg' | 'isEnd' | 'isAgain'> {
  const { idKey } = message
  const own = way.legs.find((leg) => leg.kind === 'request' && leg.idKey === idKey)
  if (own !== undefined) return { leg: own, isEnd: !own.isFinished, isAgain: own.isFinished }
  const { session } = way
  const [stream] = way.legs
  if (session === undefined || stream === undefined) throw foreign()
  if (idKey === undefined) {
    // A refusal of the server that names no request answers the only one there is.
    return { leg: stream, isEnd: !stream.isFinished, isAgain: false }
  }
  const waiting = at.pending.get(pendingKey({ session, idKey }))
  if (stream.kind === 'stream' && waiting !== undefined) {
    return { leg: waiting, isEnd: true, isAgain: false }
  }
  const before =
    session.sid === undefined ? undefined : at.state.awaited(session.sid, idKey, 'client')
  if (stream.kind !== 'stream' || before === undefined) throw foreign()
  // Its exchange has ended: it was answered before, or a restart ended it as unknown.
  return { leg: stream, isEnd: false, isAgain: true }
}

/** A message that may leave: masked twice and durable. */
export interface Passed {
  readonly shown: Deliverable
  readonly maskings: Maskings
  readonly receipt: Durable
  readonly name: string
}

/**
 * Takes one message through filter, mask and record.
 * @param status the HTTP status it is answered with.
 * @throws {Fault} `mask_failed`, `answer_too_large`, `answer_suspicious`, `record_down`, `record_full`.
 */
export async function pass(
  arrived: Arrived,
  of: { known: Known; status: number; eventId?: string | undefined },
  at: Stations,
): Promise<Passed> {
  const { leg, isEnd, isAgain } = arrived
  const { known, status } = of
  checkRows(arrived, known)
  await learnTools(arrived.message, leg, known, at)
  const { tree, message } = filtered(arrived, known, at)
  learn(message, leg, known, at)
  const findings = spokenIn(message, leg, known, at)
  const fit = fitOf(message, leg, known, at)
  const { kept, shown, maskings } = at.masker.answer(tree, known.plan, known.binding, fit)
  const told = {
    rpcKind: message.kind,
    method: message.method === undefined ? undefined : at.masker.word(message.method),
    bytes: tree.bytes.length,
    kept,
    maskings,
    delivered: deliveredBy(known),
    eventId: of.eventId === undefined ? undefined : at.masker.word(of.eventId),
    isAgain,
    findings,
  }
  leg.messages++
  leg.bytesOut += shown.bytes.length
  if (isEnd) leg.keep?.(arrived.tree.bytes)
  const outcome = leg.outcome ?? outcomeOf(message)
  const end = isEnd ? { outcome, httpStatus: status } : undefined
  const receipt = await recordMessage(leg, told, end, at)
  return { shown, maskings, receipt, name: receiptName(leg) }
}

/** @throws {Fault} `answer_too_large` where a rule lets fewer rows through. */
function checkRows({ message, tree }: Arrived, { rowsMax }: Known): void {
  if (rowsMax === undefined || message.kind !== 'response') return
  if (rowsOf(tree, message.node) > rowsMax) throw tooLarge('rows')
}

/** What a list says of its tools is pinned before anybody sees it; all of it, not what is shown. */
export async function learnTools(
  { kind, node, tree }: Message,
  leg: Leg,
  known: Known,
  at: Stations,
): Promise<void> {
  if (kind !== 'response' || leg.method !== 'tools/list') return
  const result = tree.get(node, 'result')
  if (result !== NONE) await at.pins.learn(known.connection.name, tree, result)
}

const lists: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
])

/**
 * What a message says to a model, as far as the profile has it looked for.
 * @throws {Fault} `answer_suspicious` where the profile withholds what says such a thing.
 */
export function spokenIn(
  { node, tree }: Message,
  leg: Leg,
  known: Known,
  at: Stations,
): readonly Finding[] {
  const { inspect, withhold } = at.rules().answers(known.connection.name)
  if (inspect === 'off' || (inspect === 'lists' && !lists.has(leg.method ?? ''))) return []
  const findings = at.inspector.answer(tree, node)
  const least = withhold === 'certain' ? ['certain'] : ['certain', 'high']
  const isKept =
    withhold !== 'never' && findings.some(({ confidence }) => least.includes(confidence))
  if (!isKept) return findings
  const text = 'The answer is withheld: its text gives orders to a model. The call may have run.'
  throw new Fault('answer_suspicious', text, { facts: { reason: 'answer_suspicious' } })
}

/** How card numbers leave to this client, for the record. */
export function deliveredBy({ plan }: Known): 'revealed' | 'masked' {
  return plan.reveal === 'pan' ? 'revealed' : 'masked'
}

/**
 * Counts the card numbers of a message for the exposure of its principal, as it goes out. Where the
 * client has left before, nobody is shown anything.
 */
export function noteShown(way: Way, known: Known, maskings: Maskings, at: Stations): void {
  if (maskings.count === 0 || way.incoming.gone.aborted) return
  const kind = known.plan.reveal === 'pan' ? 'clear' : 'masked'
  at.exposure.note(known, kind, maskings.hashes())
}

/** Lists are cut to what the principal may use; everything else is the very same tree. */
function filtered(
  arrived: Arrived,
  known: Known,
  at: Stations,
): { tree: JsonTree; message: Message } {
  const { tree, message, leg } = arrived
  const edits = cutsOf(tree, message, leg, known, at)
  if (edits.length === 0) return { tree, message }
  const cut = readAnswerJson(splice(tree.bytes, edits), known, at)
  return { tree: cut, message: asMessage(cut, cut.root) }
}

/** What is changed in an answer before it is masked: what its client must not see is cut out. */
export function cutsOf(
  tree: JsonTree,
  message: Message,
  leg: Leg,
  known: Known,
  at: Stations,
): readonly Edit[] {
  if (message.kind !== 'response' || leg.method === undefined) return []
  const isOthers = (taskId: string): boolean => isTaskOfOther(known, taskId, at)
  const { edits } = visible(tree, message.node, leg.method, known.access, isOthers)
  const isAnnounced = leg.method === 'server/discover' && at.mayHold(known.connection.name)
  if (!isAnnounced) return edits
  return [...edits, ...announceTasks(tree, message.node)].toSorted((a, b) => a.start - b.start)
}

/** Whether a task is known to be another principal's. One that nobody owns yet passes. */
export function isTaskOfOther(known: Known, taskId: string, at: Stations): boolean {
  const owner = at.state.ownerOfTask(known.connection.name, taskId)
  return owner !== undefined && owner !== at.state.hash(known.owner)
}

/** Notes what later requests are checked by: questions of the server, tasks, the agreed version. */
export function learn(message: Message, leg: Leg, known: Known, at: Stations): void {
  const { tree, node, kind, idKey, method } = message
  const nowMs = Math.floor(at.clock.nowUs() / 1000)
  if (kind === 'request' && idKey !== undefined) {
    const sid = leg.session.sid ?? leg.session.id
    at.state.await(sid, idKey, 'server', { exchange: leg.exchange, method: method ?? '' }, nowMs)
    return
  }
  if (kind !== 'response') return
  learnSchemas(message, leg, known, at)
  const result = tree.get(node, 'result')
  if (result === NONE) return
  if (leg.method === 'tools/list') at.mirrors.learn(known.connection.name, tree, result)
  if (leg.method === 'initialize') learnVersion(tree, result, leg, at)
  const flat = tree.get(result, 'taskId')
  const task = flat === NONE ? tree.get(tree.get(result, 'task'), 'taskId') : flat
  if (leg.method === 'tools/call' && task !== NONE && tree.kind(task) === 'string') {
    at.state.ownTask(known.connection.name, tree.text(task), at.state.hash(known.owner), nowMs)
  }
}

function learnVersion(tree: JsonTree, result: Node, leg: Leg, at: Stations): void {
  const version = tree.get(result, 'protocolVersion')
  if (version === NONE || tree.kind(version) !== 'string') return
  const text = tree.text(version)
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return
  leg.session.version = text
  if (leg.session.sid !== undefined) at.sessions.bind(leg.session, leg.session.sid)
}

/** How an answer ends its exchange (MCP, tools: `isError` is a result the tool failed with). */
export function outcomeOf(message: Message): CallFinished['outcome'] {
  const { tree, node } = message
  if (tree.get(node, 'error') !== NONE) return 'error'
  const isError = tree.get(tree.get(node, 'result'), 'isError')
  return isError !== NONE && tree.kind(isError) === 'true' ? 'tool_error' : 'ok'
}

export function badAnswer(reason: string, message: string, cause?: unknown): Fault {
  const text = `${message} It was not passed on; the call may have run.`
  return new Fault('upstream_bad', text, { cause, facts: { reason } })
}

export function tooLarge(reason: string): Fault {
  return new Fault(
    'answer_too_large',
    'The call ran, and its answer is withheld: it is larger or deeper than this connection or a rule lets through (answer_bytes_max, limits.json_depth_max, limit).',
    { facts: { reason } },
  )
}

export function foreign(): Fault {
  return badAnswer(
    'answer_of_another_request',
    'The server answered a request that was not asked here.',
  )
}
