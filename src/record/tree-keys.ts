/** The keys of a log's checkpoints: what signs now, and what has signed before. */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { cosigner, verifierOf } from '../tlog/cosignature.ts'
import { noteSigner, parseVkey, vkeyOf } from '../tlog/note.ts'
import type { CheckpointKeys } from './checkpoints.ts'

/** Private keys of one log. */
export interface SigningKeys {
  /** Ed25519. */
  readonly current: KeyObject
  /** The one before, which signs as well until everybody has the new one. */
  readonly old?: KeyObject | undefined
  /** The one before, whether it still signs or not: the newest checkpoint may be its own. */
  readonly past?: KeyObject | undefined
  /** ML-DSA-44, where the runtime has it. */
  readonly postQuantum?: KeyObject | undefined
}

/** Signers and verifiers of a log; the key's name is the log's origin (C2SP tlog-checkpoint). */
export function checkpointKeys(origin: string, keys: SigningKeys): CheckpointKeys {
  const own = [keys.current, ...(keys.old ? [keys.old] : [])]
  const { postQuantum } = keys
  const seconds = (): number => Math.floor(Date.now() / 1000)
  return {
    signers: own.map((key) => noteSigner(origin, key)),
    slow: postQuantum ? [cosigner(postQuantumName(origin), postQuantum, seconds)] : [],
    verifiers: vkeysOf(origin, { ...keys, old: keys.past ?? keys.old }).map((vkey) =>
      verifierOf(parseVkey(vkey)),
    ),
  }
}

/** The public keys that belong to these, as vkeys: the current one first. */
export function vkeysOf(origin: string, keys: SigningKeys): string[] {
  const own = [keys.current, ...(keys.old ? [keys.old] : [])]
  const vkeys = own.map((key) => vkeyOf(origin, createPublicKey(key)))
  const { postQuantum } = keys
  if (postQuantum) vkeys.push(vkeyOf(postQuantumName(origin), createPublicKey(postQuantum)))
  return vkeys
}

/** A key of another kind signs under another name. */
function postQuantumName(origin: string): string {
  return `${origin}/ml-dsa-44`
}
