import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openReplays } from './saml-replays.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-replays-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${(files += 1)}.sqlite`)

test('what was taken is not taken again, by another opening of the file either', () => {
  const file = newFile()
  const one = openReplays(file)
  assert.equal(one.take(['a'], 2_000, 1_000), true)
  assert.equal(one.take(['a'], 2_000, 1_000), false)
  const another = openReplays(file)
  assert.equal(another.take(['a'], 2_000, 1_000), false)
  assert.equal(another.take(['b'], 2_000, 1_000), true)
  assert.equal(one.take(['b'], 2_000, 1_000), false)
  one.close()
  another.close()
})

test('where one name was taken, none of the others is', () => {
  const replays = openReplays(':memory:')
  assert.equal(replays.take(['a'], 2_000, 1_000), true)
  assert.equal(replays.take(['b', 'a', 'c'], 2_000, 1_000), false)
  assert.equal(replays.take(['b', 'c'], 2_000, 1_000), true)
  assert.equal(replays.take(['d', 'd'], 2_000, 1_000), false)
  replays.close()
})

test('a name is kept to its end, and then forgotten', () => {
  const replays = openReplays(':memory:')
  replays.take(['b'], 2_000, 1_000)
  assert.equal(replays.take(['b'], 9_000, 2_000), false)
  replays.take(['a'], 2_000.5, 1_000)
  assert.equal(replays.take(['a'], 9_000, 2_000.5), false)
  assert.equal(replays.take(['a'], 9_000, 2_002), true)
  replays.close()
})

test('the file is for its owner only, and holds no name', () => {
  const file = newFile()
  const replays = openReplays(file)
  replays.take(['saml assertion https://idp.example.com _a1'], 2_000, 1_000)
  replays.close()
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readFileSync(file).includes('idp.example'), false)
})
