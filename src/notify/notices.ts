/**
 * Telling reviewers of held calls. A hold never waits for it and never fails by it: an event is put
 * on disk within the same turn of the loop, and told at least once from there.
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { NoticeConfig } from '../config/policy-types.ts'
import type { Masker } from '../mask/masker.ts'
import type { Note } from '../record/notes.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { summarise } from './event.ts'
import type { NoticeEvent, Summary } from './event.ts'
import { Lane } from './lane.ts'
import type { LaneParts, NoticeFigures, Pace } from './lane.ts'
import { NoticeQueue } from './queue.ts'
import { openReceiver } from './receiver.ts'

export interface Notices {
  /**
   * Puts an event on disk and has it told. An event that is told already is not told again, so that
   * after a start all tickets that wait may be told here once more.
   * @returns when it is durable, or could not be written: never rejects, and nobody needs to wait.
   */
  tell(event: NoticeEvent): Promise<void>
  figures(): readonly NoticeFigures[]
  /** To be called each second. Ends when what was put is written; waits for no receiver. */
  tick(): Promise<void>
  /** What is under way may end within a second; the rest waits for the next start. */
  close(): Promise<void>
}

export interface NoticesOptions {
  /** The path of `state.sqlite`, or `:memory:`. */
  readonly file: string
  readonly receivers: readonly NoticeConfig[]
  /** Origin of the console as people see it, without a slash at its end. */
  readonly consoleUrl: string
  readonly secrets: Pick<Secrets, 'open' | 'hide'>
  readonly masker: Pick<Masker, 'words'>
  readonly note: Note
  readonly clock: Clock
  /** A receiver (`notice NAME`) or the queue (`notices`) fails, or works again. Must not throw. */
  readonly failed: (control: string, reason: string) => void
  readonly restored: (control: string) => void
  /** PEM: the only authorities believed, in place of those node brings. */
  readonly ca?: string
  readonly pace?: Partial<Pace>
}

export const usualPace: Pace = {
  tryMs: 15_000,
  retryMs: 2_000,
  retryMsMax: 900_000,
  triesMax: 12, // A little over an hour.
  refusedTriesMax: 3,
  burst: 6,
  everyMs: 10_000,
  waitingMax: 1_000,
}

/**
 * @throws {Fault} `config_bad` or `secret_missing` for a receiver that cannot be used;
 *   `identity_down`, reason `state_file`: the queue cannot be read.
 */
export function openNotices(options: NoticesOptions): Notices {
  const pace = { ...usualPace, ...options.pace }
  const { ca, clock, secrets } = options
  const parts = { tryMs: pace.tryMs, ca, secrets, clock }
  const receivers = options.receivers.map((config, i) =>
    openReceiver(config, `notify[${i}]`, parts),
  )
  const queue = new NoticeQueue(options.file, pace.waitingMax)
  const at: LaneParts = { ...options, queue, pace }
  return new OpenedNotices(
    options,
    at,
    receivers.map((receiver) => new Lane(receiver, at)),
  )
}

/** Events that were not written yet; past it they are written at once. */
const unwrittenMax = 500
const graceMs = 1_000

class OpenedNotices implements Notices {
  readonly #options: NoticesOptions
  readonly #at: LaneParts
  readonly #lanes: readonly Lane[]
  readonly #names: readonly string[]
  #unwritten: Summary[] = []
  #writing: Promise<void> | undefined
  #isStuck = false
  #isOpen = true
  #isTidied = false

  constructor(options: NoticesOptions, at: LaneParts, lanes: readonly Lane[]) {
    this.#options = options
    this.#at = at
    this.#lanes = lanes
    this.#names = options.receivers.map(({ name }) => name)
  }

  tell(event: NoticeEvent): Promise<void> {
    if (!this.#isOpen || this.#names.length === 0) return Promise.resolve()
    try {
      this.#unwritten.push(summarise(event, this.#options.masker, this.#nowMs()))
    } catch {
      // A defect of ours must not fail the hold; that nobody was told of it is told.
      this.#options.failed('notices', 'defect')
      return Promise.resolve()
    }
    // While it cannot be written `tick` alone tries: each try may wait for the file.
    if (this.#isStuck) {
      this.#unwritten = this.#unwritten.slice(-unwrittenMax)
      return Promise.resolve()
    }
    if (this.#unwritten.length >= unwrittenMax) this.#write()
    this.#writing ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#writing = undefined
        this.#write()
        resolve()
      })
    })
    return this.#writing
  }

  figures(): readonly NoticeFigures[] {
    return this.#lanes.map((lane) => lane.figures())
  }

  async tick(): Promise<void> {
    if (!this.#isOpen) return
    await this.#tidy()
    this.#write()
    this.#later(() => this.#at.queue.prune())
    for (const lane of this.#lanes) lane.wake()
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#write()
    this.#isOpen = false
    await Promise.all(this.#lanes.map((lane) => lane.close(graceMs)))
    this.#at.queue.close()
  }

  #write(): void {
    if (!this.#isOpen || this.#unwritten.length === 0) return
    const events = this.#unwritten
    this.#isStuck = !this.#later(() => this.#at.queue.put(events, this.#names))
    // What finds no room on the disk is kept here for a while: the newest of it.
    if (!this.#isStuck) this.#unwritten = []
    for (const lane of this.#lanes) lane.wake()
  }

  /** What waits for receivers who are in the configuration no more is given up, once. */
  async #tidy(): Promise<void> {
    if (this.#isTidied) return
    this.#isTidied = true
    const { queue } = this.#at
    for (const receiver of queue.receivers()) {
      if (this.#names.includes(receiver)) continue
      const { more, waiting } = queue.backlog(receiver)
      const notices = waiting.size + more
      const details = { receiver, what: 'all', notices, reason: 'receiver_gone' }
      // A record that takes nothing has said so itself.
      if (notices > 0) await this.#options.note('notice.failed', {}, details).catch(() => undefined)
      this.#later(() => queue.done(receiver, [...waiting.keys()], more))
    }
  }

  /** @returns whether it was written; that it was not is told, and is tried again. */
  #later(work: () => void): boolean {
    const { failed, restored } = this.#options
    try {
      work()
      restored('notices')
      return true
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      failed('notices', 'state_file')
      return false
    }
  }

  #nowMs(): number {
    return this.#options.clock.nowUs() / 1000
  }
}
