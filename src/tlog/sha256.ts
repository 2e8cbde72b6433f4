/** SHA-256 without a new buffer for each digest: the tree hashes millions of short messages. */
import * as crypto from 'node:crypto'

export const hashBytes = 32

// One call instead of an object each; older Node 20 has no `hash`, hence the probe.
const oneShot: typeof crypto.hash | undefined = crypto.hash

/** Writes the digest of `message` into `into` at byte `at`; `message` may overlap it. */
export const digestInto: (message: Uint8Array, into: Buffer, at: number) => void = oneShot
  ? // A string of one-byte characters is the only result that costs no buffer.
    (message, into, at) => void into.write(oneShot('sha256', message, 'binary'), at, 'binary')
  : (message, into, at) => into.set(crypto.createHash('sha256').update(message).digest(), at)

/** The digest of the parts end to end. */
export function digestOf(...parts: readonly Uint8Array[]): Buffer {
  const hash = crypto.createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
