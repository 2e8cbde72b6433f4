/**
 * What witnesses saw of the log, by their own clocks: in the pack's checkpoint itself, or in an older
 * one which they cosigned and from which the pack's tree goes on.
 */
import { isOf, openCheckpoint } from '../tlog/checkpoint.ts'
import { verifierOf } from '../tlog/cosignature.ts'
import { verifyConsistency } from '../tlog/merkle.ts'
import { parseVkey } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { Checkpoint, OpenedCheckpoint } from '../tlog/checkpoint.ts'
import type { Verifier } from '../tlog/note.ts'
import type { Witnessed } from './pack-format.ts'

/** One witness's newest signature here. */
export interface Sight {
  readonly name: string
  /** Entries of the tree that it had seen. */
  readonly size: number
  /** In seconds since 1970; undefined for a signature without a time. */
  readonly time: number | undefined
}

export class PackWitnesses {
  readonly #verifiers: readonly Verifier[]
  readonly #seen = new Map<Verifier, Sight>()

  /** @param vkeys of the verifier's witnesses. @throws {Unproven} `key_malformed`, `key_unsupported`. */
  constructor(vkeys: readonly string[]) {
    this.#verifiers = [...new Set(vkeys)].map((vkey) => verifierOf(parseVkey(vkey)))
  }

  get verifiers(): readonly Verifier[] {
    return this.#verifiers
  }

  /** What was seen, a line for each witness that has signed. */
  get seen(): Sight[] {
    return [...this.#seen.values()]
  }

  /** How many of the verifier's witnesses have signed nothing here. */
  get missing(): number {
    return this.#verifiers.length - this.#seen.size
  }

  /** Takes the lines of a checkpoint that the log's key has signed. */
  take({ note, size }: OpenedCheckpoint): void {
    for (const verifier of this.#verifiers) {
      const line = note.verified.find((each) => isOf(each, verifier))
      if (!line || (this.#seen.get(verifier)?.size ?? -1) >= size) continue
      this.#seen.set(verifier, { name: verifier.name, size, time: line.time })
    }
  }

  /**
   * Takes a checkpoint from before the pack's.
   * @param logs the log's keys. @param now the pack's checkpoint.
   * @throws {Unproven} as `openCheckpoint`; `inclusion_bad` when the pack's tree does not begin with
   *   the one that was cosigned.
   */
  takeOlder(of: Witnessed, logs: readonly Verifier[], now: Checkpoint): void {
    const { consistency, checkpoint } = of
    const at = openCheckpoint(checkpoint, now.origin, logs, this.#verifiers)
    if (!verifyConsistency(at.size, at.root, now.size, now.root, consistency)) {
      const what = 'The tree that witnesses have seen is not the beginning of the tree of this pack'
      throw new Unproven('inclusion_bad', `${what}: the log has two histories.`)
    }
    this.take(at)
  }
}
