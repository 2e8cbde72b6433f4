/** Tells what was masked and where, on demand: kinds, brands, pointers, last four; never more. */
import { CODE, FIELDS, HASH, INDEXES, LAST4, PAN, RECORD_ONLY } from '../cards/findings.ts'
import { INNER, MEMBER } from '../cards/path.ts'
import { TEMPLATE, brandOfCode, confidenceOf, headOfCode, kindOf } from '../cards/findings.ts'
import { keyText } from '../cards/keys.ts'
import { brands } from '../cards/ranges.ts'
import { marksOf } from './marks.ts'
import type { Findings } from '../cards/findings.ts'
import type { Template } from '../cards/path.ts'
import type { Masked } from './masked.ts'

export type MaskingKind =
  | 'pan'
  | 'cvv'
  | 'track'
  | 'pin'
  | 'iban'
  | 'routing'
  | 'ssn'
  | 'private_key'
  | 'token'
  | 'pattern'
export type Confidence = 'certain' | 'high' | 'medium' | 'low'

/** One place that was masked. */
export interface Masking {
  readonly kind: MaskingKind
  readonly brand?: string
  readonly confidence: Confidence
  /** JSON pointer (RFC 6901), its own segments masked; `#` and a pointer for JSON in a string. */
  readonly at: string
  /** Of card numbers only. */
  readonly last4?: string
}

/** Places that differ in nothing but their array indexes. */
export interface MaskingGroup {
  readonly kind: MaskingKind
  readonly brand?: string
  readonly confidence: Confidence
  /** The pointer with `*` for each array index. */
  readonly at: string
  /** The plan's rule. */
  readonly rule: string
  /** `index,index:last4` of each, in order; without `:last4` for what is no card number. */
  readonly each: string[]
}

/** What one message held. Lists are made when asked for. */
export interface Maskings {
  readonly count: number
  groups(): MaskingGroup[]
  list(): Masking[]
  /** The keyed hashes of the card numbers that are delivered as the plan says, one a finding. */
  hashes(): Int32Array
  /** The tokens of the card numbers that are masked in the record, each once; undefined where none
   *  are made, or there is none. */
  tokens(): Masked<readonly Uint8Array[]> | undefined
  /** Where the client's copy differs, as pairs of offsets of it; see `marks.ts`. */
  marks(reveal: 'none' | 'pan'): Int32Array
}

const kinds: readonly MaskingKind[] = [
  'pan',
  'cvv',
  'track',
  'pin',
  'iban',
  'routing',
  'ssn',
  'private_key',
  'token',
  'pattern',
]
const confidences: readonly Confidence[] = ['low', 'medium', 'high', 'certain']

/** Nothing was found. */
export const nothing: Maskings = {
  count: 0,
  groups: () => [],
  list: () => [],
  hashes: () => new Int32Array(0),
  tokens: () => undefined,
  marks: () => new Int32Array(0),
}

/**
 * @param message the bytes that were scanned; kept until the lists are made.
 * @param word masks a key's text, since keys may be card numbers.
 * @param tokens makes them, where tokens are made.
 */
export function reportOf(
  findings: Findings,
  message: Uint8Array,
  rule: string,
  word: (text: string) => string,
  tokens: Maskings['tokens'] = () => undefined,
): Maskings {
  if (findings.count === 0) return nothing
  const segments = new Map<number, string[]>()
  const segmentsOf = (at: number): string[] => {
    let known = segments.get(at)
    if (known === undefined) {
      known = partsOf(findings.templates[at], message, word)
      segments.set(at, known)
    }
    return known
  }
  return {
    count: findings.count,
    groups: () => groupsOf(findings, rule, segmentsOf),
    list: () =>
      Array.from({ length: findings.count }, (_, i) => {
        const what = findings.field(i, CODE)
        const last4 = last4Of(findings, i)
        return {
          ...headOf(what),
          at: pointerOf(findings, i, segmentsOf(findings.field(i, TEMPLATE))),
          ...(last4 === undefined ? {} : { last4 }),
        }
      }),
    hashes: () => hashesOf(findings),
    tokens,
    marks: (reveal) => marksOf(findings, reveal),
  }
}

function hashesOf(findings: Findings): Int32Array {
  const hashes = new Int32Array(findings.count)
  let size = 0
  for (let i = 0; i < findings.count; i++) {
    const what = findings.field(i, CODE)
    const hash = findings.field(i, HASH)
    if (kindOf(what) === PAN && (what & RECORD_ONLY) === 0 && hash !== 0) hashes[size++] = hash
  }
  return hashes.subarray(0, size)
}

/** More numbers of one message get no token: making them would keep everybody else waiting. */
const numbersMax = 65_536

