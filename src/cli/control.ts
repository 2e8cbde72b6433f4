/**
 * `DATA/control.sock`: how commands talk to the gateway that runs on a data folder. Only its owner
 * can open it (mode 0600). One process writes the record, so what a command looks at is recorded
 * here, before the first line of it leaves.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { Fault } from '../base/fault.ts'
import type { Log, Stations } from '../exchange/stations.ts'
import { daysOf, exposureLines } from './exposure-lines.ts'
import type { ExposureAsked } from './exposure-lines.ts'
import { look } from './look.ts'
import type { Look } from './look.ts'

export interface Control {
  close(): Promise<void>
}

/** Starts answering on the socket of a data folder. */
export async function openControl(of: {
  dataDir: string
  at: Stations
  log: Log
}): Promise<Control> {
  const path = join(of.dataDir, 'control.sock')
  rmSync(path, { force: true }) // The lock of the record is ours: whoever made it is gone.
  const server = createServer((req, res) => {
    answer(req, res, of).catch((error: unknown) => {
      of.log.warn({ kind: error instanceof Error ? error.constructor.name : 'unknown' }, 'control')
      res.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return { close: () => close(server, path) }
}

async function close(server: Server, path: string): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(path, { force: true })
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  { dataDir, at }: { dataDir: string; at: Stations },
): Promise<void> {
  const url = new URL(req.url ?? '/', 'http://control')
  const wanted = exposureOf(url) ?? lookOf(url)
  if (wanted === undefined) {
    res.writeHead(404).end()
    return
  }
  const user = req.headers['x-sallyport-user']
  const by = typeof user === 'string' ? decodeURIComponent(user) : 'unknown'
  try {
    const lines =
      wanted.what === 'exposure'
        ? await exposureLines(wanted, (asked) => at.exposure.list(asked))
        : await look(wanted, { dataDir, recorder: at.recorder, masker: at.masker, by })
    res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
    await pipeline(Readable.from(lines), res)
  } catch (error) {
    if (!(error instanceof Fault) || res.headersSent) throw error
    res.writeHead(409, { 'content-type': 'text/plain; charset=utf-8' }).end(error.message)
  }
}

function lookOf({ pathname, searchParams }: URL): Look | undefined {
  const format = searchParams.get('format') === 'jsonl' ? 'jsonl' : 'text'
  if (pathname === '/sessions') return { what: 'sessions', format }
  const session = searchParams.get('session')
  if (pathname === '/replay' && session !== null) return { what: 'replay', session, format }
  return undefined
}

/** Figures of the state, not a look at the record: nothing is recorded of it. */
function exposureOf({ pathname, searchParams }: URL): ExposureAsked | undefined {
  const days = daysOf(searchParams.get('days') ?? '')
  if (pathname !== '/exposure' || days === undefined) return undefined
  const format = searchParams.get('format') === 'jsonl' ? 'jsonl' : 'text'
  return { what: 'exposure', days, principal: searchParams.get('principal') ?? undefined, format }
}

/**
 * Asks the gateway that runs on a data folder.
 * @returns its lines, or undefined when none runs there.
 * @throws {Fault} with the gateway's own words when it refuses.
 */
export async function askGateway(
  dataDir: string,
  wanted: Look | ExposureAsked,
  user: string,
): Promise<AsyncIterable<Buffer> | undefined> {
  const query = new URLSearchParams({ format: wanted.format })
  if (wanted.what === 'replay') query.set('session', wanted.session)
  if (wanted.what === 'exposure') {
    query.set('days', String(wanted.days))
    if (wanted.principal !== undefined) query.set('principal', wanted.principal)
  }
  const response = await new Promise<IncomingMessage | undefined>((resolve, reject) => {
    const req = request({
      socketPath: join(dataDir, 'control.sock'),
      path: `/${wanted.what}?${query.toString()}`,
      headers: { 'x-sallyport-user': encodeURIComponent(user) },
    })
    req.once('response', resolve)
    req.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    req.end()
  })
  if (response === undefined || response.statusCode === 200) return response
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  throw new Fault('refused', Buffer.concat(chunks).toString() || 'The gateway refused to answer.')
}
