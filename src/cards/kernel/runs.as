/**
 * Runs of digits for the second look, which looks for card numbers as they stand: where a run of four
 * digits and more ends that goes on to as many as a number has, with what may join them between. It
 * shares nothing with the quick look but the bytes at hand and what their classes are.
 */
import { INTRO, JOINER, STARTS, VECTORS, WINDOW, at, classAt } from './memory'
import { isDigit, mask } from './vectors'

/** The least digits of a number. */
const NUMBER_MIN: usize = 12
/** What reaches so far is left to the careful eye. */
const REACH: usize = 64

/** Digits of the block before, as a mask. */
let before: u64 = 0

/** Prepares for a message. */
export function beginRuns(): void {
  before = 0
}

/**
 * Reads the window of so many bytes. Returns how many ends of runs it wrote to STARTS: two bytes each,
 * ascending, as offsets from the window's start of what follows the run.
 */
export function runs(bytes: i32): i32 {
  const end = WINDOW + <usize>bytes
  const zero = v128.load(VECTORS)
  const ten = v128.load(VECTORS, 16)
  let to = STARTS
  let previous = before
  for (let p = WINDOW; p < end; p += 64) {
    const digits = mask(
      isDigit(v128.load(p), zero, ten),
      isDigit(v128.load(p, 16), zero, ten),
      isDigit(v128.load(p, 32), zero, ten),
      isDigit(v128.load(p, 48), zero, ten),
    )
    // Bit k: the bytes from k - 3 to k are digits, and k + 1 is none.
    const two = digits & ((digits << 1) | (previous >> 63))
    const four = two & ((two << 2) | ((previous & (previous << 1)) >> 62))
    const next = <u64>(at(p + 64) - 0x30 < 10) << 63
    let ends = four & ~((digits >> 1) | next)
    if (end - p < 64) ends &= (<u64>1 << <u64>(end - p)) - 1
    previous = digits
    for (; ends != 0; ends &= ends - 1) {
      const q = p + <usize>ctz(ends) + 1
      store<u16>(to, <u32>(q - WINDOW))
      if (isEnough(q)) to += 2
    }
  }
  before = previous
  return <i32>((to - STARTS) >> 1)
}

/** Whether digits enough stand round `q`, where a run of four or more ends, and behind it. */
function isEnough(q: usize): bool {
  let digits: usize = 4
  while (digits < NUMBER_MIN && at(q - digits - 1) - 0x30 < 10) digits++
  for (let p = q; digits < NUMBER_MIN && p - q < REACH; p++) {
    const c = at(p)
    if (c - 0x30 < 10) digits++
    else if ((classAt(p) & (JOINER | INTRO)) == 0) {
      // The letter of a line break follows a backslash.
      if ((c != 0x6e && c != 0x72) || at(p - 1) != 0x5c) return false
    }
  }
  return true
}
