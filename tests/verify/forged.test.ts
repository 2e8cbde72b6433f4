/** Forgeries that fit together in themselves, made by somebody who may write everything but has no key. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, hash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { realDisk } from '../../src/base/disk.ts'
import {
  batchBytes,
  batchHeaderBytes,
  readBatchHeader,
  readFrames,
} from '../../src/record/frames.ts'
import { LogTree } from '../../src/record/tree.ts'
import { checkpointKeys } from '../../src/record/tree-keys.ts'
import { canonicalize } from '../../src/tlog/canonical.ts'
import { verifyFolder } from '../../src/verify/folder.ts'
import { filledLog, origin } from './make-log.ts'
import type { LogReport } from '../../src/verify/folder.ts'

const made = await filledLog(12)
const stranger = { current: generateKeyPairSync('ed25519').privateKey }

/** A copy to be forged. */
function copy(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-forged-'))
  cpSync(made.dir, dir, { recursive: true })
  return dir
}

function verify(dir: string, older: string[] = []): Promise<LogReport> {
  return verifyFolder({ disk: realDisk, dir, writer: 'w1', keys: made.vkeys, witnesses: [], older })
}

async function assertSeen(dir: string, words: RegExp, code = 1): Promise<void> {
  const { findings } = await verify(dir)
  const told = findings
    .list()
    .map(({ place, weight, words: what }) => `${weight} ${place}: ${what}`)
  assert.equal(findings.exitCode, code, told.join('\n'))
  assert.match(told.join('\n'), words)
}

/** Segments of a log, oldest first. */
function segments(dir: string): string[] {
  const log = join(dir, 'w1/log')
  return readdirSync(log)
    .toSorted()
    .flatMap((month) => {
      return readdirSync(join(log, month))
        .toSorted()
        .map((name) => join(log, month, name))
    })
}

type Entry = Record<string, unknown>
interface Batch {
  readonly header: Buffer
  readonly carry: string | undefined
  readonly entries: { entry: Entry; body: Buffer }[]
}

/** All batches of all segments, taken apart. */
function takeApart(dir: string): { path: string; batches: Batch[] }[] {
  return segments(dir).map((path) => {
    const bytes = readFileSync(path)
    const batches: Batch[] = []
    for (let at = 0; at < bytes.length;) {
      const read = readBatchHeader(bytes.subarray(at))
      if (typeof read === 'string') break
      const { header } = read
      const bodiesAt = at + batchHeaderBytes + header.framesBytes
      const frames = readFrames(bytes.subarray(at + batchHeaderBytes, bodiesAt)) ?? []
      let bodyAt = bodiesAt
      const entries = frames
        .filter(({ kind }) => kind === 1)
        .map(({ payload }) => {
          const entry = JSON.parse(payload.toString()) as Entry
          const size = Number(Object(entry['body']).size ?? 0)
          bodyAt += size
          return { entry, body: bytes.subarray(bodyAt - size, bodyAt) }
        })
      const carry = frames.find(({ kind }) => kind === 2)?.payload.toString()
      batches.push({
        header: Buffer.from(bytes.subarray(at, at + batchHeaderBytes)),
        carry,
        entries,
      })
      at += batchBytes(header)
    }
    return { path, batches }
  })
}

/** Puts them together again with indexes, lengths, digests and checksums that fit. */
function putTogether(files: { path: string; batches: Batch[] }[]): void {
  let index = 0
  let previous = 0
  for (const { path, batches } of files) {
    const parts: Buffer[] = []
    for (const { carry, entries, header } of batches) {
      const first = index
      const frames: Buffer[] = carry === undefined ? [] : [frame(2, carry)]
      for (const { body, entry } of entries) {
        const named =
          body.length > 0
            ? {
                body: { ...Object(entry['body']), sha256: hash('sha256', body), size: body.length },
              }
            : {}
        frames.push(frame(1, canonicalize({ ...entry, ...named, index: index++ })))
      }
      const all = Buffer.concat(frames)
      const bodies = Buffer.concat(entries.map(({ body }) => body))
      header.writeUInt32LE(first, 24)
      header.writeUInt32LE(entries.length, 32)
      header.writeUInt32LE(all.length, 36)
      header.writeUInt32LE(bodies.length, 40)
      header.writeUInt32LE(crc32(all), 48)
      header.writeUInt32LE(previous, 52)
      previous = crc32(header.subarray(8))
      header.writeUInt32LE(previous, 4)
      parts.push(header, all, bodies)
    }
    writeFileSync(path, Buffer.concat(parts))
  }
}

