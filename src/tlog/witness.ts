/**
 * The witness protocol (C2SP tlog-witness, `add-checkpoint`): bodies, and what a witness decides.
 *
 *     old <size of the checkpoint which the witness cosigned last, or 0>
 *     <base64 of a hash of the consistency proof> ...      <- 0 to 63
 *                                                          <- empty line
 *     <signed checkpoint>
 */
import { assert } from '../base/assert.ts'
import { isOf, openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import type { OpenedCheckpoint } from './checkpoint.ts'
import { emptyRoot, verifyConsistency } from './merkle.ts'
import { openNote, splitNote } from './note.ts'
import type { Verifier } from './note.ts'
import { countOf, hashesOf, isCount, textOf } from './spelling.ts'
import { Unproven } from './unproven.ts'

const requestBytesMax = 2_097_152
const hashesMax = 63

/** The media type of the body of a 409, which is the size that the witness has. */
export const sizeMediaType: string = 'text/x.tlog.size'

/** A request to cosign, as it is spelt; nothing in it is checked. */
export interface WitnessRequest {
  /** The size which the witness cosigned last, 0 if it never did. */
  readonly old: number
  /** The consistency proof from there, 32 bytes each. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note. */
  readonly checkpoint: string
}

/** The body of a request. */
export function formatRequest({ checkpoint, hashes, old }: WitnessRequest): string {
  assert(isCount(old) && hashes.length <= hashesMax, 'a request has a size and few hashes')
  const lines = hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`)
  return `old ${old}\n${lines.join('')}\n${checkpoint}`
}

/**
 * The parts of a request's body.
 * @throws {Unproven} `request_malformed` when it is over 2 MiB, not UTF-8, or spelt otherwise.
 */
export function parseRequest(body: Uint8Array | string): WitnessRequest {
  const text = Buffer.byteLength(body) <= requestBytesMax ? textOf(body) : undefined
  const end = text?.indexOf('\n\n') ?? -1
  if (text === undefined || end < 0) throw malformed('it is too long, not UTF-8 or has one part')
  const [first = '', ...rest] = text.slice(0, end).split('\n')
  const old = first.startsWith('old ') ? countOf(first.slice(4)) : undefined
  const hashes = hashesOf(rest)
  if (old === undefined) throw malformed('its first line is not the old size')
  if (!hashes || hashes.length > hashesMax) throw malformed('its hashes are not spelt so')
  return { old, hashes, checkpoint: text.slice(end + 2) }
}

function malformed(why: string): Unproven {
  return new Unproven('request_malformed', `This is no request to a witness: ${why}.`)
}

/** The size and root which a witness has cosigned last for a log. */
export interface WitnessState {
  readonly size: number
  /** 32 bytes. */
  readonly root: Buffer
}

/** What a witness knows of a log: its keys, and what it cosigned last, if it ever did. */
export interface WitnessedLog {
  readonly keys: readonly Verifier[]
  readonly latest?: WitnessState
}

/**
 * What a witness answers. With 200 it first makes `latest` durable, and only if what it has recorded
 * is still what it decided on; then it cosigns. A 409 tells its size.
 */
export type WitnessVerdict =
  | { readonly status: 200; readonly checkpoint: OpenedCheckpoint; readonly latest: WitnessState }
  | { readonly status: 409; readonly size: number }
  | { readonly status: 400 | 403 | 404 | 422 }

/**
 * What a witness decides about a request, in the order of the protocol: the body, the log, its
 * signature, the sizes, the proof. Reads and writes nothing.
 * @param logOf what is known of the log of this origin.
 */
export function decide(
  body: Uint8Array | string,
  logOf: (origin: string) => WitnessedLog | undefined,
): WitnessVerdict {
  const asked = readRequest(body)
  if (!asked) return { status: 400 }
  const { origin, request } = asked
  const log = logOf(origin)
  if (!log) return { status: 404 }
  const checkpoint = readCheckpoint(request.checkpoint, origin, log.keys)
  if (!checkpoint) return { status: 403 }
  const { root, size } = checkpoint
  const { latest = { size: 0, root: emptyRoot } } = log
  if (request.old > size) return { status: 400 }
  if (request.old !== latest.size) return { status: 409, size: latest.size }
  if (!verifyConsistency(latest.size, latest.root, size, root, request.hashes)) {
    return { status: 422 }
  }
  return { status: 200, checkpoint, latest: { size, root } }
}

/** The request and the origin that it claims; undefined when it, or its checkpoint, is not spelt so. */
function readRequest(
  body: Uint8Array | string,
): { request: WitnessRequest; origin: string } | undefined {
  return provenOnly(() => {
    const request = parseRequest(body)
    const { text } = splitNote(request.checkpoint)
    return { request, origin: parseCheckpoint(text, { extensions: true }).origin }
  })
}

function readCheckpoint(
  note: string,
  origin: string,
  keys: readonly Verifier[],
): OpenedCheckpoint | undefined {
  return provenOnly(() => openCheckpoint(note, origin, keys, [], { extensions: true }))
}

/** What `read` returns; undefined when it finds that nothing is proven. Defects pass through. */
function provenOnly<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Unproven) return undefined // Each such case has its status above.
    throw error
  }
}

/** The body of a 409: the size which the witness has cosigned last. */
export function formatSize(size: number): string {
  assert(isCount(size), 'a size is a whole number')
  return `${size}\n`
}

/** The size in the body of a 409; undefined when there is none. */
export function parseSize(body: Uint8Array | string): number | undefined {
  const text = Buffer.byteLength(body) <= 17 ? textOf(body) : undefined
  return text?.endsWith('\n') ? countOf(text.slice(0, -1)) : undefined
}

/**
 * A signed checkpoint with the lines of a witness's answer under it, as far as they are verified;
 * lines of unknown keys are dropped, and a key's older line gives way.
 * @param body of a 200: signature lines.
 * @throws {Unproven} `note_malformed` when the answer is not made of signature lines;
 *   `signature_bad` when a known line does not fit; `signature_missing` when no witness's does.
 */
export function addCosignatures(
  note: string,
  body: Uint8Array | string,
  witnesses: readonly Verifier[],
): string {
  const { lines, text } = splitNote(note)
  const answer = textOf(body)
  if (!answer?.endsWith('\n') || answer.includes('\n\n') || answer.startsWith('\n')) {
    throw new Unproven('note_malformed', 'The answer of the witness is not made of signatures.')
  }
  const { verified } = openNote(`${text}\n${answer}`, witnesses)
  const kept = lines.filter((line) => !verified.some((added) => isOf(line, added)))
  return `${text}\n${[...kept, ...verified].map(({ line }) => line).join('')}`
}
