/** What the kernel found in the window at hand, and how much scalar work it took. */
import { SPOTS, WINDOW } from './memory'

/** Spots nearer than this become one. */
const NEAR: i32 = 64

/** Steps of scalar code since `clear`. */
export let steps: i32 = 0
/** Whether a name of a secret was seen. */
export let secret: i32 = 0
/** How many spots of the window are written. */
export let count: i32 = 0

// @ts-ignore: decorator
@inline
export function worked(n: i32): void {
  steps += n
}

export function markSecret(): void {
  secret = 1
}

export function clear(): void {
  steps = 0
  secret = 0
  count = 0
}

export function clearSpots(): void {
  count = 0
}

/** Adds [from, to), in offsets from the window's start. What it touches becomes a part of it. */
export function emit(from: i32, to: i32): void {
  while (count > 0) {
    const last = SPOTS + <usize>((count - 1) << 3)
    const end = load<i32>(last, 4)
    if (from > end + NEAR) break
    from = min(from, load<i32>(last))
    to = max(to, end)
    count--
  }
  const next = SPOTS + <usize>(count << 3)
  store<i32>(next, from)
  store<i32>(next, to, 4)
  count++
}

// @ts-ignore: decorator
@inline
export function offset(p: usize): i32 {
  return <i32>p - <i32>WINDOW
}
