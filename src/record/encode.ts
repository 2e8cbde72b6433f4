/**
 * Entries as canonical JSON (RFC 8785), built member by member in the order of their names. Each
 * type is a table of columns, sorted once; what does not change within an exchange comes ready made
 * from `share`. A property test holds every line against `canonicalize(JSON.parse(line))`.
 */
import { assert } from '../base/assert.ts'
import { isoMicros } from '../base/clock.ts'
import { canonicalize } from '../tlog/canonical.ts'
import * as is from './entry.ts'
import { count, quote } from './entry.ts'
import { factsText } from './facts-text.ts'
import { cut, detailsText } from './noted.ts'
import type { Noted } from './noted.ts'
import type { SealCounts } from './seal.ts'

/** The version of the entry format, in each entry's `v`. */
const entryVersion = 1

/** An entry must stay below this many bytes. */
export const entryBytesMax = 32_768

/** How the bytes of a body stand in the segment. */
export interface StoredBody {
  readonly bytes: Uint8Array
  /** Of what was encrypted. */
  readonly encoding: 'identity' | 'zstd'
  /** Id of the month key that encrypts it; undefined when it is in clear. */
  readonly key: string | undefined
  /** SHA-256 of `bytes`, in hex. */
  readonly sha256: string
}

/** What the record adds to an entry when it is appended. */
export interface Stamp {
  readonly index: number
  /** RFC 3339 in UTC, with microseconds. */
  readonly time: string
  readonly shared: is.Shared
  readonly body: StoredBody | undefined
  /** For a seal. */
  readonly seal?: SealStamp | undefined
}

/** What the record adds to a seal. */
export interface SealStamp extends SealCounts {
  /** Calls received and not ended. */
  readonly inFlight: number
}

/** A member of an entry: its name, and its canonical JSON, which is undefined when it is left out. */
type Column<E> = readonly [name: string, text: string | Text<E>]
type Text<E> = (entry: E, stamp: Stamp) => string | undefined

/** A table of columns as it is written: each text that changes behind all that does not. */
interface Shape<E> {
  readonly texts: readonly Text<E>[]
  /** Before each text: the members that never change, and with them the name of its own. */
  readonly fixed: readonly string[]
  readonly names: readonly string[]
  /** The same for a text that opens the object. */
  readonly firsts: readonly string[]
  /** What stands behind the last text. */
  readonly end: string
}

const common: readonly Column<unknown>[] = [
  ['connection', (_, { shared }) => shared.text.connection],
  ['exchange', (_, { shared }) => shared.text.exchange],
  ['index', (_, { index }) => String(index)],
  ['principal', (_, { shared }) => shared.text.principal],
  ['session', (_, { shared }) => shared.text.session],
  ['source', (_, { shared }) => shared.text.source],
  ['time', (_, { time }) => `"${time}"`],
  ['v', String(entryVersion)],
]

const body: Column<unknown> = ['body', (_, stamp) => stamp.body && bodyText(stamp.body)]
const ok: Column<unknown> = ['outcome', '"ok"']

/** A table of columns, put in order with those that every entry has. What never changes joins the
 *  name behind it, so that a line is made of few pieces. */
function shape<E>(type: string, columns: readonly Column<E>[]): Shape<E> {
  const all: Column<E>[] = [...common, ...columns, ['type', `"${type}"`]]
  all.sort(([a], [b]) => (a < b ? -1 : 1))
  const texts: Text<E>[] = []
  const fixed: string[] = []
  const names: string[] = []
  let since = '' // Members since the last text that changes, each behind a comma.
  for (const [name, text] of all) {
    if (typeof text === 'string') since += `,"${name}":${text}`
    else {
      texts.push(text)
      fixed.push(since)
      names.push(`${since},"${name}":`)
      since = ''
    }
  }
  // `lineOf` opens the object with the first text that is there.
  assert(fixed[0] === '' && fixed[1] === '', 'the first members of an entry are none that is fixed')
  const firsts = names.map((name) => `{${name.slice(1)}`)
  return { texts, fixed, names, firsts, end: `${since}}` }
}

