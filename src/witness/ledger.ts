/**
 * What a witness has cosigned last, a file a log, and the cosigning itself.
 *
 *     STATE/<hex of SHA-256(origin)>    the checkpoint with the log's lines and the witness's own
 *
 * The file is durable before the cosignature leaves. A crash between the two leaves the larger tree
 * in the file: the log is told its size (409) and asks again from there.
 */
import { hash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { readWhole, writeWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { cosigner, verifierOf } from '../tlog/cosignature.ts'
import { cosignatureType } from '../tlog/keys.ts'
import { openNote, parseVkey, signatureLines, vkeyOf } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import { decide } from '../tlog/witness.ts'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Signer, Verifier } from '../tlog/note.ts'
import type { WitnessState, WitnessVerdict } from '../tlog/witness.ts'

export interface LedgerPlace {
  readonly disk: Disk
  /** The witness's own folder; it must be there. */
  readonly stateDir: string
  /** vkeys of the logs to be witnessed; a key's name is the log's origin. Several of one name are
   *  keys of one log. */
  readonly logs: readonly string[]
  /** The witness's name, for its vkey. */
  readonly name: string
  /** Ed25519. */
  readonly key: KeyObject
  readonly clock: Clock
}

/** What is answered to a request: 200 with signature lines, 409 with a size, or a bare status. */
export type LedgerAnswer =
  | { readonly status: 200; readonly lines: string; readonly origin: string; readonly size: number }
  | { readonly status: 409; readonly size: number; readonly origin: string }
  | { readonly status: 400 | 403 | 404 | 422 | 503; readonly origin?: string | undefined }

/** One log. */
interface Page {
  readonly origin: string
  readonly path: string
  readonly keys: Verifier[]
  latest?: WitnessState
  /** What the file holds. */
  note?: string
  /** A write failed: what the file holds is not known any more. */
  hasFailed: boolean
  /** Ends when everybody who waits now has had their turn. */
  turn: Promise<unknown>
  waiting: number
}

/** Requests of one log that wait for their turn; more are told to come again. */
const waitingMax = 16

export class Ledger {
  readonly #at: LedgerPlace
  readonly #pages = new Map<string, Page>()
  readonly #signer: Signer
  readonly #own: Verifier
  /** The witness's public key, as verifiers name it. */
  readonly vkey: string

  private constructor(at: LedgerPlace) {
    this.#at = at
    const { clock, key, logs, name, stateDir } = at
    this.#signer = cosigner(name, key, () => Math.floor(clock.nowUs() / 1_000_000))
    this.vkey = vkeyOf(name, key, cosignatureType)
    this.#own = verifierOf(parseVkey(this.vkey))
    for (const vkey of new Set(logs)) {
      const verifier = verifierOf(parseVkey(vkey))
      const path = join(stateDir, hashOf(verifier.name))
      const empty = { keys: [], path, hasFailed: false, turn: Promise.resolve(), waiting: 0 }
      const page = this.#pages.get(verifier.name) ?? { origin: verifier.name, ...empty }
      page.keys.push(verifier)
      this.#pages.set(verifier.name, page)
    }
  }

  /**
   * Takes up what the folder holds.
   * @throws {Unproven} for a name or a vkey that is none, {Fault} `record_down` with reason
   *   `witness_state` for a file that this witness has not written.
   */
  static async open(at: LedgerPlace): Promise<Ledger> {
    const ledger = new Ledger(at)
    const names = new Set(await at.disk.list(at.stateDir))
    for (const page of ledger.#pages.values()) {
      if (names.has(hashOf(page.origin))) await ledger.#takeUp(page)
    }
    return ledger
  }

  /** False once a state could not be written. */
  get isWell(): boolean {
    return Array.from(this.#pages.values()).every(({ hasFailed }) => !hasFailed)
  }

  /** The newest cosigned checkpoint of the log of this hash; undefined when there is none. */
  noteOf(originHash: string): string | undefined {
    return this.#pages.values().find(({ origin }) => hashOf(origin) === originHash)?.note
  }

  /** Answers a request for a cosignature. @throws only for a defect. */
  async answer(body: Uint8Array): Promise<LedgerAnswer> {
    // Whatever is refused anyway takes nobody's turn: only what the log itself signed does.
    const { page, verdict } = this.#decide(body)
    if (!page || verdict.status !== 200) return answerOf(verdict, page)
    if (page.waiting >= waitingMax) return { status: 503, origin: page.origin }
    page.waiting++
    const turn = page.turn.then(() => this.#settle(page, body)).finally(() => page.waiting--)
    page.turn = turn.catch(() => undefined) // Its own caller is told.
    return await turn
  }

  #decide(body: Uint8Array): { page: Page | undefined; verdict: WitnessVerdict } {
    let page: Page | undefined
    const verdict = decide(body, (origin) => (page = this.#pages.get(origin)))
    return { page, verdict }
  }

  /** Decides again, now that nobody else changes the page, remembers, and signs. */
  async #settle(page: Page, body: Uint8Array): Promise<LedgerAnswer> {
    const { verdict } = this.#decide(body)
    if (verdict.status !== 200) return answerOf(verdict, page)
    const { origin } = page
    if (page.hasFailed) return { status: 503, origin }
    const { latest } = verdict
    const { text, verified } = verdict.checkpoint.note
    const lines = signatureLines(text, [this.#signer])
    // The same tree again is remembered already; only its time is new.
    if (page.note === undefined || latest.size !== page.latest?.size) {
      const note = `${text}\n${verified.map(({ line }) => line).join('')}${lines}`
      if (!(await this.#write(page, note))) return { status: 503, origin }
      page.note = note
      page.latest = latest
    }
    return { status: 200, lines, origin, size: latest.size }
  }

  /** A crash in here leaves the older file or the newer one, and no cosignature outside. */
  async #write(page: Page, note: string): Promise<boolean> {
    try {
      await writeWhole(this.#at.disk, page.path, Buffer.from(note))
      return true
    } catch {
      // It may be there all the same, and a second sync proves nothing: only a start looks again.
      page.hasFailed = true
      return false
    }
  }

  async #takeUp(page: Page): Promise<void> {
    const { disk } = this.#at
    const note = Buffer.from(await readWhole(disk, page.path)).toString('utf8')
    try {
      // Its own line suffices: the log may have another key by now.
      const { text } = openNote(note, [this.#own])
      const { origin, root, size } = parseCheckpoint(text, { extensions: true })
      if (origin !== page.origin) {
        throw new Unproven('origin_other', 'It is about another log.')
      }
      page.note = note
      page.latest = { size, root }
    } catch (cause) {
      if (!(cause instanceof Unproven)) throw cause
      throw notOurs(cause)
    }
  }
}

function answerOf(verdict: WitnessVerdict, page: Page | undefined): LedgerAnswer {
  const origin = page?.origin
  if (verdict.status === 409) return { status: 409, size: verdict.size, origin: origin ?? '' }
  return { status: verdict.status === 200 ? 503 : verdict.status, origin }
}

/** How a log is named in paths: SHA-256 of its origin, in hex (C2SP tlog-witness). */
export function hashOf(origin: string): string {
  return hash('sha256', origin)
}

function notOurs(cause: Unproven): Fault {
  const message =
    `A state file of the witness is not one that its key has signed: ${cause.message} Nothing ` +
    'was started, as a witness that forgot could sign two histories. Restore the folder with its ' +
    'key, or begin a new witness in an empty one and tell logs and verifiers its key.'
  return new Fault('record_down', message, { cause, facts: { reason: 'witness_state' } })
}
