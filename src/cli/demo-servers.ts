/** The real MCP servers behind the demo: their start, their address, their end. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '../base/fault.ts'
import { makeShop } from './demo-shop.ts'

/** A server of somebody else's, running as a child process on loopback. */
export interface RunningServer {
  /** Its Streamable HTTP endpoint, `http://127.0.0.1:PORT/mcp`. The gateway reaches nothing else. */
  readonly url: string
  readonly pid: number
  /** Ends the process (SIGTERM, after two seconds SIGKILL) and resolves when it is gone. */
  close(): Promise<void>
}

interface Program {
  /** For messages. */
  readonly name: string
  /** Path of the entry below `node_modules`. */
  readonly entry: string
  readonly args: readonly string[]
  /** Where it runs; a `.env` there would be read by it, so never the working folder of ours. */
  readonly cwd: string
}

const startMs = 20_000
const endMs = 2_000
const here = import.meta.url
const tether = new URL(here.endsWith('.ts') ? './tether.ts' : './tether.js', here)

/**
 * Makes the card shop in `dir` and starts `@bytebase/dbhub` over it.
 * @param dir an existing folder; `shop.db` in it is made anew.
 * @throws {Fault} `upstream_down` when the package is missing or does not come up in 20 seconds.
 */
export async function startShop(dir: string): Promise<RunningServer> {
  const file = join(resolve(dir), 'shop.db')
  makeShop(file)
  const args = ['--transport', 'http', '--host', '127.0.0.1', '--port', '8080']
  args.push('--dsn', `sqlite://${file}`)
  return start({ name: 'dbhub', entry: '@bytebase/dbhub/dist/index.js', args, cwd: resolve(dir) })
}

/**
 * Starts `@modelcontextprotocol/server-everything` over Streamable HTTP. Its tool `get-env` shows
 * the environment it was given, which is why that is nearly empty.
 * @throws {Fault} `upstream_down` as {@link startShop}.
 */
export function startEverything(): Promise<RunningServer> {
  const entry = '@modelcontextprotocol/server-everything/dist/index.js'
  return start({
    name: 'server-everything',
    entry,
    args: ['streamableHttp'],
    cwd: dirname(process.execPath),
  })
}

/** Below the nearest `node_modules` that has it: the packages export no path of their own. */
function find(program: Program): string {
  for (let dir = dirname(fileURLToPath(here)); ; dir = dirname(dir)) {
    const entry = join(dir, 'node_modules', program.entry)
    if (existsSync(entry)) return entry
    if (dir === dirname(dir)) break
  }
  const hint = 'It is a development dependency: run npm ci.'
  throw new Fault('upstream_down', `${program.name} is not installed. ${hint}`)
}

async function start(program: Program): Promise<RunningServer> {
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--import', tether.href, find(program), ...program.args],
    {
      cwd: program.cwd,
      // Nothing of ours: no token, no key, no proxy, no home folder.
      env: { NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    },
  )
  const gone = new Promise<void>((done) => {
    child.once('exit', () => done())
    child.once('error', () => done())
  })
  const close = (): Promise<void> => end(child, gone)
  try {
    const port = await firstPort(child, program)
    return { url: `http://127.0.0.1:${port}/mcp`, pid: child.pid ?? 0, close }
  } catch (error) {
    await close()
    throw error
  }
}

function firstPort(child: ChildProcess, program: Program): Promise<number> {
  return new Promise((done, fail) => {
    const down = (why: string): void => {
      clearTimeout(timer)
      fail(new Fault('upstream_down', `${program.name} ${why}; nothing of it is running.`))
    }
    const timer = setTimeout(() => down(`did not listen within ${startMs} ms`), startMs)
    child.once('error', () => down('could not be started'))
    child.once('exit', (code) => down(`ended with code ${code ?? 'none'} before it listened`))
    child.on('message', (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('port' in message)) return
      if (typeof message.port !== 'number') return
      clearTimeout(timer)
      done(message.port)
    })
  })
}

async function end(child: ChildProcess, gone: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), endMs)
  await gone
  clearTimeout(timer)
}
