/** `sallyport service-account`, done. A key leaves here once, in the answer to whoever made it. */
import { Fault } from '../base/fault.ts'
import { ownerLoss } from '../identity/ownerless.ts'
import type { ServiceAccount, ServiceKey } from '../identity/service-accounts.ts'
import type { Details } from '../record/entry.ts'
import { oneLine } from '../replay/plain.ts'
import type { AccountAsked, KeyAsked, ServiceAsked } from './people-asked.ts'
import { momentText, noteBy, nowMsOf } from './people-desk.ts'
import type { PeopleDesk } from './people-desk.ts'
import { findOwner } from './person-answer.ts'

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends; for a new key one JSON line with `key`, which stands nowhere
 *   else.
 * @throws {Fault} `path_unknown`, `bad_request`, `config_bad` for what cannot be, `record_down` where
 *   it cannot be recorded: no key is handed out then.
 */
export async function answerAccount(
  asked: ServiceAsked,
  by: string,
  desk: PeopleDesk,
): Promise<readonly string[]> {
  switch (asked.what) {
    case 'accounts':
      return listAccounts(asked.format, desk)
    case 'account-add':
      return await addAccount(asked, by, desk)
    case 'account-key':
      return await addKey(asked, by, desk)
    case 'account-key-end':
      return await endKey(asked.id, asked.format, { by, desk })
    case 'account-remove':
      return await remove(asked.name, asked.format, { by, desk })
    default:
      return asked satisfies never
  }
}

interface From {
  readonly by: string
  readonly desk: PeopleDesk
}

async function addAccount(asked: AccountAsked, by: string, desk: PeopleDesk): Promise<string[]> {
  const { connections, groups, name, roles } = asked
  const owner = findOwner(asked.owner, desk)
  checkConnections(connections, desk)
  const ttlMs = ttlOf(asked.ttlMs, desk)
  const only = connections === undefined ? {} : { connections }
  desk.serviceAccounts.make({ name, owner: owner.id, groups, roles, ...only }, nowMsOf(desk))
  // A crash from here on leaves an account without a key, which nobody can use.
  const made = {
    change: 'made',
    account: name,
    owner: `${owner.issuer} ${owner.subject}`,
    groups,
    roles,
    connections: connections ?? ['all'],
  }
  try {
    await noteAccount(by, made, desk)
  } catch (error) {
    desk.serviceAccounts.remove(name)
    throw error
  }
  return await issue(name, ttlMs, { by, desk })
}

async function addKey({ name, ttlMs }: KeyAsked, by: string, desk: PeopleDesk): Promise<string[]> {
  const account = findAccount(name, desk)
  const loss = ownerLoss(account.owner, desk, nowMsOf(desk))
  if (loss !== undefined) {
    const message = `Nobody answers for this account: its owner is ${loss.why}. Make another account with an owner who stays, and remove this one.`
    throw new Fault('refused', message)
  }
  return await issue(name, ttlOf(ttlMs, desk), { by, desk })
}

/** The key is durable before its entry, and handed out after it. */
async function issue(name: string, ttlMs: number, { by, desk }: From): Promise<string[]> {
  const { key, made } = desk.serviceAccounts.issueKey(name, ttlMs, nowMsOf(desk))
  const expires = momentText(made.expiresMs)
  try {
    await noteAccount(by, { change: 'key made', account: name, key: made.id, expires }, desk)
  } catch (error) {
    desk.serviceAccounts.endKey(made.id)
    throw error
  }
  return [`${JSON.stringify({ account: name, id: made.id, expires, key })}\n`]
}

async function endKey(id: string, format: 'text' | 'jsonl', from: From): Promise<string[]> {
  const { by, desk } = from
  const account = desk.serviceAccounts.list().find(({ keys }) => keys.some((key) => key.id === id))
  const key = account?.keys.find((each) => each.id === id)
  if (account === undefined || key === undefined) {
    const message = 'There is no key of this id. List them with "sallyport service-account list".'
    throw new Fault('path_unknown', message)
  }
  try {
    await stopKey(key, 'the key was ended', from)
  } finally {
    desk.serviceAccounts.endKey(id)
  }
  await noteAccount(by, { change: 'key ended', account: account.name, key: id }, desk)
  return format === 'jsonl'
    ? [`${JSON.stringify({ account: account.name, id, ended: true })}\n`]
    : [`The key ${id} of ${account.name} has ended.\n`]
}

