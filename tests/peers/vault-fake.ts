/**
 * The transit and KV (version 2) engines of HashiCorp Vault over HTTP, with AppRole and Kubernetes logins: real
 * AES-256-GCM inside, key versions, derivation, policy, and the refusals of the server itself.
 *
 * Sources: Vault HTTP API, "Transit secrets engine", "AppRole auth method", "Kubernetes auth
 * method"; the words of refusals as its source has them (`builtin/logical/transit`).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import { startJsonFake } from './json-fake.ts'
import type { Answer, Asked, JsonFake } from './json-fake.ts'

/** The newest version of what lies at a path. */
export interface FakeEntry {
  readonly data: Readonly<Record<string, unknown>>
  readonly version: number
  isDeleted: boolean
}

export interface VaultFake extends JsonFake {
  /** By `mount/path`, in the mounts `secret` and `team/kv`. */
  readonly entries: Map<string, FakeEntry>
  /** Puts a new version at `mount/path`. */
  put(path: string, data: Readonly<Record<string, unknown>>): void
  /** What reading the key tells; may be changed. */
  readonly key: {
    type: string
    derived: boolean
    exportable: boolean
    allow_plaintext_backup: boolean
    min_decryption_version: number
  }
  /** One 32-byte key a version, from version 1 on. */
  readonly versions: Buffer[]
  rotate(): void
  /** Tokens that are let in; emptying it revokes them. */
  readonly tokens: Set<string>
  /** Operations which the policy grants: `read`, `encrypt`, `decrypt`, `rewrap`, `data`. */
  readonly rights: Set<string>
  /** How often the secret id is still good. */
  secretIdUses: number
  /** Seconds that a token of a login lives. */
  livesS: number
  isSealed: boolean
}

export const transitKey = 'transit/sallyport'
export const namespace = 'payments/prod'
export const rootToken = 'hvs.a-token-of-the-fake'
export const roleId = '59d6d1ca-47bb-4e7e-a40b-8be3bc5a0ba8'
export const secretId = '84896a0c-1347-aa90-a4f6-aca8b7558780'
export const serviceAccountToken = 'a.service-account.token'

export interface VaultFakeOptions {
  /** When set, every request must name it. */
  readonly namespace?: string
  readonly tls?: { readonly key: string; readonly cert: string }
}

type State = Omit<VaultFake, keyof JsonFake>

const kvPath = /^\/v1\/(secret|team\/kv)\/data\/(.+)$/

export async function startVault(options: VaultFakeOptions = {}): Promise<VaultFake> {
  const versions = [randomBytes(32)]
  const entries = new Map<string, FakeEntry>()
  const state: State = {
    entries,
    put: (path, data) => {
      const version = (entries.get(path)?.version ?? 0) + 1
      entries.set(path, { data, version, isDeleted: false })
    },
    key: {
      type: 'aes256-gcm96',
      derived: false,
      exportable: false,
      allow_plaintext_backup: false,
      min_decryption_version: 1,
    },
    versions,
    rotate: () => versions.push(randomBytes(32)),
    tokens: new Set([rootToken]),
    rights: new Set(['read', 'encrypt', 'decrypt', 'rewrap', 'data']),
    secretIdUses: Infinity,
    livesS: 3600,
    isSealed: false,
  }
  const fake = await startJsonFake((asked) => answerTo(state, asked, options), options.tls)
  return Object.assign(state, fake)
}

function answerTo(state: State, asked: Asked, { namespace: wanted }: VaultFakeOptions): Answer {
  if (state.isSealed) return refused(503, 'Vault is sealed')
  if ((asked.headers['x-vault-namespace'] ?? '') !== (wanted ?? '')) {
    return refused(403, 'permission denied')
  }
  if (asked.headers['x-vault-request'] !== 'true') return refused(412, 'missing request header')
  const [, api, mount, operation = '', name, last] = asked.path.split('/')
  if (api !== 'v1') return refused(404)
  if (mount === 'auth' && name === 'login' && last === undefined)
    return login(state, operation, asked)
  const token = asked.headers['x-vault-token']
  if (typeof token !== 'string' || !state.tokens.has(token)) {
    return refused(403, 'permission denied')
  }
  const [, kvMount, kvRest] = kvPath.exec(asked.path) ?? []
  if (kvMount !== undefined && asked.method === 'GET') {
    if (!state.rights.has('data')) return refused(403, '1 error occurred: permission denied')
    return entryShown(state.entries.get(`${kvMount}/${kvRest}`))
  }
  if (!state.rights.has(operation === 'keys' ? 'read' : operation)) {
    return refused(403, '1 error occurred:\n\t* permission denied\n\n')
  }
  if (mount !== 'transit') return refused(404, 'no handler for route. route entry not found.')
  if (operation === 'keys') return name === 'sallyport' ? keyShown(state) : refused(404)
  if (name !== 'sallyport') return refused(400, 'encryption key not found')
  return transit(state, operation, asked)
}

