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
import type { Log } from '../exchange/stations.ts'
import { parseAsked } from './asked.ts'
import type { Asked } from './asked.ts'

export interface Control {
  close(): Promise<void>
}

/** Answers what was asked, line by line. @param by the user of this machine who asks. */
export type AnswerAsked = (asked: Asked, by: string) => Promise<AsyncIterable<string>>

const bodyBytesMax = 1_048_576

/** Starts answering on the socket of a data folder. */
export async function openControl(of: {
  dataDir: string
  answer: AnswerAsked
  log: Log
}): Promise<Control> {
  const path = join(of.dataDir, 'control.sock')
  rmSync(path, { force: true }) // The lock of the record is ours: whoever made it is gone.
  const server = createServer((req, res) => {
    answer(req, res, of.answer).catch((error: unknown) => {
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
  answerAsked: AnswerAsked,
): Promise<void> {
  const body = req.method === 'POST' ? await bodyOf(req) : undefined
  const asked = body === undefined ? undefined : parseAsked(body)
  if (asked === undefined) {
    res.writeHead(404).end()
    return
  }
  const user = req.headers['x-sallyport-user']
  const by = typeof user === 'string' ? decodeURIComponent(user) : 'unknown'
  try {
    const lines = await answerAsked(asked, by)
    res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
    await pipeline(Readable.from(lines), res)
  } catch (error) {
    if (!(error instanceof Fault) || res.headersSent) throw error
    res.writeHead(409, { 'content-type': 'text/plain; charset=utf-8' }).end(error.message)
  }
}

async function bodyOf(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Asks the gateway that runs on a data folder.
 * @returns its lines, or undefined when none runs there.
 * @throws {Fault} with the gateway's own words when it refuses.
 */
export async function askGateway(
  dataDir: string,
  asked: Asked,
  user: string,
): Promise<AsyncIterable<Buffer> | undefined> {
  const response = await new Promise<IncomingMessage | undefined>((resolve, reject) => {
    const req = request({
      socketPath: join(dataDir, 'control.sock'),
      path: '/',
      method: 'POST',
      headers: { 'x-sallyport-user': encodeURIComponent(user) },
    })
    req.once('response', resolve)
    req.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    req.end(JSON.stringify(asked))
  })
  if (response === undefined || response.statusCode === 200) return response
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  throw new Fault('refused', Buffer.concat(chunks).toString() || 'The gateway refused to answer.')
}
