/** The witness over HTTP: the protocol's answers, the vectors, what it remembers, its bounds. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { realDisk } from '../base/disk.ts'
import { formatCheckpoint, openCheckpoint } from '../tlog/checkpoint.ts'
import { cosigner } from '../tlog/cosignature.ts'
import {
  logSigner,
  logVerifier,
  witnessKey,
  witnessVector,
  witnessVerifier,
} from '../tlog/keys.fixture.ts'
import { leafHash } from '../tlog/merkle.ts'
import { signNote } from '../tlog/note.ts'
import { vectors } from '../tlog/vectors.fixture.ts'
import { formatRequest, sizeMediaType } from '../tlog/witness.ts'
import { keyFile, openWitnessKey } from './key.ts'
import { hashOf } from './ledger.ts'
import { folderOf, GrownLog, origin } from './log.fixture.ts'
import { openSite } from './site.fixture.ts'
import type { Disk } from '../base/disk.ts'

const tree = (size: number, root: Uint8Array, name = origin): string =>
  signNote(formatCheckpoint({ origin: name, size, root: Buffer.from(root) }), [logSigner])
const stateFile = (stateDir: string): string => join(stateDir, hashOf(origin))

test('a witness cosigns a log that grows, remembers it, and shows it to monitors', async (t) => {
  const site = await openSite(t, { prefix: '/w' })
  const log = new GrownLog(t)
  for (const [old, size] of [
    [0, 5],
    [5, 300],
    [300, 300],
    [300, 1000],
  ] as const) {
    await log.grow(size)
    const answer = await site.post(await log.request(old))
    assert.equal(answer.status, 200)
    const note = log.note + (await answer.text())
    const { note: opened } = openCheckpoint(note, origin, [logVerifier], [witnessVerifier])
    assert.equal(opened.verified.length, 2)
    const seen = await fetch(`${site.url}/${hashOf(origin)}/checkpoint`)
    assert.equal(await seen.text(), note)
  }
  assert.deepEqual(readdirSync(site.stateDir).toSorted(), [hashOf(origin), 'lock'].toSorted())
})

test('the requests and answers of the vectors, over HTTP', async (t) => {
  const { originHash, requests, response200, response409 } = vectors.witness
  const [later, first] = requests
  assert.ok(later && first)
  assert.equal(hashOf(origin), originHash)
  const stateDir = folderOf(t, 'witness')
  const root = vectors.merkle.roots.find(({ size }) => size === later.old)?.root ?? ''
  const text = formatCheckpoint({ origin, size: later.old, root: Buffer.from(root, 'hex') })
  const own = cosigner(witnessVector.name, witnessKey, () => 1)
  writeFileSync(join(stateDir, originHash), signNote(text, [own]))
  const site = await openSite(t, { stateDir })
  assert.equal(site.witness.vkey, witnessVector.vkey)
  const refused = await site.post(first.body)
  assert.equal(refused.status, 409)
  assert.equal(refused.headers.get('content-type'), response409.contentType)
  assert.equal(await refused.text(), response409.body)
  const taken = await site.post(later.body)
  assert.equal(taken.status, 200)
  assert.equal(await taken.text(), response200)
})

const whole = leafHash(Buffer.from('x'))
const rows: readonly [what: string, body: string | Buffer<ArrayBuffer>, status: number][] = [
  ['an empty body', '', 400],
  ['no request', 'hello\n', 400],
  ['bytes that are no text', Buffer.of(0x6f, 0xff, 0x0a, 0x0a), 400],
  ['an old size above the new one', `old 9\n\n${tree(5, whole)}`, 400],
  ['another log', `old 0\n\n${tree(5, whole, 'other.example')}`, 404],
  ['a changed checkpoint', `old 0\n\n${tree(5, whole).replace('\n5\n', '\n6\n')}`, 403],
  ['another size than it has seen', `old 3\n\n${tree(5, whole)}`, 409],
  [
    'a proof from nothing',
    formatRequest({ old: 0, hashes: [whole], checkpoint: tree(5, whole) }),
    422,
  ],
  ['a size of 0 with a root', `old 0\n\n${tree(0, whole)}`, 422],
  ['64 KiB and more', 'x'.repeat(65_537), 413],
]
test('whatever is wrong has its answer, and nothing is remembered of it', async (t) => {
  const site = await openSite(t)
  for (const [what, body, status] of rows) {
    const answer = await site.post(body)
    assert.equal(answer.status, status, what)
    assert.equal(answer.headers.get('content-type') === sizeMediaType, status === 409)
    assert.ok((await answer.text()).length < 100)
  }
  assert.equal(existsSync(stateFile(site.stateDir)), false)
})

test('only the paths of the protocol are there', async (t) => {
  const site = await openSite(t)
  const asked: [method: string, path: string, status: number][] = [
    ['GET', '/healthz', 200],
    ['GET', '/add-checkpoint', 405],
    ['POST', '/healthz', 405],
    ['POST', `/${hashOf(origin)}/checkpoint`, 405],
    ['GET', `/${hashOf(origin)}/checkpoint`, 404],
    ['GET', `/${hashOf('other')}/checkpoint`, 404],
    ['GET', `/${hashOf(origin).toUpperCase()}/checkpoint`, 404],
    ['GET', '/lock', 404],
    ['GET', '/', 404],
  ]
  for (const [method, path, status] of asked) {
    const answer = await fetch(`${site.url}${path}`, { method })
    assert.equal(answer.status, status, `${method} ${path}`)
  }
})

test('a fork and a log that was rolled back are refused, and the log of the witness says so', async (t) => {
  const site = await openSite(t)
  const log = new GrownLog(t)
  await log.grow(20)
  assert.equal((await site.post(await log.request(0))).status, 200)
  const fork = new GrownLog(t, 'another entry')
  await fork.grow(20)
  assert.equal((await site.post(await fork.request(20))).status, 422)
  await fork.grow(30)
  assert.equal((await site.post(await fork.request(20))).status, 422)
  const back = new GrownLog(t)
  await back.grow(10)
  const answer = await site.post(await back.request(10))
  assert.deepEqual([answer.status, await answer.text()], [409, '20\n'])
  assert.equal(site.logged.filter((what) => what === 'inconsistent').length, 2)
  await log.grow(31)
  assert.equal((await site.post(await log.request(20))).status, 200)
})

/** A disk whose renames wait until they are let go. */
function slowDisk(): { disk: Disk; go: () => void; waits: Promise<void> } {
  const gate = Promise.withResolvers<void>()
  const here = Promise.withResolvers<void>()
  const rename: Disk['rename'] = async (from, to) => {
    here.resolve()
    await gate.promise
    await realDisk.rename(from, to)
  }
  return { disk: { ...realDisk, rename }, go: gate.resolve, waits: here.promise }
}

