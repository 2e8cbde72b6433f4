/** A witness's own key, in its state folder. */
import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'

/** The file in the state folder: PKCS#8 as PEM, mode 0600. */
export const keyFile = 'witness.pem'

/**
 * The Ed25519 key of `stateDir/witness.pem`; the first call makes folder and key.
 * @throws {Fault} `secret_missing` when others may read the file, or it holds no Ed25519 key.
 */
export function openWitnessKey(stateDir: string): KeyObject {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const path = join(stateDir, keyFile)
  make(path)
  if ((statSync(path).mode & 0o077) !== 0) throw unusable('others than its owner can read it')
  const key = parsed(readFileSync(path, 'utf8'))
  if (key.asymmetricKeyType !== 'ed25519') throw unusable('it holds a key of another kind')
  return key
}

/** Makes the key unless there is one. Its name is given to a whole file, and never to a second. */
function make(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  const part = `${path}.${randomUUID()}.part`
  writeFileSync(part, pem, { mode: 0o600, flag: 'wx', flush: true })
  try {
    linkSync(part, path)
  } catch (error) {
    // Another start made one in the same moment: that one counts.
    if (errorCode(error) !== 'EEXIST') throw error
  } finally {
    unlinkSync(part)
  }
}

function parsed(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw unusable('it is no private key in PEM form', cause)
  }
}

function unusable(why: string, cause?: unknown): Fault {
  const message =
    `The key file ${keyFile} in the witness's state folder is not usable: ${why}. Restore it from ` +
    'a backup, or chmod it to 600. A new key is a new witness: logs and verifiers would have to ' +
    'be told.'
  return new Fault('secret_missing', message, { cause, facts: { reason: 'key_file' } })
}
