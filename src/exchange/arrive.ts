/** The first steps of every request: where it goes, who sends it, what it says, in which session. */
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { hasTokenInQuery } from '../identity/bearer.ts'
import { refusal } from '../identity/reasons.ts'
import { checkJson, checkPlain } from '../listener/media.ts'
import type { Incoming } from '../listener/incoming.ts'
import type { Principal } from '../identity/principal.ts'
import type { Masked } from '../mask/masked.ts'
import type { Access } from '../policy/grants.ts'
import type { AuthAccepted, Details, TargetName, Who } from '../record/entry.ts'
import type { Session } from '../session/sessions.ts'
import { readJson } from '../wire/json.ts'
import { checkMirrors, classify, readPosted, targetOf } from '../wire/message.ts'
import type { Message, Posted } from '../wire/message.ts'
import { readState, withoutState } from './held/leg-state.ts'
import { sharedOf } from './shared.ts'
import type { Connection, Stations } from './stations.ts'
import { checkEntry } from './stopped.ts'
import type { Known, Leg, Way } from './way.ts'

const route = /^\/mcp\/([A-Za-z0-9._-]{1,64})$/

export function newWay(incoming: Incoming, at: Stations): Way {
  return {
    incoming,
    exchange: newId('ex'),
    startedMs: at.clock.monotonicMs(),
    work: new AbortController(),
    connectionName: route.exec(incoming.path)?.[1],
    known: undefined,
    stopped: undefined,
    isSent: false,
    spoken: undefined,
    session: undefined,
    sid: undefined,
    isUndone: false,
    message: undefined,
    legs: [],
    asked: [],
    inspected: [],
    matched: [],
    heldLeg: undefined,
    opening: [],
    reply: undefined,
    began: undefined,
    undo: [],
    isResumable: false,
  }
}

/**
 * Host and origin, then the token, then the grant, in this order: nobody learns the name of a
 * connection who has not signed in.
 * @throws {Fault} `host_refused`, `origin_refused`, `no_identity`, `identity_down`,
 *   `connection_unknown`, `connection_refused`, `session_unknown`, `stopping`, `path_unknown`.
 */
export async function identify(way: Way, at: Stations): Promise<Known> {
  if (at.isStopping())
    throw new Fault('stopping', 'The gateway is stopping; try again in a moment.')
  const { headers, path, query } = way.incoming
  at.checkHost(headers)
  const name = way.connectionName
  if (name === undefined) {
    throw new Fault(
      'path_unknown',
      'Nothing is served at this path. Connections are at /mcp/{name}.',
    )
  }
  const connection = at.connections.get(name)
  const resource = connection?.resource ?? path
  if (hasTokenInQuery(query)) throw refusal('query')
  const principal = await at.identity.identify(headers.all('authorization'), resource)
  if (connection === undefined) {
    throw new Fault('connection_unknown', 'There is no connection of this name.')
  }
  const who = whoIs(principal, at)
  const { ip } = way.incoming.source
  const access = at.access(principal, name, { ip, nowMs: at.clock.nowUs() / 1000 })
  const owner = `${principal.issuer}\n${principal.subject}`
  const plan = planOf(connection, access)
  way.known = {
    connection,
    principal,
    owner,
    who,
    access: access ?? noAccess,
    plan,
    binding: `${name}\n${owner}`,
  }
  checkEntry(way, principal, at)
  if (access === undefined) {
    const message = 'No grant gives you this connection. Ask whoever keeps the access list.'
    throw new Fault('connection_refused', message, { facts: { reason: 'no_grant' } })
  }
  // Only who has a grant: strangers with good tokens would fill the directory.
  at.directory.seen(principal, at.clock.nowUs() / 1000)
  way.sid = sidOf(way, way.known, at)
  return way.known
}

/** One that left as an alias is what it stands for; somebody else's alias is no session of theirs. */
function sidOf(way: Way, known: Known, at: Stations): string | undefined {
  const sid = way.incoming.headers.get('mcp-session-id')
  if (sid === undefined) return undefined
  try {
    return at.masker.unseal(sid, known.binding)
  } catch (cause) {
    const message = 'There is no such session of yours on this connection.'
    throw new Fault('session_unknown', message, { cause, facts: { reason: 'session_unknown' } })
  }
}

const whos = new WeakMap<Principal, Masked<Who>>()

/** The principal as entries name it: its words masked, made once for as long as its token is known. */
function whoIs(principal: Principal, at: Stations): Masked<Who> {
  const known = whos.get(principal)
  if (known !== undefined) return known
  const { issuer, subject, name, kind, groups } = principal
  const who = at.masker.words<Who>({ issuer, subject, name, kind, groups })
  whos.set(principal, who)
  return who
}

