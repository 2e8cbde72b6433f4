/** What a keyword of a schema is while a value is weighed against it. */
import type { Instance, Plain } from './instance.ts'
import type { LinearPattern } from './linear.ts'

/** A keyword that a place of the value does not satisfy. Of unchanged scalars nothing is told. */
export interface Complaint {
  readonly at: Instance
  readonly keyword: string
  /** Of keywords that have a number. */
  readonly limit: number | undefined
}

/** One weighing under way. */
export interface Run {
  /** Steps left; below 0 the weighing is given up. */
  left: number
  depth: number
  /** Undefined where only the verdict is wanted: then the first complaint ends it. */
  complaints: Complaint[] | undefined
}

/** One keyword with its siblings, ready to be asked. */
export type Rule = (value: Plain, at: Instance, run: Run) => boolean

/** What keywords need of their schema. */
export interface Reader {
  visit(schema: unknown, at: Instance, run: Run): boolean
  /** Whether it fits; complaints are dropped. */
  fits(schema: unknown, at: Instance, run: Run): boolean
  pattern(source: string): LinearPattern | undefined
  target(ref: string): unknown
}

/** Notes that a keyword is not satisfied; always false. */
export function complain(run: Run, at: Instance, keyword: string, limit?: number): false {
  if (run.complaints !== undefined && typeof at === 'object' && at !== null)
    run.complaints.push({ at, keyword, limit })
  return false
}
