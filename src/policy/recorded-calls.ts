/**
 * Calls as the record has them, for rules: what they were about, who made them, and what was decided.
 * The record holds no argument that was masked and no claim, so each call says what of it is not known.
 */
import type { Finding, SqlFact } from '../inspect/facts.ts'
import type { BodyState } from '../record/read.ts'
import { countOf, textOf } from '../record/stored.ts'
import type { StoredEntry } from '../record/stored.ts'
import { isObject } from '../record/unfinished.ts'
import type { Effect } from '../config/policy-types.ts'
import { NONE, readJson } from '../wire/json.ts'
import { plainAt } from '../wire/plain.ts'
import type { CallFacts } from './verdict.ts'

/** An entry with its body; `RecordedEntry` fits. */
export interface EntryWithBody extends StoredEntry {
  readonly bodyState: BodyState
  body(): Uint8Array | undefined
}

/** A call on which rules were asked. */
export interface RecordedCall {
  readonly index: number
  /** RFC 3339 in UTC. */
  readonly time: string
  readonly timeUs: number
  readonly exchange: string | undefined
  readonly session: string | undefined
  readonly connection: string
  readonly who: string
  /** Tool, prompt or resource; the method where there is none. */
  readonly what: string
  readonly was: Effect
  /** Rules and grants by name that matched, as far as the record tells. */
  readonly matched: ReadonlySet<string>
  /** Whether `matched` is all; of a denied call only the rule that denied it is recorded. */
  readonly isAllMatched: boolean
  /** The rule that denied it. */
  readonly deniedBy: string | undefined
  readonly facts: CallFacts
  /** Variables whose values are not known: `exposure`, `call.arguments`. */
  readonly unknown: ReadonlySet<string>
}

/** What else the record says of a call. */
export interface AroundCall {
  /** Something in the message was masked, so its body is not what was sent. */
  readonly isMasked: boolean
  /** No tool of this connection was another one than it was when it was pinned. */
  readonly isUnchanged: boolean
}

/** Whether rules were asked on what an entry tells of. */
export function isJudged({ fields, type }: StoredEntry): boolean {
  if (type === 'call.denied') return deniedReasons.has(textOf(fields['reason']) ?? '')
  if (type !== 'call.received') return false
  const kind = fields['rpcKind']
  if (kind === 'stream' || kind === 'end') return false
  // A question about a task of ours is answered by what was decided before.
  return fields['decision'] === 'hold' || fields['ticket'] === undefined
}

const deniedReasons: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ['rule', 'deny'],
  ['held', 'hold'],
  ['cannot_be_held', 'hold'],
  ['held_in_batch', 'hold'],
])

/** @param entry one that `isJudged`. */
export function recordedCall(entry: EntryWithBody, around: AroundCall): RecordedCall {
  const { fields, principal, time, timeUs } = entry
  const connection = entry.connection ?? ''
  const target = targetOf(fields)
  const seen = factsIn(fields['facts'])
  const isDenied = entry.type === 'call.denied'
  const rule = textOf(fields['rule']) ?? ''
  const names = rule.split(' ').filter((name) => name !== '')
  const unknown = unknownOf(entry, around, seen)
  return {
    index: entry.index,
    time,
    timeUs,
    exchange: entry.exchange,
    session: entry.session,
    connection,
    who: principal?.name ?? principal?.subject ?? '',
    what: target.name === '' ? (textOf(fields['method']) ?? '') : target.name,
    was: wasOf(entry),
    matched: new Set(isCut(rule) ? names.slice(0, -1) : names),
    isAllMatched: !isDenied && !isCut(rule),
    deniedBy: isDenied ? names[0] : undefined,
    unknown,
    facts: {
      sql: seen.sql,
      findings: seen.findings,
      principal: bearerOf(principal),
      connection,
      call: {
        method: textOf(fields['method']) ?? '',
        ...target,
        bytes: countOf(fields['bytes']) ?? 0,
        arguments: () => argumentsIn(entry.body()),
      },
      source: { ip: entry.source?.ip ?? '' },
      exposure: () => ({ clear: 0, masked: 0 }),
      tool: target.kind === 'tool' ? pinned : undefined,
      nowMs: timeUs / 1000,
    },
  }
}

/** Nothing but `isChanged` is known of it. */
const pinned: NonNullable<CallFacts['tool']> = {
  description: '',
  isReadOnly: false,
  isDestructive: true,
  isChanged: false,
  sha256: '',
}

function wasOf({ fields, type }: StoredEntry): Effect {
  if (type === 'call.denied') return deniedReasons.get(textOf(fields['reason']) ?? '') ?? 'deny'
  return fields['decision'] === 'hold' ? 'hold' : 'allow'
}

const toolParts = ['tool.known', 'tool.description', 'tool.read_only', 'tool.destructive']
/** What the record has of nobody. */
const always = ['exposure', 'claims', 'principal.roles', 'principal.client', 'principal.owner']
const batchParts = ['call', 'sql', 'findings', 'tool', ...always]

