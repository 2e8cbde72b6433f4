/** A secret in a file, followed when the file changes. */
import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { missing } from './secret-form.ts'

const pollMs = 1_000
const bytesMax = 64 * 1024

export interface FileWatch {
  readonly clock: Clock
  /** Takes the text up. @throws {Fault} when it cannot be used. */
  readonly take: (text: string) => void
  readonly onTrouble?: ((fault: Fault) => void) | undefined
}

/**
 * Reads the file now; what comes back looks at it again, at most once a second.
 * @throws {Fault} `secret_missing` as `readSecretFile` and `take`.
 */
export function watchFile(
  path: string,
  where: string,
  { clock, onTrouble, take }: FileWatch,
): () => void {
  const first = readSecretFile(path, where)
  take(first.text)
  let seen = first.stamp // The last stamp looked at, usable or not: trouble is told once.
  let lookedMs = clock.monotonicMs()
  return () => {
    if (clock.monotonicMs() - lookedMs < pollMs) return
    lookedMs = clock.monotonicMs()
    const now = stampOf(statSync(path, { throwIfNoEntry: false }))
    if (now === seen) return
    seen = now
    try {
      const { text, stamp } = readSecretFile(path, where)
      take(text)
      seen = stamp
    } catch (error) {
      // Going on is safe: the value in force was good, and the server decides whether it still is.
      if (error instanceof Fault) onTrouble?.(error)
    }
  }
}

/** Mounted secrets are swapped by turning a symbolic link: time and inode change, the path does not. */
function stampOf(stats: Stats | undefined): string {
  if (stats === undefined) return 'gone'
  return [stats.dev, stats.ino, stats.mtimeMs, stats.ctimeMs, stats.size].join(':')
}

/**
 * The text of a file that only its owner can read, without one line break at its end, and a stamp
 * that differs once the file was changed. One descriptor for looking and reading, so that both are
 * of one file.
 * @throws {Fault} `secret_missing` when there is none, others can read it, or it is over 64 KiB.
 */
export function readSecretFile(path: string, where: string): { text: string; stamp: string } {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (cause) {
    throw missing(where, 'its file is not there or cannot be opened', cause)
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw missing(where, 'its path is no file')
    if ((stats.mode & 0o077) !== 0) {
      throw missing(where, 'its file can be read by others than its owner; chmod it to 600 or 400')
    }
    if (stats.size > bytesMax) throw missing(where, `its file is larger than ${bytesMax} bytes`)
    const text = readFileSync(descriptor, 'utf8').replace(/\r?\n$/, '')
    return { text, stamp: stampOf(stats) }
  } finally {
    closeSync(descriptor)
  }
}
