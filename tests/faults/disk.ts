/**
 * A disk that fails on command. It lives in memory and knows two states of everything: what a
 * running process sees, and what a loss of power would leave. One numbered operation can be made to
 * fail in one of several ways; a crash takes away whatever was never made durable, in part or whole,
 * as a seed decides.
 */
import { basename, dirname } from 'node:path'
import { Dice } from './dice.ts'
import { resized } from './paged.ts'
import type { Committed, Disk, DiskFile } from '../../src/base/disk.ts'

/**
 * How an operation fails: with an error and no effect, with an error after its full effect, with an
 * error after an effect in part, or (a write only) with fewer bytes and no error at all.
 */
export type How = 'lost' | 'kept' | 'torn' | 'short'

export interface Plan {
  /** Number of the operation that fails, from 1 on. */
  readonly at: number
  readonly how: How
}

interface Inode {
  seen: Buffer
  durable: Buffer
}

/** A change of names in a folder which its `syncFolder` has not made durable yet. */
type Change =
  | { readonly make: string; readonly inode: Inode }
  | { readonly drop: string }
  | { readonly from: string; readonly to: string; readonly inode: Inode }

interface Write {
  readonly boot: number
  readonly inode: Inode
  readonly bytes: Buffer
  readonly position: number
}

const sectorBytes = 512

export class FaultyMachine {
  /** Operations so far. */
  operations = 0
  plan: Plan | undefined
  freeBytes = 1_000_000_000
  readonly #dice: Dice
  readonly #syncs: boolean
  #boot = 0
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  readonly #folders = new Set<string>(['/'])
  #changes: { folder: string; change: Change }[] = []

  /** @param syncs false takes the sync out of every commit: it reports success all the same. */
  constructor(options: { seed: number; syncs?: boolean }) {
    this.#dice = new Dice(options.seed)
    this.#syncs = options.syncs ?? true
  }

