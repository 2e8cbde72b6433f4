/**
 * The tiles of a log, made anew while its entries go by and compared with those on the disk: full
 * ones when they are full, the rest at the end.
 */
import { Frontier } from '../tlog/merkle.ts'
import { parseTilePath, rootOf, TileBuilder, tilePath } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { DerivedFiles } from '../base/derived.ts'
import type { Tile, TileReader } from '../tlog/tiles.ts'
import type { Findings } from './findings.ts'

const hashBytes = 32
const width = 256

export class Tiles {
  readonly #files: DerivedFiles
  readonly #findings: Findings
  readonly #builder = new TileBuilder()
  readonly #edges = new Map<number, { tile: Tile; bytes: Buffer }>() // The last tile of each level.
  readonly frontier: Frontier = new Frontier()
  readonly #waiting: Buffer[] = []

  constructor(files: DerivedFiles, findings: Findings) {
    this.#files = files
    this.#findings = findings
  }

  get size(): number {
    return this.frontier.size
  }

  /** Takes the next leaf. @returns true when a tile is full: `compare` is to be called then. */
  append(leaf: Buffer): boolean {
    this.frontier.append(leaf)
    this.#waiting.push(leaf)
    return this.#waiting.length >= width
  }

  /** Takes the leaf of an entry that is not there from its tile. @returns false when it is not. */
  async appendKept(index: number): Promise<boolean> {
    const tile = { level: 0, index: Math.floor(index / width), width: (index % width) + 1 }
    const at = (index % width) * hashBytes
    const bytes = await this.#read(tile)
    const leaf = bytes?.subarray(at, at + hashBytes)
    if (leaf?.length !== hashBytes) return false
    if (this.append(Buffer.from(leaf))) await this.compare()
    return true
  }

  /** The root of the tree when it had that many leaves; undefined when tiles for it are missing. */
  async rootAt(size: number): Promise<Buffer | undefined> {
    if (size === this.size) return this.frontier.root()
    await this.compare()
    const made: TileReader = async (tile) => {
      const edge = this.#edges.get(Number(tile.level))
      const isEdge = edge?.tile.index === tile.index
      const bytes = isEdge ? edge.bytes : await this.#read(tile)
      if (!bytes) throw new Unproven('tile_malformed', 'A tile is missing.')
      return bytes.subarray(0, tile.width * hashBytes)
    }
    try {
      return await rootOf(size, made)
    } catch (error) {
      if (error instanceof Unproven) return undefined
      throw error
    }
  }

  /** Every file below `tile/` is a tile of this tree, byte for byte. */
  async checkFiles(): Promise<void> {
    await this.compare()
    for (const path of await this.#files.walk('tile')) {
      const tile = parseTilePath(path)
      if (!tile || typeof tile.level !== 'number') {
        this.#findings.add('wrong', path, 'No log makes such a file.')
      } else if (tile.width < width) await this.#checkPartial(tile, path)
      else if ((tile.index + 1) * width ** (tile.level + 1) > this.size) {
        this.#findings.add('wrong', path, 'The log is not long enough to have this tile.')
      }
    }
  }

  /** Makes the tiles of what was taken, and compares those that are full with the disk's. */
  async compare(): Promise<void> {
    this.#builder.append(Buffer.concat(this.#waiting))
    this.#waiting.length = 0
    for (const { bytes, tile } of this.#builder.take()) {
      if (typeof tile.level !== 'number') continue
      if (tile.width < width) this.#edges.set(tile.level, { tile, bytes })
      else await this.#checkFull(tile, bytes)
    }
  }

  async #checkFull(tile: Tile, bytes: Buffer): Promise<void> {
    const path = tilePath(tile)
    const found = await this.#files.read(path)
    if (!found) {
      const words = 'The tile is missing; the next start of the gateway makes it again.'
      this.#findings.add('note', path, words)
    } else if (!found.equals(bytes)) {
      this.#findings.add('wrong', path, 'The tile is not the one of these entries.')
    }
  }

  async #checkPartial(tile: Tile, path: string): Promise<void> {
    const found = await this.#files.read(path)
    const edge = this.#edges.get(Number(tile.level))
    const whole =
      edge?.tile.index === tile.index
        ? edge.bytes
        : await this.#files.read(tilePath({ ...tile, width }))
    const expected = whole?.subarray(0, tile.width * hashBytes)
    if (!expected || expected.length < tile.width * hashBytes || !found?.equals(expected)) {
      this.#findings.add('wrong', path, 'The tile is not the one of these entries.')
    }
  }

  async #read(tile: Tile): Promise<Buffer | undefined> {
    const full = tilePath({ ...tile, width })
    const whole = await this.#files.read(full)
    if (whole) return whole
    const widths = (await this.#files.list(`${full}.p`)).map(Number)
    const wide = widths.filter((each) => each >= tile.width).toSorted((a, b) => a - b)[0]
    return wide === undefined
      ? undefined
      : await this.#files.read(tilePath({ ...tile, width: wide }))
  }
}
