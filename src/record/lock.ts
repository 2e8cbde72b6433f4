/**
 * One process writes. A file made with `wx` says which: there is no `flock` in Node. Whoever finds
 * it may take over when its holder is gone for sure: another boot, no such process, or a process
 * which started at another time.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { commitWhole, errorCode, readWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import { isObject } from './unfinished.ts'
import type { Disk } from '../base/disk.ts'

/** Who holds the lock. */
export interface Holder {
  readonly pid: number
  /** Empty where the machine tells none. */
  readonly bootId: string
  /** The process's start in clock ticks since boot; empty where the machine tells none. */
  readonly started: string
  /** Of this taking of the lock and no other. */
  readonly token: string
}

/** Time for another process to end a step which it has begun. */
const settleMs = 200

/** Gives the lock back. */
export type Release = () => Promise<void>

/**
 * Takes the lock of a writer's folder.
 * @throws {Fault} `record_down` with reason `locked` and the holder's pid when somebody has it.
 */
export async function takeLock(disk: Disk, folder: string): Promise<Release> {
  const path = join(folder, 'lock')
  const self = await thisProcess()
  const release = async (): Promise<void> => {
    if ((await readHolder(disk, path))?.token === self.token) await disk.remove(path)
  }
  if (await tryTake(disk, path, self)) return release
  let holder = await readHolder(disk, path)
  if (!holder) {
    // Its maker may be between making the file and writing into it: give it the time.
    await pause(settleMs)
    holder = await readHolder(disk, path)
  }
  if (holder && (await isAlive(holder, self))) throw locked(path, holder)
  await replace(disk, path, self, holder)
  return release
}

async function tryTake(disk: Disk, path: string, self: Holder): Promise<boolean> {
  try {
    const file = await disk.create(path)
    try {
      await commitWhole(file, Buffer.from(`${JSON.stringify(self)}\n`))
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Puts our lock in the place of a stale one. Others may do the same at the same time: each waits
 * until all have done so, and the one whose lock is there then has it. Only a process that stands
 * still for longer than that, just between its last look and its renaming, would not be noticed.
 */
async function replace(
  disk: Disk,
  path: string,
  self: Holder,
  stale: Holder | undefined,
): Promise<void> {
  const own = `${path}.${self.token}`
  if (!(await tryTake(disk, own, self))) throw locked(path, undefined)
  const now = await readHolder(disk, path)
  if (now?.token !== stale?.token) {
    await disk.remove(own)
    throw locked(path, now)
  }
  await disk.rename(own, path)
  await pause(settleMs)
  const winner = await readHolder(disk, path)
  if (winner?.token !== self.token) throw locked(path, winner)
}

/** Undefined when the file is gone, or holds nothing sensible: its maker died while making it. */
async function readHolder(disk: Disk, path: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(Buffer.from(await readWhole(disk, path)).toString('utf8'))
    if (!isObject(value)) return undefined
    const { pid, bootId, started, token } = value
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined
    if (typeof bootId !== 'string' || typeof started !== 'string') return undefined
    return { pid, bootId, started, token: typeof token === 'string' ? token : '' }
  } catch (error) {
    if (error instanceof SyntaxError || errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function isAlive(holder: Holder, self: Holder): Promise<boolean> {
  if (holder.bootId !== self.bootId) return false
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if (errorCode(error) === 'ESRCH') return false
  }
  return (await startOf(holder.pid)) === holder.started
}

async function thisProcess(): Promise<Holder> {
  const bootId = await readText('/proc/sys/kernel/random/boot_id')
  const started = await startOf(process.pid)
  return { pid: process.pid, bootId: bootId.trim(), started, token: newId('lock') }
}

/** Field 22 of `/proc/<pid>/stat`; the second, a name in parentheses, may hold anything. */
async function startOf(pid: number): Promise<string> {
  const stat = await readText(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** The machine's own facts, not the record's: read past the disk that tests hand in. */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // Without /proc all start times are equal, and a living pid is taken for the holder: it errs
    // on the side of refusing to start.
    return ''
  }
}

function locked(path: string, holder: Holder | undefined): Fault {
  const who = holder ? `process ${holder.pid}` : 'another process'
  return new Fault(
    'record_down',
    `The record is in use: ${who} holds ${path}. Two writers would spoil it, so this one did not ` +
      'start. Stop the other gateway first, or give this one a data folder of its own.',
    { facts: { reason: 'locked', ...(holder && { pid: holder.pid }) } },
  )
}
