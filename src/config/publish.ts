/**
 * The published JSON Schemas of `sallyport.yaml` and of files of rules, which editors complete from.
 * `node src/config/publish.ts` writes them; a test compares the committed files.
 */
import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { field } from './fields.ts'
import type { Path } from './mistakes.ts'
import { profileSchema } from './rule-schema.ts'
import { fileSchema } from './schema.ts'

/** What we read of a JSON Schema. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly oneOf?: readonly Shape[]
  readonly const?: unknown
}

const options = { io: 'input', unrepresentable: 'any' } as const
const same = (path: string): string => path
const made = z.toJSONSchema(fileSchema(same), options)
const madeProfile = z.toJSONSchema(profileSchema(field(same)), options)

/** The text of `schema/sallyport.schema.json`. */
export function publishedSchema(): string {
  return published(made, 'sallyport.yaml, the configuration of Sallyport')
}

/** The text of `schema/profile.schema.json`. */
export function publishedProfileSchema(): string {
  return published(madeProfile, 'A file of rules for Sallyport, named by `profile` of a connection')
}

function published(schema: { readonly $schema?: string }, title: string): string {
  const { $schema, ...rest } = schema
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`
}

/** The keys which the mapping at a path may have; where `type` chooses among several, those of the
 *  one chosen, or of all. */
export function knownKeys(path: Path, plain: unknown): readonly string[] {
  return keysAt(made, path, plain)
}

/** The same of a file of rules. */
export function knownProfileKeys(path: Path, plain: unknown): readonly string[] {
  return keysAt(madeProfile, path, plain)
}

function keysAt(schema: unknown, path: Path, plain: unknown): readonly string[] {
  let shapes: readonly Shape[] = isShape(schema) ? [schema] : []
  let value = plain
  for (const part of path) {
    shapes = chosen(shapes, value).flatMap((shape) => {
      const next = typeof part === 'number' ? shape.items : shape.properties?.[part]
      return next ?? []
    })
    value = memberOf(value, part)
  }
  const keys = chosen(shapes, value).flatMap((shape) => Object.keys(shape.properties ?? {}))
  return [...new Set(keys)]
}

/** Every part of a JSON Schema made by zod is an object with these members or without. */
function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null
}

function chosen(shapes: readonly Shape[], value: unknown): readonly Shape[] {
  const all = shapes.flatMap((shape) => shape.oneOf ?? [shape])
  const type = memberOf(value, 'type')
  const fitting = all.filter((shape) => shape.properties?.['type']?.const === type)
  return type !== undefined && fitting.length > 0 ? fitting : all
}

function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const member: unknown = Reflect.get(value, key)
  return member
}

if (import.meta.main) {
  const at = (name: string): URL => new URL(`../../schema/${name}.schema.json`, import.meta.url)
  writeFileSync(at('sallyport'), publishedSchema())
  writeFileSync(at('profile'), publishedProfileSchema())
}
