/**
 * The `requestState` of a leg of ours (MCP 2026-07-28, Multi Round-Trip Requests): it names the ticket
 * and counts the legs, under a keyed hash which binds it to principal, connection, and the very call.
 * It gives no right: the ticket is found by the identical call alone.
 */
import { Fault } from '../../base/fault.ts'
import { NONE, stringAt } from '../../wire/json.ts'
import type { JsonTree, Node } from '../../wire/json.ts'
import { targetOf } from '../../wire/message.ts'
import type { Message } from '../../wire/message.ts'
import { splice } from '../../wire/splice.ts'
import type { Edit } from '../../wire/splice.ts'

/** A leg: which ticket, and how many there were before. */
export interface HeldLeg {
  readonly ticket: string
  readonly legs: number
}

const prefix = 'sallyport-held.'
const form = /^sallyport-held\.([A-Za-z0-9_-]{1,64})\.(\d{1,3})\.([A-Za-z0-9_-]{32})$/
const empty = new Uint8Array(0)

type Hash = (text: string) => string

/** @param message the call that the leg belongs to. @param binding principal and connection. */
export function writeState(held: HeldLeg, message: Message, binding: string, hash: Hash): string {
  return `${prefix}${held.ticket}.${held.legs}.${tagOf(held, message, binding, hash)}`
}

/**
 * The leg that a request goes on from; undefined where its state is none of ours.
 * @throws {Fault} `bad_params` for a state that was altered, or is another call's or principal's.
 */
export function readState(message: Message, binding: string, hash: Hash): HeldLeg | undefined {
  const { params, tree } = message
  const state = stringAt(tree, tree.get(params, 'requestState'))
  if (state?.startsWith(prefix) !== true) return undefined
  const [, ticket = '', count = '', tag = ''] = form.exec(state) ?? []
  const held = { ticket, legs: Number(count) }
  if (ticket === '' || tag !== tagOf(held, message, binding, hash)) {
    const text =
      'The requestState was altered, or belongs to another call or caller. Nothing was sent; call again without it.'
    throw new Fault('bad_params', text, { facts: { reason: 'request_state' } })
  }
  return held
}

/** The request without what a leg added: its server never gave that state, and must not see it. */
export function withoutState({ params, tree }: Message): Uint8Array {
  const edits: Edit[] = []
  let before = NONE
  for (let key = tree.first(params); key !== NONE; key = tree.next(key)) {
    const name = tree.text(key)
    if (name === 'requestState' || name === 'inputResponses') edits.push(cut(tree, key, before))
    else before = key
  }
  return splice(tree.bytes, edits)
}

/** A member with one comma: the one ahead where something stays before it, else the one behind. */
function cut(tree: JsonTree, key: Node, keptBefore: Node): Edit {
  const start = tree.start(key)
  const end = tree.end(tree.value(key))
  const next = tree.next(key)
  if (keptBefore === NONE) {
    return { start, end: next === NONE ? end : tree.start(next), bytes: empty }
  }
  return { start: commaBefore(tree.bytes, start), end, bytes: empty }
}

/** Between two members stand blanks and one comma. */
function commaBefore(bytes: Uint8Array, from: number): number {
  let at = from - 1
  while (at > 0 && bytes[at] !== 0x2c) at--
  return at
}

function tagOf({ legs, ticket }: HeldLeg, message: Message, binding: string, hash: Hash): string {
  const { method = '', params, tree } = message
  const args = tree.get(params, 'arguments')
  const raw = args === NONE ? '' : Buffer.from(tree.raw(args)).toString('latin1')
  const name = JSON.stringify(targetOf(message).name)
  return hash(`leg\n${ticket}\n${legs}\n${binding}\n${method}\n${name}\n${raw}`)
}
