/** The words of a notice: the same for every receiver, which only sets them in its own way. */
import { createHash } from 'node:crypto'
import { counted } from '../replay/plain.ts'
import type { NoticeKind, Summary } from './event.ts'

export interface Line {
  readonly label: string
  readonly value: string
}

export interface Message {
  /** The same however often it is tried: `msg_…`. */
  readonly id: string
  /** For programs: `ticket.created`, `tickets.digest`, `tool.changed`, `test`. */
  readonly type: string
  readonly isUrgent: boolean
  /** The ticket; empty where there is not exactly one. */
  readonly ticket: string
  readonly title: string
  readonly lines: readonly Line[]
  /** What is needed of the reader. */
  readonly ask: string
  /** Into the console, which wants a sign-in. */
  readonly link: string
  readonly atMs: number
  /** The same for programs. */
  readonly data: Readonly<Record<string, unknown>>
}

const types: Readonly<Record<NoticeKind, string>> = {
  created: 'ticket.created',
  reminded: 'ticket.reminded',
  approved: 'ticket.approved',
  denied: 'ticket.denied',
  expired: 'ticket.expired',
  withdrawn: 'ticket.withdrawn',
  emergency: 'ticket.emergency',
  reviewed: 'ticket.reviewed',
  tool_changed: 'tool.changed',
}

const titles: Readonly<Record<NoticeKind, string>> = {
  created: 'A call waits for a decision',
  reminded: 'A call still waits for a decision',
  approved: 'A held call was approved',
  denied: 'A held call was denied',
  expired: 'A held call expired without a decision',
  withdrawn: 'A held call needs no decision any more',
  emergency: 'URGENT: a call was run in an emergency, without approval',
  reviewed: 'A call that was run in an emergency was reviewed',
  tool_changed: 'A tool is not what it was when it was accepted',
}

/** Nothing is decided in a notice: whoever reads it may not be who may decide. */
const signIn = 'Sign in to the console to look at it; nothing can be decided from this message.'

/** @param consoleUrl origin of the console, without a slash at its end. */
export function messageOf(of: Summary, consoleUrl: string): Message {
  const isTool = of.kind === 'tool_changed'
  const ticket = isTool ? '' : of.subject
  return {
    id: idOf([of.kind, of.subject]),
    type: types[of.kind],
    isUrgent: of.kind === 'emergency',
    ticket,
    title: titles[of.kind],
    lines: linesOf(of),
    ask: askOf(of),
    link: isTool ? `${consoleUrl}/approvals` : linkTo(ticket, consoleUrl),
    atMs: of.atMs,
    data: isTool ? toolData(of, consoleUrl) : ticketData(of, consoleUrl),
  }
}

function linkTo(ticket: string, consoleUrl: string): string {
  return `${consoleUrl}/approvals/${encodeURIComponent(ticket)}`
}

function linesOf(of: Summary): Line[] {
  const isTool = of.kind === 'tool_changed'
  const lines: Line[] = [
    { label: 'Ticket', value: isTool ? '' : of.subject },
    { label: 'Connection', value: of.connection },
    { label: 'Tool', value: of.tool },
    { label: 'Requested by', value: of.requester },
    { label: 'Rule', value: of.rule },
    { label: 'Why', value: of.reason },
    { label: of.kind === 'reviewed' ? 'Reviewed by' : 'Decided by', value: of.by },
    { label: endLabel(of.kind), value: of.notAfterMs > 0 ? minuteOf(of.notAfterMs) : '' },
  ]
  return lines.filter(({ label, value }) => value !== '' && label !== '')
}

/** What the end of the time means; empty where nothing is left to be done in time. */
function endLabel(kind: NoticeKind): string {
  if (kind === 'created' || kind === 'reminded') return 'Decide before'
  if (kind === 'approved') return 'Can be run until'
  return kind === 'expired' ? 'Expired' : ''
}

function askOf(of: Summary): string {
  switch (of.kind) {
    case 'created':
    case 'reminded': {
      const how = of.needsPasskey ? ', each with a passkey' : ''
      return `Needed: ${counted(of.approvals, 'approval')}${how}. ${signIn}`
    }
    case 'approved':
      return 'It runs once, when its caller is there to take the result. Nothing is left to do.'
    case 'denied':
    case 'expired':
    case 'withdrawn':
      return 'It was not run. Nothing is left to do.'
    case 'reviewed':
      return 'Nothing is left to do.'
    case 'emergency':
      return `Needed now: somebody else must review what was done. ${signIn}`
    case 'tool_changed': {
      const held = of.isHeld ? 'Its calls wait until somebody accepts the change. ' : ''
      return `${held}Look at the difference with "sallyport tools", then accept it or ask its owner.`
    }
  }
}