test('of two requests at once the later one is decided after the first is remembered', async (t) => {
  const { disk, go, waits } = slowDisk()
  const site = await openSite(t, { disk })
  const [a, b] = [new GrownLog(t), new GrownLog(t, 'another entry')]
  await a.grow(12)
  await b.grow(10)
  const first = site.post(await a.request(0))
  await waits
  const second = site.post(await b.request(0))
  const shown = await fetch(`${site.url}/${hashOf(origin)}/checkpoint`)
  assert.equal(shown.status, 404)
  go()
  assert.equal((await first).status, 200)
  const answer = await second
  assert.deepEqual([answer.status, await answer.text()], [409, '12\n'])
})

test('a log may wait sixteen times over, and no more', async (t) => {
  const { disk, go, waits } = slowDisk()
  const site = await openSite(t, { disk })
  const log = new GrownLog(t)
  await log.grow(3)
  const body = await log.request(0)
  const all = Array.from({ length: 20 }, () => site.post(body))
  await waits
  const early = await Promise.race(all)
  assert.equal(early.status, 503)
  assert.equal(early.headers.get('retry-after'), '60')
  await later()
  go()
  const counts = new Map<number, number>()
  for (const { status } of await Promise.all(all)) counts.set(status, (counts.get(status) ?? 0) + 1)
  assert.deepEqual(Object.fromEntries(counts), { 200: 1, 409: 15, 503: 4 })
})
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200))

