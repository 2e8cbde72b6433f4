/**
 * What the files of a pack look like, without I/O: the manifest, and the lines of those that have
 * lines. Each has one spelling; whatever is spelt otherwise is refused.
 *
 *     manifest         a signed note (C2SP signed-note) of the text below
 *     checkpoint       the signed note whose tree the proofs lead to
 *     entries.jsonl    the entries as they stand in the log, one a line
 *     proofs.jsonl     {"hashes":[base64, …],"index":n} for each of them, in the same order
 *     bodies.bin       the stored bytes of their bodies, end to end
 *     keys.jsonl       {"index":n,"key":base64} for each body that can be opened
 *     handovers.jsonl  {"checkpoint","consistency","entry","hashes","index"} for each change of the
 *                      log's key: that the old key has signed a tree with the entry that says so
 *     witnessed.jsonl  {"checkpoint","consistency"}: an older checkpoint that witnesses cosigned, or none
 */
import { createHash } from 'node:crypto'
import { canonicalize } from '../tlog/canonical.ts'
import { base64Of, countOf, hasControls, hashesOf, isCount, textOf } from '../tlog/spelling.ts'
import { Unproven } from '../tlog/unproven.ts'

/** Its first line, which no checkpoint begins with: a signature is good for one of both only. */
const manifestMark = 'sallyport/pack/v1'

/** `whole`: every entry of what was named. `chosen`: entries that a query found, others between. */
export type Scope = 'whole' | 'chosen'

export interface PackedFile {
  /** SHA-256, hex. */
  readonly sha256: string
  readonly size: number
  /** Below the pack's folder, with `/`. */
  readonly path: string
}

/** Numbers that a manifest states and a verifier counts again. */
export interface PackCounts {
  readonly entries: number
  readonly sessions: number
  readonly calls: number
  readonly bodies: number
  /** Bodies whose keys are in the pack. */
  readonly keys: number
}

export interface Manifest {
  readonly origin: string
  /** When it was made, RFC 3339 in UTC. */
  readonly made: string
  readonly version: string
  /** What was asked for, in words. */
  readonly asked: string
  readonly scope: Scope
  /** How many entries the log had under the pack's checkpoint. */
  readonly checkpoint: number
  readonly counts: PackCounts
  /** Every file but the manifest, by path. */
  readonly files: readonly PackedFile[]
}

export const countNames = ['entries', 'sessions', 'calls', 'bodies', 'keys'] as const

/** The text that is signed. */
export function formatManifest(of: Manifest): string {
  return [
    manifestMark,
    of.origin,
    `made ${of.made}`,
    `by ${of.version}`,
    `asked ${JSON.stringify(of.asked.toWellFormed())}`,
    `scope ${of.scope}`,
    `checkpoint ${of.checkpoint}`,
    ...countNames.map((name) => `${name} ${of.counts[name]}`),
    ...of.files.map(({ path, sha256, size }) => `${sha256} ${size} ${path}`),
    '',
  ].join('\n')
}

/** The manifest in a text. @throws {Unproven} `bundle_malformed` unless `formatManifest` spells it. */
export function parseManifest(text: string): Manifest {
  const [mark, origin = '', ...lines] = text.split('\n')
  if (mark !== manifestMark) throw malformed('manifest', `its first line is not ${manifestMark}`)
  const take = (name: string): string => {
    const line = lines.shift() ?? ''
    if (!line.startsWith(`${name} `)) throw malformed('manifest', `it has no line ${name}`)
    return line.slice(name.length + 1)
  }
  const count = (name: string): number => {
    const found = countOf(take(name))
    if (found === undefined) throw malformed('manifest', `${name} is no number`)
    return found
  }
  const made = take('made')
  const version = take('by')
  const asked: unknown = jsonOf(take('asked'))
  const scope = take('scope')
  if (typeof asked !== 'string' || (scope !== 'whole' && scope !== 'chosen')) {
    throw malformed('manifest', 'what was asked for is not spelt so')
  }
  const checkpoint = count('checkpoint')
  const [entries = 0, sessions = 0, calls = 0, bodies = 0, keys = 0] = countNames.map(count)
  const files = lines.slice(0, -1).map(fileOf)
  const counts = { entries, sessions, calls, bodies, keys }
  const found = { origin, made, version, asked, scope, checkpoint, counts, files } as const
  const isAscending = files.every(({ path }, i) => i === 0 || (files[i - 1]?.path ?? '') < path)
  if (!isAscending || origin === '' || hasControls(text) || formatManifest(found) !== text) {
    throw malformed('manifest', 'it is not spelt as manifests are')
  }
  return found
}

const pathForm = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/

function fileOf(line: string): PackedFile {
  const [, sha256 = '', size = '', path = ''] = /^([0-9a-f]{64}) (\d+) (.+)$/.exec(line) ?? []
  const bytes = countOf(size)
  if (bytes === undefined || !pathForm.test(path)) {
    throw malformed('manifest', 'the line of a file is not spelt so')
  }
  return { sha256, size: bytes, path }
}

