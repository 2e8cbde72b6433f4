/** One POST to a witness and its answer: bounded in time and size, no redirect followed. */
import { request } from 'undici'
import type { Dispatcher } from 'undici'

/** An answer of any status, or why there was none that can be used. */
export type Posted =
  | {
      readonly status: number
      /** Lower case, without parameters. */
      readonly mediaType: string
      readonly body: Buffer
    }
  | { readonly trouble: 'timeout' | 'unreachable' | 'too_large' }

const answerBytesMax = 65_536

/** @param signal ends it at once; whatever else goes wrong is the answer. */
export async function post(
  url: URL,
  body: string,
  to: { readonly dispatcher: Dispatcher; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Posted> {
  const inTime = AbortSignal.timeout(to.timeoutMs)
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body,
      dispatcher: to.dispatcher, // Without an interceptor of its own it follows no redirect.
      signal: AbortSignal.any([inTime, to.signal]),
    })
    const bytes = await bounded(answer.body)
    if (!bytes) return { trouble: 'too_large' }
    const type = answer.headers['content-type']
    const mediaType =
      typeof type === 'string' ? (type.split(';')[0] ?? '').trim().toLowerCase() : ''
    return { status: answer.statusCode, mediaType, body: bytes }
  } catch {
    // The error may quote addresses; which of the two it was is all that anybody acts on.
    return { trouble: inTime.aborted ? 'timeout' : 'unreachable' }
  }
}

async function bounded(body: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > answerBytesMax) return undefined // Leaving the loop destroys body and socket.
    parts.push(part)
  }
  return Buffer.concat(parts)
}
