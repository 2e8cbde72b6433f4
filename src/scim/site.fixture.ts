/** The endpoint on a port of its own, with a real directory and list of stops, for tests. */
import { serve } from '@hono/node-server'
import type { ServerType } from '@hono/node-server'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import { systemClock } from '../base/clock.ts'
import type { ScimConfig } from '../config/types.ts'
import { openDirectory } from '../identity/directory-store.ts'
import type { Directory } from '../identity/directory.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import type { Revocations, Stop } from '../identity/revocations.ts'
import type { Details, NotedType } from '../record/entry.ts'
import type { About, Note } from '../record/notes.ts'
import { isObject } from './attributes.ts'
import { createScim } from './scim.ts'
import { ownStops } from './stops.ts'
import { openScimStore } from './store.ts'
import type { ScimStore } from './store.ts'

const tenant = '6f1c0d8e-1f7a-4c6d-9a57-0d8c9a3e4b11'
export const issuer: string = `https://login.microsoftonline.com/${tenant}/v2.0`
export const secrets: readonly string[] = [
  'first-secret-of-the-directory-0001',
  'other-secret-of-the-directory-0002',
]

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export interface Noted {
  readonly type: NotedType
  readonly about: About
  readonly details: Details
}

export interface Site {
  readonly url: string
  readonly directory: Directory
  readonly revocations: Revocations
  readonly store: ScimStore
  /** What happened, in order: `stop SUBJECT`, `stopped SUBJECT`, `answered METHOD STATUS`. */
  readonly events: string[]
  readonly notes: Noted[]
  /** A stop waits for this. */
  gate: Promise<void>
  /** Told when a stop has begun. */
  onStop: () => void
  /** What fails from now on. */
  readonly failing: Set<'stop' | 'note'>
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  close(): Promise<void>
}

const entra: ScimConfig = { tokens: [], issuer, isEntra: true, allowFrom: [] }

/** @param dataDir of an earlier site, to start again on what it kept. */
export async function openSite(config: Partial<ScimConfig> = {}, dataDir?: string): Promise<Site> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'sallyport-scim-'))
  const clock = systemClock()
  const file = join(folder, 'state.sqlite')
  const directory = openDirectory(file, { clock })
  const revocations = openRevocations(file, { clock })
  const store = openScimStore(file)
  const events: string[] = []
  const notes: Noted[] = []
  const failing: Site['failing'] = new Set()
  const note = noteInto(notes, failing)
  const stop: Stop = async (of) => {
    const who = of.target.kind === 'principal' ? of.target.subject : of.target.kind
    events.push(`stop ${who}`)
    site.onStop()
    await site.gate
    if (failing.has('stop')) throw new Fault('record_down', `The record is down for ${who}.`)
    const nowMs = clock.nowUs() / 1000
    const revocation = revocations.add({ fromMs: nowMs, ...of, madeMs: nowMs })
    revocations.recorded(revocation.id)
    events.push(`stopped ${who}`)
    return { revocation, cut: { calls: 0, streams: 0, sessions: 0 } }
  }
  const own = ownStops(revocations, note)
  const scim = createScim({
    config: { ...entra, ...config },
    directory,
    stop,
    own,
    note,
    store,
    clock,
    tokens: secrets.map((secret) => ({ read: () => ({ reveal: () => secret }) })),
  })
  const server: ServerType = serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request: Request) => {
      const answer = await scim.fetch(request, { ip: '127.0.0.1', port: 1 })
      events.push(`answered ${request.method} ${answer.status}`)
      return answer
    },
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const url = `http://127.0.0.1:${port}/scim/v2`
  const site: Site = {
    url,
    directory,
    revocations,
    store,
    events,
    notes,
    failing,
    gate: Promise.resolve(),
    onStop: () => undefined,
    call: (method, path, body, headers) => call(url, method, path, body, headers),
    async close() {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await once(server, 'close')
      for (const open of [directory, revocations, store]) open.close()
      if (dataDir === undefined) rmSync(folder, { recursive: true })
    },
  }
  return site
}

function noteInto(notes: Noted[], failing: Site['failing']): Note {
  return (type, about, details) => {
    if (failing.has('note')) return Promise.reject(new Fault('record_down', 'The record is down.'))
    notes.push({ type, about, details })
    return Promise.resolve()
  }
}

/** One request with the first secret; `body` may be bytes as they are to be sent. */
async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const all = new Headers({ authorization: `Bearer ${secrets[0]}` })
  if (body !== undefined) all.set('content-type', 'application/scim+json')
  for (const [name, value] of Object.entries(headers)) all.set(name, value)
  const sent = typeof body === 'string' ? body : JSON.stringify(body)
  const init = { method, headers: all, ...(body === undefined ? {} : { body: sent }) }
  const response = await fetch(url + path, init)
  const text = await response.text()
  const parsed: unknown = text === '' ? {} : JSON.parse(text)
  const { headers: got, status } = response
  return { status, headers: got, body: isObject(parsed) ? parsed : {} }
}

/** A person of the directory, as Entra sends one. */
export function person(externalId: string, differences: Record<string, unknown> = {}): object {
  return {
    schemas: [
      'urn:ietf:params:scim:schemas:core:2.0:User',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    ],
    externalId,
    userName: `user-${externalId}@example.com`,
    active: true,
    emails: [{ primary: true, type: 'work', value: `mail-${externalId}@example.com` }],
    meta: { resourceType: 'User' },
    name: { formatted: 'Mia Meier', familyName: 'Meier', givenName: 'Mia' },
    roles: [],
    ...differences,
  }
}

export function patch(...operations: object[]): object {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: operations,
  }
}
