/**
 * How fast a log is verified, and in how much memory: calls of five entries with encrypted bodies,
 * their tree, signed checkpoints; then `verifyFolder` in a process of its own. Alone:
 * `node bench/verify.ts [ENTRIES] [FOLDER]`.
 */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { realDisk } from '../src/base/disk.ts'
import { share } from '../src/record/entry.ts'
import { openRecord } from '../src/record/record.ts'
import { LogTree } from '../src/record/tree.ts'
import { checkpointKeys, vkeysOf } from '../src/record/tree-keys.ts'
import { verifyFolder } from '../src/verify/folder.ts'
import { benchBodyKeys } from './body-keys.ts'
import { short } from './figure.ts'
import { answered, asked, principal } from './record.ts'
import type { Figure } from './figure.ts'

const entriesDefault = 1_000_000
const writers = 256
const origin = 'log.example/bench'
/** Entries between two checkpoints, as under load. */
const checkpointEvery = 1000

/** Figures of a log of so many entries, on the disk of `folder`. */
export async function benchVerify(
  entries: number = entriesDefault,
  folder: string = tmpdir(),
): Promise<Figure[]> {
  const dir = mkdtempSync(join(folder, 'sallyport-verify-'))
  try {
    const vkey = await makeLog(entries, dir)
    const tree = await growTree(dir)
    // The flag is the one of bin/sallyport.
    const args = ['--max-semi-space-size=4', import.meta.filename, '--verify', dir, vkey]
    const told = execFileSync(process.execPath, args, { encoding: 'utf8' })
    const { exitCode, mb, ms, size }: Record<string, number> = JSON.parse(told)
    if (exitCode !== 0 || size === undefined)
      throw new Error('the log of the benchmark is not proven')
    return [
      { name: 'tree: entries taken in', value: tree.perSecond, unit: 'entries/s' },
      { name: `verify: ${size} entries`, value: (ms ?? NaN) / 1000, unit: 's' },
      { name: 'verify: speed', value: size / ((ms ?? NaN) / 1000), unit: 'entries/s' },
      { name: 'verify: peak memory', value: mb ?? NaN, unit: 'MB', atMost: 200 },
    ]
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const keys = { current: generateKeyPairSync('ed25519').privateKey }

/** Writes the log. @returns its public key. */
async function makeLog(entries: number, dir: string): Promise<string> {
  const { recorder } = await openRecord({
    dir,
    writer: 'w1',
    disk: realDisk,
    clock: systemClock(),
    freeBytesMin: 0,
    segmentBytesMax: 134_217_728,
    origin,
    bodyKeys: await benchBodyKeys(dir),
  })
  let calls = Math.ceil(entries / (asked.length + answered.length))
  const write = async (writer: number): Promise<void> => {
    for (; calls > 0;) {
      const exchange = `ex_${calls--}`
      const source = { ip: '127.0.0.1', port: 40_000 + writer }
      const shared = share({ exchange, principal, source, connection: 'shop' })
      await recorder.append(exchange, shared, asked)
      await recorder.append(exchange, shared, answered)
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  await recorder.close()
  return vkeysOf(origin, keys)[0] ?? ''
}

/** Grows the tree over it as the gateway's thread does, a checkpoint a thousand entries. */
async function growTree(dir: string): Promise<{ perSecond: number }> {
  const folder = join(dir, 'w1')
  const { recorder } = await openRecord({
    dir,
    writer: 'w1',
    disk: realDisk,
    clock: systemClock(),
    freeBytesMin: 0,
    segmentBytesMax: 134_217_728,
  })
  const { durableIndex } = recorder.figures()
  await recorder.close()
  const at = { disk: realDisk, folder, origin, keys: checkpointKeys(origin, keys) }
  const tree = await LogTree.open(at, durableIndex)
  const began = performance.now()
  for (let size = 0; size < durableIndex;) {
    size = Math.min(size + checkpointEvery, durableIndex)
    await tree.grow(size)
    await tree.publish(false)
    size = tree.size
  }
  const ms = performance.now() - began
  await tree.sync(await tree.publish(true))
  await tree.close()
  return { perSecond: durableIndex / (ms / 1000) }
}

/** In the child: verifies and tells. */
async function verifyHere(dir: string, vkey: string): Promise<void> {
  const began = performance.now()
  const of = { disk: realDisk, dir, writer: 'w1', keys: [vkey], witnesses: [], older: [] }
  const { findings, size } = await verifyFolder(of)
  const ms = performance.now() - began
  const mb = process.resourceUsage().maxRSS / 1024
  console.log(JSON.stringify({ exitCode: findings.exitCode, mb, ms, size }))
}

if (import.meta.main) {
  const [, , first = String(entriesDefault), second = tmpdir(), third = ''] = process.argv
  if (first === '--verify') await verifyHere(second, third)
  else {
    for (const { name, unit, value } of await benchVerify(Number(first), second)) {
      console.log(`${name}: ${short(value)} ${unit}`)
    }
  }
}
