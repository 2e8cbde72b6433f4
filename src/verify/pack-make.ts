/**
 * Makes packs: a folder with a part of the record, its proofs, and a verifier that needs only Node.
 *
 *     log → entries, proofs, bodies, keys → replays → verifier → manifest (signed, names them all)
 *
 * It is written under another name and gets its own at the end, so a folder that bears the name is
 * whole.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { errorCode } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { bodyKeyOf } from '../record/cipher.ts'
import { monthKeyReader } from '../record/months.ts'
import { readOrigin, readRecord } from '../record/read.ts'
import { ed25519Type } from '../tlog/keys.ts'
import { leafHash, verifyInclusion } from '../tlog/merkle.ts'
import { parseVkey, signNote } from '../tlog/note.ts'
import { PackWriter } from './pack-writer.ts'
import { handoversOf, witnessedOf } from './pack-handovers.ts'
import { packedEntries } from './pack-replay.ts'
import { readme } from './pack-readme.ts'
import { verifierFiles } from './pack-program.ts'
import {
  formatHandover,
  formatKeyLine,
  formatManifest,
  formatProofLine,
  formatWitnessed,
  membersOf,
} from './pack-format.ts'
import { differs, proofOf, signedTree } from './prove.ts'
import type { KeyObject } from 'node:crypto'
import type { KeyGone } from '../record/months.ts'
import type { RecordedEntry, RecordPlace } from '../record/read.ts'
import type { Signer } from '../tlog/note.ts'
import type { Rotation } from './pack-handovers.ts'
import type { PackCounts } from './pack-format.ts'
import type { SignedTree } from './prove.ts'

/** Either names sessions and exchanges, which then are here as a whole, or says it of each entry. */
export type Shows = ReadonlySet<string> | ((entry: RecordedEntry) => boolean)

/** `replay` of the station of that name. */
export type Replay = (
  entries: AsyncIterable<RecordedEntry>,
  options: {
    readonly format: 'html' | 'text'
    readonly shows: Shows
    readonly title: string
    readonly origin: string
    readonly version: string
  },
) => AsyncIterable<string>

export interface PackOrder {
  readonly place: RecordPlace
  /** A folder that is not there, or is empty. */
  readonly out: string
  readonly shows: Shows
  /** What was asked for, in masked words: they stand in the manifest as they are. */
  readonly asked: string
  /** What signs the log's checkpoints now, without those that sign checkpoints only. */
  readonly signers: readonly Signer[]
  /** Their public keys, shown in the pack. */
  readonly vkeys: readonly string[]
  /** Our own version. */
  readonly version: string
  readonly now: Date
  readonly replay: Replay
}

/**
 * Makes a pack of what stands under the newest checkpoint; later entries are not in it.
 * @returns how much is in it; `keys` are the bodies whose keys went along.
 * @throws {Fault} `refused` with reason `folder_taken`; `session_unknown` when nothing is shown;
 *   `record_down` as `readRecord`, with `not_signed` while there is no checkpoint, `tree_differs`
 *   when an entry is not the one that was signed. After any fault nothing is left.
 */
export async function makePack(order: PackOrder): Promise<PackCounts> {
  await checkFree(order.out)
  const part = `${order.out}.part`
  await rm(part, { recursive: true, force: true }) // An earlier one that was not finished.
  await mkdir(part, { recursive: true, mode: 0o700 })
  const packing = new Packing(order, part)
  try {
    const counts = await packing.make()
    // A crash before this leaves the part, which nobody takes for a pack; the next one removes it.
    await rename(part, order.out)
    return counts
  } catch (error) {
    await packing.abandon()
    await rm(part, { recursive: true, force: true })
    throw error
  }
}

async function checkFree(out: string): Promise<void> {
  try {
    if ((await readdir(out)).length === 0) return
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    if (errorCode(error) !== 'ENOTDIR') throw error
  }
  throw new Fault(
    'refused',
    'The folder for the pack is taken, so nothing was written. Name one that is not there yet.',
    { facts: { reason: 'folder_taken' } },
  )
}

class Packing {
  readonly #order: PackOrder
  readonly #files: PackWriter
  readonly #part: string
  readonly #sessions = new Set<string>()
  readonly #gone = new Map<string, KeyGone>() // By month key, why its bodies stay closed.
  readonly #rotations: Rotation[] = []
  readonly #counts = { entries: 0, calls: 0, bodies: 0, keys: 0 }

  constructor(order: PackOrder, part: string) {
    this.#order = order
    this.#part = part
    this.#files = new PackWriter(part)
  }