const received = shape<is.CallReceived>('call.received', [
  body,
  ok,
  ['bytes', (e) => count(e.bytes)],
  ['decision', (e) => quote(e.decision)],
  ['era', (e) => quote(e.era)],
  ['facts', (e) => e.facts && factsText(e.facts)],
  ['method', (e) => e.method && quote(e.method.value)],
  ['notes', (e) => e.notes && canonicalize(e.notes.slice(0, 20).map(cut))],
  ['rpcKind', (e) => quote(e.rpcKind)],
  ['rule', (e) => quote(e.rule)],
  ['target', (e) => e.target && targetText(e.target)],
  ['ticket', (e) => word(e.ticket)],
  ['version', (e) => quote(e.version)],
])
const denied = shape<is.CallDenied>('call.denied', [
  body,
  ['code', (e) => quote(e.code)],
  ['facts', (e) => e.facts && factsText(e.facts)],
  ['method', (e) => e.method && quote(e.method.value)],
  ['outcome', '"denied"'],
  ['reason', (e) => quote(e.reason)],
  ['rpcKind', (e) => e.rpcKind && quote(e.rpcKind)],
  ['rule', (e) => word(e.rule)],
  ['status', (e) => count(e.status)],
  ['target', (e) => e.target && targetText(e.target)],
])
const dispatched = shape<is.CallDispatched>('call.dispatched', [
  ok,
  ['attempt', (e) => count(e.attempt)],
  ['host', (e) => quote(e.host)],
  ['ticket', (e) => word(e.ticket)],
])
const answered = shape<is.ResponseEvent>('response.event', [
  body,
  ok,
  ['again', (e) => flag(e.again)],
  ['bytes', (e) => count(e.bytes)],
  ['eventId', (e) => e.eventId && quote(e.eventId.value)],
  ['method', (e) => e.method && quote(e.method.value)],
  ['rpcKind', (e) => quote(e.rpcKind)],
  ['seq', (e) => count(e.seq)],
])
const finished = shape<is.CallFinished>('call.finished', [
  ['bytesIn', (e) => count(e.bytesIn)],
  ['bytesOut', (e) => count(e.bytesOut)],
  ['durationUs', (e) => count(e.durationUs)],
  ['httpStatus', (e) => count(e.httpStatus)],
  ['messages', (e) => count(e.messages)],
  ['outcome', (e) => quote(e.outcome)],
  ['reason', (e) => word(e.reason)],
])
const masked = shape<MaskPart>('mask.applied', [
  ok,
  ['count', (e) => count(e.count)],
  ['delivered', (e) => quote(e.delivered)],
  ['groups', (e) => `[${e.groups.map(groupText).join(',')}]`],
  ['of', (e) => quote(e.of)],
  ['part', (e) => (e.parts > 1 ? count(e.part) : undefined)],
  ['parts', (e) => (e.parts > 1 ? count(e.parts) : undefined)],
  ['seq', (e) => (e.seq === undefined ? undefined : count(e.seq))],
])
const authRefused = shape<is.AuthRefused>('auth.refused', [
  ['httpStatus', (e) => count(e.httpStatus)],
  ['issuerClaimed', (e) => e.issuerClaimed && quote(e.issuerClaimed.value)],
  ['outcome', '"denied"'],
  ['reason', (e) => quote(e.reason)],
])
const authAccepted = shape<is.AuthAccepted>('auth.accepted', [
  ok,
  ['details', (e) => e.details && detailsText(e.details.value)],
  ['expires', (e) => (e.expiresUs === undefined ? undefined : timeText(e.expiresUs))],
])
const opened = shape<is.SessionOpened>('session.opened', [
  ok,
  ['clientName', (e) => e.clientName && quote(e.clientName.value)],
  ['clientVersion', (e) => e.clientVersion && quote(e.clientVersion.value)],
  ['continues', (e) => e.continues && quote(e.continues)],
  ['era', (e) => quote(e.era)],
  ['userAgent', (e) => e.userAgent && quote(e.userAgent.value)],
  ['version', (e) => quote(e.version)],
])
const closed = shape<is.SessionClosed>('session.closed', [
  ok,
  ['calls', (e) => count(e.calls)],
  ['durationUs', (e) => count(e.durationUs)],
  ['reason', (e) => quote(e.reason)],
])
const started = shape<is.GatewayStarted>('gateway.started', [
  ok,
  ['configHash', (e) => quote(e.configHash)],
  ['hashes', (e) => e.hashes && canonicalize(e.hashes)],
  ['keys', (e) => e.keys && canonicalize(e.keys)],
  ['version', (e) => quote(e.version)],
])
const stopped = shape<is.GatewayStopped>('gateway.stopped', [
  ok,
  ['reason', (e) => quote(e.reason)],
])
const recovered = shape<is.GatewayRecovered>('gateway.recovered', [
  ok,
  ['callsFailed', (e) => count(e.callsFailed)],
  ['callsUnknown', (e) => count(e.callsUnknown)],
  ['sessionsClosed', (e) => count(e.sessionsClosed)],
  ['torn', (e) => canonicalize(e.torn)],
])
const viewed = shape<is.RecordViewed>('record.viewed', [
  ok,
  ['by', (e) => quote(e.by)],
  ['query', (e) => e.query && quote(e.query.value)],
  ['shown', (e) => (e.shown === undefined ? undefined : count(e.shown))],
  ['viewed', (e) => word(e.viewed)],
  ['what', (e) => quote(e.what)],
])
const exported = shape<is.RecordExported>('record.exported', [
  ok,
  ['bodies', (e) => count(e.bodies)],
  ['by', (e) => quote(e.by)],
  ['entries', (e) => count(e.entries)],
  ['query', (e) => e.query && quote(e.query.value)],
  ['what', (e) => quote(e.what)],
])
const rotated = shape<is.KeysRotated>('keys.rotated', [
  ok,
  ['from', (e) => quote(e.from)],
  ['overlapUntil', (e) => timeText(e.overlapUntilUs)],
  ['to', (e) => quote(e.to)],
])
const held = shape<is.RetentionHeld>('retention.held', [
  ok,
  ['id', (e) => quote(e.id)],
  ['of', (e) => quote(e.of.value)],
  ['phase', (e) => quote(e.phase)],
  ['reason', (e) => quote(e.reason.value)],
  ['what', (e) => quote(e.what)],
])
const removed = shape<is.RetentionRemoved>('retention.removed', [
  ok,
  ['end', (e) => count(e.end)],
  ['first', (e) => count(e.first)],
  ['month', (e) => quote(e.month)],
  ['phase', (e) => quote(e.phase)],
  ['reason', (e) => quote(e.reason)],
  ['segments', (e) => count(e.segments)],
  ['sha256', (e) => quote(e.sha256)],
  ['what', (e) => quote(e.what)],
])
const control: readonly Column<is.ControlFailed>[] = [
  ['control', (e) => quote(e.control)],
  ['reason', (e) => quote(e.reason)],
]
const controlFailed = shape('control.failed', [...control, ['outcome', '"failed"']])
const controlRestored = shape('control.restored', [...control, ok])
const sealed = shape<is.Seal>('seal', [
  ok,
  ['accepted', (_, { seal }) => seal && count(seal.accepted)],
  ['denied', (_, { seal }) => seal && count(seal.denied)],
  ['everyMs', (e) => count(e.everyMs)],
  ['from', (_, { seal }) => seal && timeText(seal.fromUs)],
  ['inFlight', (_, { seal }) => seal && count(seal.inFlight)],
  ['refused', (e) => canonicalize(e.refused)],
  ['since', (_, { seal }) => seal && count(seal.since)],
])

