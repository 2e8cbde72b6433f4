import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { realDisk } from '../base/disk.ts'
import { takeLock } from './lock.ts'

async function inFolder(run: (folder: string, lock: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-lock-'))
  try {
    await run(folder, join(folder, 'lock'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a lock that a living process holds is refused, with its pid', () =>
  inFolder(async (folder) => {
    const release = await takeLock(realDisk, folder)
    const facts = { reason: 'locked', pid: process.pid }
    await assert.rejects(takeLock(realDisk, folder), { code: 'record_down', facts })
    await release()
    await release()
    await (
      await takeLock(realDisk, folder)
    )()
    assert.deepEqual(readdirSync(folder), [])
  }))

const gone = spawnSync(process.execPath, ['-e', '']).pid
const stale: readonly [what: string, change: (held: Record<string, unknown>) => unknown][] = [
  ['of a process that is gone', (held) => ({ ...held, pid: gone })],
  ['of another boot', (held) => ({ ...held, bootId: 'another' })],
  ['of a process whose number was used again', (held) => ({ ...held, started: '1' })],
  ['that was never written to its end', () => undefined],
  ['that holds something else', () => ({ pid: -1 })],
]
for (const [what, change] of stale) {
  test(
    `a lock ${what} is taken over`,
    { skip: process.platform !== 'linux' && 'needs /proc' },
    () =>
      inFolder(async (folder, lock) => {
        await takeLock(realDisk, folder)
        const held: Record<string, unknown> = JSON.parse(readFileSync(lock, 'utf8'))
        writeFileSync(lock, JSON.stringify(change(held)) ?? '')
        const release = await takeLock(realDisk, folder)
        assert.equal(JSON.parse(readFileSync(lock, 'utf8')).pid, process.pid)
        await release()
      }),
  )
}

test('of many that find a stale lock at once, one gets it', () =>
  inFolder(async (folder, lock) => {
    writeFileSync(lock, JSON.stringify({ pid: gone, bootId: 'another', started: '1' }))
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => takeLock(realDisk, folder)),
    )
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.deepEqual(readdirSync(folder), ['lock'])
  }))
