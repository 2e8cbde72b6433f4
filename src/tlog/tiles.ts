/**
 * Tiles: how a tree lies on disk and is served, 256 hashes wide and 8 levels high (C2SP tlog-tiles).
 * A tile at level l and index n holds the roots of 256^l leaves each, from number n * 256 on, joined
 * without header; level 0 holds leaf hashes. A bundle holds the entries below such a tile.
 */
import { assert } from '../base/assert.ts'
import { Frontier, nodeHash } from './merkle.ts'
import { consistencyRanges, inclusionRanges, subtreesOf } from './ranges.ts'
import type { Range, Subtree } from './ranges.ts'
import { hashBytes } from './sha256.ts'
import { countOf, isCount } from './spelling.ts'
import { Unproven } from './unproven.ts'

const widthMax = 256
const tileBytesMax = widthMax * hashBytes
const levelMax = 63
const entryBytesMax = 65_535 // A length in a bundle has two bytes.
const tilesKeptMax = 64 // What a reader remembers: 512 KiB. A proof touches fewer than 20.
const nodesKeptMax = 4096

/** Where a tile stands: `width` counts its hashes or entries, 1 to 256. */
export interface Tile {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

/** A tile and the bytes to be written under its path. */
export interface TileBytes {
  readonly tile: Tile
  readonly bytes: Buffer
}

/**
 * Fetches a tile. Instead of a partial tile, which may be gone, it may give the full one: that
 * begins with the same hashes. What it gives is not trusted; what comes of it is to be verified.
 */
export type TileReader = (tile: Tile) => Promise<Uint8Array>

/** The path of a tile: `tile/<level>/<index>[.p/<width>]`, the index in groups of three digits. */
export function tilePath({ level, index, width }: Tile): string {
  assert(level === 'entries' || (isCount(level) && level <= levelMax), 'a tile has a level')
  assert(isCount(index) && isCount(width), 'a tile has an index and a width')
  assert(width >= 1 && width <= widthMax, 'a tile is 1 to 256 wide')
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.../g) ?? []
  const last = groups.pop()
  const name = [...groups.map((group) => `x${group}`), last].join('/')
  return `tile/${level}/${name}${width === widthMax ? '' : `.p/${width}`}`
}

const pathForm =
  /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** The tile of a path; undefined when it is not exactly what `tilePath` spells. */
export function parseTilePath(path: string): Tile | undefined {
  const [, levelText, name = '', widthText] = pathForm.exec(path) ?? []
  const width = widthText === undefined ? widthMax : Number(widthText)
  const index = countOf(name.replace(/[x/]/g, '').replace(/^0+(?=.)/, ''))
  if (levelText === undefined || index === undefined || name.startsWith('x000')) return undefined
  if (widthText !== undefined && width >= widthMax) return undefined
  return { level: levelText === 'entries' ? levelText : Number(levelText), index, width }
}

/** The tiles of hashes that a tree of this size has, level by level; the entries' are not named. */
export function tilesOf(size: number): Generator<Tile & { level: number }> {
  return newTiles(0, size)
}

/**
 * The tiles of hashes to be written when a tree of `oldSize` leaves has grown to `size`, level by
 * level. Those of level 0 tell which bundles are new as well.
 */
export function* newTiles(oldSize: number, size: number): Generator<Tile & { level: number }> {
  assert(isCount(oldSize) && isCount(size) && oldSize <= size, 'a tree only grows')
  for (let level = 0, span = 1; span <= size; level++, span *= widthMax) {
    const had = Math.floor(oldSize / span)
    const has = Math.floor(size / span)
    const full = Math.floor(has / widthMax)
    for (let index = Math.floor(had / widthMax); index < full; index++) {
      yield { level, index, width: widthMax }
    }
    const width = has % widthMax
    if (width > 0 && has !== had) yield { level, index: full, width }
  }
}

/** A bundle of 1 to 256 entries: each its length in two bytes, big-endian, and its bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  assert(entries.length >= 1 && entries.length <= widthMax, 'a bundle holds 1 to 256 entries')
  return Buffer.concat(
    entries.flatMap((entry) => {
      assert(entry.length <= entryBytesMax, 'an entry of a bundle has at most 65,535 bytes')
      return [Buffer.of(entry.length >>> 8, entry.length & 0xff), entry]
    }),
  )
}

/**
 * The entries of a bundle, as views into `bytes`.
 * @param width how many there must be, 1 to 256.
 * @throws {Unproven} `bundle_malformed` when it is cut short, or holds more or fewer entries.
 */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length && entries.length < width) {
    const [high, low] = bytes.subarray(at, at + 2)
    const from = at + 2
    at = from + (high ?? 0) * 256 + (low ?? 0)
    if (low === undefined || at > bytes.length) throw cutShort(from - 2)
    entries.push(bytes.subarray(from, at))
  }
  if (at < bytes.length || entries.length !== width) {
    const why = `A bundle of ${width} entries has fewer, or something after them`
    throw new Unproven('bundle_malformed', `${why}; it is not used.`)
  }
  return entries
}

