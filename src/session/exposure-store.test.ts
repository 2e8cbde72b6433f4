import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { ExposureStore } from './exposure-store.ts'
import type { DaySketch, Exposed } from './exposure-store.ts'
import { SessionState } from './state.ts'

function newFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'state.sqlite')
}

const ada: Exposed = { key: 'a', issuer: 'https://issuer.example', subject: 'ada', name: 'Ada L.' }
const eve: Exposed = { key: 'e', issuer: 'https://issuer.example', subject: 'eve', name: undefined }
const sketch = (day: number, kind: DaySketch['kind'], ...bytes: number[]): DaySketch => ({
  day,
  kind,
  bytes: Uint8Array.from(bytes),
})

test('a file that is not there, or has no exposure, gives nothing to read and is not made', (t) => {
  const file = newFile(t)
  assert.equal(ExposureStore.openToRead(file), undefined)
  assert.throws(() => statSync(file), { code: 'ENOENT' })
  new SessionState(file, new Uint8Array(32)).close()
  assert.equal(ExposureStore.openToRead(file), undefined)
})

test('a file that is no database is an error', (t) => {
  const file = newFile(t)
  writeFileSync(file, 'sqlite it is not, and long enough to be looked at'.repeat(20))
  assert.throws(() => ExposureStore.openToRead(file), { code: 'ERR_SQLITE_ERROR' })
})

test('what was opened to read cannot be written', (t) => {
  const file = newFile(t)
  ExposureStore.open(file).close()
  const store = ExposureStore.openToRead(file)
  assert.throws(() => store?.save([{ who: ada, sketches: [] }]), { code: 'ERR_SQLITE_ERROR' })
})

test('sketches come back by principal and day, the last one written of each day and kind', () => {
  const store = ExposureStore.open(':memory:')
  store.save([{ who: ada, sketches: [sketch(5, 'clear', 1), sketch(3, 'masked', 2)] }])
  store.save([{ who: eve, sketches: [sketch(5, 'clear', 9)] }])
  store.save([{ who: ada, sketches: [sketch(5, 'clear', 3, 4)] }])
  assert.deepEqual(store.sketches('a', 3, 5), [sketch(3, 'masked', 2), sketch(5, 'clear', 3, 4)])
  assert.deepEqual(store.sketches('a', 4, 4), [])
  assert.deepEqual(store.sketches('a', 4, 9), [sketch(5, 'clear', 3, 4)])
})

test('principals come page by page, each as it was named last', () => {
  const store = ExposureStore.open(':memory:')
  const named = { ...ada, name: 'Ada B.' }
  store.save([ada, eve, named].map((who) => ({ who, sketches: [] })))
  assert.deepEqual(store.principals('', 1), [named])
  assert.deepEqual(store.principals('a', 9), [eve])
  assert.deepEqual(store.principals('e', 9), [])
})

test('a write is there as a whole or not at all', () => {
  const store = ExposureStore.open(':memory:')
  const broken = {
    get bytes(): Uint8Array {
      throw new Error('half way')
    },
    day: 1,
    kind: 'clear' as const,
  }
  assert.throws(() => store.save([{ who: ada, sketches: [sketch(1, 'clear', 1), broken] }]), /half/)
  assert.deepEqual(store.principals('', 9), [])
  assert.deepEqual(store.sketches('a', 0, 9), [])
  store.save([{ who: ada, sketches: [] }])
  assert.equal(store.principals('', 9).length, 1)
})

test('old days go in bounded parts, then who has none left', () => {
  const store = ExposureStore.open(':memory:')
  const days = [1, 2, 3, 4].map((day) => sketch(day, 'clear', 1))
  store.save([{ who: ada, sketches: days }])
  store.save([{ who: eve, sketches: [sketch(2, 'masked', 1)] }])
  assert.equal(store.forgetBefore(4, 2), false)
  assert.equal(store.principals('', 9).length, 2)
  assert.equal(store.forgetBefore(4, 3), true)
  assert.deepEqual(store.principals('', 9), [ada])
  assert.deepEqual(store.sketches('a', 0, 9), [sketch(4, 'clear', 1)])
})

test('sessions and exposure share the file, which only its owner can read', (t) => {
  const file = newFile(t)
  const store = ExposureStore.open(file)
  const state = new SessionState(file, new Uint8Array(32))
  state.ownTask('shop', 't', 'ada', 1)
  store.save([{ who: ada, sketches: [] }])
  assert.equal(state.ownerOfTask('shop', 't'), 'ada')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  state.close()
  store.close()
})

const isRoot = process.getuid?.() === 0
const skip = isRoot ? false : 'becoming a user who cannot write the folder: run as root'
test('a copy in a folder that cannot be written is read all the same', { skip }, (t) => {
  const file = newFile(t)
  const store = ExposureStore.open(file)
  store.save([{ who: ada, sketches: [] }])
  store.close()
  chmodSync(join(file, '..'), 0o755)
  chmodSync(file, 0o644)
  process.seteuid?.(65_534)
  try {
    assert.throws(() => writeFileSync(`${file}-wal`, ''), { code: 'EACCES' })
    const copy = ExposureStore.openToRead(file)
    assert.deepEqual(copy?.principals('', 9), [ada])
    copy?.close()
  } finally {
    process.seteuid?.(0)
  }
})

test('what was written is read where the writer never came to close its file', (t) => {
  const [file, left] = [newFile(t), newFile(t)]
  const store = ExposureStore.open(file)
  store.save([{ who: ada, sketches: [] }])
  for (const end of ['', '-wal']) copyFileSync(file + end, left + end)
  const found = ExposureStore.openToRead(left)
  assert.deepEqual(found?.principals('', 9), [ada])
  found?.close()
  store.close()
})
