/** The facts of a call as CEL has them, with their types; each is made when a rule first looks at it. */
import type { CallParts, FindingFact, StatementFact, TimeFact, ToolFact } from './call-parts.ts'
import { membersOf } from './condition.ts'
import type { Outcome } from './language.ts'
import type { Memory } from './memory.ts'
import { sizeOf } from './size.ts'
import type { Size } from './size.ts'

const [text, texts, int, bool] = ['string', 'list<string>', 'int', 'bool'] as const
const statementFields: Readonly<Record<keyof StatementFact, string>> = {
  at: text,
  ordinal: int,
  statements: int,
  dialect: text,
  parsed: bool,
  problem: text,
  verb: text,
  verbs: texts,
  tables_read: texts,
  tables_written: texts,
  columns_read: texts,
  columns_written: texts,
  columns_returned: 'map<string, list<string>>',
  where: text,
  where_less: bool,
  limit: int,
  functions: texts,
  dangerous_functions: texts,
  writes: bool,
  is_ddl: bool,
  is_dcl: bool,
  exports: bool,
  uses_files: bool,
  is_dynamic: bool,
  changes_session: bool,
  is_transaction: bool,
  locks: bool,
  has_comments: bool,
  touches_cardholder_data: bool,
  writes_cardholder_data: bool,
  returns_cardholder_data: bool,
}

/** Own members only: nothing of JavaScript's is asked for by a rule. */
class Plain {
  constructor(members: object) {
    Object.assign(this, members)
  }
}
class Principal extends Plain {}
class Connection extends Plain {}
class Call extends Plain {}
class Statement extends Plain {}
class Finding extends Plain {}
class Exposure extends Plain {}
class Tool extends Plain {}
class Time extends Plain {}
class Source extends Plain {}

const principalFields = {
  issuer: text,
  subject: text,
  name: text,
  kind: text,
  client: text,
  owner: text,
  groups: texts,
  roles: texts,
} as const

/** The variables of rules, with their types. */
export const callTypes: readonly (readonly [
  variable: string,
  ctor: new (members: object) => object,
  fields: Readonly<Record<string, string>>,
  isList?: true,
])[] = [
  ['principal', Principal, principalFields],
  ['connection', Connection, { name: text }],
  [
    'call',
    Call,
    { method: text, kind: text, tool: text, name: text, bytes: int, arguments: 'dyn' },
  ],
  ['sql', Statement, statementFields, true],
  ['findings', Finding, { family: text, confidence: text, level: int, at: text, what: text }, true],
  ['exposure', Exposure, { clear: int, masked: int }],
  [
    'tool',
    Tool,
    { known: bool, description: text, read_only: bool, destructive: bool, changed: bool },
  ],
  [
    'time',
    Time,
    { hour: int, minute: int, weekday: text, date: text, now: 'google.protobuf.Timestamp' },
  ],
  ['source', Source, { ip: text }],
]

/** What an expression looks at. */
export interface Needs {
  readonly roots: readonly string[]
  readonly zone: string
  readonly needsArguments: boolean
}

interface Made {
  readonly value: unknown
  readonly size: Size
}

const lasting: ReadonlySet<string> = new Set(['sql', 'findings', 'tool', 'principal', 'claims'])

/** Whether a variable stays the same object from call to call as long as its content is the same. */
export function isLasting(root: string): boolean {
  return lasting.has(root)
}

const nothing: Readonly<Record<string, never>> = {}
const empty: readonly never[] = []
const noTool = {}
const made = new WeakMap<object, Made>()

function once(key: object, make: () => unknown): Made {
  const found = made.get(key)
  if (found) return found
  const value = make()
  const fresh = { value, size: sizeOf(value) }
  made.set(key, fresh)
  return fresh
}

/** The facts of one call as rules see them, each made when the first rule looks at it. */
export class CallValues {
  readonly #parts: CallParts
  readonly #values: Record<string, unknown> = {}
  readonly #sizes: Record<string, Size> = {}
  #hasArguments = false
  #zone = ''

  readonly #memory: Memory
  readonly #known: Record<string, (Outcome | undefined)[]> = {}

  constructor(parts: CallParts, memory: Memory) {
    this.#parts = parts
    this.#memory = memory
  }

