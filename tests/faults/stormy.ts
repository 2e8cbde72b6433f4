/**
 * A machine in bad weather: operations fail by a schedule, the disk is slow or full for a while, the
 * process is killed or the power goes at any operation, also in the middle of it. It stands below
 * the real code of the record, as its `Disk`, and counts what it did to it.
 */
import { basename, dirname } from 'node:path'
import { NamedFiles } from './named.ts'
import { PagedFile } from './paged.ts'
import { calm } from './weather.ts'
import type { Committed, Disk, DiskFile } from '../../src/base/disk.ts'
import type { Dice } from './dice.ts'
import type { Death, Kind, Moment, Weather } from './weather.ts'

/** What kind of disk the machine has. */
export interface Hardware {
  readonly sectorBytes: number
  /** Whether a loss of power may leave a sector half written, at any byte. */
  readonly tears: boolean
  /** Whether the system calls pages clean whose sync has failed, as Linux does: they stay readable
   *  until the power goes, and no later sync writes them. */
  readonly callsClean: boolean
  /** Whether it lies: a sync of bytes, or of names, reports success and does nothing. */
  readonly liesOf?: 'bytes' | 'names' | undefined
}

/** One operation: all of its effect, and one of its effects in part. */
interface Operation<T> {
  readonly kind: Kind
  readonly whole: () => T
  /** As it is left when its process dies meanwhile. */
  readonly partly?: () => void
  /** As it is left when it fails; returns what is told instead of an error, if anything is. */
  readonly fails?: (isFull: boolean) => { told: T } | 'EIO' | 'ENOSPC'
}

const ampleBytes = 1_000_000_000

export class StormyMachine {
  /** Faults, ends and torn sectors by kind. */
  readonly tally: Map<string, number>
  /** Operations of this process, and how many of them failed but `freeBytes`. */
  operations = 0
  failures = 0
  /** Commits to segments that this process has begun. */
  segmentCommits = 0
  readonly #dice: Dice
  readonly #hardware: Hardware
  readonly #names = new NamedFiles()
  readonly #underWay = new Set<() => void>()
  #weather: Weather = calm
  #faults: Moment[] = [] // Those of the weather still to come.
  #boot = 0
  #isAlive = false

  constructor(dice: Dice, hardware: Hardware, tally: Map<string, number> = new Map()) {
    this.#dice = dice
    this.#hardware = hardware
    this.tally = tally
  }

  /** Whether the process that was started last has met no end yet. */
  get isAlive(): boolean {
    return this.#isAlive
  }

  /** Starts a process: the disk as it sees it. Once it is dead all its operations fail. */
  boot(weather: Weather): Disk {
    const boot = ++this.#boot
    this.#isAlive = true
    this.#weather = weather
    this.#faults = [...weather.faults]
    this.operations = this.failures = this.segmentCommits = 0
    return this.#disk((operation) => this.#run(boot, operation))
  }

  /** A disk for looking: nothing fails there and nothing is counted. */
  look(): Disk {
    return this.#disk(async ({ whole }) => whole())
  }

