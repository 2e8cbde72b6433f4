/**
 * What our listener and upstream cost over the parts they are made of: the same buffered proxy,
 * once on them and once straight on `node:http` and `undici`.
 *
 *     node bench/transport.ts [--quick]
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { listen } from '../src/listener/listener.ts'
import type { Incoming } from '../src/listener/incoming.ts'
import { intentFor, permitFor } from '../src/upstream/evidence.fixture.ts'
import { connect } from '../src/upstream/upstream.ts'
import { makeAnswers, toolName } from './answers.ts'
import type { Size } from './answers.ts'
import { median, short } from './figure.ts'
import type { Figure } from './figure.ts'
import { cpuMs, startScript } from './processes.ts'
import type { Running } from './processes.ts'
import { makeJob, runJob } from './rounds.ts'
import type { Subject } from './rounds.ts'

const bytesMax = 4 * 1024 * 1024

/** Listener and upstream, with nothing between. The permits are made anew for each call, as in life. */
async function ours(upstreamPort: number): Promise<number> {
  const upstream = connect({
    name: 'bench',
    url: `http://127.0.0.1:${upstreamPort}/mcp`,
    credential: { type: 'bearer', value: { reveal: () => 'bench-credential' } },
    timeouts: { connectMs: 5000, headersMs: 60_000, idleMs: 30_000 },
    answerBytesMax: 16 * bytesMax,
  })
  const intent = intentFor('call')
  const serve = async (incoming: Incoming): Promise<void> => {
    const body = await incoming.body(bytesMax)
    const { headers, gone } = incoming
    const out = { digest: 'call', method: 'POST', headers: headers.entries(), body, signal: gone }
    const answer = await upstream.send({ ...out, method: 'POST' }, permitFor('call'), intent)
    const bytes = await answer.bytes(16 * bytesMax)
    incoming.begin(answer.status, answer.headers).end(bytes)
  }
  const { port } = await listen({ host: '127.0.0.1', port: 0, serve })
  return port
}

/** The same work by hand: one body in, one body out, the same headers kept. */
function plain(upstreamPort: number): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 512, pipelining: 1 })
  const kept = new Set(['accept', 'content-type'])
  const read = async (request: IncomingMessage): Promise<Buffer> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const proxy = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await read(request)
    const headers: string[] = ['authorization', 'Bearer bench-credential']
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
      const name = (request.rawHeaders[i] ?? '').toLowerCase()
      if (kept.has(name) || name.startsWith('mcp-'))
        headers.push(name, request.rawHeaders[i + 1] ?? '')
    }
    const answer = await pool.request({ path: '/mcp', method: 'POST', headers, body })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    const type = String(answer.headers['content-type'] ?? '')
    response.writeHead(answer.statusCode, { 'content-type': type, 'content-length': bytes.length })
    response.end(bytes)
  }
  const server = createServer((request, response) => {
    proxy(request, response).catch(() => response.destroy())
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

const sizes = ['1KB', '64KB', '1MB'] as const

/** Rates and processor time of both proxies, as ratios of one interleaved run at 32 connections. */
export async function transportFigures(isQuick: boolean): Promise<Figure[]> {
  const rounds = isQuick ? 3 : 7
  const measureMs = isQuick ? 500 : 1500
  const server = await startScript('around', './upstream.ts', [])
  const load = await startScript('around', './load.ts', [])
  const port = String(server.port)
  const sides = [
    { name: 'plain', running: await startScript('measured', './transport.ts', ['plain', port]) },
    { name: 'ours', running: await startScript('measured', './transport.ts', ['ours', port]) },
  ]
  const figures: Figure[] = []
  try {
    for (const size of sizes) {
      const rates: number[] = []
      const costs: number[] = []
      for (let round = 0; round < rounds; round++) {
        const found: Record<string, Side> = {}
        // Turned in each round, so that neither always runs first.
        for (const { name, running } of round % 2 === 0 ? sides : sides.toReversed()) {
          found[name] = await one(running, load, size, measureMs)
        }
        rates.push((found['ours']?.rate ?? NaN) / (found['plain']?.rate ?? NaN))
        costs.push((found['ours']?.cpuUs ?? NaN) / (found['plain']?.cpuUs ?? NaN))
      }
      const name = `listener and upstream, ${size}`
      figures.push(
        {
          name: `${name}: throughput of plain`,
          value: median(rates),
          unit: 'ratio',
          atLeast: 0.95,
        },
        { name: `${name}: CPU of plain`, value: median(costs), unit: 'ratio' },
      )
    }
  } finally {
    for (const { running } of sides) await running.end()
    await load.end()
    await server.end()
  }
  return figures
}

interface Side {
  readonly rate: number
  /** Processor time a call, in microseconds. */
  readonly cpuUs: number
}

async function one(running: Running, load: Running, size: Size, measureMs: number): Promise<Side> {
  const answer = makeAnswers().get(toolName(size, 'plain'))
  if (answer === undefined) throw new Error(`there is no answer of ${size}`)
  const plan = {
    sizes: [size],
    connections: [32],
    rounds: 1,
    warmMs: 300,
    firstWarmMs: 300,
    measureMs,
  }
  const subject: Subject = {
    name: 'transport',
    port: running.port,
    path: '/mcp',
    content: 'plain',
    masks: false,
  }
  const pid = running.child.pid ?? 0
  const before = cpuMs(pid)
  const { rate, calls, wrong } = await runJob(load, makeJob(plan, subject, answer, 32))
  const spentMs = cpuMs(pid) - before
  if (Object.keys(wrong).length > 0) throw new Error(`void: ${Object.keys(wrong).join(', ')}`)
  return { rate, cpuUs: (spentMs * 1000) / Math.max(1, calls) }
}

const [role, upstreamPort] = process.argv.slice(2)
if (import.meta.main && (role === 'ours' || role === 'plain')) {
  const port = await (role === 'ours' ? ours : plain)(Number(upstreamPort))
  process.send?.({ port })
  process.on('disconnect', () => process.exit(0))
} else if (import.meta.main) {
  for (const { name, value } of await transportFigures(role === '--quick')) {
    console.log(`${name}: ${short(value)}`)
  }
}
