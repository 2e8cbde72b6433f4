/** What a POST asks, as policy and the record see it, and what is remembered of it. */
import type { Asked } from '../policy/permit.ts'
import type { Session } from '../session/sessions.ts'
import { NONE } from '../wire/json.ts'
import { idKeyOf } from '../wire/message.ts'
import type { Message, Posted } from '../wire/message.ts'
import { pendingKey } from './account.ts'
import type { AskedMasked } from './account.ts'
import { elementTree } from './arrive.ts'
import { isTaskOfOther } from './messages.ts'
import type { Stations } from './stations.ts'
import type { Known, Leg, Way } from './way.ts'

const messagesOf = (posted: Posted): readonly Message[] =>
  posted.kind === 'one' ? [posted.message] : posted.messages

/** The messages masked for the record; what is sent stays as it came. */
export function maskAsked(posted: Posted, known: Known, at: Stations): AskedMasked[] {
  return messagesOf(posted).map((message) =>
    at.masker.asked(elementTree(message, at), known.plan, known.binding),
  )
}

/** What policy decides by: everything of it from the body. */
export function askedOf(posted: Posted, legs: readonly Leg[], known: Known, at: Stations): Asked[] {
  return messagesOf(posted).map((message, index) => {
    const { kind, method, idKey } = message
    const target = legs[index]?.target ?? { kind: 'none', name: '' }
    const session = legs[index]?.session
    const sid = session?.sid ?? session?.id ?? ''
    return {
      kind,
      method,
      target,
      listensTo: method === 'subscriptions/listen' ? listensTo(message) : [],
      isAwaited: kind === 'response' && at.state.awaited(sid, idKey ?? '', 'server') !== undefined,
      isTaskOfOther: target.kind === 'task' && isTaskOfOther(known, target.name, at),
    }
  })
}

/** URIs of `params.notifications.resourceSubscriptions` (MCP 2026-07-28, Subscriptions). */
function listensTo({ tree, params }: Message): string[] {
  const list = tree.get(tree.get(params, 'notifications'), 'resourceSubscriptions')
  const uris: string[] = []
  if (list === NONE || tree.kind(list) !== 'array') return uris
  for (let at = tree.first(list); at !== NONE; at = tree.next(at)) {
    uris.push(tree.kind(at) === 'string' ? tree.text(at) : '')
  }
  return uris
}

/** Remembers whose answers are awaited, so that a resumed stream finds them after a restart too. */
export function notePending(way: Way, legs: readonly Leg[], at: Stations): void {
  if (way.spoken?.era !== 'legacy') return
  const nowMs = Math.floor(at.clock.nowUs() / 1000)
  for (const leg of legs) {
    const { sid } = leg.session
    const { idKey } = leg
    if (idKey === undefined) continue
    if (leg.kind === 'response') {
      at.state.settle(sid ?? leg.session.id, idKey, 'server')
    } else if (leg.kind === 'request') {
      at.pending.set(pendingKey(leg), leg)
      if (sid === undefined) continue
      at.state.await(
        sid,
        idKey,
        'client',
        { exchange: leg.exchange, method: leg.method ?? '' },
        nowMs,
      )
    }
  }
}

/** A cancelled call may end without an answer (MCP 2025-11-25, Cancellation). */
export function noteCancelled(posted: Posted, session: Session, at: Stations): void {
  for (const { tree, params, method } of messagesOf(posted)) {
    if (method !== 'notifications/cancelled') continue
    const id = tree.get(params, 'requestId')
    const idKey = id === NONE ? undefined : idKeyOf(tree, id)
    if (idKey === undefined) continue
    const legs = new Set(heldLegs(session, idKey, at))
    const pending = at.pending.get(pendingKey({ session, idKey }))
    for (const leg of pending === undefined ? legs : legs.add(pending)) {
      leg.isCancelled = true
      leg.cancel?.()
    }
  }
}

/**
 * Calls of this id that wait for a person. Clients of a server without sessions may share one here,
 * and their ids: then each is cancelled, since nothing may run for a caller who has left.
 */
function heldLegs(session: Session, idKey: string, { underway }: Stations): Leg[] {
  return [...underway].flatMap(({ legs }) =>
    legs.filter(
      (leg) => leg.session === session && leg.idKey === idKey && leg.ticket !== undefined,
    ),
  )
}
