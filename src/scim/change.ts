/**
 * What a change in the directory does here, in an order in which a crash or a fault at any line
 * leaves more taken away than was answered, never less: first people are stopped, then it is recorded,
 * then rights go; then it is kept; and only what is kept gives anything back. A directory sends again
 * what was not answered with success, and each line may be done twice.
 */
import type { Clock } from '../base/clock.ts'
import type { ScimConfig } from '../config/types.ts'
import type { Directory } from '../identity/directory.ts'
import type { Stop } from '../identity/revocations.ts'
import type { Source, Who } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import type { Attributes } from './attributes.ts'
import { difference } from './members.ts'
import { claimsOf, nameOf, settleGroup, settleUser } from './resource.ts'
import type { GroupFacts } from './resource.ts'
import type { OwnStops } from './stops.ts'
import type { Row, ScimStore } from './store.ts'
import { nextRow, toldGroup, toldUser } from './told.ts'

export interface Stations {
  readonly config: ScimConfig
  readonly directory: Pick<Directory, 'tell' | 'loseGroup' | 'gainGroup'>
  readonly stop: Stop
  readonly own: OwnStops
  readonly note: Note
  readonly store: ScimStore
  readonly clock: Pick<Clock, 'nowUs'>
}

/** What a resource is to become. */
export interface Wanted {
  readonly id: string
  /** Missing for a new one. */
  readonly before: Row | undefined
  /** Written to: put into the form in which it is kept. */
  readonly body: Attributes
}

/**
 * Makes or changes a user. One who is inactive afterwards is stopped when this resolves.
 * @throws {Fault} `bad_request` when it is no user, or another one has its name; whatever `stop` and
 *   `note` throw: then nothing was kept, and nothing given.
 */
export async function changeUser(at: Stations, wanted: Wanted, source: Source): Promise<Row> {
  const { before, body, id } = wanted
  const { issuer } = at.config
  const { email, isActive, name, subject, userName } = settleUser(body, at.config)
  const row = nextRow(before, { id, body, name: userName, external: subject }, now(at))
  at.store.users.check(row)
  // Whoever had this row until now is somebody else: the directory speaks of them no more.
  const former = before?.external === subject ? undefined : before?.external
  if (!isActive) await stopOne(at, subject, 'The directory made this user inactive.')
  if (former !== undefined) await stopOne(at, former, 'The directory gave their row to another.')
  if (row !== before) {
    const principal: Who = { issuer, subject, name, kind: 'person' }
    await at.note('scim.changed', { principal, source }, toldUser(before, row))
  }
  if (former !== undefined) loseGroupsOf(at, id, former)
  const told = { issuer, subject, kind: 'person', name } as const
  at.directory.tell(email === undefined ? told : { ...told, email }, 'scim', now(at))
  if (row !== before) at.store.saveUser(row)
  if (isActive) await at.own.lift(issuer, subject)
  return row
}

/** Deletes a user, who is stopped when this resolves. @throws what `stop` and `note` throw. */
export async function endUser(at: Stations, row: Row, source: Source): Promise<void> {
  const { external: subject = '', name: userName } = row
  await stopOne(at, subject, 'The directory deleted this user.')
  const name = nameOf(row.body, userName)
  const principal: Who = { issuer: at.config.issuer, subject, name, kind: 'person' }
  await at.note('scim.changed', { principal, source }, toldUser(row, undefined))
  loseGroupsOf(at, row.id, subject)
  at.store.removeUser(row.id)
}

/**
 * Makes or changes a group. Whoever is not in it afterwards has lost it when this resolves.
 * @param members ids of all who are to be in it.
 */
export async function changeGroup(
  at: Stations,
  { before, body, id }: Wanted,
  members: ReadonlySet<string>,
  source: Source,
): Promise<Row> {
  const facts = settleGroup(body, at.config)
  const key = facts.externalKey === undefined ? {} : { external: facts.externalKey }
  const named = nextRow(before, { id, body, name: facts.displayName, ...key }, now(at))
  at.store.groups.check(named)
  const present = before === undefined ? new Set<string>() : at.store.members(id)
  const moved = difference(present, members)
  const isMoved = moved.added.length + moved.removed.length > 0
  const isSame = named === before && !isMoved
  // Who is in a group is part of its version, too.
  const row = named === before && isMoved ? bumped(named, now(at)) : named
  const claims = claimsOf(facts, at.config)
  const claimsBefore = before === undefined ? [] : claimsOfRow(before, at.config)
  const gone = claimsBefore.filter((claim) => !claims.includes(claim))
  const lost = subjectsOf(at, moved.removed)
  const gained = subjectsOf(at, moved.added)
  if (isSame) return row
  await at.note(
    'scim.changed',
    { source },
    toldGroup(before, row, { added: gained, removed: lost }),
  )
  loseClaims(at, lost, claimsBefore)
  // A group that goes by another word now: whoever stays in it loses the old one.
  if (gone.length > 0) loseClaims(at, subjectsOf(at, present), gone)
  at.store.saveGroup(row, moved)
  for (const subject of gained) {
    for (const claim of claims) at.directory.gainGroup(at.config.issuer, subject, claim)
  }
  return row
}

/** Deletes a group, which its members have lost when this resolves. */
export async function endGroup(at: Stations, row: Row, source: Source): Promise<void> {
  const removed = subjectsOf(at, at.store.members(row.id))
  await at.note('scim.changed', { source }, toldGroup(row, undefined, { added: [], removed }))
  loseClaims(at, removed, claimsOfRow(row, at.config))
  at.store.removeGroup(row.id)
}

/** A stop that SCIM made and that still holds needs no second: Okta says `active` with each PUT. */
async function stopOne(
  { config, own, stop }: Stations,
  subject: string,
  why: string,
): Promise<void> {
  if (own.isStopped(config.issuer, subject)) return
  const target = { kind: 'principal', issuer: config.issuer, subject } as const
  await stop({ target, reason: why, by: 'scim', source: 'scim' })
}

function loseGroupsOf(at: Stations, id: string, subject: string): void {
  for (const group of at.store.groupsOf(id)) {
    loseClaims(at, [subject], claimsOfRow(group, at.config))
  }
}

function loseClaims(at: Stations, subjects: readonly string[], claims: readonly string[]): void {
  for (const subject of subjects) {
    for (const claim of claims) {
      at.directory.loseGroup(at.config.issuer, subject, claim, now(at))
    }
  }
}

/** As it was kept, under whatever configuration that was. */
function claimsOfRow({ body, external }: Row, config: ScimConfig): string[] {
  const displayName = typeof body['displayName'] === 'string' ? body['displayName'] : ''
  const facts: GroupFacts = { displayName, ...(external ? { externalKey: external } : {}) }
  return claimsOf(facts, config)
}

/** Of those ids that are users of ours; a group in a group is nobody. */
function subjectsOf({ store }: Stations, ids: Iterable<string>): string[] {
  return [...ids].flatMap((id) => store.users.byId(id)?.external ?? [])
}

function bumped(row: Row, nowMs: number): Row {
  return { ...row, version: row.version + 1, changedMs: nowMs }
}

function now({ clock }: Stations): number {
  return Math.floor(clock.nowUs() / 1000)
}
