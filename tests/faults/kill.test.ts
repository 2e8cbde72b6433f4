/** The real disk: a process killed in the middle of its appends, and a disk that is full. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { realDisk } from '../../src/base/disk.ts'
import { checkRecord, missingFrom } from '../../src/record/check.ts'
import { share } from '../../src/record/entry.ts'
import { openRecord } from '../../src/record/record.ts'
import { finished, masked, received } from './work.ts'
import type { Acknowledged } from '../../src/record/check.ts'
import type { Recorder } from '../../src/record/record.ts'

const child = join(import.meta.dirname, 'append-child.ts')

/** Starts the child on `dir`, kills it after some acknowledgements; returns what it was told. */
async function killed(dir: string, name: string, atLeast: number, how?: string): Promise<string[]> {
  const args = how === undefined ? [child, dir, name] : [child, dir, name, how]
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  running.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (text.split('\n').length > atLeast) running.kill('SIGKILL')
  })
  await new Promise((resolve) => running.once('close', resolve))
  // The last line may be cut; what is whole was written after its acknowledgement.
  return text.split('\n').slice(1, -1)
}

function promised(exchanges: readonly string[]): Acknowledged[] {
  const types = ['call.received', 'call.dispatched', 'call.finished'] as const
  return exchanges.map((exchange) => ({ exchange, types }))
}

test('what a process was told is durable is there after kill -9, five times over', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-kill-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const acknowledged: string[] = []
  for (let round = 0; round < 5; round++) {
    acknowledged.push(...(await killed(dir, `r${round}`, 150 + round * 170)))
  }
  const place = { disk: realDisk, dir, writer: 'main' }
  const opened = await openRecord({
    ...place,
    clock: systemClock(),
    freeBytesMin: 0,
    segmentBytesMax: 300_000,
  })
  await opened.recorder.close()
  assert.ok(acknowledged.length > 5 * 150)
  assert.deepEqual(await missingFrom(place, promised(acknowledged)), [])
  const { openExchanges, problems } = await checkRecord(place)
  assert.deepEqual({ openExchanges, problems }, { openExchanges: [], problems: [] })
})

test('the same check fails when the sync is taken out and what was not synced is dropped', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-kill-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const acknowledged = await killed(dir, 'r', 100, 'forgetful')
  assert.ok(acknowledged.length >= 90)
  const missing = await missingFrom({ disk: realDisk, dir, writer: 'main' }, promised(acknowledged))
  assert.ok(missing.length > 0)
})

const mountHint = canMount() ? false : 'a small tmpfs cannot be mounted here: run as root on Linux'

test(
  'on a full disk nothing new begins until space is back; a failed write latches',
  { skip: mountHint },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir])
    t.after(() => {
      execFileSync('umount', [dir])
      rmSync(dir, { recursive: true })
    })
    const place = { disk: realDisk, dir, writer: 'main' }
    const options = { ...place, clock: systemClock(), segmentBytesMax: 100_000_000 }
    const careful = await openRecord({ ...options, freeBytesMin: 1_000_000, freeCheckMs: 5 })
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(3_500_000))
    await state(careful.recorder, 'full')
    await assert.rejects(fill(careful.recorder, 1), { code: 'record_full' })
    rmSync(join(dir, 'ballast'))
    await state(careful.recorder, 'open')
    assert.equal(await fill(careful.recorder, 3), 3)
    await careful.recorder.close()

    const careless = await openRecord({ ...options, freeBytesMin: 0 })
    let acknowledged = 0
    await assert.rejects(
      async () => {
        for (;;) acknowledged += await fill(careless.recorder, 1, 50_000)
      },
      { code: 'record_down' },
    )
    assert.equal(careless.recorder.state(), 'latched')
    await assert.rejects(fill(careless.recorder, 1), { code: 'record_down' })
    await careless.recorder.close()

    execFileSync('mount', ['-o', 'remount,size=16m', dir])
    const after = await openRecord({ ...options, freeBytesMin: 0 })
    await after.recorder.close()
    assert.equal(after.recovered.torn.length, 1)
    const { calls, problems } = await checkRecord(place)
    assert.deepEqual(problems, [])
    assert.equal(calls, 3 + acknowledged)
  },
)

async function fill(recorder: Recorder, calls: number, bytes = 10): Promise<number> {
  for (let i = 0; i < calls; i++) {
    await recorder.append('d', share({ exchange: `ex_${i}` }), [
      { entry: received(), body: masked(Buffer.alloc(bytes, 97)) },
      { entry: finished() },
    ])
  }
  return calls
}

async function state(recorder: Recorder, wanted: string): Promise<void> {
  while (recorder.state() !== wanted) await new Promise((resolve) => setTimeout(resolve, 2))
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { stdio: 'ignore' })
    execFileSync('umount', [dir], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
