/** What the further detectors make of a text: for their tests. */
import { PATCH, STARS, ZERO, confidenceOf, formOf, kindOf } from '../findings.ts'
import { starred } from '../write.ts'
import { AlsoScanner } from './scanner.ts'
import type { AlsoKind } from './kinds.ts'
import type { Pattern } from './pattern.ts'

export interface Found {
  readonly kind: string
  readonly confidence: string
  /** What was found, as it stood. */
  readonly text: string
}

const kinds = ['pan', 'cvv', 'track', 'pin', 'iban', 'routing', 'ssn', 'key', 'token', 'custom']
const confidences = ['low', 'medium', 'high', 'certain']

/** One detection over texts: `masked` and what was found, places in order and apart. */
export class Look {
  readonly #scanner: AlsoScanner
  #told: { start: number; end: number; code: number; patch: Uint8Array | undefined }[] = []

  constructor(also: readonly AlsoKind[], patterns: readonly Pattern[] = []) {
    const scan = {
      found: (
        start: number,
        end: number,
        code: number,
        _last4: number,
        _hash?: number,
        patch?: Uint8Array,
      ): void => {
        this.#told.push({ start, end, code, patch })
      },
    }
    this.#scanner = new AlsoScanner(scan, { also, patterns })
  }

  /** @param around bytes in front and behind that are not part of the text. */
  at(text: string, name = '', around = ''): { masked: string; found: Found[] } {
    const before = Buffer.from(around)
    const own = Buffer.from(text)
    const bytes = Buffer.concat([before, own, before])
    this.#told = []
    this.#scanner.scan(bytes, before.length, before.length + own.length, name)
    return this.#told.length === 0
      ? { masked: text, found: [] }
      : this.#made(bytes, before.length, own.length)
  }

  /** The same for a number token. */
  number(text: string, name = ''): { masked: string; found: Found[] } {
    const bytes = Buffer.from(text)
    this.#told = []
    this.#scanner.number(bytes, 0, bytes.length, name)
    return this.#made(bytes, 0, bytes.length)
  }

  #made(bytes: Buffer, start: number, length: number): { masked: string; found: Found[] } {
    const parts: Uint8Array[] = []
    const found: Found[] = []
    let done = start
    for (const { start: from, end: to, code, patch } of this.#told) {
      if (from < done || to <= from || to > start + length) throw new Error('Findings overlap.')
      parts.push(bytes.subarray(done, from), written(bytes, from, to, formOf(code), patch))
      done = to
      found.push({
        kind: kinds[kindOf(code)] ?? '',
        confidence: confidences[confidenceOf(code)] ?? '',
        text: bytes.toString('utf8', from, to),
      })
    }
    parts.push(bytes.subarray(done, start + length))
    return { masked: Buffer.concat(parts).toString('utf8'), found }
  }
}

function written(
  bytes: Buffer,
  from: number,
  to: number,
  form: number,
  patch: Uint8Array | undefined,
): Uint8Array {
  if (form === STARS) return starred(Uint8Array.from(bytes), from, to)
  if (form === ZERO) return Buffer.from('0')
  if (form !== PATCH || patch === undefined) throw new Error('A patch is missing.')
  return patch
}
