/**
 * The only door to the disk for everything that must survive a crash. Tests hand in another disk,
 * one that fails at a chosen operation or forgets what was never made durable.
 */
import {
  close,
  constants,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  open,
  read,
  write,
  writev,
} from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'

/** Told once a commit has ended: `written` counts bytes and may be short even without an error. */
export type Committed = (error: Error | null, written: number) => void

/** One open file, addressed by position. Callers keep to one commit at a time for each file. */
export interface DiskFile {
  /**
   * Writes the parts end to end at `position` and makes them durable, then tells `done`. A commit
   * which failed leaves the bytes in any state: all there, some, or none. It must not be tried
   * again: after a failed sync Linux may call the pages clean although they never reached the disk.
   * Whole blocks out of `alignedBytes`, at a multiple of `blockBytes`, go past the page cache where
   * the file system lets them. The parts are not written to until `done`.
   */
  commit(parts: readonly Uint8Array[], position: number, done: Committed): void
  /** Fills `into` from `position`; returns how many bytes there were, 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>
  size(): Promise<number>
  /** Cuts or extends the file to `size` bytes, durably. */
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

/** Files and folders. Paths are absolute or relative to the working folder, as for `node:fs`. */
export interface Disk {
  /** A new file for reading and writing; fails with code `EEXIST` when the name is taken. Its name
   *  is durable only after `syncFolder` of its folder. */
  create(path: string): Promise<DiskFile>
  /** An existing file for reading and writing, or for reading only. */
  open(path: string, mode: 'read' | 'write'): Promise<DiskFile>
  /** Makes the folder and its missing parents, durably; no error when it is there. */
  makeFolder(path: string): Promise<void>
  /** Makes the names inside this folder durable: what was created, renamed or removed in it. */
  syncFolder(path: string): Promise<void>
  /** Names inside a folder in order; none when there is no such folder. */
  list(path: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Bytes an ordinary user may still write to the file system that holds `path`. */
  freeBytes(path: string): Promise<number>
}

/** With `O_DSYNC` one `writev` is both the write and the `fdatasync`: one trip to the thread pool
 *  instead of two. Elsewhere than on Linux the flag promises less than `fdatasync`, so both run. */
const oneStep = process.platform === 'linux'
const writing = constants.O_RDWR | (oneStep ? constants.O_DSYNC : 0)

/** The unit of writes past the page cache: no less than the sector of any disk in use. */
export const blockBytes = 4096

/** All that `alignedBytes` has made: of other memory nobody knows where it begins. */
const aligned = new WeakSet<ArrayBufferLike>()

/** Zeros that begin at the border of a memory page, as a disk wants them which reads them itself.
 *  V8 maps a buffer that may be resized on pages of its own; `Buffer.alloc` begins anywhere. If that
 *  ever changes, commits go through the page cache: slower, and as durable. */
export function alignedBytes(length: number): Buffer {
  const pages = new ArrayBuffer(length, { maxByteLength: length })
  aligned.add(pages)
  return Buffer.from(pages)
}

/** Of an open file: the descriptor for everything, and the one for whole blocks if there is one. */
interface Descriptors {
  readonly plain: number
  direct: number | undefined
}

/** The machine's disk. Files are made with mode 0600, folders with 0700. */
export const realDisk: Disk = {
  create: (path) => openFile(path, writing | constants.O_CREAT | constants.O_EXCL),
  open: (path, mode) => openFile(path, mode === 'write' ? writing : constants.O_RDONLY),
  async makeFolder(path) {
    const first = await fs.mkdir(path, { recursive: true, mode: 0o700 })
    if (first === undefined) {
      // It may have been made by a process that died before the names were durable.
      await syncFolder(dirname(path))
      await syncFolder(dirname(dirname(path)))
      return
    }
    // Each new folder's name stands in its parent, so each parent is synced, innermost first.
    for (let at = path; at.length >= first.length; at = dirname(at)) {
      await syncFolder(dirname(at))
      if (dirname(at) === at) return
    }
  },
  syncFolder,
  async list(path) {
    try {
      return (await fs.readdir(path)).toSorted()
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    }
  },
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.unlink(path),
  async freeBytes(path) {
    const { bavail, bsize } = await fs.statfs(path)
    return bavail * bsize
  },
}

/** The system's word for what went wrong (`ENOENT`, `ENOSPC`), or undefined if it gave none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Writes a small file so that after a crash it is either whole or not there under its name. */
export async function writeWhole(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part`
  // A part left by an earlier crash was never given its name: nobody counts on it.
  await disk.remove(part).catch(ignoreMissing)
  const file = await disk.create(part)
  try {
    await commitWhole(file, bytes)
  } finally {
    await file.close()
  }
  await disk.rename(part, path)
  await disk.syncFolder(dirname(path))
}

/** The whole content of a small file. */
export async function readWhole(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(await file.size())
    return bytes.subarray(0, await file.read(bytes, 0))
  } finally {
    await file.close()
  }
}

/** Commits `bytes` at a position; rejects on an error and on a short write alike. */
export function commitWhole(file: DiskFile, bytes: Uint8Array, position = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    file.commit([bytes], position, (error, written) => {
      if (error) reject(error)
      else if (written === bytes.length) resolve()
      else reject(new Error(`Wrote ${written} of ${bytes.length} bytes`))
    })
  })
}

/** For `catch`: what is not there need not be removed. */
export function ignoreMissing(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') throw error
}

async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function openFile(path: string, flags: number): Promise<DiskFile> {
  const plain = await openDescriptor(path, flags)
  // A file system that cannot do it says so with an error, now or at the first write.
  const isWritten = oneStep && flags !== constants.O_RDONLY
  const past = constants.O_WRONLY | constants.O_DSYNC | constants.O_DIRECT
  const direct = isWritten ? await openDescriptor(path, past).catch(() => undefined) : undefined
  return fileOf({ plain, direct })
}

function openDescriptor(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, 0o600, (error, fd) => (error ? reject(error) : resolve(fd)))
  })
}

/** Callbacks rather than promises where each call waits for it: `commit` is the hot path. */
function fileOf(descriptors: Descriptors): DiskFile {
  const { plain } = descriptors
  return {
    commit: commitTo(descriptors),
    read: (into, position) => readFully(plain, into, position),
    size: () =>
      new Promise((resolve, reject) => {
        fstat(plain, (error, stats) => (error ? reject(error) : resolve(stats.size)))
      }),
    truncate: (size) =>
      new Promise((resolve, reject) => {
        ftruncate(plain, size, (error) => {
          if (error) reject(error)
          else fsync(plain, (failed) => (failed ? reject(failed) : resolve()))
        })
      }),
    async close() {
      const { direct } = descriptors
      descriptors.direct = undefined
      try {
        if (direct !== undefined) await closeDescriptor(direct)
      } finally {
        await closeDescriptor(plain)
      }
    },
  }
}

function commitTo(descriptors: Descriptors): DiskFile['commit'] {
  const { plain } = descriptors
  let worked = false // A write past the page cache has succeeded.
  const throughCache: DiskFile['commit'] = (parts, position, done) => {
    writeParts(plain, parts, position, (error, written) => {
      if (error || oneStep) done(error, written)
      else fdatasync(plain, (failed) => done(failed, failed ? 0 : written))
    })
  }
  return (parts, position, done) => {
    const { direct } = descriptors
    if (direct === undefined || !areBlocks(parts, position)) {
      return throughCache(parts, position, done)
    }
    writeParts(direct, parts, position, (error, written) => {
      if (errorCode(error) === 'EINVAL' && !worked) {
        // Going on is safe: the blocks are refused for their size or their place in memory, before
        // any of them is written, and every commit of this file goes through the cache from now on.
        descriptors.direct = undefined
        close(direct, () => throughCache(parts, position, done))
        return
      }
      worked ||= !error
      done(error, written)
    })
  }
}

function areBlocks(parts: readonly Uint8Array[], position: number): boolean {
  const isWhole = (bytes: number): boolean => bytes % blockBytes === 0
  return (
    isWhole(position) &&
    parts.every(({ buffer, byteOffset, length }) => {
      return isWhole(length) && isWhole(byteOffset) && aligned.has(buffer)
    })
  )
}

function writeParts(
  fd: number,
  parts: readonly Uint8Array[],
  position: number,
  done: Committed,
): void {
  const [first] = parts
  if (parts.length !== 1 || !first) writev(fd, parts, position, done)
  else write(fd, first, 0, first.length, position, done)
}

function closeDescriptor(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    close(fd, (error) => (error ? reject(error) : resolve()))
  })
}

/** One `read` may bring less than was asked for; only 0 means the end. */
async function readFully(fd: number, into: Uint8Array, position: number): Promise<number> {
  let done = 0 // Invariant: into[0, done) holds the file's bytes from `position` on.
  while (done < into.length) {
    const got = await readSome(fd, into, done, position + done)
    if (got === 0) break
    done += got
  }
  return done
}

function readSome(fd: number, into: Uint8Array, at: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, at, into.length - at, position, (error, got) => {
      if (error) reject(error)
      else resolve(got)
    })
  })
}
