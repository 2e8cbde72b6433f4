import { randomFillSync } from 'node:crypto'

/** Letters only, none that look alike: an id can never hold a run of digits that looks like a card. */
const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGH' // 32 of them: 5 bits a letter
const pool = new Uint8Array(4096)
let used = pool.length

/**
 * A new random id: the prefix, an underscore, and 24 letters (120 bits). Unguessable, unordered.
 * @param prefix what it names, for people: `ex` exchange, `se` session, `st` stream.
 */
export function newId(prefix: string): string {
  if (used + 24 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let id = `${prefix}_`
  for (let i = 0; i < 24; i++) id += letters.charAt((pool[used + i] ?? 0) & 31)
  used += 24
  return id
}
