/** Bodies of changes: JSON of a known form, or nothing is done. */
import { z } from 'zod'
import { Fault } from '../base/fault.ts'

/** The most that is read of a body, in bytes. */
const bodyBytesMax = 128 * 1024

/** The text of a body. @throws {Fault} `too_large`, `bad_request` for one that is no UTF-8. */
export async function textOf(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Read by ourselves: hono's limit makes a new Request of this one, which node's class refuses.
  const body: ReadableStream<Uint8Array> | null = request.body
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bodyBytesMax) {
      const facts = { reason: 'size' }
      throw new Fault('too_large', 'This is more than is read here. Nothing was done.', { facts })
    }
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    const facts = { reason: 'form' }
    throw new Fault('bad_request', 'The body must be UTF-8.', { cause, facts })
  }
}

/**
 * @throws {Fault} `media_unsupported` for a body that does not say it is JSON (a form of another site
 *   cannot say so), `bad_params` for one that is not of this form, with `facts.fields`.
 */
export async function bodyOf<T>(request: Request, form: z.ZodType<T>): Promise<T> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    const message = 'The body must be JSON, and say so in Content-Type.'
    throw new Fault('media_unsupported', message, { facts: { reason: 'media' } })
  }
  const text = await textOf(request)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined // No JSON: told below.
  }
  const read = form.safeParse(value)
  if (read.success) return read.data
  // Only names that the form knows: others came from outside.
  const names = read.error.issues.map(({ path }) => path.join('.') || 'the body')
  const message = `Not of the form asked for: ${[...new Set(names)].join(', ')}.`
  throw new Fault('bad_params', message, { facts: { reason: 'form' } })
}
