/**
 * Entries folded into items: a call with its answers, maskings and end is one item, any other entry
 * is one by itself. Pure: the same entries in the same order give the same items, however they are
 * cut into batches.
 */
import { countOf, textOf } from '../record/stored.ts'
import { isObject } from '../record/unfinished.ts'
import { aboutOf, detailText } from './about.ts'
import { sqlNames } from './identifiers.ts'
import { wordsOf } from './text.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { StoredWho } from '../record/stored.ts'

/** What of an entry goes into the index; its tokens where they are read. */
export type IndexedEntry = Omit<
  RecordedEntry,
  'line' | 'storedBody' | 'next' | 'bodyState' | 'tokens'
> &
  Partial<Pick<RecordedEntry, 'tokens'>>

/** An item while entries are folded into it. */
export interface Draft {
  readonly writer: string
  /** Index of its first entry, and of the last one that was folded in. */
  readonly first: number
  last: number
  /** Of the first entry, in microseconds since 1970. */
  readonly timeUs: number
  readonly session: string | undefined
  readonly exchange: string | undefined
  readonly principal: Pick<StoredWho, 'issuer' | 'subject' | 'name' | 'kind'> | undefined
  readonly ip: string | undefined
  /** The client's address as a trusted proxy gave it. */
  readonly forwarded: string | undefined
  readonly connection: string | undefined
  readonly types: Set<string>
  method: string | undefined
  tool: string | undefined
  rule: string | undefined
  reason: string | undefined
  ticket: string | undefined
  client: string | undefined
  outcome: string
  durationUs: number | undefined
  /** In and out together. */
  bytes: number
  masked: number
  /** Calls received and not ended. */
  open: number
  /** At one time no call was open: no text is added from then on. */
  isEnded: boolean
  command: string
  output: string
  readonly tables: Set<string>
  readonly columns: Set<string>
  /** People an entry names besides who did it, and whom and what it is about. */
  readonly people: Set<string>
  readonly of: Set<string>
}

/** The most that is indexed of an item's commands and of its outputs, in UTF-16 units. */
const commandLengthMax = 65_536
const outputLengthMax = 262_144

const ofCalls: ReadonlySet<string> = new Set([
  'call.received',
  'call.denied',
  'call.dispatched',
  'response.event',
  'call.finished',
  'mask.applied',
])

/** Entries that no item is made of: they tell only that nothing happened. */
export function isLeftOut(entry: Pick<IndexedEntry, 'type'>): boolean {
  return entry.type === 'seal'
}

/** The exchange whose item the entry belongs to; undefined when it is an item by itself. */
export function exchangeOf({ exchange, type }: IndexedEntry): string | undefined {
  return ofCalls.has(type) ? exchange : undefined
}

/** The item that begins with this entry; `fold` it in next. */
export function beginItem(writer: string, entry: IndexedEntry): Draft {
  const { connection, exchange, index, outcome, principal, session, source, timeUs } = entry
  return {
    writer,
    first: index,
    last: index,
    timeUs,
    session,
    exchange,
    principal,
    ip: source?.ip,
    forwarded: source?.forwarded,
    connection,
    types: new Set(),
    method: undefined,
    tool: undefined,
    rule: undefined,
    reason: undefined,
    ticket: undefined,
    client: undefined,
    outcome: exchangeOf(entry) === undefined ? outcome : 'open',
    durationUs: undefined,
    bytes: 0,
    masked: 0,
    open: 0,
    isEnded: false,
    command: '',
    output: '',
    tables: new Set(),
    columns: new Set(),
    people: new Set(),
    of: new Set(),
  }
}

/** Adds one entry to its item. @param withOutputs whether answers are searched as well. */
export function fold(draft: Draft, entry: IndexedEntry, withOutputs: boolean): void {
  const { fields, index, type } = entry
  draft.last = index
  draft.types.add(type)
  draft.method ??= textOf(fields['method'])
  draft.tool ??= isObject(fields['target']) ? textOf(fields['target']['name']) : undefined
  draft.rule ??= textOf(fields['rule'])
  draft.reason = textOf(fields['reason']) ?? draft.reason
  draft.ticket ??= textOf(fields['ticket']) ?? ticketIn(fields)
  if (exchangeOf(entry) !== undefined) foldCall(draft, entry, withOutputs)
  else foldOther(draft, entry)
}

