/** What a verification found, in words, and what it comes to. */

/**
 * `wrong`: what was signed or said does not hold. `unsure`: it cannot be told, as a key, a tile or
 * the end of the log is missing. `note`: worth knowing, and nothing that speaks against the record.
 */
export type Weight = 'wrong' | 'unsure' | 'note'

export interface Finding {
  readonly weight: Weight
  /** Where: a file and byte, an entry, a tile. */
  readonly place: string
  readonly words: string
}

/** 0 proven, 1 disproven, 2 cannot tell: the exit codes of every verifier here. */
export type ExitCode = 0 | 1 | 2

const findingsMax = 100

/** Collects what is found: the first of it is the first bad place, the rest is bounded. */
export class Findings {
  readonly #all: Finding[] = []
  readonly #counts: Record<Weight, number> = { wrong: 0, unsure: 0, note: 0 }

  add(weight: Weight, place: string, words: string): void {
    this.#counts[weight]++
    // What weighs more is kept even when lighter findings came first by the hundred.
    const same = this.#all.filter((each) => each.weight === weight).length
    if (same < findingsMax) this.#all.push({ weight, place, words })
  }

  count(weight: Weight): number {
    return this.#counts[weight]
  }

  /** In the order they were found; the heavier first. */
  list(): Finding[] {
    const order: Weight[] = ['wrong', 'unsure', 'note']
    return order.flatMap((weight) => this.#all.filter((each) => each.weight === weight))
  }

  get exitCode(): ExitCode {
    if (this.#counts.wrong > 0) return 1
    return this.#counts.unsure > 0 ? 2 : 0
  }
}
