/** Witnesses under test: our own on loopback, and one that says whatever it is told to say. */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { realDisk } from '../base/disk.ts'
import { witnessKey, witnessVector } from '../tlog/keys.fixture.ts'
import { vectors } from '../tlog/vectors.fixture.ts'
import { folderOf, logVkey, StillClock } from './log.fixture.ts'
import { startWitness } from './server.ts'
import type { Witness, WitnessOptions } from './server.ts'

export interface Site {
  readonly url: string
  readonly witness: Witness
  readonly stateDir: string
  readonly clock: StillClock
  /** What it logged, by its words. */
  readonly logged: string[]
  post(body: string | Uint8Array<ArrayBuffer>): Promise<Response>
}

/** A witness of the vectors' log and key, closed after the test. */
export async function openSite(t: TestContext, more: Partial<WitnessOptions> = {}): Promise<Site> {
  const stateDir = more.stateDir ?? folderOf(t, 'witness')
  const clock = new StillClock(vectors.cosignatureV1.timestamp)
  const logged: string[] = []
  const note = (_facts: object, what: string): void => void logged.push(what)
  const witness = await startWitness({
    host: '127.0.0.1',
    port: 0,
    logs: [logVkey],
    key: witnessKey,
    name: witnessVector.name,
    stateDir,
    disk: realDisk,
    clock,
    log: { info: note, warn: note, error: note },
    ...more,
  })
  t.after(() => witness.close())
  const url = `http://127.0.0.1:${witness.port}${more.prefix ?? ''}`
  const post = (body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${url}/add-checkpoint`, { method: 'POST', body })
  return { url, witness, stateDir, clock, logged, post }
}

/** What a server says to a request. */
export type Liar = (request: IncomingMessage, response: ServerResponse) => unknown

/** A server that answers as it is told. @returns its address. */
export async function openLiar(t: TestContext, liar: Liar): Promise<string> {
  const server: Server = createServer((request, response) => void liar(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return `http://127.0.0.1:${port}`
}

/** The body of a request, as it arrived. */
export async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += String(part)
  return text
}
