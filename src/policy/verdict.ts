/** What policy says of a call: allow, hold or deny; by which rules; with what duties. */
import type { DutyConfig, Effect, ReviewersConfig } from '../config/policy-types.ts'
import type { Inspected } from '../inspect/facts.ts'
import type { Bearer } from './grants.ts'

/** What rules look at. What is dear to make is a function, and asked for once at most. */
export interface CallFacts extends Inspected {
  readonly principal: Bearer
  readonly connection: string
  readonly call: {
    readonly method: string
    /** The tool, prompt, resource or task; `none` and empty where there is none. */
    readonly kind: string
    readonly name: string
    /** Size of the message, in bytes. */
    readonly bytes: number
    /** `params.arguments` as plain values. Integers beyond 2^53 are texts of their digits. */
    readonly arguments: () => unknown
  }
  readonly source: { readonly ip: string }
  /** Card numbers shown to this principal in the window. @throws what makes the call be denied. */
  readonly exposure: (days: number) => { readonly clear: number; readonly masked: number }
  /** The pin of the tool; undefined where no list of tools was seen yet. */
  readonly tool: ToolFacts | undefined
  readonly nowMs: number
}

/** A tool as its server's list said it when it was pinned. */
export interface ToolFacts {
  readonly description: string
  readonly isReadOnly: boolean
  readonly isDestructive: boolean
  readonly isChanged: boolean
  /** SHA-256 of what is pinned, hex. */
  readonly sha256: string
}

/** A rule that matched. */
export interface Matched {
  readonly rule: string
  readonly effect: Effect
  readonly reason: string
  /** It counts as matched because it failed: the code of what went wrong. */
  readonly fault?: string
}

/** What a held call waits for: all of `reviewers`, by different people. */
export interface HoldTerms {
  readonly reviewers: readonly ReviewersConfig[]
  readonly expiresMs: number
  readonly needsPasskey: boolean
}

export interface Verdict {
  readonly effect: Effect
  /** Every rule that matched, the deciding ones first. Empty where the profile's `otherwise` decided. */
  readonly matched: readonly Matched[]
  /** For people, of the deciding rule; never with a value of the call. */
  readonly reason: string
  /** There where `effect` is `hold`. */
  readonly hold: HoldTerms | undefined
  readonly duties: Omit<DutyConfig, 'note'> & { readonly notes?: readonly string[] }
  /** SHA-256 over the rules that were asked, hex: names the policy in statements. */
  readonly revision: string
}