async function remove(name: string, format: 'text' | 'jsonl', from: From): Promise<string[]> {
  const { by, desk } = from
  const { keys } = findAccount(name, desk)
  try {
    for (const key of keys) await stopKey(key, 'the service account was removed', from)
  } finally {
    desk.serviceAccounts.remove(name)
  }
  await noteAccount(by, { change: 'removed', account: name, keys: keys.map(({ id }) => id) }, desk)
  return format === 'jsonl'
    ? [`${JSON.stringify({ account: name, removed: true })}\n`]
    : [`The service account ${name} is removed, and its name is not given again.\n`]
}

/** Cuts what is open with a key. The stop may be forgotten when the key would have expired. */
async function stopKey(key: ServiceKey, reason: string, { by, desk }: From): Promise<void> {
  if (key.expiresMs <= nowMsOf(desk)) return
  const target = { kind: 'token' as const, token: key.id }
  await desk.stop({ target, reason, by, source: 'cli', untilMs: key.expiresMs })
}

async function noteAccount(by: string, details: Details, desk: PeopleDesk): Promise<void> {
  const all = { what: 'service account', ...details, by, source: 'cli' }
  await noteBy(by, 'account.changed', all, desk)
}

function findAccount(name: string, { serviceAccounts }: PeopleDesk): ServiceAccount {
  const account = serviceAccounts.list().find((each) => each.name === name)
  if (account !== undefined) return account
  const message =
    'There is no service account of this name. List them with "sallyport service-account list".'
  throw new Fault('path_unknown', message)
}

function checkConnections(
  wanted: readonly string[] | undefined,
  { connections }: PeopleDesk,
): void {
  if (connections === undefined || wanted?.every((name) => connections.includes(name)) !== false) {
    return
  }
  const message = `There is no connection of one of these names. Known: ${connections.join(', ')}.`
  throw new Fault('path_unknown', message)
}

/** @throws {Fault} `bad_request` for longer than the configuration allows. */
function ttlOf(ttlMs: number | undefined, { serviceKeyMs }: PeopleDesk): number {
  if (ttlMs === undefined) return serviceKeyMs
  if (ttlMs <= serviceKeyMs) return ttlMs
  const days = Math.floor(serviceKeyMs / 86_400_000)
  const message = `A key is good for ${days} days at most (identity.service_key_max). Give a shorter --ttl.`
  throw new Fault('bad_request', message)
}

function listAccounts(format: 'text' | 'jsonl', desk: PeopleDesk): string[] {
  const all = desk.serviceAccounts.list()
  if (format === 'jsonl') return all.map((each) => `${JSON.stringify(tellOf(each, desk))}\n`)
  if (all.length === 0) return ['There are no service accounts.\n']
  return all.flatMap((account) => {
    const { connections, groups, keys, name, owner, roles, usedMs } = account
    const person = desk.directory.byId(owner)
    const loss = ownerLoss(owner, desk, nowMsOf(desk))
    const of = [
      `owner ${person?.subject ?? owner}${loss === undefined ? '' : ` (${loss.why})`}`,
      usedMs === 0 ? 'never used' : `used ${momentText(usedMs)}`,
      `connections ${connections?.join(', ') ?? 'all'}`,
      ...(groups.length === 0 ? [] : [`groups ${groups.join(', ')}`]),
      ...(roles.length === 0 ? [] : [`roles ${roles.join(', ')}`]),
    ]
    const head = `${name}  ${desk.masker.word(of.join('  ')).value}`
    return [`${oneLine(head)}\n`, ...keys.map((key) => `  ${keyText(key, nowMsOf(desk))}\n`)]
  })
}

function keyText({ expiresMs, id, usedMs }: ServiceKey, nowMs: number): string {
  const used = usedMs === 0 ? 'never used' : `used ${momentText(usedMs)}`
  return `${id}  ${expiresMs <= nowMs ? 'expired' : 'expires'} ${momentText(expiresMs)}  ${used}`
}

function tellOf(account: ServiceAccount, desk: PeopleDesk): Record<string, unknown> {
  const { connections, groups, keys, madeMs, name, owner, roles, usedMs } = account
  return desk.masker.words({
    name,
    owner,
    groups,
    roles,
    connections,
    made: momentText(madeMs),
    used: usedMs === 0 ? undefined : momentText(usedMs),
    ownerIs: ownerLoss(owner, desk, nowMsOf(desk))?.why,
    keys: keys.map((key) => ({
      id: key.id,
      made: momentText(key.madeMs),
      expires: momentText(key.expiresMs),
      used: key.usedMs === 0 ? undefined : momentText(key.usedMs),
    })),
  }).value
}
