/**
 * The files of the index: `YYYY-MM.sqlite`, while it is open with `-wal` and `-shm` beside it. A file
 * that is damaged is put aside as `YYYY-MM.sqlite.damaged`; the next one takes its place.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'

const ending = '.sqlite'

/** The months that have an index, in order. */
export function listMonths(dir: string): string[] {
  if (!existsSync(dir)) return []
  const names = readdirSync(dir).filter((name) => /^\d{4}-\d\d\.sqlite$/.test(name))
  return names.map((name) => name.slice(0, -ending.length)).toSorted()
}

export function pathOf(dir: string, month: string): string {
  return join(dir, `${month}${ending}`)
}

/** Makes the folder (mode 0700) if it is not there. */
export function makeFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
}

/** Tells one file from the next of the same name; undefined when there is none. */
export function identityOf(dir: string, month: string): string | undefined {
  const stats = statSync(pathOf(dir, month), { throwIfNoEntry: false })
  return stats && `${stats.dev} ${stats.ino}`
}

/** Removes a month's files, those put aside among them. Nothing else may have them open for writing. */
export function removeFiles(dir: string, month: string): void {
  removeAside(dir, month)
  const path = pathOf(dir, month)
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true })
  syncFolder(dir)
}

/** Removes what was put aside of a month. */
export function removeAside(dir: string, month: string): void {
  rmSync(`${pathOf(dir, month)}.damaged`, { force: true })
}

/** Puts a month's file aside under another name, for whoever wants to know what happened to it. */
export function putAside(dir: string, month: string): void {
  const path = pathOf(dir, month)
  if (existsSync(path)) renameSync(path, `${path}.damaged`)
  for (const file of [`${path}-wal`, `${path}-shm`]) rmSync(file, { force: true })
  syncFolder(dir)
}

function syncFolder(dir: string): void {
  const folder = openSync(dir, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Whether SQLite says that a file is damaged or is none of its own (SQLITE_CORRUPT, NOTADB). */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false
  return typeof error.errcode === 'number' && [11, 26].includes(error.errcode & 0xff)
}
