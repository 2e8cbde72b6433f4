/**
 * Whom a verifier trusts, as a file (C2SP tlog-policy): logs by their keys, witnesses by theirs, and
 * which of the witnesses must have seen a checkpoint. Items stand apart by blanks or tabs.
 *
 *     log <vkey> [<url>]                  group <name> <k|any|all> <member>...
 *     witness <name> <vkey> [<url>]       quorum <name|none>
 */
import { isOf, openCheckpoint } from './checkpoint.ts'
import type { CheckpointReading, OpenedCheckpoint } from './checkpoint.ts'
import { verifierOf } from './cosignature.ts'
import { cosignatureType, ed25519Type, hasMlDsa44, mlDsa44Type } from './keys.ts'
import { parseVkey, splitNote } from './note.ts'
import type { SignatureLine, Verifier, Vkey } from './note.ts'
import { countOf, textOf } from './spelling.ts'
import { Unproven } from './unproven.ts'

const policyBytesMax = 1_048_576
const linesMax = 4096

/** A log that is trusted to be watched; the key's name is its origin. */
export interface TrustedLog {
  readonly vkey: Vkey
  readonly url?: string
}

/** A witness; the name is the policy's own for it, the key's name is another matter. */
export interface Witness {
  readonly name: string
  readonly vkey: Vkey
  readonly url?: string
}

/** So many of these must have witnessed a checkpoint. */
export interface Group {
  readonly need: number
  readonly of: readonly (Group | Witness)[]
}

/** A policy file, read. */
export interface Policy {
  readonly logs: readonly TrustedLog[]
  readonly witnesses: readonly Witness[]
  /** `quorum none` is a group that needs nobody. */
  readonly quorum: Group | Witness
}

/** What the lines read so far have defined. */
interface Draft {
  readonly logs: TrustedLog[]
  readonly witnesses: Witness[]
  readonly names: Map<string, Group | Witness>
  readonly members: Set<string>
  quorum: Group | Witness | undefined
}

/**
 * The policy in a file. Stricter than the format in one point: the file must be UTF-8.
 * @throws {Unproven} `policy_malformed` with the number of the line: an unknown word, a name that is
 *   not defined above or defined twice, a key twice, a member of two groups, a count out of range,
 *   no quorum or two; `key_malformed` for a key.
 */
export function parsePolicy(file: Uint8Array | string): Policy {
  const text = Buffer.byteLength(file) <= policyBytesMax ? textOf(file) : undefined
  // oxlint-disable-next-line no-control-regex -- the format refuses exactly these
  if (text === undefined || /[\0-\x08\x0b-\x1f\x7f]/.test(text)) {
    throw new Unproven('policy_malformed', 'A policy must be clean UTF-8 of at most 1 MiB.')
  }
  const lines = text.split('\n')
  if (lines.pop() !== '') throw malformed(lines.length + 1, 'it does not end in a newline')
  if (lines.length > linesMax) throw malformed(linesMax, `more than ${linesMax} lines are too many`)
  const empty: Pick<Draft, 'logs' | 'witnesses'> = { logs: [], witnesses: [] }
  const draft: Draft = { ...empty, names: new Map(), members: new Set(), quorum: undefined }
  for (const [i, line] of lines.entries()) readLine(draft, line, i + 1)
  const { logs, quorum, witnesses } = draft
  if (quorum === undefined) throw malformed(lines.length, 'the file ends without a quorum')
  return { logs, witnesses, quorum }
}

function readLine(draft: Draft, line: string, at: number): void {
  const [word = '', ...items] = line.split(/[ \t]+/).filter((item) => item !== '')
  if (word === '' || word.startsWith('#')) return
  if (word === 'log') readLog(draft, items, at)
  else if (word === 'witness') readWitness(draft, items, at)
  else if (word === 'group') readGroup(draft, items, at)
  else if (word === 'quorum') readQuorum(draft, items, at)
  else throw malformed(at, 'it begins with none of log, witness, group and quorum')
}

function readLog(draft: Draft, [key, url, ...more]: string[], at: number): void {
  if (key === undefined || more.length > 0) throw malformed(at, 'a log has a key and maybe a url')
  const vkey = readKey(key, [ed25519Type, mlDsa44Type], draft.logs, at)
  draft.logs.push({ vkey, ...(url === undefined ? {} : { url }) })
}

