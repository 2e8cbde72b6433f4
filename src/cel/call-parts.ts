/** What rules are told of a call; the facts of inspection and of the tool's pin fit these types. */
import type { Subject } from './condition.ts'

/** One statement, as inspection tells it. */
export interface StatementFact {
  readonly at: string
  readonly ordinal: number
  readonly statements: number
  readonly dialect: string
  readonly parsed: boolean
  readonly problem: string
  readonly verb: string
  readonly verbs: readonly string[]
  readonly tables_read: readonly string[]
  readonly tables_written: readonly string[]
  readonly columns_read: readonly string[]
  readonly columns_written: readonly string[]
  readonly columns_returned: Readonly<Record<string, readonly string[]>>
  readonly where: string
  readonly where_less: boolean
  readonly limit: number
  readonly functions: readonly string[]
  readonly dangerous_functions: readonly string[]
  readonly writes: boolean
  readonly is_ddl: boolean
  readonly is_dcl: boolean
  readonly exports: boolean
  readonly uses_files: boolean
  readonly is_dynamic: boolean
  readonly changes_session: boolean
  readonly is_transaction: boolean
  readonly locks: boolean
  readonly has_comments: boolean
  readonly touches_cardholder_data: boolean
  readonly writes_cardholder_data: boolean
  readonly returns_cardholder_data: boolean
}

/** What inspection found. */
export interface FindingFact {
  readonly family: string
  readonly confidence: string
  readonly at: string
  readonly what: string
}

/** Of a tool, as it was pinned. */
export interface ToolFact {
  readonly description: string
  readonly isReadOnly: boolean
  readonly isDestructive: boolean
  readonly isChanged: boolean
}

/** The clock on the wall of some zone, and the moment itself. */
export interface TimeFact {
  readonly hour: number
  readonly minute: number
  readonly weekday: string
  readonly date: string
  readonly nowMs: number
}

/** What is known of a call; what is dear to make comes by functions, asked once at most. */
export interface CallParts {
  readonly principal: Subject
  readonly connection: string
  readonly call: {
    readonly method: string
    readonly kind: string
    readonly name: string
    readonly bytes: number
    readonly arguments: () => unknown
  }
  readonly sql: readonly StatementFact[]
  readonly findings: readonly FindingFact[]
  readonly exposure: () => { readonly clear: number; readonly masked: number }
  readonly tool: ToolFact | undefined
  /** @param zone IANA name. */
  readonly time: (zone: string) => TimeFact
  readonly source: { readonly ip: string }
}
