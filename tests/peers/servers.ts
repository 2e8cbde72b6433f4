/** The real servers of the process tests: each on a free loopback port, gone with its parent. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startEverything, startShop } from '../../src/cli/demo-servers.ts'
import type { RunningServer } from '../../src/cli/demo-servers.ts'

export type { RunningServer }

/** Names of the servers that tests can ask for. */
export type ServerName = 'everything' | 'shop' | 'fixture'

const packages: Readonly<Record<ServerName, string>> = {
  everything: '@modelcontextprotocol/server-everything',
  shop: '@bytebase/dbhub',
  fixture: '@modelcontextprotocol/server',
}

/** Why a test with this server has to be skipped: the package that is missing; else undefined. */
export function missingServer(name: ServerName): string | undefined {
  const wanted = packages[name]
  const there = existsSync(join(import.meta.dirname, '../../node_modules', wanted, 'package.json'))
  return there ? undefined : `${wanted} is not installed; run npm ci`
}

/** Starts one by name; `close` also removes the folder it was given. */
export async function startServer(name: ServerName): Promise<RunningServer> {
  if (name === 'everything') return startEverything()
  if (name === 'fixture') return startFixture()
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-shop-'))
  const remove = (): void => rmSync(dir, { recursive: true, force: true })
  try {
    const server = await startShop(dir)
    return { ...server, close: () => server.close().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

/** The fixture in a process of its own, so that it takes no time from whoever tests it. */
async function startFixture(): Promise<RunningServer> {
  const entry = join(import.meta.dirname, 'fixture-server.ts')
  const child = spawn(process.execPath, ['--no-warnings', entry], {
    env: { PATH: dirname(process.execPath) },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const url = await firstJson(child, 'url', 15_000)
  return { url, pid: child.pid ?? 0, close: () => endProcess(child) }
}

/**
 * Waits for the first line of JSON on a child's stdout which has a string at `key`.
 * @throws when the child ends or `timeoutMs` pass before that; the child is ended then.
 */
export async function firstJson(
  child: ChildProcess,
  key: string,
  timeoutMs: number,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const fail = (why: string): void => reject(new Error(`a process ${why}`))
  const timer = setTimeout(() => fail(`printed no ${key} in ${timeoutMs} ms`), timeoutMs)
  let seen = ''
  child.once('error', reject)
  child.once('exit', (code) => fail(`ended with code ${code} before it printed its ${key}`))
  child.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString('utf8')
    for (const line of seen.split('\n').slice(0, -1)) {
      const found = stringAt(line, key)
      if (found !== undefined) resolve(found)
    }
    // What follows is nobody's business; only an unfinished line is kept.
    seen = seen.slice(seen.lastIndexOf('\n') + 1)
  })
  try {
    return await promise
  } catch (error) {
    await endProcess(child)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function stringAt(line: string, key: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(line)
    const value =
      typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, key) : undefined
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined // Not ours: a server may print what it likes.
  }
}

/** SIGTERM, after five seconds SIGKILL; resolves when the process is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(timer)
}
