/**
 * What the record says: one type per entry, each with the fields it adds to the common ones. An
 * entry holds metadata only. Arguments, query texts and outputs go into bodies, never in here.
 */
import { assert } from '../base/assert.ts'
import { canonicalize } from '../tlog/canonical.ts'
import type { Masked } from '../mask/masked.ts'
import type {
  CallDenied,
  CallDispatched,
  CallFinished,
  CallReceived,
  ResponseEvent,
} from './calls.ts'
import { cut } from './noted.ts'
import type { Details, Noted } from './noted.ts'

export { notedTypes } from './noted.ts'
export type * from './calls.ts'
export type { Details, NotedType } from './noted.ts'

/** Who did it (PCI DSS v4.0.1 req. 10.2.2, user identification). */
export interface Who {
  readonly issuer: string
  readonly subject: string
  readonly name?: string | undefined
  readonly kind: 'person' | 'service' | 'workload' | 'local'
  /** Only the groups which a grant used. */
  readonly groups?: readonly string[] | undefined
}

/** Where it came from. `forwarded` is the client's address as a trusted proxy gave it. */
export interface Source {
  readonly ip: string
  readonly port: number
  readonly forwarded?: string | undefined
}

/** What all entries of one exchange have in common; what is missing is `null` in the entry. */
export interface SharedFields {
  readonly session?: string | undefined
  readonly exchange?: string | undefined
  readonly principal?: Masked<Who> | undefined
  readonly source?: Source | undefined
  readonly connection?: string | undefined
}

/** The shared fields with their canonical JSON, made once and used by every entry. */
export interface Shared {
  readonly session: string | undefined
  readonly exchange: string | undefined
  readonly text: {
    readonly connection: string
    readonly exchange: string
    readonly principal: string
    readonly session: string
    readonly source: string
  }
}

/** A place a call is about: a tool, prompt, resource or task. The name comes from the client. */
export interface TargetName {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'task'
  readonly name: Masked<string>
}

/** `stream` and `end` are the GET and DELETE of Streamable HTTP, `control` an event without data. */
export type RpcKind = 'request' | 'notification' | 'response' | 'stream' | 'end' | 'control'
export type Era = 'modern' | 'legacy'

/** Maskings of one kind at like places; `at` holds `*` for each array index left out. */
export interface GroupInput {
  readonly kind: string
  readonly brand?: string | undefined
  readonly confidence: string
  readonly at: string
  readonly rule: string
  /** One word per masking, in order: its array indexes joined by commas, then `:` and last four. */
  readonly each: readonly string[]
}

/** What was masked in one message. Split over several entries when one cannot hold it. */
export interface MaskApplied {
  readonly type: 'mask.applied'
  readonly of: 'call' | 'answer'
  /** `seq` of the message when it is the server's. */
  readonly seq?: number | undefined
  readonly groups: readonly GroupInput[]
  /** Whether the client got the numbers masked, or in clear by a grant that reveals them. */
  readonly delivered: 'masked' | 'revealed'
}

export interface AuthRefused {
  readonly type: 'auth.refused'
  readonly reason: string
  readonly issuerClaimed?: Masked<string> | undefined
  readonly httpStatus: number
}

export interface AuthAccepted {
  readonly type: 'auth.accepted'
  /** When the token ends, in microseconds since 1970. */
  readonly expiresUs?: number | undefined
  /** By what a stop could name it: `client`, `token` (its id), `signIn`; of a workflow its run. */
  readonly details?: Masked<Details> | undefined
}

export interface SessionOpened {
  readonly type: 'session.opened'
  readonly era: Era
  readonly version: string
  readonly clientName?: Masked<string> | undefined
  readonly clientVersion?: Masked<string> | undefined
  readonly userAgent?: Masked<string> | undefined
  /** The recorded session it goes on from, under the same session id of the server. */
  readonly continues?: string | undefined
}

export interface SessionClosed {
  readonly type: 'session.closed'
  readonly durationUs: number
  readonly reason: string
  readonly calls: number
}

export interface GatewayStarted {
  readonly type: 'gateway.started'
  readonly version: string
  readonly configHash: string
  /** The keys that sign checkpoints from here on, as vkeys (C2SP signed-note). */
  readonly keys?: readonly string[] | undefined
  /** Further hashes by name: of code, of rules. */
  readonly hashes?: Readonly<Record<string, string>> | undefined
}

export interface GatewayStopped {
  readonly type: 'gateway.stopped'
  readonly reason: string
}

/** A torn tail that recovery cut off and kept aside. */
export interface TornTail {
  readonly segment: string
  /** First byte that was cut, and how many up to the last that was not zero. */
  readonly offset: number
  readonly bytes: number
  readonly sha256: string
}

/** What start-up found after a stop that was not graceful. */
export interface GatewayRecovered {
  readonly type: 'gateway.recovered'
  readonly torn: readonly TornTail[]
  readonly callsUnknown: number
  readonly callsFailed: number
  readonly sessionsClosed: number
}

/** Somebody looked at the record; the shared principal says who. Written before the first line is
 *  shown, and once more when the look ended, with how much it had shown. */
export interface RecordViewed {
  readonly type: 'record.viewed'
  readonly what:
    | 'sessions'
    | 'replay'
    | 'search'
    | 'entry'
    | 'evidence'
    | 'audit'
    | 'ticket'
    | 'policy'
  readonly by: 'cli' | 'console' | 'api'
  /** The session or held call looked at. */
  readonly viewed?: string | undefined
  /** What was asked for. */
  readonly query?: Masked<string> | undefined
  /** How many sessions, entries or results were shown; missing while the look goes on. */
  readonly shown?: number | undefined
}

