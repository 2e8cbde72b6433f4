/** One small JSON document by GET: bounded in time and size, no redirect followed. */

export type Fetch = typeof globalThis.fetch

/** `absent`: the server answered, but not with such a document. `down`: it did not answer. */
export type FetchedJson =
  | { readonly kind: 'json'; readonly value: object; readonly date: string | null }
  | { readonly kind: 'absent' | 'down'; readonly cause?: unknown }

const timeoutMs = 5_000
const bytesMax = 512 * 1024

/** @param address from the configuration or from a document found there; never from a token. */
export async function fetchJson(address: string, fetch: Fetch): Promise<FetchedJson> {
  try {
    const answer = await fetch(address, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (answer.status !== 200) {
      await answer.body?.cancel()
      return { kind: answer.status >= 500 ? 'down' : 'absent' }
    }
    const value: unknown = JSON.parse(await boundedText(answer))
    if (typeof value !== 'object' || value === null) return { kind: 'absent' }
    return { kind: 'json', value, date: answer.headers.get('date') }
  } catch (cause) {
    return { kind: cause instanceof SyntaxError ? 'absent' : 'down', cause }
  }
}

async function boundedText(answer: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  const body: AsyncIterable<Uint8Array> | [] = answer.body ?? []
  for await (const part of body) {
    size += part.length
    if (size > bytesMax) throw new RangeError('The document is too large.')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