const notedShapes: ReadonlyMap<string, Shape<Noted>> = new Map(
  is.notedTypes.map((type) => [
    type,
    shape<Noted>(type, [
      type === 'signin.refused' ? ['outcome', '"denied"'] : ok,
      ['details', (e) => detailsText(e.details.value)],
    ]),
  ]),
)

/** One entry of a `mask.applied` that may be split over several. */
export interface MaskPart extends is.MaskApplied {
  /** Maskings in this part. */
  readonly count: number
  /** From 1 to `parts`. */
  readonly part: number
  readonly parts: number
}

/** What is written as one entry: a `mask.applied` is split before it comes here. */
export type Writable = Exclude<is.EntryInput, is.MaskApplied> | MaskPart

/** The entry's one line of canonical JSON, without a line end. */
export function encodeEntry(entry: Writable, stamp: Stamp): string {
  if (isNoted(entry)) return notedLine(entry, stamp)
  switch (entry.type) {
    case 'call.received':
      return lineOf(received, entry, stamp)
    case 'call.denied':
      return lineOf(denied, entry, stamp)
    case 'call.dispatched':
      return lineOf(dispatched, entry, stamp)
    case 'response.event':
      return lineOf(answered, entry, stamp)
    case 'call.finished':
      return lineOf(finished, entry, stamp)
    case 'mask.applied':
      return lineOf(masked, entry, stamp)
    case 'auth.refused':
      return lineOf(authRefused, entry, stamp)
    case 'auth.accepted':
      return lineOf(authAccepted, entry, stamp)
    case 'session.opened':
      return lineOf(opened, entry, stamp)
    case 'session.closed':
      return lineOf(closed, entry, stamp)
    case 'gateway.started':
      return lineOf(started, entry, stamp)
    case 'gateway.stopped':
      return lineOf(stopped, entry, stamp)
    case 'gateway.recovered':
      return lineOf(recovered, entry, stamp)
    case 'record.viewed':
      return lineOf(viewed, entry, stamp)
    case 'control.failed':
      return lineOf(controlFailed, entry, stamp)
    case 'control.restored':
      return lineOf(controlRestored, entry, stamp)
    case 'record.exported':
      return lineOf(exported, entry, stamp)
    case 'keys.rotated':
      return lineOf(rotated, entry, stamp)
    case 'retention.held':
      return lineOf(held, entry, stamp)
    case 'retention.removed':
      return lineOf(removed, entry, stamp)
    case 'seal':
      assert(stamp.seal !== undefined, 'a seal has its counts')
      return lineOf(sealed, entry, stamp)
    default:
      return entry satisfies never
  }
}

