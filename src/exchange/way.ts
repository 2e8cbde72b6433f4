/** What is known of one HTTP request at any point of its way; a refusal is recorded from it. */
import type { Incoming, Reply } from '../listener/incoming.ts'
import type { Inspected } from '../inspect/facts.ts'
import type { Principal } from '../identity/principal.ts'
import type { Masked } from '../mask/masked.ts'
import type { MaskPlan } from '../mask/masker.ts'
import type { Access } from '../policy/grants.ts'
import type { CallOutcome, Shared, TargetName, Who } from '../record/entry.ts'
import type { Item } from '../record/entry.ts'
import type { Session } from '../session/sessions.ts'
import type { Message, Spoken, Target } from '../wire/message.ts'
import type { AskedMasked } from './account.ts'
import type { HeldLeg } from './held/leg-state.ts'
import type { Connection } from './stations.ts'
import type { Why } from './stopped.ts'

/** One message of a request with its own exchange: a call, or an element of a batch. */
export interface Leg {
  readonly exchange: string
  readonly kind: 'request' | 'notification' | 'response' | 'stream' | 'end'
  /** The raw id token; undefined for what is not answered by id. */
  readonly idRaw: string | undefined
  /** The id by value: a server may spell it differently when it answers. */
  readonly idKey: string | undefined
  readonly method: string | undefined
  readonly target: Target
  /** Method and target as they may stand in an entry. */
  readonly maskedMethod: Masked<string> | undefined
  readonly maskedTarget: TargetName | undefined
  readonly bytesIn: number
  readonly shared: Shared
  readonly startedMs: number
  readonly connection: Connection
  readonly session: Session
  /** Messages recorded so far, and what of them went out. */
  seq: number
  bytesOut: number
  messages: number
  /** Whether `call.received` stands in the record; then `call.finished` must follow, once. */
  isReceived: boolean
  isFinished: boolean
  /** How it ended. */
  ended: CallOutcome | undefined
  isCancelled: boolean
  /** Ends its wait for a person. */
  cancel: (() => void) | undefined
  /** The held call it waits for, or runs. */
  ticket: string | undefined
  /** How it ends where its answer is our own and says that it waits. */
  outcome: CallOutcome | undefined
  /** Takes the server's final message of a call that others wait for. */
  keep: ((message: Uint8Array) => void) | undefined
  /** When its stream ended without the answer, which may still arrive on another one. */
  leftMs: number | undefined
}

/** A request whose principal is known and may use the connection. */
export interface Known {
  readonly connection: Connection
  readonly principal: Principal
  readonly owner: string
  readonly who: Masked<Who>
  readonly access: Access
  readonly plan: MaskPlan
  /** Names principal and connection; sealed aliases are bound to it. */
  readonly binding: string
  /** Rows an answer may have, where a rule says so. */
  readonly rowsMax?: number
}

export interface Way {
  readonly incoming: Incoming
  /** The first exchange id; a batch has further ones. */
  readonly exchange: string
  readonly startedMs: number
  /** Ends what is sent for this request, whoever wants that. */
  readonly work: AbortController
  connectionName: string | undefined
  known: Known | undefined
  /** Set once it may not go on: nothing further is sent or released. */
  stopped: Why | undefined
  /** Bytes of it may have left. */
  isSent: boolean
  spoken: Spoken | undefined
  session: Session | undefined
  /** The server's session id that the client names, whatever it left as. */
  sid: string | undefined
  /** Whether the body held aliases, which its server gets undone. */
  isUndone: boolean
  /** The leg of ours that it goes on from. */
  heldLeg: HeldLeg | undefined
  /** The first message read, so that a refusal can answer it by id. */
  message: Message | undefined
  legs: readonly Leg[]
  /** The messages of the body as the record keeps them, and what they are about. */
  asked: readonly AskedMasked[]
  inspected: readonly Inspected[]
  /** The rules that matched, by name. */
  matched: readonly string[]
  /** Entries to go with the next commit: a session opened, a sign-in accepted. */
  opening: Item[]
  reply: Reply | undefined
  /** How the answer began; an error after the head of a stream goes out as an event. */
  began: 'stream' | 'whole' | undefined
  /** Called when the way ends, however it ends: places and room given back. */
  readonly undo: (() => void)[]
  /** Whether a stream of this request gave event ids, so that it can be resumed elsewhere. */
  isResumable: boolean
}
