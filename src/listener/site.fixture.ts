/** For tests: a listener, and raw connections to it which say what no HTTP client would. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { Fault } from '../base/fault.ts'
import type { BadHttp } from './bad.ts'
import type { Incoming } from './incoming.ts'
import { listen } from './listener.ts'
import type { Listening, ListenOptions } from './listener.ts'

export interface Site {
  readonly port: number
  readonly bad: BadHttp[]
  readonly defects: unknown[]
  readonly listening: Listening
  /** A raw connection, closed with the test. */
  dial(): Talk
}

/** A connection with everything it has been sent so far. */
export class Talk {
  text = ''
  readonly socket: Socket
  readonly closed: Promise<void>
  #waiting: { pattern: RegExp; resolve: (text: string) => void } | undefined

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.setEncoding('latin1')
    this.socket.on('error', () => {})
    this.socket.on('data', (data: string) => {
      this.text += data
      this.#look()
    })
    this.closed = new Promise((resolve) => {
      const over = (): void => resolve()
      this.socket.on('end', over)
      this.socket.on('close', over)
    })
  }

  say(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Waits until what was sent so far matches. */
  async hears(pattern: RegExp): Promise<string> {
    const heard = new Promise<string>((resolve) => {
      this.#waiting = { pattern, resolve }
    })
    this.#look()
    const text = await Promise.race([heard, this.closed.then(() => this.text)])
    assert.match(text, pattern)
    return text
  }

  /** Everything up to the close. */
  async all(): Promise<string> {
    await this.closed
    return this.text
  }

  #look(): void {
    if (this.#waiting?.pattern.test(this.text) === true) this.#waiting.resolve(this.text)
  }
}

type Serve = (incoming: Incoming) => Promise<void>

export async function open(
  t: TestContext,
  serve: Serve,
  more?: Partial<ListenOptions>,
): Promise<Site> {
  const bad: BadHttp[] = []
  const defects: unknown[] = []
  const listening = await listen({
    host: '127.0.0.1',
    port: 0,
    serve,
    onBad: (what) => bad.push(what),
    onDefect: (error) => defects.push(error),
    ...more,
  })
  const talks: Talk[] = []
  t.after(async () => {
    for (const talk of talks) talk.socket.destroy()
    await listening.close(0)
  })
  const dial = (): Talk => {
    const talk = new Talk(listening.port)
    talks.push(talk)
    return talk
  }
  return { port: listening.port, bad, defects, listening, dial }
}

/** Answers with what it was sent. */
export const echo: Serve = async (incoming) => {
  const body = await incoming.body(1024)
  incoming.begin(200, { 'content-type': 'application/json' }).end(body)
}

/** Answers a fault from the body by its code, as the exchange would. */
export const tell: Serve = async (incoming) => {
  try {
    await echo(incoming)
  } catch (error) {
    assert.ok(error instanceof Fault)
    const { code, facts } = error
    incoming.begin(499, {}).end(Buffer.from(`${code} ${String(facts.reason)}`))
  }
}

export const never: Serve = async () => assert.fail('this must not be served')
export const head = (length: number): string =>
  `POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n`
export const post = (body: string): string => `${head(body.length)}\r\n${body}`
