/** The files of a pack, read in pieces: none is ever held whole, but those that are small by their kind. */
import { createHash } from 'node:crypto'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { malformed } from './pack-format.ts'

const pieceBytes = 131_072

/** A folder with a pack in it, wherever it lies. */
export interface PackFolder {
  /** Paths of all files below it, with `/`; whatever is neither file nor folder is `odd`. */
  list(): Promise<{ readonly files: readonly string[]; readonly odd: readonly string[] }>
  /** The bytes of a file from `from` on, in pieces; none when it ends before. */
  read(path: string, from?: number): AsyncIterable<Buffer>
}

/** The pack in a folder of this machine. Links are not followed: they would lead out of it. */
export function packReader(folder: string): PackFolder {
  return {
    async list() {
      const files: string[] = []
      const odd: string[] = []
      const waiting = ['']
      for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
        for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
          const path = at === '' ? entry.name : `${at}/${entry.name}`
          if (entry.isDirectory()) waiting.push(path)
          else if (entry.isFile()) files.push(path)
          else odd.push(path)
        }
      }
      return { files: files.toSorted(), odd: odd.toSorted() }
    },
    async *read(path, from = 0) {
      const file = await open(join(folder, path), 'r')
      try {
        for (let at = from; ;) {
          const piece = Buffer.allocUnsafe(pieceBytes)
          const { bytesRead } = await file.read(piece, 0, pieceBytes, at)
          if (bytesRead === 0) return
          at += bytesRead
          yield piece.subarray(0, bytesRead)
        }
      } finally {
        await file.close()
      }
    },
  }
}

/** SHA-256 in hex and length of a file. */
export async function digestFile(
  folder: PackFolder,
  path: string,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of folder.read(path)) {
    hash.update(piece)
    size += piece.length
  }
  return { sha256: hash.digest('hex'), size }
}

/** A small file whole. @throws {Unproven} `bundle_malformed` when it is longer than `bytesMax`. */
export async function readSmall(
  folder: PackFolder,
  path: string,
  bytesMax: number,
): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of folder.read(path)) {
    size += piece.length
    if (size > bytesMax) throw malformed(path, `it is longer than ${bytesMax} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/**
 * The lines of a file, without their newlines.
 * @throws {Unproven} `bundle_malformed` for one longer than `bytesMax`, or a last one without end.
 */
export async function* linesOf(
  folder: PackFolder,
  path: string,
  bytesMax: number,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0) // The beginning of a line whose end has not come yet.
  for await (const piece of folder.read(path)) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    let from = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      if (end - from > bytesMax) throw malformed(path, `a line is over ${bytesMax} bytes`)
      yield bytes.subarray(from, end)
      from = end + 1
    }
    rest = bytes.subarray(from)
    if (rest.length > bytesMax) throw malformed(path, `a line is over ${bytesMax} bytes`)
  }
  if (rest.length > 0) throw malformed(path, 'its last line has no end')
}

/** Bytes of a file taken one stretch after the other. */
export class ByteRun {
  readonly #pieces: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(folder: PackFolder, path: string) {
    this.#pieces = folder.read(path)[Symbol.asyncIterator]()
  }

  /** The next `length` bytes; fewer at the end of the file. */
  async take(length: number): Promise<Buffer> {
    const parts = [this.#rest]
    let have = this.#rest.length
    while (have < length) {
      const next = await this.#pieces.next()
      if (next.done === true) break
      parts.push(next.value)
      have += next.value.length
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts)
    this.#rest = all.subarray(length)
    return all.subarray(0, length)
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }
}
