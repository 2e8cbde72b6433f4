/**
 * The official JSON Schemas of MCP, every revision that the conformance suite brings along. They are
 * its own checks, so they stand inside its bundle and not in files; here they are cut out of it.
 */
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { tasksExtension } from './tasks.ts'

/** As much of JSON Schema as the MCP schemas use. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}
export type Definitions = Readonly<Record<string, Schema>>

export interface Revision {
  readonly name: string
  readonly era: 'legacy' | 'modern'
  readonly defs: Definitions
  /** The definitions under the name that references use. */
  readonly document: Readonly<Record<string, unknown>>
}

const bundle = 'node_modules/conformance-next/dist/index.js'
const noSchemas = `${bundle} holds the schemas differently than before: look how, and change tests/hostile/schemas.ts`

/** Every revision, oldest first. @throws {Error} when the bundle is built in another way. */
export function readRevisions(): Revision[] {
  const text = readFileSync(bundle, 'utf8')
  // `{"2025-03-26":a,…,[constant]:b}`, with each schema in a variable of its own.
  const map = /=(\{"20\d\d-\d\d-\d\d":\w+(?:,(?:"[^"]+"|\[\w+\]):\w+)*\})/.exec(text)?.[1] ?? ''
  const entries = [...map.matchAll(/(?:"([^"]+)"|\[(\w+)\]):(\w+)/g)]
  if (entries.length === 0) throw new Error(noSchemas)
  return entries.map(([, plain, constant, variable]) => {
    const name = plain ?? new RegExp(`\\b${constant}=\`([^\`]+)\``).exec(text)?.[1] ?? ''
    if (!/^20\d\d-\d\d-\d\d$/.test(name)) throw new Error(noSchemas)
    return revision(name, literal(text, `${variable}={$schema:`))
  })
}

function revision(name: string, schema: Record<string, unknown>): Revision {
  const key = '$defs' in schema ? '$defs' : 'definitions'
  const era = name < '2026' ? 'legacy' : 'modern'
  const defs = { ...(schema[key] as Definitions), ...(era === 'modern' ? tasksExtension : {}) }
  return { name, era, defs, document: { ...schema, [key]: defs } }
}

/** The object literal that begins behind `name=`; it holds nothing but data. */
function literal(text: string, name: string): Record<string, unknown> {
  const start = text.indexOf(name) + name.indexOf('{')
  if (start < name.indexOf('{')) throw new Error(noSchemas)
  let depth = 0
  let quote = ''
  let at = start
  for (; at < text.length; at++) {
    const sign = text.charAt(at)
    if (quote !== '') {
      if (sign === '\\') at++
      else if (sign === quote) quote = ''
    } else if ('"\'`'.includes(sign)) quote = sign
    else if (sign === '{' || sign === '[') depth++
    else if ((sign === '}' || sign === ']') && --depth === 0) break
  }
  // Read once more as JSON, so that its objects are plain ones of this realm.
  return JSON.parse(JSON.stringify(runInNewContext(`(${text.slice(start, at + 1)})`)))
}
