/** A witness whose disk fails at every operation in every way, and which is cut off then: what it
 *  has cosigned is never forgotten, and never contradicted. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { formatCheckpoint } from '../../src/tlog/checkpoint.ts'
import { Frontier, leafHash } from '../../src/tlog/merkle.ts'
import { noteSigner, signNote, vkeyOf } from '../../src/tlog/note.ts'
import { HashReader, TileBuilder, tilePath } from '../../src/tlog/tiles.ts'
import { formatRequest } from '../../src/tlog/witness.ts'
import { Ledger } from '../../src/witness/ledger.ts'
import { FaultyMachine } from './disk.ts'
import { HandClock } from './work.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { LedgerAnswer } from '../../src/witness/ledger.ts'
import type { How } from './disk.ts'

const origin = 'audit.example.com/faults'
const logKey = generateKeyPairSync('ed25519').privateKey
const key = generateKeyPairSync('ed25519').privateKey
const sizes = [3, 5, 9]

/** The request from one size to another, in a history of this word. */
async function request(old: number, size: number, word = 'entry'): Promise<Buffer> {
  const builder = new TileBuilder()
  const frontier = new Frontier()
  for (let i = 0; i < size; i++) {
    const leaf = leafHash(Buffer.from(`${word} ${i}`))
    builder.append(leaf)
    frontier.append(leaf)
  }
  const tiles = new Map(builder.take().map(({ bytes, tile }) => [tilePath(tile), bytes]))
  const reader = new HashReader(size, (tile) =>
    Promise.resolve(tiles.get(tilePath(tile)) ?? Buffer.of()),
  )
  const hashes = old === 0 ? [] : await reader.consistencyProof(old)
  const text = formatCheckpoint({ origin, size, root: frontier.root() })
  return Buffer.from(
    formatRequest({ old, hashes, checkpoint: signNote(text, [noteSigner(origin, logKey)]) }),
  )
}

const steps = await Promise.all(sizes.map((size, i) => request(sizes[i - 1] ?? 0, size)))
const forks = new Map<number, Buffer>()
for (const size of [0, ...sizes]) forks.set(size, await request(size, 20, 'another entry'))

function openOn(disk: Disk): Promise<Ledger> {
  const logs = [vkeyOf(origin, logKey)]
  const clock = new HandClock()
  return Ledger.open({ disk, stateDir: '/state', logs, name: 'w.example', key, clock })
}

/** What the machine answers to the steps, and to a fork after the first that failed. */
async function life(machine: FaultyMachine, at: number, how: How): Promise<LedgerAnswer[]> {
  const disk = machine.boot()
  await disk.makeFolder('/state')
  const ledger = await openOn(disk)
  machine.plan = { at: machine.operations + at, how }
  const answers: LedgerAnswer[] = []
  for (const step of steps) {
    answers.push(await ledger.answer(step))
    if (answers.at(-1)?.status !== 200) break
  }
  if (answers.at(-1)?.status === 503) {
    assert.equal(ledger.isWell, false)
    const done = answers.filter(({ status }) => status === 200).length
    const fork = forks.get(sizes[done - 1] ?? 0) ?? Buffer.of()
    const refused = await ledger.answer(fork)
    assert.ok(refused.status === 503 || refused.status === 422, 'what failed once signs no more')
  }
  return answers
}

test('what was cosigned is remembered, whatever the disk does at any operation', async (t) => {
  let runs = 0
  let failed = 0
  for (const how of ['lost', 'kept', 'torn', 'short'] as const) {
    for (let at = 1; at <= 30; at++) {
      for (const end of ['kill', 'crash'] as const) {
        const machine = new FaultyMachine({ seed: at })
        const answers = await life(machine, at, how)
        const cosigned = Math.max(
          0,
          ...answers.map((each) => (each.status === 200 ? each.size : 0)),
        )
        runs++
        if (answers.some(({ status }) => status === 503)) failed++
        machine[end]()
        const ledger = await openOn(machine.boot())
        const told = await ledger.answer(forks.get(0) ?? Buffer.of())
        const size = told.status === 409 ? told.size : 0
        const place = `operation ${at} ${how}, then ${end}`
        assert.ok(size >= cosigned, `${place}: ${size} of ${cosigned} are remembered`)
        assert.ok(size === 0 || sizes.includes(size), place)
        if (size === 0) continue
        assert.equal((await ledger.answer(forks.get(size) ?? Buffer.of())).status, 422, place)
        const next = steps[sizes.indexOf(size) + 1]
        if (next) assert.equal((await ledger.answer(next)).status, 200, place)
      }
    }
  }
  assert.ok(failed > 50, `${failed} of ${runs} failed`)
  t.diagnostic(`${failed} of ${runs} lives met a failure: nothing cosigned was forgotten`)
})
