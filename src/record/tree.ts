/**
 * The Merkle tree over the entries of one log, kept behind the writer: tiles, and signed checkpoints.
 *
 *     log (durable) → leaf hashes → tiles → checkpoints.log (durable) → checkpoint
 *
 * Everything but the checkpoints can be made again from the segments, and is whenever it does not
 * fit: tiles are made durable together, once in a while, and `synced` is the checkpoint of that time.
 * After a crash the tree is taken up there, and must come to the root of the newest checkpoint.
 */
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import { derivedFiles } from '../base/derived.ts'
import { leafHash } from '../tlog/merkle.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { splitNote } from '../tlog/note.ts'
import { TileBuilder, tilePath, tilesOf } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import { Checkpoints, differs } from './checkpoints.ts'
import { LineReader } from './lines.ts'
import type { DerivedFiles } from '../base/derived.ts'
import type { Disk } from '../base/disk.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import type { Frontier } from '../tlog/merkle.ts'
import type { Tile, TileReader } from '../tlog/tiles.ts'
import type { CheckpointKeys } from './checkpoints.ts'

export interface TreePlace {
  readonly disk: Disk
  /** The writer's folder. */
  readonly folder: string
  readonly origin: string
  readonly keys: CheckpointKeys
}

const hashBytes = 32
const tileWidth = 256
/** Leaves that go into the tree at a time. */
const batchLeavesMax = 4096

export class LogTree {
  readonly #at: TreePlace
  readonly #files: DerivedFiles
  readonly #checkpoints: Checkpoints
  readonly #partial = new Map<number, Tile>() // The one partial tile of each level that is on the disk.
  #builder: TileBuilder
  #lines: LineReader
  #frontier: Frontier

  private constructor(
    at: TreePlace,
    files: DerivedFiles,
    checkpoints: Checkpoints,
    builder: TileBuilder,
  ) {
    this.#at = at
    this.#files = files
    this.#checkpoints = checkpoints
    this.#builder = builder
    this.#frontier = builder.frontier()
    for (const tile of tilesOf(builder.size)) {
      if (tile.width < tileWidth) this.#partial.set(tile.level, tile)
    }
    this.#lines = this.#linesFrom(builder.size)
  }

  /**
   * Takes up the tree where it stood, made again from the segments as far as it does not fit.
   * @param durableIndex how many entries the log holds.
   * @throws {Fault} `record_down` with reason `checkpoint_bad`, or `tree_differs` when the log holds
   *   less than what was signed, or something else.
   */
  static async open(at: TreePlace, durableIndex: number): Promise<LogTree> {
    const files = derivedFiles(at.folder)
    const checkpoints = await Checkpoints.open({ ...at, files })
    try {
      const { last } = checkpoints
      if (last && last.size > durableIndex) throw differs()
      for (const size of [await syncedSize(files, last), 0]) {
        const tree = await LogTree.#from(at, files, checkpoints, size)
        if (tree && (await tree.#reaches(last))) return tree
        if (tree) await tree.#lines.close()
      }
      throw differs()
    } catch (error) {
      await checkpoints.close()
      throw error
    }
  }

  static async #from(
    at: TreePlace,
    files: DerivedFiles,
    checkpoints: Checkpoints,
    size: number,
  ): Promise<LogTree | undefined> {
    try {
      const builder = size === 0 ? new TileBuilder() : await TileBuilder.from(size, reading(files))
      return new LogTree(at, files, checkpoints, builder)
    } catch (error) {
      // A tile is missing or cut: the tree is made again from its first leaf.
      if (error instanceof Unproven) return undefined
      throw error
    }
  }

  /** How many entries the tree holds. */
  get size(): number {
    return this.#builder.size
  }

  get lastCheckpoint(): Checkpoint | undefined {
    return this.#checkpoints.last
  }

  /**
   * Takes in the entries up to `durableIndex` and writes their tiles.
   * @throws {Fault} `record_down`, reason `tree_behind`, when the log does not hold them.
   */
  async grow(durableIndex: number): Promise<void> {
    while (this.size < durableIndex) {
      const leaves: Buffer[] = []
      while (leaves.length < batchLeavesMax && this.#lines.nextIndex < durableIndex) {
        const found = await this.#lines.next()
        if (!found) throw behind()
        for (const line of found.lines) leaves.push(leafHash(line))
      }
      this.#builder.append(Buffer.concat(leaves, leaves.length * hashBytes))
      for (const leaf of leaves) this.#frontier.append(leaf)
      await this.#writeTiles()
    }
  }

  /** Signs the tree as it is and shows the checkpoint. @returns its note. @throws as `Checkpoints`. */
  publish(isSlow: boolean): Promise<string> {
    return this.#checkpoints.publish(this.size, this.#frontier.root(), isSlow)
  }

  /** Makes all tiles durable. @param note the checkpoint that was just published. */
  async sync(note: string): Promise<void> {
    await this.#files.sync()
    // A crash before this leaves the older mark: more is made again than must be.
    await this.#files.write('synced', Buffer.from(note))
  }

  async close(): Promise<void> {
    await this.#lines.close()
    await this.#checkpoints.close()
  }

  #linesFrom(index: number): LineReader {
    return new LineReader(this.#at.disk, join(this.#at.folder, 'log'), index)
  }

  /** Whether the log leads to the tree that was signed. */
  async #reaches(signed: Checkpoint | undefined): Promise<boolean> {
    if (!signed) return true
    try {
      await this.grow(signed.size)
    } catch (error) {
      if (error instanceof Fault && error.facts['reason'] === 'tree_behind') return false
      throw error
    }
    return this.#frontier.root().equals(signed.root)
  }

  async #writeTiles(): Promise<void> {
    for (const { tile, bytes } of this.#builder.take()) {
      await this.#files.write(tilePath(tile), bytes)
      if (typeof tile.level !== 'number') continue
      // Whoever asks for a narrower tile gets the beginning of the wider one.
      const before = this.#partial.get(tile.level)
      if (before && before.width < tileWidth) await this.#files.remove(tilePath(before))
      this.#partial.set(tile.level, tile)
    }
  }
}

/** Reads tiles from a log's folder: the tile itself, or the beginning of a wider one. */
export function reading(files: DerivedFiles): TileReader {
  return async (tile) => {
    const full = tilePath({ ...tile, width: tileWidth })
    const partial = (await files.list(`${full}.p`))
      .map(Number)
      .filter((width) => width >= tile.width)
    for (const width of [tileWidth, ...partial]) {
      const bytes = await files.read(tilePath({ ...tile, width }))
      if (bytes) return bytes.subarray(0, tile.width * hashBytes)
    }
    throw new Unproven('tile_malformed', `Tile ${tilePath(tile)} is missing.`)
  }
}

/** Up to which size the tiles survived any crash. */
async function syncedSize(files: DerivedFiles, last: Checkpoint | undefined): Promise<number> {
  const note = await files.read('synced')
  try {
    const synced = note && parseCheckpoint(splitNote(note).text)
    return Math.min(synced?.size ?? 0, last?.size ?? 0)
  } catch (error) {
    // No note, so there is no mark: everything is made again.
    if (error instanceof Unproven) return 0
    throw error
  }
}

function behind(): Fault {
  return new Fault('record_down', 'The tree cannot follow the log: an entry of it is not there.', {
    facts: { reason: 'tree_behind' },
  })
}
