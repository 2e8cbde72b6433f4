/** The program itself, `bin/sallyport`, as an operator runs it: its output, exit code and end. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { errorCode } from '../../src/base/disk.ts'
import { recordPlace } from '../../src/cli/record-parts.ts'
import { makeLocalKey, openLocalIssuer } from '../../src/identity/local.ts'
import { readRecord } from '../../src/record/read.ts'

export const program: string = join(import.meta.dirname, '../../bin/sallyport')

/** What a run ended with. */
export interface Ran {
  /** The exit code; -1 when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Place {
  readonly cwd?: string
  /** Added to a nearly empty environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Runs a command to its end, which must come within 30 seconds. */
export async function run(args: readonly string[], place: Place = {}): Promise<Ran> {
  const { child, output } = begin(args, place)
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  child.stdin?.on('error', () => undefined) // It may end without reading.
  child.stdin?.end(place.input ?? '')
  const code = await new Promise<number>((done) => child.once('close', (n) => done(n ?? -1)))
  clearTimeout(late)
  return { code, ...output }
}

/** A command that goes on: a gateway. */
export interface Running {
  readonly pid: number
  readonly output: { readonly stdout: string; readonly stderr: string }
  /** Set once it has ended. */
  readonly ended: number | undefined
  /** Sends the signal and waits for the end: the exit code, -1 when a signal was the end. */
  stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number>
  /** Resolves at the end with the exit code. */
  readonly end: Promise<number>
}

/** Starts a command and leaves it running. End it in an `after`. */
export function start(args: readonly string[], place: Place = {}): Running {
  const { child, output } = begin(args, place)
  child.stdin?.end()
  let ended: number | undefined
  const end = new Promise<number>((done) => {
    child.once('close', (code) => {
      ended = code ?? -1
      done(ended)
    })
  })
  return {
    pid: child.pid ?? 0,
    output,
    get ended() {
      return ended
    },
    end,
    stop: async (signal) => {
      if (ended === undefined) child.kill(signal)
      return await end
    },
  }
}

function begin(
  args: readonly string[],
  { cwd, env }: Place,
): { child: ChildProcess; output: { stdout: string; stderr: string } } {
  const child = spawn(program, args, {
    cwd: cwd ?? tmpdir(),
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: 'pipe',
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('latin1')))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('latin1')))
  return { child, output }
}

/** A gateway that answers on both listeners. */
export interface Serving extends Running {
  readonly gateway: string
  readonly console: string
}

/**
 * `sallyport serve` until its line of addresses.
 * @throws with what it said when it ends before that, or says nothing for 20 seconds.
 */
export async function serve(args: readonly string[], place: Place = {}): Promise<Serving> {
  const running = start(['serve', ...args], place)
  try {
    await until(() => running.ended !== undefined || running.output.stdout.includes('\n'), 20_000)
  } catch (error) {
    await running.stop('SIGKILL')
    throw error
  }
  if (running.ended !== undefined) throw new Error(`serve ended: ${running.output.stderr}`)
  const { gateway, console }: { gateway: string; console: string } = JSON.parse(
    running.output.stdout,
  )
  // Not spread: `ended` is to stay a live look.
  return Object.defineProperties(running, {
    gateway: { value: gateway },
    console: { value: console },
  }) as Serving
}

/** Looks every few milliseconds until it is so. @throws when that takes longer than `withinMs`. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it did not come about within ${withinMs} ms`)
    await pause(10)
  }
}

/** A folder of this test's own, and how to remove it. */
export function makeFolder(): { dir: string; remove: () => void } {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-program-')))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** `true` while a process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A token of the local issuer of a data folder, for a service: the file's `public_url` is given. */
export async function mintToken(dataDir: string, publicUrl: string): Promise<string> {
  await makeLocalKey(dataDir)
  const clock = systemClock()
  const issuer = await openLocalIssuer({ dataDir, issuer: `${publicUrl}/oauth`, clock })
  return await issuer.mint({
    subject: 'robot',
    kind: 'service',
    audience: publicUrl,
    ttlSeconds: 600,
  })
}

/** One entry of the record with the text of its body. */
export interface Told {
  readonly type: string
  readonly exchange: string | null
  readonly [field: string]: unknown
  readonly text: string
}

/** All entries of a data folder in order; a gateway may be running on it. */
export async function readEntries(dataDir: string): Promise<Told[]> {
  const told: Told[] = []
  const key = { kind: 'file' } as const
  const at = recordPlace(dataDir, { key, env: {}, clock: systemClock(), hide: () => undefined })
  for await (const record of readRecord(at)) {
    const text = Buffer.from(record.body() ?? new Uint8Array(0)).toString()
    told.push({ ...(JSON.parse(record.line.toString()) as Told), text })
  }
  return told
}

/** Every file below a folder with its bytes as latin1 text, sockets left out. */
export function filesOf(dir: string): { path: string; text: string }[] {
  const found = readdirSync(dir, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name)
      try {
        return [{ path: relative(dir, path), text: readFileSync(path, 'latin1') }]
      } catch (error) {
        // A gateway runs: what it wrote under this name has another one by now.
        if (errorCode(error) === 'ENOENT') return []
        throw error
      }
    })
}
