/** One after the other for the same thing, side by side for different ones. */
import { Fault } from '../base/fault.ts'

export interface Turns {
  /** @throws {Fault} `busy` when a hundred are at this key already. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>
}

const waitingMax = 100

export function createTurns(): Turns {
  const queues = new Map<string, { end: Promise<unknown>; waiting: number }>()
  return {
    async take(key, work) {
      const queue = queues.get(key) ?? { end: Promise.resolve(), waiting: 0 }
      if (queue.waiting >= waitingMax) {
        throw new Fault('busy', 'Too many changes of this wait already. Send it again later.')
      }
      queues.set(key, queue)
      queue.waiting++
      const mine = queue.end.then(work)
      // Whoever is next waits for the end, good or bad: the fault goes to the one whose work it was.
      queue.end = mine.catch(() => undefined)
      try {
        return await mine
      } finally {
        queue.waiting--
        if (queue.waiting === 0) queues.delete(key)
      }
    },
  }
}