function frame(kind: number, text: string): Buffer {
  const payload = Buffer.from(text)
  const head = Buffer.alloc(16)
  head.write('SF', 'latin1')
  head[2] = kind
  head.writeUInt32LE(payload.length, 8)
  return Buffer.concat([head, payload])
}

/** Makes tiles and checkpoints anew over what the segments hold now, with a key of one's own. */
async function signAnew(dir: string): Promise<void> {
  const folder = join(dir, 'w1')
  for (const name of ['tile', 'checkpoint', 'checkpoints.log', 'synced']) {
    rmSync(join(folder, name), { recursive: true, force: true })
  }
  const size = takeApart(dir).flatMap(({ batches }) =>
    batches.flatMap(({ entries }) => entries),
  ).length
  const at = { disk: realDisk, folder, origin, keys: checkpointKeys(origin, stranger) }
  const tree = await LogTree.open(at, size)
  await tree.grow(size)
  await tree.sync(await tree.publish(true))
  await tree.close()
}

/** Takes out one view or seal, so that nothing else has to be changed. */
function dropOne(files: ReturnType<typeof takeApart>): void {
  for (const { batches } of files) {
    for (const { entries } of batches) {
      const at = entries.findIndex(({ entry }) => entry['type'] === 'call.dispatched')
      if (at < 0) continue
      entries.splice(at, 1)
      return
    }
  }
}

test('what is taken apart and put together is the log again', async () => {
  const dir = copy()
  putTogether(takeApart(dir))
  assert.equal((await verify(dir)).findings.exitCode, 0)
})

test('an entry dropped with all checksums made anew does not fit what was signed', async () => {
  const dir = copy()
  const files = takeApart(dir)
  dropOne(files)
  putTogether(files)
  await assertSeen(dir, /wrong checkpoint 1: signs another tree|wrong checkpoint/)
})

test('an entry dropped with tiles and checkpoints made anew is signed by nobody who is known', async () => {
  const dir = copy()
  const files = takeApart(dir)
  dropOne(files)
  putTogether(files)
  await signAnew(dir)
  await assertSeen(dir, /No known key has signed|no key of the log has/)
})

test('a rewritten log under the last good checkpoint is another tree', async () => {
  const dir = copy()
  const good = readFileSync(join(dir, 'w1/checkpoints.log'))
  const files = takeApart(dir)
  dropOne(files)
  putTogether(files)
  await signAnew(dir)
  writeFileSync(join(dir, 'w1/checkpoints.log'), good)
  await assertSeen(dir, /wrong/)
})

test('two sessions that swap bodies, with digests to match, are another tree', async () => {
  const dir = copy()
  const files = takeApart(dir)
  const all = files.flatMap(({ batches }) => batches.flatMap(({ entries }) => entries))
  const bodyOf = (session: string): { entry: Entry; body: Buffer } | undefined =>
    all.find(({ body, entry }) => entry['session'] === session && body.length > 0)
  const [a, b] = [bodyOf('se_a'), bodyOf('se_b')]
  assert.ok(a && b)
  ;[a.body, b.body] = [b.body, a.body]
  putTogether(files)
  await assertSeen(dir, /signs another tree/)
})

