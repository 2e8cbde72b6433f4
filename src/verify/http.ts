/**
 * A log verified over HTTP, as far as its server shows it (C2SP tlog-tiles): the newest checkpoint,
 * every tile against its root, what older checkpoints said, and, for whom it shows them, every entry
 * against its leaf. Memory holds a few tiles and one bundle.
 */
import { assert } from '../base/assert.ts'
import { leafHash } from '../tlog/merkle.ts'
import { parseVkey, splitNote } from '../tlog/note.ts'
import { isOf, parseCheckpoint } from '../tlog/checkpoint.ts'
import { decodeBundle, HashReader, TileBuilder, tilePath, tilesOf } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import { ahead, LogServer } from './http-server.ts'
import { Findings } from './findings.ts'
import { Trust } from './trust.ts'
import { EntryWalk, placeOf } from './walk.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import type { Tile } from '../tlog/tiles.ts'
import type { WitnessSeen } from './cosigned.ts'
import type { LogReport } from './folder.ts'

export interface LogToVerify {
  /** Of the log: below it lie `checkpoint` and `tile/`. `https:`, or `http:` to this machine. */
  readonly url: string
  /** Sent as a bearer token; without it only hashes are asked for, no entries. */
  readonly token?: string | undefined
  /** As for a folder. */
  readonly keys: readonly string[]
  readonly witnesses: readonly string[]
  readonly older: readonly string[]
  /** Called with entries done and entries in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

const hashBytes = 32
const tileWidth = 256

/**
 * Verifies one log. Whatever its server says or leaves unsaid is a finding.
 * @throws {Fault} `refused` for an address that is neither HTTPS nor of this machine.
 * @throws {Unproven} `key_malformed`, `key_unsupported` for a key of the verifier's.
 */
export async function verifyHttp(of: LogToVerify): Promise<LogReport> {
  return await new HttpRun(of).verify()
}

class HttpRun {
  readonly #of: LogToVerify
  readonly #server: LogServer
  readonly #findings = new Findings()
  readonly #walk: EntryWalk
  readonly #trust: Trust
  readonly #builder = new TileBuilder()
  readonly #proofOnly: { from: number; to: number }[] = []
  readonly #witnessed: WitnessSeen[] = []
  #claimed: Checkpoint | undefined
  #signed = 0
  #named = 0
  #seesEntries: boolean

  constructor(of: LogToVerify) {
    this.#of = of
    this.#server = new LogServer(of.url, of.token)
    this.#walk = new EntryWalk(this.#findings, 0)
    this.#trust = new Trust(of.keys, of.witnesses)
    this.#seesEntries = of.token !== undefined
  }

  async verify(): Promise<LogReport> {
    if (!this.#trust.hasKeys) {
      this.#findings.add('unsure', 'keys', 'No key was given, so no signature can be believed.')
    }
    if (!this.#seesEntries) {
      const words = 'No token was given, so hashes were checked and no entries'
      this.#findings.add('unsure', 'entries', words)
    }
    try {
      await this.#verify()
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      const isSilent = error.code === 'tile_malformed'
      this.#findings.add(isSilent ? 'unsure' : 'wrong', this.#server.place, error.message)
    }
    return this.#report()
  }

  async #verify(): Promise<void> {
    const note = await this.#server.checkpoint()
    const claimed = parseCheckpoint(splitNote(note).text)
    this.#claimed = claimed
    for await (const { bundle, leaves, tile } of this.#pieces(claimed.size)) {
      await this.#take(tile, leaves, bundle)
      this.#of.onProgress?.(tile.index * tileWidth + tile.width, claimed.size)
    }
    await this.#checkUpperTiles()
    this.#checkRemovals()
    // Older ones first: what they were signed with may hand over to the key of the newest.
    for (const older of inOrder(this.#of.older)) await this.#checkOlder(older, claimed)
    this.#checkNewest(note, claimed)
  }

  /** Tiles of leaf hashes and bundles of entries, in order, fetched a few ahead. */
  async *#pieces(
    size: number,
  ): AsyncGenerator<{ tile: Tile; leaves: Buffer; bundle: Buffer | 'refused' | undefined }> {
    yield* ahead(leafTiles(size), async (tile) => {
      const [leaves, bundle] = await Promise.all([
        this.#server.tile(tile),
        this.#seesEntries ? this.#server.entries(tile) : undefined,
      ])
      return { tile, leaves, bundle }
    })
  }

  async #take(tile: Tile, leaves: Buffer, bundle: Buffer | 'refused' | undefined): Promise<void> {
    const first = tile.index * tileWidth
    this.#builder.append(leaves)
    if (bundle === 'refused') {
      if (this.#seesEntries) {
        const words = 'The token does not let entries be read: only hashes were checked'
        this.#findings.add('unsure', placeOf(first), words)
      }
      this.#seesEntries = false
    }
    if (!this.#seesEntries) return
    if (!Buffer.isBuffer(bundle)) return this.#skip(first, first + tile.width)
    this.#takeEntries(decodeBundle(bundle, tile.width), first, leaves)
  }

