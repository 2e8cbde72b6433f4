/** Under which key a tool is kept, and which other tools its name looks like. */
import { hash } from 'node:crypto'
import { lookOf, twinOf } from './pins-twins.ts'
import type { Look, Named } from './pins-twins.ts'
import type { Confidence } from './facts.ts'

const plainMax = 128
/** A name with so many digits could hold a card number. */
const digits = /\d(?:.*\d){7}/su

/** Whether a name may be kept as it is; of any other only the hash is, which begins with `#`. */
export function isPlainName(name: string): boolean {
  const isShort = name.length <= plainMax && name.isWellFormed()
  return isShort && !name.startsWith('#') && !digits.test(name.normalize('NFKC'))
}

export function hashedKey(name: string): string {
  return `#${hash('sha256', JSON.stringify(name), 'hex')}`
}

/** The letters of an id: no digits, which could look like a card number. */
const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGH'

/** The id of one difference: the same for the same one, so that what was seen is what is accepted. */
export function differenceId(
  of: readonly [connection: string, key: string, before: string, after: string],
): string {
  let id = 'tc_'
  const bytes = hash('sha256', JSON.stringify(of), 'buffer')
  for (let i = 0; i < 24; i++) id += letters.charAt((bytes[i] ?? 0) & 31)
  return id
}

/** Of names that look alike, so many are compared. */
const bucketMax = 64

export interface Twin {
  readonly one: Named
  readonly other: Named
  readonly confidence: Confidence
}

/** All names that are kept as they are, by what they look like. */
export class NameIndex {
  readonly #named = new Map<string, Named[]>()
  #order = 0

  /** @returns each name, this or an older one, which is there from now on to be taken for another. */
  add(connection: string, name: string): readonly Twin[] {
    const one: Named = { connection, name, look: lookOf(name), order: this.#order++ }
    const others = this.#named.get(one.look.skeleton)
    if (others === undefined) {
      this.#named.set(one.look.skeleton, [one])
      return []
    }
    const found: Twin[] = []
    for (const other of others.slice(0, bucketMax)) {
      const [mine, its] = [twinOf(one, other), twinOf(other, one)]
      if (mine !== undefined) found.push({ one, other, confidence: mine })
      if (its !== undefined) found.push({ one: other, other: one, confidence: its })
    }
    others.push(one)
    return found
  }

  /** What a name is taken for, the surest first. It need not be kept here. */
  twins(connection: string, name: string): readonly Twin[] {
    if (name.length > plainMax) return []
    const look: Look = lookOf(name)
    const others = this.#named.get(look.skeleton) ?? []
    const isOwn = (one: Named): boolean => one.connection === connection && one.name === name
    const one = others.find(isOwn) ?? { connection, name, look, order: Infinity }
    const found = others.slice(0, bucketMax).flatMap((other): Twin[] => {
      const confidence = twinOf(one, other)
      return confidence === undefined ? [] : [{ one, other, confidence }]
    })
    return found.toSorted((a, b) => rank[b.confidence] - rank[a.confidence])
  }

  remove(connection: string, name: string): void {
    const { skeleton } = lookOf(name)
    const kept = this.#named.get(skeleton)?.filter((one) => {
      return one.connection !== connection || one.name !== name
    })
    if (kept) this.#named.set(skeleton, kept)
  }

  forget(connection: string): void {
    for (const [skeleton, named] of this.#named) {
      const kept = named.filter((one) => one.connection !== connection)
      if (kept.length === 0) this.#named.delete(skeleton)
      else this.#named.set(skeleton, kept)
    }
  }
}

const rank: Readonly<Record<Confidence, number>> = { low: 0, medium: 1, high: 2, certain: 3 }
