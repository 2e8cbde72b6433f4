/** The groups of somebody at Entra: from the token, or from Graph where they are too many for it. */
import type { JWTPayload } from 'jose'
import type { EntraIssuerConfig } from '../config/types.ts'
import { isGuid, isRecord } from './claims.ts'
import { createGraph } from './graph.ts'
import type { Member } from './graph.ts'
import { refusal } from './reasons.ts'
import type { RowParts } from './row.ts'

export interface GroupsReader {
  /**
   * Ids of groups, lower case.
   * @throws {Fault} `no_identity` (`groups_unknown`) where they are not in the token and cannot be
   *   asked for; `identity_down` when asking fails.
   */
  read(claims: JWTPayload, member: Member, nowMs: number): Promise<readonly string[]>
}

const none: readonly string[] = Object.freeze([])

/** @param config of the issuer; the groups that Graph is asked about are those handed in. */
export function groupsReader(config: EntraIssuerConfig, parts: RowParts): GroupsReader {
  const { name, authority, graph: settings } = config
  const { fetch, groupsNamed: groups = [] } = parts
  const secret = parts.graphSecret?.(name)
  const graph =
    settings === undefined || secret === undefined
      ? undefined
      : createGraph({ ...settings, name, authority, secret, groups, fetch })
  return {
    async read(claims: JWTPayload, member: Member, nowMs: number): Promise<readonly string[]> {
      if (!isOverage(claims)) return groupsOf(claims['groups'])
      if (graph === undefined) throw refusal('groups_unknown', name)
      return graph.memberOf(member, nowMs)
    },
  }
}

/**
 * Whether the token says that the groups are too many for it (200): then the claim is missing, which
 * looks like belonging to none. The address in `_claim_sources` is not looked at: it names an API that
 * has ended, and a token chooses no address.
 */
function isOverage(claims: JWTPayload): boolean {
  const names = claims['_claim_names']
  const isNamed = isRecord(names) && Object.hasOwn(names, 'groups')
  const { hasgroups } = claims
  return isNamed || hasgroups === true || hasgroups === 'true'
}

/** Only GUIDs: the name of a group can be had by renaming another one. */
function groupsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return none
  return Object.freeze([...new Set(value.filter(isGuid).map((id) => id.toLowerCase()))])
}
