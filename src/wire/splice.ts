/**
 * Cutting a message in place: bytes inside an edit are replaced, every other byte stays as it came.
 *
 * JSON has many spellings of one value (RFC 8259 §6 numbers, §7 escapes), so a message which is
 * parsed and written again is no longer the one its sender signed or hashed. We cut instead.
 */
import { Fault } from '../base/fault.ts'

/** Replaces the bytes [start, end) of a message: `start` is cut out, `end` is not. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

/**
 * Returns `message` with each edit applied; the input is never written to. Without edits the very
 * same array comes back, so the common case costs nothing.
 * @param message any bytes; they need not be valid UTF-8.
 * @param edits offsets in bytes, ascending, not overlapping; touching edits are fine.
 * @throws {Fault} `span_outside` when an edit leaves the message or runs backwards,
 *   `span_overlap` when it begins before the one ahead of it has ended.
 */
export function splice(message: Uint8Array, edits: readonly Edit[]): Uint8Array {
  if (edits.length === 0) return message
  const parts: Uint8Array[] = []
  let done = 0 // Invariant: bytes [0, done) of the message are already in parts.
  for (const edit of edits) {
    check(edit, done, message.length)
    parts.push(message.subarray(done, edit.start), edit.bytes)
    done = edit.end
  }
  parts.push(message.subarray(done))
  return Buffer.concat(parts)
}

/** Offsets only in the text: what stands at them may be a card number. */
function check({ start, end }: Edit, done: number, length: number): void {
  const here = `Edit [${start}, ${end}) of a message of ${length} bytes`
  const whole = Number.isInteger(start) && Number.isInteger(end)
  if (!whole || start < 0 || end < start || end > length) {
    throw new Fault('span_outside', `${here} does not lie inside it; nothing was changed.`)
  }
  if (start < done) {
    throw new Fault('span_overlap', `${here} begins before byte ${done}; nothing was changed.`)
  }
}
