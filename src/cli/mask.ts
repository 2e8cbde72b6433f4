/** `sallyport mask`: text or messages in, masked out, through the masker of the gateway. */
import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import { pciDetection } from '../mask/detection.ts'
import { createMasker } from '../mask/masker.ts'
import { encodeJsonString } from '../wire/text.ts'
import { NONE, readJson } from '../wire/json.ts'
import { linesOf, write } from './lines.ts'
import type { MaskPlan, MaskedAnswer, Masker, Maskings } from '../mask/masker.ts'

const limits = { bytesMax: 64 * 1024 * 1024, depthMax: 128 }
/** A line holds a message as a string, so escapes may make it six times as long. */
const lineBytesMax = 6 * limits.bytesMax
const binding = 'command line'
const mark = ['\u001b[7m', '\u001b[27m'].map((code) => Buffer.from(code))
const listedMax = 20
const none = new Uint8Array(0)

export interface MaskOptions {
  /** One `{"id","message"}` a line instead of one text. */
  readonly jsonl: boolean
  /** `pan`: as a grant with `reveal: pan` sees it. */
  readonly reveal?: 'none' | 'pan'
  /** What stands masked is set off by colour, and `errors` gets a list of it: for a terminal. */
  readonly isColoured?: boolean
  /** Text that is not valid UTF-8 is masked byte for byte (default), or refused. */
  readonly invalid?: 'pass' | 'refuse'
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
  const plan: MaskPlan = { reveal: options.reveal ?? 'none', detect: pciDetection, rule: 'command' }
  const masker = createMasker({ sealKey: randomBytes(32) })
  if (!options.jsonl) return maskWhole(input, output, masker, plan, options)
  let line = 0
  let bad = 0
  for await (const bytes of linesOf(input, lineBytesMax)) {
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
  options: MaskOptions,
): Promise<number> {
  let answer: MaskedAnswer
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
    const text = Buffer.concat(chunks)
    if (options.invalid === 'refuse' && !isUtf8(text))
      throw new Fault('bad_request', 'It is not valid UTF-8.')
    answer = maskText(text, masker, plan)
  } catch (error) {
    complain('input', error)
    return 1
  }
  const { bytes } = answer.shown
  const isColoured = options.isColoured === true
  await write(output, isColoured ? coloured(bytes, answer.maskings.marks(plan.reveal)) : bytes)
  if (isColoured) tell(answer.maskings)
  return 0
}

/** The text with what was masked set off. */
function coloured(bytes: Uint8Array, marks: Int32Array): Uint8Array {
  const [on = none, off = none] = mark
  const parts: Uint8Array[] = []
  let done = 0
  for (let i = 0; i + 1 < marks.length; i += 2) {
    const [start = 0, end = 0] = marks.subarray(i, i + 2)
    parts.push(bytes.subarray(done, start), on, bytes.subarray(start, end), off)
    done = end
  }
  return Buffer.concat([...parts, bytes.subarray(done)])
}

/** What was found, on stderr, so that the text itself stays clean. */
function tell(maskings: Maskings): void {
  const list = maskings.list()
  for (const { kind, brand, confidence, at } of list.slice(0, listedMax)) {
    const where = at === '' ? '' : `  ${at}`
    process.stderr.write(
      `${kind}${brand === undefined ? '' : ` (${brand})`}, ${confidence}${where}\n`,
    )
  }
  const more = list.length - listedMax
  if (more > 0) process.stderr.write(`and ${more} more\n`)
  if (list.length === 0) process.stderr.write('Nothing was found.\n')
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

/** Faults are ours and hold no value; of anything else only the kind is told. */
function complain(where: string, error: unknown): void {
  const why = error instanceof Fault ? `${error.code}: ${error.message}` : 'an error of the masker'
  process.stderr.write(`sallyport mask: ${where} was not masked and is left out. ${why}\n`)
}
