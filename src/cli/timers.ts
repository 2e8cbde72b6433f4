/** Work that is done again and again, one run at a time. */
export interface Timers {
  /** @param firstMs until the first run. */
  every(ms: number, firstMs: number, work: () => Promise<void>): void
  stop(): void
}

/** @param onError told of each run that failed; the next one comes all the same. */
export function createTimers(onError: (error: unknown) => void): Timers {
  const waiting = new Set<NodeJS.Timeout>()
  let isStopped = false
  const begin = (everyMs: number, firstMs: number, work: () => Promise<void>): void => {
    const later = (ms: number): void => {
      const timer = setTimeout(() => {
        waiting.delete(timer)
        void work()
          .catch(onError)
          .then(() => {
            if (!isStopped) later(everyMs)
          })
      }, ms)
      timer.unref()
      waiting.add(timer)
    }
    later(firstMs)
  }
  return {
    every: begin,
    stop: () => {
      isStopped = true
      for (const timer of waiting) clearTimeout(timer)
    },
  }
}
