import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { alignedBytes, blockBytes, errorCode, readWhole, realDisk, writeWhole } from './disk.ts'
import type { DiskFile } from './disk.ts'

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function commit(file: DiskFile, parts: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    file.commit(parts, position, (error, written) => (error ? reject(error) : resolve(written)))
  })
}

test('a name that is taken is not made anew', () =>
  inFolder(async (folder) => {
    await (await realDisk.create(join(folder, 'a'))).close()
    await assert.rejects(realDisk.create(join(folder, 'a')), { code: 'EEXIST' })
    await assert.rejects(realDisk.open(join(folder, 'b'), 'write'), { code: 'ENOENT' })
    await assert.rejects(realDisk.remove(join(folder, 'b')), { code: 'ENOENT' })
    await assert.rejects(realDisk.syncFolder(join(folder, 'none')), { code: 'ENOENT' })
    assert.deepEqual(await realDisk.list(join(folder, 'none')), [])
  }))

test('a file opened for reading takes no commit, and tells so', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'a'), 'abc')
    const file = await realDisk.open(join(folder, 'a'), 'read')
    await assert.rejects(commit(file, [Buffer.from('x')], 0), { code: 'EBADF' })
    await file.close()
    assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'abc')
  }))

test('parts land end to end at their position, and read back from any other', () =>
  inFolder(async (folder) => {
    const file = await realDisk.create(join(folder, 'a'))
    assert.equal(await commit(file, [Buffer.from('abc'), Buffer.from(''), Buffer.from('de')], 2), 5)
    const into = new Uint8Array(10)
    assert.equal(await file.read(into, 1), 6)
    assert.equal(Buffer.from(into).toString('latin1'), '\0abcde\0\0\0\0')
    assert.equal(await file.read(into, 7), 0)
    await file.truncate(4)
    assert.equal(await file.size(), 4)
    await file.close()
    assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o600)
  }))

/** Blocks of the letters in `text`, one each, in memory that a disk can read by itself. */
function blocks(text: string): Buffer {
  const bytes = alignedBytes(text.length * blockBytes)
  for (let i = 0; i < text.length; i++) bytes.fill(text[i] ?? '', i * blockBytes)
  return bytes
}

test('whole blocks and odd bytes at odd places, in turns, read back as they were committed', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a')
    const file = await realDisk.create(path)
    const model = Buffer.alloc(6 * blockBytes + 7)
    const steps: readonly (readonly [at: number, parts: readonly Buffer[]])[] = [
      [0, [blocks('ab')]],
      [2 * blockBytes - 5, [Buffer.from('odd bytes')]],
      [blockBytes, [blocks('cd'), blocks('ef')]],
      [5 * blockBytes, [Buffer.alloc(blockBytes, 'g')]],
      [4 * blockBytes, [blocks('hi')]],
      [6 * blockBytes, [Buffer.from('the end')]],
      [0, [blocks('j')]],
      [3 * blockBytes - 512 + 1, [blocks('k')]],
    ]
    for (const [at, parts] of steps) {
      const bytes = Buffer.concat(parts)
      assert.equal(await commit(file, parts, at), bytes.length)
      bytes.copy(model, at)
      assert.deepEqual(readFileSync(path), model.subarray(0, await file.size()))
    }
    assert.equal(await file.size(), model.length)
    await file.close()
  }))

test('blocks that the disk cannot take from where they are in memory are written all the same', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a')
    const file = await realDisk.create(path)
    // Their place inside their buffer says nothing of where that one begins.
    const askew = Buffer.alloc(64 * blockBytes, 'x')
    assert.equal(await commit(file, [askew], 0), askew.length)
    assert.equal(await commit(file, [blocks('yz')], blockBytes), 2 * blockBytes)
    blocks('yz').copy(askew, blockBytes)
    assert.deepEqual(readFileSync(path), askew)
    await file.close()
  }))

test('a small file is written whole, over what a crash left of an earlier try', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'deep', 'down', 'a')
    await realDisk.makeFolder(join(folder, 'deep', 'down'))
    await realDisk.makeFolder(join(folder, 'deep', 'down'))
    writeFileSync(`${path}.part`, 'an earlier try, longer than this one')
    await writeWhole(realDisk, path, Buffer.from('abc'))
    assert.equal(Buffer.from(await readWhole(realDisk, path)).toString(), 'abc')
    assert.deepEqual(await realDisk.list(join(folder, 'deep', 'down')), ['a'])
    assert.ok((await realDisk.freeBytes(folder)) > 0)
  }))

test('the code of an error is a word of the system, or nothing', () => {
  assert.equal(errorCode(Object.assign(new Error('x'), { code: 'EIO' })), 'EIO')
  assert.equal(errorCode(Object.assign(new Error('x'), { code: 5 })), undefined)
  assert.equal(errorCode('EIO'), undefined)
})
