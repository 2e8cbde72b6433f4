/** What the console is made of, handed in. */
import type { Clock } from '../base/clock.ts'
import type { ConsoleRole } from '../config/types.ts'
import type { Directory } from '../identity/directory.ts'
import type { Tickets } from '../hold/tickets.ts'
import type { Principal } from '../identity/principal.ts'
import type { Revocation, Revocations, Stop } from '../identity/revocations.ts'
import type { ServiceAccounts } from '../identity/service-accounts.ts'
import type { Bearer } from '../policy/grants.ts'
import type { Source } from '../record/entry.ts'
import type { Look } from '../record/looks.ts'
import type { Note } from '../record/notes.ts'
import type { Passkeys } from '../signin/passkeys.ts'
import type { SignInSite } from '../signin/signed-in.ts'
import type { ConsoleSession, ConsoleSessions } from './sessions.ts'
import type { ToolPins } from './tools-api.ts'

export interface ConsoleParts {
  /** `console.public_url`. */
  readonly origin: string
  /** Mounted at `/login`. */
  readonly site: SignInSite
  readonly sessions: ConsoleSessions
  /** Missing where the console has no name but an address, for which there are no passkeys. */
  readonly passkeys: Passkeys | undefined
  readonly directory: Directory
  readonly revocations: Revocations
  readonly serviceAccounts: Pick<ServiceAccounts, 'list'>
  readonly clock: Clock
  readonly note: Note
  readonly stop: Stop
  /** As `Stops.lift`. */
  readonly lift: (id: string, by: string, reason: string) => Promise<Revocation | undefined>
  readonly rolesOf: (bearer: Bearer) => ReadonlySet<ConsoleRole>
  /** The principal of a bearer token for the console's API. @throws {Fault} `no_identity`. */
  readonly identify: (authorization: readonly string[]) => Promise<Principal>
  /** Held calls; missing where nothing is ever held. */
  readonly tickets: Tickets | undefined
  /** Pinned tools; missing where none are pinned. */
  readonly pins: ToolPins | undefined
  /** Records that somebody looks at a held call's arguments, or takes its proof away. */
  readonly look: Look
  /** What is in force, for everybody who is signed in. */
  readonly inForce: () => InForce
}

export interface InForce {
  readonly version: string
  readonly status: string
  readonly record: string
  readonly sessions: number
  readonly connections: readonly { readonly name: string; readonly resource: string }[]
  readonly vkey: string
}

/** Who asks: a browser with a session, or a program with a token. */
export interface Asker {
  readonly bearer: Bearer
  /** Id in the directory. */
  readonly id: string
  readonly name: string
  readonly kind: Principal['kind']
  readonly roles: ReadonlySet<ConsoleRole>
  readonly session: ConsoleSession | undefined
  readonly source: Source
}

/** What the console hands to its own files, besides what it was handed. */
export interface ConsoleRoom extends ConsoleParts {
  /** Whose token an `Authorization` header holds. @throws {Fault} `no_identity`, `identity_down`. */
  readonly programOf: (authorization: string, source: Source) => Promise<Asker>
}

/** What Hono carries along a request. */
export interface Carried {
  Bindings: { source: Source }
  Variables: { asker: Asker }
}