test('a witness that could not write signs nothing more, and says so, until it is started again', async (t) => {
  let isBroken = false
  const rename: Disk['rename'] = async (from, to) => {
    await realDisk.rename(from, to)
    if (isBroken) throw new Error('the disk is gone') // Kept although it failed.
  }
  const site = await openSite(t, { disk: { ...realDisk, rename } })
  const log = new GrownLog(t)
  await log.grow(3)
  assert.equal((await site.post(await log.request(0))).status, 200)
  isBroken = true
  await log.grow(6)
  assert.equal((await site.post(await log.request(3))).status, 503)
  isBroken = false
  assert.equal((await site.post(await log.request(3))).status, 503)
  assert.equal((await fetch(`${site.url}/healthz`)).status, 503)
  await site.witness.close()
  const again = await openSite(t, { stateDir: site.stateDir })
  const answer = await again.post(await log.request(3))
  assert.deepEqual([answer.status, await answer.text()], [409, '6\n'])
  assert.equal((await again.post(await log.request(6))).status, 200)
})

test('a restart remembers, with the same key', async (t) => {
  const stateDir = folderOf(t, 'witness')
  const key = openWitnessKey(stateDir)
  assert.equal(statSync(join(stateDir, keyFile)).mode & 0o777, 0o600)
  const log = new GrownLog(t)
  await log.grow(7)
  const one = await openSite(t, { stateDir, key })
  await assert.rejects(openSite(t, { stateDir, key }), {
    code: 'record_down',
    message: /Two with one key/,
  })
  assert.equal((await one.post(await log.request(0))).status, 200)
  await one.witness.close()
  const two = await openSite(t, { stateDir, key: openWitnessKey(stateDir) })
  assert.equal(two.witness.vkey, one.witness.vkey)
  const answer = await two.post(await log.request(0))
  assert.deepEqual([answer.status, await answer.text()], [409, '7\n'])
  assert.equal((await fetch(`${two.url}/${hashOf(origin)}/checkpoint`)).status, 200)
})

test('a witness does not start on a state or a key that is not its own', async (t) => {
  const stateDir = folderOf(t, 'witness')
  const log = new GrownLog(t)
  await log.grow(7)
  const one = await openSite(t, { stateDir })
  await one.post(await log.request(0))
  await one.witness.close()
  const good = readFileSync(stateFile(stateDir), 'utf8')
  const missing = good.slice(0, good.lastIndexOf('—'))
  const foreign = formatCheckpoint({ origin: 'other.example', size: 7, root: whole })
  const own = cosigner(witnessVector.name, witnessKey, () => 1)
  for (const bad of [good.replace('\n7\n', '\n6\n'), '', missing, signNote(foreign, [own])]) {
    writeFileSync(stateFile(stateDir), bad)
    await assert.rejects(openSite(t, { stateDir }), {
      code: 'record_down',
      facts: { reason: 'witness_state' },
    })
  }
  writeFileSync(stateFile(stateDir), good)
  const key = openWitnessKey(folderOf(t, 'witness'))
  await assert.rejects(openSite(t, { stateDir, key }), { code: 'record_down' })
  await openSite(t, { stateDir })
})

test('a key file that others can read, or that holds no key, is not used', (t) => {
  const stateDir = folderOf(t, 'witness')
  openWitnessKey(stateDir)
  const path = join(stateDir, keyFile)
  chmodSync(path, 0o640)
  assert.throws(() => openWitnessKey(stateDir), { code: 'secret_missing' })
  chmodSync(path, 0o600)
  writeFileSync(path, 'no key\n')
  assert.throws(() => openWitnessKey(stateDir), { code: 'secret_missing' })
  assert.deepEqual(readdirSync(stateDir), [keyFile])
})

test('names and keys that are none are refused at the start', async (t) => {
  await assert.rejects(openSite(t, { name: 'two words' }), { code: 'config_bad' })
  await assert.rejects(openSite(t, { logs: ['no key'] }), { code: 'config_bad' })
  const stateDir = folderOf(t, 'witness')
  await assert.rejects(openSite(t, { stateDir, logs: ['no key'] }), { code: 'config_bad' })
  await openSite(t, { stateDir }) // The lock was given back.
})

test('a slow sender is sent away', async (t) => {
  const site = await openSite(t, { limits: { requestMs: 300, headersMs: 200 } })
  const heard = await talk(
    t,
    site.witness.port,
    'POST /add-checkpoint HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\nold',
  )
  assert.match(heard, /^HTTP\/1\.1 408 /)
})

function talk(t: TestContext, port: number, bytes: string): Promise<string> {
  const socket = createConnection(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(bytes)
  return new Promise((resolve) => {
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    socket.on('close', () => resolve(heard))
  })
}