function unknownOf(
  { bodyState, fields, principal, type }: EntryWithBody,
  { isMasked, isUnchanged }: AroundCall,
  { isFindingsCut, isSqlCut }: Seen,
): ReadonlySet<string> {
  // Of an array that was refused the record does not say which of its messages it was.
  if (fields['reason'] === 'held_in_batch') return shared(batchParts)
  const { kind, name } = targetOf(fields)
  const groups = principal?.groups ?? []
  const unknown = [
    ...always,
    ...(isMasked || bodyState !== 'readable' ? ['call.arguments'] : []),
    ...(type === 'call.denied' ? ['call.bytes'] : []),
    ...(isCut(name) ? ['call.name', 'call.tool'] : []),
    ...(groups.length >= groupsMax || groups.some(isCut) ? ['principal.groups'] : []),
    ...(kind === 'tool' ? toolParts : []),
    ...(kind === 'tool' && !isUnchanged ? ['tool.changed'] : []),
    ...(isSqlCut ? ['sql'] : []),
    ...(isFindingsCut ? ['findings'] : []),
  ]
  return shared(unknown)
}

const sets = new Map<string, ReadonlySet<string>>()

/** One set for the same names: there are as many as there are ways to combine the lines above. */
function shared(names: readonly string[]): ReadonlySet<string> {
  const key = names.join(' ')
  const set = sets.get(key) ?? new Set(names)
  sets.set(key, set)
  return set
}

/** As `record/entry.ts` cuts them. */
const groupsMax = 64

function isCut(word: string): boolean {
  return word.endsWith('…')
}

function targetOf(fields: StoredEntry['fields']): { kind: string; name: string } {
  const { target } = fields
  if (!isObject(target)) return { kind: 'none', name: '' }
  return { kind: textOf(target['kind']) ?? 'none', name: textOf(target['name']) ?? '' }
}

function bearerOf(who: StoredEntry['principal']): CallFacts['principal'] {
  const { groups = [], issuer = '', kind = '', name, subject = '' } = who ?? {}
  return { issuer, subject, kind, groups, roles: [], ...(name === undefined ? {} : { name }) }
}

/** The facts of an entry, and whether there were more. */
interface Seen {
  readonly sql: readonly SqlFact[]
  readonly findings: readonly Finding[]
  readonly isSqlCut: boolean
  readonly isFindingsCut: boolean
}

const nothingSeen: Seen = { sql: [], findings: [], isSqlCut: false, isFindingsCut: false }
/** As `exchange/inspected.ts` cuts them. */
const namesMax = 40

function factsIn(value: unknown): Seen {
  if (!isObject(value)) return nothingSeen
  const { cut, findings, sql } = value
  const statements = listOf(sql).filter(isObject)
  const found = listOf(findings).filter(isObject)
  const facts = statements.map(statementOf)
  const isWhole = facts.every((fact) => fact !== undefined) && !statements.some(isStatementCut)
  return {
    sql: facts.filter((fact) => fact !== undefined),
    findings: found.flatMap(findingOf),
    isSqlCut: cut === true || !isWhole,
    isFindingsCut: cut === true || found.some(({ at }) => isCut(textOf(at) ?? '')),
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isStatementCut(statement: Readonly<Record<string, unknown>>): boolean {
  return Object.values(statement)
    .filter((value) => Array.isArray(value))
    .some((list) => list.length >= namesMax || list.some((word) => isCut(String(word))))
}

const texts = ['at', 'dialect', 'problem', 'verb', 'where'] as const
const counts = ['ordinal', 'statements', 'limit'] as const
const lists = [
  'verbs',
  'tables_read',
  'tables_written',
  'columns_read',
  'columns_written',
  'functions',
  'dangerous_functions',
] as const
const marks = [
  'parsed',
  'where_less',
  'writes',
  'is_ddl',
  'is_dcl',
  'exports',
  'uses_files',
  'is_dynamic',
  'changes_session',
  'is_transaction',
  'locks',
  'has_comments',
  'touches_cardholder_data',
  'writes_cardholder_data',
  'returns_cardholder_data',
] as const

/** Undefined where a member is missing: another version wrote it. */
function statementOf(value: Readonly<Record<string, unknown>>): SqlFact | undefined {
  const returned = listOf(value['columns_returned']).map((one) => String(one))
  const fact = { ...value, columns_returned: Object.fromEntries(returned.map(columnOf)) }
  return isStatement(fact) ? fact : undefined
}

/** `name: column, column`; a name may have a colon, a column has none before its first blank. */
function columnOf(text: string): [string, string[]] {
  const at = text.lastIndexOf(': ')
  const columns = at < 0 ? '' : text.slice(at + 2)
  return [at < 0 ? text : text.slice(0, at), columns === '' ? [] : columns.split(', ')]
}

function isStatement(value: object): value is SqlFact {
  const is = (type: string): ((name: string) => boolean) => {
    return (name) => typeof Reflect.get(value, name) === type
  }
  return (
    texts.every(is('string')) &&
    counts.every(is('number')) &&
    marks.every(is('boolean')) &&
    lists.every((name) => Array.isArray(Reflect.get(value, name)))
  )
}

const findingParts = ['family', 'confidence', 'at', 'what'] as const

function findingOf(value: object): Finding[] {
  return isFinding(value) ? [value] : []
}

function isFinding(value: object): value is Finding {
  return findingParts.every((name) => typeof Reflect.get(value, name) === 'string')
}

const limits = { bytesMax: 64 * 1024 * 1024, depthMax: 512 }

function argumentsIn(body: Uint8Array | undefined): unknown {
  if (body === undefined) return undefined
  const tree = readJson(body, limits)
  const params = tree.get(tree.root, 'params')
  return params === NONE ? undefined : plainAt(tree, tree.get(params, 'arguments'))
}
