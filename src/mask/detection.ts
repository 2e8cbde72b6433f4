/** What is looked for in the messages of one connection, and what becomes of it. */
import { thresholds } from '../cards/also/kinds.ts'
import type { AlsoKind, Threshold } from '../cards/also/kinds.ts'
import type { Pattern } from '../cards/also/pattern.ts'

export type { AlsoKind, Threshold } from '../cards/also/kinds.ts'
export type { Pattern } from '../cards/also/pattern.ts'

/** Made once for a connection by `detectionOf`; maskers know it by identity. */
export interface Detection {
  /** More card columns and keys, as globs: `*.cc_*`. */
  readonly columns: readonly string[]
  /** What is less sure is masked in the record and left on delivery. */
  readonly threshold: Threshold
  /** Whether the published test numbers of processors are left on delivery. */
  readonly testNumbers: 'mask' | 'pass'
  /** Whether base64 is looked into where no MIME type names it as text. */
  readonly base64: 'text' | 'all'
  /** Detectors beyond card data. */
  readonly also: readonly AlsoKind[]
  readonly patterns: readonly Pattern[]
}

const usual: Detection = {
  columns: [],
  threshold: 'medium',
  testNumbers: 'mask',
  base64: 'all',
  also: [],
  patterns: [],
}

/**
 * A detection that never changes, of what is set; all else is as the `pci` profile has it. The same
 * lists again give another detection: keep it.
 */
export function detectionOf(settings: Partial<Detection>): Detection {
  const { columns, also, patterns } = { ...usual, ...settings }
  return Object.freeze({
    ...usual,
    ...settings,
    columns: Object.freeze([...columns]),
    also: Object.freeze([...new Set(also)]),
    patterns: Object.freeze(
      patterns.map((pattern) =>
        Object.freeze({ ...pattern, context: Object.freeze([...pattern.context]) }),
      ),
    ),
  })
}

/** What the `pci` profile looks for by itself. */
export const pciDetection: Detection = detectionOf({})

/** The threshold as the findings have it: 0 for `low` to 3 for `certain`. */
export function thresholdLevel({ threshold }: Pick<Detection, 'threshold'>): number {
  return thresholds.indexOf(threshold)
}
