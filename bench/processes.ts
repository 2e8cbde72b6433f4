/** The processes of a run: started on a core of their own where that can be had, measured, ended. */
import { fork, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** A process with what it may be asked while it runs. */
export interface Running {
  readonly child: ChildProcess
  readonly port: number
  end(): Promise<void>
}

/** `measured` gets the first core for itself; `around` (load and server) shares the others. */
export type Place = 'measured' | 'around'

const hasTaskset = spawnSync('taskset', ['-V'], { stdio: 'ignore' }).status === 0
let isPinned = hasTaskset && availableParallelism() >= 2

/** Leaves the placing to the system from here on, as `--unpinned` asks. */
export function unpin(): void {
  isPinned = false
}

/** What the report says about the cores. */
export function placing(): string {
  const cores = availableParallelism()
  if (!isPinned) return `${cores} cores, shared freely`
  return `${cores} cores: the measured process on core 0, load and server on the rest`
}

/** The arguments which start a command where it belongs; a plain start where that cannot be had. */
export function placed(place: Place, command: string, args: readonly string[]): [string, string[]] {
  if (!isPinned) return [command, [...args]]
  const cores = place === 'measured' ? '0' : `1-${availableParallelism() - 1}`
  return ['taskset', ['-c', cores, command, ...args]]
}

/**
 * Starts one of our own scripts, which sends `{ port }` over IPC when it is ready.
 * @throws {Error} when it ends or says nothing within ten seconds.
 */
export async function startScript(place: Place, script: string, args: string[]): Promise<Running> {
  const file = new URL(script, import.meta.url).pathname
  const [command, [...rest]] = placed(place, process.execPath, [file, ...args])
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'ipc']
  const child =
    command === process.execPath
      ? fork(file, args, { stdio, serialization: 'advanced' })
      : spawn(command, rest, { stdio, serialization: 'advanced' })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${script} ended before it was ready`)
  })
  const signal = AbortSignal.timeout(10_000)
  const [ready]: { port: number }[] = await Promise.race([
    once(child, 'message', { signal }),
    ended,
  ])
  ended.catch(() => {}) // Its end is awaited in end(); a later one shows in the figures.
  return { child, port: ready?.port ?? 0, end: () => end(child) }
}

/** Asks a process to end and waits; kills it after five seconds. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(timer)
}

/** Processor time which a process and its children have spent, all threads, in milliseconds. */
export function cpuMs(pid: number): number {
  let total = 0
  for (const one of family(pid)) total += threadsMs(one)
  return total
}

/** Resident memory of a process and its children in megabytes (10^6 bytes). */
export function residentMb(pid: number): number {
  let kilobytes = 0
  for (const one of family(pid)) {
    const status = readText(`/proc/${one}/status`)
    kilobytes += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
  }
  return (kilobytes * 1024) / 1e6
}

function threadsMs(pid: number): number {
  let ms = 0
  for (const thread of list(`/proc/${pid}/task`)) {
    ms += Number(readText(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0) / 1e6
  }
  return ms
}

function family(pid: number): number[] {
  const children = list(`/proc/${pid}/task`).flatMap((thread) =>
    readText(`/proc/${pid}/task/${thread}/children`).trim().split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(family)]
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // No /proc here, or the process has just ended: nothing to add.
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // A thread that has just ended has nothing more to say.
  }
}
