/**
 * The span reader: bytes in, a tree of spans out. It says where every value lies and makes no
 * string, number or object until asked, so nothing is lost on the way: not the 19th digit, not a
 * key named `__proto__`, not the spelling that a signature covers.
 *
 * What it refuses, it refuses because two readers could understand it differently (RFC 8259 §4,
 * §8.1, §9): duplicate keys, invalid UTF-8, a byte order mark, half surrogates in keys, anything
 * after the value.
 */
import { Broken } from '../base/assert.ts'
import { ARRAY, CLOSE, ESCAPED_KEY, ESCAPED_STRING, KEY, KIND_SHIFT, OBJECT } from './tape.ts'
import { START_MASK, STRING, after, readTape, textOf } from './tape.ts'
import type { JsonLimits } from './tape.ts'

export type { JsonLimits } from './tape.ts'

export type Kind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null'

/** A handle of one value in one tree: an index into its tape, opaque to everyone else. */
export type Node = number

/** There is no such value. `get`, `first`, `next`, `value` and `size` take it; the others throw. */
export const NONE = -1

/** A message and where everything in it lies. The bytes must not be written to while it lives. */
export interface JsonTree {
  readonly bytes: Uint8Array
  readonly root: Node
  /** A key is a `string`. */
  kind(n: Node): Kind
  /** The offset of the value's first byte; for a string that is its quote. */
  start(n: Node): number
  /** The offset behind the value's last byte. */
  end(n: Node): number
  /** Whether a string or key holds a backslash: only then do its bytes differ from its text. */
  isEscaped(n: Node): boolean
  /** The first key of an object or element of an array; NONE when empty, or for anything else. */
  first(n: Node): Node
  /** The key after a key, the element after an element; NONE behind the last. */
  next(n: Node): Node
  /** The value of a key; NONE for what is not a key. */
  value(key: Node): Node
  /** The value under `key`; NONE when it is absent, or when `object` is no object. */
  get(object: Node, key: string): Node
  /** `get` from the root, key by key. */
  at(...path: string[]): Node
  /** The decoded text of a string or key. Half surrogates stay as they are. */
  text(n: Node): string
  /** The bytes of the value, quotes included: a view, not a copy. */
  raw(n: Node): Uint8Array
  /** How many members or elements; 0 for anything else. */
  size(n: Node): number
  /** Whether the text of a string has no half surrogates. True for every other kind. */
  isWellFormed(n: Node): boolean
}

/**
 * Reads one JSON text (RFC 8259). The tree stays valid for as long as its bytes are left alone.
 * @param bytes the whole message, without a byte order mark.
 * @throws {Fault} `too_large` over `bytesMax`; else `bad_json`, whose `facts.offset` is in bytes
 *   and whose `facts.reason` is one of `empty`, `syntax`, `escape`, `control`, `trailing`, `utf8`,
 *   `bom`, `depth`, `duplicate_key` (keys compared decoded), `key_surrogate`.
 */
export function readJson(bytes: Uint8Array, limits: JsonLimits): JsonTree {
  return new Tree(bytes, readTape(bytes, limits))
}

const kinds: readonly (Kind | undefined)[] = [
  undefined, // CLOSE
  'object',
  'array',
  'string',
  'string',
  'number',
  'true',
  'false',
  'null',
  'string',
  'string',
]

class Tree implements JsonTree {
  readonly bytes: Uint8Array
  readonly root: Node = 0
  readonly #tape: Int32Array

  constructor(bytes: Uint8Array, tape: Int32Array) {
    this.bytes = bytes
    this.#tape = tape
  }

  kind(n: Node): Kind {
    return kinds[this.#code(n)] ?? foreign()
  }

  start(n: Node): number {
    return (this.#tape[n] ?? foreign()) & START_MASK
  }

  end(n: Node): number {
    return n < 0 ? foreign() : (this.#tape[n + 1] ?? foreign())
  }

  isEscaped(n: Node): boolean {
    const code = this.#code(n)
    return code === ESCAPED_STRING || code === ESCAPED_KEY
  }

  first(n: Node): Node {
    if (n === NONE) return NONE
    const code = this.#code(n)
    return code === OBJECT || code === ARRAY ? this.#unlessClosed(n + 4) : NONE
  }

  next(n: Node): Node {
    if (n === NONE) return NONE
    const code = this.#code(n)
    const value = code === KEY || code === ESCAPED_KEY ? n + 3 : n
    return this.#unlessClosed(after(this.#tape, value))
  }

  value(key: Node): Node {
    if (key === NONE) return NONE
    const code = this.#code(key)
    return code === KEY || code === ESCAPED_KEY ? key + 3 : NONE
  }

  get(object: Node, key: string): Node {
    if (object === NONE || this.#code(object) !== OBJECT) return NONE
    const byBytes = isAscii(key)
    for (let k = this.first(object); k !== NONE; k = this.next(k)) {
      const isSame = byBytes && this.#code(k) === KEY ? this.#spells(k, key) : this.text(k) === key
      if (isSame) return k + 3
    }
    return NONE
  }

  at(...path: string[]): Node {
    let n = this.root
    for (const key of path) n = this.get(n, key)
    return n
  }

  text(n: Node): string {
    const code = this.#code(n)
    if (code !== STRING && code !== ESCAPED_STRING && code !== KEY && code !== ESCAPED_KEY) {
      throw new Broken('only strings and keys have a text')
    }
    return textOf(this.bytes, this.start(n), this.end(n))
  }

  raw(n: Node): Uint8Array {
    return this.bytes.subarray(this.start(n), this.end(n))
  }

  size(n: Node): number {
    if (n === NONE) return 0
    const code = this.#code(n)
    return code === OBJECT || code === ARRAY ? (this.#tape[n + 3] ?? 0) : 0
  }

  isWellFormed(n: Node): boolean {
    // Bytes are valid UTF-8, which has no half surrogates: only an escape can make one.
    return !this.isEscaped(n) || this.text(n).isWellFormed()
  }

  #code(n: Node): number {
    return (this.#tape[n] ?? foreign()) >>> KIND_SHIFT
  }

  #unlessClosed(n: Node): Node {
    return this.#code(n) === CLOSE ? NONE : n
  }

  /** Whether the unescaped key node spells the ASCII text `key`. */
  #spells(node: Node, key: string): boolean {
    const from = this.start(node) + 1
    if (this.end(node) - 1 - from !== key.length) return false
    for (let i = 0; i < key.length; i++) {
      if (this.bytes[from + i] !== key.charCodeAt(i)) return false
    }
    return true
  }
}

/** The decoded text of a whole string; undefined for anything else. */
export function stringAt(tree: JsonTree, n: Node): string | undefined {
  if (n === NONE || tree.kind(n) !== 'string' || !tree.isWellFormed(n)) return undefined
  return tree.text(n)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function foreign(): never {
  throw new Broken('a node of another tree, or none, was asked for')
}
