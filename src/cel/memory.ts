/**
 * What was answered before: a question that looks at one statement alone has one answer, however often
 * the statement comes. Answers go when what they are about is forgotten.
 */
import type { Outcome } from './language.ts'

export class Memory {
  readonly #answers = new WeakMap<object, (Outcome | undefined)[]>()
  #numbers = 0

  /** A number for one more question. */
  number(): number {
    return this.#numbers++
  }

  /** The answers about an object, by the numbers of the questions. */
  about(key: object): (Outcome | undefined)[] {
    const known = this.#answers.get(key)
    if (known) return known
    const fresh: (Outcome | undefined)[] = []
    this.#answers.set(key, fresh)
    return fresh
  }
}
