/** The API of people and stops. Everything a page can do stands here, with the same checks. */
import { Hono } from 'hono'
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import type { Revocation, Target } from '../identity/revocations.ts'
import { bodyOf } from './body.ts'
import { aboutOf, endSession, endStopped } from './ends.ts'
import { freshly, having, ownChange, signedIn } from './guard.ts'
import { stopReaders } from './frame.ts'
import type { Asker, Carried, ConsoleParts, ConsoleRoom } from './parts.ts'

const word = z.string().min(1).max(1000)

const stopAsked = z.strictObject({
  reason: word,
  /** One of these says what. */
  principal: word.optional(),
  client: word.optional(),
  token: word.optional(),
  signIn: word.optional(),
  connection: word.optional(),
  everything: z.literal(true).optional(),
  from: z.iso.datetime().optional(),
})
const liftAsked = z.strictObject({ reason: word })
const changeAsked = z
  .strictObject({
    /** The last moment of access; null takes it away. */
    endsAt: z.iso.datetime().nullable().optional(),
    /** Id of the person who answers for it. */
    owner: word.nullable().optional(),
  })
  .refine(({ endsAt, owner }) => endsAt !== undefined || owner !== undefined)

const unknown = { facts: { reason: 'unknown' } }

export function peopleApi(parts: ConsoleRoom): Hono<Carried> {
  const app = new Hono<Carried>()
  const { directory, revocations, serviceAccounts } = parts
  app.use('*', signedIn(parts))
  app.use('*', ownChange(parts))

  app.get('/me', (c) => c.json(meOf(c.get('asker'), parts)))
  app.delete('/me/sessions/:key', async (c) => {
    const asker = c.get('asker')
    const own = parts.sessions.of(asker.id).find(({ key }) => key === c.req.param('key'))
    if (own === undefined) throw new Fault('path_unknown', 'You have no such session.', unknown)
    await endSession(parts, own.key, 'ended_by_person', asker)
    return c.body(null, 204)
  })

  const everybody = having(...stopReaders)
  app.get('/revocations', everybody, (c) => c.json({ revocations: revocations.list() }))
  app.post('/revocations', having('admin', 'analyst'), async (c) => {
    const asker = c.get('asker')
    const { from, reason, ...what } = await bodyOf(c.req.raw, stopAsked)
    const target = targetOf(what, parts)
    const { revocation, cut } = await parts.stop({
      target,
      reason,
      by: nameOf(asker),
      source: sourceOf(asker),
      ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
    })
    await endStopped(parts)
    return c.json({ revocation, cut }, 201)
  })
  app.delete('/revocations/:id', having('admin'), freshly(parts), async (c) => {
    const asker = c.get('asker')
    const { reason } = await bodyOf(c.req.raw, liftAsked)
    const found = revocations.list().find(({ id }) => id === c.req.param('id'))
    if (found === undefined) throw new Fault('path_unknown', 'There is no such stop.', unknown)
    if (isOwnStop(found, asker, parts)) {
      throw ownAccess('Another admin must take this back: you set it, or it is about you.')
    }
    await parts.lift(found.id, nameOf(asker), reason)
    return c.body(null, 204)
  })

  app.post('/principals/search', everybody, async (c) => {
    const { text } = await bodyOf(c.req.raw, z.strictObject({ text: word }))
    return c.json({ principals: directory.search(text).map(shown) })
  })
  app.patch('/principals/:id', having('admin'), freshly(parts), async (c) => {
    const change = await bodyOf(c.req.raw, changeAsked)
    const known = directory.byId(c.req.param('id'))
    if (known === undefined) throw new Fault('path_unknown', 'There is no such principal.', unknown)
    return c.json(shown(await changePrincipal(known, change, c.get('asker'), parts)))
  })
  app.get('/service-accounts', having('admin', 'auditor'), (c) =>
    c.json({ serviceAccounts: serviceAccounts.list() }),
  )
  return app
}

/** The name by which a stop tells who asked for it. */
function nameOf({ bearer }: Asker): string {
  return `${bearer.issuer} ${bearer.subject}`
}

function sourceOf({ session }: Asker): 'api' | 'console' {
  return session === undefined ? 'api' : 'console'
}

