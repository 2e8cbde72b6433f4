/** What calls that wait for people need: inspection, pins, tickets, passkeys, and telling reviewers. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import type { HoldsConfig } from '../config/policy-types.ts'
import type { ConsoleRoles } from '../config/types.ts'
import { openTickets } from '../hold/open-tickets.ts'
import type { Reviewer, Tickets } from '../hold/tickets.ts'
import type { Directory } from '../identity/directory.ts'
import type { Revocations } from '../identity/revocations.ts'
import { createInspector } from '../inspect/inspector.ts'
import type { Inspector } from '../inspect/inspector.ts'
import type { Pins } from '../inspect/pins.ts'
import { openPins } from '../inspect/pins-store.ts'
import { createSqlReader } from '../inspect/sql/reader.ts'
import type { Masker } from '../mask/masker.ts'
import { openNotices } from '../notify/notices.ts'
import type { Notices } from '../notify/notices.ts'
import { rolesOf } from '../policy/roles.ts'
import type { Note } from '../record/notes.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Passkeys } from '../signin/passkeys.ts'
import type { Keys } from './keys.ts'
import type { RecordWatch } from './record-watch.ts'

export interface Holding {
  readonly inspector: Inspector
  readonly pins: Pins
  readonly tickets: Tickets
  readonly passkeys: Passkeys | undefined
  readonly notices: Notices
  /** Called every second. */
  tick(): Promise<void>
  close(): Promise<void>
}

export interface HoldingParts {
  readonly config: Config
  readonly dataDir: string
  readonly clock: Clock
  readonly keys: Pick<Keys, 'tickets' | 'signing'>
  readonly secrets: Secrets
  readonly masker: Masker
  readonly note: Note
  readonly directory: Directory
  readonly revocations: Revocations
  /** What is in force now. */
  readonly holds: () => HoldsConfig
  readonly roles: () => ConsoleRoles
  /** The log's origin: names this installation in what is signed. */
  readonly gateway: string
  readonly watch: RecordWatch
  readonly log: Logger
}

/** @throws {Fault} `config_bad`, `secret_missing`, `identity_down` as its parts. */
export async function openHolding(parts: HoldingParts): Promise<Holding> {
  const { clock, dataDir, masker, note } = parts
  const file = join(dataDir, 'state.sqlite')
  const passkeys = await openPasskeysOf(file, parts)
  const reader = createSqlReader()
  const inspector = createInspector({ sql: reader })
  const pins = openPins(file, { clock, note, masker })
  const notices = openNoticesOf(file, parts)
  const tickets = openTicketsOf(file, passkeys, parts)
  tickets.onEvent((event, ticket) => {
    void notices.tell({ kind: event, ticket })
  })
  // What waits since before the start is told once more, where that was cut off.
  for (const ticket of tickets.list({ states: ['pending'], limit: 1000 })) {
    void notices.tell({ kind: 'created', ticket })
  }
  return {
    inspector,
    pins,
    tickets,
    passkeys,
    notices,
    tick: async () => {
      await tickets.tick()
      await notices.tick()
    },
    close: async () => {
      await notices.close()
      tickets.close()
      pins.close()
      passkeys?.close()
      await inspector.close()
    },
  }
}

/** Half of what is loaded for passkeys is for people who sign in: without them it is left out. */
async function openPasskeysOf(
  file: string,
  { clock, config, directory, note }: HoldingParts,
): Promise<Passkeys | undefined> {
  if (config.identity.signIn.length === 0) return undefined
  const { openOwnPasskeys } = await import('./own-passkeys.ts')
  return openOwnPasskeys(file, config, { clock, directory, note })
}

function openNoticesOf(file: string, parts: HoldingParts): Notices {
  const { clock, config, log, masker, note, secrets, watch } = parts
  return openNotices({
    file,
    receivers: config.notify,
    consoleUrl: config.console.publicUrl,
    secrets,
    masker,
    note,
    clock,
    failed: (control, reason) => watch.failed(control, reason, log),
    restored: (control) => watch.restored(control, log),
  })
}

function openTicketsOf(file: string, passkeys: Passkeys | undefined, parts: HoldingParts): Tickets {
  const { clock, directory, gateway, holds, keys, masker, note } = parts
  return openTickets(file, {
    clock,
    note,
    masker,
    masterKey: keys.tickets,
    signingKey: () => keys.signing.current,
    gateway,
    holds,
    passkeys,
    reviewer: (id) => reviewerOf(id, parts),
    known: (issuer, subject) => directory.find(issuer, subject),
    knownById: (id) => directory.byId(id),
  })
}

/** Somebody as they may decide now: known, neither stopped nor at the end of their access. */
function reviewerOf(
  id: string,
  { clock, directory, revocations, roles }: HoldingParts,
): Reviewer | undefined {
  const principal = directory.byId(id)
  if (principal === undefined) return undefined
  const nowMs = clock.nowUs() / 1000
  const { issuer, subject } = principal
  const isStopped = revocations.find({ issuer, subject }, undefined, nowMs) !== undefined
  if (isStopped || directory.hasEnded(issuer, subject, nowMs)) return undefined
  return { principal, bearer: principal, roles: rolesOf(principal, roles()) }
}
