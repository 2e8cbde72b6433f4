/** `sallyport mask`: text or messages in, masked out, through the masker of the gateway. */
import { randomBytes } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import { createMasker } from '../mask/masker.ts'
import { encodeJsonString } from '../wire/text.ts'
import { NONE, readJson } from '../wire/json.ts'
import type { MaskPlan, MaskedAnswer, Masker } from '../mask/masker.ts'

const limits = { bytesMax: 64 * 1024 * 1024, depthMax: 128 }
/** A line holds a message as a string, so escapes may make it six times as long. */
const lineBytesMax = 6 * limits.bytesMax
const newline = 0x0a
const binding = 'command line'

export interface MaskOptions {
  /** One `{"id","message"}` a line instead of one text. */
  readonly jsonl: boolean
  readonly reveal?: 'pan'
}

/**
 * Masks all of `input` to `output`. Plain: one text, or one JSON message. `jsonl`: each line
 * `{"id","message"}`, answered by `{"id","message","found":[{kind,brand,confidence,at}]}`.
 * @returns 0, or 1 when a line or the text could not be masked; stderr says which and why, and the
 *   other lines go on.
 */
export async function maskCommand(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  options: MaskOptions,
): Promise<number> {
  const plan: MaskPlan = { reveal: options.reveal ?? 'none', columns: [], rule: 'command' }
  const masker = createMasker({ sealKey: randomBytes(32) })
  if (!options.jsonl) return maskWhole(input, output, masker, plan)
  let line = 0
  let bad = 0
  for await (const bytes of linesOf(input)) {
    line++
    if (bytes !== undefined && bytes.every((b) => b === 0x20 || b === 0x0d || b === 0x09)) continue
    let masked: Uint8Array
    try {
      if (bytes === undefined)
        throw new Fault('too_large', `It is longer than ${lineBytesMax} bytes.`)
      masked = maskLine(bytes, masker, plan)
    } catch (error) {
      bad++
      complain(`line ${line}`, error)
      continue
    }
    await write(output, masked)
  }
  return bad === 0 ? 0 : 1
}

async function maskWhole(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  masker: Masker,
  plan: MaskPlan,
): Promise<number> {
  let masked: Uint8Array
  try {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > limits.bytesMax)
        throw new Fault('too_large', `It is longer than ${limits.bytesMax} bytes.`)
      chunks.push(bytes)
    }
    masked = maskText(Buffer.concat(chunks), masker, plan).shown.bytes
  } catch (error) {
    complain('input', error)
    return 1
  }
  await write(output, masked)
  return 0
}

/** A JSON message where it is one, else text. */
function maskText(bytes: Uint8Array, masker: Masker, plan: MaskPlan): MaskedAnswer {
  const first = bytes.find((b) => b > 0x20)
  if (first !== 0x7b && first !== 0x5b) return masker.text(bytes, plan)
  let tree
  try {
    tree = readJson(bytes, limits)
  } catch (error) {
    // A text may begin with a bracket without being JSON; as text every byte of it is scanned.
    if (error instanceof Fault && error.code === 'bad_json') return masker.text(bytes, plan)
    throw error
  }
  return masker.answer(tree, plan, binding)
}

function maskLine(bytes: Uint8Array, masker: Masker, plan: MaskPlan): Uint8Array {
  const line = readJson(bytes, { ...limits, bytesMax: lineBytesMax })
  const id = line.at('id')
  const message = line.at('message')
  if (message === NONE || line.kind(message) !== 'string') {
    throw new Fault('bad_request', 'It has no `message` that is a string.')
  }
  const inner = Buffer.from(line.text(message))
  const { shown, maskings } = maskText(inner, masker, plan)
  const found = maskings.list().map(({ kind, brand, confidence, at }) => ({
    kind,
    ...(brand === undefined ? {} : { brand }),
    confidence,
    at,
  }))
  const text = Buffer.from(shown.bytes).toString('utf8')
  return Buffer.concat([
    Buffer.from('{"id":'),
    id === NONE ? Buffer.from('null') : line.raw(id),
    Buffer.from(',"message":'),
    encodeJsonString(text),
    Buffer.from(`,"found":${JSON.stringify(found)}}\n`),
  ])
}

/** Lines without their end; undefined for one over the limit. */
async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = []
  let size = 0
  const take = (): Buffer | undefined => {
    const line = size > lineBytesMax ? undefined : Buffer.concat(parts)
    parts = []
    size = 0
    return line
  }
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      size += end - start
      if (size <= lineBytesMax) parts.push(bytes.subarray(start, end))
      yield take()
      start = end + 1
    }
    size += bytes.length - start
    if (size > lineBytesMax) parts = []
    else if (start < bytes.length) parts.push(bytes.subarray(start))
  }
  if (size > 0) yield take()
}

/** Writes, and waits until it is taken. Rejects when nobody reads it any more. */
function write(output: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}

/** Faults are ours and hold no value; of anything else only the kind is told. */
function complain(where: string, error: unknown): void {
  const why = error instanceof Fault ? `${error.code}: ${error.message}` : 'an error of the masker'
  process.stderr.write(`sallyport mask: ${where} was not masked and is left out. ${why}\n`)
}
