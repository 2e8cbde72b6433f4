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

/** Adds [from, to), in offsets from the window's start. What it is near becomes a part of it. */
export function emit(from: i32, to: i32): void {
  // Those behind it make room; they are few, since all are of the last 4 KB.
  let i = count
  while (i > 0 && startOf(i - 1) > to + NEAR) i--
  let first = i
  while (first > 0 && from <= endOf(first - 1) + NEAR) {
    first--
    from = min(from, startOf(first))
    to = max(to, endOf(first))
  }
  const at = SPOTS + <usize>(first << 3)
  const behind = SPOTS + <usize>(i << 3)
  memory.copy(at + 8, behind, <usize>((count - i) << 3))
  count += first + 1 - i
  steps += count - first
  store<i32>(at, from)
  store<i32>(at, to, 4)
}

// @ts-ignore: decorator
@inline
function startOf(i: i32): i32 {
  return load<i32>(SPOTS + <usize>(i << 3))
}

// @ts-ignore: decorator
@inline
function endOf(i: i32): i32 {
  return load<i32>(SPOTS + <usize>(i << 3), 4)
}

// @ts-ignore: decorator
@inline
export function offset(p: usize): i32 {
  return <i32>p - <i32>WINDOW
}
