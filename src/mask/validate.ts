/**
 * Weighs a value against a tool's `outputSchema` (JSON Schema draft 2020-12, and what servers still
 * write of draft-07) by walking the schema, one keyword after the other.
 *
 * The schema comes from a server that is not ours. So nothing is compiled to code, nothing is
 * fetched, patterns run in linear time, and the whole has a number of steps. What a schema says that
 * is not understood here (a remote `$ref`, a pattern with look-around, `unevaluated…`) says nothing.
 */
import { plainOf } from './instance.ts'
import { assertionOf } from './assertions.ts'
import { formatCheck } from './formats.ts'
import { linearPattern } from './linear.ts'
import { shapeOf } from './shapes.ts'
import { References, own, record } from './references.ts'
import { complain } from './rule.ts'
import type { Instance } from './instance.ts'
import type { LinearPattern } from './linear.ts'
import type { Complaint, Reader, Rule, Run } from './rule.ts'

const depthMax = 400
/** Of all patterns of a schema; what comes behind says nothing. */
const patternsLengthMax = 8192
/** The keywords by which a masked value can fail where the clear one did not. */
const tight: ReadonlySet<string> = new Set(
  (
    'pattern format enum const minLength maxLength minimum maximum exclusiveMinimum ' +
    'exclusiveMaximum multipleOf uniqueItems not contains if patternProperties propertyNames'
  ).split(' '),
)

export class OutputSchema implements Reader {
  /** Whether there is anything in it that masking could break. */
  readonly isTight: boolean
  readonly #root: unknown
  readonly #rules = new WeakMap<object, readonly Rule[]>()
  readonly #patterns = new Map<string, LinearPattern | undefined>()
  readonly #readable: ReadonlySet<string>
  #references: References | undefined

  /** @param schema as `JSON.parse` gives it. */
  constructor(schema: unknown) {
    this.#root = schema
    const { isTight, patterns } = survey(schema)
    this.isTight = isTight
    this.#readable = patterns
  }

  /**
   * What the value does not satisfy; empty when it is valid, undefined when the steps ran out.
   * @param run counts on over several weighings.
   */
  weigh(value: Instance, run: Run): readonly Complaint[] | undefined {
    const complaints: Complaint[] = []
    run.complaints = complaints
    run.depth = 0
    const fits = this.visit(this.#root, value, run)
    if (run.left < 0) return undefined
    if (fits) return []
    // A scalar that nobody changed does not fit: that is said of the whole.
    return complaints.length > 0 ? complaints : [{ at: value, keyword: 'schema', limit: undefined }]
  }

  visit(schema: unknown, at: Instance, run: Run): boolean {
    if (schema === false) return complain(run, at, 'false')
    const holder = record(schema)
    if (holder === undefined || --run.left < 0 || run.depth >= depthMax) return true
    const value = plainOf(at)
    let fits = true
    run.depth++
    for (const rule of this.#rulesOf(holder)) {
      run.left--
      if (rule(value, at, run)) continue
      fits = false
      if (run.complaints === undefined) break
    }
    run.depth--
    return fits
  }

  fits(schema: unknown, at: Instance, run: Run): boolean {
    const { complaints } = run
    run.complaints = undefined
    const fits = this.visit(schema, at, run)
    run.complaints = complaints
    return fits
  }

  pattern(source: string): LinearPattern | undefined {
    if (!this.#patterns.has(source) && this.#readable.has(source))
      this.#patterns.set(source, linearPattern(source))
    return this.#patterns.get(source)
  }

  target(ref: string): unknown {
    this.#references ??= new References(this.#root)
    return this.#references.target(ref)
  }

  #rulesOf(schema: Readonly<Record<string, unknown>>): readonly Rule[] {
    let rules = this.#rules.get(schema)
    if (rules === undefined) {
      const made: Rule[] = []
      for (const keyword of Object.keys(schema)) {
        const rule =
          assertionOf(keyword, schema[keyword], this) ??
          shapeOf(keyword, schema, this) ??
          this.#applicator(keyword, schema)
        if (rule !== undefined) made.push(rule)
      }
      rules = made
      this.#rules.set(schema, rules)
    }
    return rules
  }

  #applicator(keyword: string, schema: Readonly<Record<string, unknown>>): Rule | undefined {
    const limit = schema[keyword]
    switch (keyword) {
      case '$ref':
      case '$dynamicRef':
      case '$recursiveRef':
        return typeof limit === 'string'
          ? (_, at, run) => this.visit(this.target(limit), at, run)
          : undefined
      case 'allOf':
        return Array.isArray(limit) ? this.#all(limit) : undefined
      case 'anyOf':
        return Array.isArray(limit) ? this.#any(limit) : undefined
      case 'oneOf':
        return Array.isArray(limit) ? this.#one(limit) : undefined
      case 'not':
        return (_, at, run) => !this.fits(limit, at, run) || complain(run, at, keyword)
      case 'if':
        return (_, at, run) =>
          this.visit(own(schema, this.fits(limit, at, run) ? 'then' : 'else'), at, run)
      default:
        return undefined
    }
  }

  #all(branches: readonly unknown[]): Rule {
    return (_, at, run) => {
      let fits = true
      for (const branch of branches) if (!this.visit(branch, at, run)) fits = false
      return fits
    }
  }

  /** One branch is enough; where none fits, what each of them complains of is told. */
  #any(branches: readonly unknown[]): Rule {
    return (_, at, run) => {
      const before = run.complaints?.length ?? 0
      for (const branch of branches) {
        if (!this.visit(branch, at, run)) continue
        run.complaints?.splice(before)
        return true
      }
      return complain(run, at, 'anyOf')
    }
  }

  #one(branches: readonly unknown[]): Rule {
    return (_, at, run) => {
      const before = run.complaints?.length ?? 0
      let count = 0
      for (const branch of branches) if (this.visit(branch, at, run)) count++
      if (count > 0) run.complaints?.splice(before)
      return count === 1 || complain(run, at, 'oneOf')
    }
  }
}

/**
 * Looks through a whole schema. A property named like a keyword is taken for one: that makes a
 * schema look tighter, never looser.
 */
function survey(schema: unknown): { isTight: boolean; patterns: ReadonlySet<string> } {
  const patterns = new Set<string>()
  let isTight = false
  let length = 0
  const note = (source: unknown): void => {
    if (typeof source !== 'string' || patterns.has(source)) return
    length += source.length
    if (length <= patternsLengthMax) patterns.add(source)
  }
  const open: unknown[] = [schema]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (Array.isArray(at)) {
      for (const element of at) open.push(element ?? true)
      continue
    }
    const holder = record(at)
    if (holder === undefined) continue
    for (const [key, value] of Object.entries(holder)) {
      if (key === 'pattern') note(value)
      if (key === 'patternProperties') Object.keys(record(value) ?? {}).forEach(note)
      const isIdle =
        key === 'format' && typeof value === 'string' && formatCheck(value) === undefined
      if (tight.has(key) && !isIdle) isTight = true
      open.push(value ?? true)
    }
  }
  return { isTight, patterns }
}
