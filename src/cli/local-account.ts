/** `sallyport account`, done: people with an account of the gateway's own. */
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import type { Details } from '../record/entry.ts'
import { oneLine } from '../replay/plain.ts'
import { toldOf } from '../signin/accounts.ts'
import type { Account, Accounts } from '../signin/accounts.ts'
import type { Passkeys } from '../signin/passkeys.ts'
import { momentText, noteBy, nowMsOf } from './people-desk.ts'
import type { PeopleDesk } from './people-desk.ts'

type Format = 'text' | 'jsonl'

export interface LocalAccountMade {
  readonly what: 'local-account-add'
  readonly name: string
  /** For people to read. */
  readonly title?: string | undefined
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly isBreakGlass: boolean
  readonly format: Format
}

export type LocalAccountAsked =
  | LocalAccountMade
  | {
      readonly what: 'local-account-invite'
      readonly name: string
      /** What signs in until now goes: the password and all passkeys. */
      readonly isReset: boolean
      readonly format: Format
    }
  | {
      readonly what: 'local-account-remove'
      readonly name: string
      readonly reason: string
      readonly format: Format
    }
  | { readonly what: 'local-accounts'; readonly format: Format }

const format = z.enum(['text', 'jsonl'])
const word = z.string().min(1).max(256)
const words = z.array(word).max(100)

const asks: z.ZodType<LocalAccountAsked> = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('local-account-add'),
    name: word,
    title: word.optional(),
    groups: words,
    roles: words,
    isBreakGlass: z.boolean(),
    format,
  }),
  z.strictObject({
    what: z.literal('local-account-invite'),
    name: word,
    isReset: z.boolean(),
    format,
  }),
  z.strictObject({
    what: z.literal('local-account-remove'),
    name: word,
    reason: z.string().min(1).max(1000),
    format,
  }),
  z.strictObject({ what: z.literal('local-accounts'), format }),
])

/** What a body asks for, read as JSON already; undefined when it is nothing of this. */
export function parseLocalAccountAsked(body: unknown): LocalAccountAsked | undefined {
  return asks.safeParse(body).data
}

export function isLocalAccountAsked(asked: { readonly what: string }): asked is LocalAccountAsked {
  return asked.what.startsWith('local-account')
}

/** What these commands work on, whether a gateway runs or not. */
export interface LocalAccountDesk extends Pick<
  PeopleDesk,
  'clock' | 'recorder' | 'masker' | 'directory' | 'stop'
> {
  /** Undefined where people do not sign in by accounts of the gateway's own. */
  readonly accounts: Accounts | undefined
  readonly passkeys: Passkeys | undefined
  /** Address of the page that takes links: `https://gw.example/oauth/login/invite`. */
  readonly inviteUrl: string
}

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends; a link stands nowhere else.
 * @throws {Fault} `config_bad` where there are no such accounts, `refused`, `path_unknown`;
 *   `record_down` where it cannot be recorded: no link is handed out then.
 */
export async function answerLocalAccount(
  asked: LocalAccountAsked,
  by: string,
  desk: LocalAccountDesk,
): Promise<readonly string[]> {
  const { accounts } = desk
  if (accounts === undefined) {
    const message =
      'Nobody signs in here by an account of the gateway’s own. Add one of type accounts to identity.sign_in.'
    throw new Fault('config_bad', message)
  }
  const at = { ...desk, accounts }
  switch (asked.what) {
    case 'local-account-add':
      return await add(asked, by, at)
    case 'local-account-invite':
      return await invite(asked, by, at)
    case 'local-account-remove':
      return await remove(asked, by, at)
    case 'local-accounts':
      return list(asked.format, at)
    default:
      return asked satisfies never
  }
}

/** Nothing that was signed in before a stop lives longer: it may be forgotten then. */
const outlivedMs = 91 * 86_400_000

type At = LocalAccountDesk & { readonly accounts: Accounts }

async function add(asked: LocalAccountMade, by: string, desk: At): Promise<string[]> {
  const { groups, isBreakGlass, name, roles, title } = asked
  const account = { name, title, groups, roles, isBreakGlass }
  const secret = desk.accounts.add(account)
  // A crash from here on leaves an account whose link nobody has: `account invite` makes another.
  const told = toldOf(
    { ...account, hasPassword: false, madeMs: 0, invitedUntilMs: 0 },
    issuerOf(desk),
  )
  desk.directory.tell(told, 'command', nowMsOf(desk))
  await tell(by, { change: 'made', account: name, groups, roles, isBreakGlass }, desk)
  return linked(asked, secret, desk)
}

