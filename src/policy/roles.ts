/** Who is what on the console, and which roles nobody may have together (PCI DSS v4.0.1 req. 7.2.1). */
import type { ConsoleRole, ConsoleRoles } from '../config/types.ts'
import { holds } from './who.ts'
import type { Bearer } from './who.ts'

export const consoleRoles: readonly ConsoleRole[] = [
  'admin',
  'approver',
  'analyst',
  'compliance',
  'auditor',
]

/** Whoever has the first of a pair does not get the second: who sets the rules decides no call. */
export const excluding: readonly (readonly [has: ConsoleRole, loses: ConsoleRole])[] = [
  ['admin', 'approver'],
]

/** Roles of somebody by the configuration alone, those that exclude each other included. */
export function assignedRoles(bearer: Bearer, roles: ConsoleRoles): ReadonlySet<ConsoleRole> {
  const has = (role: ConsoleRole): boolean => {
    const who = roles[role]
    return who !== undefined && holds(who, bearer)
  }
  return new Set(consoleRoles.filter(has))
}

/**
 * The roles that count.
 * @param dropped is told of a role which the bearer has and which does not count, with the one that
 *   excludes it.
 */
export function rolesOf(
  bearer: Bearer,
  roles: ConsoleRoles,
  dropped: (role: ConsoleRole, because: ConsoleRole) => void = () => undefined,
): ReadonlySet<ConsoleRole> {
  const counting = new Set(assignedRoles(bearer, roles))
  for (const [has, loses] of excluding) {
    if (counting.has(has) && counting.delete(loses)) dropped(loses, has)
  }
  return counting
}