const noAccess: Known['access'] = {
  grants: [],
  reveal: 'none',
  allows: () => false,
  mayMatchTemplate: () => false,
}

const plans = new WeakMap<Connection, Map<Access | undefined, Known['plan']>>()

/** One plan per connection and access, made once, so that the masker can keep what it derives. */
function planOf(connection: Connection, access: Access | undefined): Known['plan'] {
  const mine = plans.get(connection) ?? new Map<Access | undefined, Known['plan']>()
  const known = mine.get(access)
  if (known !== undefined) return known
  const { detect, profile } = connection
  const reveal = access?.reveal ?? 'none'
  const rule = access?.reveal === 'pan' ? `${profile} ${access.grants.join(' ')}` : profile
  const plan = { reveal, detect, rule }
  // Access objects live as long as the token they were found for; what is kept here stays small.
  if (mine.size >= plansMax) mine.clear()
  plans.set(connection, mine.set(access, plan))
  return plan
}

const plansMax = 10_000

/** What a POST carries. */
export interface Body {
  readonly posted: Posted
  /** The bytes that will be sent: those that came, with sealed aliases undone. */
  readonly bytes: Uint8Array
}

/**
 * Reads the body and the era it speaks, and checks that the headers agree with it.
 * @throws {Fault} everything that `bad_*`, `header_mismatch` and `version_unsupported` stand for.
 */
export async function readBody(way: Way, known: Known, at: Stations): Promise<Body> {
  checkPlain(way.incoming.headers)
  checkJson(way.incoming.headers)
  const came = await way.incoming.body(at.limits.requestBytesMax)
  const room = at.budget.open()
  way.undo.push(() => room.end())
  await room.take(came.length)
  const limits = { bytesMax: at.limits.requestBytesMax, depthMax: at.limits.jsonDepthMax }
  const first = readPosted(came, limits)
  way.message = first.kind === 'one' ? first.message : undefined
  const tree = first.kind === 'one' ? first.message.tree : first.messages[0]?.tree
  const bytes = tree === undefined ? came : at.masker.undo(tree, known.binding)
  way.isUndone = bytes !== came
  const posted = way.isUndone ? readPosted(bytes, limits) : first
  const version =
    way.sid === undefined ? undefined : at.state.binding(known.connection.name, way.sid)?.version
  way.spoken = classify(posted, way.incoming.headers, version)
  if (way.spoken.era === 'modern' && first.kind === 'one') {
    // As it came: a header that repeats an alias agrees with the alias.
    checkMirrors(first.message, way.incoming.headers)
    at.mirrors.check(known.connection.name, first.message, way.incoming.headers)
  }
  return withoutOwnState(way, known, { posted, bytes }, at)
}

/** A request that goes on from a leg of ours, as its server may see it. @throws {Fault} `bad_params`. */
function withoutOwnState(way: Way, known: Known, body: Body, at: Stations): Body {
  const { posted } = body
  if (posted.kind !== 'one' || way.spoken?.era !== 'modern') return body
  way.heldLeg = readState(posted.message, known.binding, (text) => at.state.hash(text))
  if (way.heldLeg === undefined) return body
  const bytes = withoutState(posted.message)
  const limits = { bytesMax: at.limits.requestBytesMax, depthMax: at.limits.jsonDepthMax }
  return { posted: readPosted(bytes, limits), bytes }
}

/** Finds or opens the recorded session. @throws {Fault} `session_unknown`. */
export function join(way: Way, known: Known, posted: Posted | null, at: Stations): Session {
  const { headers, source } = way.incoming
  const { connection, owner } = known
  const { clientId: client, signInId: signIn } = known.principal
  const { era, version } = way.spoken ?? { era: 'legacy' as const, version: '2025-03-26' }
  const sid = era === 'legacy' ? way.sid : undefined
  const userAgent = headers.get('user-agent') ?? ''
  const trait = { ip: source.ip, client, signIn, userAgent }
  const opener = posted?.kind === 'one' && posted.message.method === 'initialize'
  let joined
  if (sid !== undefined) joined = at.sessions.resume(connection.name, owner, sid)
  else if (opener) {
    joined = { session: at.sessions.begin(connection.name, owner, version, trait), isNew: true }
  } else joined = at.sessions.join(connection.name, owner, era, version, trait)
  way.session = joined.session
  if (joined.isNew) noteOpening(way, known, joined.session, posted, at)
  return joined.session
}

/** A new session and the token it was opened with are recorded with its first call. */
function noteOpening(
  way: Way,
  known: Known,
  session: Session,
  posted: Posted | null,
  at: Stations,
): void {
  const userAgent = way.incoming.headers.get('user-agent')
  const client = posted?.kind === 'one' ? clientOf(posted.message) : {}
  const { continues } = session
  session.clientName = client.name
  way.opening.push(
    { entry: acceptedOf(known.principal, at) },
    {
      entry: {
        type: 'session.opened',
        era: session.era,
        version: session.version,
        clientName: client.name === undefined ? undefined : at.masker.word(client.name),
        clientVersion: client.version === undefined ? undefined : at.masker.word(client.version),
        userAgent: userAgent === undefined ? undefined : at.masker.word(userAgent),
        continues,
      },
    },
  )
}

