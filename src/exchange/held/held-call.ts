/** What of a request is held: what it calls, and the raw bytes of its arguments. */
import { Fault } from '../../base/fault.ts'
import type { HeldCall } from '../../hold/ticket.ts'
import { NONE, readJson } from '../../wire/json.ts'
import type { Message } from '../../wire/message.ts'
import type { Stations } from '../stations.ts'
import type { Asking } from './hold.ts'

export type HoldableCall = HeldCall

/** Methods that are about one thing and answered by one result. */
const holdable: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])
const none = new Uint8Array(0)
const noArguments = Buffer.from('{}')

/** @throws {Fault} `refused` for what nobody can wait for: a notification, a list, an answer. */
export function heldCallOf(
  { asked, inspected, known, leg, message, verdict, way }: Asking,
  at: Stations,
): HoldableCall {
  const { connection, owner, principal, who } = known
  const { hold } = verdict
  if (hold === undefined || message.kind !== 'request' || !holdable.has(message.method ?? '')) {
    const text = `A rule would hold this for a person, and a message of this kind cannot wait: ${verdict.reason} Nothing was sent.`
    const [matched] = verdict.matched
    throw new Fault('refused', text, {
      facts: { reason: 'cannot_be_held', ...(matched ? { rule: matched.rule } : {}) },
    })
  }
  checkMembers(message)
  const args = argumentsOf(message)
  const { name, clientId, kind, owner: answers, claims } = principal
  return {
    exchange: leg.exchange,
    session: leg.session.id,
    owner,
    principal: {
      issuer: principal.issuer,
      subject: principal.subject,
      kind,
      ...(name === undefined ? {} : { name }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(answers === undefined ? {} : { owner: answers }),
      ...(claims === undefined ? {} : { claims }),
    },
    who,
    source: { ip: way.incoming.source.ip },
    connection: connection.name,
    connectionRevision: connection.revision,
    method: message.method ?? '',
    tool: leg.target.name,
    toolSha256: at.pins.seen(connection.name, leg.target.name) ?? '',
    args,
    shown: shownOf(args, known, at),
    hasSensitiveAuth: asked.maskings.groups().some(({ kind: of }) => sensitive.has(of)),
    facts: withMaskedNames(inspected, at),
    matched: verdict.matched,
    reason: verdict.reason,
    terms: hold,
    policyRevision: verdict.revision,
  }
}

/** What a reviewer sees and what is bound: all else a server acts on must not ride along. */
const members: ReadonlySet<string> = new Set(['name', 'uri', 'arguments', '_meta', 'task'])

function checkMembers({ params, tree }: Message): void {
  for (let key = tree.first(params); key !== NONE; key = tree.next(key)) {
    if (members.has(tree.text(key))) continue
    const text =
      'A rule would hold this for a person, who decides about its arguments alone: it carries something besides them, such as an answer to a question of the server. Nothing was sent.'
    throw new Fault('refused', text, { facts: { reason: 'cannot_be_held' } })
  }
}

/** A column of the result may be called anything, a card number too. */
function withMaskedNames(
  { findings, sql }: Asking['inspected'],
  at: Stations,
): Asking['inspected'] {
  const named = sql.map((fact) => ({
    ...fact,
    columns_returned: Object.fromEntries(
      Object.entries(fact.columns_returned).map(([name, of]) => [at.masker.word(name).value, of]),
    ),
  }))
  return { findings, sql: named }
}

/** Never stored, even encrypted (PCI DSS v4.0.1 req. 3.3.1). */
const sensitive: ReadonlySet<string> = new Set(['cvv', 'track', 'pin'])

/** The raw bytes of `params.arguments`; none where the request has none. */
function argumentsOf({ params, tree }: Message): Uint8Array {
  const node = tree.get(params, 'arguments')
  return node === NONE ? none : tree.raw(node)
}

function shownOf(
  args: Uint8Array,
  { binding, plan }: Asking['known'],
  at: Stations,
): HeldCall['shown'] {
  const { jsonDepthMax: depthMax, requestBytesMax: bytesMax } = at.limits
  const tree = readJson(args.length === 0 ? noArguments : args, { bytesMax, depthMax })
  return at.masker.asked(tree, plan, binding).kept
}