function cutShort(at: number): Unproven {
  return new Unproven('bundle_malformed', `The entry at byte ${at} of a bundle is cut short.`)
}

/** Gives nodes and proofs of a tree of one size out of its tiles, and remembers what it read. */
export class HashReader {
  readonly size: number
  readonly #readTile: TileReader
  readonly #tiles = new Kept<Uint8Array>(tilesKeptMax)
  readonly #nodes = new Kept<Buffer>(nodesKeptMax)

  constructor(size: number, readTile: TileReader) {
    assert(isCount(size), 'a tree has a size')
    this.size = size
    this.#readTile = readTile
  }

  /**
   * The root of a full subtree.
   * @throws {Unproven} `tile_malformed` when a tile does not have the length of its width; whatever
   *   the reader of tiles throws passes through.
   */
  node({ level, index }: Subtree): Promise<Buffer> {
    assert((index + 1) * 2 ** level <= this.size, 'a node stands on leaves that are there')
    return this.#nodes.get(`${level}/${index}`, () => this.#fold(level, index))
  }

  /** The root over a range of leaves, from full subtrees; faults as for `node`. */
  async range(range: Range): Promise<Buffer> {
    const nodes = await Promise.all(subtreesOf(range).map((subtree) => this.node(subtree)))
    const last = nodes.pop()
    assert(last !== undefined, 'a range has leaves')
    return nodes.reduceRight((right, left) => nodeHash(left, right), last)
  }

  /** The proof that entry `index` is in the tree, its sibling first; faults as for `node`. */
  inclusionProof(index: number): Promise<Buffer[]> {
    return Promise.all(inclusionRanges(index, this.size).map((range) => this.range(range)))
  }

  /** The proof that the tree begins with the one of `old` leaves; faults as for `node`. */
  consistencyProof(old: number): Promise<Buffer[]> {
    return Promise.all(consistencyRanges(old, this.size).map((range) => this.range(range)))
  }

  /** The tree's frontier, to go on appending; faults as for `node`. */
  async frontier(): Promise<Frontier> {
    const full = subtreesOf({ from: 0, to: this.size })
    return Frontier.from(this.size, await Promise.all(full.map((subtree) => this.node(subtree))))
  }

  async #fold(level: number, index: number): Promise<Buffer> {
    const tileLevel = Math.floor(level / 8)
    const count = 2 ** (level % 8) // How many hashes of the tile lie below the node.
    const tileIndex = Math.floor((index * count) / widthMax)
    const from = (index * count) % widthMax
    const bytes = await this.#tile(tileLevel, tileIndex)
    return rootOfHashes(bytes.subarray(from * hashBytes, (from + count) * hashBytes))
  }

  #tile(level: number, index: number): Promise<Uint8Array> {
    const here = Math.floor(this.size / widthMax ** level)
    const width = Math.min(widthMax, here - index * widthMax)
    const tile = { level, index, width }
    return this.#tiles.get(`${level}/${index}`, () => readHashes(tile, this.#readTile))
  }
}

/** Remembers up to so many results by their key, then forgets all. */
class Kept<T> {
  readonly #known = new Map<string, Promise<T>>()
  readonly #countMax: number

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key)
    if (known) return known
    if (this.#known.size === this.#countMax) this.#known.clear()
    const made = make()
    this.#known.set(key, made)
    return made
  }
}

async function readHashes(tile: Tile, readTile: TileReader): Promise<Uint8Array> {
  const bytes = await readTile(tile)
  const length = tile.width * hashBytes
  if (bytes.length !== length && bytes.length !== tileBytesMax) {
    const found = `Tile ${tilePath(tile)} has ${bytes.length} bytes instead of ${length}`
    throw new Unproven('tile_malformed', `${found}; nothing is computed from it.`)
  }
  return bytes.subarray(0, length)
}

/** The root over the hashes in `bytes`, as if they were leaves. */
function rootOfHashes(bytes: Uint8Array): Buffer {
  return frontierOver(bytes).root()
}

