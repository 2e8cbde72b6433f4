/** Whether a masked message is good: what is gone, what stayed, and whether it is still the same. */
import type { Case } from './corpus.ts'
import type { Secret } from './scene.ts'
import { sameShape } from './shape.ts'
import { viewsOf } from './views.ts'

/** One output judged. */
export interface Verdict {
  /** Secret by secret of the case: can nobody read it any more? */
  readonly found: readonly boolean[]
  /** Byte for byte what went in. */
  readonly isUntouched: boolean
  /** Still JSON, with the same members, types, lengths of lists and widths of numbers. */
  readonly isSameShape: boolean
  /** Neighbours which should have survived and did not. */
  readonly lost: readonly string[]
}

/** Digits of a PAN or a track in a row that nobody may be able to read. The last four may stay. */
const readableMax = 6

/** @param output the masked message, or undefined when the detector gave none. */
export function judge(one: Case, output: string | undefined): Verdict {
  if (output === undefined) {
    return { found: one.secrets.map(() => false), isUntouched: false, isSameShape: false, lost: [] }
  }
  const isUntouched = output === one.message
  if (isUntouched) {
    return { found: one.secrets.map(() => false), isUntouched, isSameShape: true, lost: [] }
  }
  const views = viewsOf(output)
  const streams = one.secrets.length > 0 ? views.map(streamOf) : []
  return {
    found: one.secrets.map((secret) => isGone(secret, views, streams)),
    isUntouched,
    isSameShape: sameShape(one, output),
    lost: one.keeps.filter((text) => !output.includes(JSON.stringify(text).slice(1, -1))),
  }
}

/** Digits, letters and marks of masking, in order; every kind of separator taken out. */
const streamOf = (view: string): string => view.replaceAll(/[^\p{L}\p{N}*•●█#]/gu, '')

function isGone(secret: Secret, views: readonly string[], streams: readonly string[]): boolean {
  const { kind, digits } = secret
  if (kind === 'pan' || kind === 'track') return !streams.some((text) => holdsPart(text, digits))
  if (/^\d{1,8}$/.test(digits)) {
    // The same value may be harmless elsewhere, so every builder uses it in one place only.
    const alone = new RegExp(`(?<!\\d)${digits}(?!\\d)`)
    return !views.some((view) => alone.test(view))
  }
  return !streams.some((text) => text.toUpperCase().includes(digits.toUpperCase()))
}

function holdsPart(text: string, digits: string): boolean {
  for (let at = 0; at + readableMax < digits.length; at++) {
    if (text.includes(digits.slice(at, at + readableMax + 1))) return true
  }
  return false
}
