/**
 * The spellings which all formats of the log share. Each value has exactly one; Node's own decoders
 * accept more (`Buffer.from` forgives padding, blanks and alphabets), which would let two different
 * files carry one signature.
 */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) // A BOM is text: kept.

/** The text of UTF-8 bytes, or of a string without half surrogates; undefined if it is neither. */
export function textOf(input: Uint8Array | string): string | undefined {
  if (typeof input === 'string') return input.isWellFormed() ? input : undefined
  try {
    return decoder.decode(input)
  } catch {
    return undefined // Not UTF-8: the caller names what it wanted to read.
  }
}

/** Whether there is a control character other than the newline. */
export function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- notes and what is in them refuse exactly these
  return /[\0-\x09\x0b-\x1f]/.test(text)
}

/** Standard base64 with padding (RFC 4648 §4), the bits behind the last byte zero. */
export function base64Of(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** The base64 of 32 bytes: 44 characters. */
export function hashOf(text: string): Buffer | undefined {
  const bytes = base64Of(text)
  return bytes?.length === 32 ? bytes : undefined
}

/** Hashes, one a line; undefined if one of them is none. */
export function hashesOf(lines: readonly string[]): Buffer[] | undefined {
  const hashes = lines.map(hashOf)
  return hashes.every((hash) => hash !== undefined) ? hashes : undefined
}

/** A size or an index: decimal, no sign, no leading zero, at most 2^53 - 1. */
export function countOf(text: string): number | undefined {
  const count = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(count) ? count : undefined
}

/** Whether this is a size or an index: a whole number from 0 to 2^53 - 1. */
export function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0
}
