/** How long this disk takes to make a small write durable: the floor under every recorded call. */
import { mkdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Appends and syncs as the record does when one call comes at a time.
 * @param folder on the disk in question; the file made there is removed.
 * @returns the median in milliseconds.
 */
export async function syncP50Ms(folder: string, times = 200): Promise<number> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'sync-probe')
  const handle = await open(file, 'w')
  const taken: number[] = []
  try {
    const bytes = Buffer.alloc(2048, 7)
    for (let i = 0; i < times; i++) {
      await handle.write(bytes, 0, bytes.length, i * bytes.length)
      const start = performance.now()
      await handle.datasync()
      taken.push(performance.now() - start)
    }
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
  return taken.toSorted((a, b) => a - b)[times >> 1] ?? NaN
}
