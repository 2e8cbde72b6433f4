/** The installation's own keys, in `DATA/keys/`, each file 0600, made at the first start. */
import { createPrivateKey, generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'

export interface Keys {
  /** Ed25519; signs seals. */
  readonly signing: KeyObject
  /** 32 bytes; seals aliases of opaque values. */
  readonly seal: Uint8Array
  /** 32 bytes; keyed hashes of session, event and task ids. */
  readonly state: Uint8Array
  /** Two words; keyed hashes of card numbers, where distinct ones are counted. */
  readonly cards: Uint32Array
}

/**
 * Reads the keys, or makes them where the folder has none.
 * @throws {Fault} `secret_missing` when a key file can be read by others or is not usable.
 */
export function openKeys(dataDir: string): Keys {
  const dir = join(dataDir, 'keys')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  chmodSync(dir, 0o700)
  const pem = readOrMake(join(dir, 'signing.pem'), () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  )
  const master = Buffer.from(
    readOrMake(join(dir, 'gateway.key'), () => `${randomBytes(32).toString('base64')}\n`),
    'base64',
  )
  if (master.length !== 32) throw unusable('gateway.key', 'it does not hold 32 bytes in Base64')
  const derive = (use: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', master, '', `sallyport/${use}/v1`, 32))
  const cards = Buffer.from(derive('cards'))
  return {
    signing: signingKey(pem),
    seal: derive('seal'),
    state: derive('state'),
    cards: Uint32Array.of(cards.readUInt32LE(0), cards.readUInt32LE(4)),
  }
}

function signingKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw unusable('signing.pem', 'it is no private key in PEM form', cause)
  }
}

function readOrMake(file: string, make: () => string): string {
  try {
    writeFileSync(file, make(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    // It is there already, which is the usual case; anything else is told by the read below.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    throw unusable(file.split('/').at(-1) ?? file, 'others than its owner can read it')
  }
  return readFileSync(file, 'utf8')
}

function unusable(name: string, why: string, cause?: unknown): Fault {
  const message = `The key file keys/${name} in the data folder is not usable: ${why}. Restore it from a backup, or chmod it to 600.`
  return new Fault('secret_missing', message, { cause, facts: { reason: 'key_file' } })
}
