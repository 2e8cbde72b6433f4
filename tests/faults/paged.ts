/**
 * One file of a machine whose power may fail: as its processes see it, and as it stands on the disk.
 *
 *     seen   [ sector | sector | SECTOR | SECTOR ]     capitals: dirty, only in memory
 *     kept   [ sector | sector | older  ]              what a loss of power leaves at least
 *
 * A sync writes back the sectors it is asked for and no others, as `O_DSYNC` does with the range of
 * one write. The size is in the journal, so each sync takes it along.
 */
import type { Dice } from './dice.ts'

/** What a loss of power spares of all that was not synced. */
export type Spared = 'none' | 'all' | 'some'

export class PagedFile {
  seen: Buffer = Buffer.alloc(0)
  kept: Buffer = Buffer.alloc(0)
  readonly #sectorBytes: number
  /** Sectors of `seen` that differ, or may differ, from those of `kept`. */
  readonly #dirty = new Set<number>()

  constructor(sectorBytes: number) {
    this.#sectorBytes = sectorBytes
  }

  /** Into memory; the file grows with zeros if it has to. */
  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    this.#soil(Math.min(position, this.seen.length), end)
    if (this.seen.length < end) this.seen = resized(this.seen, end)
    this.seen.set(bytes, position)
  }

  /** In memory. */
  truncate(size: number): void {
    this.#soil(Math.min(size, this.seen.length), Math.max(size, this.seen.length))
    this.seen = resized(this.seen, size)
  }

  /** Makes the bytes [from, to) durable, in whole sectors, and the size. */
  sync(from: number = 0, to: number = Infinity): void {
    this.#resize()
    for (const sector of this.#dirtyIn(from, to)) this.#keep(sector)
  }

  /** A sync that failed: each sector may have reached the disk all the same. The rest stays dirty,
   *  or is called clean although the disk does not have it, as Linux does after an error. */
  failSync(from: number, to: number, dice: Dice, callsClean: boolean): void {
    this.#resize()
    for (const sector of this.#dirtyIn(from, to)) {
      if (dice.chance(0.4)) this.#keep(sector)
      else if (callsClean) this.#dirty.delete(sector)
    }
  }

  /**
   * The power goes. What was dirty is there or not, each sector for itself.
   * @param tears whether a sector may also end up half new, half old, from any byte on.
   * @returns how many sectors were torn.
   */
  losePower(dice: Dice, spared: Spared, tears: boolean): number {
    let torn = 0
    if (spared === 'all') this.sync()
    if (spared === 'some') {
      const from = Math.min(this.kept.length, this.seen.length)
      const to = Math.max(this.kept.length, this.seen.length)
      if (this.#dirty.size > 0) this.kept = resized(this.kept, from + dice.below(to - from + 1))
      for (const sector of this.#dirtyIn(0, Infinity)) {
        const isTorn = tears && dice.chance(0.3)
        if (isTorn) torn++
        if (isTorn) this.#tear(sector, dice)
        else if (dice.chance(0.5)) this.#keep(sector)
      }
    }
    this.#dirty.clear()
    this.seen = Buffer.from(this.kept)
    return torn
  }

  #soil(from: number, to: number): void {
    const last = Math.ceil(to / this.#sectorBytes)
    for (let at = Math.floor(from / this.#sectorBytes); at < last; at++) this.#dirty.add(at)
  }

  #dirtyIn(from: number, to: number): number[] {
    const first = Math.floor(from / this.#sectorBytes)
    const last = Math.ceil(to / this.#sectorBytes)
    return [...this.#dirty].filter((sector) => sector >= first && sector < last)
  }

  #resize(): void {
    if (this.kept.length !== this.seen.length) this.kept = resized(this.kept, this.seen.length)
  }

  #keep(sector: number): void {
    const start = sector * this.#sectorBytes
    this.#copy(start, start + this.#sectorBytes)
    this.#dirty.delete(sector)
  }

  #tear(sector: number, dice: Dice): void {
    const start = sector * this.#sectorBytes
    const at = start + dice.below(this.#sectorBytes + 1)
    if (dice.chance(0.5)) this.#copy(start, at)
    else this.#copy(at, start + this.#sectorBytes)
  }

  /** What lies behind the end of either is not there to be copied. */
  #copy(from: number, to: number): void {
    if (from < this.seen.length) this.seen.copy(this.kept, from, from, to)
  }
}

/** The first `size` bytes, with zeros behind them where there are fewer. */
export function resized(bytes: Buffer, size: number): Buffer {
  const fresh = Buffer.alloc(size)
  bytes.copy(fresh, 0, 0, size)
  return fresh
}
