/**
 * Whose signatures count. A verification begins with keys that the verifier brought along; the log
 * itself may hand over from one of those to the next, in an entry that the old key still signed.
 */
import { verifierOf } from '../tlog/cosignature.ts'
import { openCheckpoint } from '../tlog/checkpoint.ts'
import { openNote, parseVkey } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { OpenedCheckpoint } from '../tlog/checkpoint.ts'
import type { Verifier } from '../tlog/note.ts'
import type { NamedKey } from './walk.ts'

export class Trust {
  readonly #logs = new Map<string, Verifier>()
  readonly #others = new Map<string, Verifier>() // Named by the log, checked wherever they signed.
  readonly #rotations: NamedKey[] = []

  /** @param vkeys the log's keys as the verifier has them. @throws {Unproven} for a bad one. */
  constructor(vkeys: readonly string[], witnesses: readonly string[] = []) {
    for (const vkey of vkeys) this.#add(this.#logs, vkey)
    for (const vkey of witnesses) this.#add(this.#others, vkey)
  }

  /** Whether any key of the log is trusted at all. */
  get hasKeys(): boolean {
    return this.#logs.size > 0
  }

  /** A key named by an entry: used to check lines at once, trusted once a trusted key has signed a
   *  tree that holds the hand-over. */
  name(key: NamedKey): void {
    if (key.from !== undefined) this.#rotations.push(key)
    if (this.#logs.has(key.vkey)) return
    try {
      this.#add(this.#others, key.vkey)
    } catch (error) {
      // A key of a kind that this Node cannot check: its lines stay unknown, which is told.
      if (!(error instanceof Unproven)) throw error
    }
  }

  /**
   * Opens a checkpoint; hand-overs that its tree holds are trusted from then on.
   * @throws {Unproven} when no trusted key has signed it, or a known one's line does not fit.
   */
  open(note: string, origin: string): OpenedCheckpoint {
    const others = [...this.#others].filter(([vkey]) => !this.#logs.has(vkey))
    const logs = [...this.#logs.values()]
    const opened = openCheckpoint(
      note,
      origin,
      logs,
      others.map(([, verifier]) => verifier),
    )
    for (const { index, vkey } of this.#rotations) {
      if (index < opened.size) this.#add(this.#logs, vkey)
    }
    return opened
  }

  /** The text of a note that is no checkpoint, signed by a trusted key of the log. @throws {Unproven} */
  openText(note: string): string {
    const { text, unknown } = openNote(note, [...this.#logs.values()])
    if (unknown.length === 0) return text
    throw new Unproven('signature_missing', 'It has signatures of keys that are not known.')
  }

  /**
   * Who trusts a key trusts what it has signed, and in that the names of the keys before it: their
   * checkpoints of this very log, compared with the same tree, are believed as well.
   * @param signed entries under a trusted checkpoint.
   */
  believePast(signed: number): void {
    for (const { from, index, vkey } of this.#rotations.toReversed()) {
      if (from === undefined || index >= signed || !this.#logs.has(vkey)) continue
      this.#add(this.#logs, from)
    }
  }

  #add(to: Map<string, Verifier>, vkey: string): void {
    to.set(vkey, verifierOf(parseVkey(vkey)))
  }
}
