/** A map which forgets its oldest entry when it is full. */
export class Bounded<T> {
  readonly #map = new Map<string, T>()
  readonly #sizeMax: number
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }
  get(key: string): T | undefined {
    return this.#map.get(key)
  }
  set(key: string, value: T): void {
    this.#map.delete(key)
    this.#map.set(key, value)
    if (this.#map.size <= this.#sizeMax) return
    for (const oldest of this.#map.keys()) {
      this.#map.delete(oldest)
      break
    }
  }
  delete(key: string): void {
    this.#map.delete(key)
  }
}
