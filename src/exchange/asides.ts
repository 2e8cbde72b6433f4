/** Beside the way: what the gateway listener answers itself, without identity and without payload. */
import type { Incoming } from '../listener/incoming.ts'
import type { Stations } from './stations.ts'

const metadataPath = /^\/\.well-known\/oauth-protected-resource\/mcp\/([A-Za-z0-9._-]{1,64})$/

/** Documents served as they are, by path: the local issuer's discovery and keys. */
export type Documents = Readonly<Record<string, object>>

/**
 * Answers health, readiness and metadata requests.
 * @returns false when the request is none of these.
 */
export function serveAside(incoming: Incoming, documents: Documents, at: Stations): boolean {
  const { method, path } = incoming
  if (method !== 'GET' && method !== 'HEAD') return false
  const found = find(path, documents, at)
  if (found === undefined) return false
  const body = Buffer.from(`${JSON.stringify(found.body)}\n`)
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  incoming.begin(found.status, headers).end(method === 'HEAD' ? undefined : body)
  return true
}

function find(
  path: string,
  documents: Documents,
  at: Stations,
): { status: number; body: object } | undefined {
  if (path === '/healthz') return { status: 200, body: { status: 'alive' } }
  if (path === '/readyz') return readiness(at)
  if (Object.hasOwn(documents, path)) return { status: 200, body: documents[path] ?? {} }
  const name = metadataPath.exec(path)?.[1]
  const connection = name === undefined ? undefined : at.connections.get(name)
  if (connection !== undefined) {
    return { status: 200, body: at.identity.metadata(connection.resource) }
  }
  // Clients of 2025-03-26 look for an authorization server here next; a 401 would mislead them. And
  // browsers ask for an icon wherever somebody signs in: nothing that a record should tell of.
  if (path.startsWith('/.well-known/') || path === '/register' || path === '/favicon.ico') {
    return { status: 404, body: { error: 'not_found' } }
  }
  return undefined
}

/** Ready means: a call that comes now can be recorded and sent. */
export function readiness(at: Stations): { status: number; body: object } {
  const record = at.recorder.state()
  const isReady = record === 'open' && !at.isStopping()
  const status = isReady ? 'ready' : at.isStopping() ? 'stopping' : 'not_ready'
  return { status: isReady ? 200 : 503, body: { status, record } }
}
