/** Text that travels as base64 (`resource.blob` with a text type): decoded, masked, encoded again. */
import { CODE, FIELDS, HASH, LAST4, NOTHING, PATCH, withForm } from '../cards/findings.ts'
import { deliver, keep } from './masked.ts'
import { renderKept, renderShown } from './render.ts'
import type { Scan } from '../cards/scan.ts'
import type { Scanner } from './walk.ts'

const textual =
  /^(text\/|application\/(.+\+)?(json|xml|yaml|x-yaml|sql|csv|x-ndjson|javascript|x-www-form-urlencoded)\b)|\+(json|xml)\b/i
/** Whether a MIME type names text. */
export const isTextual = (mimeType: string): boolean => textual.test(mimeType)
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Adds what a blob holds to the findings of its message, with the blob's replacement.
 * @param mimeType '' when nothing names one.
 * @param at where the inside of the blob's string stands.
 * @param respell what is done with the replacement last.
 * @throws {Fault} `mask_failed` when the rescan of the text disagrees.
 * @returns whether the blob is dealt with; false when it is no text, or no base64.
 */
export function maskBlob(
  outer: Scan,
  scanner: Scanner,
  blob: string,
  mimeType: string,
  at: { start: number; end: number },
  respell: (text: string) => string = (text) => text,
): boolean {
  if (mimeType !== '' && !isTextual(mimeType)) return false
  const bytes = Buffer.from(blob, 'base64')
  if (bytes.length === 0 || !isText(bytes)) return false
  scanner.text(bytes, 0)
  const { findings } = scanner.scan
  if (findings.count === 0) return true
  const isUrl = /[-_]/.test(blob)
  const encode = (text: Uint8Array): Uint8Array =>
    Buffer.from(respell(Buffer.from(text).toString(isUrl ? 'base64url' : 'base64')))
  const encodeShown = (reveal: 'none' | 'pan'): Uint8Array => {
    const shown = renderShown(bytes, findings, reveal, [])
    return encode(deliver(shown.bytes, shown.written).bytes)
  }
  const rendered = renderKept(bytes, findings)
  const kept = encode(keep(rendered.bytes, rendered.written).value)
  if (scanner.scan.hasRecordOnly) outer.hasRecordOnly = true
  for (let i = 0; i < findings.count; i++) {
    const what = findings.rows[i * FIELDS + CODE] ?? 0
    const last4 = findings.rows[i * FIELDS + LAST4] ?? -1
    const hash = findings.field(i, HASH)
    const code = withForm(what, i === 0 ? PATCH : NOTHING)
    const added = outer.findings.add(outer.path, at.start, at.end, code, last4, hash)
    if (i > 0) continue
    outer.findings.patches.set(added, kept)
    outer.findings.shown.set(added, { none: encodeShown('none'), pan: encodeShown('pan') })
  }
  return true
}

function isText(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes)
    return !bytes.includes(0)
  } catch {
    // Not UTF-8: there is nothing here that this masker could read, and no string to edit.
    return false
  }
}