test('a log rolled back whole is missed by nobody who kept one checkpoint', async () => {
  const dir = copy()
  const kept = readFileSync(join(made.folder, 'checkpoint'), 'utf8')
  // As it was at its third checkpoint.
  const notes = readFileSync(join(dir, 'w1/checkpoints.log'), 'utf8').split(/(?<=\n— [^\n]*\n)\n/)
  const size = Number(notes[2]?.split('\n')[1])
  const files = takeApart(dir)
  let index = 0
  for (const file of files) {
    for (const { entries } of file.batches) {
      entries.splice(Math.max(0, Math.min(entries.length, size - index)))
      index += entries.length
    }
  }
  for (const file of files) {
    const kept_ = file.batches.filter(({ entries }) => entries.length > 0)
    file.batches.splice(0, Infinity, ...kept_)
  }
  putTogether(files.filter(({ batches }) => batches.length > 0))
  for (const { batches, path } of files) if (batches.length === 0) rmSync(path)
  const folder = join(dir, 'w1')
  for (const name of ['tile', 'synced'])
    rmSync(join(folder, name), { recursive: true, force: true })
  writeFileSync(
    join(folder, 'checkpoints.log'),
    notes
      .slice(0, 3)
      .map((note) => `${note}\n`)
      .join(''),
  )
  writeFileSync(join(folder, 'checkpoint'), notes[2] ?? '')
  const alone = await verify(dir)
  assert.equal(alone.findings.exitCode, 0, 'by itself an older state is a true one')
  const { findings } = await verify(dir, [kept])
  assert.equal(findings.exitCode, 1)
  assert.match(findings.list()[0]?.words ?? '', /rolled back/)
})

type Harm = readonly [what: string, harm: (dir: string) => void]
const harms: readonly Harm[] = [
  ['a segment is removed', (dir) => rmSync(segments(dir)[1] ?? '')],
  [
    'a segment is doubled',
    (dir) => cpSync(segments(dir)[0] ?? '', join(dir, 'w1/log/2026-11/0099.seg')),
  ],
  [
    'two segments swap names',
    (dir) => {
      const [a = '', b = ''] = segments(dir)
      renameSync(a, `${dir}/x`)
      renameSync(b, a)
      renameSync(`${dir}/x`, b)
    },
  ],
  [
    'the last segment is cut',
    (dir) => {
      const last = segments(dir).at(-1) ?? ''
      truncateSync(last, readFileSync(last).length - 300)
    },
  ],
  ['a file is added', (dir) => writeFileSync(join(dir, 'w1/log/2026-11/note.txt'), 'x')],
  ['a tile is added', (dir) => writeFileSync(join(dir, 'w1/tile/0/999'), Buffer.alloc(8192))],
  ['the checkpoint is missing', (dir) => rmSync(join(dir, 'w1/checkpoint'))],
  ['the checkpoints are missing', (dir) => rmSync(join(dir, 'w1/checkpoints.log'))],
  ['the name is missing', (dir) => rmSync(join(dir, 'w1/origin'))],
  [
    'the line of the name ends in a blank',
    (dir) => writeFileSync(join(dir, 'w1/origin'), `${origin} `),
  ],
  ['the log has another name', (dir) => writeFileSync(join(dir, 'w1/origin'), 'log.example/w2\n')],
  [
    'a checkpoint of another log is shown',
    (dir) => {
      const path = join(dir, 'w1/checkpoint')
      writeFileSync(path, readFileSync(path, 'utf8').replace('w1', 'w2'))
    },
  ],
  [
    'a checkpoint is taken out',
    (dir) => {
      const path = join(dir, 'w1/checkpoints.log')
      const notes = readFileSync(path, 'utf8').split(/(?<=\n— [^\n]*\n)\n/)
      writeFileSync(
        path,
        notes
          .slice(0, -1)
          .slice(0, -1)
          .map((note) => `${note}\n`)
          .join(''),
      )
    },
  ],
]
for (const [what, harm] of harms) {
  test(`it is seen when ${what}`, async () => {
    const dir = copy()
    harm(dir)
    const { findings } = await verify(dir)
    assert.notEqual(findings.exitCode, 0)
    assert.ok(existsSync(dir))
  })
}
