/** What a ticket is bound to, as one keyed hash: never a plain one, for arguments may hold a card. */
import { createHmac } from 'node:crypto'

/** What is bound: a change of any byte makes it another call. */
export interface Committed {
  readonly connection: string
  readonly connectionRevision: string
  readonly method: string
  readonly tool: string
  /** Raw bytes of `params.arguments`. */
  readonly args: Uint8Array
}

/** HMAC-SHA-256 under the ticket's key; each part with its length, so no two calls share a text. */
export function commitmentOf(key: Uint8Array, call: Committed): Buffer {
  const { args, connection, connectionRevision, method, tool } = call
  const words = ['sallyport/commitment/v1', connection, connectionRevision, method, tool]
  const hmac = createHmac('sha256', key)
  for (const part of [...words.map((word) => Buffer.from(word)), args]) {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(part.length))
    hmac.update(length).update(part)
  }
  return hmac.digest()
}
