/**
 * The words of clients that servers may say back to them: request ids and progress tokens which hold
 * card data. What a server says in such a place without having heard it is no echo.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { idKeyOf } from '../wire/message.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import { placesOf, said } from './places.ts'

/** The oldest are forgotten first; what is said back after that is sealed. */
const wordsMax = 10_000
/** Shorter ones hold no card number. */
const wordBytesMin = 12

export class OwnWords {
  // Only hashes, under a key of this process: the words themselves hold card data.
  readonly #key = randomBytes(32)
  readonly #known = new Set<string>()

  /** Remembers the id and the token of a client's message. */
  note(tree: JsonTree, binding: string): void {
    for (const { node, start } of placesOf(tree, said)) {
      const name = tree.end(node) - start < wordBytesMin ? '' : this.#nameOf(tree, node, binding)
      if (name === '') continue
      const [oldest] = this.#known
      if (this.#known.size >= wordsMax && oldest !== undefined) this.#known.delete(oldest)
      this.#known.add(name)
    }
  }

  /** Whether this binding's client said the value at `node`, by value and not by spelling. */
  has(tree: JsonTree, node: Node, binding: string): boolean {
    return this.#known.has(this.#nameOf(tree, node, binding))
  }

  /** '' for what nobody can have said. */
  #nameOf(tree: JsonTree, node: Node, binding: string): string {
    const word = idKeyOf(tree, node)
    if (word === undefined) return '' // Neither a text nor an integer: no id, and no token.
    return createHmac('sha256', this.#key).update(`${binding}\0${word}`).digest('base64url')
  }
}
