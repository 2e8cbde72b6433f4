/**
 * Proofs of single entries (C2SP tlog-proof): made from the tiles and the newest checkpoint of a
 * log's folder, and checked without it.
 */
import { join } from 'node:path'
import { derivedFiles } from '../base/derived.ts'
import { Fault } from '../base/fault.ts'
import { LineReader } from '../record/lines.ts'
import { reading } from '../record/tree.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { leafHash, verifyInclusion } from '../tlog/merkle.ts'
import { parseVkey, splitNote } from '../tlog/note.ts'
import { formatProof, parseProof, verifyProof as verifyByPolicy } from '../tlog/proof.ts'
import { HashReader } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { OpenedCheckpoint } from '../tlog/checkpoint.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import type { RecordPlace } from '../record/read.ts'

/** The newest checkpoint of a log, as its folder shows it, and the hashes below it. */
export interface SignedTree {
  readonly note: string
  readonly checkpoint: Checkpoint
  readonly hashes: HashReader
}

/** @throws {Fault} `record_down` with reason `not_signed` when the log has no checkpoint yet. */
export async function signedTree({ dir, writer }: RecordPlace): Promise<SignedTree> {
  const files = derivedFiles(join(dir, writer))
  const note = (await files.read('checkpoint'))?.toString('utf8')
  if (note === undefined) throw notSigned('The log has no signed checkpoint yet.')
  // Its signature is for whoever verifies: he has the key from elsewhere.
  const checkpoint = parseCheckpoint(splitNote(note).text)
  return { note, checkpoint, hashes: new HashReader(checkpoint.size, reading(files)) }
}

/**
 * Proves one entry in a single file: the proof carries the entry itself as its `extra`.
 * @returns the text of the file, and the entry's bytes as they stand in the log.
 * @throws {Fault} `record_down` with reason `not_signed` when no checkpoint covers the entry yet,
 *   `not_there` when its segment was removed or is damaged, `tree_differs` when the entry is not the
 *   one whose hash was signed.
 */
export async function proveEntry(
  place: RecordPlace,
  index: number,
): Promise<{ readonly proof: string; readonly line: Buffer }> {
  const tree = await signedTree(place)
  checkSigned(index, tree.checkpoint)
  const line = await lineAt(place, index)
  const hashes = await proofOf(tree, index)
  const { root, size } = tree.checkpoint
  if (!verifyInclusion(index, size, leafHash(line), hashes, root)) throw differs(index)
  return { proof: formatProof({ index, hashes, checkpoint: tree.note, extra: line }), line }
}

/**
 * Proves many entries whose bytes the caller has, all under the checkpoint that is newest now.
 * @returns what gives the proof of an entry, without the entry; undefined when the checkpoint does
 *   not cover it. @throws {Fault} as `signedTree`.
 */
export async function prover(
  place: RecordPlace,
): Promise<(index: number) => Promise<string | undefined>> {
  const tree = await signedTree(place)
  return async (index) => {
    if (index >= tree.checkpoint.size) return undefined
    return formatProof({ index, hashes: await proofOf(tree, index), checkpoint: tree.note })
  }
}

/** The siblings of an entry. @throws {Fault} `record_down`, reason `tiles_missing`. */
export async function proofOf({ hashes }: SignedTree, index: number): Promise<Buffer[]> {
  try {
    return await hashes.inclusionProof(index)
  } catch (cause) {
    if (!(cause instanceof Unproven)) throw cause
    throw new Fault(
      'record_down',
      'A tile of the log is missing or cut short, so nothing can be proven from this folder. The ' +
        'next start of the gateway makes it again.',
      { cause, facts: { reason: 'tiles_missing' } },
    )
  }
}

/**
 * Checks a proof file.
 * @param line the entry's bytes from wherever they came; undefined takes those in the file.
 * @param keys vkeys of the log, got elsewhere than with the proof.
 * @returns the checkpoint in it, and the entry's bytes: proven now.
 * @throws {Unproven} `proof_malformed`, `key_malformed`, `signature_missing`, `signature_bad`,
 *   `origin_other` when no key is of the log it is about, `inclusion_bad`.
 */
export function verifyProof(
  proofText: Uint8Array | string,
  line: Uint8Array | undefined,
  keys: readonly string[],
): { readonly checkpoint: OpenedCheckpoint; readonly line: Uint8Array; readonly index: number } {
  const proof = parseProof(proofText)
  const entry = line ?? proof.extra
  if (!entry) {
    const what = 'The proof does not carry its entry'
    throw new Unproven('proof_malformed', `${what}: give the bytes of the entry beside it.`)
  }
  const logs = [...new Set(keys)].map((vkey) => ({ vkey: parseVkey(vkey) }))
  const policy = { logs, witnesses: [], quorum: { need: 0, of: [] } }
  return { checkpoint: verifyByPolicy(proof, entry, policy), line: entry, index: proof.index }
}

function checkSigned(index: number, { size }: Checkpoint): void {
  if (index < size) return
  throw notSigned(`No checkpoint covers entry ${index} yet: the newest is of ${size} entries.`)
}

async function lineAt({ dir, disk, writer }: RecordPlace, index: number): Promise<Buffer> {
  const reader = new LineReader(disk, join(dir, writer, 'log'), index)
  try {
    const found = await reader.next()
    const line = found?.lines[0]
    if (found?.firstIndex === index && line) return line
  } finally {
    await reader.close()
  }
  throw new Fault(
    'record_down',
    `Entry ${index} is not in the record any more: its month was removed at the end of its ` +
      'retention, or its segment is damaged. Who kept the bytes of the entry, or a pack with it, ' +
      'can still prove them.',
    { facts: { reason: 'not_there', index } },
  )
}

function notSigned(what: string): Fault {
  const message = `${what} A running gateway signs one each second; a start signs what is left.`
  return new Fault('record_down', message, { facts: { reason: 'not_signed' } })
}

/** What is read is not what was signed: nothing is handed out. */
export function differs(index: number): Fault {
  return new Fault(
    'record_down',
    `Entry ${index} is not the one whose hash was signed: the record or its tiles were changed. ` +
      'Nothing was made. Keep the folder as evidence and run `sallyport audit verify` on it.',
    { facts: { reason: 'tree_differs', index } },
  )
}
