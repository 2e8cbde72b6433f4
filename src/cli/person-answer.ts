/** `sallyport people`, done: who is known, until when, and who answers for whom. */
import { Fault } from '../base/fault.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import { ownerLoss } from '../identity/ownerless.ts'
import { oneLine } from '../replay/plain.ts'
import type { EndAsked, OwnerAsked, PersonAsked } from './people-asked.ts'
import { momentText, noteBy, nowMsOf } from './people-desk.ts'
import type { PeopleDesk } from './people-desk.ts'
import { findKnown, findWhom } from './whom.ts'

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends.
 * @throws {Fault} `path_unknown` for whom nobody knows, `bad_request` for an owner who is no person,
 *   `record_down` where a change cannot be recorded; it is not made then.
 */
export async function answerPerson(
  asked: PersonAsked,
  by: string,
  desk: PeopleDesk,
): Promise<readonly string[]> {
  switch (asked.what) {
    case 'people':
      return asked.format === 'jsonl' ? listJson(desk) : listText(desk)
    case 'person':
      return show(findKnown(asked.principal, desk), asked.format, desk)
    case 'person-end':
      return await setEnd(asked, by, desk)
    case 'person-owner':
      return await setOwner(asked, by, desk)
    default:
      return asked satisfies never
  }
}

/** One principal as JSON has it: moments as text, words masked. */
function tellOf(known: KnownPrincipal, desk: PeopleDesk): Record<string, unknown> {
  const { endsMs, groups, id, issuer, kind, madeMs, roles, seenMs, source, subject } = known
  const { email, name, owner } = known
  const stop = stopOf(known, desk)
  return desk.masker.words({
    id,
    issuer,
    subject,
    name,
    email,
    kind,
    groups,
    roles,
    source,
    owner,
    made: momentText(madeMs),
    seen: seenMs === 0 ? undefined : momentText(seenMs),
    ends: endsMs === undefined ? undefined : momentText(endsMs),
    state: stateOf(known, desk),
    stop: stop?.id,
  }).value
}

/** A stop of this principal itself, not of all or of old tokens. */
function stopOf(known: KnownPrincipal, desk: PeopleDesk): ReturnType<typeof desk.revocations.find> {
  const { issuer, subject } = known
  return desk.revocations.find({ issuer, subject, issuedAtMs: Infinity }, undefined, nowMsOf(desk))
}

function stateOf(known: KnownPrincipal, desk: PeopleDesk): 'stopped' | 'ended' | 'in' {
  if (stopOf(known, desk) !== undefined) return 'stopped'
  return desk.directory.hasEnded(known.issuer, known.subject, nowMsOf(desk)) ? 'ended' : 'in'
}

function listJson(desk: PeopleDesk): string[] {
  return desk.directory.list().map((known) => `${JSON.stringify(tellOf(known, desk))}\n`)
}

function listText(desk: PeopleDesk): string[] {
  const all = desk.directory.list().toSorted((a, b) => b.seenMs - a.seenMs)
  if (all.length === 0) return ['Nobody is known yet. Whoever is let in is listed here.\n']
  return all.map((known) => {
    const { id, issuer, kind, name, seenMs, subject } = desk.masker.words(known).value
    const seen = seenMs === 0 ? 'never seen' : `seen ${momentText(seenMs)}`
    const who = name === undefined ? subject : `${subject} (${name})`
    return `${id}  ${stateOf(known, desk)}  ${kind}  ${seen}  ${oneLine(who)}  ${oneLine(issuer)}\n`
  })
}

function show(known: KnownPrincipal, format: 'text' | 'jsonl', desk: PeopleDesk): string[] {
  const told = tellOf(known, desk)
  if (format === 'jsonl') return [`${JSON.stringify(told)}\n`]
  const { owner } = known
  const loss = owner === undefined ? undefined : ownerLoss(owner, desk, nowMsOf(desk))
  const lines = Object.entries(told).flatMap(([name, value]) => {
    const text = Array.isArray(value) ? value.join(', ') : value
    return typeof text === 'string' && text !== '' ? [[name, text] as const] : []
  })
  if (loss !== undefined) lines.push(['owner is', loss.why])
  return lines.map(([name, text]) => `${name.padEnd(8)}  ${oneLine(text)}\n`)
}

