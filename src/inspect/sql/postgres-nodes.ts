/** Looking into PostgreSQL's parse tree (`libpg-query`: JSON in which each node is `{ Name: fields }`). */
import type { TableName } from './statement.ts'

export type Fields = Readonly<Record<string, unknown>>
export interface Node {
  readonly kind: string
  readonly fields: Fields
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value as a node; `kind` is empty for what is none. */
export function nodeOf(value: unknown): Node {
  if (isFields(value)) {
    for (const kind in value) {
      const fields = value[kind]
      if (/^[A-Z]/.test(kind) && isFields(fields)) return { kind, fields }
    }
  }
  return { kind: '', fields: {} }
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function nodesOf(value: unknown): readonly Node[] {
  return listOf(value).map(nodeOf)
}

/** Fields of a part whose kind the grammar fixes, so that it stands without its name. */
export function partOf(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined
}

/** A word of the tree as it stands; empty where there is none. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A name, in lower case. */
export function nameOf(value: unknown): string {
  return wordOf(value).toLowerCase()
}

export function stringOf({ kind, fields }: Node): string {
  return kind === 'String' ? nameOf(fields['sval']) : ''
}

/** `[String, String]` as names; stars and other nodes are left out. */
export function namesOf(value: unknown): readonly string[] {
  return nodesOf(value).flatMap((node) => (node.kind === 'String' ? [stringOf(node)] : []))
}

/** The table of names such as `['public', 'cards']`. */
export function tableOfNames(names: readonly string[]): TableName {
  return { schema: names.slice(0, -1).join('.'), name: names.at(-1) ?? '' }
}

/** The table of a RangeVar. */
export function tableOf(range: Fields): TableName {
  const parts = [range['catalogname'], range['schemaname'], range['relname']].map(nameOf)
  return tableOfNames(parts.filter(Boolean))
}

export function aliasOf(fields: Fields): { alias: string; columns: readonly string[] } {
  const alias = partOf(fields['alias'])
  return { alias: nameOf(alias?.['aliasname']), columns: namesOf(alias?.['colnames']) }
}

/** The last of the names of a type: `int4` of `pg_catalog.int4`. */
export function typeOf(value: unknown): string {
  return namesOf(partOf(value)?.['names']).at(-1) ?? ''
}
