/**
 * The keys of the issuer inside this gateway: one file, `DATA/keys/local-issuer.json`, mode 0600.
 *
 *     { "keys": [ { EC P-256 private JWK, kid, "from": seconds since 1970 }, … ] }
 *
 * The key with the latest `from` that has come signs; all verify. A new key is published a while
 * before it signs, so that nobody meets a token whose key their cached copy of the set lacks.
 */
import { hash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'jose'
import { errorCode } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'

export interface SigningKey extends JWK {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly d: string
  readonly kid: string
  /** Seconds since 1970; it signs from then on. 0 where it is missing. */
  readonly from?: number
}

export interface Rotated {
  /** The new key's name. */
  readonly kid: string
  /** It signs from here on; milliseconds since 1970. */
  readonly fromMs: number
  /** Names of keys that are gone: no token of theirs can be alive. */
  readonly removed: readonly string[]
}

/** What others keep a key set for: 10 minutes is common, an hour generous. */
const publishMs = 3_600_000
/** No token of the issuer lives longer than a day; an hour for clocks. */
const tokenMs = 25 * 3_600_000

/** Where the keys lie in a data folder. */
export function localKeyFile(dataDir: string): string {
  return join(dataDir, 'keys', 'local-issuer.json')
}

/**
 * Makes the key file unless it is there.
 * @returns whether it was made.
 */
export async function makeLocalKey(dataDir: string): Promise<boolean> {
  const file = localKeyFile(dataDir)
  const text = textOf([await newKey(0)])
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  chmodSync(dirname(file), 0o700)
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Publishes a new key now, which signs after `waitMs`. A running gateway takes it up by itself within
 * seconds. Keys whose last token has expired are removed.
 * @param waitMs how long others may keep the published set; an hour unless told.
 * @throws {Fault} `secret_missing` when the file is not usable.
 */
export async function rotateLocalKey(
  dataDir: string,
  nowMs: number,
  waitMs: number = publishMs,
): Promise<Rotated> {
  const file = localKeyFile(dataDir)
  const old = readKeys(file)
  const fromS = Math.ceil((nowMs + waitMs) / 1000)
  const fresh = await newKey(fromS)
  const current = signingKey(old, nowMs)
  // A key before the one that signs now has made its last token when that one took over.
  const isOver = (key: SigningKey): boolean =>
    current !== undefined &&
    key.kid !== current.kid &&
    fromOf(key) <= fromOf(current) &&
    fromOf(current) * 1000 + tokenMs < nowMs
  const removed = old.filter(isOver)
  replace(file, textOf([...old.filter((key) => !removed.includes(key)), fresh]))
  return { kid: fresh.kid, fromMs: fromS * 1000, removed: removed.map(({ kid }) => kid) }
}

/** The key that signs at a moment: the latest whose time has come, the first of those that tie. */
export function signingKey(keys: readonly SigningKey[], nowMs: number): SigningKey | undefined {
  let best: SigningKey | undefined
  for (const key of keys) {
    const hasCome = fromOf(key) * 1000 <= nowMs
    if (hasCome && (best === undefined || fromOf(key) > fromOf(best))) best = key
  }
  return best ?? keys[0] // A clock set back: a published key is better than none.
}

/**
 * @throws {Fault} `secret_missing` when the file is not there, can be read by others, or is no JSON.
 *   Keys in it that are none of ours are passed over.
 */
export function readKeys(file: string): readonly SigningKey[] {
  let text: string
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw unusable('others than its owner can read it')
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw unusable('it is not there or cannot be read', cause)
  }
  try {
    const parsed: unknown = JSON.parse(text)
    const keys: unknown = typeof parsed === 'object' && parsed ? Reflect.get(parsed, 'keys') : []
    return Array.isArray(keys) ? keys.filter(isSigning) : []
  } catch (cause) {
    throw unusable('it is no JSON', cause)
  }
}

/** Changes whenever the file does: a secret's place is looked at, its content is not. */
export function fileMark(file: string): string {
  const { mtimeMs, ino, size } = statSync(file)
  return hash('sha256', `${mtimeMs} ${ino} ${size}`, 'base64url')
}

export function unusable(why: string, cause?: unknown): Fault {
  const message = `The local issuer's key, keys/local-issuer.json in the data folder, is not usable: ${why}. "sallyport init" makes one; its mode must be 0600.`
  return new Fault('secret_missing', message, { cause, facts: { reason: 'local_issuer_key' } })
}

async function newKey(from: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  const key = { ...jwk, kid, alg: 'ES256', use: 'sig', from }
  if (!isSigning(key)) throw unusable('a new key could not be made')
  return key
}

function textOf(keys: readonly SigningKey[]): string {
  return `${JSON.stringify({ keys }, null, 2)}\n`
}

/** After a crash the file is the old one or the new one, whole. */
function replace(file: string, text: string): void {
  const part = `${file}.part`
  const fd = openSync(part, 'w', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(part, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function fromOf({ from = 0 }: SigningKey): number {
  return from
}

function isSigning(key: unknown): key is SigningKey {
  if (typeof key !== 'object' || key === null) return false
  const { kty, crv, d, kid }: { kty?: unknown; crv?: unknown; d?: unknown; kid?: unknown } = key
  const { x, y, from }: { x?: unknown; y?: unknown; from?: unknown } = key
  const isWhole = [x, y, d, kid].every((part) => typeof part === 'string')
  const isTimed = from === undefined || (typeof from === 'number' && Number.isFinite(from))
  return kty === 'EC' && crv === 'P-256' && isWhole && isTimed
}