function meOf(asker: Asker, parts: ConsoleParts): object {
  const { bearer, name, kind, roles, session } = asker
  const { issuer, subject, groups } = bearer
  const sessions = parts.sessions.of(asker.id).map((one) => ({
    key: one.key,
    isThis: one.key === session?.key,
    method: one.method,
    ip: one.ip,
    userAgent: one.userAgent,
    signedInAt: new Date(one.authenticatedMs).toISOString(),
    usedAt: new Date(one.usedMs).toISOString(),
  }))
  const who = { issuer, subject, name, kind, groups, roles: [...roles] }
  return { ...who, csrf: session?.csrf, sessions }
}

function targetOf(
  what: Omit<z.infer<typeof stopAsked>, 'reason' | 'from'>,
  { directory }: ConsoleParts,
): Target {
  const given = Object.entries(what).filter(([, value]) => value !== undefined)
  if (given.length !== 1) {
    const message =
      'Say one thing to stop: principal, client, token, signIn, connection, everything.'
    throw new Fault('bad_params', message, { facts: { reason: 'form' } })
  }
  const { client, connection, principal, signIn, token } = what
  if (principal !== undefined) {
    const found = directory.byId(principal)
    if (found === undefined) throw new Fault('path_unknown', 'There is no such principal.', unknown)
    return { kind: 'principal', issuer: found.issuer, subject: found.subject }
  }
  if (client !== undefined) return { kind: 'client', client }
  if (token !== undefined) return { kind: 'token', token }
  if (signIn !== undefined) return { kind: 'sign-in', signIn }
  if (connection !== undefined) return { kind: 'connection', connection }
  return { kind: 'everything' }
}

/** Four eyes: neither who set a stop nor whom it stops takes it back. */
export function isOwnStop(
  { by, target }: Revocation,
  asker: Asker,
  { directory }: Pick<ConsoleParts, 'directory'>,
): boolean {
  if (by === nameOf(asker)) return true
  return 'subject' in target
    ? isOwnAccess(target, directory.find(target.issuer, target.subject), asker)
    : target.kind === 'sign-in' && target.signIn === asker.session?.providerSession
}

/** Somebody's own access is that of the programs they answer for, too. */
function isOwnAccess(
  { issuer, subject }: Pick<KnownPrincipal, 'issuer' | 'subject'>,
  known: KnownPrincipal | undefined,
  { bearer, id }: Asker,
): boolean {
  const isSelf = issuer === bearer.issuer && subject === bearer.subject
  return isSelf || (known?.owner !== undefined && known.owner === id)
}

function ownAccess(message: string): Fault {
  return new Fault('refused', message, { facts: { reason: 'own_access' } })
}

async function changePrincipal(
  known: KnownPrincipal,
  { endsAt, owner }: z.infer<typeof changeAsked>,
  asker: Asker,
  { directory, note }: ConsoleParts,
): Promise<KnownPrincipal> {
  if (isOwnAccess(known, known, asker)) {
    throw ownAccess('Nobody changes their own access, or that of programs they answer for.')
  }
  if (typeof owner === 'string' && directory.byId(owner)?.kind !== 'person') {
    throw new Fault('path_unknown', 'There is no such person.', unknown)
  }
  const named = (id: string | undefined | null): string => {
    const person = typeof id === 'string' ? directory.byId(id) : undefined
    return person === undefined ? (id ?? 'none') : `${person.issuer} ${person.subject}`
  }
  const tell = async (what: string, before: string, after: string): Promise<void> => {
    const of = `${known.issuer} ${known.subject}`
    const by = { by: nameOf(asker), source: sourceOf(asker) }
    await note('access.changed', aboutOf(asker), { what, of, before, after, ...by })
  }
  // A crash behind an entry leaves a record of what was ordered, and things as they were.
  if (endsAt !== undefined) await tell('end of access', momentOf(known.endsMs), momentOf(endsAt))
  if (owner !== undefined) await tell('owner', named(known.owner), named(owner))
  return directory.change(known.id, {
    ...(endsAt === undefined ? {} : { endsMs: endsAt === null ? undefined : Date.parse(endsAt) }),
    ...(owner === undefined ? {} : { owner: owner ?? undefined }),
  })
}

function momentOf(moment: number | string | undefined | null): string {
  return moment === undefined || moment === null ? 'none' : new Date(moment).toISOString()
}

function shown(known: KnownPrincipal): object {
  const { claims: _, endsMs, madeMs, seenMs, ...rest } = known
  return {
    ...rest,
    madeAt: new Date(madeMs).toISOString(),
    ...(seenMs === 0 ? {} : { seenAt: new Date(seenMs).toISOString() }),
    ...(endsMs === undefined ? {} : { endsAt: new Date(endsMs).toISOString() }),
  }
}