/** Part of the record was put into files which leave this machine's record. */
export interface RecordExported {
  readonly type: 'record.exported'
  readonly what: 'pack' | 'proof'
  readonly by: 'cli' | 'console' | 'api'
  /** What was asked for. */
  readonly query?: Masked<string> | undefined
  readonly entries: number
  /** Bodies whose keys went along. */
  readonly bodies: number
}

/** The key that signs checkpoints changed. Written while the old key still signs. */
export interface KeysRotated {
  readonly type: 'keys.rotated'
  /** vkeys (C2SP signed-note). */
  readonly from: string
  readonly to: string
  /** Until when both sign, in microseconds since 1970. */
  readonly overlapUntilUs: number
}

/** A legal hold was placed on months, or released. */
export interface RetentionHeld {
  readonly type: 'retention.held'
  readonly id: string
  readonly phase: 'placed' | 'released'
  /** `session`, `principal` or `period`. */
  readonly what: string
  readonly of: Masked<string>
  readonly reason: Masked<string>
}

/** A month's content or all of it goes at the end of its retention; once before, once after. */
export interface RetentionRemoved {
  readonly type: 'retention.removed'
  /** `content`: the key of its bodies. `month`: its segments, index and key; the tiles stay. */
  readonly what: 'content' | 'month'
  readonly phase: 'begun' | 'done'
  readonly month: string
  readonly reason: string
  /** The entries of the month: its first, and one past its last. */
  readonly first: number
  readonly end: number
  readonly segments: number
  /** SHA-256 over the lines `path size sha256` of its segments, each with its line end. */
  readonly sha256: string
}

export interface ControlFailed {
  readonly type: 'control.failed' | 'control.restored'
  readonly control: string
  readonly reason: string
}

/** What happened since the last seal, so that "nothing happened" can be shown. The record counts by
 *  itself what it took in (`SealCounts`). */
export interface Seal {
  readonly type: 'seal'
  /** Until the next seal no more time than this passes while the gateway runs. */
  readonly everyMs: number
  /** Requests refused without an entry of their own, by reason. */
  readonly refused: Readonly<Record<string, number>>
}

export type EntryInput =
  | Noted
  | CallReceived
  | CallDenied
  | CallDispatched
  | ResponseEvent
  | CallFinished
  | MaskApplied
  | AuthRefused
  | AuthAccepted
  | SessionOpened
  | SessionClosed
  | GatewayStarted
  | GatewayStopped
  | GatewayRecovered
  | RecordViewed
  | RecordExported
  | KeysRotated
  | RetentionHeld
  | RetentionRemoved
  | ControlFailed
  | Seal

export type EntryType = EntryInput['type']

/** One entry to append, with the body it refers to. Only messages have bodies. */
export interface Item {
  readonly entry: EntryInput
  /** Not written to after it was handed in: the disk reads it later. */
  readonly body?: Masked<Uint8Array> | undefined
  /** Of the card numbers in the message, 17 bytes each. Written only where its body is encrypted. */
  readonly tokens?: Masked<readonly Uint8Array[]> | undefined
}

/** The longest string from outside that an entry takes, in UTF-16 units; the body has the rest. */
const wordLengthMax = 512

/** What JSON spells as it stands: printable ASCII but the quote and the backslash. */
const plain = /^[ !#-[\]-~]*$/

const principals = new WeakMap<Masked<Who>, string>()

/** Prepares what the entries of one exchange share. Make it once per exchange; a principal's text
 *  is kept for as long as its `Masked` value lives. */
export function share(fields: SharedFields): Shared {
  const { session, exchange, principal, source, connection } = fields
  return {
    session,
    exchange,
    text: {
      connection: connection === undefined ? 'null' : quote(connection),
      exchange: exchange === undefined ? 'null' : quote(exchange),
      principal: principal === undefined ? 'null' : principalText(principal),
      session: session === undefined ? 'null' : quote(session),
      source: source === undefined ? 'null' : sourceText(source),
    },
  }
}

/** A string as canonical JSON (RFC 8785, section 3.2.2.2), cut at `wordLengthMax`. A surrogate
 *  without its partner becomes U+FFFD: canonical JSON has no spelling for it. */
export function quote(word: string): string {
  const short = word.length > wordLengthMax ? `${word.slice(0, wordLengthMax)}…` : word
  if (plain.test(short)) return `"${short}"`
  return JSON.stringify(short.toWellFormed())
}

/** A whole number as canonical JSON. */
export function count(value: number): string {
  assert(Number.isSafeInteger(value) && value >= 0, 'a count in an entry is a safe whole number')
  return String(value)
}

function principalText(principal: Masked<Who>): string {
  const known = principals.get(principal)
  if (known !== undefined) return known
  const { groups, issuer, kind, name, subject } = principal.value
  const short: Record<string, unknown> = { issuer: cut(issuer), kind, subject: cut(subject) }
  if (groups !== undefined) short['groups'] = groups.slice(0, 64).map((group) => cut(group))
  if (name !== undefined) short['name'] = cut(name)
  const text = canonicalize(short)
  principals.set(principal, text)
  return text
}

function sourceText({ forwarded, ip, port }: Source): string {
  const via = forwarded === undefined ? '' : `"forwarded":${quote(forwarded)},`
  return `{${via}"ip":${quote(ip)},"port":${count(port)}}`
}