async function setEnd(asked: EndAsked, by: string, desk: PeopleDesk): Promise<string[]> {
  const { issuer, kind, subject, known } = personOf(asked.principal, desk)
  const endsMs = asked.endsMs ?? undefined
  const change = {
    what: 'end of access',
    of: `${issuer} ${subject}`,
    before: known?.endsMs === undefined ? 'none' : momentText(known.endsMs),
    after: endsMs === undefined ? 'none' : momentText(endsMs),
    by,
    source: 'cli',
  }
  // A crash behind the entry leaves a record of what was ordered, and the old date.
  await noteBy(by, 'access.changed', change, desk)
  const { id } = known ?? desk.directory.tell({ issuer, subject, kind }, 'command', nowMsOf(desk))
  const now = desk.directory.change(id, { endsMs })
  if (asked.format === 'jsonl') return [`${JSON.stringify(tellOf(now, desk))}\n`]
  const who = oneLine(desk.masker.word(subject).value)
  if (endsMs === undefined) return [`The access of ${who} has no end any more.\n`]
  const isOver = endsMs <= nowMsOf(desk)
  return [`The access of ${who} ${isOver ? 'ended' : 'ends'} at ${momentText(endsMs)}.\n`]
}

/** Somebody never seen is made known as a person: their first token says what they are. */
function personOf(
  principal: string,
  desk: PeopleDesk,
): Pick<KnownPrincipal, 'issuer' | 'subject' | 'kind'> & { known: KnownPrincipal | undefined } {
  const { issuer, known, subject } = findWhom(principal, desk)
  return { issuer, subject, kind: known?.kind ?? 'person', known }
}

async function setOwner(asked: OwnerAsked, by: string, desk: PeopleDesk): Promise<string[]> {
  // An application that was never let in may be registered by whoever answers for it.
  const { issuer, known, subject } = findWhom(asked.principal, desk)
  const owner = asked.owner === null ? undefined : findOwner(asked.owner, desk)
  const named = (id: string | undefined): string => {
    const person = id === undefined ? undefined : desk.directory.byId(id)
    return person === undefined ? (id ?? 'none') : `${person.issuer} ${person.subject}`
  }
  const change = {
    what: 'owner',
    of: `${issuer} ${subject}`,
    before: named(known?.owner),
    after: named(owner?.id),
    by,
    source: 'cli',
  }
  await noteBy(by, 'access.changed', change, desk)
  const told = { issuer, subject, kind: 'service' as const }
  const { id } = known ?? desk.directory.tell(told, 'command', nowMsOf(desk))
  const now = desk.directory.change(id, { owner: owner?.id })
  if (asked.format === 'jsonl') return [`${JSON.stringify(tellOf(now, desk))}\n`]
  const [who, whose] = desk.masker.words([subject, owner?.subject ?? 'nobody']).value
  return [`${oneLine(whose ?? '')} answers for ${oneLine(who ?? '')} now.\n`]
}

/**
 * A person who can answer for an account today.
 * @throws {Fault} `path_unknown` for whom nobody knows, `bad_request` for a program, or for somebody
 *   who is stopped or whose access ended.
 */
export function findOwner(text: string, desk: PeopleDesk): KnownPrincipal {
  const person = findKnown(text, desk)
  if (person.kind !== 'person') throw unfit('is no person')
  const loss = ownerLoss(person.id, desk, nowMsOf(desk))
  if (loss !== undefined)
    throw unfit(loss.why === 'stopped' ? 'is stopped' : 'has no access any more')
  return person
}

function unfit(why: string): Fault {
  const message = `Whoever answers for an account must be a person with access, and this one ${why}.`
  return new Fault('bad_request', message)
}
