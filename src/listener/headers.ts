/** Read access to the headers of one request, as they came: repeated ones stay visible. */
export interface RequestHeaders {
  /** The first value of a header, or undefined. `name` is lower case. */
  get(name: string): string | undefined
  /** How many times it was sent. Whoever decides by a header asks this too. */
  count(name: string): number
  /** Every value of it, in order. */
  all(name: string): readonly string[]
  /** All pairs in order, names in lower case. */
  entries(): Iterable<[string, string]>
}

class RawHeaders implements RequestHeaders {
  readonly #raw: readonly string[] // name, value, name, value ...

  constructor(raw: readonly string[]) {
    this.#raw = raw
  }

  get(name: string): string | undefined {
    const raw = this.#raw
    for (let i = 0; i < raw.length; i += 2) if (isNamed(raw[i], name)) return raw[i + 1]
    return undefined
  }

  count(name: string): number {
    let count = 0
    for (let i = 0; i < this.#raw.length; i += 2) if (isNamed(this.#raw[i], name)) count++
    return count
  }

  all(name: string): readonly string[] {
    const found: string[] = []
    for (let i = 0; i < this.#raw.length; i += 2) {
      if (isNamed(this.#raw[i], name)) found.push(this.#raw[i + 1] ?? '')
    }
    return found
  }

  entries(): Iterable<[string, string]> {
    const pairs: [string, string][] = []
    for (let i = 0; i < this.#raw.length; i += 2) {
      pairs.push([(this.#raw[i] ?? '').toLowerCase(), this.#raw[i + 1] ?? ''])
    }
    return pairs
  }
}

/** Most names differ in length already, so few are ever put into lower case. */
function isNamed(raw: string | undefined, name: string): boolean {
  return raw !== undefined && raw.length === name.length && raw.toLowerCase() === name
}

/**
 * A view over node's `rawHeaders`; nothing is copied.
 * @param raw name, value, name, value: as `IncomingMessage.rawHeaders`.
 */
export function headersOf(raw: readonly string[]): RequestHeaders {
  return new RawHeaders(raw)
}