async function invite(
  asked: Extract<LocalAccountAsked, { what: 'local-account-invite' }>,
  by: string,
  desk: At,
): Promise<string[]> {
  const { isReset, name } = asked
  const secret = desk.accounts.invite(name, isReset)
  if (isReset) {
    await dropPasskeys(name, by, desk)
    // Last, when nothing signs in by the old any more; a crash before it leaves no link, so it is
    // asked for again.
    await endOpen(name, by, desk)
  }
  await tell(by, { change: isReset ? 'reset' : 'invited', account: name }, desk)
  return linked(asked, secret, desk)
}

/** Ends what was signed in until now, if anything ever was. Of accounts nobody knows nothing is. */
async function endOpen(name: string, by: string, desk: At): Promise<void> {
  const issuer = issuerOf(desk)
  if (desk.directory.find(issuer, name) === undefined) return
  const nowMs = nowMsOf(desk)
  const target = { kind: 'tokens-before' as const, issuer, subject: name, beforeMs: nowMs }
  const untilMs = nowMs + outlivedMs
  await desk.stop({ target, reason: 'account was reset', by, source: 'cli', untilMs })
}

async function dropPasskeys(name: string, by: string, desk: At): Promise<void> {
  const person = desk.directory.find(issuerOf(desk), name)
  if (person === undefined) return
  const about = { principal: { issuer: 'local', subject: by, kind: 'local' as const } }
  for (const { id } of desk.passkeys?.listPasskeys(person.id) ?? [])
    await desk.passkeys?.removePasskey(person.id, id, about)
}

async function remove(
  asked: Extract<LocalAccountAsked, { what: 'local-account-remove' }>,
  by: string,
  desk: At,
): Promise<string[]> {
  const { format: form, name, reason } = asked
  if (desk.accounts.find(name) === undefined)
    throw new Fault('path_unknown', 'There is no account of this name. List them all first.')
  // Stopped before it is removed: what is open ends, and a crash in between leaves somebody stopped.
  const target = { kind: 'principal' as const, issuer: issuerOf(desk), subject: name }
  await desk.stop({ target, reason, by, source: 'cli' })
  await tell(by, { change: 'removed', account: name, reason }, desk)
  desk.accounts.remove(name)
  if (form === 'jsonl') return [`${JSON.stringify({ account: name, removed: true })}\n`]
  return [`Removed ${name}. Its name is not given again.\n`]
}

function list(form: Format, { accounts }: At): string[] {
  const all = accounts.list()
  if (form === 'jsonl') return all.map((account) => `${JSON.stringify(account)}\n`)
  if (all.length === 0)
    return ['There is no account. Make one with "sallyport account add NAME".\n']
  return all.map((account) => `${oneLine(lineOf(account))}\n`)
}

function lineOf(account: Account): string {
  const { groups, hasPassword, invitedUntilMs, isBreakGlass, madeMs, name, roles } = account
  const parts = [
    name,
    isBreakGlass ? 'for emergencies' : '',
    roles.length > 0 ? `roles ${roles.join(', ')}` : '',
    groups.length > 0 ? `groups ${groups.join(', ')}` : '',
    hasPassword ? 'password' : '',
    invitedUntilMs === undefined ? '' : `link until ${momentText(invitedUntilMs)}`,
    `made ${momentText(madeMs)}`,
  ]
  return parts.filter((part) => part !== '').join('  ')
}

/** The secret stands behind the `#`: no server and no preview of a chat ever sees it. */
function linked(
  { format: form, name }: { readonly name: string; readonly format: Format },
  secret: string,
  { inviteUrl }: At,
): string[] {
  const link = `${inviteUrl}#${secret}`
  return [form === 'jsonl' ? `${JSON.stringify({ account: name, link })}\n` : `${link}\n`]
}

function issuerOf({ accounts }: At): string {
  return accounts.issuer
}

async function tell(by: string, details: Details, desk: At): Promise<void> {
  await noteBy(by, 'account.changed', details, desk)
}
