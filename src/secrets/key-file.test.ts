import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import { realDisk } from '../base/disk.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { forgetUnused, makeKeyFile, readKeyFile, rotateFile } from './key-file.ts'
import { fileWrapper } from './wrap-file.ts'
import { place, rejectsFor } from './wrapper.fixture.ts'

let folder = ''
let file = ''
const clock = { nowUs: () => Date.UTC(2026, 10, 21) * 1000, monotonicMs: () => 0 }
const parts = { disk: realDisk, clock }
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  file = join(folder, 'kek')
})
afterEach(() => rmSync(folder, { recursive: true }))

const first = 'sallyport key-encryption keys v1'
const time = '2026-11-21T00:00:00.000000Z'
const one = randomBytes(32).toString('base64')
const two = randomBytes(32).toString('base64')
function written(text: string, mode = 0o600): string {
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}
const refused: readonly [what: string, text: string][] = [
  ['an empty file', ''],
  ['a file of its first line alone', `${first}\n`],
  ['a file without its first line', `1 ${time} ${one}\n`],
  ['another version of the format', `sallyport key-encryption keys v2\n1 ${time} ${one}\n`],
  ['a version of 0', `${first}\n0 ${time} ${one}\n`],
  ['a version with a zero before it', `${first}\n01 ${time} ${one}\n`],
  ['versions out of order', `${first}\n2 ${time} ${one}\n1 ${time} ${two}\n`],
  ['a version that is there twice', `${first}\n1 ${time} ${one}\n1 ${time} ${two}\n`],
  ['a time that is none', `${first}\n1 2026-11-21 ${one}\n`],
  ['a key of 31 bytes', `${first}\n1 ${time} ${Buffer.alloc(31).toString('base64')}\n`],
  ['a key of 33 bytes', `${first}\n1 ${time} ${Buffer.alloc(33).toString('base64')}\n`],
  [
    'a key in another spelling',
    `${first}\n1 ${time} ${one.slice(0, -2)}B=\n`.replace(/[^B]B=/, '9='),
  ],
  ['a line of more', `${first}\n1 ${time} ${one} more\n`],
  ['an empty line in between', `${first}\n1 ${time} ${one}\n\n2 ${time} ${two}\n`],
  ['two line ends at its end', `${first}\n1 ${time} ${one}\n\n`],
  ['line ends of Windows', `${first}\r\n1 ${time} ${one}\r\n`],
  ['a line that is cut off', `${first}\n1 ${time} ${one}\n2 ${time} ${two.slice(0, 20)}`],
  ['64 KiB', `${first}\n${'x'.repeat(64 * 1024)}\n`],
]
for (const [what, text] of refused) {
  test(`${what} holds no keys, and the message none of them`, () => {
    assert.throws(
      () => readKeyFile(written(text)),
      (error: Error) => {
        assert.ok(error instanceof Fault && error.code === 'secret_missing')
        assert.ok(!error.message.includes(one.slice(0, 8)))
        return true
      },
    )
  })
}
for (const mode of [0o640, 0o604, 0o620, 0o660]) {
  test(`a file of mode ${mode.toString(8)} is refused`, async () => {
    written(`${first}\n1 ${time} ${one}\n`, mode)
    const fault = await rejectsFor('kek_unknown', fileWrapper(file).current())
    assert.match(fault.message, /chmod it to 600 or 400/)
  })
}
test('without a file nothing wraps', async () => {
  await rejectsFor('kek_unknown', fileWrapper(file).wrap(randomBytes(32), place))
  assert.ok(!existsSync(file))
})
test('a file of two keys is read, with a gap and without its last line end', () => {
  const keys = readKeyFile(written(`${first}\n1 ${time} ${one}\n7 ${time} ${two}`))
  assert.deepEqual(
    keys.map(({ version, made, key }) => [version, made, key.toString('base64')]),
    [
      [1, time, one],
      [7, time, two],
    ],
  )
  for (const { id } of keys) assert.match(id, /^file\/[17]\/[0-9a-f]{16}$/)
})
test('a file that is made is the owner’s alone, in a folder that is too', async () => {
  const path = join(folder, 'new', 'keys', 'kek')
  const id = await makeKeyFile(path, parts)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(join(folder, 'new', 'keys')).mode & 0o777, 0o700)
  assert.equal(readKeyFile(path).at(-1)?.id, id)
  assert.match(readFileSync(path, 'latin1'), /^sallyport key-encryption keys v1\n1 \S+ \S+=\n$/)
})
test('a file that is there is never made again', async () => {
  await makeKeyFile(file, parts)
  const before = readFileSync(file)
  await rejectsFor('kek_unfit', makeKeyFile(file, parts))
  assert.deepEqual(readFileSync(file), before)
  assert.ok(!existsSync(`${file}.part`))
})
test('of many that make, rotate and forget at once none loses another’s key', async () => {
  await makeKeyFile(file, parts)
  const all = Array.from({ length: 8 }, () => rotateFile(file, parts))
  const made = (await Promise.allSettled(all)).flatMap((each) =>
    each.status === 'fulfilled' ? [each.value] : [],
  )
  assert.ok(made.length >= 1)
  const ids = readKeyFile(file).map(({ id }) => id)
  assert.deepEqual(ids.slice(1), made)
  await rotateFile(file, parts)
})
test('a part that a crash left stops changes until it is removed, and nothing else', async () => {
  await makeKeyFile(file, parts)
  writeFileSync(`${file}.part`, 'half', { mode: 0o600 })
  await rejectsFor('kek_settings', rotateFile(file, parts))
  assert.ok(existsSync(`${file}.part`))
  await fileWrapper(file).wrap(randomBytes(32), place)
  rmSync(`${file}.part`)
  await rotateFile(file, parts)
})
test('a file that cannot be read is not rotated over', async () => {
  written('something else')
  await rejectsFor('kek_unfit', rotateFile(file, parts))
  assert.equal(readFileSync(file, 'utf8'), 'something else')
})
test('what wraps nothing is forgotten; the newest and the used stay', async () => {
  const [a, b, c] = [
    await makeKeyFile(file, parts),
    await rotateFile(file, parts),
    await rotateFile(file, parts),
  ]
  assert.deepEqual(await forgetUnused(file, new Set([b, 'transit/x/1']), parts), [a])
  assert.deepEqual(
    readKeyFile(file).map(({ id }) => id),
    [b, c],
  )
  assert.deepEqual(await forgetUnused(file, new Set(), parts), [b])
  assert.match(await rotateFile(file, parts), /^file\/4\//)
})
test('nothing is forgotten by a list that names a key which is not there', async () => {
  await makeKeyFile(file, parts)
  await rotateFile(file, parts)
  const before = readFileSync(file)
  await rejectsFor('kek_unfit', forgetUnused(file, new Set(['file/1/0123456789abcdef']), parts))
  assert.deepEqual(readFileSync(file), before)
})
test('a key of the same version in another file is told apart', async () => {
  await makeKeyFile(file, parts)
  const wrapped = await fileWrapper(file).wrap(randomBytes(32), place)
  rmSync(file)
  await makeKeyFile(file, parts)
  await rejectsFor('kek_unknown', fileWrapper(file).unwrap(wrapped, place))
})
test('any one byte changed in a wrapped key is noticed', async () => {
  await makeKeyFile(file, parts)
  const wrapper = fileWrapper(file)
  const wrapped = await wrapper.wrap(randomBytes(32), place)
  const bytes = Buffer.from(wrapped.wrapped, 'base64')
  const noticed = fc.asyncProperty(
    fc.nat({ max: 59 }),
    fc.integer({ min: 1, max: 255 }),
    async (at, by) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ by
      const other = { ...wrapped, wrapped: changed.toString('base64') }
      await rejectsFor('wrapped_elsewhere', wrapper.unwrap(other, place))
    },
  )
  await fc.assert(noticed, { numRuns: 60 })
})

