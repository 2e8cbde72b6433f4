/** Every operation on the disk fails once, in every way, and the model holds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { share } from '../../src/record/entry.ts'
import { checkRecord } from '../../src/record/check.ts'
import { FaultyMachine } from './disk.ts'
import { broken, HandClock, open, place, Promises, work } from './work.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { How } from './disk.ts'

interface Life {
  readonly machine: FaultyMachine
  readonly clock: HandClock
  readonly promises: Promises
}

function newLife(seed: number, syncs = true): Life {
  return {
    machine: new FaultyMachine({ seed, syncs }),
    clock: new HandClock(),
    promises: new Promises(),
  }
}

/** One process from start to stop. True when nothing failed in it. */
async function live({ clock, machine, promises }: Life, name: string): Promise<boolean> {
  const disk = machine.boot()
  const opened = await open(disk, clock).catch(() => undefined)
  if (!opened) return false
  const { recorder } = opened
  await work(recorder, promises, { clock, rounds: 8, name })
  const stop = { type: 'gateway.stopped', reason: 'test' } as const
  await recorder.append('', share({}), [{ entry: stop }]).catch(() => undefined)
  const state = recorder.state()
  if (state === 'latched') {
    await assert.rejects(
      recorder.append('', share({}), [{ entry: stop }]),
      { code: 'record_down' },
      'a latched record took an entry',
    )
  }
  await recorder.close()
  return state === 'open'
}

async function assertKept(disk: Disk, promises: Promises, what: string): Promise<void> {
  assert.deepEqual(await broken(disk, promises), [], `${what}: acknowledged and lost`)
}

const ways: readonly How[] = ['lost', 'kept', 'torn', 'short']

async function countOperations(): Promise<number> {
  const life = newLife(1)
  assert.ok(await live(life, 'a'), 'without faults nothing fails')
  return life.machine.operations
}

for (const how of ways) {
  for (const end of ['crash', 'kill'] as const) {
    test(`nothing acknowledged is lost when any one operation is ${how} and a ${end} follows`, async () => {
      const operations = await countOperations()
      assert.ok(operations > 60, `${operations} operations are too few to mean anything`)
      let failures = 0
      for (let at = 1; at <= operations; at++) {
        const life = newLife(at)
        life.machine.plan = { at, how }
        if (!(await live(life, 'a'))) failures++
        life.machine[end]()
        // A second process goes on with what the first left, then all that both promised is there.
        assert.ok(await live(life, 'b'), `${how} at ${at}: the next process works`)
        life.machine[end]()
        const disk = life.machine.boot()
        await assertKept(disk, life.promises, `${how} at ${at}`)
        const { openExchanges, problems } = await checkRecord(place(disk))
        assert.deepEqual({ openExchanges, problems }, { openExchanges: [], problems: [] })
      }
      assert.ok(failures > 10, `only ${failures} of the faults were noticed`)
    })
  }
}

test('nothing acknowledged is lost when recovery itself fails at any operation', async () => {
  for (let seed = 1; seed <= 4; seed++) {
    for (let at = 1; at <= 26; at++) {
      const life = newLife(seed * 100 + at)
      const how = ways[(seed + at) % ways.length] ?? 'torn'
      life.machine.plan = { at: 70 + seed * 3, how: 'torn' }
      await live(life, 'a')
      life.machine.crash()
      life.machine.plan = { at: life.machine.operations + at, how }
      await live(life, 'b')
      life.machine.crash()
      assert.ok(await live(life, 'c'), `seed ${seed}, recovery ${how} at ${at}`)
      await assertKept(life.machine.boot(), life.promises, `seed ${seed}, recovery ${how} at ${at}`)
    }
  }
})

test('the check can fail: with the sync taken out, acknowledged entries are lost', async () => {
  const life = newLife(7, false)
  await live(life, 'a')
  life.machine.crash()
  assert.ok(life.promises.count > 0)
  assert.ok((await broken(life.machine.boot(), life.promises)).length > 0)
})

test('a crash in the middle of work, at any operation, loses nothing acknowledged', async () => {
  const operations = await countOperations()
  for (let at = 1; at <= operations; at += 1) {
    const life = newLife(at + 5000)
    const { machine } = life
    const running = live(life, 'a')
    while (machine.operations < at) await new Promise((resolve) => setImmediate(resolve))
    machine.crash()
    await running
    assert.ok(await live(life, 'b'), `a crash at ${at}`)
    await assertKept(machine.boot(), life.promises, `a crash at ${at}`)
  }
})