/** A deleted version is a 404 with a body. */
function entryShown(entry: FakeEntry | undefined): Answer {
  if (entry === undefined) return { status: 404, body: { errors: [] } }
  const { data, isDeleted, version } = entry
  const deletion = isDeleted ? '2026-11-21T07:48:00.000000000Z' : ''
  const metadata = { version, created_time: '2026-11-20T07:48:00Z', deletion_time: deletion }
  const body = { ...envelope(), data: { data: isDeleted ? null : data, metadata } }
  return { status: isDeleted ? 404 : 200, body }
}

function login(state: State, method: string, { json }: Asked): Answer {
  if (method === 'approle' && json?.['role_id'] === roleId && json['secret_id'] === secretId) {
    if (state.secretIdUses-- > 0) return loggedIn(state)
  }
  if (method === 'approle') return refused(400, 'invalid role or secret ID')
  if (method !== 'kubernetes') return refused(403, 'permission denied')
  if (json?.['role'] !== 'sallyport') return refused(400, 'invalid role name')
  return json['jwt'] === serviceAccountToken ? loggedIn(state) : refused(403, 'permission denied')
}

function loggedIn(state: State): Answer {
  const token = `hvs.${randomBytes(24).toString('base64url')}`
  state.tokens.add(token)
  const auth = { client_token: token, lease_duration: state.livesS, renewable: true }
  return { status: 200, body: { ...envelope(), auth } }
}

function keyShown({ key, versions }: State): Answer {
  const keys = Object.fromEntries(versions.map((_, i) => [String(i + 1), 1_760_000_000 + i]))
  const more = { name: 'sallyport', keys, latest_version: versions.length }
  return ok({ ...key, ...more, supports_encryption: true, supports_decryption: true })
}

function transit(state: State, operation: string, { json = {} }: Asked): Answer {
  const { context, plaintext, ciphertext } = json
  if (operation === 'encrypt') {
    if (typeof plaintext !== 'string') return refused(400, 'missing plaintext to encrypt')
    return encrypted(state, Buffer.from(plaintext, 'base64'), context)
  }
  const opened = decrypted(state, ciphertext, context)
  if (typeof opened === 'string') return refused(400, opened)
  if (operation === 'rewrap') return encrypted(state, opened, context)
  return ok({ plaintext: opened.toString('base64') })
}

function encrypted(state: State, plaintext: Buffer, context: unknown): Answer {
  const version = state.versions.length
  const key = keyAt(state, version, context)
  if (key === undefined) return refused(400, missingContext)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const parts = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]
  const ciphertext = `vault:v${version}:${Buffer.concat(parts).toString('base64')}`
  return ok({ ciphertext, key_version: version })
}

/** The plaintext, or the server's words of refusal. */
function decrypted(state: State, ciphertext: unknown, context: unknown): Buffer | string {
  if (typeof ciphertext !== 'string') return 'missing ciphertext to decrypt'
  const [, version = '0', text = ''] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? []
  if (version === '0') return 'invalid ciphertext: no prefix'
  if (Number(version) > state.versions.length) return 'invalid ciphertext: version is too new'
  if (Number(version) < state.key.min_decryption_version) {
    return 'ciphertext or signature version is disallowed by policy (too old)'
  }
  const key = keyAt(state, Number(version), context)
  if (key === undefined) return missingContext
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length < 28) return 'invalid ciphertext: could not decode base64'
  try {
    const opening = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    opening.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([opening.update(bytes.subarray(12, -16)), opening.final()])
  } catch {
    return 'cipher: message authentication failed'
  }
}

const missingContext =
  "missing 'context' for key derivation; the key was created using a derived key"

/** Derived keys come out of the context; for all others it is ignored, as Vault does. */
function keyAt({ key, versions }: State, version: number, context: unknown): Buffer | undefined {
  const own = versions[version - 1]
  if (own === undefined || !key.derived) return own
  if (typeof context !== 'string' || context === '') return undefined
  return Buffer.from(hkdfSync('sha256', own, '', Buffer.from(context, 'base64'), 32))
}

function ok(data: object): Answer {
  return { status: 200, body: { ...envelope(), data } }
}

function envelope(): object {
  const lease = { lease_id: '', renewable: false, lease_duration: 0 }
  return { request_id: randomUUID(), ...lease, data: null, wrap_info: null, warnings: null }
}

export function refused(status: number, ...errors: string[]): Answer {
  return { status, body: { errors } }
}
