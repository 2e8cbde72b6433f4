/**
 * Exposure: how many distinct card numbers each principal has been shown, in clear and masked, in a
 * window of days. Kept as sketches of keyed hashes by UTC day; no number ever gets here.
 *
 * Noting is memory alone, so that it can neither delay nor fail a call; what is new is written
 * behind, each second. This is a statistic and no evidence: a crash may lose the last second, and a
 * disk that takes nothing loses what does not fit into memory. Whoever decides by it is told when it
 * cannot be read, and never given a smaller count.
 */
import { setImmediate as pause } from 'node:timers/promises'
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Masked } from '../mask/masked.ts'
import type { DaySketch, Exposed, ExposureStore, ShownKind } from '../session/exposure-store.ts'
import { Sketch } from './sketch.ts'

/** The longest window that can be asked for; older days are forgotten. */
export const windowDaysMax = 90
/** The window where none is asked for. */
export const windowDays = 30

/** Distinct card numbers shown. One that was shown both ways counts on both sides. */
export interface Exposure {
  readonly clear: number
  readonly masked: number
  /** The first UTC day of the window, `2026-11-21`; the last one is today. */
  readonly since: string
}

/** The exposure of somebody, for people to read. */
export interface ExposureOf extends Exposure {
  readonly issuer: string
  readonly subject: string
  readonly name?: string
}

/** A principal as it is noted: `owner` is its issuer and subject, `who` its words, masked. */
export interface Viewer {
  readonly owner: string
  readonly who: Masked<{
    readonly issuer: string
    readonly subject: string
    readonly name?: string | undefined
  }>
}

const kinds = ['clear', 'masked'] as const
type Both = Readonly<Record<ShownKind, Sketch>>

/** What is in memory of a principal. */
interface Held {
  readonly key: string
  who: Viewer['who'] | undefined
  day: number
  /** Of `day`. Until `isLoaded` only what was noted since it is held; the store may have more. */
  today: Both
  isLoaded: boolean
  /** The windows that were asked for, by their length; they take in what is noted. */
  readonly windows: Map<number, Both>
}

const heldMax = 2000 // Principals in memory, at up to 20 KiB each.
const windowsMax = 4 // Of one principal; each rule has one.
const savedMax = 100 // Principals in one write, which takes some milliseconds.
const forgottenMax = 500 // Sketches in one write.

export class ExposureLedger {
  readonly #store: ExposureStore
  readonly #clock: Clock
  readonly #hash: (id: string) => string
  readonly #onTrouble: (why: string) => void
  readonly #held = new Map<string, Held>() // By owner; who was quiet for longest comes first.
  readonly #unsaved = new Set<Held>()
  #toldMs = -Infinity
  #forgotOn = -1

  /**
   * @param options.hash a keyed hash of an identifier: the store's keys are made with it.
   * @param options.onTrouble told that writing fails, and why in a few words, once a minute.
   */
  constructor(options: {
    store: ExposureStore
    clock: Clock
    hash: (id: string) => string
    onTrouble: (why: string) => void
  }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#hash = options.hash
    this.#onTrouble = options.onTrouble
  }

  /**
   * Notes that a principal is shown these card numbers now. Never throws. It writes only where
   * somebody else must leave memory, or the day has turned within the last second.
   */
  note({ owner, who }: Viewer, kind: ShownKind, hashes: Int32Array): void {
    if (hashes.length === 0) return
    const held = this.#hold(owner)
    held.who = who
    for (const hash of hashes) {
      if (!held.today[kind].add(hash)) continue
      for (const window of held.windows.values()) window[kind].add(hash)
      this.#unsaved.add(held)
    }
  }

  /**
   * What a principal was shown, today included. Nothing is counted before it is asked for.
   * @param owner its issuer and subject.
   * @param window.days 1 to 90 UTC days, the last of which is today.
   * @throws whatever keeps the store from being read: who decides by it must not decide by less.
   */
  of(owner: string, { days }: { days: number } = { days: windowDays }): Exposure {
    assertDays(days)
    const held = this.#hold(owner)
    this.#load(held)
    const { clear, masked } = this.#windowOf(held, days)
    return { clear: clear.count, masked: masked.count, since: dateOf(held.day - days + 1) }
  }

  /** Everybody who was shown a card number in the window, as of the last write. @see listExposures */
  async list(wanted: { days: number; principal?: string | undefined }): Promise<ExposureOf[]> {
    // What comes in meanwhile is for the next second, or this might never end.
    for (let left = this.#unsaved.size; left > 0 && this.#flushSome(); left -= savedMax) {
      await pause()
    }
    return await listExposures(this.#store, this.#today(), wanted)
  }

  /** To be called each second: writes what is new, a bounded part of it, and forgets old days. */
  tick(): void {
    if (this.#unsaved.size > 0) this.#flushSome()
    const today = this.#today()
    if (this.#forgotOn === today) return
    this.#attempt(() => {
      if (this.#store.forgetBefore(today - windowDaysMax + 1, forgottenMax)) this.#forgotOn = today
    })
  }

  /** Writes everything that is new, as far as the disk takes it, and closes the store. */
  close(): void {
    while (this.#unsaved.size > 0 && this.#flushSome());
    this.#store.close()
  }

  /** @returns false when nothing was written; what was not stays in memory for the next time. */
  #flushSome(): boolean {
    const some = [...this.#unsaved].slice(0, savedMax)
    // What fails goes to the end, so that one principal cannot keep the others waiting.
    for (const held of some) this.#unsaved.delete(held)
    for (const held of some) this.#unsaved.add(held)
    return this.#save(some)
  }

  #save(some: readonly Held[]): boolean {
    const ready = some.filter((held) => this.#attempt(() => this.#load(held)))
    if (ready.length === 0) return false
    return this.#attempt(() => {
      this.#store.save(ready.map(rowsOf))
      for (const held of ready) this.#unsaved.delete(held)
    })
  }

  #attempt(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      // Going on is safe: this is no evidence, and no call waits for it.
      const nowMs = this.#clock.monotonicMs()
      if (nowMs - this.#toldMs < 60_000) return false
      this.#toldMs = nowMs
      this.#onTrouble(reasonOf(error))
      return false
    }
  }

