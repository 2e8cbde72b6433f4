/**
 * Whose signatures count for a pack: the keys which its verifier brought along, and those to which
 * they were handed over by entries that an older key of the verifier's has signed.
 */
import { openCheckpoint } from '../tlog/checkpoint.ts'
import { verifierOf } from '../tlog/cosignature.ts'
import { ed25519Type } from '../tlog/keys.ts'
import { leafHash, verifyConsistency, verifyInclusion } from '../tlog/merkle.ts'
import { parseVkey } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import { jsonOf, membersOf } from './pack-format.ts'
import type { Checkpoint, OpenedCheckpoint } from '../tlog/checkpoint.ts'
import type { Verifier } from '../tlog/note.ts'
import type { Handover } from './pack-format.ts'

export class PackKeys {
  readonly #logs = new Map<string, Verifier>()
  readonly #older: { readonly at: OpenedCheckpoint; readonly by: Handover }[] = []

  /**
   * @param vkeys the log's keys. Only Ed25519 keys for notes count: others cannot sign a manifest.
   * @throws {Unproven} `key_malformed`.
   */
  constructor(vkeys: readonly string[]) {
    for (const vkey of vkeys) this.#add(vkey)
  }

  get hasKeys(): boolean {
    return this.#logs.size > 0
  }

  get verifiers(): Verifier[] {
    return [...this.#logs.values()]
  }

  /**
   * Takes a change of the key, in the order of the log. It counts when a trusted key has signed the
   * tree that holds the entry, and the entry hands over from a trusted key.
   * @returns false when no trusted key has signed it: then it says nothing, and its verifier may
   *   have a later key.
   * @throws {Unproven} when one has signed, and the entry does not stand in that tree.
   */
  takeHandover(of: Handover, origin: string): boolean {
    const at = this.#open(of.checkpoint, origin)
    if (!at) return false
    const leaf = leafHash(Buffer.from(of.entry))
    if (!verifyInclusion(of.index, at.size, leaf, of.hashes, at.root)) {
      throw new Unproven('inclusion_bad', 'It does not stand in the tree that was signed with it.')
    }
    this.#older.push({ at, by: of })
    const { from, index, to, type } = membersOf(jsonOf(of.entry))
    const isHandover = type === 'keys.rotated' && index === of.index
    if (!isHandover || typeof from !== 'string' || typeof to !== 'string') {
      throw new Unproven('inclusion_bad', 'The entry hands nothing over.')
    }
    if (this.#logs.has(from)) this.#add(to)
    return true
  }

  #open(note: string, origin: string): OpenedCheckpoint | undefined {
    try {
      return openCheckpoint(note, origin, this.verifiers)
    } catch (error) {
      if (error instanceof Unproven && error.code === 'signature_missing') return undefined
      throw error
    }
  }

  /** Indexes of hand-overs whose tree is not the beginning of the pack's: the log has two histories. */
  forksFrom({ root, size }: Checkpoint): number[] {
    const forks = this.#older.filter(({ at, by }) => {
      return !verifyConsistency(at.size, at.root, size, root, by.consistency)
    })
    return forks.map(({ by }) => by.index)
  }

  #add(vkey: string): void {
    const key = parseVkey(vkey)
    if (key.type === ed25519Type) this.#logs.set(vkey, verifierOf(key))
  }
}
