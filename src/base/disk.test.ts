import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCode, readWhole, realDisk, writeWhole } from './disk.ts'
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
