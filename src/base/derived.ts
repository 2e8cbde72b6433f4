/**
 * Files that can be made again from others. They are written without waiting for the disk, under
 * their names at once and whole, and made durable together later; after a loss of power any of those
 * written since may be missing, empty or old, and is made again. Whatever must survive by itself goes
 * through `Disk`.
 */
import * as fs from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { errorCode } from './disk.ts'

export interface DerivedFiles {
  /** Readers see the old file or the new one, whole. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** Undefined when there is no such file. */
  read(path: string): Promise<Buffer | undefined>
  /** Names inside a folder; none when there is no such folder. */
  list(path: string): Promise<string[]>
  /** Every file below a folder, at any depth, in no order. */
  walk(path: string): Promise<string[]>
  /** No error when there is none. */
  remove(path: string): Promise<void>
  /** Makes everything written since the last time durable. */
  sync(): Promise<void>
}

/** Derived files below one folder; paths are relative to it, with `/`. */
export function derivedFiles(folder: string): DerivedFiles {
  const fresh = new Set<string>()
  const made = new Set<string>() // Folders that are there: files go, folders stay.
  return {
    async write(path, bytes) {
      const whole = join(folder, path)
      const within = dirname(whole)
      if (!made.has(within)) await fs.mkdir(within, { recursive: true, mode: 0o700 })
      made.add(within)
      await fs.writeFile(`${whole}.part`, bytes, { mode: 0o600 })
      await fs.rename(`${whole}.part`, whole)
      fresh.add(whole)
    },
    async read(path) {
      return await fs.readFile(join(folder, path)).catch(orMissing)
    },
    async list(path) {
      return (await fs.readdir(join(folder, path)).catch(orMissing)) ?? []
    },
    async walk(path) {
      const options = { recursive: true, withFileTypes: true } as const
      const found = (await fs.readdir(join(folder, path), options).catch(orMissing)) ?? []
      const files = found.filter((entry) => !entry.isDirectory())
      return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    },
    async remove(path) {
      const whole = join(folder, path)
      fresh.delete(whole)
      await fs.unlink(whole).catch(orMissing)
    },
    async sync() {
      const paths = Array.from(fresh)
      fresh.clear()
      for (const path of paths) await syncPath(path)
      for (const path of new Set(paths.flatMap((each) => foldersOf(each, folder)))) {
        await syncPath(path)
      }
    },
  }
}

/** Every folder from that of the file up to `top`: each holds a name that may be new. */
function foldersOf(path: string, top: string): string[] {
  const folders: string[] = []
  for (let at = dirname(path); at.length >= top.length; at = dirname(at)) {
    folders.push(at)
    if (dirname(at) === at) break
  }
  return folders
}

async function syncPath(path: string): Promise<void> {
  const file = await fs.open(path, 'r').catch(orMissing)
  if (!file) return // Removed meanwhile.
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function orMissing(error: unknown): undefined {
  if (errorCode(error) === 'ENOENT') return undefined
  throw error
}
