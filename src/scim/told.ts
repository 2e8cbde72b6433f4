/** The row of a change, and what the record says of it: names of attributes, never what is in them. */
import { isDeepStrictEqual } from 'node:util'
import type { Details } from '../record/entry.ts'
import type { Row } from './store.ts'

/** People named in one entry; the rest are counted. */
const namedMax = 50

/** The row as it is to be kept; `before` itself where nothing changed. */
export function nextRow(
  before: Row | undefined,
  after: Pick<Row, 'id' | 'body'> & { readonly name: string; readonly external?: string },
  nowMs: number,
): Row {
  if (before !== undefined && isDeepStrictEqual(before.body, after.body)) return before
  const made = before ?? { version: 0, madeMs: nowMs, changedMs: nowMs }
  const { version, madeMs } = made
  const name = after.name.toLowerCase()
  return { ...after, name, version: version + 1, madeMs, changedMs: nowMs }
}

/** Whether somebody may come in is told besides. */
export function toldUser(before: Row | undefined, after: Row | undefined): Details {
  return {
    ...toldOf('User', before, after),
    activeBefore: before && before.body['active'] === true,
    activeAfter: after && after.body['active'] === true,
  }
}

/** @param moved subjects of those who came and went. */
export function toldGroup(
  before: Row | undefined,
  after: Row | undefined,
  moved: { readonly added: readonly string[]; readonly removed: readonly string[] },
): Details {
  const row = after ?? before
  const name = row?.body['displayName']
  return {
    ...toldOf('Group', before, after),
    group: row?.external,
    name: typeof name === 'string' ? name : undefined,
    ...peopleOf('added', moved.added),
    ...peopleOf('removed', moved.removed),
  }
}

function toldOf(resource: string, before: Row | undefined, after: Row | undefined): Details {
  const change = before === undefined ? 'created' : after === undefined ? 'deleted' : 'changed'
  const id = (after ?? before)?.id
  return { resource, change, id, fields: changedFields(before?.body ?? {}, after?.body ?? {}) }
}

function changedFields(before: Row['body'], after: Row['body']): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name])).toSorted()
}

function peopleOf(what: 'added' | 'removed', subjects: readonly string[]): Details {
  if (subjects.length === 0) return {}
  return { [what]: subjects.slice(0, namedMax), [`${what}Count`]: subjects.length }
}
