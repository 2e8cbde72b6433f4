/**
 * SCIM 2.0 (RFC 7643, 7644) at `/scim/v2`: a directory tells who is there, who is in which group, and
 * who has left. It can take rights away and never gives one: grants follow tokens, not this.
 */
import { Hono } from 'hono'
import { Fault } from '../base/fault.ts'
import type { Source } from '../record/entry.ts'
import { askedFor, listAnswer } from './asked.ts'
import type { App, Asked, Env } from './asked.ts'
import type { Stations } from './change.ts'
import { createDoor } from './door.ts'
import type { ScimToken } from './door.ts'
import { addGroups } from './groups.ts'
import { errorAnswer, json, notFound, refused } from './refusal.ts'
import { providerConfig, resourceTypes, schemaDocuments } from './schemas.ts'
import { addUsers } from './users.ts'

export const scimPath = '/scim/v2'

export interface ScimOptions extends Omit<Stations, 'clock'> {
  readonly tokens: readonly ScimToken[]
  readonly clock: Stations['clock'] & { monotonicMs(): number }
  /** Origin of the console as directories reach it; that of each request where it is missing. */
  readonly publicUrl?: string
  /** Told of what failed on our side; the caller learns no more than 500. */
  readonly onFailure?: (error: unknown) => void
}

export interface Scim {
  /** Answers every request below `/scim/v2`. Never throws. @param source who asks. */
  fetch(request: Request, source: Source): Promise<Response>
}

/**
 * The endpoint. Whoever a request makes inactive or deletes is stopped before it is answered.
 * @throws {Fault} `config_bad` for a secret that is too short, `secret_missing` for one not there.
 */
export function createScim(options: ScimOptions): Scim {
  const door = createDoor({ ...options, allowFrom: options.config.allowFrom })
  const app = new Hono<Env>().basePath(scimPath)
  app.use('*', async (c, next) => {
    await door(c.req.header('authorization') ?? null, c.env.source)
    askedFor(c) // What cannot be shown as asked is refused before anything is done.
    await next()
  })
  const baseOf = (c: Asked): string =>
    (options.publicUrl ?? new URL(c.req.url).origin).replace(/\/+$/, '') + scimPath
  addDiscovery(app, baseOf)
  addUsers(app, { ...options, baseOf })
  addGroups(app, { ...options, baseOf })
  app.all('/Bulk', () => errorAnswer(refused(501, 'Bulk is not supported.')))
  app.all('/Me', () => errorAnswer(refused(501, 'A directory is nobody here.')))
  for (const path of ['/Users', '/Users/:id', '/Groups', '/Groups/:id', ...discovery]) {
    app.all(path, () => errorAnswer(new Fault('method_not_allowed', 'This cannot be done to it.')))
  }
  const answer = (error: unknown): Response => {
    const response = errorAnswer(error)
    if (response.status === 500) options.onFailure?.(error)
    return response
  }
  app.notFound(() => errorAnswer(notFound()))
  app.onError(answer)
  return {
    async fetch(request, source) {
      try {
        return await app.fetch(request, { source })
      } catch (error) {
        return answer(error)
      }
    },
  }
}

const discovery = ['/ServiceProviderConfig', '/ResourceTypes', '/ResourceTypes/:id'].concat(
  '/Schemas',
  '/Schemas/:id',
)

function addDiscovery(app: App, baseOf: (c: Asked) => string): void {
  const documents = { '/ResourceTypes': resourceTypes, '/Schemas': schemaDocuments }
  app.get('/ServiceProviderConfig', (c) => json(200, providerConfig(baseOf(c))))
  for (const [path, make] of Object.entries(documents)) {
    app.get(path, (c) => {
      // RFC 7644 §4: what it is cannot be filtered.
      if (c.req.query('filter') !== undefined) throw refused(403, 'This cannot be filtered.')
      const all = make(baseOf(c))
      return json(200, listAnswer(all, all.length, 1))
    })
    app.get(`${path}/:id`, (c) => {
      const wanted = c.req.param('id').toLowerCase()
      const found = make(baseOf(c)).find(({ id }) => id.toLowerCase() === wanted)
      if (found === undefined) throw notFound()
      return json(200, found)
    })
  }
}