/** Fails at operation `at`, before it took effect or after. Returns how many there were in `count`. */
function failingDisk(at: number, how: 'lost' | 'kept'): Disk & { count(): number } {
  let done = 0
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (done++ !== at) return work()
    if (how === 'kept') await work()
    throw new Error('The disk of the test fails.')
  }
  const wrapFile = (inner: DiskFile): DiskFile => ({
    ...inner,
    commit(bytes, position, told) {
      if (done++ !== at) return inner.commit(bytes, position, told)
      const failed = (): void => told(new Error('The disk of the test fails.'), 0)
      if (how === 'kept') inner.commit(bytes, position, failed)
      else failed()
    },
  })
  return {
    ...realDisk,
    create: async (path) => wrapFile(await step(() => realDisk.create(path))),
    makeFolder: (path) => step(() => realDisk.makeFolder(path)),
    syncFolder: (path) => step(() => realDisk.syncFolder(path)),
    rename: (from, to) => step(() => realDisk.rename(from, to)),
    remove: (path) => step(() => realDisk.remove(path)),
    count: () => done,
  }
}
for (const how of ['lost', 'kept'] as const) {
  test(`whatever write fails, ${how}, the old keys are still there`, async () => {
    for (let at = 0; ; at++) {
      rmSync(folder, { recursive: true })
      await makeKeyFile(file, parts)
      const wrapped = await fileWrapper(file).wrap(Buffer.alloc(32, 7), place)
      const disk = failingDisk(at, how)
      const outcome = await rotateFile(file, { disk, clock }).catch((error: unknown) => error)
      await fileWrapper(file).unwrap(wrapped, place)
      const isNew = readKeyFile(file).length === 2
      if (typeof outcome === 'string') {
        assert.ok(isNew)
        assert.ok(at >= 4, 'create, commit, rename and sync were each failed')
        break
      }
      await rejectsFor('kek_down', Promise.reject(outcome))
    }
  })
}
