/** `sallyport access`, done. */
import { serviceIssuer } from '../identity/service-accounts.ts'
import { explainAccess } from '../policy/explain.ts'
import type { AccessLine } from '../policy/explain.ts'
import type { Bearer } from '../policy/who.ts'
import type { AboutAccess, AccessAsked } from './access-asked.ts'
import { rulesOf } from './access-desk.ts'
import type { AccessDesk } from './access-desk.ts'
import { accessLines } from './access-lines.ts'
import { answerReview } from './access-review.ts'
import { oneLine } from '../replay/plain.ts'
import { momentText, nowMsOf } from './people-desk.ts'
import { findWhom } from './whom.ts'
import type { Whom } from './whom.ts'

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends.
 * @throws {Fault} `path_unknown` for whom nobody knows, `config_bad` where there is no configuration,
 *   `record_down`, `record_full`: what cannot be recorded is not shown.
 */
export async function answerAccess(
  asked: AboutAccess,
  by: string,
  desk: AccessDesk,
): Promise<readonly string[]> {
  if (asked.what === 'access-review') return await answerReview(asked, by, desk)
  return showAccess(asked, desk)
}

function showAccess(asked: AccessAsked, desk: AccessDesk): string[] {
  const nowMs = asked.atMs ?? nowMsOf(desk)
  const ip = asked.ip ?? ''
  const whom = findWhom(asked.principal, desk)
  const bearer = bearerOf(whom, asked.client, desk)
  const connections = desk.connections ?? []
  const lines = explainAccess(rulesOf(desk).grants, bearer, connections, { ip, nowMs })
  const title = { who: wordsFor(whom, bearer, desk), ip, nowMs }
  const stopped = stopWords(bearer, nowMs, desk)
  const note = stopped === undefined || asked.format === 'jsonl' ? [] : [`${stopped}\n\n`]
  return [...note, ...accessLines(unlessStopped(lines, bearer, nowMs, desk), title, asked)]
}

/** Why nobody of theirs gets in, whatever the grants say; undefined where nothing stops them. */
function stopWords(
  { issuer, subject }: Bearer,
  nowMs: number,
  { directory, masker, revocations }: AccessDesk,
): string | undefined {
  const stop = revocations.find({ issuer, subject, issuedAtMs: Infinity }, undefined, nowMs)
  if (stop !== undefined) {
    const { by, id, reason } = masker.words(stop).value
    return oneLine(`Stopped since ${momentText(stop.fromMs)} by ${by}: ${reason} (${id})`)
  }
  return directory.hasEnded(issuer, subject, nowMs) ? 'The access has ended.' : undefined
}

/** As the directory knows them: what their next token says may be more, or less. */
function bearerOf(
  { issuer, known, subject }: Whom,
  client: string | undefined,
  desk: AccessDesk,
): Bearer {
  const clientId = client === undefined ? {} : { clientId: client }
  const account = desk.serviceAccounts.list().find(({ name }) => name === subject)
  if (issuer === serviceIssuer && account) {
    const { connections, groups, owner, roles } = account
    const only = connections === undefined ? {} : { connections }
    return { issuer, subject, kind: 'service', groups, roles, owner, ...only, ...clientId }
  }
  const nothing = { issuer, subject, kind: 'person', groups: [], roles: [] }
  return { ...(known ?? nothing), ...clientId }
}

function wordsFor({ known }: Whom, bearer: Bearer, { masker }: AccessDesk): string {
  const { issuer, kind, name, subject } = masker.words(bearer).value
  const who = name === undefined ? subject : `${name}, ${subject}`
  const seen =
    known === undefined || known.seenMs === 0
      ? 'never seen'
      : `as last seen ${momentText(known.seenMs)}`
  return `${known === undefined ? '' : `${known.id}  `}${who}  (${kind} of ${issuer}), ${seen}`
}

/** Whoever is stopped, or whose access has ended, has nothing, whatever the grants say. */
function unlessStopped(
  lines: readonly AccessLine[],
  { clientId, issuer, subject }: Bearer,
  nowMs: number,
  { directory, revocations }: AccessDesk,
): AccessLine[] {
  const hasEnded = directory.hasEnded(issuer, subject, nowMs)
  const whose = {
    issuer,
    subject,
    issuedAtMs: Infinity,
    ...(clientId === undefined ? {} : { clientId }),
  }
  return lines.map((line) => {
    const stop = revocations.find(whose, line.connection, nowMs)
    if (!line.isHolding || (stop === undefined && !hasEnded)) return line
    const missing = stop ? `not being stopped (${stop.id})` : 'access that has not ended'
    return { ...line, isHolding: false, missing }
  })
}