  #hold(owner: string): Held {
    const today = this.#today()
    const known = this.#held.get(owner)
    if (known === undefined) this.#makeRoom()
    else this.#held.delete(owner)
    const held = known ?? {
      key: this.#hash(owner),
      who: undefined,
      day: today,
      today: nobody(),
      isLoaded: false,
      windows: new Map<number, Both>(),
    }
    this.#held.set(owner, held)
    if (held.day !== today) this.#turn(held, today)
    return held
  }

  /** A new day begins for a principal. */
  #turn(held: Held, today: number): void {
    this.#letGo(held)
    held.day = today
    held.today = nobody()
    held.isLoaded = false
    held.windows.clear()
  }

  #makeRoom(): void {
    if (this.#held.size < heldMax) return
    const [quiet] = this.#held
    if (quiet === undefined) return
    this.#letGo(quiet[1])
    this.#held.delete(quiet[0])
  }

  /** One try to write what leaves memory. */
  #letGo(held: Held): void {
    if (!this.#unsaved.has(held)) return
    this.#save([held])
    this.#unsaved.delete(held)
  }

  /** Brings in what the store has of the day. */
  #load(held: Held): void {
    if (held.isLoaded) return
    const { key, day } = held
    for (const { kind, bytes } of this.#store.sketches(key, day, day)) {
      held.today[kind].merge(Sketch.from(bytes))
    }
    held.isLoaded = true
  }

  #windowOf(held: Held, days: number): Both {
    const known = held.windows.get(days)
    if (known !== undefined) return known
    const window = unionOf(this.#store.sketches(held.key, held.day - days + 1, held.day - 1))
    for (const kind of kinds) window[kind].merge(held.today[kind])
    if (held.windows.size >= windowsMax) held.windows.clear()
    held.windows.set(days, window)
    return window
  }

  #today(): number {
    return dayOf(this.#clock)
  }
}

const pageSize = 16

/**
 * Who was shown card numbers in a window, most in clear first. Lets other work go on in between.
 * @param today UTC days since 1970, as `dayOf` gives.
 * @param wanted.principal only who has this subject or name, exactly.
 */
export async function listExposures(
  store: ExposureStore,
  today: number,
  wanted: { days: number; principal?: string | undefined },
): Promise<ExposureOf[]> {
  const { days, principal } = wanted
  assertDays(days)
  const found: ExposureOf[] = []
  let page = store.principals('', pageSize)
  while (page.length > 0) {
    for (const { key, issuer, subject, name } of page) {
      if (principal !== undefined && subject !== principal && name !== principal) continue
      const both = unionOf(store.sketches(key, today - days + 1, today))
      const [clear, masked] = [both.clear.count, both.masked.count]
      if (clear + masked === 0) continue
      const named = name === undefined ? {} : { name }
      found.push({ issuer, subject, ...named, clear, masked, since: dateOf(today - days + 1) })
    }
    await pause()
    page = store.principals(page.at(-1)?.key ?? '', pageSize)
  }
  return found.toSorted((a, b) => b.clear - a.clear || b.masked - a.masked)
}

/** The UTC day that a clock shows, in days since 1970-01-01. */
export function dayOf(clock: Clock): number {
  return Math.floor(clock.nowUs() / 86_400_000_000)
}

/** `2026-11-21` of a day. */
export function dateOf(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10)
}

/** SQLite's own sentence for its code (`database or disk is full`): it quotes nothing. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'errstr' in error && typeof error.errstr === 'string' ? error.errstr : error.name
}

function rowsOf({ key, who, day, today }: Held): { who: Exposed; sketches: DaySketch[] } {
  const { issuer = '', subject = '', name } = who?.value ?? {}
  const seen = kinds.filter((kind) => today[kind].count > 0)
  const sketches = seen.map((kind) => ({ day, kind, bytes: today[kind].bytes() }))
  return { who: { key, issuer, subject, name }, sketches }
}

function unionOf(sketches: readonly DaySketch[]): Both {
  const both = nobody()
  for (const { kind, bytes } of sketches) both[kind].merge(Sketch.from(bytes))
  return both
}

function nobody(): Both {
  return { clear: new Sketch(), masked: new Sketch() }
}

function assertDays(days: number): void {
  const isWindow = Number.isInteger(days) && days >= 1 && days <= windowDaysMax
  assert(isWindow, 'a window of exposure has 1 to 90 days')
}
