/**
 * The names of a machine whose power may fail: what its processes see in the folders, and what of it
 * is durable. A change of a name is durable once its folder was synced.
 */
import { basename, dirname } from 'node:path'
import type { Dice } from './dice.ts'
import type { PagedFile } from './paged.ts'

/** What a loss of power spares of the changes not synced: `first` keeps the order of a journal. */
export type SparedNames = 'none' | 'all' | 'first' | 'some'

interface Change {
  readonly folder: string
  apply(names: Map<string, PagedFile>): void
}

export class NamedFiles {
  #seen = new Map<string, PagedFile>()
  #kept = new Map<string, PagedFile>()
  #folders = new Set<string>(['/'])
  #keptFolders = new Set<string>(['/'])
  #changes: Change[] = []

  get(path: string): PagedFile | undefined {
    return this.#seen.get(path)
  }

  paths(): string[] {
    return [...this.#seen.keys()].toSorted()
  }

  hasFolder(path: string): boolean {
    return this.#folders.has(path)
  }

  /** @param durably false leaves the names of the folders for the next loss of power to decide. */
  makeFolder(path: string, durably: boolean): void {
    for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) {
      this.#folders.add(at)
      if (durably) this.#keptFolders.add(at)
    }
  }

  list(folder: string): string[] {
    const all = [...this.#seen.keys(), ...this.#folders]
    const inside = all.filter((path) => dirname(path) === folder && path !== '/')
    return inside.map((path) => basename(path)).toSorted()
  }

  make(path: string, file: PagedFile): void {
    this.#change({ folder: dirname(path), apply: (names) => names.set(path, file) })
  }

  remove(path: string): void {
    this.#change({ folder: dirname(path), apply: (names) => names.delete(path) })
  }

  rename(from: string, to: string, file: PagedFile): void {
    const apply = (names: Map<string, PagedFile>): void => {
      names.delete(from)
      names.set(to, file)
    }
    this.#change({ folder: dirname(to), apply })
  }

  sync(folder: string): void {
    for (const change of this.#changes) {
      if (change.folder === folder) change.apply(this.#kept)
    }
    this.#changes = this.#changes.filter((change) => change.folder !== folder)
  }

  /** Takes a name away at once and for good, or puts a file there. */
  put(path: string, file: PagedFile | undefined): void {
    for (const names of [this.#seen, this.#kept]) {
      if (file) names.set(path, file)
      else names.delete(path)
    }
  }

  /** The power goes; what is left of the files is for the caller to say. */
  losePower(dice: Dice, spared: SparedNames): void {
    const left = spared === 'all' ? Infinity : dice.below(this.#changes.length + 1)
    for (const [i, change] of this.#changes.entries()) {
      const isKept = spared === 'some' ? dice.chance(0.5) : spared !== 'none' && i < left
      if (isKept) change.apply(this.#kept)
    }
    this.#changes = []
    this.#folders = new Set(this.#keptFolders)
    // What stood in a folder whose own name is lost cannot be reached any more.
    for (const path of this.#kept.keys()) {
      if (!this.#folders.has(dirname(path))) this.#kept.delete(path)
    }
    this.#seen = new Map(this.#kept)
  }

  #change(change: Change): void {
    change.apply(this.#seen)
    this.#changes.push(change)
  }
}
