/** Resources as they are answered: with what only the gateway writes, and only what was asked for. */
import { isObject, keyOf } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import { parsePath } from './expression.ts'
import type { Path } from './expression.ts'
import { schemasOf } from './resource.ts'
import type { Row, ScimStore } from './store.ts'

/** `attributes` or `excludedAttributes` of a query (RFC 7644 §3.9). */
export interface Projection {
  readonly only?: readonly Path[]
  readonly without: readonly Path[]
}

export const everything: Projection = { without: [] }

const always = new Set(['id', 'schemas'])

/** @throws {Fault} `bad_request` (invalidPath) for a name that is none. */
export function readProjection(query: URLSearchParams): Projection {
  const only = readPaths(query.get('attributes'))
  const without = readPaths(query.get('excludedAttributes'))
  return only.length > 0 ? { only, without: [] } : { without }
}

/** @param base URL of the endpoint, without a slash at the end. */
export function showUser(row: Row, store: ScimStore, base: string, asked: Projection): Attributes {
  const groups = wants(asked, 'groups') ? store.groupsOf(row.id) : []
  const shown = {
    ...frame(row, 'User', base),
    ...(groups.length === 0 ? {} : { groups: groups.map((group) => groupOf(group, base)) }),
  }
  return project(shown, asked)
}

export function showGroup(row: Row, store: ScimStore, base: string, asked: Projection): Attributes {
  const shown = frame(row, 'Group', base)
  if (!wants(asked, 'members')) return project(shown, asked)
  const members = [...store.members(row.id)].map((value) => ({
    value,
    $ref: `${base}/Users/${encodeURIComponent(value)}`,
  }))
  return project({ ...shown, members }, asked)
}

/** The version of a resource as an entity tag (RFC 7644 §3.14). */
export function tagOf({ version }: Row): string {
  return `W/"${version}"`
}

export function locationOf(row: Row, type: 'User' | 'Group', base: string): string {
  return `${base}/${type}s/${row.id}`
}

function frame(row: Row, type: 'User' | 'Group', base: string): Attributes {
  const { body, changedMs, id, madeMs } = row
  const meta = {
    resourceType: type,
    created: new Date(madeMs).toISOString(),
    lastModified: new Date(changedMs).toISOString(),
    version: tagOf(row),
    location: locationOf(row, type, base),
  }
  return { schemas: schemasOf(body, type), id, ...body, meta }
}

function groupOf({ body, id }: Row, base: string): Attributes {
  return { value: id, display: body['displayName'], $ref: `${base}/Groups/${id}`, type: 'direct' }
}

function wants({ only, without }: Projection, name: string): boolean {
  const isIt = (path: Path): boolean => path.name.toLowerCase() === name
  if (only !== undefined) return only.some(isIt)
  return !without.some((path) => isIt(path) && path.sub === undefined)
}

function project(shown: Attributes, { only, without }: Projection): Attributes {
  if (only !== undefined) return keepOnly(shown, only)
  if (without.length === 0) return shown
  const kept = structuredClone(shown)
  for (const path of without) if (!always.has(path.name.toLowerCase())) drop(kept, path)
  return kept
}

function keepOnly(shown: Attributes, only: readonly Path[]): Attributes {
  const kept: Attributes = { schemas: shown['schemas'], id: shown['id'] }
  for (const { name, schema, sub } of only) {
    const names = [schema, name, sub].filter((part) => part !== undefined)
    copy(shown, kept, names)
  }
  return kept
}

/** Copies what lies at the end of a way, through lists as through objects. */
function copy(from: Attributes, into: Attributes, [name = '', ...rest]: readonly string[]): void {
  const key = keyOf(from, name)
  if (key === undefined) return
  const value = from[key]
  if (rest.length === 0) into[key] = value
  else if (isObject(value)) {
    const inner = isObject(into[key]) ? into[key] : {}
    into[key] = inner
    copy(value, inner, rest)
  } else if (Array.isArray(value)) {
    const known: unknown = into[key]
    into[key] = value.filter(isObject).map((one, i) => {
      const before: unknown = Array.isArray(known) ? known[i] : undefined
      const inner: Attributes = isObject(before) ? before : {}
      copy(one, inner, rest)
      return inner
    })
  }
}

function drop(home: Attributes, { name, schema, sub }: Path): void {
  const names = [schema, name, sub].filter((part) => part !== undefined)
  const last = names.pop() ?? ''
  let homes: Attributes[] = [home]
  for (const part of names) {
    homes = homes.flatMap((one) => {
      const key = keyOf(one, part)
      const value: unknown = key === undefined ? undefined : one[key]
      const list: unknown[] = Array.isArray(value) ? value : [value]
      return list.filter(isObject)
    })
  }
  for (const one of homes) {
    const key = keyOf(one, last)
    if (key !== undefined) delete one[key]
  }
}

function readPaths(list: string | null): Path[] {
  const names = (list ?? '').split(',').map((name) => name.trim())
  return names.filter((name) => name !== '').map((name) => parsePath(name))
}
