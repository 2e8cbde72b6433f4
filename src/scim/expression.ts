/**
 * Filters (RFC 7644 §3.4.2.2) and paths of PATCH (§3.5.2), as far as directories use them: `eq` and
 * `and`, values selected in brackets. Nothing else is understood, and nothing is guessed.
 *
 *     filter = term *( SP "and" SP term )         path = attribute [ "[" filter "]" [ "." sub ] ]
 *     term   = path [ SP "eq" SP literal ]        attribute = [ urn ":" ] name [ "." sub ]
 *
 * In brackets stand no brackets. A term without `eq` asks whether anything was selected.
 */
import { bad } from './refusal.ts'
import type { ScimType } from './refusal.ts'
import { coreGroup, coreUser } from './attributes.ts'

export type Literal = string | number | boolean | null

/** A place in a resource. Names are as they came: they are equal in any case. */
export interface Path {
  /** Of an extension; the core schemas are left out. */
  readonly schema?: string
  /** An attribute, or the URN of an extension itself. */
  readonly name: string
  /** Which values of it. */
  readonly where?: Filter
  readonly sub?: string
}

/** Equal to a value; without one: there at all. */
export interface Term {
  readonly path: Path
  readonly equals?: Literal
}

/** All of them must hold. */
export type Filter = readonly Term[]

const charactersMax = 2_048
const termsMax = 16

const urn = /urn:[^\s"[\]()]+/iy
const attribute = /(\$ref|[a-z][\w-]*)(?:\.(\$ref|[a-z][\w-]*))?(?![\w.$:-])/iy
const subAttribute = /\.(\$ref|[a-z][\w-]*)(?![\w.$:-])/iy
const space = / +/y
const word = /[a-z]+(?![\w.$:-])/iy
const text = /"(?:[^"\\]|\\.)*"/y
const plain = /(?:true|false|null|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.$:-])/iy

/**
 * @param source the decoded query parameter.
 * @throws {Fault} `bad_request` (invalidFilter) for everything that is not understood.
 */
export function parseFilter(source: string): Filter {
  return new Reader(source, 'invalidFilter').whole((reader) => reader.filter(false))
}

/** @throws {Fault} `bad_request` (invalidPath) for everything that is not understood. */
export function parsePath(source: string): Path {
  return new Reader(source, 'invalidPath').whole((reader) => reader.path(false))
}

class Reader {
  readonly #source: string
  readonly #type: ScimType
  #at = 0

  constructor(source: string, type: ScimType) {
    this.#source = source
    this.#type = type
    if (source.length > charactersMax) throw this.#wrong('It is too long')
  }

  whole<T>(read: (reader: this) => T): T {
    const result = read(this)
    if (this.#at !== this.#source.length) throw this.#wrong('Only eq and and are understood')
    return result
  }

  filter(isInBrackets: boolean): Filter {
    const terms = [this.#term(isInBrackets)]
    // Behind a term stands "and" with spaces around it, or nothing at all.
    while (this.#take(space) !== undefined) {
      if (this.#take(word)?.[0].toLowerCase() !== 'and') throw this.#wrong('Expected: and')
      this.#need(space, 'a space')
      if (terms.length === termsMax) throw this.#wrong('It has too many terms')
      terms.push(this.#term(isInBrackets))
    }
    return terms
  }

  path(isInBrackets: boolean): Path {
    const path = this.#attribute()
    if (isInBrackets || this.#source[this.#at] !== '[' || path.sub !== undefined) return path
    this.#at++
    const where = this.filter(true)
    if (this.#source[this.#at++] !== ']') throw this.#wrong('Expected: ]')
    const sub = this.#take(subAttribute)?.[1]
    return { ...path, where, ...(sub === undefined ? {} : { sub }) }
  }

  #term(isInBrackets: boolean): Term {
    const path = this.path(isInBrackets)
    const isBare = path.where !== undefined && path.sub === undefined
    const before = this.#at
    this.#take(space)
    if (this.#take(word)?.[0].toLowerCase() === 'eq') {
      this.#need(space, 'a space')
      return { path, equals: this.#literal() }
    }
    this.#at = before
    if (!isBare) throw this.#wrong('Expected: eq')
    return { path }
  }

  #attribute(): Path {
    const found = this.#take(urn)?.[0]
    if (found !== undefined) return splitUrn(found) ?? this.#fail('This is no attribute')
    const [, name = '', sub] = this.#need(attribute, 'an attribute')
    return { name, ...(sub === undefined ? {} : { sub }) }
  }

  #literal(): Literal {
    const quoted = this.#take(text)?.[0]
    const found = quoted ?? this.#need(plain, 'a value')[0].toLowerCase()
    try {
      const value: unknown = JSON.parse(found)
      if (typeof value === 'string' && value.isWellFormed()) return value
      if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
    } catch {
      // An escape that JSON does not have, or a control character: refused just below.
    }
    return this.#fail('This is no value')
  }

  #take(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at
    const found = form.exec(this.#source)
    if (found !== null) this.#at = form.lastIndex
    return found ?? undefined
  }

  #need(form: RegExp, what: string): RegExpExecArray {
    return this.#take(form) ?? this.#fail(`Expected: ${what}`)
  }

  #fail(what: string): never {
    throw this.#wrong(what)
  }

  #wrong(what: string): Error {
    const name = this.#type === 'invalidPath' ? 'path' : 'filter'
    return bad(this.#type, `${what} at character ${this.#at} of the ${name}.`)
  }
}

/**
 * `urn:…:2.0:User:name.sub` in its parts. Schemas end in `:User` or `:Group` by custom; where one
 * does not, its last part is the attribute.
 */
function splitUrn(whole: string): Path | undefined {
  if (/^urn:.+:(?:User|Group)$/i.test(whole)) return { name: whole }
  const parts =
    /^(urn:.+?:(?:User|Group)):(\$ref|[a-z][\w-]*)(?:\.(\$ref|[a-z][\w-]*))?$/i.exec(whole) ??
    /^(urn:.+):(\$ref|[a-z][\w-]*)(?:\.(\$ref|[a-z][\w-]*))?$/i.exec(whole)
  if (parts === null) return undefined
  const [, schema = '', name = '', sub] = parts
  const isCore = [coreUser, coreGroup].some((core) => core.toLowerCase() === schema.toLowerCase())
  return { ...(isCore ? {} : { schema }), name, ...(sub === undefined ? {} : { sub }) }
}
