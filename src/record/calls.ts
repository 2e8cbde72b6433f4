/** What the record says of calls: received, denied, sent, each message, and the one end. */
import type { Masked } from '../mask/masked.ts'
import type { Era, RpcKind, TargetName } from './entry.ts'

/** A client's message was let in. Its masked text is the item's body. */
export interface CallReceived {
  readonly type: 'call.received'
  readonly era: Era
  readonly version: string
  readonly rpcKind: RpcKind
  readonly method?: Masked<string> | undefined
  readonly target?: TargetName | undefined
  /** Size of the message as it came, in bytes. */
  readonly bytes: number
  /** `hold`: it waits for a person, and nothing is sent before one has approved. */
  readonly decision: 'allow' | 'hold'
  /** The grants and rules that let it in. */
  readonly rule: string
  /** What it is about. */
  readonly facts?: Masked<RecordedFacts> | undefined
  /** What rules want noted; words of the policy, never of the call. */
  readonly notes?: readonly string[] | undefined
  /** Of the held call it is, or runs. */
  readonly ticket?: string | undefined
}

/** What inspection saw in a call: names and counts, no literal of it. Bounded by whoever makes it. */
export interface RecordedFacts {
  readonly sql?: readonly Readonly<Record<string, unknown>>[] | undefined
  readonly findings?: readonly Readonly<Record<string, string>>[] | undefined
  /** Lists were cut: there was more. */
  readonly cut?: true | undefined
}

/** A client's message was refused: nothing was sent. */
export interface CallDenied {
  readonly type: 'call.denied'
  readonly rpcKind?: RpcKind | undefined
  readonly method?: Masked<string> | undefined
  readonly target?: TargetName | undefined
  /** The machine's word for why, and the fault's code. */
  readonly reason: string
  readonly code: string
  /** HTTP status of the answer. */
  readonly status: number
  readonly rule?: string | undefined
  readonly facts?: Masked<RecordedFacts> | undefined
}

/** Durable before the first byte goes to the server: after a crash it means "may have run". */
export interface CallDispatched {
  readonly type: 'call.dispatched'
  /** Host and port of the server's URL; never its path, query or credentials. */
  readonly host: string
  /** 1 for the first try. */
  readonly attempt: number
  /** The approved ticket it runs. */
  readonly ticket?: string | undefined
}

/** One message from the server, durable before it is released. Its masked text is the body. */
export interface ResponseEvent {
  readonly type: 'response.event'
  /** 1 for the first message of the exchange. */
  readonly seq: number
  readonly rpcKind: RpcKind
  readonly method?: Masked<string> | undefined
  readonly bytes: number
  /** Delivered once before; `Last-Event-ID` asked for it again. */
  readonly again?: boolean | undefined
  readonly eventId?: Masked<string> | undefined
}

export type CallOutcome =
  | 'ok'
  | 'error' // the server answered with a JSON-RPC error
  | 'tool_error' // a tool result with isError
  | 'denied'
  | 'cancelled'
  | 'held' // it waits for a person; its caller was told how to go on
  | 'withheld' // it ran, but its answer was not released
  | 'unknown' // it was sent, and nobody knows what became of it
  | 'failed' // it was not sent, or no answer came

/** The end of a received call; each has exactly one. */
export interface CallFinished {
  readonly type: 'call.finished'
  readonly outcome: CallOutcome
  /** HTTP status of the answer; 0 when no answer was given. */
  readonly httpStatus: number
  readonly durationUs: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Messages delivered to the client. */
  readonly messages: number
  readonly reason?: string | undefined
}
