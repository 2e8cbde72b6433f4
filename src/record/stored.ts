/** Entries as they come back from the log: what every entry has, checked, and the rest as it is. */
import { isObject } from './unfinished.ts'
import { notedTypes } from './entry.ts'
import type { EntryType } from './entry.ts'

/** Who did it, as an entry says it. */
export interface StoredWho {
  readonly issuer: string
  readonly subject: string
  readonly kind: string
  readonly name: string | undefined
  readonly groups: readonly string[]
}

export interface StoredSource {
  readonly ip: string
  readonly port: number
  readonly forwarded: string | undefined
}

/** One entry of the log. */
export interface StoredEntry {
  readonly index: number
  /** RFC 3339 in UTC with microseconds, and the same in microseconds since 1970. */
  readonly time: string
  readonly timeUs: number
  readonly type: EntryType
  readonly outcome: string
  readonly session: string | undefined
  readonly exchange: string | undefined
  readonly connection: string | undefined
  readonly principal: StoredWho | undefined
  readonly source: StoredSource | undefined
  /** All members, those above among them. */
  readonly fields: Readonly<Record<string, unknown>>
}

const types: ReadonlySet<unknown> = new Set<EntryType>([
  'call.received',
  'call.denied',
  'call.dispatched',
  'call.finished',
  'response.event',
  'mask.applied',
  'auth.refused',
  'auth.accepted',
  'session.opened',
  'session.closed',
  'record.viewed',
  'record.exported',
  'keys.rotated',
  'retention.held',
  'retention.removed',
  'seal',
  'gateway.started',
  'gateway.stopped',
  'gateway.recovered',
  'control.failed',
  'control.restored',
  ...notedTypes,
])

/** The entry that `value` is, or undefined when it lacks what every entry has. */
export function storedEntry(value: Readonly<Record<string, unknown>>): StoredEntry | undefined {
  const { index, outcome, time, type, v } = value
  const timeUs = microsOf(time)
  const isWhole = v === 1 && typeof index === 'number' && isEntryType(type)
  if (!isWhole || typeof outcome !== 'string') return undefined
  if (timeUs === undefined || typeof time !== 'string') return undefined
  return {
    index,
    time,
    timeUs,
    type,
    outcome,
    session: textOf(value['session']),
    exchange: textOf(value['exchange']),
    connection: textOf(value['connection']),
    principal: whoOf(value['principal']),
    source: sourceOf(value['source']),
    fields: value,
  }
}

/** A member that is a string, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A member that is a whole number, else undefined. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

/** Microseconds since 1970 of an entry's time. */
function microsOf(time: unknown): number | undefined {
  if (typeof time !== 'string') return undefined
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3})Z$/.exec(time)
  const ms = Date.parse(`${parts?.[1] ?? ''}Z`)
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(parts?.[2])
}

function whoOf(value: unknown): StoredWho | undefined {
  if (!isObject(value)) return undefined
  const { groups, issuer, kind, name, subject } = value
  if (typeof issuer !== 'string' || typeof subject !== 'string') return undefined
  const known: unknown[] = Array.isArray(groups) ? groups : []
  return {
    issuer,
    subject,
    kind: textOf(kind) ?? '',
    name: textOf(name),
    groups: known.filter((group) => typeof group === 'string'),
  }
}

function sourceOf(value: unknown): StoredSource | undefined {
  if (!isObject(value)) return undefined
  const { forwarded, ip, port } = value
  if (typeof ip !== 'string' || typeof port !== 'number') return undefined
  return { ip, port, forwarded: textOf(forwarded) }
}

function isEntryType(value: unknown): value is EntryType {
  return types.has(value)
}
