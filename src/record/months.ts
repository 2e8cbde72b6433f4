/**
 * The keys of bodies: one of 32 random bytes a month, kept wrapped by the installation's
 * key-encryption key in `DATA/keys/months/<writer>/YYYY-MM.json`. Destroying that file at the end of
 * retention takes the content of the month from every copy of the segments, and leaves each entry
 * and proof standing.
 */
import { createSecretKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { errorCode, ignoreMissing, readWhole, writeWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { parseWrapped } from '../secrets/wrapping.ts'
import type { KeyObject } from 'node:crypto'
import type { Disk } from '../base/disk.ts'
import type { KeyWrapper, WrappedKey } from '../secrets/wrapping.ts'

/** The key of one month, ready for use. */
export interface MonthKey {
  /** `YYYY-MM`; bodies name it. */
  readonly id: string
  readonly secret: KeyObject
}

/** Why a body cannot be opened: its key is gone for good, or not to be had here and now. */
export type KeyGone = 'shredded' | 'locked'

/** What opens bodies: wrapped keys, and what unwraps them. */
export interface BodyKeys {
  /** `DATA/keys/months/<writer>`. */
  readonly dir: string
  readonly wrapper: KeyWrapper
}

/** The keys of one writer's bodies. */
export interface KeyPlace extends BodyKeys {
  readonly disk: Disk
  /** The log's name: keys are bound to it. */
  readonly origin: string
}

/** For writing: the keys of this month and the next, made ready before they are needed. */
export class MonthKeys {
  readonly #at: KeyPlace
  readonly #ready = new Map<string, MonthKey>()
  #preparing: Promise<void> | undefined

  private constructor(at: KeyPlace) {
    this.#at = at
  }

  /**
   * Makes the key of the month of `nowUs` ready, on the disk first.
   * @throws {Fault} `secret_missing` when the key-encryption key is not to be had.
   */
  static async open(at: KeyPlace, nowUs: number): Promise<MonthKeys> {
    const keys = new MonthKeys(at)
    await keys.#makeReady(monthOf(nowUs))
    return keys
  }

  /** @param month `YYYY-MM`. @throws {Fault} `record_down` while its key is not ready. */
  of(month: string): MonthKey {
    const key = this.#ready.get(month)
    if (key) return key
    throw new Fault(
      'record_down',
      'The key for the bodies of this month is not ready, so nothing can be recorded. The ' +
        'key-encryption key is asked again every minute; calls resume by themselves.',
      { facts: { reason: 'no_month_key' } },
    )
  }

  /** Makes the keys of the month of `nowUs` and of the next ready; called again and again, it does
   *  nothing while they are. @throws as `open`. */
  prepare(nowUs: number): Promise<void> {
    if (this.#ready.has(monthOf(nowUs)) && this.#ready.has(nextMonth(nowUs)))
      return Promise.resolve()
    this.#preparing ??= this.#prepare(nowUs).finally(() => (this.#preparing = undefined))
    return this.#preparing
  }

  async #prepare(nowUs: number): Promise<void> {
    await this.#makeReady(monthOf(nowUs))
    await this.#makeReady(nextMonth(nowUs))
  }

  async #makeReady(month: string): Promise<void> {
    if (this.#ready.has(month)) return
    this.#ready.set(month, { id: month, secret: await readOrMake(this.#at, month) })
  }
}

/**
 * For reading: the key of a month, unwrapped when it is first asked for.
 * @returns `shredded` when its file is gone, `locked` when the key-encryption key is not to be had.
 */
export function monthKeyReader(at: KeyPlace): (id: string) => Promise<KeyObject | KeyGone> {
  const known = new Map<string, Promise<KeyObject | KeyGone>>()
  return (id) => {
    const asked = known.get(id) ?? readKey(at, id)
    known.set(id, asked)
    return asked
  }
}

/** Takes the content of a month away for good: its wrapped key is removed, durably. */
export async function destroyMonthKey({ dir, disk }: KeyPlace, month: string): Promise<void> {
  await disk.remove(join(dir, `${month}.json`)).catch(ignoreMissing)
  await disk.syncFolder(dir)
}

/** The months whose keys are there. */
export async function listMonthKeys({ dir, disk }: KeyPlace): Promise<string[]> {
  const names = await disk.list(dir)
  return names.flatMap((name) => /^(\d{4}-\d\d)\.json$/.exec(name)?.slice(1, 2) ?? [])
}

/** Wraps every month's key by the key-encryption key now in use. @returns how many were not yet. */
export async function rewrapMonthKeys(at: KeyPlace): Promise<number> {
  let count = 0
  for (const month of await listMonthKeys(at)) {
    const before = await readWrapped(at, month)
    const after = await at.wrapper.rewrap(before, contextOf(at, month))
    if (after === before) continue
    // A crash in here leaves the old file or the new one: both hold the same key.
    await store(at, month, after)
    count++
  }
  return count
}

/** By which key-encryption keys the months' keys are wrapped. */
export async function wrappedBy(at: KeyPlace): Promise<Set<string>> {
  const months = await listMonthKeys(at)
  const wrapped = await Promise.all(months.map((month) => readWrapped(at, month)))
  return new Set(wrapped.map(({ by }) => by))
}

/** `YYYY-MM` in UTC of a time in microseconds since 1970. */
export function monthOf(us: number): string {
  return new Date(us / 1000).toISOString().slice(0, 7)
}

function nextMonth(us: number): string {
  const now = new Date(us / 1000)
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toISOString().slice(0, 7)
}

async function readOrMake(at: KeyPlace, month: string): Promise<KeyObject> {
  const names = await at.disk.list(at.dir)
  if (names.includes(`${month}.json`)) return createSecretKey(await unwrapKey(at, month))
  const key = randomBytes(32)
  await at.disk.makeFolder(at.dir)
  // Durable before its first use: a body whose key was lost would be lost with it.
  await writeKey(at, month, key)
  return createSecretKey(key)
}

async function readKey(at: KeyPlace, month: string): Promise<KeyObject | KeyGone> {
  try {
    return createSecretKey(await unwrapKey(at, month))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return (await isFolder(at)) ? 'shredded' : 'locked'
    if (error instanceof Fault) return 'locked'
    throw error
  }
}

/** Without the folder this is a copy that was made without keys, not a shredded month. */
async function isFolder({ dir, disk }: KeyPlace): Promise<boolean> {
  return (await disk.list(dir)).length > 0
}

async function unwrapKey(at: KeyPlace, month: string): Promise<Uint8Array> {
  const key = await at.wrapper.unwrap(await readWrapped(at, month), contextOf(at, month))
  if (key.length !== 32) throw unusable(month)
  return key
}

async function writeKey(at: KeyPlace, month: string, key: Uint8Array): Promise<void> {
  await store(at, month, await at.wrapper.wrap(key, contextOf(at, month)))
}

async function store(at: KeyPlace, month: string, wrapped: WrappedKey): Promise<void> {
  const { by, kind, wrapped: text } = wrapped
  const line = `${canonicalize({ by, kind, wrapped: text })}\n`
  await writeWhole(at.disk, join(at.dir, `${month}.json`), Buffer.from(line))
}

async function readWrapped(at: KeyPlace, month: string): Promise<WrappedKey> {
  const bytes = await readWhole(at.disk, join(at.dir, `${month}.json`))
  try {
    return parseWrapped(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (cause) {
    throw unusable(month, cause)
  }
}

function contextOf({ origin }: KeyPlace, month: string): string {
  return `sallyport/month/v1 ${origin} ${month}`
}

function unusable(month: string, cause?: unknown): Fault {
  return new Fault(
    'secret_missing',
    `The wrapped key of ${month} in keys/months is not usable. Restore the file from a backup; without it the bodies of that month stay closed.`,
    { cause, facts: { reason: 'month_key' } },
  )
}
