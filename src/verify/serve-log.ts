/**
 * The log as everybody may fetch it (C2SP tlog-tiles): the newest checkpoint, tiles of hashes, and
 * for who may see them bundles of entries, made from the segments.
 */
import { join } from 'node:path'
import { derivedFiles } from '../base/derived.ts'
import { LineReader } from '../record/lines.ts'
import { reading } from '../record/tree.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { splitNote } from '../tlog/note.ts'
import { encodeBundle, parseTilePath } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { Disk } from '../base/disk.ts'
import type { Tile } from '../tlog/tiles.ts'

export interface ServedLog {
  /** The writer's folder. */
  readonly folder: string
  readonly disk: Disk
  /** Hashes tell nothing of what they are of; entries are for whom the caller lets read them. */
  readonly maySeeEntries: boolean
}

export interface LogAnswer {
  readonly status: 200 | 403 | 404
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const tileWidth = 256
const text = 'text/plain; charset=utf-8'
const bytes = 'application/octet-stream'

/**
 * The answer to a GET; for a HEAD the caller leaves the body out.
 * @param path of the URL as it came, without query: `/log/checkpoint`, `/log/tile/…`. Nothing but
 *   the exact spelling of a tile's path leads to a file, so no path leads out of the folder.
 */
export async function serveLog(path: string, at: ServedLog): Promise<LogAnswer> {
  const note = await derivedFiles(at.folder).read('checkpoint')
  if (!path.startsWith('/log/') || !note) return missing('The log has nothing under this path.')
  if (path === '/log/checkpoint') {
    return { status: 200, headers: headersOf(text, 'no-cache'), body: note }
  }
  const tile = parseTilePath(path.slice('/log/'.length))
  if (!tile) return missing('The log has nothing under this path.')
  const { size } = parseCheckpoint(splitNote(note).text)
  if (tile.level === 'entries' && !at.maySeeEntries) return forbidden()
  // Only what a signed tree holds is shown: all of it is there and does not change any more.
  if (!isUnder(tile, size)) return missing('The signed tree has no such tile yet.')
  return tile.level === 'entries' ? await bundle(tile, at) : await hashes(tile, at)
}

function isUnder({ index, level, width }: Tile, size: number): boolean {
  const span = level === 'entries' ? 1 : tileWidth ** level
  return (index * tileWidth + width) * span <= size
}

async function hashes(tile: Tile, { folder }: ServedLog): Promise<LogAnswer> {
  try {
    const body = await reading(derivedFiles(folder))(tile)
    return { status: 200, headers: headersOf(bytes, forEver), body: Buffer.from(body) }
  } catch (error) {
    if (!(error instanceof Unproven)) throw error
    return missing('The tile is missing; the next start of the gateway makes it again.')
  }
}

async function bundle({ index, width }: Tile, at: ServedLog): Promise<LogAnswer> {
  const reader = new LineReader(at.disk, join(at.folder, 'log'), index * tileWidth)
  const entries: Buffer[] = []
  try {
    while (entries.length < width) {
      const found = await reader.next()
      if (!found) return missing('These entries were removed at the end of their retention.')
      entries.push(...found.lines.slice(0, width - entries.length))
    }
  } finally {
    await reader.close()
  }
  // Kept nowhere on the way: at the end of retention they go.
  return { status: 200, headers: headersOf(bytes, 'no-store'), body: encodeBundle(entries) }
}

/** A tile never changes: a narrower one is the beginning of the same hashes. */
const forEver = 'public, max-age=31536000, immutable'

function headersOf(type: string, cache: string): Readonly<Record<string, string>> {
  return { 'content-type': type, 'cache-control': cache, 'x-content-type-options': 'nosniff' }
}

function missing(words: string): LogAnswer {
  return { status: 404, headers: headersOf(text, 'no-store'), body: Buffer.from(`${words}\n`) }
}

function forbidden(): LogAnswer {
  const words = 'Entries are shown only to those who may read the record; hashes to everybody.\n'
  return { status: 403, headers: headersOf(text, 'no-store'), body: Buffer.from(words) }
}
