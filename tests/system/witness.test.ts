/** A real record and a real witness over HTTP: what is cosigned is proven by the verifier, and a
 *  record that was rolled back or forked is found out although its own signatures all fit. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { openWitnessKey } from '../../src/witness/key.ts'
import { hashOf } from '../../src/witness/ledger.ts'
import { startWitness } from '../../src/witness/server.ts'
import { Witnesses } from '../../src/witness/witnesses.ts'
import { verifyFolder } from '../../src/verify/folder.ts'
import { HandClock } from '../faults/work.ts'
import { call, live, newLog, origin } from '../verify/make-log.ts'
import type { LogReport } from '../../src/verify/folder.ts'
import type { Witness } from '../../src/witness/server.ts'
import type { MadeLog } from '../verify/make-log.ts'

/** The witnesses' time and the rounds'; the record has its own, so that its seals keep theirs. */
const clock = new HandClock('2026-11-20T10:00:00.000Z')

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-witness-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openWitness(t: TestContext, log: MadeLog, name: string): Promise<Witness> {
  const stateDir = folderOf(t)
  const witness = await startWitness({
    host: '127.0.0.1',
    port: 0,
    logs: log.vkeys,
    key: openWitnessKey(stateDir),
    name,
    stateDir,
    disk: realDisk,
    clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
  t.after(() => witness.close())
  return witness
}

const urlOf = ({ port }: Witness): string => `http://127.0.0.1:${port}`

interface Side {
  /** A round, a minute later. */
  readonly round: () => Promise<void>
  readonly told: string[]
}

function sideOf(t: TestContext, log: MadeLog, witnesses: readonly Witness[]): Side {
  const told: string[] = []
  const client = new Witnesses({
    disk: realDisk,
    folder: log.folder,
    origin,
    witnesses: witnesses.map((each) => ({ url: urlOf(each), vkey: each.vkey })),
    clock,
    onTrouble: ({ reason }) => told.push(reason),
  })
  t.after(() => client.close())
  const round = (): Promise<void> => {
    clock.us += 60_000_000
    return client.tick()
  }
  return { round, told }
}

/** A life of the gateway with some calls; after each the tree is signed and shown around. */
function work(
  log: MadeLog,
  name: string,
  calls: number,
  shown: () => Promise<void>,
): Promise<void> {
  return live(log, async (recorder, sign) => {
    for (let i = 0; i < calls; i++) {
      const at = { isFirst: i === 0, isLast: i === calls - 1 }
      const ids = { session: `se_${name}`, exchange: `ex_${name}${i}` }
      await call(recorder, log.clock, { ...ids, text: `${name} ${i}`, ...at })
      await sign()
      await shown()
    }
  })
}

function verify(
  log: MadeLog,
  witnesses: readonly string[],
  older: string[] = [],
): Promise<LogReport> {
  const { dir, vkeys, writer } = log
  return verifyFolder({ disk: realDisk, dir, writer, keys: vkeys, witnesses, older })
}

/** The same installation with its data folder copied as it is now. */
function copied(t: TestContext, log: MadeLog): MadeLog {
  const dataDir = folderOf(t)
  cpSync(log.dataDir, dataDir, { recursive: true })
  const dir = join(dataDir, 'record')
  const bodyKeys = { ...log.bodyKeys, dir: join(dataDir, 'months') }
  return { ...log, dataDir, dir, folder: join(dir, log.writer), bodyKeys }
}

test('a record under two witnesses is proven, and its copies are told apart from it', async (t) => {
  const log = await newLog()
  t.after(() => rmSync(log.dataDir, { recursive: true }))
  const both = [await openWitness(t, log, 'w1.example'), await openWitness(t, log, 'w2.example')]
  const vkeys = both.map(({ vkey }) => vkey)
  const side = sideOf(t, log, both)
  await work(log, 'a', 12, side.round)
  const older = copied(t, log)
  await work(log, 'b', 60, side.round)
  await side.round()
  const report = await verify(log, vkeys)
  assert.deepEqual([report.findings.exitCode, report.findings.list(), side.told], [0, [], []])
  assert.ok(report.size > 256, 'more than one tile')
  assert.deepEqual(
    report.witnesses.map(({ name, size }) => ({ name, size })),
    [
      { name: 'w1.example', size: report.size },
      { name: 'w2.example', size: report.size },
    ],
  )

  await t.test('a restart after a backup was put back is disputed', async () => {
    const rolled = sideOf(t, older, both)
    await rolled.round()
    assert.deepEqual(rolled.told, ['witness_disputes', 'witness_disputes'])
    assert.equal((await verify(older, vkeys)).findings.exitCode, 0, 'by itself it is whole')
  })
  await t.test('what a witness shows to everybody disproves it', async () => {
    const [one] = both
    assert.ok(one)
    const shown = await fetch(`${urlOf(one)}/${hashOf(origin)}/checkpoint`)
    const note = await shown.text()
    assert.equal((await verify(log, vkeys, [note])).findings.exitCode, 0)
    assert.equal((await verify(older, vkeys, [note])).findings.exitCode, 1)
  })
  await t.test('a history that goes on in another way is disputed at any length', async () => {
    const forked = sideOf(t, older, both)
    await work(older, 'c', 90, async () => undefined)
    await forked.round()
    assert.deepEqual(forked.told, ['witness_disputes', 'witness_disputes'])
    const cosigned = readFileSync(join(older.folder, 'cosigned'), 'utf8')
    assert.equal(cosigned.split('\n')[0], origin)
    assert.equal(
      (await verify(older, vkeys)).findings.exitCode,
      0,
      'its old cosignatures still fit',
    )
  })
})
