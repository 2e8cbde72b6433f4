/** A replay for programs: one canonical JSON object (RFC 8785) a line, the entry's own bytes in it. */
import { canonicalize } from '../tlog/canonical.ts'
import { Ranges } from './shown.ts'
import type { Frame, Shown } from './shown.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * One line an entry: `entry` as it stands in the log, so that its digest still fits; its message as
 * `text` (`base64` when it is not UTF-8), or `bodyState` when that cannot be read; `proof` where
 * proofs were asked for, null while there is none. The last line has `shown` alone: without it the
 * replay was cut off.
 */
export async function* jsonl(shown: AsyncIterable<Shown>, frame: Frame): AsyncGenerator<string> {
  const ranges = new Ranges()
  for await (const one of shown) {
    ranges.add(one.entry.index)
    yield `${entryLine(one)}\n`
  }
  const { origin, title } = frame
  const named = origin === undefined ? { title } : { origin, title }
  const last = { count: ranges.count, entries: ranges.toString(), ...named }
  yield `${canonicalize({ shown: last })}\n`
}

/** Members stand in the order of RFC 8785: base64, bodyState, entry, proof, text. */
function entryLine({ entry, proof }: Shown): string {
  const bytes = entry.body()
  const members: string[] = []
  const text = bytes && utf8(bytes)
  if (bytes && text === undefined) {
    members.push(`"base64":"${Buffer.from(bytes).toString('base64')}"`)
  }
  if (!bytes && entry.bodyState !== 'none') members.push(`"bodyState":"${entry.bodyState}"`)
  members.push(`"entry":${entry.line.toString('utf8')}`)
  if (proof !== undefined) members.push(`"proof":${canonicalize(proof)}`)
  if (text !== undefined) members.push(`"text":${canonicalize(text)}`)
  return `{${members.join(',')}}`
}

/** The text, or undefined when the bytes are not UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    // The caller has another way to show bytes: base64.
    return undefined
  }
}
