/** One small JSON document or answer: bounded in time and size, no redirect followed. */

export type Fetch = typeof globalThis.fetch

/** `absent`: the server answered, but not with such a document. `down`: it did not answer. */
export type FetchedJson =
  | { readonly kind: 'json'; readonly value: object; readonly date: string | null }
  | { readonly kind: 'absent' | 'down'; readonly cause?: unknown }

/** An answer of any status. `value` is undefined where the body is no JSON object. */
export interface AskedJson {
  readonly status: number
  readonly value: object | undefined
  readonly headers: Headers
}

export interface Question {
  readonly method?: 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const timeoutMs = 5_000
const bytesMax = 512 * 1024

/** @param address from the configuration or from a document found there; never from a token. */
export async function fetchJson(address: string, fetch: Fetch): Promise<FetchedJson> {
  try {
    const { status, value, headers } = await askJson(address, fetch)
    if (status !== 200) return { kind: status >= 500 ? 'down' : 'absent' }
    if (value === undefined) return { kind: 'absent' }
    return { kind: 'json', value, date: headers.get('date') }
  } catch (cause) {
    return { kind: 'down', cause }
  }
}

/** @throws whatever `fetch` throws, and when the answer is too slow or too large. */
export async function askJson(
  address: string,
  fetch: Fetch,
  question: Question = {},
): Promise<AskedJson> {
  const answer = await fetch(address, {
    ...question,
    headers: { ...question.headers, accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  const text = await boundedText(answer)
  return { status: answer.status, value: objectOf(text), headers: answer.headers }
}

function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined // Whoever asked misses the members, and says so.
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
