/** What `verifyFolder` must see: an intact log, every changed byte, and forgeries that fit together. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { verifyFolder } from '../../src/verify/folder.ts'
import { filledLog } from './make-log.ts'
import type { LogReport } from '../../src/verify/folder.ts'
import type { MadeLog } from './make-log.ts'

const made = await filledLog()

function verify(
  log: MadeLog,
  more: { older?: string[]; keys?: readonly string[] } = {},
): Promise<LogReport> {
  const { dir, vkeys, writer } = log
  const of = { disk: realDisk, dir, writer, keys: vkeys, witnesses: [], older: [] }
  return verifyFolder({ ...of, ...more })
}

const words = ({ findings }: LogReport): string =>
  findings
    .list()
    .map(({ place, words: what, weight }) => `${weight} ${place}: ${what}`)
    .join('\n')

test('an intact log is proven, whole', async () => {
  const report = await verify(made)
  assert.equal(words(report), '')
  assert.equal(report.findings.exitCode, 0)
  assert.equal(report.signed, report.size)
  assert.equal(report.totals.calls, 60)
  assert.equal(report.totals.sessions, 2)
  assert.ok(report.checkpoints >= 10)
})

test('without a key nothing is believed', async () => {
  const report = await verify(made, { keys: [] })
  assert.equal(report.findings.exitCode, 2)
})

/** Every file that is evidence. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('a changed byte anywhere is seen', async (t) => {
  const runs = Number(process.env['SALLYPORT_FLIPS'] ?? 400)
  const next = random(Number(process.env['SALLYPORT_SEED'] ?? 1))
  const files = filesOf(made.folder)
  const missed: string[] = []
  for (let run = 0; run < runs; run++) {
    const path = files[Math.floor(next() * files.length)] ?? ''
    const good = readFileSync(path)
    const bad = Buffer.from(good)
    const at = Math.floor(next() * bad.length)
    bad.writeUInt8((bad.readUInt8(at) + 1 + Math.floor(next() * 255)) % 256, at)
    writeFileSync(path, bad)
    const report = await verify(made)
    writeFileSync(path, good)
    if (report.findings.exitCode === 0) missed.push(`${path} byte ${at}`)
  }
  assert.deepEqual(missed, [])
  t.diagnostic(`${runs} bytes changed over ${files.length} files: all seen`)
})
