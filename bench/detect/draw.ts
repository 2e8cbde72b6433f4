/** Chance that can be repeated: the same seed draws the same corpus on every machine. */

/** A stream of draws. Bryc's `sfc32` (public domain, PractRand clean), seeded by FNV-1a. */
export class Draw {
  #a: number
  #b: number
  #c: number
  #count = 1

  constructor(seed: string) {
    this.#a = hash(seed, 0x811c9dc5)
    this.#b = hash(seed, this.#a)
    this.#c = hash(seed, this.#b)
    for (let i = 0; i < 12; i++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#count++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** A whole number from `low` to `high`, both possible. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.int(0, list.length - 1)]
    if (one === undefined) throw new Error('nothing to pick from')
    return one
  }

  /** By weight: `[[3, 'often'], [1, 'seldom']]`. */
  weighted<T>(list: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.next() * list.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, value] of list) {
      at -= weight
      if (at < 0) return value
    }
    return this.pick(list)[1]
  }

  /** `count` decimal digits, the first of them not 0. */
  digits(count: number): string {
    let out = String(this.int(1, 9))
    while (out.length < count) out += String(this.int(0, 9))
    return out.slice(0, count)
  }

  /** `count` characters of `alphabet`. */
  letters(count: number, alphabet = 'abcdefghijklmnopqrstuvwxyz'): string {
    let out = ''
    for (let i = 0; i < count; i++) out += alphabet.charAt(this.int(0, alphabet.length - 1))
    return out
  }

  hex(count: number): string {
    return this.letters(count, '0123456789abcdef')
  }

  shuffle<T>(list: readonly T[]): T[] {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(0, i)
      const [a, b] = [out[i], out[j]]
      if (a === undefined || b === undefined) continue
      out[i] = b
      out[j] = a
    }
    return out
  }
}

function hash(text: string, basis: number): number {
  let value = basis
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  }
  return value
}
