/**
 * The thread behind the log: it grows the tree up to what is durable and signs it, every second or
 * as soon as a thousand entries have come. Nothing on the way of a call waits for it.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { realDisk, writeWhole } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { stepBack } from '../base/thread.ts'
import { signHeads } from './heads.ts'
import { LogTree } from './tree.ts'
import { checkpointKeys } from './tree-keys.ts'
import type { FromTree, ToTree, TreeWork } from './tree-thread.ts'

const everyMs = 1000
const entriesMax = 1000
const lookMs = 100
/** Post-quantum signatures, heads, and tiles made durable. */
const slowMs = 60_000
const retryMs = 1000

/** Signing keeps up with the load, and does not slow it. */
const treeNice = 5

async function work({ durable, folder, keys, origin, recordDir }: TreeWork): Promise<void> {
  stepBack(treeNice)
  const index = new BigInt64Array(durable)
  const durableIndex = (): number => Number(Atomics.load(index, 0))
  let signing = checkpointKeys(origin, keys)
  let tree = await LogTree.open({ disk: realDisk, folder, origin, keys: signing }, durableIndex())
  let signedMs = 0
  let slowAtMs = 0
  let asked: number[] = []
  let isStopping = false
  let wake: (() => void) | undefined
  parentPort?.on('message', (message: ToTree) => {
    if (message.what === 'stop') isStopping = true
    else if (message.what === 'sign') asked.push(message.ask)
    wake?.()
  })
  tell({ what: 'ready', size: tree.lastCheckpoint?.size ?? 0 })

  const sign = async (): Promise<void> => {
    const nowMs = Date.now()
    const size = durableIndex()
    const signed = tree.lastCheckpoint?.size ?? -1
    const isSlow = nowMs - slowAtMs >= slowMs || isStopping
    const isDue = nowMs - signedMs >= everyMs || size - signed >= entriesMax || isStopping
    if (size > signed && (isDue || asked.length > 0)) {
      await tree.grow(size)
      const note = await tree.publish(isSlow)
      signedMs = nowMs
      if (isSlow) {
        await tree.sync(note)
        const heads = await signHeads(recordDir, realDisk, signing)
        await writeWhole(realDisk, join(recordDir, 'heads'), heads)
        slowAtMs = nowMs
      }
      tell({ what: 'signed', size, atMs: nowMs })
    }
    if (asked.length > 0) {
      for (const ask of asked) tell({ what: 'answer', ask, size: tree.lastCheckpoint?.size ?? 0 })
      asked = []
    }
  }

  for (let isWell = true; ;) {
    const isLast = isStopping
    try {
      await sign()
      if (!isWell) tell({ what: 'well' })
      isWell = true
    } catch (error) {
      isWell = false
      tell(troubleOf(error))
      if (error instanceof Fault && error.facts['reason'] === 'tree_differs') return
      if (isLast) break
      // What failed half-way is taken up from the disk, as after a crash.
      await tree.close().catch(() => undefined)
      await pause(retryMs)
      signing = checkpointKeys(origin, keys)
      tree = await LogTree.open({ disk: realDisk, folder, origin, keys: signing }, durableIndex())
    }
    if (isLast) break
    await new Promise<void>((resolve) => {
      wake = resolve
      setTimeout(resolve, lookMs)
    })
  }
  await tree.close().catch(() => undefined)
  tell({ what: 'stopped' })
}

function tell(message: FromTree): void {
  parentPort?.postMessage(message)
}

function troubleOf(error: unknown): FromTree {
  if (!(error instanceof Fault))
    return { what: 'trouble', reason: 'defect', message: nameOf(error) }
  const reason = error.facts['reason']
  return { what: 'trouble', reason: String(reason ?? error.code), message: error.message }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : 'unknown'
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `tree-thread.ts` has typed it.
work(workerData as TreeWork).catch((error: unknown) => {
  tell(troubleOf(error))
  parentPort?.close()
})
