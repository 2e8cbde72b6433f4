/**
 * The second gate. Bytes leave to a client only as `Released`, and only this file makes one: from a
 * `Deliverable` (masked by the client's grant) and the receipt that its record is durable.
 */
import { assert } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import type { Deliverable } from '../mask/masked.ts'
import type { Durable } from '../record/durable.ts'
import { withData, withoutComments, writeSse } from '../wire/sse.ts'
import type { SseEvent } from '../wire/sse.ts'
import type { Refusal } from './answer.ts'
import type { Way } from './way.ts'

class ReleasedBytes {
  readonly #bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get bytes(): Uint8Array {
    return this.#bytes
  }
}
export type Released = ReleasedBytes

/** @param name what the receipt must be for: the exchange and the number of its message. */
export function release(shown: Deliverable, receipt: Durable, name: string): Released {
  assert(receipt.covers(name), 'a message is released by the receipt of its own record')
  return new ReleasedBytes(shown.bytes)
}

/**
 * A message as an event of a stream. Its other fields stay as they came; comments go out bare, since
 * nothing in them is meant for anybody.
 */
export function releaseEvent(
  event: SseEvent,
  shown: Deliverable,
  receipt: Durable,
  name: string,
): Released {
  assert(receipt.covers(name), 'an event is released by the receipt of its own record')
  const isSame = event.data !== undefined && sameBytes(event.data, shown.bytes)
  if (isSame && !event.hasComment) return new ReleasedBytes(event.raw)
  return new ReleasedBytes(withData(event, shown.bytes))
}

/** A message that was no event before, on a stream that has begun. */
export function releaseAsEvent(shown: Deliverable, receipt: Durable, name: string): Released {
  assert(receipt.covers(name), 'a message is released by the receipt of its own record')
  return new ReleasedBytes(writeSse({ data: shown.bytes, event: 'message' }))
}

/** An event without data: a priming event, a retry time, a keep-alive comment. */
export function releaseControl(event: SseEvent, receipt: Durable, name: string): Released {
  assert(receipt.covers(name), 'an event is released by the receipt of its own record')
  return new ReleasedBytes(withoutComments(event))
}

/** A comment and nothing else: it says only that the stream lives, so it needs no record. */
export const keepAlive: Released = new ReleasedBytes(Buffer.from(':\n\n'))

/**
 * A refusal that cannot be recorded by itself: the record is down, or it was counted as part of a
 * flood. Its bytes are ours, were scanned, and answer something that was never sent.
 */
export function releaseUnrecorded(shown: Deliverable): Released {
  return new ReleasedBytes(shown.bytes)
}

/** Sends a whole answer: head and body at once, and not before the body is released. */
export function sendWhole(way: Way, head: Omit<Refusal, 'body'>, body: Released | undefined): void {
  way.began = 'whole'
  const reply = way.incoming.begin(head.status, head.headers)
  way.reply = reply
  reply.end(body?.bytes)
}

/** Sends the head of a stream at once; its events follow as they are released. */
export function beginStream(way: Way, status: number, headers: Record<string, string>): void {
  way.began = 'stream'
  way.reply = way.incoming.begin(status, headers)
}

/**
 * Sends a part of a stream, waiting while the client does not read.
 * @returns false when the client is gone.
 */
export async function sendPart(way: Way, part: Released): Promise<boolean> {
  if (way.reply === undefined || way.incoming.gone.aborted) return false
  try {
    await way.reply.write(part.bytes)
    return true
  } catch (error) {
    // Going on is safe: the message is recorded, and nobody is there to get it.
    if (error instanceof Fault && error.code === 'cancelled') return false
    throw error
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0
}
