/** What reviewers are told of, and the few words of it that leave the house. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import type { Ticket } from '../hold/ticket.ts'
import type { Masker } from '../mask/masker.ts'
import { oneLine } from '../replay/plain.ts'

const ticketKinds = [
  'created',
  'reminded',
  'approved',
  'denied',
  'expired',
  /** It ended otherwise before a decision: withdrawn, revoked, void. */
  'withdrawn',
  /** It was run by its requester without approval. */
  'emergency',
  /** Somebody else looked at that afterwards. */
  'reviewed',
] as const
export type NoticeKind = (typeof ticketKinds)[number] | 'tool_changed'

export type NoticeEvent =
  | { readonly kind: (typeof ticketKinds)[number]; readonly ticket: Ticket }
  | {
      readonly kind: 'tool_changed'
      readonly connection: string
      readonly tool: string
      /** Of what is there now: each change is told once. */
      readonly sha256: string
      /** Calls of the tool wait until the change is accepted. */
      readonly isHeld: boolean
    }

/** All that is kept of an event until it is told, each text masked, on one line and short. */
export interface Summary {
  readonly kind: NoticeKind
  /** Id of the ticket; of a tool a hash. One of a kind is told once. */
  readonly subject: string
  readonly connection: string
  readonly tool: string
  /** Names of the rules that held it, with commas. */
  readonly rule: string
  readonly reason: string
  /** Display name of who asked. */
  readonly requester: string
  /** Who decided, or who reviewed. */
  readonly by: string
  /** People who must approve. */
  readonly approvals: number
  readonly needsPasskey: boolean
  readonly isHeld: boolean
  /** Until when it may be decided, or executed once approved; 0 where there is no end. */
  readonly notAfterMs: number
  /** When we were told. */
  readonly atMs: number
}

export const summaryForm: z.ZodType<Summary> = z.strictObject({
  kind: z.enum([...ticketKinds, 'tool_changed']),
  subject: z.string(),
  connection: z.string(),
  tool: z.string(),
  rule: z.string(),
  reason: z.string(),
  requester: z.string(),
  by: z.string(),
  approvals: z.int(),
  needsPasskey: z.boolean(),
  isHeld: z.boolean(),
  notAfterMs: z.int(),
  atMs: z.int(),
})

/** @returns never arguments, statements, justifications, addresses or claims: they stay in the house. */
export function summarise(
  event: NoticeEvent,
  masker: Pick<Masker, 'words'>,
  nowMs: number,
): Summary {
  const atMs = Math.floor(nowMs)
  const none = { rule: '', reason: '', requester: '', by: '' }
  if (event.kind === 'tool_changed') {
    const { connection, isHeld, kind, sha256, tool } = event
    const named = createHash('sha256').update(JSON.stringify([connection, tool, sha256]))
    return {
      ...safe({ ...none, connection, tool }, masker),
      kind,
      subject: named.digest('hex'),
      approvals: 0,
      needsPasskey: false,
      isHeld,
      notAfterMs: 0,
      atMs,
    }
  }
  const { kind, ticket } = event
  const held = ticket.matched.filter(({ effect }) => effect === 'hold')
  const deciders = ticket.decisions.map(({ by }) => by.name ?? by.subject).join(', ')
  const words = {
    connection: ticket.connection,
    tool: ticket.tool === '' ? ticket.method : ticket.tool,
    rule: held.map(({ rule }) => rule).join(', '),
    reason: ticket.reason,
    requester: ticket.requester.name ?? ticket.requester.subject,
    by: kind === 'reviewed' ? (ticket.emergency?.reviewedBy ?? '') : deciders,
  }
  return {
    ...safe(words, masker),
    kind,
    subject: ticket.id,
    approvals: Math.max(ticket.quorum, 1),
    needsPasskey: ticket.terms.needsPasskey,
    isHeld: true,
    notAfterMs: Math.floor(ticket.notAfterMs),
    atMs,
  }
}

type Words = Pick<Summary, 'connection' | 'tool' | 'rule' | 'reason' | 'requester' | 'by'>

/** What comes in is cut before it is looked at; what goes out is as long as a line may be. */
const rawMax = 4_096
const wordsMax = { connection: 80, tool: 120, rule: 160, reason: 300, requester: 120, by: 160 }
/** One digit fewer than the shortest card number has. */
const digitsMax = 12
const withheld = '(withheld)'

/** Names come from servers and from tokens: anybody may have written them. */
function safe(words: Words, masker: Pick<Masker, 'words'>): Words {
  let masked: Words
  try {
    const cut = (text: string): string => text.slice(0, rawMax).toWellFormed()
    const { by, connection, reason, requester, rule, tool } = words
    const raw = { connection: cut(connection), tool: cut(tool), rule: cut(rule) }
    const more = { reason: cut(reason), requester: cut(requester), by: cut(by) }
    masked = masker.words<Words>({ ...raw, ...more }).value
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    // Going on is safe: nothing of it is told, and the number of the ticket suffices to look at it.
    const none = { rule: withheld, reason: withheld, requester: withheld, by: withheld }
    masked = { connection: withheld, tool: withheld, ...none }
  }
  return {
    connection: line(masked.connection, wordsMax.connection),
    tool: line(masked.tool, wordsMax.tool),
    rule: line(masked.rule, wordsMax.rule),
    reason: line(masked.reason, wordsMax.reason),
    requester: line(masked.requester, wordsMax.requester),
    by: line(masked.by, wordsMax.by),
  }
}

/** One line without hidden characters, without an address that a program would make a link of, and
 *  without as many digits as a card number has, however they are set apart. */
function line(text: string, max: number): string {
  const digits = text.match(/\p{Nd}/gu)?.length ?? 0
  const plain = digits > digitsMax ? text.replaceAll(/\p{Nd}/gu, '*') : text
  const whole = Array.from(linkless(oneLine(plain)))
  return whole.length > max ? `${whole.slice(0, max).join('')}…` : whole.join('')
}

function linkless(text: string): string {
  return text
    .replaceAll('://', '[:]//')
    .replaceAll(/\b(www)\./gi, '$1[.]')
    .replaceAll(/\b(mailto|tel|javascript|data):/gi, '$1[:]')
    .replaceAll('{{', '{ {') // Adaptive Cards compute what stands in two of them.
}
