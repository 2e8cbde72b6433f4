/** Where a `$ref` of a schema leads, inside that schema and nowhere else. */

export type SchemaObject = Readonly<Record<string, unknown>>

/** An object of a schema; undefined for everything else. */
export function record(value: unknown): SchemaObject | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `JSON.parse` gives for an object
  return isObject ? (value as SchemaObject) : undefined
}

/** A member that the object has itself; never one of its prototype. */
export function own(schema: SchemaObject, key: string): unknown {
  return Object.hasOwn(schema, key) ? schema[key] : undefined
}

export class References {
  readonly #root: unknown
  readonly #named = new Map<string, unknown>()

  constructor(root: unknown) {
    this.#root = root
    const open: unknown[] = [root]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (Array.isArray(at)) {
        for (const element of at) open.push(element ?? true)
        continue
      }
      const holder = record(at)
      if (holder === undefined) continue
      for (const key of ['$anchor', '$dynamicAnchor']) {
        const name = own(holder, key)
        if (typeof name === 'string') this.#named.set(`#${name}`, holder)
      }
      for (const key of ['$id', 'id']) {
        const name = own(holder, key)
        if (typeof name === 'string' && name !== '') this.#named.set(name, holder)
      }
      for (const key of Object.keys(holder)) open.push(holder[key] ?? true)
    }
  }

  /** The schema a reference names; `true`, which everything fits, for one that is not in here. */
  target(ref: string): unknown {
    const mark = ref.indexOf('#')
    // With its own name in front, or without: the same document.
    if (mark > 0 && this.#named.get(ref.slice(0, mark)) === this.#root)
      return this.target(ref.slice(mark))
    if (ref === '#') return this.#root
    const known = this.#named.get(ref)
    if (known !== undefined) return known
    return ref.startsWith('#/') ? this.#at(ref.slice(2)) : true
  }

  /** RFC 6901 §6: a pointer as a fragment. */
  #at(pointer: string): unknown {
    let at: unknown = this.#root
    for (const part of pointer.split('/')) {
      const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
      if (Array.isArray(at)) {
        const list: readonly unknown[] = at
        at = /^\d{1,6}$/.test(key) ? list[Number(key)] : undefined
      } else {
        const holder = record(at)
        at = holder === undefined ? undefined : own(holder, key)
      }
      if (at === undefined) return true
    }
    return at
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // Not percent-encoded, so it names what it spells.
    return part
  }
}