/** By what somebody was let in: enough to stop this token, client or sign-in, and never the token. */
function acceptedOf(principal: Principal, at: Stations): AuthAccepted {
  const { clientId, expiresAtMs, signInId, tokenId, claims = {} } = principal
  const run = workflowClaims.flatMap((name) => {
    const value = claims[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  const details = { client: clientId, token: tokenId, signIn: signInId, ...Object.fromEntries(run) }
  const hasAny = Object.values(details).some((value) => value !== undefined)
  return {
    type: 'auth.accepted',
    expiresUs: expiresAtMs * 1000,
    details: hasAny ? at.masker.words<Details>(details) : undefined,
  }
}

/** What names one run of a workflow (GitHub docs, "OpenID Connect reference"). */
const workflowClaims = ['repository', 'ref', 'sha', 'workflow', 'run_id', 'run_attempt', 'actor_id']

/** Self-reported: for people to read, never to decide by (MCP 2026-07-28, Base protocol). */
function clientOf({ tree, params, method }: Message): { name?: string; version?: string } {
  const info =
    method === 'initialize'
      ? tree.get(params, 'clientInfo')
      : tree.get(tree.get(params, '_meta'), 'io.modelcontextprotocol/clientInfo')
  const read = (key: string): string | undefined => {
    const node = tree.get(info, key)
    return node >= 0 && tree.kind(node) === 'string' ? tree.text(node) : undefined
  }
  const [name, version] = [read('name'), read('version')]
  return { ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) }
}

const removed: ReadonlySet<string> = new Set(['resources/subscribe', 'resources/unsubscribe'])
const nowhere = { kind: 'none' as const, name: '' }

/** The exchanges of a POST: one for a single message, one for each element of a batch. */
export function legsOf(
  way: Way,
  known: Known,
  session: Session,
  posted: Posted,
  at: Stations,
): Leg[] {
  const messages = posted.kind === 'one' ? [posted.message] : posted.messages
  const legs = messages.map((message, index) => {
    const { tree, node, kind, idRaw, idKey, method } = message
    // In the modern era these two are no methods any more; the server says so itself.
    const isGone = way.spoken?.era === 'modern' && removed.has(method ?? '')
    const target = isGone ? nowhere : targetOf(message)
    const bytesIn = tree.end(node) - tree.start(node)
    const exchange = index === 0 ? way.exchange : newId('ex')
    return newLeg(
      { way, known, session, at },
      { exchange, kind, idRaw, idKey, method, target, bytesIn },
    )
  })
  way.legs = legs
  return legs
}

/** The exchange of a request without a body: a GET stream or a DELETE. */
export function bareLeg(
  way: Way,
  known: Known,
  session: Session,
  kind: 'stream' | 'end',
  at: Stations,
): Leg {
  const none = { idRaw: undefined, idKey: undefined, method: undefined, bytesIn: 0 }
  const of = { exchange: way.exchange, kind, ...none }
  const leg = newLeg({ way, known, session, at }, { ...of, target: nowhere })
  way.legs = [leg]
  return leg
}

type Fixed = 'exchange' | 'kind' | 'idRaw' | 'idKey' | 'method' | 'target' | 'bytesIn'

function newLeg(
  { way, known, session, at }: { way: Way; known: Known; session: Session; at: Stations },
  of: Pick<Leg, Fixed>,
): Leg {
  const { kind, name } = of.target
  const maskedTarget: TargetName | undefined =
    kind === 'none' ? undefined : { kind, name: at.masker.word(name) }
  return {
    ...of,
    maskedMethod: of.method === undefined ? undefined : at.masker.word(of.method),
    maskedTarget,
    shared: sharedOf(way, of.exchange),
    startedMs: way.startedMs,
    connection: known.connection,
    session,
    seq: 0,
    bytesOut: 0,
    messages: 0,
    isReceived: false,
    isFinished: false,
    ended: undefined,
    isCancelled: false,
    cancel: undefined,
    ticket: undefined,
    outcome: undefined,
    keep: undefined,
    leftMs: undefined,
  }
}

/** The masked text of one message for the record: the whole body, or its element of a batch. */
export function elementTree(message: Message, at: Stations): Message['tree'] {
  const { tree, node } = message
  if (node === tree.root) return tree
  const limits = { bytesMax: at.limits.requestBytesMax, depthMax: at.limits.jsonDepthMax }
  return readJson(tree.raw(node), limits)
}
