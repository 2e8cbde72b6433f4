/**
 * Who is in a group: a set of ids, kept apart from the group's other attributes because it may be
 * large. What comes of it is what `applyPatch` would make of a list of `{"value": id}`.
 */
import { clean, isObject, valueOf } from './attributes.ts'
import type { Path } from './expression.ts'
import type { PatchOp } from './operations.ts'
import { bad } from './refusal.ts'

export interface MemberOp {
  readonly op: 'add' | 'replace' | 'remove'
  /** Whom it names; a `remove` without means everybody. */
  readonly ids?: readonly string[]
}

const membersMax = 100_000
const idCharactersMax = 256

/** Parts the operations on members from all others. */
export function splitOps(ops: readonly PatchOp[]): { members: MemberOp[]; others: PatchOp[] } {
  const members: MemberOp[] = []
  const others: PatchOp[] = []
  for (const op of ops) {
    if (isMembers(op.path)) members.push(memberOp(op))
    else others.push(op)
  }
  return { members, others }
}

/**
 * @returns who is in it afterwards; `before` is not written to.
 * @throws {Fault} `bad_request` (invalidValue) when there would be more than 100,000.
 */
export function changeMembers(before: ReadonlySet<string>, ops: readonly MemberOp[]): Set<string> {
  const now = new Set(before)
  for (const { op, ids } of ops) {
    if (op === 'replace' || ids === undefined) now.clear()
    for (const id of ids ?? []) {
      if (op === 'remove') now.delete(id)
      else now.add(id)
    }
    if (now.size > membersMax) {
      throw bad('invalidValue', `A group has ${membersMax} members at most.`)
    }
  }
  return now
}

/** Whom only one of two sets has. */
export function difference(
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
): { added: string[]; removed: string[] } {
  return {
    added: [...after].filter((id) => !before.has(id)),
    removed: [...before].filter((id) => !after.has(id)),
  }
}

function isMembers({ schema, name }: Path): boolean {
  return schema === undefined && name.toLowerCase() === 'members'
}

function memberOp({ op, path, value }: PatchOp): MemberOp {
  if (path.sub !== undefined) throw bad('invalidPath', 'Members change as a whole.')
  if (path.where !== undefined) return selected(op, path)
  if (value === undefined || value === null)
    return op === 'add' ? { op, ids: [] } : { op: 'remove' }
  return { op, ids: idsOf(value) }
}

/** `members[value eq "id"]`, as the RFC takes somebody out. */
function selected(op: PatchOp['op'], { where = [] }: Path): MemberOp {
  const [term, ...others] = where
  const isById = term?.path.name.toLowerCase() === 'value' && others.length === 0
  if (
    op !== 'remove' ||
    !isById ||
    typeof term.equals !== 'string' ||
    term.path.sub !== undefined
  ) {
    throw bad('invalidPath', 'Members are selected by value, and only to remove them.')
  }
  return { op, ids: [term.equals] }
}

function idsOf(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.map((one) => {
    const member = clean(one)
    const id = isObject(member) ? valueOf(member, 'value') : member
    const isId = typeof id === 'string' && id !== '' && id.length <= idCharactersMax
    if (!isId || /\p{Cc}/u.test(id)) throw bad('invalidValue', 'A member has an id as its value.')
    return id
  })
}
