/** Rules, holds and notices, as the rest of the house sees them. */
import type { SecretRef, WhoConfig } from './types.ts'

export type Effect = 'allow' | 'hold' | 'deny'

/** Where something stands in a file, for people: line and column from 1. */
export interface FilePlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** What a call's answer is held to. */
export interface DutyConfig {
  /** Card numbers stay masked, whatever the grant reveals. */
  readonly mask?: true
  /** An answer with more is withheld. */
  readonly limit?: { readonly rows?: number; readonly bytes?: number }
  /** Goes into the record. */
  readonly note?: string
}

/** Who may decide on a held call, and how many of them must. Naming nobody it is any approver. */
export interface ReviewersConfig {
  readonly who: WhoConfig
  readonly quorum: number
}

export interface RuleConfig extends DutyConfig {
  readonly name: string
  /** CEL over the facts of a call; must be true. */
  readonly when: string
  readonly effect: Effect
  /** For the client and the reviewer: why. */
  readonly reason?: string
  /** Pattern of connection names; every one where it is missing. */
  readonly connection?: string
  /** IANA name of the zone of `time`; UTC where it is missing. */
  readonly timezone?: string
  /** For `hold`: all of these, by different people; anybody with the console role `approver` where it
   *  is missing. */
  readonly reviewers?: readonly ReviewersConfig[]
  /** For `hold`: how long a reviewer has. */
  readonly expiresMs?: number
  /** For `hold`: whether a decision without a passkey counts, where `holds.session_decisions` is on. */
  readonly signature?: 'passkey' | 'session'
  readonly place: FilePlace
}

/** A file of rules: the built-in `pci`, or one of the user's own. */
export interface ProfileConfig {
  /** `pci`, `none`, or the path as the configuration spells it. */
  readonly name: string
  /** SHA-256 of the file's text; empty for `none`. */
  readonly sha256: string
  /** What is done where no rule matches. */
  readonly otherwise: Effect
  readonly rules: readonly RuleConfig[]
  /** The least confidence at which `sallyport inspect` calls a message suspicious. */
  readonly suspicious: 'low' | 'medium' | 'high' | 'certain'
  /** Days over which `exposure` is counted for its rules. */
  readonly exposureDays: number
  readonly answers: AnswersConfig
}

/** What becomes of text of a server that wants something of a model. */
export interface AnswersConfig {
  /** `lists`: descriptions of tools, prompts and resources; `all`: every message; findings are recorded. */
  readonly inspect: 'off' | 'lists' | 'all'
  /** An answer with a finding at least this sure is withheld. */
  readonly withhold: 'never' | 'high' | 'certain'
}

/** Another decision maker: `POST {input}`, answered by `{result}` (Open Policy Agent, REST API). */
export interface DecisionPointConfig {
  readonly url: string
  readonly timeoutMs: number
  readonly token?: SecretRef
  /** Connections it is asked for; every one where it is missing. */
  readonly connections?: readonly string[]
}

export interface HoldsConfig {
  /** How long a caller is kept waiting before it is told the ticket's number; under 50 s. */
  readonly waitMs: number
  /** How long a rule's hold waits for a reviewer where the rule does not say. */
  readonly expiresMs: number
  /** How long an approval is good for. */
  readonly approvalMs: number
  /** Clients, by the name they give themselves, that start their timer anew with each progress. */
  readonly progressClients: readonly string[]
  /** How long such a client may wait. */
  readonly progressMs: number
  /** Whether people without a passkey may decide; recorded as `method: session`. */
  readonly sessionDecisions: boolean
  /** Who may run their own held call at once, to be reviewed afterwards. */
  readonly emergency?: WhoConfig
  /** A reminder goes out when this much of the time has passed; none where it is missing. */
  readonly remindAfterMs?: number
}

export type NoticeConfig = { readonly name: string } & (
  | { readonly type: 'webhook'; readonly url: SecretRef | string; readonly secret: SecretRef }
  /** A Teams workflow, "When a Teams webhook request is received". */
  | { readonly type: 'teams'; readonly url: SecretRef | string }
  | { readonly type: 'slack'; readonly url: SecretRef | string }
  | {
      readonly type: 'email'
      readonly host: string
      readonly port: number
      readonly security: 'tls' | 'starttls' | 'none'
      readonly username?: string
      readonly password?: SecretRef
      readonly from: string
      readonly to: readonly string[]
    }
)

/** Which argument of which tool is SQL, in which dialect. */
export interface SqlConfig {
  readonly dialect?: 'postgresql' | 'mysql' | 'mariadb' | 'sqlserver' | 'sqlite' | 'oracle'
  /** Argument by tool; `*` in a tool's name stands for any run. */
  readonly tools: Readonly<Record<string, string>>
  /** Columns by table, for `SELECT *`. */
  readonly schema: Readonly<Record<string, readonly string[]>>
}
