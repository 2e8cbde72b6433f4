/** What commands about access work on: people, and the `access` list that is in force. */
import { Fault } from '../base/fault.ts'
import type { ConsoleRoles, GrantConfig } from '../config/types.ts'
import type { RecordPlace } from '../record/read.ts'
import type { PeopleDesk } from './people-desk.ts'

/** The part of the configuration that says who may do what. */
export interface AccessRules {
  readonly grants: readonly GrantConfig[]
  readonly roles: ConsoleRoles
}

export interface AccessDesk extends PeopleDesk {
  readonly dataDir: string
  readonly place: RecordPlace
  /** Undefined where there is no configuration to be read. */
  readonly access: AccessRules | undefined
  /** Tools a connection is known to have, where the gateway runs and has seen its list. */
  readonly toolsOf?: (connection: string) => readonly string[] | undefined
}

/** The list in force. @throws {Fault} `config_bad` where there is none. */
export function rulesOf({ access }: AccessDesk): AccessRules {
  if (access) return access
  const message = 'There is no configuration to read the access list from. Name it with -c FILE.'
  throw new Fault('config_bad', message)
}
