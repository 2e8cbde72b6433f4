/** What the routes of users and of groups have in common. */
import type { Context, Hono } from 'hono'
import type { BlankSchema } from 'hono/types'
import type { Source } from '../record/entry.ts'
import type { Stations } from './change.ts'
import type { Page } from './list.ts'
import { json, notFound, refused } from './refusal.ts'
import { everything, readProjection, tagOf } from './shown.ts'
import type { Projection } from './shown.ts'
import type { Row } from './store.ts'

export type Env = { Bindings: { source: Source } }
export type App = Hono<Env, BlankSchema, string>
/** A request. */
export type Asked = Context<Env>

export interface Routes extends Stations {
  /** URL of the endpoint as this request knows it, without a slash at the end. */
  readonly baseOf: (c: Asked) => string
}

const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/** Which attributes a request wants to see. */
export function askedFor(c: Asked): Projection {
  const query = new URL(c.req.url).searchParams
  return query.size === 0 ? everything : readProjection(query)
}

export function pageAnswer(page: Page, startIndex: number, show: (row: Row) => unknown): Response {
  return json(200, listAnswer(page.rows.map(show), page.total, startIndex))
}

/** RFC 7644 §3.4.2. */
export function listAnswer(
  resources: readonly unknown[],
  total: number,
  startIndex: number,
): unknown {
  return {
    schemas: [listSchema],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

export function headersOf(row: Row, location: string): Record<string, string> {
  return { etag: tagOf(row), location }
}

export function the(row: Row | undefined): Row {
  if (row === undefined) throw notFound()
  return row
}

/** The row that is to change. @throws {Fault} 404, or 412 when it is another version of it. */
export function theExpected(c: Asked, row: Row | undefined): Row {
  const found = the(row)
  const expected = c.req.header('if-match')
  if (expected === undefined || isNamed(expected, found)) return found
  throw refused(412, 'The resource has changed since. Read it again.')
}

/** 304 for a version that the client has (RFC 7644 §3.14). */
export function isKnown(c: Asked, row: Row): Response | undefined {
  const known = c.req.header('if-none-match')
  if (known === undefined || !isNamed(known, row)) return undefined
  return new Response(null, { status: 304, headers: { etag: tagOf(row) } })
}

function isNamed(tags: string, row: Row): boolean {
  return tags.split(',').some((tag) => ['*', tagOf(row)].includes(tag.trim()))
}
