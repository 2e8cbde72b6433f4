/**
 * The proof that entries are on the disk. It is made in this file alone, by the commit itself, so
 * whoever holds one holds something that a crash will not take back.
 */
import type { DiskFile } from '../base/disk.ts'

class DurableReceipt {
  readonly #digest: string
  constructor(digest: string) {
    this.#digest = digest
  }
  /** True only for the call whose digest was handed to `append` with the entries. */
  covers(digest: string): boolean {
    return this.#digest === digest
  }
}

/** Proof that the entries appended under one digest are durable. */
export type Durable = DurableReceipt

/** Somebody waiting for entries of the batch under way. */
export interface Waiter {
  readonly digest: string
  resolve(durable: Durable): void
  reject(error: Error): void
}

/**
 * Makes one batch durable, then hands each waiter its receipt. On an error or a short write nobody
 * gets one; `done` learns of it and rejects the waiters.
 * @param parts the bytes of the batch and, after them, any zeros that lay out the file ahead.
 * @param done called before any waiter goes on: with the error, or with null when all is durable.
 */
export function commit(
  file: DiskFile,
  parts: readonly Uint8Array[],
  position: number,
  waiters: readonly Waiter[],
  done: (error: Error | null) => void,
): void {
  let total = 0
  for (const part of parts) total += part.length
  file.commit(parts, position, (error, written) => {
    // A full disk may take some bytes and report success; only the exact count is success.
    if (error) return done(error)
    if (written !== total) return done(new ShortWrite(written, total))
    done(null)
    for (const waiter of waiters) waiter.resolve(new DurableReceipt(waiter.digest))
  })
}

/** The disk took fewer bytes than it was given, without naming an error: as a rule, it is full. */
class ShortWrite extends Error {
  override readonly name = 'ShortWrite'
  readonly code = 'ESHORT'
  constructor(written: number, total: number) {
    super(`Wrote ${written} of ${total} bytes`)
  }
}
