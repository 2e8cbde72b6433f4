/**
 * Every place of a server's message that has room for a card number, found by walking the schema,
 * with a smallest valid message that has a number in exactly that place.
 */
import { pan } from '../cards.ts'
import { tasksExtension } from './tasks.ts'
import type { Definitions, Revision, Schema } from './schemas.ts'

/** The number that is put everywhere. */
export const card: string = pan(4, 16)

/** How the number stands there: as text, as a number, as a key, or in text that is in base64. */
export type Form = 'text' | 'number' | 'key' | 'base64'

export interface Place {
  /** The definition of the message's own part: `CallToolResult`. */
  readonly message: string
  readonly sort: 'request' | 'notification' | 'result' | 'error'
  /** The innermost definition it stands in, and the way from there: `Tool.inputSchema.*`. */
  readonly owner: string
  /** JSON Pointer (RFC 6901) in the message; for a key, that of its member. */
  readonly pointer: string
  readonly form: Form
  /** The message, anew each time. */
  readonly make: () => Record<string, unknown>
}

interface Spot {
  readonly owner: string
  readonly pointer: string
  readonly form: Form
  readonly make: () => unknown
}

/** Whatever the value of an unknown member is, and the elements of an open object. */
const anything: Schema = {}
const stranger = 'x-stranger'

class Walker {
  readonly #defs: Definitions

  constructor(defs: Definitions) {
    this.#defs = defs
  }

  /** Each spot below a schema. @param open definitions that are being walked: none within itself. */
  *spots(given: Schema, owner: string, open: readonly string[]): Generator<Spot> {
    if (given.$ref !== undefined) {
      const name = nameOf(given.$ref)
      const def = this.#def(name)
      // What is only a name for a text or a union says less than the member that has it.
      const isPart =
        def.properties !== undefined || def.type === 'object' || def.allOf !== undefined
      if (!open.includes(name)) yield* this.spots(def, isPart ? name : owner, [...open, name])
      return
    }
    if (given.const !== undefined || given.enum !== undefined) return
    const branches = given.anyOf ?? given.oneOf
    if (branches !== undefined) {
      for (const branch of branches) yield* this.spots(branch, owner, open)
      return
    }
    const schema = this.#merged(given)
    for (const type of typesOf(schema)) yield* this.#ofType(type, schema, owner, open)
  }

  *#ofType(type: string, schema: Schema, owner: string, open: readonly string[]): Generator<Spot> {
    if (type === 'string') yield* texts(schema, owner)
    else if ((type === 'number' || type === 'integer') && (schema.maximum ?? Infinity) > 1e16) {
      yield { owner, pointer: '', form: 'number', make: () => Number(card) }
    } else if (type === 'array') {
      for (const spot of this.spots(schema.items ?? anything, `${owner}[]`, open)) {
        yield { ...spot, pointer: `/0${spot.pointer}`, make: () => [spot.make()] }
      }
    } else if (type === 'object') yield* this.#members(schema, owner, open)
    else if (type === 'any') yield* this.#any(owner)
  }

  /** The members of an object, those nobody has heard of, and keys that are free. */
  *#members(schema: Schema, owner: string, open: readonly string[]): Generator<Spot> {
    const least = (): object => this.least(schema) as object
    const below = function* (key: string, spots: Iterable<Spot>): Generator<Spot> {
      for (const spot of spots) {
        const pointer = `/${segment(key)}${spot.pointer}`
        yield { ...spot, pointer, make: () => ({ ...least(), [key]: spot.make() }) }
      }
    }
    const named = { ...schema.properties, ...this.#reserved(owner) }
    for (const [key, value] of Object.entries(named)) {
      yield* below(key, this.spots(value, `${owner}.${key}`, open))
    }
    const more = schema.additionalProperties ?? true
    if (more === false) return
    // A closed interface of the specification is an open object on the wire.
    const value = more === true ? anything : more
    yield* below(stranger, this.spots(value, `${owner}.*`, open))
    const make = (): unknown => ({ ...least(), [card]: this.least(value) })
    yield { owner: `${owner}.{key}`, pointer: `/${card}`, form: 'key', make }
  }

  /** Names that the specification gives to members of open objects, in words only. */
  #reserved(owner: string): Record<string, Schema> {
    const hasTasks = this.#defs['RelatedTaskMetadata'] !== undefined
    if (!hasTasks || !/(Result|Params|\.params)\._meta$/.test(owner)) return {}
    return { 'io.modelcontextprotocol/related-task': { $ref: '#/$defs/RelatedTaskMetadata' } }
  }

  /** A value of which nothing is said. */
  *#any(owner: string): Generator<Spot> {
    yield* texts({}, owner)
    yield { owner, pointer: '', form: 'number', make: () => Number(card) }
    yield { owner, pointer: '/a/0', form: 'text', make: () => ({ a: [card] }) }
    yield { owner, pointer: `/a/${card}`, form: 'key', make: () => ({ a: { [card]: 1 } }) }
  }

  /** A smallest value of a schema. */
  least(given: Schema): unknown {
    if (given.$ref !== undefined) return this.least(this.#def(nameOf(given.$ref)))
    if (given.const !== undefined) return given.const
    if (given.enum !== undefined) return given.enum[0]
    const branch = given.anyOf?.[0] ?? given.oneOf?.[0]
    if (branch !== undefined) return this.least(branch)
    const schema = this.#merged(given)
    const [type = 'any'] = typesOf(schema)
    switch (type) {
      case 'object': {
        const { properties = {}, required = [] } = schema
        // Text in base64 is known by the type beside it.
        return Object.fromEntries(
          required.map((key) => [
            key,
            key === 'mimeType' ? 'image/svg+xml' : this.least(properties[key] ?? anything),
          ]),
        )
      }
      case 'array':
        return schema.minItems === undefined ? [] : [this.least(schema.items ?? anything)]
      case 'number':
      case 'integer':
        return schema.minimum ?? 1
      case 'boolean':
        return true
      default:
        return schema.format === 'uri' ? 'test://a' : schema.format === 'byte' ? 'YQ==' : 'a'
    }
  }

  /** The parts of an `allOf` as one schema; where two tell of one member, the later one counts. */
  #merged(schema: Schema): Schema {
    if (schema.allOf === undefined) return schema
    const { allOf, ...rest } = schema
    let all: Schema = rest
    for (const given of allOf) {
      const part = this.#merged(given.$ref === undefined ? given : this.#def(nameOf(given.$ref)))
      all = {
        ...all,
        ...part,
        properties: { ...all.properties, ...part.properties },
        required: [...new Set([...(all.required ?? []), ...(part.required ?? [])])],
      }
    }
    return all
  }

  #def(name: string): Schema {
    const schema = this.#defs[name]
    if (schema === undefined) throw new Error(`the schema has no ${name}`)
    return schema
  }
}

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)

