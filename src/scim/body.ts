/** The JSON object of a request. */
import { Fault } from '../base/fault.ts'
import { readJson } from '../wire/json.ts'
import { isObject } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import { bad } from './refusal.ts'

const bytesMax = 1024 * 1024
/** A resource needs five or so; what is deeper is no resource. */
const depthMax = 16

/**
 * @throws {Fault} `media_unsupported`; `too_large` over 1 MiB; `bad_json` for what two readers could
 *   read in two ways, such as a name which stands twice; `bad_request` when it is no object.
 */
export async function readBody(request: Request): Promise<Attributes> {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';')
  if (!['application/scim+json', 'application/json'].includes(type.trim().toLowerCase())) {
    throw new Fault('media_unsupported', 'A body is application/scim+json.')
  }
  const bytes = await readBytes(request)
  readJson(bytes, { bytesMax, depthMax })
  const value: unknown = JSON.parse(bytes.toString())
  if (!isObject(value)) throw bad('invalidSyntax', 'A body is a JSON object.')
  return value
}

async function readBytes(request: Request): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let sizeBytes = 0
  for await (const raw of request.body ?? []) {
    const part: unknown = raw
    if (!(part instanceof Uint8Array)) throw bad('invalidSyntax', 'A body is made of bytes.')
    sizeBytes += part.byteLength
    if (sizeBytes > bytesMax) throw new Fault('too_large', 'A body has 1 MiB at most.')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
