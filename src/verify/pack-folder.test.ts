import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteRun, digestFile, linesOf, packReader, readSmall } from './pack-folder.ts'
import type { PackFolder } from './pack-folder.ts'

/** A folder of one file that comes in these pieces. */
const folderOf = (pieces: readonly Uint8Array[]): PackFolder => ({
  list: () => Promise.resolve({ files: ['f'], odd: [] }),
  async *read() {
    for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece))
  },
})
const pieces = fc.array(fc.uint8Array({ maxLength: 5, max: 12 }), { maxLength: 12 })

test('lines are the same however the bytes come', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, async (all) => {
      const whole = Buffer.concat([...all, Buffer.from('\n')])
      const lines = await Array.fromAsync(linesOf(folderOf([...all, Buffer.from('\n')]), 'f', 99))
      const joined = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
      assert.deepEqual(joined, whole)
      assert.ok(lines.every((line) => !line.includes(10)))
    }),
  )
})

test('stretches of bytes are the same however they come', async () => {
  const lengths = fc.array(fc.nat({ max: 9 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(pieces, lengths, async (all, taken) => {
      const whole = Buffer.concat(all)
      const run = new ByteRun(folderOf(all), 'f')
      let at = 0
      for (const length of taken) {
        assert.deepEqual(await run.take(length), whole.subarray(at, at + length))
        at += length
      }
      await run.close()
    }),
  )
})

test('a line that is too long or has no end is refused', async () => {
  const read = (...texts: string[]): Promise<Buffer[]> =>
    Array.fromAsync(linesOf(folderOf(texts.map((text) => Buffer.from(text))), 'f', 4))
  assert.equal((await read('1234\n', '12', '34\n')).length, 2)
  for (const texts of [['12345\n'], ['123', '45\n'], ['12345'], ['1234'], ['1\n', '2']]) {
    await assert.rejects(read(...texts), { code: 'bundle_malformed' })
  }
})

test('a small file is read whole, a longer one not', async () => {
  const folder = folderOf([Buffer.from('12'), Buffer.from('34')])
  assert.equal((await readSmall(folder, 'f', 4)).toString(), '1234')
  await assert.rejects(readSmall(folder, 'f', 3), { code: 'bundle_malformed' })
  assert.equal((await digestFile(folder, 'f')).size, 4)
})

test('a folder lists files at any depth, and what is none', async () => {
  const at = mkdtempSync(join(tmpdir(), 'sallyport-files-'))
  mkdirSync(join(at, 'b', 'c'), { recursive: true })
  for (const path of ['z', 'b/a', 'b/c/d']) writeFileSync(join(at, path), path)
  symlinkSync('z', join(at, 'link'))
  const folder = packReader(at)
  assert.deepEqual(await folder.list(), { files: ['b/a', 'b/c/d', 'z'], odd: ['link'] })
  const [piece] = await Array.fromAsync(folder.read('b/c/d', 2))
  assert.equal(piece?.toString(), 'c/d')
})