  /** What was answered before of a variable that is lasting. */
  known(root: string): (Outcome | undefined)[] {
    return (this.#known[root] ??= this.#memory.about(this.#lasting(root)))
  }

  /** The object that stands for a variable as long as its content is the same. */
  #lasting(root: string): object {
    const { findings, principal, sql, tool } = this.#parts
    if (root === 'sql') return (sql.length > 1 ? sql : sql[0]) ?? empty
    if (root === 'findings') return findings.length > 0 ? findings : empty
    if (root === 'tool') return tool ?? noTool
    return principal
  }

  /** @throws what making arguments or exposure throws. */
  prepared({ needsArguments, roots, zone }: Needs): {
    values: Readonly<Record<string, unknown>>
    size: Size
  } {
    let [longest, values, characters] = [0, 1, 0]
    for (const root of roots) {
      const size = this.#size(root, needsArguments, zone)
      longest = Math.max(longest, size.longest)
      values += size.values
      characters = Math.max(characters, size.text)
    }
    return { values: this.#values, size: { longest, values, text: characters } }
  }

  #size(root: string, needsArguments: boolean, zone: string): Size {
    const isStale =
      (root === 'call' && needsArguments && !this.#hasArguments) ||
      (root === 'time' && zone !== this.#zone)
    const known = this.#sizes[root]
    if (known && !isStale) return known
    const { size, value } = this.#make(root, needsArguments, zone)
    this.#values[root] = value
    this.#sizes[root] = size
    return size
  }

  #make(root: string, needsArguments: boolean, zone: string): Made {
    const parts = this.#parts
    switch (root) {
      case 'principal':
        return once(parts.principal, () => new Principal(membersOf(parts.principal)))
      case 'claims':
        return once(parts.principal.claims ?? nothing, () => parts.principal.claims ?? nothing)
      case 'sql':
        return once(this.#lasting('sql'), () => parts.sql.map(statementOf))
      case 'findings':
        return once(this.#lasting('findings'), () => parts.findings.map(findingOf))
      case 'tool':
        return once(this.#lasting('tool'), () => toolOf(parts.tool))
      case 'call':
        return this.#call(needsArguments)
      case 'time':
        this.#zone = zone
        return sized(timeOf(parts.time(zone)))
      case 'exposure':
        return sized(exposureOf(parts.exposure()))
      case 'connection':
        return sized(new Connection({ name: parts.connection }))
      default:
        return sized(new Source({ ip: parts.source.ip }))
    }
  }

  #call(needsArguments: boolean): Made {
    const { bytes, kind, method, name, arguments: args } = this.#parts.call
    this.#hasArguments = needsArguments
    const tool = kind === 'tool' ? name : ''
    const given = needsArguments ? (args() ?? {}) : {}
    return sized(new Call({ method, kind, name, tool, bytes: BigInt(bytes), arguments: given }))
  }
}

function sized(value: unknown): Made {
  return { value, size: sizeOf(value) }
}

function statementOf(fact: StatementFact): Statement {
  const { limit, ordinal, statements } = fact
  const ints = { limit: whole(limit), ordinal: whole(ordinal), statements: whole(statements) }
  return new Statement({ ...fact, ...ints })
}

const levels: Readonly<Record<string, bigint>> = { low: 1n, medium: 2n, high: 3n, certain: 4n }

/** A confidence nobody knows counts as the highest. */
function findingOf({ at, confidence, family, what }: FindingFact): Finding {
  return new Finding({ family, confidence, level: levels[confidence] ?? 4n, at, what })
}

/** Of a tool nobody has seen listed the worst is assumed, as MCP's annotations have it. */
function toolOf(tool: ToolFact | undefined): Tool {
  return new Tool({
    known: tool !== undefined,
    description: tool?.description ?? '',
    read_only: tool?.isReadOnly ?? false,
    destructive: tool?.isDestructive ?? true,
    changed: tool?.isChanged ?? false,
  })
}

function timeOf({ date, hour, minute, nowMs, weekday }: TimeFact): Time {
  return new Time({
    hour: whole(hour),
    minute: whole(minute),
    weekday,
    date,
    now: new Date(nowMs),
  })
}

function exposureOf({ clear, masked }: { clear: number; masked: number }): Exposure {
  return new Exposure({ clear: whole(clear), masked: whole(masked) })
}

/** CEL's `int`; no number at all is the largest, which no rule that has a limit lets pass. */
function whole(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 2n ** 62n
}
