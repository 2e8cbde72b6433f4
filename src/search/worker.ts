/** A thread of the index: one writes it behind the log, another searches it. Started by `threads.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { realDisk } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { stepBack } from '../base/thread.ts'
import { join } from 'node:path'
import { catchUp } from './follow.ts'
import { RecordIndex } from './record-index.ts'
import type { KeyWrapper, WrappedKey } from '../secrets/wrapping.ts'
import type { Log } from './follow.ts'
import type { Ask, PlainFault, Setting, Tell } from './messages.ts'

/** How often the log is looked at, and how long is waited at most after it could not be read. */
const readEveryMs = 1000
const waitMsMax = 60_000

assert(parentPort !== null, 'this file is run as a worker')
const port = parentPort
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `threads.ts` has typed it.
const setting: Setting = workerData as Setting
// The index may fall behind under load: how far is told. Somebody waits for a search.
if (setting.role === 'write') stepBack(19)
const tell = (message: Tell): void => port.postMessage(message)
const index = RecordIndex.open(setting.indexDir, {
  isReadOnly: setting.role === 'search',
  indexOutputs: setting.indexOutputs,
  cardSearch: setting.cardSearch,
  cacheKib: setting.cacheKib,
})

const asked = new Map<number, (key: Uint8Array | undefined) => void>()
let lastAsked = 0
const wrapper: KeyWrapper = {
  kind: setting.wrapperKind,
  current: notHere,
  wrap: notHere,
  rewrap: notHere,
  unwrap: async (wrapped: WrappedKey, context: string) => {
    const id = ++lastAsked
    const key = await new Promise<Uint8Array | undefined>((resolve) => {
      asked.set(id, resolve)
      tell({ kind: 'unwrap', id, wrapped, context })
    })
    if (key) return key
    throw new Fault('secret_missing', 'The key of a month is not to be had now.')
  },
}
const { keysDir } = setting
const log: Log = {
  disk: realDisk,
  dir: setting.recordDir,
  bodyKeys:
    keysDir === undefined ? undefined : (writer) => ({ dir: join(keysDir, writer), wrapper }),
}

const stopping = new AbortController()
let entries = 0
let fault: PlainFault | undefined
let waitMs = readEveryMs
let timer: NodeJS.Timeout | undefined
/** Everything that changes the index comes one after the other. */
let work: Promise<void> = Promise.resolve()

function inTurn(step: () => void | Promise<void>): Promise<void> {
  const done = work.then(step)
  work = done.catch(() => {}) // Whoever asked for the step is told; the next one can go on.
  return done
}

/** Reads to the end of the log and comes back after a while: a longer one while it fails. */
async function readOn(): Promise<void> {
  clearTimeout(timer)
  try {
    await catchUp(index, log, {
      signal: stopping.signal,
      onAdded: (count) => {
        entries += count
        tellState()
      },
    })
    fault = undefined
    waitMs = readEveryMs
  } catch (error) {
    fault = plain(error)
    waitMs = Math.min(waitMs * 2, waitMsMax)
    if (fault.facts['reason'] === 'index_damaged') setAside(String(fault.facts['month']))
  }
  tellState()
  if (!stopping.signal.aborted) timer = setTimeout(() => void inTurn(readOn), waitMs)
}

/** Going on is safe: what is put aside is read from the log again. */
function setAside(month: string): void {
  index.setAside(month)
  waitMs = readEveryMs
}

function tellState(): void {
  const next: Record<string, number> = {}
  for (const writer of index.writers()) next[writer] = index.position(writer)?.nextIndex ?? 0
  tell({ kind: 'state', state: { next, entries, fault } })
}

port.on('message', (ask: Ask) => {
  if (ask.kind === 'unwrapped') {
    asked.get(ask.id)?.(ask.key)
    asked.delete(ask.id)
    return
  }
  void answer(ask)
})

async function answer(ask: Exclude<Ask, { kind: 'unwrapped' }>): Promise<void> {
  try {
    tell({ kind: 'done', id: ask.id, value: await valueOf(ask) })
  } catch (error) {
    tell({ kind: 'failed', id: ask.id, fault: plain(error) })
  }
}

async function valueOf(
  ask: Exclude<Ask, { kind: 'unwrapped' }>,
): Promise<Extract<Tell, { kind: 'done' }>['value']> {
  switch (ask.kind) {
    case 'search':
      return index.search(ask.query, inThisThread(ask.options))
    case 'names':
      return index.names(ask.of, ask.start, ask.limit)
    case 'read':
      await inTurn(readOn)
      return undefined
    case 'forget':
      await inTurn(() => index.forgetText(ask.month))
      return undefined
    case 'remove':
      await inTurn(() => index.removeMonth(ask.month))
      return undefined
    case 'aside':
      await inTurn(() => setAside(ask.month))
      return undefined
    case 'rebuild':
      await inTurn(() => index.clear())
      await inTurn(readOn)
      return undefined
    case 'stop':
      stopping.abort()
      await inTurn(() => {
        clearTimeout(timer)
        index.close()
      })
      // The answer is on its way; nothing else keeps this thread.
      setImmediate(() => port.close())
      return undefined
    default:
      return ask satisfies never
  }
}

/** Deadlines come as times from now: each thread has a clock of its own. */
function inThisThread<T extends { deadlineMs?: number | undefined }>(options: T): T {
  const { deadlineMs } = options
  return deadlineMs === undefined
    ? options
    : { ...options, deadlineMs: performance.now() + deadlineMs }
}

function plain(error: unknown): PlainFault {
  if (error instanceof Fault) {
    return { code: error.code, message: error.message, facts: error.facts }
  }
  // SQLite's messages may quote what was bound.
  const message = 'The index cannot be used now. The record is not touched by it.'
  const reason = error instanceof Error ? error.name : 'unknown'
  return { code: 'busy', message, facts: { reason: `index_${reason}` } }
}

async function notHere(): Promise<never> {
  throw new Fault('secret_missing', 'Keys are only unwrapped here.')
}

if (setting.role === 'write') void inTurn(readOn)
