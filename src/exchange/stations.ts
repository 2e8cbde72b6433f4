/** What the way of a request passes, made once at start-up and handed in. */
import type { Clock } from '../base/clock.ts'
import type { HoldsConfig } from '../config/policy-types.ts'
import type { Tickets } from '../hold/tickets.ts'
import type { RequestHeaders } from '../listener/headers.ts'
import type { Directory } from '../identity/directory.ts'
import type { Identity } from '../identity/identify.ts'
import type { Revocations } from '../identity/revocations.ts'
import type { InspectSettings, Inspector } from '../inspect/inspector.ts'
import type { Pins } from '../inspect/pins.ts'
import type { Detection } from '../mask/detection.ts'
import type { Masker } from '../mask/masker.ts'
import type { OutputSchemas } from '../mask/schemas.ts'
import type { ExposureLedger } from '../policy/exposure.ts'
import type { Access, Bearer } from '../policy/grants.ts'
import type { Rules } from '../policy/rules.ts'
import type { Recorder } from '../record/record.ts'
import type { SessionState } from '../session/state.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Budget, StreamCount } from './budget.ts'
import type { Floods } from './floods.ts'
import type { Executions } from './held/executions.ts'
import type { Followed } from './held/followed.ts'
import type { ToolMirrors } from './mirrors.ts'
import type { Leg, Way } from './way.ts'

/** A connection as the way sees it. */
export interface Connection {
  readonly name: string
  /** The identifier clients ask tokens for: `{public_url}/mcp/{name}` (RFC 8707). */
  readonly resource: string
  readonly upstream: Upstream
  /** Host and port of the server, for the record. */
  readonly host: string
  /** What is looked for in its messages. */
  readonly detect: Detection
  readonly profile: string
  readonly answerBytesMax: number
  /** What inspection knows of its server. */
  readonly inspect: InspectSettings
  /** Changes with its address, credential reference and TLS: approvals are bound to it. */
  readonly revision: string
}

/** Counts for `/metrics`; no label ever holds what somebody sent. */
export interface Meters {
  received(connection: string): void
  finished(connection: string, outcome: string, durationUs: number): void
  refused(reason: string): void
  masked(kind: string, count: number): void
}

/** The gateway's own log: codes, counts and ids only. */
export interface Log {
  info(facts: object, text: string): void
  warn(facts: object, text: string): void
  error(facts: object, text: string): void
}

export interface Limits {
  readonly requestBytesMax: number
  readonly jsonDepthMax: number
}

export interface Stations {
  readonly connections: ReadonlyMap<string, Connection>
  readonly checkHost: (headers: RequestHeaders) => void
  readonly identity: Identity
  /** Identifier of the local issuer, whose tokens no other server is shown. */
  readonly ownIssuer: string | undefined
  readonly directory: Directory
  /** Asked at every step that lets something through, whatever else is cached. */
  readonly revocations: Revocations
  readonly access: (
    bearer: Bearer,
    connection: string,
    of: { readonly ip: string; readonly nowMs: number },
  ) => Access | undefined
  readonly sessions: Sessions
  readonly state: SessionState
  readonly masker: Masker
  readonly inspector: Inspector
  /** What tools said of themselves when they were pinned. */
  readonly pins: Pick<Pins, 'learn' | 'facts' | 'seen' | 'twins'>
  /** The rules in force. */
  readonly rules: () => Pick<Rules, 'judge' | 'answers'>
  readonly holds: () => HoldsConfig
  /** Whether some rule in force could hold a call of a connection. */
  readonly mayHold: (connection: string) => boolean
  readonly tickets: Pick<
    Tickets,
    'open' | 'byId' | 'changed' | 'take' | 'executed' | 'end' | 'endAll' | 'withdraw'
  >
  /** Approved calls under way, and tickets whose callers were told to come back. */
  readonly executions: Executions
  readonly followed: Followed
  /** Origin of the console: where reviewers find a ticket. */
  readonly consoleUrl: string
  /** Which card numbers a principal has been shown: noted at release, counted when asked for. */
  readonly exposure: ExposureLedger
  readonly recorder: Recorder
  readonly clock: Clock
  /** A keyed hash under a key of this process: names the bytes a permit and a receipt are for. */
  readonly digest: (connection: string, verb: string, sid: string, body: Uint8Array) => string
  /** Takes the gateway's own secrets out of what a server says; the same array where there are none. */
  readonly redact: (bytes: Uint8Array) => Uint8Array
  readonly limits: Limits
  readonly budget: Budget
  readonly streams: StreamCount
  readonly floods: Floods
  /** When the last seal was written. */
  readonly sealed: { atMs: number }
  /** Requests of legacy sessions without their answer yet, by session and raw id. */
  readonly pending: Map<string, Leg>
  /** Requests under way, for a stop. */
  readonly underway: Set<Way>
  /** Which arguments a tool wants repeated in headers, as far as its list was seen. */
  readonly mirrors: ToolMirrors
  /** What tools say their results are, as far as their lists were seen. */
  readonly schemas: OutputSchemas
  readonly isStopping: () => boolean
  readonly meters: Meters
  readonly log: Log
}
