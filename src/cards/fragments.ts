/** Where JSON may begin amid a text. */

const backslash = 0x5c
const quote = 0x22

/** The next bracket in [at, end) behind which JSON may come: a quote or another one follows; or -1. */
export function opening(b: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const c = b[i] ?? 0
    if (c !== 0x7b && c !== 0x5b) continue
    let next = i + 1
    while (next < end) {
      if (isBlank(b[next] ?? 0)) next++
      else if (b[next] === backslash) {
        let letter = next
        while (letter < end && b[letter] === backslash) letter++
        if (b[letter] === quote) return i
        if (b[letter] !== 0x6e && b[letter] !== 0x72 && b[letter] !== 0x74) break
        next = letter + 1
      } else break
    }
    const sign = next < end ? (b[next] ?? 0) : 0
    if (sign === quote || (c === 0x5b && (sign === 0x7b || sign === 0x5b))) return i
  }
  return -1
}

const isBlank = (b: number): boolean => b === 0x20 || (b >= 0x09 && b <= 0x0d)