/** Where an entry stands in the tree of the pack's checkpoint. */
export interface ProofLine {
  readonly index: number
  /** 32 bytes each, the leaf's sibling first. */
  readonly hashes: readonly Buffer[]
}

/** The key of one body: 32 bytes. */
export interface KeyLine {
  readonly index: number
  readonly key: Buffer
}

/** A change of the log's key, proven in a tree that the old key has signed. */
export interface Handover extends ProofLine {
  /** The entry `keys.rotated` as it stands in the log. */
  readonly entry: string
  /** A signed note. */
  readonly checkpoint: string
  /** That the pack's tree begins with that of `checkpoint`. */
  readonly consistency: readonly Buffer[]
}

/** A checkpoint that witnesses have signed as well. */
export interface Witnessed {
  /** A signed note. */
  readonly checkpoint: string
  /** That the pack's tree begins with its tree. */
  readonly consistency: readonly Buffer[]
}

export const formatProofLine = ({ hashes, index }: ProofLine): string =>
  `${canonicalize({ hashes: hashes.map(textOfHash), index })}\n`

export const formatKeyLine = ({ index, key }: KeyLine): string =>
  `${canonicalize({ index, key: key.toString('base64') })}\n`

export function formatHandover(of: Handover): string {
  const { checkpoint, entry, index } = of
  const consistency = of.consistency.map(textOfHash)
  const hashes = of.hashes.map(textOfHash)
  return `${canonicalize({ checkpoint, consistency, entry, hashes, index })}\n`
}

export const formatWitnessed = (of: Witnessed): string =>
  `${canonicalize({ checkpoint: of.checkpoint, consistency: of.consistency.map(textOfHash) })}\n`

const textOfHash = (hash: Buffer): string => hash.toString('base64')

/** @param line without its newline. @throws {Unproven} `bundle_malformed`, as the three below. */
export function parseProofLine(line: Uint8Array): ProofLine {
  const { hashes, index } = membersIn(line)
  const found = hashesIn(hashes)
  if (!found || !isIndex(index)) throw malformed('proofs.jsonl', 'a line is no proof')
  return spelt({ hashes: found, index }, formatProofLine, line, 'proofs.jsonl')
}

export function parseKeyLine(line: Uint8Array): KeyLine {
  const { index, key } = membersIn(line)
  const found = typeof key === 'string' ? base64Of(key) : undefined
  if (found?.length !== 32 || !isIndex(index)) throw malformed('keys.jsonl', 'a line is no key')
  return spelt({ index, key: found }, formatKeyLine, line, 'keys.jsonl')
}

export function parseHandover(line: Uint8Array): Handover {
  const members = membersIn(line)
  const { checkpoint, entry, index } = members
  const hashes = hashesIn(members['hashes'])
  const consistency = hashesIn(members['consistency'])
  if (!isText(checkpoint) || !isText(entry) || !isIndex(index) || !hashes || !consistency) {
    throw malformed('handovers.jsonl', 'a line is no hand-over')
  }
  const found = { checkpoint, consistency, entry, hashes, index }
  return spelt(found, formatHandover, line, 'handovers.jsonl')
}

export function parseWitnessed(line: Uint8Array): Witnessed {
  const members = membersIn(line)
  const { checkpoint } = members
  const consistency = hashesIn(members['consistency'])
  if (!isText(checkpoint) || !consistency) throw malformed('witnessed.jsonl', 'a line is none')
  return spelt({ checkpoint, consistency }, formatWitnessed, line, 'witnessed.jsonl')
}

function spelt<T>(value: T, format: (of: T) => string, line: Uint8Array, name: string): T {
  if (format(value) === `${textOf(line)}\n`) return value
  throw malformed(name, 'a line is spelt otherwise than its value')
}

/** The members of an object; none of anything else. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** The value in a JSON text; undefined when it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Node's message would quote the input; the caller says what is missing.
  }
}

const membersIn = (line: Uint8Array): Readonly<Record<string, unknown>> =>
  membersOf(jsonOf(textOf(line) ?? ''))

function hashesIn(value: unknown): Buffer[] | undefined {
  if (!Array.isArray(value) || value.length > 64) return undefined
  const texts: unknown[] = value
  return texts.every((text) => typeof text === 'string') ? hashesOf(texts) : undefined
}

// Half a surrogate has no spelling in canonical JSON.
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed()
const isIndex = (value: unknown): value is number => typeof value === 'number' && isCount(value)

/** Refuses a file of a pack. @param why in words that hold nothing of the file. */
export function malformed(name: string, why: string): Unproven {
  return new Unproven('bundle_malformed', `${name} cannot be read: ${why}.`)
}

/** SHA-256 in hex, by the way that every Node has. */
export const sha256Of = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex')
