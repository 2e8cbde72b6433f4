/** A person's own passkeys: with one of them they will sign what they approve. */
import { Hono } from 'hono'
import { z } from 'zod'
import type { Passkeys } from '../signin/passkeys.ts'
import { Fault } from '../base/fault.ts'
import { aboutOf } from './ends.ts'
import { bodyOf } from './body.ts'
import { freshly, ownChange, signedIn } from './guard.ts'
import type { Asker, Carried, ConsoleRoom } from './parts.ts'

const enrolment = z.strictObject({
  label: z.string().max(64).optional(),
  /** What `navigator.credentials.create` gave, as JSON. */
  response: z.unknown(),
})

export function passkeysApi(parts: ConsoleRoom & { readonly passkeys: Passkeys }): Hono<Carried> {
  const app = new Hono<Carried>()
  const { passkeys } = parts
  app.use('*', signedIn(parts))
  app.use('*', ownChange(parts))

  app.get('/', (c) => c.json({ passkeys: passkeys.listPasskeys(c.get('asker').id) }))
  app.post('/options', freshly(parts), async (c) => {
    const asker = personOf(c.get('asker'))
    return c.json(await passkeys.beginEnrolment(asker.id))
  })
  app.post('/', freshly(parts), async (c) => {
    const asker = personOf(c.get('asker'))
    const { label, response } = await bodyOf(c.req.raw, enrolment)
    const about = aboutOf(asker)
    const made = await passkeys.finishEnrolment(asker.id, response, {
      label: label || undefined,
      about,
    })
    return c.json({ id: made.id }, 201)
  })
  app.delete('/:id', freshly(parts), async (c) => {
    const asker = personOf(c.get('asker'))
    await passkeys.removePasskey(asker.id, c.req.param('id'), aboutOf(asker))
    return c.body(null, 204)
  })
  return app
}

/** Passkeys are for people who sit before a browser. @throws {Fault} `refused`. */
function personOf(asker: Asker): Asker {
  if (asker.session !== undefined && asker.kind === 'person') return asker
  throw new Fault('refused', 'Only a person signed in to the console has passkeys.', {
    facts: { reason: 'not_a_person' },
  })
}