/**
 * The distinct card numbers among the findings, those included that are only masked in the record.
 * @param told by hash the numbers that were looked at; not all of them became findings.
 */
export function numbersOf(
  findings: Findings,
  told: ReadonlyMap<number, ReadonlySet<string>>,
): string[] {
  const numbers = new Set<string>()
  for (let i = 0; i < findings.count && numbers.size < numbersMax; i++) {
    if (kindOf(findings.field(i, CODE)) !== PAN) continue
    for (const number of told.get(findings.field(i, HASH)) ?? []) numbers.add(number)
  }
  return Array.from(numbers)
}

function groupsOf(
  findings: Findings,
  rule: string,
  segmentsOf: (at: number) => string[],
): MaskingGroup[] {
  const groups = new Map<string, MaskingGroup>()
  const byNumber = new Map<number, string[]>()
  for (let i = 0; i < findings.count; i++) {
    const what = findings.field(i, CODE)
    const template = findings.field(i, TEMPLATE)
    // Kind, confidence and brand beside the template: form and the rest do not divide groups.
    const number = template * 131072 + headOfCode(what)
    let each = byNumber.get(number)
    if (each === undefined) {
      const head = headOf(what)
      const at = segmentsOf(template).join('')
      const key = `${headOfCode(what)} ${at}`
      const group = groups.get(key) ?? { ...head, at, rule, each: [] }
      groups.set(key, group)
      byNumber.set(number, (each = group.each))
    }
    const last4 = last4Of(findings, i)
    const indexes = indexesOf(findings, i)
    each.push(last4 === undefined ? indexes : `${indexes}:${last4}`)
  }
  return [...groups.values()]
}

function headOf(what: number): { kind: MaskingKind; brand?: string; confidence: Confidence } {
  const brand = kindOf(what) === PAN ? brands[brandOfCode(what)] : undefined
  return {
    kind: kinds[kindOf(what)] ?? 'pan',
    ...(brand === undefined || brand === '' ? {} : { brand }),
    confidence: confidences[confidenceOf(what)] ?? 'medium',
  }
}

function last4Of(findings: Findings, i: number): string | undefined {
  const last4 = findings.rows[i * FIELDS + LAST4] ?? -1
  if (last4 < 0) return undefined
  return last4 >= 1000 ? String(last4) : String(last4).padStart(4, '0')
}

function indexesOf(findings: Findings, i: number): string {
  const at = findings.field(i, INDEXES)
  const count = findings.templates[findings.field(i, TEMPLATE)]?.elements.length ?? 0
  if (count === 1) return String(findings.indexes[at] ?? 0)
  let text = ''
  for (let k = 0; k < count; k++) text += (k > 0 ? ',' : '') + String(findings.indexes[at + k] ?? 0)
  return text
}

function pointerOf(findings: Findings, i: number, segments: readonly string[]): string {
  let next = findings.field(i, INDEXES)
  let text = ''
  for (const segment of segments)
    text += segment === '/*' ? `/${findings.indexes[next++] ?? 0}` : segment
  return text
}

/** The segments of a template: `/key`, `/*` for an index, `#` where a string holds JSON. A key that
 *  is a lone star is written `/~2a`, so that it is no index. */
function partsOf(
  template: Template | undefined,
  message: Uint8Array,
  word: (text: string) => string,
): string[] {
  const parts: string[] = []
  if (template === undefined) return parts
  let levels = 1
  const { frames } = template
  for (let i = 0; i < frames.length; i += 4) {
    if (frames[i] === INNER) {
      parts.push('#')
      levels++
    } else if (frames[i] === MEMBER) {
      parts.push(memberOf(message, frames[i + 2] ?? 0, frames[i + 3] ?? 0, levels, word))
    } else parts.push('/*')
  }
  return parts
}

/** Most keys are plain names, the same in every message; their segments are made once. */
const plainName = /^[A-Za-z_.-]{1,48}$/
const plainSegments = new Map<string, string>()
const plainSegmentsMax = 4096

function memberOf(
  message: Uint8Array,
  start: number,
  end: number,
  levels: number,
  word: (text: string) => string,
): string {
  const raw = Buffer.from(message.buffer, message.byteOffset + start, end - start).toString(
    'latin1',
  )
  const known = plainSegments.get(raw)
  if (known !== undefined) return known
  if (plainName.test(raw)) {
    if (plainSegments.size < plainSegmentsMax) plainSegments.set(raw, `/${raw}`)
    return `/${raw}`
  }
  const key = keyText(message.subarray(start, end), levels)
  const segment = word(key).replaceAll('~', '~0').replaceAll('/', '~1')
  return segment === '*' ? '/~2a' : `/${segment}`
}
