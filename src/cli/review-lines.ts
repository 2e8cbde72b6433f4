/** A review of access as lines for people. */
import type { GrantReview, Review } from '../policy/review.ts'
import { counted, oneLine } from '../replay/plain.ts'

/** A headline for each question of a review, and below it what there is to decide. */
export function reviewLines(review: Review): string[] {
  const { accounts, conflicts, grants, idle, ownerless } = review
  const unused = grants.filter(({ calls }) => calls === 0)
  const never = idle.filter(({ lastSeen }) => lastSeen === undefined)
  const away = idle.filter(({ lastSeen }) => lastSeen !== undefined)
  const parts: readonly (readonly [title: string, rows: readonly string[]])[] = [
    ['Grants nobody used', unused.map(grantLine)],
    ['Granted by name and never called', grants.flatMap(namesLine)],
    ['Granted by a pattern and never called, of the tools a server has', grants.flatMap(toolsLine)],
    ['Card numbers in clear, granted and never shown', grants.flatMap(revealLine)],
    ['Wider than what was called', grants.flatMap(widthLine)],
    ['People and programs with access, never seen', never.map((one) => idleLine(one))],
    ['Not seen in this time', away.map((one) => `${idleLine(one)}, last ${day(one.lastSeen)}`)],
    ['Service accounts', accounts.map(accountLine)],
    [
      'Nobody answers for',
      ownerless.map(
        (one) => `${one.subject} of ${one.issuer}: its owner ${one.owner} is ${one.why}`,
      ),
    ],
    [
      'Roles that exclude each other',
      conflicts.map((one) => `${whoIs(one)}: ${one.roles.join(' and ')}`),
    ],
  ]
  const blocks = parts.flatMap(([title, rows]) => {
    const shown = rows.length === 0 ? ['  none'] : rows.map((row) => `  ${row}`)
    return ['', `${title}: ${rows.length}`, ...shown]
  })
  return [...headLines(review), ...blocks].map((line) => `${oneLine(line)}\n`)
}

function headLines({ dueBy, figures, from, lastReview, to }: Review): string[] {
  const last = lastReview
    ? `Last signed off ${day(lastReview.time)} by ${lastReview.by}; the next is due by ${day(dueBy)}.`
    : 'No review is recorded: one is due now (PCI DSS 7.2.4 asks for one each six months).'
  const late = lastReview !== undefined && dueBy <= to ? ['It is overdue.'] : []
  const { grants, principals } = figures
  const all = `${counted(grants, 'grant')}, ${counted(principals, 'principal')}.`
  return [`Access from ${day(from)} to ${day(to)}: ${all}`, last, ...late]
}

function grantLine({ countedSince, grant, holders, isEnded, says }: GrantReview): string {
  const ended = isEnded ? ', and has ended' : ''
  return `${grant} (${says.join('; ')}): holds for ${counted(holders, 'principal')}${ended}; counted since ${day(countedSince)}`
}

function namesLine({ calls, grant, namesUnused }: GrantReview): string[] {
  return calls === 0 || namesUnused.length === 0 ? [] : [`${grant}: ${namesUnused.join(', ')}`]
}

function toolsLine({ calls, grant, toolsUnused }: GrantReview): string[] {
  return calls === 0 || toolsUnused.length === 0 ? [] : [`${grant}: ${toolsUnused.join(', ')}`]
}

function revealLine({ calls, grant, reveals }: GrantReview): string[] {
  return reveals === 0
    ? [`${grant}: ${counted(calls, 'call')}, none of them with a card number`]
    : []
}

const namesShown = 10

/** What a grant could be narrowed to: few names called through a pattern or a whole connection. */
function widthLine({ grant, othersUsed, says, used }: GrantReview): string[] {
  const isWide = says.some(
    (part) => part === 'gives everything' || /^(tools|resources|prompts|methods) .*\*/.test(part),
  )
  if (!isWide || used.length === 0 || used.length > namesShown || othersUsed > 0) return []
  return [
    `${grant}: called were only ${used.map(({ calls, name }) => `${name} (${calls})`).join(', ')}`,
  ]
}

function idleLine(one: Review['idle'][number]): string {
  return `${whoIs(one)}: ${one.grants.join(', ')}; known since ${day(one.madeAt)}`
}

function accountLine({
  account,
  grants,
  isUnused,
  keys,
  lastUsed,
  owner,
}: Review['accounts'][number]): string {
  const used = lastUsed === undefined ? 'never used' : `last used ${day(lastUsed)}`
  const idle = isUnused ? '  UNUSED' : ''
  const gives = grants.length === 0 ? 'no grant' : grants.join(', ')
  return `${account}: ${used}, ${counted(keys, 'good key')}, owner ${owner}; ${gives}${idle}`
}

function whoIs({
  id,
  issuer,
  name,
  subject,
}: {
  id: string
  issuer: string
  name?: string
  subject: string
}): string {
  return `${id}  ${name === undefined ? subject : `${name}, ${subject}`} of ${issuer}`
}

function day(time: string | undefined): string {
  return time?.slice(0, 10) ?? ''
}
