/** What the detectors of one text found, brought into order before it is told. */
import { STARS, brandOfCode, code, confidenceOf, formOf, kindOf } from '../findings.ts'

/** Where findings go: `Scan` of `../findings.ts`. */
export interface Telling {
  /** `patch` stands in place of the finding where its form is PATCH. */
  found(
    start: number,
    end: number,
    code: number,
    last4: number,
    hash?: number,
    patch?: Uint8Array,
  ): void
}

interface Candidate {
  readonly start: number
  readonly end: number
  readonly code: number
  readonly patch: Uint8Array | undefined
}

export class Candidates {
  readonly #scan: Telling
  readonly #candidates: Candidate[] = []
  #isSorted = true

  constructor(scan: Telling) {
    this.#scan = scan
  }

  get count(): number {
    return this.#candidates.length
  }

  add(start: number, end: number, code: number, patch?: Uint8Array): void {
    const last = this.#candidates.at(-1)
    if (last !== undefined && start < last.end) this.#isSorted = false
    this.#candidates.push({ start, end, code, patch })
  }

  /**
   * Tells everything and forgets it. Findings that overlap become one which covers both, since two
   * replacements of another length cannot stand in one place; the surer one gives it its name.
   */
  tell(): void {
    const candidates = this.#candidates
    if (candidates.length === 0) return
    if (!this.#isSorted) candidates.sort((a, b) => a.start - b.start || b.end - a.end)
    let held = candidates[0]
    for (let i = 1; i < candidates.length && held !== undefined; i++) {
      const candidate = candidates[i]
      if (candidate === undefined) break
      if (candidate.start >= held.end) {
        this.#tellOne(held)
        held = candidate
      } else held = joined(held, candidate)
    }
    if (held !== undefined) this.#tellOne(held)
    candidates.length = 0
    this.#isSorted = true
  }

  #tellOne({ start, end, code, patch }: Candidate): void {
    this.#scan.found(start, end, code, -1, 0, patch)
  }
}

/**
 * One over both: written over as the one that replaces its place would be (stars leave digits, so
 * they give way), and as sure as the surer one, so that neither is delivered where it was not to be.
 */
function joined(a: Candidate, b: Candidate): Candidate {
  const rank = ({ code: what }: Candidate): number =>
    (formOf(what) === STARS ? 0 : 4) + confidenceOf(what)
  const winner = rank(b) > rank(a) ? b : a
  const sure = Math.max(confidenceOf(a.code), confidenceOf(b.code))
  const what = code(kindOf(winner.code), sure, formOf(winner.code), brandOfCode(winner.code))
  return { start: a.start, end: Math.max(a.end, b.end), code: what, patch: winner.patch }
}
