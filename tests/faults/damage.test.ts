/**
 * A log that lost or changed what was acknowledged never opens as if nothing were wrong. Only what
 * stands before the last batch can be told from an unfinished write: that the last one is there, and
 * that the last segments are, is for checkpoints to prove.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Fault } from '../../src/base/fault.ts'
import { checkRecord } from '../../src/record/check.ts'
import { readBatches } from '../../src/record/read.ts'
import { Dice } from './dice.ts'
import { liveThrough } from './lives.ts'
import { open, place } from './work.ts'
import type { Story } from './lives.ts'

interface Found {
  readonly path: string
  readonly start: number
  readonly end: number
}

/** Where the batches stand, in order. */
async function batchesOf({ machine }: Story): Promise<Found[]> {
  const found: Found[] = []
  const segments = machine.paths().filter((path) => path.endsWith('.seg'))
  let at = -1
  for await (const { header, offset } of readBatches(place(machine.look()))) {
    if (offset === 0) at++
    const end = offset + 64 + header.framesBytes + header.bodiesBytes
    found.push({ path: segments[at] ?? '', start: offset, end })
  }
  return found
}

type Harm = (bytes: Buffer, batch: Found, dice: Dice) => Buffer

const harms: readonly (readonly [what: string, harm: Harm])[] = [
  [
    'has one bit turned',
    (bytes, { start, end }, dice) => {
      const at = start + dice.below(end - start)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8))
      return bytes
    },
  ],
  [
    'has a part full of zeros',
    (bytes, { start, end }, dice) => {
      const from = start + dice.below(end - start)
      return bytes.fill(0, from, from + 1 + dice.below(end - from))
    },
  ],
  ['is full of zeros', (bytes, { start, end }) => bytes.fill(0, start, end)],
  [
    'is gone',
    (bytes, { start, end }) => Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]),
  ],
  [
    'lacks some bytes',
    (bytes, { start, end }, dice) => {
      const from = start + dice.below(end - start)
      const to = from + 1 + dice.below(end - from)
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
    },
  ],
  [
    'is there twice',
    (bytes, { start, end }) => Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]),
  ],
]

/** Records of a few segments each, with all their batches and the bytes of all their files. */
interface Sound {
  readonly name: string
  readonly story: Story
  readonly batches: readonly Found[]
  readonly files: ReadonlyMap<string, Buffer>
}

const sound: Sound[] = []
before(async () => {
  for (let seed = 1; sound.length < 25; seed++) {
    const story = await liveThrough(seed)
    const { machine } = story
    const batches = await batchesOf(story)
    const files = machine.paths().map((path) => [path, Buffer.from(machine.bytes(path))] as const)
    if (batches.length > 5)
      sound.push({ name: `seed ${seed}`, story, batches, files: new Map(files) })
  }
})

function restore({ files, story }: Sound): void {
  for (const path of story.machine.paths()) story.machine.put(path, files.get(path))
  for (const [path, bytes] of files) story.machine.put(path, bytes)
}

for (const [what, harm] of harms) {
  test(`a record in which a batch before the last ${what} is refused`, async () => {
    let refusedAtOnce = 0
    for (const [i, record] of sound.entries()) {
      const { batches, story } = record
      const dice = new Dice(i)
      // The first may be missing by right: with its month, at the end of its retention. Half of the
      // time one that the start itself reads, in the last segment.
      const last = batches.filter(({ path }) => path === batches.at(-1)?.path)
      const from = (dice.chance(0.5) && last.length > 1 ? last : batches).slice(0, -1)
      const batch = from[Math.max(from === batches ? 1 : 0, dice.below(from.length))]
      const bytes = Buffer.from(story.machine.bytes(batch?.path ?? ''))
      const harmed = batch && harm(Buffer.from(bytes), batch, dice)
      if (!harmed || batch === batches[0] || harmed.equals(bytes)) continue
      story.machine.put(batch.path, harmed)
      if (await assertRefused(record, last.includes(batch))) refusedAtOnce++
      restore(record)
    }
    assert.ok(refusedAtOnce > sound.length / 4, `only ${refusedAtOnce} were refused at the start`)
  })
}

test('a record without one of its middle segments is refused', async () => {
  let count = 0
  for (const [i, record] of sound.entries()) {
    const { machine } = record.story
    const middle = machine
      .paths()
      .filter((path) => path.endsWith('.seg'))
      .slice(1, -1)
    const gone = middle[new Dice(i).below(middle.length)]
    if (gone === undefined) continue
    machine.put(gone, undefined)
    await assertRefused(record, gone === middle.at(-1))
    restore(record)
    count++
  }
  assert.ok(count > sound.length / 4)
})

test('a record that was not harmed opens', async () => {
  for (const record of sound) {
    const { clock, machine, options } = record.story
    const { recorder, recovered } = await open(machine.look(), clock, options)
    await recorder.close()
    assert.deepEqual([recovered.isClean, recovered.torn], [true, []])
    restore(record)
  }
})

/** The check always sees it; starting refuses wherever it looks. True when the start refused. */
async function assertRefused({ name: what, story }: Sound, isSeen: boolean): Promise<boolean> {
  const { clock, machine, options } = story
  const checked = await checkRecord(place(machine.look())).catch((error: Error) => error)
  const isFound = checked instanceof Error ? isDamage(checked) : checked.problems.length > 0
  assert.ok(isFound, `${what}: the check found nothing wrong`)
  const found = machine.paths().map((path) => [path, Buffer.from(machine.bytes(path))])
  const opened = await open(machine.look(), clock, options).catch((error: Error) => error)
  if (opened instanceof Error) {
    assert.ok(isDamage(opened), `${what}: ${opened.message}`)
    const after = machine.paths().map((path) => [path, machine.bytes(path)])
    assert.deepEqual(after, found, `${what}: refused, and changed`)
    return true
  }
  await opened.recorder.close()
  assert.ok(!isSeen, `${what}: it started as if nothing were wrong`)
  return false
}

function isDamage(error: unknown): boolean {
  const reason = error instanceof Fault ? error.facts?.['reason'] : undefined
  return reason === 'damaged' || reason === 'newer_version'
}
