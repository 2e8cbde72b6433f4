/** Pins of tools: each stays what its server's list first said, until a person accepts another form. */
import type { Clock } from '../base/clock.ts'
import type { Masker } from '../mask/masker.ts'
import type { Who } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Finding } from './facts.ts'
import type { PartName } from './pins-form.ts'

export interface PinParts {
  readonly clock: Clock
  readonly note: Note
  readonly masker: Pick<Masker, 'words'>
}

/** A tool as it was pinned. Fits `ToolFacts` of policy. */
export interface PinFacts {
  /** Masked, and cut for what is long. */
  readonly description: string
  /** The annotation says so. */
  readonly isReadOnly: boolean
  readonly isDestructive: boolean
  /** It was seen in another form that nobody accepted, or could not be pinned. */
  readonly isChanged: boolean
  /** Of the pinned form, hex; empty where the tool could not be pinned. */
  readonly sha256: string
}

/** `returned`: the pinned form is back, and counts again from `steadyAtMs` on. */
export type PinStanding = 'pinned' | 'changed' | 'returned' | 'unsteady'

export interface PinnedTool {
  readonly connection: string
  /** Of this tool alone among those of its connection. */
  readonly key: string
  /** Masked, one line, what is hidden spelt out. */
  readonly tool: string
  readonly standing: PinStanding
  readonly sha256: string
  readonly pinnedMs: number
  /** It came when the connection's list was known already. */
  readonly isLate: boolean
  readonly isReadOnly: boolean
  readonly isDestructive: boolean
}

/** A difference that waits for a person. */
export interface PendingChange {
  /** Of this very difference: when the tool changes again, it is another. */
  readonly id: string
  readonly connection: string
  readonly key: string
  readonly tool: string
  readonly standing: Exclude<PinStanding, 'pinned'>
  /** SHA-256 of the pinned form and of the one that was seen, hex. */
  readonly before: string
  readonly after: string
  readonly parts: readonly PartName[]
  readonly sinceMs: number
  readonly steadyAtMs: number | undefined
}

/** What becomes of a difference: the new form is pinned; or it is good beside the pinned one, for a
 *  server that tells different people different things; or the pinned form, which is back, stays. */
export type Taking = 'new' | 'beside' | 'pinned'

export interface Acceptance {
  readonly by: Who
  /** Why, for the record. */
  readonly reason: string
  readonly taking: Taking
}

export interface Pins {
  /**
   * Takes what a `tools/list` result says of its tools, before it is released: from the moment it
   * returns a tool that changed counts as changed. A tool that is missing says nothing.
   * @returns a promise where something is to be recorded first: release when it has resolved.
   * @throws {Fault} `record_down`, also by the promise: the list must not be released.
   */
  learn(connection: string, tree: JsonTree, result: Node): Promise<void> | undefined
  /** Undefined for a tool that no list had. */
  facts(connection: string, tool: string): PinFacts | undefined
  /** SHA-256 of the form that was last seen, hex: what an approval is bound to. Forms that are good
   *  beside the pinned one have the pinned one's. */
  seen(connection: string, tool: string): string | undefined
  /** A finding where the name is there to be taken for another tool's. */
  twins(connection: string, tool: string): readonly Finding[]
  /** Names by connection, then in the order in which they were pinned. */
  list(connection?: string): readonly PinnedTool[]
  changes(): readonly PendingChange[]
  /** The difference as lines of plain text. @throws {Fault} `path_unknown` as `accept`. */
  difference(id: string): { readonly change: PendingChange; readonly lines: readonly string[] }
  /**
   * Ends a difference, when it is recorded.
   * @throws {Fault} `path_unknown`: there is no such difference, or the tool is another by now;
   *   `refused`: what is shown now is neither of the two forms; `record_down`.
   */
  accept(id: string, of: Acceptance): Promise<PendingChange>
  /** Forgets all of a connection: its next list is pinned anew. @returns how many were pinned. */
  forget(connection: string, of: Pick<Acceptance, 'by' | 'reason'>): Promise<number>
  close(): void
}