function typesOf({ type, properties, items }: Schema): readonly string[] {
  if (type !== undefined) return typeof type === 'string' ? [type] : type
  if (properties !== undefined) return ['object']
  return items === undefined ? ['any'] : ['array']
}

/** Text in the formats of the schemas; what is to be base64 is tried bare as well. */
function* texts({ format }: Schema, owner: string): Generator<Spot> {
  const text = format === 'uri' ? `test://cards/${card}` : card
  yield { owner, pointer: '', form: 'text', make: () => text }
  if (format !== 'byte') return
  const base64 = Buffer.from(`card: ${card}\n`).toString('base64')
  yield { owner, pointer: '', form: 'base64', make: () => base64 }
}

const segment = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** Each place of each message that a server of this revision may send. */
export function* placesIn({ defs }: Revision): Generator<Place> {
  const walker = new Walker(defs)
  for (const { name, sort } of messagesOf(defs)) {
    const properties = envelope(name, sort, defs)
    const required = Object.keys(properties).filter((key) => key !== 'id')
    const all: Schema = { type: 'object', properties, required }
    for (const spot of walker.spots(all, name, [])) {
      const owner = spot.pointer === '/id' ? `${sort}.id` : spot.owner
      const make = (): Record<string, unknown> => {
        const message = spot.make() as Record<string, unknown>
        return sort === 'notification' ? message : { id: 1, ...message }
      }
      yield { ...spot, owner, message: name, sort, make }
    }
  }
}

/** What a server may send: what the schema's unions name, and every further result and error. */
function messagesOf(defs: Definitions): { name: string; sort: Place['sort'] }[] {
  const named = (union: string): string[] =>
    (defs[union]?.anyOf ?? []).map(({ $ref = '' }) => nameOf($ref))
  const mine = new Set(named('ServerResult'))
  const theirs = new Set([...named('ClientResult'), ...named('InputResponse')])
  const requests = new Set(named('ServerRequest'))
  const notifications = new Set(named('ServerNotification'))
  const unions = new Set(['ServerResult', 'ClientResult'])
  const found: { name: string; sort: Place['sort'] }[] = []
  for (const name of Object.keys(defs)) {
    const isResult = name.endsWith('Result') && !unions.has(name)
    if (requests.has(name)) found.push({ name, sort: 'request' })
    else if (notifications.has(name) || name in ofExtension)
      found.push({ name, sort: 'notification' })
    else if (isResult && (mine.has(name) || !theirs.has(name))) found.push({ name, sort: 'result' })
    else if (/Error(Response)?$/.test(name)) found.push({ name, sort: 'error' })
  }
  return found
}

/** Notifications of the extension, which no union of the revision names. */
const ofExtension = Object.fromEntries(
  Object.entries(tasksExtension).filter(([name]) => name.endsWith('Notification')),
)

/** The members of a message around or of a definition; older revisions leave the envelope out. */
function envelope(name: string, sort: Place['sort'], defs: Definitions): Record<string, Schema> {
  const { properties = {} } = defs[name] ?? {}
  const head = { id: { $ref: `#/RequestId` }, jsonrpc: { const: '2.0' } }
  if (sort === 'result') return { ...head, result: { $ref: `#/${name}` } }
  if (sort === 'error' && properties['error'] === undefined) {
    return { ...head, error: { $ref: `#/${name}` } }
  }
  const { id, ...rest } = { ...properties, ...head }
  return sort === 'notification' ? rest : { id, ...rest }
}
