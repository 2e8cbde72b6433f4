/** Writes the files of a pack and knows what was written: path, size and digest. */
import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { PackedFile } from './pack-format.ts'

const bufferBytes = 262_144

interface Open {
  readonly file: FileHandle
  readonly hash: Hash
  waiting: Uint8Array[]
  waitingBytes: number
  size: number
}

export class PackWriter {
  readonly #folder: string
  readonly #open = new Map<string, Open>()
  readonly #done: PackedFile[] = []
  readonly #folders = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
    this.#folders.add(folder)
  }

  /** Appends to a file, which is made at the first time. */
  async add(path: string, bytes: Uint8Array): Promise<void> {
    const to = this.#open.get(path) ?? (await this.#begin(path))
    to.hash.update(bytes)
    to.size += bytes.length
    to.waiting.push(bytes)
    to.waitingBytes += bytes.length
    if (to.waitingBytes >= bufferBytes) await flush(to)
  }

  /** Ends a file; one to which nothing was added is empty. Its content is durable then. */
  async finish(path: string): Promise<void> {
    const at = this.#open.get(path) ?? (await this.#begin(path))
    try {
      await flush(at)
      await at.file.sync()
    } finally {
      this.#open.delete(path)
      await at.file.close()
    }
    this.#done.push({ path, size: at.size, sha256: at.hash.digest('hex') })
  }

  async whole(path: string, text: string): Promise<void> {
    if (text !== '') await this.add(path, Buffer.from(text))
    await this.finish(path)
  }

  /** What is finished, by path. */
  list(): PackedFile[] {
    return this.#done.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Makes the names durable as well. */
  async sync(): Promise<void> {
    for (const path of this.#folders) {
      const folder = await open(path, 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    }
  }

  /** Closes what a fault left open. */
  async abandon(): Promise<void> {
    const files = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(files.map(({ file }) => file.close()))
  }

  async #begin(path: string): Promise<Open> {
    const whole = join(this.#folder, path)
    await mkdir(dirname(whole), { recursive: true, mode: 0o700 })
    this.#folders.add(dirname(whole))
    const file = await open(whole, 'wx', 0o600)
    const fresh = { file, hash: createHash('sha256'), waiting: [], waitingBytes: 0, size: 0 }
    this.#open.set(path, fresh)
    return fresh
  }
}

async function flush(to: Open): Promise<void> {
  const bytes = Buffer.concat(to.waiting, to.waitingBytes)
  to.waiting = []
  to.waitingBytes = 0
  for (let at = 0; at < bytes.length;) {
    at += (await to.file.write(bytes, at)).bytesWritten
  }
}
