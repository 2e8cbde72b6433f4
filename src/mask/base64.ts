/**
 * Text in base64 or base64url (RFC 4648) that no MIME type names: runs of the alphabet inside any
 * string, long enough to hold something, that decode to text.
 */

import { isTextual } from './blob.ts'

const runMin = 24
const backslash = 0x5c
const isAlphabet = new Uint8Array(256)
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_')
  isAlphabet[c.charCodeAt(0)] = 1

/** A run: where it stands, its characters, and the line breaks in it as `[index, text]`. */
export interface Run {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly breaks: readonly (readonly [index: number, text: string])[]
}

/** The runs in [start, end) which decode to text. Bytes inside a JSON string stay as they are. */
export function* runsOf(bytes: Uint8Array, start: number, end: number): Generator<Run> {
  // Whatever is long enough covers one of these samples.
  for (let i = start + runMin - 1; i < end; i += runMin) {
    if (isAlphabet[bytes[i] ?? 0] === 0) continue
    let from = i
    while (from > start && i - from < runMin && isAlphabet[bytes[from - 1] ?? 0] === 1) from--
    let to = i + 1
    while (to < end && isAlphabet[bytes[to] ?? 0] === 1) to++
    if (to - from < runMin) continue
    while (from > start && isAlphabet[bytes[from - 1] ?? 0] === 1) from--
    // The letter of an escape in front belongs to it.
    if (from > start && bytes[from - 1] === backslash) from++
    const run = readRun(bytes, from, to, end)
    // A slash that is written as `\\/` cuts a run: what is left of it cannot be encoded again.
    const isCut = bytes[run.end] === backslash && bytes[run.end + 1] === 0x2f
    if (!isCut && bytes[from - 1] !== 0x2f && isLikely(run.text)) yield run
    i = Math.max(i, run.end)
  }
}

/** The run that begins at `from`, over line breaks, raw or escaped, with its padding. */
function readRun(b: Uint8Array, from: number, to: number, end: number): Run {
  const parts: string[] = []
  const breaks: [number, string][] = []
  let length = 0
  let at = from
  let stop = to
  for (;;) {
    parts.push(Buffer.from(b.buffer, b.byteOffset + at, stop - at).toString('latin1'))
    length += stop - at
    const next = breakEnd(b, stop, end)
    let far = next
    while (far < end && isAlphabet[b[far] ?? 0] === 1) far++
    // Lines of base64 are of equal length, but for the last one.
    const isLine = stop - at >= 60 && (stop - at) % 4 === 0 && far - next <= stop - at
    if (next === stop || far === next || !isLine || !isWholeLine(b, next, far, end, stop - at))
      break
    breaks.push([length, Buffer.from(b.subarray(stop, next)).toString('latin1')])
    at = next
    stop = far
  }
  while (stop < end && b[stop] === 0x3d && length % 4 !== 0 && length++ > 0) {
    parts.push('=')
    stop++
  }
  return { start: from, end: stop, text: parts.join(''), breaks }
}

/** Whether [from, to) is a further line: as long as the one before, or the last one, padded. */
function isWholeLine(b: Uint8Array, from: number, to: number, end: number, full: number): boolean {
  if (to - from === full) return true
  let stop = to
  while (stop < end && b[stop] === 0x3d && stop - to < 2) stop++
  const after = stop < end ? (b[stop] ?? 0) : 0
  return (stop - from) % 4 === 0 && (after <= 0x20 || after === 0x22 || after === backslash)
}

function breakEnd(b: Uint8Array, at: number, end: number): number {
  let i = at
  if (b[i] === 0x0d) i++
  if (i < end && b[i] === 0x0a) return i + 1
  while (i < end && b[i] === backslash) {
    while (i < end && b[i] === backslash) i++
    if (b[i] === 0x6e) return i + 1
    if (b[i] !== 0x72) return at
    i++
  }
  return at
}

/** Whether the first bytes are signs of text: hashes, keys and pictures soon hold others. */
function isLikely(text: string): boolean {
  const head = Buffer.from(text.slice(0, 64), 'base64')
  for (const b of head) if (b < 0x20 && b !== 0x09 && b !== 0x0a && b !== 0x0d) return false
  return !head.includes(0x7f)
}

/** The replacement of a run, with its line breaks where they were as far as it has as many signs. */
export function withBreaks(text: string, run: Run): string {
  let out = ''
  let done = 0
  for (const [index, sign] of run.breaks) {
    out += text.slice(done, index) + (index < text.length ? sign : '')
    done = index
  }
  return out + text.slice(done)
}

/** Whether the run at `at` is the content of a `data:` address of a text type (RFC 2397). */
export function isTextAddress(bytes: Uint8Array, start: number, at: number): boolean {
  const from = Math.max(start, at - 128)
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString('latin1')
  const match = /data:([^,\s"']*);base64,$/i.exec(head)
  return match !== null && isTextual(match[1] ?? '')
}
