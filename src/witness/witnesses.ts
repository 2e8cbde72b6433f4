/**
 * The witnesses of a log: in rounds each is shown the newest checkpoint, and what they sign becomes
 * the file `cosigned`. All witnesses of a round see the same checkpoint, so that their lines can
 * stand under one note. Nothing waits for this.
 */
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { Fault } from '../base/fault.ts'
import { joined, linesOf, mayReplace, readCosigned, writeCosigned } from './cosigned.ts'
import { newestIn, proofTo } from './growth.ts'
import { Peer } from './peer.ts'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Verifier } from '../tlog/note.ts'
import type { Shown } from './growth.ts'
import type { Said, Submission, WitnessAddress, WitnessReason } from './peer.ts'

/** Told when a witness begins to fail for a reason, and when that is over: each once. */
export interface WitnessTrouble {
  /** The name in its vkey. */
  readonly witness: string
  readonly reason: WitnessReason
  /** A word or two for people, without values out of answers. */
  readonly detail: string
  readonly isOver: boolean
}

export interface WitnessesOptions {
  readonly disk: Disk
  /** The writer's folder: `checkpoint` and `tile/` are read in it, `cosigned` is written. */
  readonly folder: string
  readonly origin: string
  readonly witnesses: readonly WitnessAddress[]
  readonly clock: Clock
  /** Must not throw. */
  readonly onTrouble: (trouble: WitnessTrouble) => void
  /** In place of one that believes the authorities node brings. */
  readonly dispatcher?: Dispatcher
  /** For one request, connecting included. */
  readonly answerMs?: number
}

/** How a witness stands, for people and meters. */
export interface WitnessFigures {
  readonly witness: string
  /** Undefined while it works, or was never asked. */
  readonly reason: WitnessReason | undefined
  /** Entries under its newest cosignature; 0 before the first. */
  readonly size: number
}

const roundMs = 60_000
/** From the second failure on each pause is twice as long, up to this. */
const pauseMsMax = 960_000
const defaultAnswerMs = 10_000

/** A witness with how it went. */
interface Seat {
  readonly peer: Peer
  reason: WitnessReason | undefined
  failures: number
  /** Not asked before that. */
  nextMs: number
  size: number
}

export class Witnesses {
  readonly #of: WitnessesOptions
  readonly #seats: readonly Seat[]
  readonly #verifiers: readonly Verifier[]
  readonly #dispatcher: Dispatcher
  readonly #ending = new AbortController()
  #round: Promise<void> | undefined
  #nextRoundMs = -Infinity
  #hasRead = false

  /** @throws {Fault} `config_bad` for an address or key that cannot be used, or two of one key. */
  constructor(of: WitnessesOptions) {
    this.#of = of
    this.#seats = of.witnesses.map((address) => {
      const peer = new Peer(address)
      return { peer, reason: undefined, failures: 0, nextMs: -Infinity, size: 0 }
    })
    this.#verifiers = this.#seats.map(({ peer }) => peer.verifier)
    const keys = new Set(this.#verifiers.map(({ keyId, name }) => `${name} ${keyId}`))
    if (keys.size < this.#seats.length) {
      throw new Fault('config_bad', 'Two witnesses have the same vkey; each is asked only once.')
    }
    const connect = { timeout: of.answerMs ?? defaultAnswerMs }
    this.#dispatcher = of.dispatcher ?? new Agent({ connect })
  }

  /**
   * Begins a round when the last one began a minute ago, and ends with it. To be called every few
   * seconds; whoever calls during a round gets that one.
   * @returns when the round has ended: twice `answerMs` at most, and the disk's time.
   * @throws only for what the disk does; witnesses' troubles are told.
   */
  tick(): Promise<void> {
    this.#round ??= this.#run().finally(() => (this.#round = undefined))
    return this.#round
  }

  figures(): WitnessFigures[] {
    return this.#seats.map(({ peer, reason, size }) => ({ witness: peer.name, reason, size }))
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.#ending.abort()
    await this.#round?.catch(() => undefined) // Whoever began it is told.
    if (!this.#of.dispatcher) await this.#dispatcher.destroy()
  }

  async #run(): Promise<void> {
    const nowMs = this.#of.clock.monotonicMs()
    if (nowMs < this.#nextRoundMs) return
    const due = this.#seats.filter(({ nextMs }) => nextMs <= nowMs)
    const { folder, origin } = this.#of
    const checkpoint = due.length > 0 ? await newestIn(folder, origin) : undefined
    if (!checkpoint) return
    this.#nextRoundMs = nowMs + roundMs
    await this.#remember()
    const submission: Submission = {
      checkpoint,
      proofFrom: (old) => proofTo(checkpoint, old, folder),
      newestSize: async () => (await newestIn(folder, origin))?.size ?? 0,
    }
    // All of them end before the round does: one request at a time, also when the disk fails one.
    const ends = await Promise.allSettled(due.map((seat) => this.#ask(seat, submission, nowMs)))
    const said = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
    const notes = said.filter((note) => note !== undefined)
    await this.#keep(checkpoint, notes)
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
  }

  async #ask(seat: Seat, submission: Submission, nowMs: number): Promise<string | undefined> {
    const signal = this.#ending.signal
    const timeoutMs = this.#of.answerMs ?? defaultAnswerMs
    const said = await seat.peer.ask(submission, {
      dispatcher: this.#dispatcher,
      timeoutMs,
      signal,
    })
    if (signal.aborted) return undefined
    this.#judge(seat, said, submission.checkpoint, nowMs)
    return 'note' in said ? said.note : undefined
  }

  #judge(seat: Seat, said: Said, { size }: Shown, nowMs: number): void {
    const { onTrouble } = this.#of
    const witness = seat.peer.name
    const before = seat.reason
    seat.reason = 'note' in said ? undefined : said.reason
    if (before !== undefined && before !== seat.reason) {
      onTrouble({ witness, reason: before, detail: '', isOver: true })
    }
    if ('note' in said) {
      seat.failures = 0
      seat.size = size
      return
    }
    seat.nextMs = nowMs + Math.min(roundMs * 2 ** seat.failures, pauseMsMax)
    seat.failures = Math.min(seat.failures + 1, 16)
    if (before !== said.reason) onTrouble({ witness, ...said, isOver: false })
  }

  /** What the witnesses have signed before this process: it spares each a refusal. */
  async #remember(): Promise<void> {
    if (this.#hasRead) return
    const { disk, folder, origin } = this.#of
    const cosigned = await readCosigned(disk, folder, origin)
    for (const { peer } of this.#seats) {
      if (!cosigned || linesOf(cosigned.note, [peer.verifier]).length === 0) continue
      peer.knows(cosigned.size)
    }
    this.#hasRead = true
  }

  /** One note of all that was cosigned in a round. */
  async #keep(checkpoint: Shown, notes: readonly string[]): Promise<void> {
    if (notes.length === 0) return
    const { clock, disk, folder, origin } = this.#of
    const before = await readCosigned(disk, folder, origin)
    let note = notes.reduce(joined, checkpoint.note)
    if (before?.text === checkpoint.text) note = joined(note, before.note)
    const next = { ...checkpoint, note }
    const nowSeconds = clock.nowUs() / 1_000_000
    if (!mayReplace(before, next, this.#verifiers, nowSeconds)) return
    // A crash before this leaves the older one; the witnesses name their size in the next round.
    await writeCosigned(disk, folder, note)
  }
}
