/**
 * The keyed hash of a card number: equal for equal numbers, and no way back without the key. It lets
 * distinct numbers be counted where no number may be kept.
 *
 * HalfSipHash-2-4 with a 64-bit key and a 32-bit output, the member of the SipHash family that works
 * on 32-bit words (J.-P. Aumasson and D. J. Bernstein, SipHash: a fast short-input PRF, 2012; its
 * reference implementation, halfsiphash.c). Against a plain hash all numbers of an issuer can be
 * tried in seconds (PCI DSS v4.0.1 req. 3.5.1.1), so whoever stores one of these keeps the key apart
 * and secret.
 */

/**
 * Nothing is allocated: this runs for each card number that is found.
 * @param digits the values of the digits, 0 to 9, one a byte.
 * @param length how many of them count.
 * @param key two words, the first one the lower half of the key (little-endian).
 * @returns a signed 32-bit integer, never 0: a 0 becomes a 1.
 */
export function cardHash(digits: Uint8Array, length: number, key: Uint32Array): number {
  const k0 = (key[0] ?? 0) | 0
  const k1 = (key[1] ?? 0) | 0
  let v0 = k0
  let v1 = k1
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const last = length >> 2 // The block of what is left, 0 to 3 bytes, and the length on top.
  // Two further blocks of zeros are the four rounds of the end.
  for (let block = 0; block <= last + 2; block++) {
    let m = 0
    const at = block << 2
    if (block < last) {
      m = (digits[at] ?? 0) | ((digits[at + 1] ?? 0) << 8)
      m |= ((digits[at + 2] ?? 0) << 16) | ((digits[at + 3] ?? 0) << 24)
    } else if (block === last) {
      m = length << 24
      for (let i = at; i < length; i++) m |= (digits[i] ?? 0) << ((i - at) << 3)
    } else if (block === last + 1) v2 ^= 0xff
    v3 ^= m
    for (let round = 0; round < 2; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    v0 ^= m
  }
  const hash = v1 ^ v3
  return hash === 0 ? 1 : hash
}
