/** Keywords that ask something of one value by itself (JSON Schema 2020-12 validation §6.1–6.3). */
import { formatCheck } from './formats.ts'
import { isElements, isMembers, plainOf } from './instance.ts'
import { record } from './references.ts'
import { complain } from './rule.ts'
import type { Instance, Plain } from './instance.ts'
import type { Reader, Rule, Run } from './rule.ts'

/** The rule of a keyword; undefined for one that is none of these, or whose operand is strange. */
export function assertionOf(keyword: string, operand: unknown, reader: Reader): Rule | undefined {
  switch (keyword) {
    case 'type':
      return ofType(operand)
    case 'const':
      return (value, at, run) => isEqual(value, operand, run) || complain(run, at, keyword)
    case 'enum':
      return Array.isArray(operand) ? ofList(operand) : undefined
    case 'pattern':
      return typeof operand === 'string' ? ofPattern(operand, reader) : undefined
    case 'format':
      return typeof operand === 'string' ? ofFormat(operand) : undefined
    default:
      return typeof operand === 'number' ? ofNumber(keyword, operand) : undefined
  }
}

function ofNumber(keyword: string, limit: number): Rule | undefined {
  const fits = numeric.get(keyword)
  if (fits !== undefined) {
    return (value, at, run) =>
      typeof value !== 'number' || fits(value, limit) || complain(run, at, keyword, limit)
  }
  if (keyword !== 'minLength' && keyword !== 'maxLength') return undefined
  const isMin = keyword === 'minLength'
  return (value, at, run) => {
    if (typeof value !== 'string') return true
    run.left -= value.length >> 3
    const length = lengthOf(value)
    return (isMin ? length >= limit : length <= limit) || complain(run, at, keyword, limit)
  }
}

const numeric: ReadonlyMap<string, (value: number, limit: number) => boolean> = new Map([
  ['minimum', (value: number, limit: number) => value >= limit],
  ['maximum', (value: number, limit: number) => value <= limit],
  ['exclusiveMinimum', (value: number, limit: number) => value > limit],
  ['exclusiveMaximum', (value: number, limit: number) => value < limit],
  ['multipleOf', (value: number, limit: number) => limit <= 0 || Number.isInteger(value / limit)],
])

/** Characters, of which some take two units of a string. */
function lengthOf(text: string): number {
  let pairs = 0
  for (let i = 0; i + 1 < text.length; i++) {
    const isHigh = (text.charCodeAt(i) & 0xfc00) === 0xd800
    if (isHigh && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      pairs++
      i++
    }
  }
  return text.length - pairs
}

function ofType(operand: unknown): Rule {
  const names: readonly unknown[] = Array.isArray(operand) ? operand : [operand]
  return (value, at, run) =>
    names.some((name) => isOfType(value, name)) || complain(run, at, 'type')
}

function isOfType(value: Plain, name: unknown): boolean {
  if (name === 'integer') return Number.isInteger(value)
  if (name === 'null') return value === null
  if (name === 'array') return isElements(value)
  if (name === 'object') return isMembers(value)
  return typeof value === name
}

function ofList(operands: readonly unknown[]): Rule {
  return (value, at, run) => {
    run.left -= operands.length
    return operands.some((operand) => isEqual(value, operand, run)) || complain(run, at, 'enum')
  }
}

/** Whether a value equals one of the schema. */
function isEqual(at: Instance, operand: unknown, run: Run): boolean {
  if (--run.left < 0) return true
  const value = plainOf(at)
  if (isElements(value)) {
    if (!Array.isArray(operand) || operand.length !== value.length) return false
    const list: readonly unknown[] = operand
    return value.every((element, i) => isEqual(element, list[i], run))
  }
  if (!isMembers(value)) return value === operand
  const holder = record(operand)
  if (holder === undefined || Object.keys(holder).length !== value.size) return false
  for (const [key, member] of value)
    if (!Object.hasOwn(holder, key) || !isEqual(member, holder[key], run)) return false
  return true
}

function ofPattern(source: string, reader: Reader): Rule {
  return (value, at, run) => {
    if (typeof value !== 'string') return true
    const pattern = reader.pattern(source)
    if (pattern === undefined) return true
    run.left -= pattern.cost(value.length)
    return run.left < 0 || pattern.test(value) || complain(run, at, 'pattern')
  }
}

function ofFormat(name: string): Rule | undefined {
  const check = formatCheck(name)
  if (check === undefined) return undefined
  return (value, at, run) => {
    if (typeof value !== 'string') return true
    run.left -= value.length
    return run.left < 0 || check(value) || complain(run, at, 'format')
  }
}
