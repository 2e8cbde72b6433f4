/** A log that grows on command: tiles and a signed checkpoint, as a writer leaves them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { derivedFiles } from '../base/derived.ts'
import { formatCheckpoint } from '../tlog/checkpoint.ts'
import { leafHash } from '../tlog/merkle.ts'
import { noteSigner, signNote, vkeyOf } from '../tlog/note.ts'
import { HashReader, TileBuilder, tilePath } from '../tlog/tiles.ts'
import { formatRequest } from '../tlog/witness.ts'
import { logKey, origin } from '../tlog/keys.fixture.ts'
import { reading } from '../record/tree.ts'
import type { Clock } from '../base/clock.ts'

export { origin } from '../tlog/keys.fixture.ts'
export const logVkey: string = vkeyOf(origin, logKey)

/** A folder that is gone after the test. */
export function folderOf(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `sallyport-${name}-`))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A clock that stands still until it is moved. */
export class StillClock implements Clock {
  seconds: number
  constructor(seconds: number) {
    this.seconds = seconds
  }
  nowUs(): number {
    return this.seconds * 1_000_000
  }
  monotonicMs(): number {
    return this.seconds * 1000
  }
}

export class GrownLog {
  readonly folder: string
  readonly #word: string
  #builder = new TileBuilder()
  #note = ''

  /** @param word what its entries say: logs of other words are other histories. */
  constructor(t: TestContext, word = 'entry') {
    this.folder = folderOf(t, 'grown')
    this.#word = word
  }

  get size(): number {
    return this.#builder.size
  }

  /** The newest checkpoint. */
  get note(): string {
    return this.#note
  }

  /** Grows to so many entries and signs. */
  async grow(size: number): Promise<void> {
    const files = derivedFiles(this.folder)
    while (this.size < size)
      this.#builder.append(leafHash(Buffer.from(`${this.#word} ${this.size}`)))
    for (const { bytes, tile } of this.#builder.take()) await files.write(tilePath(tile), bytes)
    const root = this.#builder.frontier().root()
    this.#note = signNote(formatCheckpoint({ origin, size, root }), [noteSigner(origin, logKey)])
    await files.write('checkpoint', Buffer.from(this.#note))
  }

  /** The newest checkpoint's request, from an older size. */
  async request(old: number): Promise<string> {
    const readTile = reading(derivedFiles(this.folder))
    const hashes = old === 0 ? [] : await new HashReader(this.size, readTile).consistencyProof(old)
    return formatRequest({ old, hashes, checkpoint: this.#note })
  }
}