  async make(): Promise<PackCounts> {
    const { place, signers } = this.#order
    // The others sign checkpoints only, and are too long to be compared by eye.
    const vkeys = this.#order.vkeys.filter((vkey) => parseVkey(vkey).type === ed25519Type)
    const origin = (await readOrigin(place)) ?? ''
    const tree = await signedTree(place)
    await this.#takeEntries(tree, origin)
    await this.#files.whole('checkpoint', tree.note)
    await this.#files.whole('log.vkey', `${vkeys.join('\n')}\n`)
    const handovers = await handoversOf(place, this.#rotations, tree)
    await this.#files.whole('handovers.jsonl', handovers.map(formatHandover).join(''))
    const witnessed = await witnessedOf(place, tree)
    await this.#files.whole('witnessed.jsonl', witnessed.map(formatWitnessed).join(''))
    await this.#writeReplays(origin)
    for await (const { path, text } of verifierFiles()) await this.#files.whole(path, text)
    const counts = { ...this.#counts, sessions: this.#sessions.size }
    const about = {
      origin,
      made: this.#order.now.toISOString(),
      version: this.#order.version,
      asked: this.#order.asked,
      scope: typeof this.#order.shows === 'function' ? 'chosen' : 'whole',
      checkpoint: tree.checkpoint.size,
      counts,
    } as const
    await this.#files.whole('README.txt', readme(about, vkeys))
    const manifest = formatManifest({ ...about, files: this.#files.list() })
    await this.#files.whole('manifest', signNote(manifest, signers))
    await this.#files.sync()
    return counts
  }

  /** Lets go of what is open. */
  async abandon(): Promise<void> {
    await this.#files.abandon()
  }

  async #takeEntries(tree: SignedTree, origin: string): Promise<void> {
    const { place, shows } = this.#order
    const { bodyKeys, disk } = place
    const keyOf = bodyKeys && monthKeyReader({ ...bodyKeys, disk, origin })
    const fits = typeof shows === 'function' ? shows : byName(shows)
    for await (const entry of readRecord(place)) {
      if (entry.index >= tree.checkpoint.size) break
      if (entry.type === 'keys.rotated') this.#rotations.push(rotationOf(entry))
      if (!fits(entry)) continue
      await this.#takeEntry(entry, tree)
      await this.#takeBody(entry, keyOf)
    }
    for (const name of ['entries.jsonl', 'proofs.jsonl', 'bodies.bin', 'keys.jsonl']) {
      await this.#files.finish(name)
    }
    if (this.#counts.entries > 0) return
    const message = 'Nothing that was asked for stands under the newest checkpoint of the record.'
    throw new Fault('session_unknown', message)
  }

  async #takeEntry(entry: RecordedEntry, tree: SignedTree): Promise<void> {
    const { index, line, session, type } = entry
    const hashes = await proofOf(tree, index)
    const { root, size } = tree.checkpoint
    if (!verifyInclusion(index, size, leafHash(line), hashes, root)) throw differs(index)
    this.#counts.entries++
    if (type === 'call.received') this.#counts.calls++
    if (session !== undefined) this.#sessions.add(session)
    await this.#files.add('entries.jsonl', Buffer.concat([line, Buffer.from('\n')]))
    await this.#files.add('proofs.jsonl', Buffer.from(formatProofLine({ index, hashes })))
  }

  async #takeBody(
    { fields, index, storedBody }: RecordedEntry,
    keyOf: ((id: string) => Promise<KeyObject | KeyGone>) | undefined,
  ): Promise<void> {
    if (!storedBody) return
    this.#counts.bodies++
    await this.#files.add('bodies.bin', storedBody)
    const { key: id } = membersOf(fields['body'])
    if (typeof id !== 'string') return
    const key = (await keyOf?.(id)) ?? 'locked'
    if (typeof key === 'string') {
      this.#gone.set(id, key)
      return
    }
    this.#counts.keys++
    const line = formatKeyLine({ index, key: bodyKeyOf(key, storedBody) })
    await this.#files.add('keys.jsonl', Buffer.from(line))
  }

  /** Made from the files of the pack, not from the record: they tell what the pack holds. */
  async #writeReplays(origin: string): Promise<void> {
    const { asked, replay, version } = this.#order
    const options = { shows: () => true, title: `Pack: ${asked}`, origin, version }
    for (const [name, format] of [
      ['replay.html', 'html'],
      ['replay.txt', 'text'],
    ] as const) {
      const entries = packedEntries(this.#part, origin, this.#gone)
      for await (const piece of replay(entries, { ...options, format })) {
        await this.#files.add(name, Buffer.from(piece))
      }
      await this.#files.finish(name)
    }
  }
}

function byName(names: ReadonlySet<string>): (entry: RecordedEntry) => boolean {
  return ({ exchange, session }) => names.has(session ?? '') || names.has(exchange ?? '')
}

function rotationOf({ fields, index, line }: RecordedEntry): Rotation {
  return { index, line: Buffer.from(line), from: String(fields['from']) }
}
