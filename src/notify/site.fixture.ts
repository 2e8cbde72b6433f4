/** For tests: a receiver that answers what it is told to, tickets, and notices between them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { NoticeConfig } from '../config/policy-types.ts'
import type { Ticket } from '../hold/ticket.ts'
import { createMasker } from '../mask/masker.ts'
import type { Masker } from '../mask/masker.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { openNotices } from './notices.ts'
import type { Notices, NoticesOptions } from './notices.ts'

export const masker: Masker = createMasker({ sealKey: new Uint8Array(32) })
export const consoleUrl = 'https://gate.example'
/** Of the tests of Standard Webhooks' own libraries. */
export const webhookSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

export interface Got {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Site {
  readonly url: string
  readonly got: Got[]
  /** Resolves when so many have come. */
  readonly came: (count: number) => Promise<void>
}

export type Answer = (response: ServerResponse, nth: number) => void

/** @param answer to the request of that number, from 0. */
export async function site(
  t: TestContext,
  answer: Answer = (response) => void response.writeHead(202).end(),
): Promise<Site> {
  const got: Got[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      got.push({ path: request.url ?? '', headers: request.headers, body })
      answer(response, got.length - 1)
      for (const look of waiting) look()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    url: `http://127.0.0.1:${port}/hook/T0/verysecretpath`,
    got,
    came: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (got.length < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

export function ticketOf(more: Partial<Ticket> = {}): Ticket {
  return {
    id: 'tk_abcdefghjkmnpqrstuvwxyzA',
    state: 'pending',
    owner: 'https://id.example\nada',
    requester: { issuer: 'https://id.example', subject: 'ada', name: 'Ada L.', kind: 'person' },
    source: '192.0.2.7',
    connection: 'payments',
    connectionRevision: 'r1',
    method: 'tools/call',
    tool: 'execute_sql',
    toolSha256: '',
    shown: '{"sql":"DELETE FROM cards WHERE holder = \'confidential\'"}',
    facts: { sql: [], findings: [] },
    matched: [{ rule: 'writes-are-held', effect: 'hold', reason: 'writes' }],
    reason: 'It writes cardholder data.',
    terms: {
      reviewers: [{ who: {}, quorum: 2 }],
      expiresMs: 3_600_000,
      needsPasskey: true,
    },
    policyRevision: 'p1',
    exchange: 'ex_1',
    session: 'se_1',
    createdMs: Date.now(),
    notAfterMs: Date.now() + 3_600_000,
    quorum: 2,
    decisions: [],
    ended: '',
    outcome: '',
    ...more,
  }
}

export interface Noted {
  readonly type: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface Desk {
  readonly notices: Notices
  readonly noted: Noted[]
  /** `failed notice ops timeout`, `restored notice ops`. */
  readonly told: string[]
  /** Resolves when such an entry is the last. */
  until(isSo: () => boolean): Promise<void>
}

const env = { HOOK: webhookSecret, PASSWORD: 'mail-password-1' }

/** Notices with a clock that ticks every few milliseconds, and short pauses. */
export function desk(
  t: TestContext,
  receivers: readonly NoticeConfig[],
  more: Partial<NoticesOptions> = {},
): Desk {
  const clock = more.clock ?? systemClock()
  const secrets = createSecrets({ env, clock })
  const noted: Noted[] = []
  const told: string[] = []
  const failing = new Set<string>()
  const notices = openNotices({
    file: ':memory:',
    receivers,
    consoleUrl,
    secrets,
    masker,
    note: (type, _about, details) => {
      noted.push({ type, details })
      return Promise.resolve()
    },
    failed: (control, reason) => {
      if (!failing.has(control)) told.push(`failed ${control} ${reason}`)
      failing.add(control)
    },
    restored: (control) => {
      if (failing.delete(control)) told.push(`restored ${control}`)
    },
    ...more,
    clock,
    pace: { tryMs: 10_000, retryMs: 10, retryMsMax: 40, everyMs: 20, ...more.pace },
  })
  const waiting = new Set<() => void>()
  const timer = setInterval(() => {
    void notices.tick()
    for (const look of waiting) look()
  }, 5)
  t.after(async () => {
    clearInterval(timer)
    await notices.close()
    secrets.close()
  })
  return {
    notices,
    noted,
    told,
    until: (isSo) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!isSo()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      }),
  }
}

export function hook(url: string, name = 'ops'): NoticeConfig {
  return { name, type: 'webhook', url, secret: { from: 'env', name: 'HOOK' } }
}
