/**
 * The published JSON Schema of `sallyport.yaml`, which editors complete from.
 * `node src/config/publish.ts` writes it; a test compares the committed file.
 */
import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { Path } from './mistakes.ts'
import { fileSchema } from './schema.ts'

/** What we read of a JSON Schema. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly oneOf?: readonly Shape[]
  readonly const?: unknown
}

const made = z.toJSONSchema(
  fileSchema((path) => path),
  { io: 'input', unrepresentable: 'any' },
)

/** The text of `schema/sallyport.schema.json`. */
export function publishedSchema(): string {
  const { $schema, ...rest } = made
  const title = 'sallyport.yaml, the configuration of Sallyport'
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`
}

/** The keys which the mapping at a path may have; where `type` chooses among several, those of the
 *  one chosen, or of all. */
export function knownKeys(path: Path, plain: unknown): readonly string[] {
  let shapes: readonly Shape[] = isShape(made) ? [made] : []
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
  writeFileSync(new URL('../../schema/sallyport.schema.json', import.meta.url), publishedSchema())
}
