/** How much room the record's disk has, against a floor below which nothing new may begin. */
import { Fault } from '../base/fault.ts'
import type { Disk } from '../base/disk.ts'

/** After so many bytes written, look again without waiting for the timer. */
const lookAfterBytes = 8_388_608

const ampleBytes = 33_554_432

export class Room {
  readonly #disk: Disk
  readonly #folder: string
  readonly #floorBytes: number
  #freeBytes: number | undefined
  #sinceBytes = 0
  #looking: Promise<void> | undefined

  private constructor(disk: Disk, folder: string, floorBytes: number) {
    this.#disk = disk
    this.#folder = folder
    this.#floorBytes = floorBytes
  }

  static async open(disk: Disk, folder: string, floorBytes: number): Promise<Room> {
    const room = new Room(disk, folder, floorBytes)
    await room.look()
    return room
  }

  get freeBytes(): number | undefined {
    return this.#freeBytes
  }

  /** Below the floor, or unknown: who cannot look must not go on as if there were room. */
  get isLow(): boolean {
    return this.#freeBytes === undefined || this.#freeBytes < this.#floorBytes
  }

  /** Below an eighth of the floor not even what is under way may be written. */
  get isExhausted(): boolean {
    return this.#freeBytes === undefined || this.#freeBytes < this.#floorBytes / 8
  }

  /** Counts written bytes; true when it is time to look. */
  wrote(bytes: number): boolean {
    this.#sinceBytes += bytes
    return this.#sinceBytes >= lookAfterBytes
  }

  /** Far above the floor: what is laid out ahead will not bring us below it. */
  get isAmple(): boolean {
    return this.#freeBytes !== undefined && this.#freeBytes > this.#floorBytes + ampleBytes
  }

  /** Asks the disk; one question at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#ask().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  fault(): Fault {
    const floor = `${Math.ceil(this.#floorBytes / 1_048_576)} MiB`
    return new Fault(
      'record_full',
      `The record has no room: under ${floor} are free on its disk. No call is forwarded ` +
        'meanwhile. Free space or move data_dir; calls resume by themselves.',
      { facts: { reason: 'below_floor' } },
    )
  }

  async #ask(): Promise<void> {
    this.#sinceBytes = 0
    try {
      this.#freeBytes = await this.#disk.freeBytes(this.#folder)
    } catch {
      this.#freeBytes = undefined
    }
  }
}
