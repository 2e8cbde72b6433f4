/**
 * Passing over idle values of rows by the kernel: it holds a part of the text at hand and the glue that
 * was learnt, and goes on as long as it knows the way. What it leaves is gone through value by value.
 */
import { kernel } from './kernel/start.ts'
import { NEXT_ROW } from './glue.ts'
import type { Glue } from './glue.ts'
import type { Spots } from './spots.ts'

// A glue in the kernel's memory, as `kernel/rows.as` draws it.
const ints = 128
const lengthAt = 3
const bytesAt = 32
const glueBytesMax = 512 - bytesAt - 16
const STRING = 1
const NAMING = 4
const CARD = 8

/** So near the end of what the kernel holds, more is given to it. */
const nearBytes = 4096
const none = 0x7fffffff

/** Whose text and glue the kernel holds. */
let holder: object | undefined

export class Passing {
  /** Where reading goes on, and behind the value of which name. */
  at = 0
  name = 0
  /** How many rows were ended. */
  rows = 0
  /** The text that may name something; its end is 0 for none. */
  namingStart = 0
  namingEnd = 0
  readonly #own = {}
  #base = 0
  #held = 0
  #spot = 0

  /** To be called when the text at hand is another one: what the kernel holds is not of it. */
  forget(): void {
    if (holder === this.#own) holder = undefined
    this.#spot = 0
  }

  /** Tells the kernel of glue that was learnt in `bytes`; all that was told before when it is new to it. */
  learn(bytes: Uint8Array, slot: number, glue: Glue): void {
    if (holder !== this.#own) {
      for (let i = lengthAt; i < kernel.glues.length; i += ints) kernel.glues[i] = 0
      holder = this.#own
      this.#held = 0
    }
    const at = slot * ints
    kernel.glues[at + lengthAt] = 0
    const isCard = glue.isCard && glue.isString
    if (!(glue.isIdle || isCard) || glue.length > glueBytesMax) return
    kernel.glues[at] = glue.after
    kernel.glues[at + 1] = glue.frame
    kernel.glues[at + 2] = glue.outer
    kernel.glues[at + lengthAt] = glue.length
    const isNaming = glue.isString && glue.isNaming
    const row = glue.leads === NEXT_ROW ? NEXT_ROW : 0
    const kind = (glue.isString ? STRING : 0) | (isNaming ? NAMING : 0) | (isCard ? CARD : 0)
    kernel.glues[at + 4] = kind | row
    kernel.glues[at + 5] = glue.name
    const place = kernel.glues.byteOffset + at * 4 + bytesAt
    kernel.memory.set(bytes.subarray(glue.start, glue.start + glue.length), place)
  }

  /**
   * Passes over values from `from` on, which stands behind a value of `after`.
   * @param levels as in `JsonScanner`.
   * @returns whether it came further; then the fields above are set.
   */
  pass(
    bytes: Uint8Array,
    from: number,
    end: number,
    levels: number,
    spots: Spots,
    after: number,
    frame: number,
    outer: number,
  ): boolean {
    if (holder !== this.#own) return false
    if (from < this.#base || from + nearBytes > this.#held) this.#hold(bytes, from, spots)
    const base = this.#base
    const limit = Math.min(end, this.#held) - base
    kernel.pass(from - base, limit, after, frame, outer, (1 << levels) - 1)
    const { passed } = kernel
    this.at = (passed[0] ?? 0) + base
    if (this.at === from) return false
    this.name = passed[1] ?? 0
    this.rows = passed[2] ?? 0
    this.namingStart = (passed[3] ?? 0) + base
    this.namingEnd = passed[4] === 0 ? 0 : (passed[4] ?? 0) + base
    return true
  }

  /** Calls `told` for each number in a card column that was gone over, and tells how many rows before. */
  eachCard(
    told: (start: number, end: number, rows: number, slot: number, at: number) => void,
  ): void {
    const { cards, passed } = kernel
    const base = this.#base
    const count = passed[5] ?? 0
    for (let i = 0; i < count * 5; i += 5) {
      const [start, end] = [(cards[i] ?? 0) + base, (cards[i + 1] ?? 0) + base]
      told(start, end, cards[i + 2] ?? 0, cards[i + 3] ?? 0, (cards[i + 4] ?? 0) + base)
    }
  }

  /** Gives the text from `from` on to the kernel, with its spots, as far as there is room. */
  #hold(bytes: Uint8Array, from: number, spots: Spots): void {
    if (this.#held === bytes.length && from >= this.#base) return
    this.#base = from
    this.#held = Math.min(bytes.length, from + kernel.textBytes)
    kernel.memory.set(bytes.subarray(from, this.#held), kernel.text)
    const { textSpots } = kernel
    let n = 0
    for (let i = this.#spotAt(spots, from); i < spots.count && n < textSpots.length - 2; i++) {
      if ((spots.at[i] ?? 0) >= this.#held) break
      textSpots[n++] = (spots.at[i] ?? 0) - from
      textSpots[n++] = (spots.to[i] ?? 0) - from
    }
    textSpots[n] = none
    textSpots[n + 1] = none
    kernel.beginText()
  }

  /** The first spot that ends behind `at`. */
  #spotAt(spots: Spots, at: number): number {
    let i = Math.min(this.#spot, spots.count)
    while (i > 0 && (spots.to[i - 1] ?? 0) > at) i--
    while (i < spots.count && (spots.to[i] ?? 0) <= at) i++
    this.#spot = i
    return i
  }
}