  /** The disk as one process sees it; after a crash it is dead and changes nothing any more. */
  boot(): Disk {
    const boot = ++this.#boot
    const run = <T>(effect: () => T, partly?: () => T): Promise<T> =>
      this.#run(boot, effect, partly)
    return {
      create: (path) => run(() => this.#create(boot, path)),
      open: (path) =>
        run(() => {
          const inode = this.#names.get(path)
          if (!inode) throw failure('ENOENT')
          return this.#file(boot, inode)
        }),
      makeFolder: (path) => run(() => this.#makeFolder(path)),
      syncFolder: (path) => run(() => this.#syncFolder(path)),
      list: (path) => run(() => this.#list(path)),
      rename: (from, to) => run(() => this.#rename(from, to)),
      remove: (path) => run(() => this.#remove(path)),
      freeBytes: () => run(() => this.freeBytes),
    }
  }

  /** The power goes. Files keep what was synced; names keep what their folder's sync covered, and
   *  of later changes the first few, as a journal would have it. */
  crash(): void {
    this.#boot++
    this.plan = undefined
    const cuts = new Map<string, number>()
    for (const { folder } of this.#changes) cuts.set(folder, (cuts.get(folder) ?? 0) + 1)
    for (const [folder, count] of cuts)
      cuts.set(folder, Math.floor(this.#dice.next() * (count + 1)))
    for (const { folder, change } of this.#changes) {
      const left = cuts.get(folder) ?? 0
      if (left > 0) apply(this.#durableNames, change)
      cuts.set(folder, left - 1)
    }
    this.#changes = []
    this.#names = new Map(this.#durableNames)
    for (const inode of this.#names.values()) inode.seen = Buffer.from(inode.durable)
    // The lock names a boot that is over; here it would name this very process, so it goes.
    for (const path of [...this.#names.keys()].filter((name) => basename(name) === 'lock')) {
      this.#names.delete(path)
      this.#durableNames.delete(path)
    }
  }

  /** The process dies and the machine lives on: everything seen stays. */
  kill(): void {
    this.#boot++
    this.plan = undefined
    for (const path of [...this.#names.keys()].filter((name) => basename(name) === 'lock')) {
      this.#names.delete(path)
      this.#durableNames.delete(path)
    }
  }

  /** Bytes of a file as they are seen, for tests that change them. */
  bytes(path: string): Buffer {
    return this.#names.get(path)?.seen ?? Buffer.alloc(0)
  }

  /** Replaces a file behind everybody's back, durably. */
  put(path: string, bytes: Uint8Array): void {
    const inode = { seen: Buffer.from(bytes), durable: Buffer.from(bytes) }
    this.#names.set(path, inode)
    this.#durableNames.set(path, inode)
  }

  paths(): string[] {
    return [...this.#names.keys()].toSorted()
  }

  #create(boot: number, path: string): DiskFile {
    if (this.#names.has(path)) throw failure('EEXIST')
    if (!this.#folders.has(dirname(path))) throw failure('ENOENT')
    const inode: Inode = { seen: Buffer.alloc(0), durable: Buffer.alloc(0) }
    this.#change(dirname(path), { make: path, inode })
    return this.#file(boot, inode)
  }

  #file(boot: number, inode: Inode): DiskFile {
    return {
      commit: (parts, position, done) => {
        void this.#told({ boot, inode, bytes: Buffer.concat(parts), position }, done)
      },
      read: (into, position) =>
        this.#run(boot, () => {
          const part = inode.seen.subarray(position, position + into.length)
          into.set(part)
          return part.length
        }),
      size: () => this.#run(boot, () => inode.seen.length),
      truncate: (size) =>
        this.#run(boot, () => {
          inode.seen = resized(inode.seen, size)
          if (this.#syncs) inode.durable = Buffer.from(inode.seen)
        }),
      close: () => this.#run(boot, () => undefined),
    }
  }

  async #told(at: Write, done: Committed): Promise<void> {
    let written = 0
    try {
      written = await this.#commit(at)
    } catch (error) {
      return done(error instanceof Error ? error : failure('EIO'), 0)
    }
    done(null, written)
  }

  async #commit(at: Write): Promise<number> {
    const { boot, bytes, inode, position } = at
    const whole = (): number => {
      this.#write(inode, bytes, position)
      return bytes.length
    }
    // Pages reach the disk in any order: of the bytes some sectors are new, the rest is old.
    const partly = (): number => {
      for (let from = 0; from < bytes.length; from += sectorBytes) {
        if (this.#dice.next() < 0.5) continue
        this.#write(inode, bytes.subarray(from, from + sectorBytes), position + from)
      }
      return 0
    }
    const isShort = this.plan?.how === 'short' && this.plan.at === this.operations + 1
    if (!isShort) return await this.#run(boot, whole, partly)
    return await this.#run(boot, () => {
      const written = Math.floor(this.#dice.next() * bytes.length)
      this.#write(inode, bytes.subarray(0, written), position)
      return written
    })
  }

  #write(inode: Inode, bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (inode.seen.length < end) inode.seen = resized(inode.seen, end)
    inode.seen.set(bytes, position)
    if (!this.#syncs) return
    if (inode.durable.length < end) inode.durable = resized(inode.durable, end)
    inode.durable.set(bytes, position)
  }

  #makeFolder(path: string): void {
    for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) this.#folders.add(at)
  }

  #syncFolder(path: string): void {
    if (!this.#folders.has(path)) throw failure('ENOENT')
    for (const { change, folder } of this.#changes) {
      if (folder === path) apply(this.#durableNames, change)
    }
    this.#changes = this.#changes.filter(({ folder }) => folder !== path)
  }

  #list(path: string): string[] {
    const below = [...this.#names.keys(), ...this.#folders]
    return below
      .filter((name) => dirname(name) === path && name !== '/')
      .map((name) => basename(name))
      .toSorted()
  }

  #rename(from: string, to: string): void {
    const inode = this.#names.get(from)
    if (!inode) throw failure('ENOENT')
    this.#change(dirname(to), { from, to, inode })
  }

  #remove(path: string): void {
    if (!this.#names.has(path)) throw failure('ENOENT')
    this.#change(dirname(path), { drop: path })
  }

  #change(folder: string, change: Change): void {
    apply(this.#names, change)
    this.#changes.push({ folder, change })
  }

  /** Runs one numbered operation, or lets it fail as planned. */
  async #run<T>(boot: number, effect: () => T, partly: () => T = effect): Promise<T> {
    if (boot !== this.#boot) throw failure('EIO')
    const isPlanned = ++this.operations === this.plan?.at
    const how = this.plan?.how
    await Promise.resolve()
    if (boot !== this.#boot) throw failure('EIO')
    if (!isPlanned || how === 'short') return effect()
    if (how === 'kept') effect()
    if (how === 'torn') partly()
    throw failure('EIO')
  }
}

function apply(names: Map<string, Inode>, change: Change): void {
  if ('make' in change) names.set(change.make, change.inode)
  else if ('drop' in change) names.delete(change.drop)
  else {
    names.delete(change.from)
    names.set(change.to, change.inode)
  }
}

function failure(code: string): Error & { code: string } {
  return Object.assign(new Error(code), { code })
}
