/** What could stand where somebody types: names of fields, or the names that a field knows. */
import { compareFields, isWordField, meanings, timeFields, wordFields } from './fields.ts'
import { wordKinds } from './schema.ts'
import type { Field } from './fields.ts'
import type { WordKind } from './schema.ts'

/** What [start, end) of the query may become, in UTF-16 units. */
export interface Completion {
  readonly start: number
  readonly end: number
  /** Fields that begin so, with what they find. */
  readonly fields: readonly { readonly name: Field; readonly meaning: string }[]
  /** Names to ask the index for: those of this kind that begin with `begun`. */
  readonly names: { readonly of: WordKind; readonly begun: string } | undefined
}

const fields: readonly Field[] = [...wordFields, ...compareFields, ...timeFields]
const kinds: ReadonlySet<string> = new Set(wordKinds)

/** @param cursor where the next character would be typed. */
export function completionAt(query: string, cursor: number): Completion {
  const before = query.slice(0, cursor)
  const [, name = '', values] = /(?:^|[\s(-])([A-Za-z]*)(?::([^\s()"]*))?$/.exec(before) ?? []
  if (values === undefined) {
    const start = cursor - name.length
    const begun = name.toLowerCase()
    const found = name === '' ? [] : fields.filter((field) => field.startsWith(begun))
    const told = found.map((field) => ({ name: field, meaning: meanings[field] }))
    return { start, end: cursor, fields: told, names: undefined }
  }
  const begun = values.slice(values.lastIndexOf(',') + 1)
  const field = name.toLowerCase()
  const names = isWordField(field) && isKind(field) ? { of: field, begun } : undefined
  return { start: cursor - begun.length, end: cursor, fields: [], names }
}

function isKind(name: string): name is WordKind {
  return kinds.has(name)
}
