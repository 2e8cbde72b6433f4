/** Takes live secrets out of bytes, in every spelling in which a server may echo them. */
import { NeedleIndex } from './needle-index.ts'
import type { Found } from './needle-index.ts'

const mark = Buffer.from('[secret]')
/** Shorter ones would tear holes into ordinary words. */
const charactersMin = 8

/** The bytes to look for. @param value a secret of any length; under 8 characters gives none. */
export function spellings(value: string): readonly Buffer[] {
  if (value.length < charactersMin) return []
  const json = JSON.stringify(value).slice(1, -1)
  const url = encodeURIComponent(value)
  const plain = [
    value,
    json,
    json.replaceAll('/', '\\/'),
    url,
    url.toLowerCase(),
    formEncoded(value),
  ]
  const base64 = [0, 1, 2].map((offset) => base64At(value, offset))
  const urlSafe = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const all = new Set([...plain, ...base64, ...urlSafe])
  return [...all].filter((text) => text.length >= charactersMin).map((text) => Buffer.from(text))
}

function formEncoded(value: string): string {
  return new URLSearchParams({ v: value }).toString().slice(2)
}

/** The characters of a Base64 text that depend on the value alone, where it begins `offset` bytes
 *  (modulo 3) into what is encoded. */
function base64At(value: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)])
  const from = Math.ceil((offset * 8) / 6)
  return bytes.toString('base64').slice(from, Math.floor((bytes.length * 8) / 6))
}

/**
 * @param needles of `spellings`.
 * @returns `bytes` with each needle replaced by `[secret]`; the very same array where none is found.
 */
export function redactBytes(bytes: Uint8Array, needles: readonly Buffer[]): Uint8Array {
  return redacted(bytes, (view) => findEach(view, needles))
}

/** A pass for each is faster up to about here: Node's own search goes many bytes at a time. */
const eachMax = 16

/** What `redactBytes` does, prepared for many needles and many messages. */
export class Redactor {
  readonly #few: Buffer[] = []
  readonly #many = new NeedleIndex()

  /** @param needles of `spellings`; each of at least eight bytes. */
  add(needles: readonly Buffer[]): void {
    this.#few.push(...needles)
    this.#many.add(needles)
  }

  redact(bytes: Uint8Array): Uint8Array {
    if (this.#few.length <= eachMax) return redactBytes(bytes, this.#few)
    return redacted(bytes, (view) => this.#many.find(view))
  }
}

function findEach(view: Buffer, needles: readonly Buffer[]): Found[] {
  const found: Found[] = []
  for (const needle of needles) {
    let at = view.indexOf(needle)
    while (at >= 0) {
      found.push({ start: at, end: at + needle.length })
      at = view.indexOf(needle, at + 1)
    }
  }
  return found
}

function redacted(bytes: Uint8Array, find: (view: Buffer) => Found[]): Uint8Array {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = find(view)
  if (found.length === 0) return bytes
  found.sort((a, b) => a.start - b.start)
  const parts: Uint8Array[] = []
  let done = 0 // Invariant: bytes [0, done) are in parts or were taken out.
  for (const { start, end } of found) {
    if (start >= done) parts.push(view.subarray(done, start), mark)
    done = Math.max(done, end)
  }
  parts.push(view.subarray(done))
  return Buffer.concat(parts)
}
