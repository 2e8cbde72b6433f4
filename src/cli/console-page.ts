/** The console listener: metrics, health and the log for programs, and for people what `front` has.
 *  Where nobody can sign in there is one page on what is in force. */
import { realDisk } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import type { ConsoleRole } from '../config/types.ts'
import { readiness } from '../exchange/asides.ts'
import type { Stations } from '../exchange/stations.ts'
import { identifyForConsole } from '../identity/console-token.ts'
import { checkHost } from '../listener/host.ts'
import type { Incoming } from '../listener/incoming.ts'
import type { Bearer } from '../policy/grants.ts'
import { serveLog } from '../verify/serve-log.ts'
import type { Front } from './front.ts'
import type { Metrics } from './meters.ts'

const policy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Whether the console answers to the `Host` of a request. */
export type ConsoleCheck = (headers: Incoming['headers']) => boolean

export function isAllowedHost(headers: Incoming['headers'], hosts: readonly string[]): boolean {
  // Which pages may post is for the console to say: a page of an identity provider may, to one
  // address.
  const ofHost = {
    get: (name: string) => (name === 'origin' ? undefined : headers.get(name)),
    count: (name: string) => headers.count(name),
  }
  try {
    checkHost(ofHost, hosts, [])
    return true
  } catch (error) {
    // Going on is safe: the caller refuses.
    if (error instanceof Fault) return false
    throw error
  }
}

export interface ConsoleParts {
  readonly at: Stations
  readonly metrics: Metrics
  readonly version: string
  readonly answersTo: ConsoleCheck
  /** The console's own audience, `{public_url}/console`. */
  readonly resource: string
  readonly rolesOf: (bearer: Bearer) => ReadonlySet<ConsoleRole>
  /** Public keys of the log. */
  readonly vkeys: readonly string[]
  /** The writer's folder. */
  readonly logFolder: string
  readonly front: Pick<Front, 'serveConsole' | 'console'>
}

/** For programs: served without the console's session. */
const own = /^\/(metrics|healthz|readyz|log\/.*)$/

export async function serveConsole(incoming: Incoming, of: ConsoleParts): Promise<void> {
  const { method, path } = incoming
  const send = (status: number, type: string, body: string): void => {
    const headers = {
      'content-type': type,
      'cache-control': 'no-store',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
    }
    incoming.begin(status, headers).end(method === 'HEAD' ? undefined : Buffer.from(body))
  }
  if (!of.answersTo(incoming.headers)) {
    send(403, 'text/plain; charset=utf-8', 'The console does not answer to this Host.\n')
  } else if (!own.test(path) && (await of.front.serveConsole(incoming))) {
    // Answered.
  } else if (method !== 'GET' && method !== 'HEAD') {
    send(405, 'text/plain; charset=utf-8', 'Only GET is served here.\n')
  } else if (path.startsWith('/log/')) {
    await serveTheLog(incoming, of)
  } else if (path === '/metrics') {
    send(200, of.metrics.contentType, await of.metrics.page())
  } else if (path === '/healthz') {
    send(200, 'application/json', '{"status":"alive"}\n')
  } else if (path === '/readyz') {
    const { status, body } = readiness(of.at)
    send(status, 'application/json', `${JSON.stringify(body)}\n`)
  } else if (path === '/') {
    send(200, 'text/html; charset=utf-8', page(of))
  } else {
    send(404, 'text/plain; charset=utf-8', 'Nothing is served at this path.\n')
  }
}

/** Hashes are for everybody who reaches the console, entries for those who may read them. */
async function serveTheLog(incoming: Incoming, of: ConsoleParts): Promise<void> {
  const { method, path } = incoming
  const maySeeEntries = path.startsWith('/log/tile/entries/') && (await isReader(incoming, of))
  const { body, headers, status } = await serveLog(path, {
    folder: of.logFolder,
    disk: realDisk,
    maySeeEntries,
  })
  const own = { 'x-content-type-options': 'nosniff', 'content-security-policy': policy }
  incoming.begin(status, { ...own, ...headers }).end(method === 'HEAD' ? undefined : body)
}

async function isReader(
  { headers }: Incoming,
  { at, front, resource, rolesOf }: ConsoleParts,
): Promise<boolean> {
  const authorization = headers.all('authorization')
  if (authorization.length === 0) {
    const has = front.console?.rolesOf(headers.get('cookie'))
    return has !== undefined && (has.has('analyst') || has.has('auditor'))
  }
  try {
    const principal = await identifyForConsole(at.identity, authorization, resource)
    const has = rolesOf(principal)
    return has.has('analyst') || has.has('auditor')
  } catch (error) {
    // Going on is safe: nobody known, so no entries.
    if (error instanceof Fault) return false
    throw error
  }
}

function page({ at, version, vkeys }: ConsoleParts): string {
  const status = at.isStopping() ? 'stopping' : 'running'
  const record = at.recorder.state()
  const rows = [...at.connections.values()].map(
    ({ name, resource }) => `<tr><th scope="row">${name}</th><td>${escape(resource)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sallyport</title>
<meta name="viewport" content="width=device-width"></head><body><main>
<h1>Sallyport ${version}</h1>
<p>Gateway: ${status}. Record: ${record}. Sessions open: ${at.sessions.openCount}.</p>
<table><caption>Connections</caption>${rows.join('')}</table>
<p><a href="/metrics">Metrics</a> · <a href="/readyz">Readiness</a></p>
<p>The log’s public key, to be kept elsewhere: <code>${escape(vkeys[0] ?? '')}</code></p>
<p>Sessions and their replay are read with <code>sallyport sessions</code> and <code>sallyport replay</code>.</p>
</main></body></html>
`
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
