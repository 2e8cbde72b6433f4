/** What commands ask, done: in the running gateway, or by a command that works alone. */
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { isoMicros } from '../base/clock.ts'
import { rotateLocalKey } from '../identity/local-keys.ts'
import { share } from '../record/entry.ts'
import type { EntryInput } from '../record/entry.ts'
import { readHolds, writeHolds } from '../record/holds.ts'
import type { Held, Hold } from '../record/holds.ts'
import { vkeysOf } from '../record/tree-keys.ts'
import { answerAccess } from './access-answer.ts'
import { isAboutAccess } from './access-asked.ts'
import type { Asked, Exporting, HoldAsked, Viewing } from './asked.ts'
import type { Desk } from './desk.ts'
import { exposureLines } from './exposure-lines.ts'
import { openKeys, rotateSigningKey } from './keys.ts'
import { answerLocalAccount, isLocalAccountAsked } from './local-account.ts'
import { look } from './look.ts'
import { answerPeople } from './people-answer.ts'
import { noteBy } from './people-desk.ts'
import { isPeopleAsked } from './people-asked.ts'
import { retentionLines } from './retention-run.ts'
import { answerTools } from './tools-answer.ts'
import { isToolsAsked } from './tools-asked.ts'

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends.
 * @throws {Fault} what is asked cannot be done; nothing was shown or changed then.
 */
export async function answerAsked(
  asked: Asked,
  by: string,
  desk: Desk,
): Promise<AsyncIterable<string>> {
  if (isPeopleAsked(asked)) return stream(await answerPeople(asked, by, desk))
  if (isAboutAccess(asked)) return stream(await answerAccess(asked, by, desk))
  if (isLocalAccountAsked(asked)) return stream(await answerLocalAccount(asked, by, desk))
  if (isToolsAsked(asked)) return stream(await answerTools(asked, by, desk))
  switch (asked.what) {
    case 'sessions':
    case 'replay':
    case 'search':
      return await look(asked, by, desk)
    case 'exposure':
      return stream(await exposuresOf(desk)(asked))
    case 'sign':
      return stream([`${JSON.stringify({ signed: await desk.sign() })}\n`])
    case 'reindex':
      return stream([`${JSON.stringify({ entries: await desk.reindex() })}\n`])
    case 'rotate-issuer':
      return stream([await rotateIssuer(by, desk)])
    case 'reload':
      return stream([await reload(by, desk)])
    case 'exporting':
      await recordBy(by, exported(asked, desk), desk)
      return stream([])
    case 'viewing':
      await recordBy(by, viewedBy(asked, desk), desk)
      return stream([])
    case 'retention':
      return stream(await retentionLines(asked, desk))
    case 'hold':
    case 'release':
      return stream(await changeHolds(asked, by, desk))
    case 'rotate':
      return stream(await rotate(asked.overlapMs, by, desk))
    default:
      return asked satisfies never
  }
}

async function reload(by: string, desk: Desk): Promise<string> {
  if (desk.reload === undefined) return 'No gateway runs here; the next start reads the file.\n'
  const isNew = await desk.reload(by)
  return isNew ? 'The file is in force.\n' : 'Nothing changed: this file is in force already.\n'
}

/** Recorded first: a key that signs tokens is never there without an entry that says so. */
async function rotateIssuer(by: string, desk: Desk): Promise<string> {
  await noteBy(by, 'config.changed', { what: 'keys/local-issuer.json', by }, desk)
  const { kid, fromMs, removed } = await rotateLocalKey(desk.dataDir, desk.clock.nowUs() / 1000)
  return `${JSON.stringify({ kid, from: new Date(fromMs).toISOString(), removed })}\n`
}

/** Appends one entry in the name of a user of this machine. */
export async function recordBy(by: string, entry: EntryInput, desk: Desk): Promise<void> {
  const { masker, recorder } = desk
  const principal = masker.words({ issuer: 'local', subject: by, kind: 'local' as const })
  await recorder.append('command', share({ principal }), [{ entry }])
}

function exposuresOf(
  desk: Desk,
): (asked: Extract<Asked, { what: 'exposure' }>) => Promise<string[]> {
  return async (asked) => {
    const { exposures } = desk
    if (exposures) return await exposureLines(asked, exposures)
    throw new Fault('defect', 'Exposure is read from its file where no gateway runs.')
  }
}

function exported({ bodies, entries, kind, query }: Exporting, { masker }: Desk): EntryInput {
  const type = 'record.exported' as const
  return { type, what: kind, by: 'cli', query: masker.word(query), entries, bodies }
}

function viewedBy({ query, shown, viewed }: Viewing, { masker }: Desk): EntryInput {
  return {
    type: 'record.viewed',
    what: 'policy',
    by: 'cli',
    viewed: viewed === undefined ? undefined : masker.word(viewed).value,
    query: masker.word(query),
    shown,
  }
}

async function changeHolds(asked: HoldAsked, by: string, desk: Desk): Promise<string[]> {
  const { clock, dataDir, masker, place } = desk
  const holds = await readHolds(place.disk, dataDir)
  const of = asked.what === 'hold' ? placed(asked.held, asked.reason, by, clock.nowUs()) : undefined
  const hold = of ?? holds.find(({ id }) => asked.what === 'release' && id === asked.id)
  if (!hold) throw new Fault('path_unknown', 'There is no hold with this id. List them all first.')
  const others = holds.filter(({ id }) => id !== hold.id)
  const phase = of ? 'placed' : 'released'
  const entry: EntryInput = {
    type: 'retention.held',
    id: hold.id,
    phase,
    what: kindOf(hold.held),
    of: masker.word(textOf(hold.held)),
    reason: masker.word(asked.reason),
  }
  // A hold counts before it is told, and is told as gone before it stops to count.
  if (of) await writeHolds(place.disk, dataDir, [...others, of])
  await recordBy(by, entry, desk)
  if (!of) await writeHolds(place.disk, dataDir, others)
  return [`${JSON.stringify({ id: hold.id, phase })}\n`]
}

function placed(held: Held, reason: string, by: string, nowUs: number): Hold {
  return { id: newId('hold'), held, reason, by, since: isoMicros(nowUs) }
}

function kindOf(held: Held): string {
  if ('session' in held) return 'session'
  return 'principal' in held ? 'principal' : 'period'
}

export function textOf(held: Held): string {
  if ('session' in held) return held.session
  return 'principal' in held ? held.principal : `${held.from} to ${held.to}`
}

/**
 * Hands over from one signing key to the next: the entry that names the new key is under a
 * checkpoint of the old one before the new one signs anything.
 */
async function rotate(overlapMs: number, by: string, desk: Desk): Promise<string[]> {
  const untilMs = Math.ceil(desk.clock.nowUs() / 1000) + overlapMs
  const { from, to } = rotateSigningKey(desk.dataDir, untilMs)
  const [old = ''] = vkeysOf(desk.origin, { current: from })
  const [fresh = ''] = vkeysOf(desk.origin, { current: to })
  const overlapUntilUs = untilMs * 1000
  await recordBy(by, { type: 'keys.rotated', from: old, to: fresh, overlapUntilUs }, desk)
  await desk.sign()
  await desk.rekey(openKeys(desk.dataDir).signing)
  return [`${JSON.stringify({ from: old, to: fresh })}\n`]
}

// oxlint-disable-next-line require-await -- lines that are all there, as those that come one by one.
async function* stream(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}
