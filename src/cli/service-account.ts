/** `sallyport service-account`: its options, and what is asked. */
import type { Writable } from 'node:stream'
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import { parseDuration } from '../config/units.ts'
import type { AskPeople } from './ask-people.ts'
import type { Outlets, Through } from './ask.ts'
import type { Where } from './installation.ts'

export interface AccountOptions extends Where {
  readonly json?: boolean | undefined
}

export interface NewKeyOptions extends AccountOptions {
  readonly ttl?: string | undefined
}

export interface NewAccountOptions extends NewKeyOptions {
  readonly owner: string
  readonly group?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  readonly connection?: readonly string[] | undefined
}

/** Prints the account's first key, alone on `out`. @returns 2 for a time that is none. */
export async function addAccount(
  name: string,
  options: NewAccountOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  const { connection, group = [], owner, role = [] } = options
  const ttl = ttlOf(options, outlets.errors)
  if (ttl === undefined) return 2
  const only = connection === undefined ? {} : { connections: connection }
  const account = { name, owner, groups: group, roles: role, ...only, ...ttl }
  const through = keyThrough(options, outlets.errors)
  return await ask({ what: 'account-add', ...account }, options, outlets, through)
}

/** Prints a further key, alone on `out`. @returns 2 for a time that is none. */
export async function addKey(
  name: string,
  options: NewKeyOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  const ttl = ttlOf(options, outlets.errors)
  if (ttl === undefined) return 2
  const through = keyThrough(options, outlets.errors)
  return await ask({ what: 'account-key', name, ...ttl }, options, outlets, through)
}

export async function endKey(
  id: string,
  options: AccountOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  // Whoever has the whole key at hand may paste it: what names it is all that is sent on.
  const named = /^sp_(k_[0-9A-Za-z]+)_/.exec(id)?.[1] ?? id
  const asked = { what: 'account-key-end', id: named, format: formatOf(options) } as const
  return await ask(asked, options, outlets)
}

export async function removeAccount(
  name: string,
  options: AccountOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  const asked = { what: 'account-remove', name, format: formatOf(options) } as const
  return await ask(asked, options, outlets)
}

export async function listAccounts(
  options: AccountOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  return await ask({ what: 'accounts', format: formatOf(options) }, options, outlets)
}

function formatOf({ json }: AccountOptions): 'text' | 'jsonl' {
  return json === true ? 'jsonl' : 'text'
}

function ttlOf({ ttl }: NewKeyOptions, errors: Writable): { ttlMs?: number } | undefined {
  if (ttl === undefined) return {}
  const ttlMs = parseDuration(ttl)
  if (ttlMs > 0) return { ttlMs }
  errors.write('--ttl is a time such as 90d or 12h.\n')
  return undefined
}

const answerForm = z.object({
  account: z.string(),
  id: z.string(),
  expires: z.string(),
  key: z.string(),
})

/** The key alone, or as JSON; what people should know of it goes to `errors`. */
function keyThrough({ json }: AccountOptions, errors: Writable): Through {
  return async function* (lines) {
    const chunks: string[] = []
    for await (const chunk of lines) chunks.push(chunk.toString())
    const answer = answerForm.safeParse(parsed(chunks.join(''))).data
    if (answer === undefined) {
      throw new Fault('defect', 'The gateway answered with something else than a key.')
    }
    const { account, expires, id, key } = answer
    yield json === true ? `${JSON.stringify(answer)}\n` : `${key}\n`
    errors.write(
      `Key ${id} of ${account}, good until ${expires}. It is shown this once and kept nowhere: put it where secrets are kept.\n`,
    )
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // No JSON, which the form tells.
  }
}