function isNoted(entry: Writable): entry is Noted {
  return notedShapes.has(entry.type)
}

function notedLine(entry: Noted, stamp: Stamp): string {
  const noted = notedShapes.get(entry.type)
  assert(noted !== undefined, 'every noted type has its shape')
  return lineOf(noted, entry, stamp)
}

/** Whether entries of this type may refer to a body. */
export function takesBody(type: is.EntryType): boolean {
  return type === 'call.received' || type === 'call.denied' || type === 'response.event'
}

/** One masking group as canonical JSON. */
export function groupText(group: is.GroupInput): string {
  const { at, brand, confidence, each, kind, rule } = group
  const branded = brand === undefined ? '' : `"brand":${quote(brand)},`
  // `each` holds array indexes and last four digits only; JSON.stringify spells such canonically.
  return (
    `{"at":${quote(at)},${branded}"confidence":${quote(confidence)},` +
    `"each":${JSON.stringify(each)},"kind":${quote(kind)},"rule":${quote(rule)}}`
  )
}

function lineOf<E>({ texts, fixed, names, firsts, end }: Shape<E>, entry: E, stamp: Stamp): string {
  let line = ''
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]?.(entry, stamp)
    if (text === undefined) line += fixed[i] ?? ''
    else line += ((line === '' ? firsts[i] : names[i]) ?? '') + text
  }
  return line + end
}

function bodyText({ bytes, encoding, key, sha256 }: StoredBody): string {
  const by = key === undefined ? '' : `"key":"${key}",`
  return `{"encoding":"${encoding}",${by}"sha256":"${sha256}","size":${bytes.length}}`
}

function targetText({ kind, name }: is.TargetName): string {
  return `{"kind":"${kind}","name":${quote(name.value)}}`
}

function word(text: string | undefined): string | undefined {
  return text === undefined ? undefined : quote(text)
}

function flag(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}

function timeText(us: number): string {
  assert(Number.isSafeInteger(us), 'a time is a whole number of microseconds')
  return `"${isoMicros(us)}"`
}