function ticketData(of: Summary, consoleUrl: string): Record<string, unknown> {
  const { approvals, by, connection, needsPasskey, notAfterMs, reason, requester, rule, tool } = of
  return {
    ticket: of.subject,
    connection,
    tool,
    requester,
    rule,
    reason,
    ...(by === '' ? {} : { [of.kind === 'reviewed' ? 'reviewed_by' : 'decided_by']: by }),
    approvals_needed: approvals,
    passkey_needed: needsPasskey,
    ...(notAfterMs > 0 ? { not_after: new Date(notAfterMs).toISOString() } : {}),
    urgent: of.kind === 'emergency',
    link: linkTo(of.subject, consoleUrl),
  }
}

function toolData(
  { connection, isHeld, tool }: Summary,
  consoleUrl: string,
): Record<string, unknown> {
  return { connection, tool, held: isHeld, link: `${consoleUrl}/approvals` }
}

const shownMax = 10

/**
 * Many notices as one: how many of each kind, where, and the first few.
 * @param more how many there are besides, of which nothing is known but that they wait.
 */
export function digestOf(all: readonly Summary[], more: number, consoleUrl: string): Message {
  const of = (...kinds: readonly NoticeKind[]): Summary[] =>
    all.filter(({ kind }) => kinds.includes(kind))
  const urgent = of('emergency').length
  const calls = new Set(of('created', 'reminded').map(({ subject }) => subject)).size + more
  const counts: readonly (readonly [label: string, count: number])[] = [
    ['Waiting for a decision', calls],
    ['Run in an emergency', urgent],
    ['Approved', of('approved').length],
    ['Denied', of('denied').length],
    ['Expired', of('expired').length],
    ['Ended otherwise', of('withdrawn').length],
    ['Reviewed', of('reviewed').length],
    ['Tools changed', of('tool_changed').length],
  ]
  const told = counts.filter(([, count]) => count > 0)
  const lines = told.map(([label, count]) => ({ label, value: String(count) }))
  const tickets = all.filter(({ kind }) => kind !== 'tool_changed').map(({ subject }) => subject)
  const first = [...new Set(tickets)].slice(0, shownMax)
  if (first.length > 0) lines.push({ label: 'First tickets', value: first.join(', ') })
  const link = `${consoleUrl}/approvals`
  const title =
    urgent > 0
      ? `URGENT: ${counted(urgent, 'call was', 'calls were')} run in an emergency, without approval`
      : calls > 0
        ? `${counted(calls, 'call waits', 'calls wait')} for a decision`
        : `${counted(all.length, 'notice')} about held calls`
  return {
    id: idOf([...all.map(({ kind, subject }) => `${kind} ${subject}`), String(more)]),
    type: 'tickets.digest',
    isUrgent: urgent > 0,
    ticket: '',
    title,
    lines: [...lines, { label: 'Connections', value: connectionsOf(all) }].filter(hasValue),
    ask: `They came so fast that they are told together. ${signIn}`,
    link,
    atMs: all.at(-1)?.atMs ?? 0,
    data: {
      waiting: calls,
      emergencies: urgent,
      notices: all.length + more,
      tickets: first,
      urgent: urgent > 0,
      link,
    },
  }
}

/** With how many notices each, most first. */
function connectionsOf(all: readonly Summary[]): string {
  const counts = new Map<string, number>()
  for (const { connection } of all) counts.set(connection, (counts.get(connection) ?? 0) + 1)
  const most = [...counts].toSorted(([, a], [, b]) => b - a)
  const shown = most.slice(0, shownMax).map(([name, count]) => `${name} (${count})`)
  if (most.length > shownMax) shown.push('…')
  return shown.join(', ')
}

function hasValue({ value }: Line): boolean {
  return value !== ''
}

/** For `sallyport check`: that what arrives can be read. */
export function testMessage(consoleUrl: string, nowMs: number): Message {
  const link = `${consoleUrl}/approvals`
  return {
    id: idOf(['test', String(nowMs)]),
    type: 'test',
    isUrgent: false,
    ticket: '',
    title: 'A test of notices',
    lines: [],
    ask: 'Somebody who looks after Sallyport tried whether its notices arrive. Nothing is left to do.',
    link,
    atMs: nowMs,
    data: { link },
  }
}

function idOf(words: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(words)).digest('base64url')
  return `msg_${hash.replaceAll('-', 'A').replaceAll('_', 'B').slice(0, 27)}`
}

function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