function foldCall(draft: Draft, entry: IndexedEntry, withOutputs: boolean): void {
  const { fields, outcome, type } = entry
  if (type === 'call.received') {
    draft.open++
    draft.outcome = 'open'
    draft.bytes += countOf(fields['bytes']) ?? 0
    addCommand(draft, entry)
  } else if (type === 'response.event' && !draft.isEnded && fields['again'] !== true) {
    draft.bytes += countOf(fields['bytes']) ?? 0
    if (withOutputs) draft.output = joined(draft.output, entry, outputLengthMax).text
  } else if (type === 'mask.applied') draft.masked += countOf(fields['count']) ?? 0
  else if (type === 'call.denied' || type === 'call.finished') {
    // Refused at the door: it never was received, and its text stands here.
    if (type === 'call.denied' && draft.open === 0) addCommand(draft, entry)
    draft.open = Math.max(0, draft.open - 1)
    if (draft.open === 0) draft.outcome = outcome
    const both = (countOf(fields['bytesIn']) ?? 0) + (countOf(fields['bytesOut']) ?? 0)
    if (type === 'call.finished') draft.bytes = both
    draft.durationUs = countOf(fields['durationUs']) ?? draft.durationUs
  }
  if (draft.open === 0) draft.isEnded = true
}

function foldOther(draft: Draft, { fields, type }: IndexedEntry): void {
  draft.durationUs = countOf(fields['durationUs'])
  const named = ['clientName', 'clientVersion', 'userAgent'].map((name) => textOf(fields[name]))
  const client = named.filter(Boolean).join(' ')
  if (client !== '') draft.client = client
  const { people, things } = aboutOf(type, fields)
  for (const name of people) draft.people.add(name)
  for (const name of things) draft.of.add(name)
  draft.reason ??= reasonIn(fields)
  draft.command = detailText(fields).slice(0, commandLengthMax)
}

function reasonIn({ details }: IndexedEntry['fields']): string | undefined {
  return isObject(details) ? textOf(details['reason']) : undefined
}

/** Entries about a held call name it among their details. */
function ticketIn({ details }: IndexedEntry['fields']): string | undefined {
  return isObject(details) ? textOf(details['ticket']) : undefined
}

function addCommand(draft: Draft, entry: IndexedEntry): void {
  if (draft.isEnded) return
  const { text, words } = joined(draft.command, entry, commandLengthMax)
  draft.command = text
  const facts = entry.fields['facts']
  const parsed = isObject(facts) && Array.isArray(facts['sql']) ? facts['sql'] : undefined
  const found = parsed ? parsed.filter(isObject).map(namesIn) : words.map(sqlNames)
  for (const { columns, tables } of found) {
    for (const name of namesOf(tables)) draft.tables.add(name)
    for (const name of namesOf(columns)) draft.columns.add(name)
  }
}

/** The names in the facts of one statement. */
function namesIn(sql: Readonly<Record<string, unknown>>): { tables: string[]; columns: string[] } {
  const both = (of: string): string[] =>
    ['read', 'written'].flatMap((how) => namesOf(sql[`${of}_${how}`]))
  return { tables: both('tables'), columns: both('columns') }
}

function namesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value.filter((name) => typeof name === 'string').map((name) => name.toLowerCase())
}

/** The text with that of the entry's body behind it, as far as there is room. */
function joined(
  text: string,
  entry: IndexedEntry,
  lengthMax: number,
): { text: string; words: readonly string[] } {
  const room = lengthMax - text.length
  const body = room > 1 ? entry.body() : undefined
  if (!body) return { text, words: [] }
  const { words } = wordsOf(body, room - 1)
  return { text: [text, ...words].filter(Boolean).join('\n'), words }
}
