/**
 * The load: keep-alive connections which each send the next call as soon as the answer is in. A
 * process of its own on bare sockets, so that its work is small and the same for all it measures.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'

export interface Job {
  readonly port: number
  readonly path: string
  readonly tool: string
  /** Sent as `authorization`, if any. */
  readonly authorization?: string
  readonly connections: number
  readonly warmMs: number
  readonly measureMs: number
  /** How long an answer may take beyond the end of the job. */
  readonly patienceMs: number
  /** Stop after so many calls a connection, whatever the time. */
  readonly callsMax?: number
  /** Numbers none of which may stand in an answer. Looked for in one answer of `sampleEvery`. */
  readonly forbidden: readonly string[]
  /** A text which each sampled answer must hold. */
  readonly expected: string
  readonly sampleEvery: number
}

/** What a job found. `calls` is all calls answered, warm-up included; `rate` counts the measured. */
export interface Outcome {
  readonly calls: number
  readonly rate: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly sampled: number
  /** What was wrong, in words, with how often. Empty when all is well. */
  readonly wrong: Readonly<Record<string, number>>
}

/** The bytes of one call: 2026-07-28 (stateless), as an official client sends it. */
export function callBytes(job: Pick<Job, 'path' | 'tool' | 'authorization' | 'port'>): Buffer {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  }
  const call = { sql: 'select * from orders where city = ? limit 250', city: 'Lisbon' }
  const params = { name: job.tool, arguments: call, _meta: meta }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const lines = [
    `POST ${job.path} HTTP/1.1`,
    `Host: 127.0.0.1:${job.port}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    `Mcp-Name: ${job.tool}`,
    'User-Agent: sallyport-bench/1',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  if (job.authorization !== undefined) lines.push(`Authorization: ${job.authorization}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** Runs a job in this process. */
export function runLoad(job: Job): Promise<Outcome> {
  return new Load(job).run()
}

class Load {
  readonly #job: Job
  readonly #call: Buffer
  readonly #forbidden: ReadonlySet<string>
  readonly #times: number[] = []
  readonly #wrong: Record<string, number> = {}
  #calls = 0
  #sampled = 0
  #measured = 0
  #measureFrom = 0
  #until = 0

  constructor(job: Job) {
    this.#job = job
    this.#call = callBytes(job)
    this.#forbidden = new Set(job.forbidden)
  }

  async run(): Promise<Outcome> {
    const start = performance.now()
    this.#measureFrom = start + this.#job.warmMs
    this.#until = this.#measureFrom + this.#job.measureMs
    await Promise.all(Array.from({ length: this.#job.connections }, () => this.#connection()))
    const sorted = Float64Array.from(this.#times).sort()
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN
    const tookMs = Math.min(performance.now(), this.#until) - this.#measureFrom
    return {
      calls: this.#calls,
      rate: (this.#measured / Math.max(tookMs, 1)) * 1000,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      sampled: this.#sampled,
      wrong: this.#wrong,
    }
  }

  #fail(what: string): void {
    this.#wrong[what] = (this.#wrong[what] ?? 0) + 1
  }

  #connection(): Promise<void> {
    return new Promise((resolve) => {
      const reader = new AnswerReader()
      let sentAt = 0
      let calls = 0
      let done = false
      const finish = (): void => {
        if (done) return
        done = true
        clearTimeout(late)
        socket.destroy()
        resolve()
      }
      const send = (): void => {
        const isSampled = calls % this.#job.sampleEvery === 0
        reader.begin(isSampled)
        sentAt = performance.now()
        socket.write(this.#call)
      }
      // One buffer for all that arrives here: nothing is allocated for a chunk.
      const buffer = Buffer.allocUnsafe(262_144)
      const callback = (size: number): boolean => {
        if (!reader.push(buffer, size)) return true
        const now = performance.now()
        calls++
        this.#answered(reader, now, now - sentAt)
        if (now >= this.#until || calls === this.#job.callsMax) finish()
        else send()
        return true
      }
      const options = { port: this.#job.port, host: '127.0.0.1', onread: { buffer, callback } }
      const socket: Socket = connect(options, send)
      const lateMs = this.#job.warmMs + this.#job.measureMs + this.#job.patienceMs
      const late = setTimeout(() => {
        this.#fail('an answer that never came')
        finish()
      }, lateMs)
      socket.setNoDelay(true)
      socket.on('error', (error: NodeJS.ErrnoException) => {
        this.#fail(`socket: ${error.code ?? 'error'}`)
        finish()
      })
      socket.on('close', () => {
        if (!done) this.#fail('the connection was closed')
        finish()
      })
    })
  }

  #answered(reader: AnswerReader, now: number, tookMs: number): void {
    this.#calls++
    if (now >= this.#measureFrom && now <= this.#until) {
      this.#measured++
      this.#times.push(tookMs)
    }
    if (reader.status !== 200) this.#fail(`status ${reader.status}`)
    const body = reader.sample
    if (body === undefined) return
    this.#sampled++
    if (!body.includes('"jsonrpc":"2.0"') || body.includes('"isError":true')) {
      this.#fail('not the result that was asked for')
    }
    if (!body.includes(this.#job.expected)) this.#fail('an answer without what must stand in it')
    // One pass over the digits: looking for each of 4,000 numbers would stop the load for seconds.
    const runs = body.matchAll(/\d{16}/g)
    if (runs.some(([run]) => this.#forbidden.has(run))) this.#fail('a card number in clear')
  }
}

/** Finds the end of one HTTP answer after the other, by length or by chunks. */
class AnswerReader {
  status = 0
  sample: string | undefined
  #head = ''
  #inBody = false
  #isChunked = false
  /** Bytes still to come: of the body, or of the current chunk with its line end. */
  #left = 0
  #line = ''
  #isLast = false
  #isSampled = false
  #parts: Buffer[] = []

  begin(isSampled: boolean): void {
    this.#head = ''
    this.#inBody = false
    this.#isLast = false
    this.#left = 0
    this.#line = ''
    this.#isSampled = isSampled
    this.#parts = []
    this.sample = undefined
  }

  /** Takes the next bytes; true when the answer is whole. Nothing follows an answer unasked. */
  push(buffer: Buffer, size: number): boolean {
    let at = 0
    if (!this.#inBody) {
      const before = this.#head.length
      this.#head += buffer.toString('latin1', 0, Math.min(size, 4096))
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return false
      at = end + 4 - before
      this.#readHead(this.#head.slice(0, end + 2))
    }
    const isWhole = this.#isChunked
      ? this.#pushChunked(buffer, at, size)
      : this.#pushSized(buffer, at, size)
    if (isWhole && this.#isSampled) this.sample = Buffer.concat(this.#parts).toString('utf8')
    return isWhole
  }

  #readHead(head: string): void {
    this.#inBody = true
    this.status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1]
    this.#isChunked = length === undefined && /\r\ntransfer-encoding: *chunked\r\n/i.test(head)
    this.#left = length === undefined ? 0 : Number(length)
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    if (this.#isSampled && end > start) this.#parts.push(Buffer.from(buffer.subarray(start, end)))
  }

  #pushSized(buffer: Buffer, at: number, size: number): boolean {
    this.#keep(buffer, at, size)
    this.#left -= size - at
    return this.#left <= 0
  }

  #pushChunked(buffer: Buffer, from: number, size: number): boolean {
    let at = from
    while (at < size) {
      if (this.#left > 0) {
        const end = Math.min(size, at + this.#left)
        this.#keep(buffer, at, Math.min(end, at + Math.max(this.#left - 2, 0)))
        this.#left -= end - at
        at = end
        if (this.#left === 0 && this.#isLast) return true
        continue
      }
      const lineEnd = buffer.indexOf(10, at)
      const end = lineEnd < 0 || lineEnd >= size ? size : lineEnd + 1
      this.#line += buffer.toString('latin1', at, end)
      at = end
      if (!this.#line.endsWith('\n')) continue
      const length = Number.parseInt(this.#line, 16)
      this.#line = ''
      this.#isLast = length === 0
      this.#left = length + 2
    }
    return this.#isLast && this.#left === 0
  }
}

if (import.meta.main) {
  process.on('message', (job: Job) => {
    void runLoad(job).then((outcome) => process.send?.(outcome))
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.({ port: 0 })
}