function readWitness(draft: Draft, [name, key, url, ...more]: string[], at: number): void {
  if (name === undefined || key === undefined || more.length > 0) {
    throw malformed(at, 'a witness has a name, a key and maybe a url')
  }
  const vkey = readKey(key, [cosignatureType, mlDsa44Type], draft.witnesses, at)
  const witness = { name, vkey, ...(url === undefined ? {} : { url }) }
  define(draft, name, witness, at)
  draft.witnesses.push(witness)
}

function readGroup(draft: Draft, [name, count, ...members]: string[], at: number): void {
  if (name === undefined || count === undefined || members.length === 0) {
    throw malformed(at, 'a group has a name, a count and members')
  }
  const of = members.map((member) => {
    if (draft.members.has(member)) throw malformed(at, 'a member is in a group already')
    draft.members.add(member)
    return named(draft, member, at)
  })
  const words = new Map([
    ['any', 1],
    ['all', of.length],
  ])
  const need = words.get(count) ?? countOf(count)
  if (need === undefined || need < 1 || need > of.length) {
    throw malformed(at, `the count is any, all or a number from 1 to ${of.length}`)
  }
  define(draft, name, { need, of }, at)
}

function readQuorum(draft: Draft, [name, ...more]: string[], at: number): void {
  if (name === undefined || more.length > 0) throw malformed(at, 'a quorum has one name')
  if (draft.quorum) throw malformed(at, 'it is the second quorum')
  draft.quorum = name === 'none' ? { need: 0, of: [] } : named(draft, name, at)
}

function readKey(
  text: string,
  types: readonly number[],
  others: readonly { readonly vkey: Vkey }[],
  at: number,
): Vkey {
  const vkey = parseVkey(text)
  if (!types.includes(vkey.type)) throw malformed(at, 'the key is of a kind for another purpose')
  if (others.some((other) => other.vkey.publicKey.equals(vkey.publicKey))) {
    throw malformed(at, 'the same key stands above under this or another name')
  }
  return vkey
}

function define(draft: Draft, name: string, what: Group | Witness, at: number): void {
  if (name === 'none' || draft.names.has(name)) throw malformed(at, 'the name is taken')
  draft.names.set(name, what)
}

function named(draft: Draft, name: string, at: number): Group | Witness {
  const found = draft.names.get(name)
  if (!found) throw malformed(at, 'it uses a name that is not defined above')
  return found
}

function malformed(line: number, why: string): Unproven {
  return new Unproven('policy_malformed', `Line ${line} of the policy cannot be read: ${why}.`)
}

/**
 * The verifiers of keys; ML-DSA-44 keys are left out where Node cannot check them, so their lines
 * count as unknown: a quorum may be missed for it, none is met.
 */
function verifiersOf(keys: readonly { readonly vkey: Vkey }[]): Verifier[] {
  const readable = keys.filter(({ vkey }) => vkey.type !== mlDsa44Type || hasMlDsa44())
  return readable.map(({ vkey }) => verifierOf(vkey))
}

/** Whether the keys of these verified lines are as many as the quorum asks for. */
export function isMet(
  quorum: Group | Witness,
  verified: readonly Pick<SignatureLine, 'name' | 'keyId'>[],
): boolean {
  if ('vkey' in quorum) return verified.some((line) => isOf(line, quorum.vkey))
  return quorum.of.filter((member) => isMet(member, verified)).length >= quorum.need
}

/**
 * A checkpoint that this policy accepts: signed by the trusted log which it is about, and seen by a
 * quorum of witnesses.
 * @throws {Unproven} as `openCheckpoint` does; `origin_other` when the policy has no log of this
 *   origin; `quorum_missing` when too few witnesses signed.
 */
export function openByPolicy(
  note: Uint8Array | string,
  policy: Policy,
  reading?: CheckpointReading,
): OpenedCheckpoint {
  const [origin = ''] = splitNote(note).text.split('\n') // Not believed: it only names the keys.
  const logs = policy.logs.filter(({ vkey }) => vkey.name === origin)
  if (logs.length === 0) {
    throw new Unproven('origin_other', 'The checkpoint is about a log which the policy has not.')
  }
  const witnesses = verifiersOf(policy.witnesses)
  const opened = openCheckpoint(note, origin, verifiersOf(logs), witnesses, reading)
  if (!isMet(policy.quorum, opened.note.verified)) {
    const what = 'Too few of the witnesses which the policy asks for have signed the checkpoint'
    throw new Unproven('quorum_missing', `${what}; fetch it again once they have.`)
  }
  return opened
}