function frontierOver(bytes: Uint8Array): Frontier {
  const frontier = new Frontier()
  for (let at = 0; at < bytes.length; at += hashBytes) {
    frontier.append(bytes.subarray(at, at + hashBytes))
  }
  return frontier
}

/** The proof that entry `index` is in the tree of `size` leaves, the leaf's sibling first. */
export function inclusionProof(
  index: number,
  size: number,
  readTile: TileReader,
): Promise<Buffer[]> {
  return new HashReader(size, readTile).inclusionProof(index)
}

/** The proof that the tree of `size` leaves begins with the one of `old`; faults as for a node. */
export function consistencyProof(
  old: number,
  size: number,
  readTile: TileReader,
): Promise<Buffer[]> {
  return new HashReader(size, readTile).consistencyProof(old)
}

/** The root of the tree of `size` leaves, as its tiles have it; faults as for a node. */
export async function rootOf(size: number, readTile: TileReader): Promise<Buffer> {
  return (await new HashReader(size, readTile).frontier()).root()
}

/** The right edge of one level: the tile that is being filled. */
interface Edge {
  bytes: Buffer
  width: number
  index: number
  isNew: boolean
}

/**
 * Makes the tiles of a growing tree, out of nothing but the leaf hashes in order. What `take` gives
 * must be durable before a checkpoint of that size is shown to anybody.
 */
export class TileBuilder {
  #size = 0
  readonly #edges: Edge[] = []
  #finished: TileBytes[] = []

  /**
   * A builder that goes on where a tree of `size` leaves stands.
   * @throws {Unproven} `tile_malformed` when a tile of the right edge has a wrong length.
   */
  static async from(size: number, readTile: TileReader): Promise<TileBuilder> {
    const builder = new TileBuilder()
    builder.#size = size
    for (let level = 0, span = 1; span <= size; level++, span *= widthMax) {
      const edge = builder.#edge(level)
      const has = Math.floor(size / span)
      edge.index = Math.floor(has / widthMax)
      edge.width = has % widthMax
      if (edge.width === 0) continue
      const { index, width } = edge
      edge.bytes.set(await readHashes({ level, index, width }, readTile))
    }
    return builder
  }

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size
  }

  /** Adds the hashes of the next leaves, 32 bytes each, end to end. */
  append(leaves: Uint8Array): void {
    assert(leaves.length % hashBytes === 0, 'leaves are hashes end to end')
    this.#add(0, leaves)
    this.#size += leaves.length / hashBytes
  }

  /**
   * The tiles to be written since the last time: those that are full now, and at each level the
   * partial one of this size if it is another. The same as `newTiles` names, in another order.
   */
  take(): TileBytes[] {
    const taken = this.#finished
    this.#finished = []
    for (const [level, { bytes, index, isNew, width }] of this.#edges.entries()) {
      if (!isNew || width === 0) continue
      taken.push({
        tile: { level, index, width },
        bytes: Buffer.from(bytes.subarray(0, width * hashBytes)),
      })
    }
    for (const edge of this.#edges) edge.isNew = false
    return taken
  }

  /** The tree's frontier, at the cost of up to 255 hashes a level. */
  frontier(): Frontier {
    const full = this.#edges.toReversed().flatMap(({ bytes, width }) => {
      return frontierOver(bytes.subarray(0, width * hashBytes)).hashes()
    })
    return Frontier.from(this.#size, full)
  }

  #edge(level: number): Edge {
    return (this.#edges[level] ??= {
      bytes: Buffer.alloc(tileBytesMax),
      width: 0,
      index: 0,
      isNew: false,
    })
  }

  #add(level: number, hashes: Uint8Array): void {
    const edge = this.#edge(level)
    for (let at = 0; at < hashes.length;) {
      const room = (widthMax - edge.width) * hashBytes
      const part = hashes.subarray(at, at + room)
      edge.bytes.set(part, edge.width * hashBytes)
      edge.width += part.length / hashBytes
      edge.isNew = true
      at += part.length
      if (edge.width === widthMax) this.#finish(level, edge)
    }
  }

  #finish(level: number, edge: Edge): void {
    const { bytes, index } = edge
    this.#finished.push({ tile: { level, index, width: widthMax }, bytes })
    edge.bytes = Buffer.alloc(tileBytesMax)
    edge.index++
    edge.width = 0
    this.#add(level + 1, rootOfHashes(bytes))
  }
}
