/**
 * Running an approved ticket for somebody who polls its task: the call is made anew from the bytes
 * that were approved, and takes every step of the way but the client's own connection.
 */
import { Fault } from '../../base/fault.ts'
import type { Taken } from '../../hold/tickets.ts'
import { headersOf } from '../../listener/headers.ts'
import type { Incoming, Reply } from '../../listener/incoming.ts'
import { permitApproved } from '../../policy/permit.ts'
import type { Granted } from '../../policy/permit.ts'
import type { Verdict } from '../../policy/verdict.ts'
import { NONE } from '../../wire/json.ts'
import { readPosted } from '../../wire/message.ts'
import type { Message } from '../../wire/message.ts'
import { encodeMirror } from '../../wire/mirrors.ts'
import { recordIntent } from '../account.ts'
import { legsOf, newWay } from '../arrive.ts'
import { maskAsked } from '../asked.ts'
import { dutiful, ruleNames } from '../judged.ts'
import { refuse } from '../refuse.ts'
import { respond } from '../respond.ts'
import { digestOf, send } from '../send.ts'
import type { Stations } from '../stations.ts'
import { checkStopped } from '../stopped.ts'
import type { Known, Way } from '../way.ts'
import type { Claim } from './executions.ts'
import { finish } from './finish.ts'

/** Who polls, and what the ticket gave. */
export interface Running {
  readonly way: Way
  readonly known: Known
  readonly message: Message
  readonly granted: Granted
  readonly verdict: Verdict
  readonly taken: Taken
  readonly claim: Claim
}

/** Runs it to its end; never throws. What came of it is in `executions`. */
export async function run(of: Running, at: Stations): Promise<void> {
  const { claim, taken } = of
  const { ticket } = taken
  let made: { way: Way; body: Uint8Array } | undefined
  let error: unknown
  try {
    made = makeWay(of, at)
    const { body, way } = made
    await runSteps(way, { ...of, known: way.known ?? of.known }, body, at)
  } catch (thrown) {
    error = thrown
    if (made !== undefined) await refuse(made.way, thrown, at)
  } finally {
    if (made !== undefined) at.underway.delete(made.way)
    for (const undo of made?.way.undo ?? []) undo()
    // The poll takes its answer from memory: until then nobody has it.
    await finish({ way: made?.way ?? of.way, ticket, claim, error, isDelivered: true }, at)
  }
}

/** The call as a request of its own, on its way. */
function makeWay(of: Running, at: Stations): { way: Way; body: Uint8Array } {
  const { known, verdict, way: poll } = of
  const body = bodyOf(of)
  const way = newWay(unattended(poll.incoming, headersFor(of, body, at), body), at)
  // What rules want done with the answer holds here as it does for a caller who waited.
  way.known = dutiful(known, verdict)
  way.spoken = poll.spoken
  way.session = poll.session
  way.sid = poll.sid
  at.underway.add(way)
  return { way, body }
}

async function runSteps(way: Way, of: Running, body: Uint8Array, at: Stations): Promise<void> {
  const { claim, granted, known, taken, verdict } = of
  const { session } = way
  if (session === undefined) throw new Fault('defect', 'A task is polled in a session.')
  const posted = readPosted(body, limitsOf(at))
  const [leg] = legsOf(way, known, session, posted, at)
  if (leg === undefined) throw new Fault('defect', 'A call is one exchange.')
  leg.ticket = taken.ticket.id
  leg.keep = (message) => claim.keep(message)
  way.asked = maskAsked(posted, known, at)
  way.inspected = [taken.ticket.facts]
  const digest = digestOf(way, known, body, at)
  const call = callOf(taken)
  const permit = permitApproved(granted, verdict, { approval: taken.approval, call, digest })
  checkStopped(way, known, at)
  const rule = ruleNames(permit.grants, verdict)
  const received = { digest, decision: 'allow' as const, rule, inspected: way.inspected }
  const intent = await recordIntent(way, way.asked, { ...received, ticket: leg.ticket }, at)
  const answer = await send(way, known, { digest, bytes: body, permit, intent }, at)
  await respond(way, known, answer, at)
}

/** What an approval is compared with. */
export function callOf({ args, ticket }: Taken): Parameters<Taken['approval']['covers']>[0] {
  const { connection, connectionRevision, method, tool } = ticket
  return { connection, connectionRevision, method, tool, args }
}

function limitsOf({ limits }: Stations): { bytesMax: number; depthMax: number } {
  return { bytesMax: limits.requestBytesMax + 65_536, depthMax: limits.jsonDepthMax + 4 }
}

/** `{"jsonrpc","id","method","params":{"name","arguments","_meta"}}` with the approved bytes in it. */
function bodyOf({ message, taken }: Running): Uint8Array {
  const { args, ticket } = taken
  const meta = metaOf(message)
  const parts: Uint8Array[] = [
    Buffer.from(
      `{"jsonrpc":"2.0","id":"sallyport-${ticket.id}","method":"${ticket.method}","params":{`,
    ),
    Buffer.from(`"name":${JSON.stringify(ticket.tool)}`),
  ]
  if (args.length > 0) parts.push(Buffer.from(',"arguments":'), args)
  if (meta !== '') parts.push(Buffer.from(`,"_meta":${meta}`))
  return Buffer.concat([...parts, Buffer.from('}}')])
}

const versionKey = 'io.modelcontextprotocol/protocolVersion'
const infoKey = 'io.modelcontextprotocol/clientInfo'
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

/** What the poll says of version and client. It announces nothing: nobody is there to be asked. */
function metaOf({ params, tree }: Message): string {
  const meta = tree.get(params, '_meta')
  const version = tree.get(meta, versionKey)
  if (version === NONE) return ''
  const info = tree.get(meta, infoKey)
  const raw = (node: number): string => Buffer.from(tree.raw(node)).toString('utf8')
  const client = info === NONE ? '' : `,"${infoKey}":${raw(info)}`
  return `{"${versionKey}":${raw(version)},"${capabilitiesKey}":{}${client}}`
}

const mirrored = /^(?:mcp-method|mcp-name|mcp-param-.*|content-length)$/

/** The poll's headers, with those that repeat a body made for this one. */
function headersFor({ known, taken, way }: Running, body: Uint8Array, at: Stations): string[] {
  const kept = [...way.incoming.headers.entries()].filter(([name]) => !mirrored.test(name))
  if (way.spoken?.era !== 'modern') return kept.flat()
  const { method, tool } = taken.ticket
  const posted = readPosted(body, limitsOf(at))
  const params =
    posted.kind === 'one' ? at.mirrors.headersOf(known.connection.name, tool, posted.message) : []
  const own: [string, string][] = [
    ['mcp-method', method],
    ['mcp-name', encodeMirror(tool)],
  ]
  return [...kept, ...own, ...params].flat()
}

/** A request of the same caller, whose answer goes nowhere: it is masked, recorded and kept. */
function unattended(poll: Incoming, headers: readonly string[], body: Uint8Array): Incoming {
  const nowhere: Reply = {
    write: async () => await Promise.resolve(),
    end: () => undefined,
    destroy: () => undefined,
  }
  return {
    method: 'POST',
    path: poll.path,
    query: '',
    headers: headersOf(headers),
    source: poll.source,
    gone: new AbortController().signal,
    body: async () => await Promise.resolve(body),
    begin: () => nowhere,
    native: () => {
      throw new Fault('defect', 'Nobody is connected to it.')
    },
  }
}
