/**
 * Proofs as files (C2SP tlog-proof, extension `.tlog-proof`): that an entry is in a log, checked
 * without network by whoever has the entry's bytes and the log's key.
 *
 *     c2sp.org/tlog-proof@v1
 *     [extra <base64>]             <- authenticated by nothing
 *     index <decimal>
 *     <base64 of a hash> ...       <- 0 to 63, the leaf's sibling first
 *                                  <- the first empty line
 *     <signed checkpoint>
 */
import { assert } from '../base/assert.ts'
import type { OpenedCheckpoint } from './checkpoint.ts'
import { leafHash, verifyInclusion } from './merkle.ts'
import { openByPolicy } from './policy.ts'
import type { Policy } from './policy.ts'
import { base64Of, countOf, hashesOf, isCount, textOf } from './spelling.ts'
import { Unproven } from './unproven.ts'

const firstLine = 'c2sp.org/tlog-proof@v1'
const proofBytesMax = 2_097_152
const hashesMax = 63

/** A proof as it is spelt; nothing in it is checked. */
export interface Proof {
  readonly index: number
  /** 32 bytes each, the leaf's sibling first. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note, as it came from the log. */
  readonly checkpoint: string
  /** Bytes for the application, which nobody vouches for. */
  readonly extra?: Uint8Array
}

/** The text of a proof. */
export function formatProof({ checkpoint, extra, hashes, index }: Proof): string {
  assert(isCount(index) && hashes.length <= hashesMax, 'a proof has an index and few hashes')
  const lines = [
    firstLine,
    ...(extra ? [`extra ${Buffer.from(extra).toString('base64')}`] : []),
    `index ${index}`,
    ...hashes.map((hash) => Buffer.from(hash).toString('base64')),
  ]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/**
 * The parts of a proof.
 * @throws {Unproven} `proof_malformed` when it is over 2 MiB, not UTF-8, or spelt otherwise than
 *   `formatProof` does. The checkpoint in it is read when the proof is verified.
 */
export function parseProof(file: Uint8Array | string): Proof {
  const text = Buffer.byteLength(file) <= proofBytesMax ? textOf(file) : undefined
  const end = text?.indexOf('\n\n') ?? -1
  if (text === undefined || end < 0) throw malformed('it is too long, not UTF-8 or has one part')
  const [first, ...lines] = text.slice(0, end).split('\n')
  if (first !== firstLine) throw malformed(`its first line is not ${firstLine}`)
  const extraText = lines[0]?.startsWith('extra ') ? lines.shift()?.slice(6) : undefined
  const extra = extraText === undefined ? undefined : base64Of(extraText)
  if (extraText !== undefined && !extra) throw malformed('its extra line is not base64')
  const [indexLine = '', ...rest] = lines
  const index = indexLine.startsWith('index ') ? countOf(indexLine.slice(6)) : undefined
  const hashes = hashesOf(rest)
  if (index === undefined) throw malformed('its index is not spelt so')
  if (!hashes || hashes.length > hashesMax) throw malformed('its hashes are not spelt so')
  return { index, hashes, checkpoint: text.slice(end + 2), ...(extra ? { extra } : {}) }
}

function malformed(why: string): Unproven {
  return new Unproven('proof_malformed', `This is no proof: ${why}.`)
}

/**
 * Checks a proof: the signatures of the checkpoint first, then that the entry is in its tree.
 * @param entry the bytes of the entry, from the record or from whoever claims it.
 * @returns the checkpoint, whose lines tell the times of cosignatures.
 * @throws {Unproven} as `openByPolicy` does; `inclusion_bad` when the entry does not stand at this
 *   index of the signed tree.
 */
export function verifyProof(proof: Proof, entry: Uint8Array, policy: Policy): OpenedCheckpoint {
  const checkpoint = openByPolicy(proof.checkpoint, policy)
  const { root, size } = checkpoint
  if (!verifyInclusion(proof.index, size, leafHash(entry), proof.hashes, root)) {
    const what = `The entry is not number ${proof.index} of the signed log of ${size} entries`
    throw new Unproven('inclusion_bad', `${what}: entry or proof were changed.`)
  }
  return checkpoint
}
