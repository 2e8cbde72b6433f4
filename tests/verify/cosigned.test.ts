/** The file `cosigned` of a log, as `verifyFolder` reads it: whole, changed, foreign, unknown. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { formatCheckpoint, parseCheckpoint } from '../../src/tlog/checkpoint.ts'
import { cosigner } from '../../src/tlog/cosignature.ts'
import { noteSigner, signatureLines, signNote, splitNote, vkeyOf } from '../../src/tlog/note.ts'
import { verifyFolder } from '../../src/verify/folder.ts'
import { filledLog, origin } from './make-log.ts'
import type { LogReport } from '../../src/verify/folder.ts'

const log = await filledLog(8)
after(() => rmSync(log.dataDir, { recursive: true }))
const path = join(log.folder, 'cosigned')
const names = ['w1.example', 'w2.example'] as const
const keys = names.map(() => generateKeyPairSync('ed25519').privateKey)
const vkeys = names.map((name, i) => vkeyOf(name, keys[i] ?? Buffer.of(), 4))
const cosigners = names.flatMap((name, i) => {
  const key = keys[i]
  return key ? [cosigner(name, key, () => 1_800_000_000 + i)] : []
})
const notes = readFileSync(join(log.folder, 'checkpoints.log'), 'utf8')
  .split(/(?<=^— .*\n)\n/m)
  .filter((note) => note !== '')
const middle = notes[Math.floor(notes.length / 2)] ?? ''
const cosigned = middle + signatureLines(splitNote(middle).text, cosigners)

function verify(note: string | Buffer, witnesses: readonly string[] = vkeys): Promise<LogReport> {
  writeFileSync(path, note)
  const { dir, vkeys: own, writer } = log
  return verifyFolder({ disk: realDisk, dir, writer, keys: own, witnesses, older: [] })
}
const words = ({ findings }: LogReport): string[] =>
  findings.list().map(({ place, weight }) => `${weight} ${place}`)

test('a cosigned checkpoint is proven, and the report says who saw what and when', async () => {
  const report = await verify(cosigned)
  assert.deepEqual(words(report), [])
  const { size } = parseCheckpoint(splitNote(middle).text)
  assert.deepEqual(report.witnesses, [
    { name: 'w1.example', size, time: 1_800_000_000 },
    { name: 'w2.example', size, time: 1_800_000_001 },
  ])
})

test('lines of witnesses that the verifier does not know leave it unsure', async () => {
  const one = await verify(cosigned, vkeys.slice(1))
  assert.deepEqual([one.findings.exitCode, words(one)], [2, ['unsure cosigned']])
  assert.deepEqual(
    one.witnesses.map(({ name }) => name),
    ['w2.example'],
  )
  const none = await verify(cosigned, [])
  assert.deepEqual([none.findings.exitCode, none.witnesses], [2, []])
})

test('every changed byte of it is seen', async (t) => {
  const good = Buffer.from(cosigned)
  const missed: number[] = []
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good)
    bad.writeUInt8(good.readUInt8(at) ^ (1 << (at % 8)), at)
    if ((await verify(bad)).findings.exitCode === 0) missed.push(at)
  }
  assert.deepEqual(missed, [])
  t.diagnostic(`${good.length} bytes changed: all seen`)
})

const { root, size } = parseCheckpoint(splitNote(middle).text)
const ownSigner = noteSigner(origin, log.keys.current)
const line = (text: string): string => signatureLines(text, cosigners)
const unseen = formatCheckpoint({ origin, size: size + 1, root })
const forged: readonly [what: string, note: string][] = [
  ['nothing', ''],
  ['no note', 'hello\n'],
  ['no line of the log', `${splitNote(middle).text}\n${line(splitNote(middle).text)}`],
  [
    'a checkpoint that the log signed and did not keep',
    signNote(unseen, [ownSigner]) + line(unseen),
  ],
  ['one key twice', cosigned + line(splitNote(middle).text)],
  ['a line moved from another checkpoint', middle + line(unseen)],
  [
    'another log',
    signNote(unseen.replace(origin, 'other.example'), [
      noteSigner('other.example', log.keys.current),
    ]),
  ],
]
for (const [what, note] of forged) {
  test(`a cosigned file with ${what} is wrong`, async () => {
    const report = await verify(note)
    assert.equal(report.findings.exitCode, 1)
    assert.ok(words(report).includes('wrong cosigned'), words(report).join())
  })
}