  /** Ends the process; of what is under way any part may have been done. */
  die(how: Death): void {
    if (!this.#isAlive) return
    this.#isAlive = false
    this.#boot++
    if (how !== 'leave') this.#count(how)
    for (const partly of this.#underWay) {
      if (this.#dice.chance(0.7)) attempt(partly)
    }
    this.#underWay.clear()
    if (how === 'crash') this.#losePower()
    // A lock names its process, and here every life has the pid of this one: so it is always stale.
    for (const path of this.paths()) {
      if (basename(path).startsWith('lock')) this.#names.put(path, undefined)
    }
  }

  paths(): string[] {
    return this.#names.paths()
  }

  bytes(path: string): Buffer {
    return this.#names.get(path)?.seen ?? Buffer.alloc(0)
  }

  /** Replaces or takes away a file behind everybody's back, durably. */
  put(path: string, bytes: Uint8Array | undefined): void {
    const file = bytes && new PagedFile(this.#hardware.sectorBytes)
    if (bytes) file?.write(bytes, 0)
    file?.sync()
    this.#names.put(path, file)
  }

  #losePower(): void {
    const { tears } = this.#hardware
    this.#names.losePower(this.#dice, this.#dice.pick(['none', 'all', 'first', 'some'] as const))
    const spared = this.#dice.pick(['none', 'all', 'some', 'some'] as const)
    for (const path of this.paths()) {
      const torn = this.#names.get(path)?.losePower(this.#dice, spared, tears) ?? 0
      this.#count('torn sector', torn)
    }
  }

  #disk(run: <T>(operation: Operation<T>) => Promise<T>): Disk {
    const names = this.#names
    return {
      create: (path) => run({ kind: 'create', whole: () => this.#create(path, run) }),
      open: (path) =>
        run({ kind: 'open', whole: () => this.#file(path, this.#existing(path), run) }),
      makeFolder: (path) =>
        run({
          kind: 'makeFolder',
          whole: () => names.makeFolder(path, true),
          partly: () => names.makeFolder(path, false),
        }),
      syncFolder: (path) => run({ kind: 'syncFolder', whole: () => this.#syncFolder(path) }),
      list: (path) => run({ kind: 'list', whole: () => names.list(path) }),
      rename: (from, to) =>
        run({ kind: 'rename', whole: () => names.rename(from, to, this.#existing(from)) }),
      remove: (path) =>
        run({
          kind: 'remove',
          whole: () => {
            this.#existing(path)
            names.remove(path)
          },
        }),
      freeBytes: () => run({ kind: 'freeBytes', whole: () => this.#freeBytes() }),
    }
  }

  #existing(path: string): PagedFile {
    const file = this.#names.get(path)
    if (!file) throw failure('ENOENT')
    return file
  }

  #create(path: string, run: <T>(operation: Operation<T>) => Promise<T>): DiskFile {
    if (this.#names.get(path)) throw failure('EEXIST')
    if (!this.#names.hasFolder(dirname(path))) throw failure('ENOENT')
    const file = new PagedFile(this.#hardware.sectorBytes)
    this.#names.make(path, file)
    return this.#file(path, file, run)
  }

  #syncFolder(path: string): void {
    if (!this.#names.hasFolder(path)) throw failure('ENOENT')
    if (this.#hardware.liesOf !== 'names') this.#names.sync(path)
  }

  #file(path: string, file: PagedFile, run: <T>(operation: Operation<T>) => Promise<T>): DiskFile {
    return {
      commit: (parts, position, done) => {
        if (path.endsWith('.seg')) this.segmentCommits++
        void tell(run(this.#commit(file, Buffer.concat(parts), position)), done)
      },
      read: (into, position) =>
        run({
          kind: 'read',
          whole: () => {
            const part = file.seen.subarray(position, position + into.length)
            into.set(part)
            return part.length
          },
        }),
      size: () => run({ kind: 'size', whole: () => file.seen.length }),
      truncate: (size) =>
        run({
          kind: 'truncate',
          whole: () => {
            file.truncate(size)
            if (this.#hardware.liesOf !== 'bytes') file.sync()
          },
          partly: () => file.truncate(size),
        }),
      close: () => run({ kind: 'close', whole: () => undefined }),
    }
  }

  #commit(file: PagedFile, bytes: Buffer, position: number): Operation<number> {
    const end = position + bytes.length
    const some = (): number => {
      const written = this.#dice.below(bytes.length + 1)
      file.write(bytes.subarray(0, written), position)
      return written
    }
    return {
      kind: 'commit',
      whole: () => {
        file.write(bytes, position)
        if (this.#hardware.liesOf !== 'bytes') file.sync(position, end)
        return bytes.length
      },
      // Killed or without power in the write or in the sync: of its bytes any sectors are new.
      partly: () => {
        if (this.#dice.chance(0.5)) file.write(bytes, position)
        else some()
        if (this.#dice.chance(0.3)) file.failSync(position, end, this.#dice, false)
      },
      fails: (isFull) => {
        const how = isFull ? this.#dice.pick(['ENOSPC', 'short']) : this.#dice.pick(commitFaults)
        this.#count(`commit: ${how}`)
        if (how === 'sync EIO') {
          file.write(bytes, position)
          file.failSync(position, end, this.#dice, this.#hardware.callsClean)
          return 'EIO'
        }
        const written = some()
        if (how !== 'short' || written === bytes.length) return isFull ? 'ENOSPC' : 'EIO'
        file.sync(position, position + written)
        return { told: written }
      },
    }
  }

  #freeBytes(): number {
    const { full } = this.#weather
    if (!full || full.isHidden || !this.#isFull) return ampleBytes
    return this.#dice.pick([500_000, 50_000])
  }

  get #isFull(): boolean {
    const { full } = this.#weather
    return full !== undefined && this.operations >= full.from && this.operations < full.to
  }

  /** One operation of a process: it may take its time, fail, or be the process's last. */
  async #run<T>(boot: number, operation: Operation<T>): Promise<T> {
    if (boot !== this.#boot) throw failure('EIO')
    const at = ++this.operations
    const { kind, whole, partly = whole, fails } = operation
    this.#underWay.add(partly)
    await turns(this.#turns())
    if (boot !== this.#boot) throw failure('EIO')
    this.#underWay.delete(partly)
    const isDue = (moment: Moment): boolean =>
      at >= moment.at && (moment.kind === undefined || moment.kind === kind)
    const { death } = this.#weather
    if (death && isDue(death)) {
      if (this.#dice.chance(0.3)) attempt(whole)
      else this.#underWay.add(partly)
      this.die(death.how)
      throw failure('EIO')
    }
    const isFull = this.#isFull && needsRoom.has(kind) && this.#dice.chance(0.5)
    const due = this.#faults.findIndex(isDue)
    if (due < 0 && !isFull) return whole()
    if (due >= 0) this.#faults.splice(due, 1)
    if (kind !== 'freeBytes') this.failures++
    if (fails) {
      const told = fails(isFull)
      if (typeof told === 'object') return told.told
      throw failure(told)
    }
    this.#count(isFull ? `${kind}: ENOSPC` : kind)
    if (isFull) throw failure('ENOSPC')
    // With no effect, with all of it, or with one that no sync has seen.
    if (this.#dice.chance(0.6)) partly()
    else if (this.#dice.chance(0.5)) whole()
    throw failure('EIO')
  }

  #turns(): number {
    const { turnsMax } = this.#weather
    const count = turnsMax > 0 && this.#dice.chance(0.5) ? this.#dice.below(turnsMax + 1) : 0
    if (count > 2) this.#count('slow')
    return count
  }

  #count(kind: string, times = 1): void {
    this.tally.set(kind, (this.tally.get(kind) ?? 0) + times)
  }
}

const commitFaults = ['write EIO', 'sync EIO', 'sync EIO', 'short'] as const
const needsRoom: ReadonlySet<Kind> = new Set(['commit', 'create', 'makeFolder'])

/** Waits for so many turns of the event loop; at least for one of the microtasks. */
export async function turns(count: number): Promise<void> {
  await Promise.resolve()
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** What is done by a process that dies in it: of its error nobody learns. */
function attempt(effect: () => unknown): void {
  try {
    effect()
  } catch {
    // There was no such file, or there was one already: then nothing happened.
  }
}

async function tell(commit: Promise<number>, done: Committed): Promise<void> {
  let written = 0
  try {
    written = await commit
  } catch (error) {
    return done(error instanceof Error ? error : failure('EIO'), 0)
  }
  done(null, written)
}

function failure(code: string): Error & { code: string } {
  return Object.assign(new Error(code), { code })
}
