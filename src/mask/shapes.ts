/** Keywords about the members of an object and the elements of an array (JSON Schema core §10.3,
 *  validation §6.4–6.5; draft-07 spellings beside them). */
import { isElements, isMembers, plainOf } from './instance.ts'
import { own, record } from './references.ts'
import { complain } from './rule.ts'
import type { Elements, Instance, Members } from './instance.ts'
import type { LinearPattern } from './linear.ts'
import type { SchemaObject } from './references.ts'
import type { Reader, Rule, Run } from './rule.ts'

/** The rule of a keyword; keywords that are read together have one, at the first of them. */
export function shapeOf(keyword: string, schema: SchemaObject, reader: Reader): Rule | undefined {
  const operand = schema[keyword]
  switch (keyword) {
    case 'properties':
    case 'patternProperties':
    case 'additionalProperties':
      return firstOf(schema, ['properties', 'patternProperties', 'additionalProperties']) ===
        keyword
        ? ofMembers(schema, reader)
        : undefined
    case 'prefixItems':
    case 'items':
      return firstOf(schema, ['prefixItems', 'items']) === keyword
        ? ofElements(schema, reader)
        : undefined
    case 'required':
      return Array.isArray(operand) ? ofRequired(operand) : undefined
    case 'dependentRequired':
    case 'dependentSchemas':
    case 'dependencies':
      return ofDependent(keyword, operand, reader)
    case 'propertyNames':
      return members((value, at, run) => {
        for (const key of value.keys())
          if (!reader.fits(operand, key, run)) return complain(run, at, keyword)
        return true
      })
    case 'contains':
      return ofContains(operand, schema, reader)
    case 'uniqueItems':
      return operand === true ? elements(areUnique) : undefined
    default:
      return typeof operand === 'number' ? ofSize(keyword, operand) : undefined
  }
}

const firstOf = (schema: SchemaObject, keywords: readonly string[]): string | undefined =>
  keywords.find((keyword) => Object.hasOwn(schema, keyword))

const members =
  (rule: (value: Members, at: Instance, run: Run) => boolean): Rule =>
  (value, at, run) =>
    !isMembers(value) || rule(value, at, run)

const elements =
  (rule: (value: Elements, at: Instance, run: Run) => boolean): Rule =>
  (value, at, run) =>
    !isElements(value) || rule(value, at, run)

function ofSize(keyword: string, limit: number): Rule | undefined {
  const check = (size: number): boolean =>
    keyword.startsWith('min') ? size >= limit : size <= limit
  switch (keyword) {
    case 'minProperties':
    case 'maxProperties':
      return members((value, at, run) => check(value.size) || complain(run, at, keyword))
    case 'minItems':
    case 'maxItems':
      return elements((value, at, run) => check(value.length) || complain(run, at, keyword))
    default:
      return undefined
  }
}

function ofMembers(schema: SchemaObject, reader: Reader): Rule {
  const properties = record(own(schema, 'properties')) ?? {}
  const additional = own(schema, 'additionalProperties') ?? true
  const patterns: [LinearPattern, unknown][] = []
  let isBlind = false
  for (const [source, below] of Object.entries(record(own(schema, 'patternProperties')) ?? {})) {
    const pattern = reader.pattern(source)
    if (pattern === undefined) isBlind = true
    else patterns.push([pattern, below])
  }
  return members((value, _, run) => {
    let fits = true
    for (const [key, member] of value) {
      if (--run.left < 0) return true
      let isNamed = Object.hasOwn(properties, key)
      if (isNamed && !reader.visit(properties[key], member, run)) fits = false
      for (const [pattern, below] of patterns) {
        run.left -= pattern.cost(key.length)
        if (!pattern.test(key)) continue
        isNamed = true
        if (!reader.visit(below, member, run)) fits = false
      }
      // A pattern that cannot be read may have named it.
      if (!isNamed && !isBlind && !reader.visit(additional, member, run)) fits = false
    }
    return fits
  })
}

/** `prefixItems` and `items`; before 2020-12 those were `items` and `additionalItems`. */
function ofElements(schema: SchemaObject, reader: Reader): Rule {
  const items = own(schema, 'items')
  const prefix = own(schema, 'prefixItems') ?? items
  const first: readonly unknown[] = Array.isArray(prefix) ? prefix : []
  const rest = (Array.isArray(items) ? own(schema, 'additionalItems') : items) ?? true
  return elements((value, _, run) => {
    let fits = true
    for (const [i, element] of value.entries()) {
      if (--run.left < 0) return true
      if (!reader.visit(i < first.length ? first[i] : rest, element, run)) fits = false
    }
    return fits
  })
}

function ofRequired(keys: readonly unknown[]): Rule {
  return members((value, at, run) => {
    run.left -= keys.length
    const isWhole = keys.every((key) => typeof key !== 'string' || value.has(key))
    return isWhole || complain(run, at, 'required')
  })
}

function ofDependent(keyword: string, operand: unknown, reader: Reader): Rule | undefined {
  const rows = Object.entries(record(operand) ?? {})
  return members((value, at, run) => {
    let fits = true
    for (const [key, needs] of rows) {
      run.left--
      if (!value.has(key)) continue
      if (!Array.isArray(needs)) {
        if (!reader.visit(needs, at, run)) fits = false
      } else if (!needs.every((need) => typeof need !== 'string' || value.has(need))) {
        fits = complain(run, at, keyword)
      }
    }
    return fits
  })
}

function ofContains(operand: unknown, schema: SchemaObject, reader: Reader): Rule {
  const least = own(schema, 'minContains')
  const most = own(schema, 'maxContains')
  const min = typeof least === 'number' ? least : 1
  const max = typeof most === 'number' ? most : Infinity
  return elements((value, at, run) => {
    let count = 0
    for (const element of value) if (reader.fits(operand, element, run)) count++
    return (count >= min && count <= max) || complain(run, at, 'contains')
  })
}

function areUnique(value: Elements, at: Instance, run: Run): boolean {
  const seen = new Set<string>()
  for (const element of value) {
    const spelled = spelling(element, run)
    if (run.left < 0) return true
    if (seen.has(spelled)) return complain(run, at, 'uniqueItems')
    seen.add(spelled)
  }
  return true
}

/** Equal values have one spelling: keys sorted. */
function spelling(at: Instance, run: Run): string {
  const value = plainOf(at)
  run.left--
  if (run.left < 0) return ''
  if (isElements(value)) return `[${value.map((element) => spelling(element, run)).join(',')}]`
  if (!isMembers(value)) {
    if (typeof value === 'string') run.left -= value.length >> 3
    return JSON.stringify(value)
  }
  const rows = [...value].map(([key, member]) => `${JSON.stringify(key)}:${spelling(member, run)}`)
  return `{${rows.sort().join(',')}}`
}
