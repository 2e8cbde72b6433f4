/**
 * What was inspected before: a call with the same name and the same bytes of arguments says the same.
 * Programs ask the same thing again and again; then nothing is looked at twice, and whoever keeps
 * something by the facts (the record, the rules) gets the very same ones.
 *
 * Keys are digests with a secret of this process: arguments may hold a card number, and none is kept.
 */
import { hash, randomBytes } from 'node:crypto'
import { NONE } from '../wire/json.ts'
import type { Message } from '../wire/message.ts'
import type { Inspected } from './facts.ts'

const entriesMax = 4096
/** Of the facts and findings, as JSON. */
const charsMax = 16 * 1_048_576
const argumentBytesMax = 16_384
/** What an entry costs besides its facts. */
const entryChars = 200

const methods: ReadonlySet<string> = new Set(['tools/call', 'prompts/get'])

export class KnownCalls {
  readonly #all = new Map<string, { readonly seen: Inspected; readonly chars: number }>()
  readonly #secret = randomBytes(32)
  readonly #ids = new WeakMap<object, Buffer>()
  #lastId = 0
  #chars = 0

  /**
   * The name of a call among those that are known; undefined for what is looked at each time.
   * @param settings by identity: other settings, other facts.
   */
  key({ kind, method = '', params, tree }: Message, settings: object): string | undefined {
    if (kind !== 'request' || !methods.has(method) || params === NONE) return undefined
    const args = tree.get(params, 'arguments')
    const name = tree.get(params, 'name')
    if (name === NONE || tree.get(params, 'inputResponses') !== NONE) return undefined
    const bytes = args === NONE ? none : tree.raw(args)
    if (bytes.length > argumentBytesMax) return undefined
    const head = Buffer.from(`${method} `)
    // A JSON string ends where it ends: no name and arguments are another pair's.
    return hash(
      'sha256',
      Buffer.concat([this.#secret, this.#idOf(settings), head, tree.raw(name), bytes]),
      'base64',
    )
  }

  get(key: string): Inspected | undefined {
    const found = this.#all.get(key)
    if (found === undefined) return undefined
    // The one that was not asked for longest comes first.
    this.#all.delete(key)
    this.#all.set(key, found)
    return found.seen
  }

  set(key: string, seen: Inspected): void {
    const chars = JSON.stringify(seen).length + entryChars
    if (chars > charsMax / 64) return
    this.#drop(key)
    this.#all.set(key, { seen, chars })
    this.#chars += chars
    for (const oldest of this.#all.keys()) {
      if (this.#all.size <= entriesMax && this.#chars <= charsMax) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#chars -= this.#all.get(key)?.chars ?? 0
    this.#all.delete(key)
  }

  #idOf(settings: object): Buffer {
    const known = this.#ids.get(settings)
    if (known !== undefined) return known
    const made = Buffer.from(`${++this.#lastId} `)
    this.#ids.set(settings, made)
    return made
  }
}

const none = new Uint8Array(0)
