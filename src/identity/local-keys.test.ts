import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { localKeyFile, makeLocalKey, readKeys, rotateLocalKey, signingKey } from './local-keys.ts'
import { openLocalIssuer } from './local.ts'
import type { LocalIssuer, Mint } from './local.ts'

let dataDir = ''
let nowMs = 0
const clock = { nowUs: () => nowMs * 1000, monotonicMs: () => nowMs }
const hourMs = 3_600_000
const who: Mint = { subject: 'a', kind: 'person', audience: 'https://gw', ttlSeconds: 86_400 }

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sallyport-keys-'))
  nowMs = Date.now()
  await makeLocalKey(dataDir)
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const open = (): Promise<LocalIssuer> =>
  openLocalIssuer({ dataDir, issuer: 'https://gw/oauth', clock })
const kids = (issuer: LocalIssuer): unknown[] => issuer.jwks().keys.map(({ kid }) => kid)
async function signer(issuer: LocalIssuer): Promise<unknown> {
  return decodeProtectedHeader(await issuer.mint(who)).kid
}

test('a file that cannot be used is not rotated, and stays as it is', async () => {
  const file = localKeyFile(dataDir)
  chmodSync(file, 0o644)
  const before = readFileSync(file, 'utf8')
  await assert.rejects(rotateLocalKey(dataDir, nowMs), { code: 'secret_missing' })
  assert.equal(readFileSync(file, 'utf8'), before)
})

test('a new key is published at once and signs an hour later, without a restart', async () => {
  const issuer = await open()
  const [first] = kids(issuer)
  const { kid, fromMs, removed } = await rotateLocalKey(dataDir, nowMs)
  assert.deepEqual(removed, [])
  assert.ok(fromMs >= nowMs + hourMs && fromMs < nowMs + hourMs + 1000)
  assert.equal(statSync(localKeyFile(dataDir)).mode & 0o777, 0o600)
  const { revision } = issuer
  nowMs += 2_000
  assert.deepEqual(kids(issuer), [first, kid])
  assert.notEqual(issuer.revision, revision)
  assert.equal(await signer(issuer), first)
  nowMs = fromMs - 1
  assert.equal(await signer(issuer), first)
  const published = issuer.revision
  nowMs = fromMs
  assert.equal(await signer(issuer), kid)
  assert.notEqual(issuer.revision, published)
  assert.equal(issuer.privateKeys()[0]?.kid, kid)
})

test('a token of the old key verifies until it ends; then the key goes with the next rotation', async () => {
  const issuer = await open()
  const [first] = kids(issuer)
  const { kid, fromMs } = await rotateLocalKey(dataDir, nowMs)
  nowMs = fromMs - 1
  const last = await issuer.mint(who)
  nowMs = fromMs + 24 * hourMs - 5_000
  const early = await rotateLocalKey(dataDir, nowMs)
  assert.deepEqual(early.removed, [])
  nowMs += 1_000
  const set = createLocalJWKSet((await open()).jwks())
  await jwtVerify(last, set, { currentDate: new Date(nowMs) })
  nowMs = fromMs + 26 * hourMs
  const late = await rotateLocalKey(dataDir, nowMs)
  // The one rotated in between signs by now, and is too young for its forerunner to be over.
  assert.deepEqual(late.removed, [])
  nowMs += 30 * hourMs
  const { removed } = await rotateLocalKey(dataDir, nowMs)
  assert.deepEqual(new Set(removed), new Set([first, kid, early.kid]))
})

test('rotated twice in a row, each key still waits for its hour', async () => {
  const issuer = await open()
  const [first] = kids(issuer)
  const one = await rotateLocalKey(dataDir, nowMs)
  nowMs += 10_000
  const two = await rotateLocalKey(dataDir, nowMs)
  assert.equal(await signer(issuer), first)
  nowMs = one.fromMs
  assert.equal(await signer(issuer), one.kid)
  nowMs = two.fromMs
  assert.equal(await signer(issuer), two.kid)
})

test('a file that becomes unusable leaves the keys in force', async () => {
  const issuer = await open()
  const before = kids(issuer)
  for (const text of ['', '{', '{"keys":[]}']) {
    writeFileSync(localKeyFile(dataDir), text)
    nowMs += 5_000
    assert.deepEqual(kids(issuer), before)
  }
  rmSync(localKeyFile(dataDir))
  nowMs += 5_000
  assert.deepEqual(kids(issuer), before)
})

test('a file of before there was rotation signs with its first key', () => {
  const [key] = readKeys(localKeyFile(dataDir))
  assert.ok(key)
  const { from: _from, ...old } = key
  const second = { ...old, kid: 'second' }
  assert.equal(signingKey([old, second], nowMs)?.kid, key.kid)
  assert.equal(signingKey([{ ...old, from: nowMs }, second], nowMs)?.kid, 'second')
  assert.equal(signingKey([], nowMs), undefined)
})
