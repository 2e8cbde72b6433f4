/** How much of the processor a thread of ours gets when there is not enough for all. */
import { setPriority } from 'node:os'

/**
 * Lets the calling thread step back behind the one that serves calls. On Linux the priority is that
 * of a thread; elsewhere it would be that of the whole process, and nothing is done.
 * @param nice 0 to 19: 5 leaves it a quarter of a busy core, 19 a sixtieth.
 */
export function stepBack(nice: number): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(nice)
  } catch {
    // Not permitted here: it goes on as before.
  }
}