  #takeEntries(entries: readonly Uint8Array[], first: number, leaves: Buffer): void {
    for (const [i, line] of entries.entries()) {
      const leaf = leaves.subarray(i * hashBytes, (i + 1) * hashBytes)
      if (!leafHash(line).equals(leaf)) {
        const words = 'is not the one whose hash is in the tree'
        this.#findings.add('wrong', placeOf(first + i), words)
      }
      this.#walk.take(line)
    }
    for (; this.#named < this.#walk.keys.length; this.#named++) {
      const key = this.#walk.keys[this.#named]
      if (key) this.#trust.name(key)
    }
  }

  #skip(from: number, to: number): void {
    const last = this.#proofOnly.at(-1)
    if (last?.to === from) last.to = to
    else this.#proofOnly.push({ from, to })
    this.#walk.skipTo(to)
  }

  /** The tiles above the leaves are made again, and must be the ones that are shown. */
  async #checkUpperTiles(): Promise<void> {
    for (const { bytes, tile } of this.#builder.take()) {
      if (tile.level === 0) continue
      const shown = await this.#server.tile(tile)
      if (!shown.equals(bytes)) {
        const words = 'The tile is not the one of the tiles below it.'
        this.#findings.add('wrong', tilePath(tile), words)
      }
    }
  }

  #checkRemovals(): void {
    for (const { from, to } of this.#proofOnly) {
      const months = this.#walk.removals.filter(({ what }) => what === 'month')
      const isTold = months.some(({ end, first }) => first < to && from < end)
      if (isTold) {
        const words = `Entries ${from} to ${to - 1}: removed at the end of their retention, proof only`
        this.#findings.add('note', placeOf(from), words)
      } else {
        const words = `Entries ${from} to ${to - 1} are not shown, and no entry says that they were removed`
        this.#findings.add('wrong', placeOf(from), words)
      }
    }
  }

  async #checkOlder({ note, place }: Kept, claimed: Checkpoint): Promise<void> {
    try {
      const opened = this.#trust.open(note, claimed.origin)
      if (opened.size > claimed.size) {
        const words = `signs ${opened.size} entries, the log shows ${claimed.size}: it was rolled back`
        this.#findings.add('wrong', place, words)
      } else if (!(await this.#rootAt(opened.size)).equals(opened.root)) {
        this.#findings.add('wrong', place, 'signs another history than the one of this log')
      }
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      this.#findings.add('wrong', place, error.message)
    }
  }

  #checkNewest(note: string, claimed: Checkpoint): void {
    const { size } = this.#builder
    const isRoot = this.#builder.frontier().root().equals(claimed.root)
    if (!isRoot) {
      const words = `signs another tree than its tiles of ${size} entries make`
      this.#findings.add('wrong', 'checkpoint', words)
    }
    try {
      const { note: opened } = this.#trust.open(note, claimed.origin)
      if (opened.unknown.length > 0) {
        const words = `${opened.unknown.length} of its signatures are of keys that neither you nor the log named`
        // The entries name every key of the log; without them some are not known.
        this.#findings.add(this.#seesEntries ? 'unsure' : 'note', 'checkpoint', words)
      }
      if (isRoot) this.#signed = size
      const witnesses = this.#of.witnesses.map(parseVkey)
      for (const line of opened.verified) {
        const { name, time } = line
        if (time === undefined || !witnesses.some((witness) => isOf(line, witness))) continue
        this.#witnessed.push({ name, size, time })
      }
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      const isOurs = this.#trust.hasKeys || error.code !== 'signature_missing'
      if (isOurs) this.#findings.add('wrong', 'checkpoint', error.message)
    }
  }

  async #rootAt(size: number): Promise<Buffer> {
    const all = this.#builder.size
    // Partial tiles are those of the tree as it is now, of which the older ones are the beginning.
    const reader = new HashReader(size, async ({ index, level, width }) => {
      assert(typeof level === 'number', 'a tree is read from tiles of hashes')
      const here = Math.floor(all / tileWidth ** level) - index * tileWidth
      const whole = await this.#server.tile({ level, index, width: Math.min(here, tileWidth) })
      return whole.subarray(0, width * hashBytes)
    })
    return (await reader.frontier()).root()
  }

  #report(): LogReport {
    const frontier = this.#builder.frontier()
    return {
      origin: this.#claimed?.origin ?? '',
      totals: this.#walk.totals,
      signed: this.#signed,
      size: frontier.size,
      root: frontier.root().toString('base64'),
      checkpoints: this.#claimed ? 1 : 0,
      open: this.#walk.open,
      namedKeys: Array.from(new Set(this.#walk.keys.map(({ vkey }) => vkey))),
      proofOnly: this.#proofOnly,
      witnesses: this.#witnessed,
      findings: this.#findings,
    }
  }
}

interface Kept {
  readonly note: string
  readonly place: string
}

/** By their sizes; one that cannot be read comes first, and is told when it is opened. */
function inOrder(notes: readonly string[]): Kept[] {
  const sized = notes.map((note, i) => {
    try {
      const { size } = parseCheckpoint(splitNote(note).text)
      return { note, place: `checkpoint ${i + 1} of yours`, size }
    } catch {
      return { note, place: `checkpoint ${i + 1} of yours`, size: 0 }
    }
  })
  return sized.toSorted((a, b) => a.size - b.size)
}

function* leafTiles(size: number): Generator<Tile> {
  for (const tile of tilesOf(size)) {
    if (tile.level > 0) return
    yield tile
  }
}
