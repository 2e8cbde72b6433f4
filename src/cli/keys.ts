/** The installation's own keys, in `DATA/keys/`, each file 0600, made at the first start. */
import {
  createPrivateKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import { cardToken } from '../mask/card-token.ts'
import type { TokenKey } from '../mask/card-token.ts'
import type { createMasker } from '../mask/masker.ts'
import type { SigningKeys } from '../record/tree-keys.ts'
import { hasMlDsa44 } from '../tlog/keys.ts'

export interface Keys {
  /** What signs the checkpoints of the record. */
  readonly signing: SigningKeys
  /** 32 bytes; seals aliases of opaque values. */
  readonly seal: Uint8Array
  /** 32 bytes; keyed hashes of session, event and task ids. */
  readonly state: Uint8Array
  /** 32 bytes; keyed hashes of service accounts' keys. */
  readonly service: Uint8Array
  /** 32 bytes; wraps the keys of held calls. */
  readonly tickets: Uint8Array
  /** Two words; keyed hashes of card numbers, where distinct ones are counted. */
  readonly cards: Uint32Array
  /** Makes the tokens by which calls are found by a card number, where that is configured. */
  readonly cardSearch: TokenKey
}

/**
 * Reads the keys, or makes them where the folder has none.
 * @throws {Fault} `secret_missing` when a key file can be read by others or is not usable.
 */
export function openKeys(dataDir: string): Keys {
  const dir = join(dataDir, 'keys')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  chmodSync(dir, 0o700)
  const master = Buffer.from(
    readOrMake(join(dir, 'gateway.key'), () => `${randomBytes(32).toString('base64')}\n`),
    'base64',
  )
  if (master.length !== 32) throw unusable('gateway.key', 'it does not hold 32 bytes in Base64')
  const derive = (use: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', master, '', `sallyport/${use}/v1`, 32))
  const cards = Buffer.from(derive('cards'))
  return {
    signing: signingKeys(dir),
    seal: derive('seal'),
    state: derive('state'),
    service: derive('service-keys'),
    tickets: derive('tickets'),
    cards: Uint32Array.of(cards.readUInt32LE(0), cards.readUInt32LE(4)),
    cardSearch: { version: 1, secret: createSecretKey(derive('card-search')) },
  }
}

/** What the gateway's masker works with. @param withTokens `record.card_search`. */
export function maskerKeys(
  { cardSearch, cards, seal }: Keys,
  withTokens: boolean,
): Parameters<typeof createMasker>[0] {
  return { sealKey: seal, hashKey: cards, tokenKey: withTokens ? cardSearch : undefined }
}

/** Makes the token of a card number; undefined where `record.card_search` is off. */
export function cardTokens(
  dataDir: string,
  isOn: boolean,
): ((number: string) => Uint8Array) | undefined {
  if (!isOn) return undefined
  const { cardSearch } = openKeys(dataDir)
  return (number) => cardToken(number, cardSearch)
}

/** The private signing keys that lie in a data folder: nothing is made or changed, so this works on
 *  a copy that is read-only. Undefined when there is none. */
export function readSigningKeys(dataDir: string): Pick<SigningKeys, 'current' | 'old'> | undefined {
  const dir = join(dataDir, 'keys')
  if (!existsSync(join(dir, 'signing.pem'))) return undefined
  const current = privateKey('signing.pem', read(join(dir, 'signing.pem')))
  if (Date.now() >= overlapUntilMs(dir)) return { current }
  return { current, old: privateKey('signing-old.pem', read(join(dir, 'signing-old.pem'))) }
}

/** The key now in use, the one before while both sign, and the post-quantum one where Node has it. */
function signingKeys(dir: string): SigningKeys {
  const made = (): string => pemOf(generateKeyPairSync('ed25519').privateKey)
  const current = privateKey('signing.pem', readOrMake(join(dir, 'signing.pem'), made))
  const hasPast = existsSync(join(dir, 'signing-old.pem'))
  const past = hasPast
    ? privateKey('signing-old.pem', read(join(dir, 'signing-old.pem')))
    : undefined
  const old = Date.now() < overlapUntilMs(dir) ? past : undefined
  if (!hasMlDsa44()) return { current, old, past }
  const path = join(dir, 'signing-ml-dsa-44.pem')
  const pem = readOrMake(path, () => pemOf(generateKeyPairSync('ml-dsa-44').privateKey))
  return { current, old, past, postQuantum: privateKey('signing-ml-dsa-44.pem', pem) }
}

/** Until when the old signing key signs too; 0 when there is none. */
function overlapUntilMs(dir: string): number {
  const path = join(dir, 'signing-old.until')
  if (!existsSync(path) || !existsSync(join(dir, 'signing-old.pem'))) return 0
  return Date.parse(read(path).trim())
}

/**
 * Makes a new signing key; the old one signs along until then. In this order a crash leaves either
 * the old key alone, or both.
 * @returns both.
 */
export function rotateSigningKey(
  dataDir: string,
  untilMs: number,
): { from: KeyObject; to: KeyObject } {
  const dir = join(dataDir, 'keys')
  const from = openKeys(dataDir).signing.current
  const to = generateKeyPairSync('ed25519').privateKey
  const write = (name: string, text: string): void => {
    writeFileSync(join(dir, `${name}.part`), text, { mode: 0o600, flush: true })
    renameSync(join(dir, `${name}.part`), join(dir, name))
  }
  write('signing-old.until', `${new Date(untilMs).toISOString()}\n`)
  write('signing-old.pem', pemOf(from))
  write('signing.pem', pemOf(to))
  return { from, to }
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function privateKey(name: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw unusable(name, 'it is no private key in PEM form', cause)
  }
}

function readOrMake(file: string, make: () => string): string {
  try {
    writeFileSync(file, make(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    // It is there already, which is the usual case; anything else is told by the read below.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return read(file)
}

function read(file: string): string {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw unusable(file.split('/').at(-1) ?? file, 'others than its owner can read it')
  }
  return readFileSync(file, 'utf8')
}

function unusable(name: string, why: string, cause?: unknown): Fault {
  const message = `The key file keys/${name} in the data folder is not usable: ${why}. Restore it from a backup, or chmod it to 600.`
  return new Fault('secret_missing', message, { cause, facts: { reason: 'key_file' } })
}
