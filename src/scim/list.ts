/** Which resources a query asks for, and which page of them (RFC 7644 §3.4.2). */
import { setImmediate } from 'node:timers/promises'
import type { Attributes } from './attributes.ts'
import { parseFilter } from './expression.ts'
import type { Filter, Term } from './expression.ts'
import { matches } from './match.ts'
import { bad } from './refusal.ts'
import type { Row, Rows, ScimStore } from './store.ts'

export interface Query {
  readonly filter?: Filter
  /** 1 is the first. */
  readonly startIndex: number
  readonly count: number
}

/** One page, and how many there are on all pages. */
export interface Page {
  readonly rows: readonly Row[]
  readonly total: number
}

/** Resources on one page. */
export const pageMax = 200
const pageDefault = 100
/** Rows read at once when all must be looked at; between two such parts calls are served. */
const scanRows = 500

/** @throws {Fault} `bad_request`: invalidFilter, or invalidValue for what is no whole number. */
export function readQuery(query: URLSearchParams): Query {
  const filters = query.getAll('filter')
  if (filters.length > 1) throw bad('invalidFilter', 'There is one filter in a query at most.')
  const [text] = filters
  const startIndex = Math.max(1, readCount(query, 'startIndex', 1))
  const count = Math.min(pageMax, Math.max(0, readCount(query, 'count', pageDefault)))
  return text === undefined
    ? { startIndex, count }
    : { filter: parseFilter(text), startIndex, count }
}

export async function listUsers(store: ScimStore, query: Query, isEntra: boolean): Promise<Page> {
  const whole = (row: Row): Attributes => ({ ...row.body, id: row.id })
  const groupsToo = mentions(query.filter, 'groups')
  return pageOf(store.users, query, userCandidates(store, query.filter, isEntra), (row) => {
    if (!groupsToo) return whole(row)
    return { ...whole(row), groups: store.groupsOf(row.id).map(({ id }) => ({ value: id })) }
  })
}

export async function listGroups(store: ScimStore, query: Query, isEntra: boolean): Promise<Page> {
  const membersToo = mentions(query.filter, 'members')
  return pageOf(store.groups, query, groupCandidates(store, query.filter, isEntra), (row) => {
    const whole = { ...row.body, id: row.id }
    if (!membersToo) return whole
    return { ...whole, members: [...store.members(row.id)].map((value) => ({ value })) }
  })
}

async function pageOf(
  rows: Rows,
  { count, filter, startIndex }: Query,
  candidates: readonly Row[] | undefined,
  whole: (row: Row) => Attributes,
): Promise<Page> {
  const skip = startIndex - 1
  if (filter === undefined) return { rows: rows.page(skip, count), total: rows.count() }
  const found: Row[] = []
  let total = 0
  for await (const part of candidates === undefined ? scan(rows) : [candidates]) {
    for (const row of part) {
      if (!matches(whole(row), filter)) continue
      total++
      if (total > skip && found.length < count) found.push(row)
    }
  }
  return { rows: found, total }
}

async function* scan(rows: Rows): AsyncGenerator<readonly Row[]> {
  for (let mark = 0; ;) {
    const part = rows.after(mark, scanRows)
    if (part.rows.length === 0) return
    yield part.rows
    mark = part.mark
    await setImmediate()
  }
}

/** The few rows that an index finds; undefined when all must be looked at. */
function userCandidates(
  { users }: ScimStore,
  filter: Filter | undefined,
  isEntra: boolean,
): Row[] | undefined {
  const id = wordOf(filter, 'id')
  if (id !== undefined) return present(users.byId(id))
  const userName = wordOf(filter, 'userName')
  if (userName !== undefined) return users.byName(userName.toLowerCase())
  const external = wordOf(filter, 'externalId')
  if (external === undefined) return undefined
  return present(users.byExternal(isEntra ? external.toLowerCase() : external))
}

function groupCandidates(
  store: ScimStore,
  filter: Filter | undefined,
  isEntra: boolean,
): Row[] | undefined {
  const { groups } = store
  const id = wordOf(filter, 'id')
  if (id !== undefined) return present(groups.byId(id))
  const external = wordOf(filter, 'externalId')
  if (external !== undefined) {
    return present(groups.byExternal(isEntra ? external.toLowerCase() : external))
  }
  const displayName = wordOf(filter, 'displayName')
  if (displayName !== undefined) return groups.byName(displayName.toLowerCase())
  const member = memberOf(filter)
  return member === undefined ? undefined : store.groupsOf(member)
}

/** The text an attribute must be equal to, where the filter has such a term. */
function wordOf(filter: Filter | undefined, name: string): string | undefined {
  const term = filter?.find(({ path }) => isPlain(path, name) && path.where === undefined)
  return term !== undefined && term.path.sub === undefined ? textOf(term) : undefined
}

/** `members eq "…"` or `members.value eq "…"`. */
function memberOf(filter: Filter | undefined): string | undefined {
  const term = filter?.find(({ path }) => isPlain(path, 'members') && path.where === undefined)
  const sub = term?.path.sub?.toLowerCase() ?? 'value'
  return term !== undefined && sub === 'value' ? textOf(term) : undefined
}

function textOf({ equals }: Term): string | undefined {
  return typeof equals === 'string' ? equals : undefined
}

function isPlain(path: Term['path'], name: string): boolean {
  return path.schema === undefined && path.name.toLowerCase() === name.toLowerCase()
}

function mentions(filter: Filter | undefined, name: string): boolean {
  return filter?.some(({ path }) => isPlain(path, name)) ?? false
}

function present(row: Row | undefined): Row[] {
  return row === undefined ? [] : [row]
}

function readCount(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  if (!/^-?\d{1,9}$/.test(text)) throw bad('invalidValue', `${name} is a whole number.`)
  return Number(text)
}
