/** Keys of the vectors, whose seeds are public, and what the tests sign with them. */
import type { KeyObject } from 'node:crypto'
import { privateKeyOf } from './keys.ts'
import { verifierOf } from './cosignature.ts'
import { noteSigner, parseVkey } from './note.ts'
import type { Signer, Verifier } from './note.ts'
import { hex, vectors } from './vectors.fixture.ts'
import type { KeyVector } from './vectors.fixture.ts'

const { key } = vectors.signedNote
export const origin: string = vectors.checkpoints.origin
export const logKey: KeyObject = privateKeyOf('ed25519', hex(key.seed))
export const logSigner: Signer = noteSigner(key.name, logKey)
export const logVerifier: Verifier = verifierOf(parseVkey(key.vkey))

export const witnessVector: KeyVector = vectors.cosignatureV1.key
export const witnessKey: KeyObject = privateKeyOf('ed25519', hex(witnessVector.seed))
export const witnessVerifier: Verifier = verifierOf(parseVkey(witnessVector.vkey))
