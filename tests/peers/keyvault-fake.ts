/**
 * Azure Key Vault's keys and secrets over HTTP, with the token services before it: real RSA-OAEP-256 inside, and
 * the refusals of the service itself, word for word where its documentation shows them.
 *
 * Sources: "Azure Key Vault REST API" (Get Key, Wrap Key, Unwrap Key, Get Secret, 7.4), "REST API error codes";
 * "How to use managed identities … to acquire an access token". A disabled key wraps and does not
 * unwrap there as well: https://github.com/Azure/azure-sdk-for-python/issues/45342
 */
import {
  constants,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { startJsonFake } from './json-fake.ts'
import type { Answer, Asked, JsonFake } from './json-fake.ts'

export interface FakeVersion {
  readonly id: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  enabled: boolean
  exportable: boolean
  kty: string
  operations: string[]
}

/** One version of a secret; times in seconds since 1970. */
export interface FakeSecret {
  readonly id: string
  readonly value: string
  enabled: boolean
  nbf?: number
  exp?: number
}

export interface KeyVaultFake extends JsonFake {
  /** By name, oldest version first. */
  readonly secrets: Map<string, FakeSecret[]>
  /** Adds a version of a secret, which is the newest from now on. */
  keep(name: string, value: string, more?: Partial<FakeSecret>): FakeSecret
  readonly name: string
  /** Oldest first. */
  readonly versions: FakeVersion[]
  /** Adds a version, which wraps from now on. */
  rotate(bits?: number): FakeVersion
  /** Tokens that are let in; emptying it revokes them. */
  readonly tokens: Set<string>
  /** What the identity may do with keys. */
  readonly rights: Set<string>
  /** Seconds that a token lives. */
  livesS: number
}

export const tenant = '72f988bf-0000-4000-8000-2d7cd011db47'
export const clientId = 'fad7d5b3-0000-4000-8000-8d1211224ecf'
export const clientSecret = 'a-client-secret-of-the-fake'
export const identityHeader = 'an-identity-header-of-the-fake'
export const federatedToken = 'a.federated.token'

const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
const resource = 'https://vault.azure.net'

export async function startKeyVault(name = 'records'): Promise<KeyVaultFake> {
  const rights = new Set(['get', 'wrapKey', 'unwrapKey', 'getSecret'])
  const secrets = new Map<string, FakeSecret[]>()
  const state: State = { name, versions: [], secrets, tokens: new Set(), rights, livesS: 3600 }
  const fake = await startJsonFake((asked) => {
    return tokenAnswer(state, asked) ?? vaultAnswer(state, asked, fake.origin)
  })
  const rotate = (bits = 2048): FakeVersion => {
    const made: FakeVersion = {
      id: randomBytes(16).toString('hex'),
      ...pairOf(bits, state.versions.length),
      enabled: true,
      exportable: false,
      kty: 'RSA',
      operations: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
    }
    state.versions.push(made)
    return made
  }
  rotate()
  const keep: KeyVaultFake['keep'] = (of, value, more = {}) => {
    const made = { id: randomBytes(16).toString('hex'), value, enabled: true, ...more }
    secrets.set(of, [...(secrets.get(of) ?? []), made])
    return made
  }
  return Object.assign(state, fake, { rotate, keep })
}

/** Made once in a process: two vaults may have the same pair, two versions of one never. */
const pairs = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>()

function pairOf(bits: number, index: number): { publicKey: KeyObject; privateKey: KeyObject } {
  const name = `${bits} ${index}`
  const pair = pairs.get(name) ?? generateKeyPairSync('rsa', { modulusLength: bits })
  pairs.set(name, pair)
  return pair
}

interface State {
  readonly name: string
  readonly versions: FakeVersion[]
  readonly secrets: Map<string, FakeSecret[]>
  readonly tokens: Set<string>
  readonly rights: Set<string>
  livesS: number
}

function tokenAnswer(state: State, asked: Asked): Answer | undefined {
  const { path, query, headers, text } = asked
  if (path === '/metadata/identity/oauth2/token') {
    if (headers.metadata !== 'true') return entraError(400, 'bad_request_102')
    if (query.get('api-version') !== '2018-02-01') return entraError(400, 'bad_request')
    return issue(state, query.get('resource'), (seconds) => ({ expires_in: String(seconds) }))
  }
  if (path === '/msi/token') {
    if (headers['x-identity-header'] !== identityHeader) return entraError(401, 'unauthorized')
    const ends = (seconds: number): object => ({
      expires_on: String(Math.floor(Date.now() / 1000) + seconds),
    })
    return issue(state, query.get('resource'), ends)
  }
  if (path !== `/${tenant}/oauth2/v2.0/token`) return undefined
  const form = new URLSearchParams(text)
  const isProved =
    form.get('client_secret') === clientSecret || form.get('client_assertion') === federatedToken
  if (form.get('grant_type') !== 'client_credentials') return entraError(400, 'invalid_grant')
  if (form.get('client_id') !== clientId || !isProved) return entraError(401, 'invalid_client')
  const scope = form.get('scope')
  const asks = scope?.endsWith('/.default') ? scope.slice(0, -'/.default'.length) : null
  return issue(state, asks, (seconds) => ({ expires_in: seconds }))
}

function issue(state: State, asks: string | null, ends: (seconds: number) => object): Answer {
  if (asks !== resource) return entraError(400, 'invalid_resource')
  const token = randomBytes(24).toString('base64url')
  state.tokens.add(token)
  return {
    status: 200,
    body: { token_type: 'Bearer', access_token: token, ...ends(state.livesS), resource },
  }
}

function entraError(status: number, error: string): Answer {
  return { status, body: { error, error_description: 'AADSTS: refused by the fake' } }
}

function vaultAnswer(state: State, asked: Asked, origin: string): Answer {
  const token = /^Bearer (.+)$/.exec(asked.headers.authorization ?? '')?.[1]
  if (token === undefined || !state.tokens.has(token)) return challenge()
  if (asked.query.get('api-version') !== '7.4') {
    return vaultError(400, 'BadParameter', 'api-version must be specified')
  }
  const [, root, name, id, operation] = asked.path.split('/')
  if (root === 'secrets') return secretAnswer(state, name ?? '', id, origin)
  const found = state.versions.find((each) => each.id === id) ?? (id ? undefined : newest(state))
  if (root !== 'keys' || name !== state.name || found === undefined) {
    const message = `A key with (name/id) ${name} was not found in this key vault.`
    return vaultError(404, 'KeyNotFound', message)
  }
  const kid = `${origin}/keys/${name}/${found.id}`
  if (asked.method === 'GET') return state.rights.has('get') ? shown(found, kid) : forbidden('get')
  if (operation === 'wrapkey') return operate(state, found, kid, asked, 'wrapKey')
  if (operation === 'unwrapkey') return operate(state, found, kid, asked, 'unwrapKey')
  return vaultError(405, 'MethodNotAllowed', 'The method is not allowed.')
}

/** A secret is handed out outside its own time as well, and the newest even before it has begun. */
function secretAnswer(
  { rights, secrets }: State,
  name: string,
  version: string | undefined,
  origin: string,
): Answer {
  const all = secrets.get(name) ?? []
  const found = version === undefined ? all.at(-1) : all.find(({ id }) => id === version)
  if (found === undefined) {
    const message = `A secret with (name/id) ${name} was not found in this key vault.`
    return vaultError(404, 'SecretNotFound', message)
  }
  if (!rights.has('getSecret')) return forbidden('getSecret')
  const { enabled, id, value, ...times } = found
  if (!enabled) {
    const message = 'Operation get is not allowed on a disabled secret.'
    return vaultError(403, 'Forbidden', message, 'SecretDisabled')
  }
  const attributes = { enabled, ...times, created: 1_760_000_000, updated: 1_760_000_000 }
  return { status: 200, body: { value, id: `${origin}/secrets/${name}/${id}`, attributes } }
}

const newest = (state: State): FakeVersion | undefined => state.versions.at(-1)

function shown(version: FakeVersion, kid: string): Answer {
  const { n, e } = version.publicKey.export({ format: 'jwk' })
  const { enabled, exportable, kty, operations } = version
  const key = { kid, kty, key_ops: operations, n, e }
  const attributes = { enabled, exportable, created: 1_760_000_000, updated: 1_760_000_000 }
  return { status: 200, body: { key, attributes } }
}

function operate(
  state: State,
  version: FakeVersion,
  kid: string,
  { json }: Asked,
  right: 'wrapKey' | 'unwrapKey',
): Answer {
  if (!state.rights.has(right)) return forbidden(right)
  if (!version.operations.includes(right)) {
    const message = `Operation ${right} is not permitted on this key.`
    return vaultError(403, 'Forbidden', message, 'KeyOperationForbidden')
  }
  if (right === 'unwrapKey' && !version.enabled) {
    const message = 'Operation unwrapKey is not allowed on a disabled key.'
    return vaultError(403, 'Forbidden', message, 'KeyDisabled')
  }
  const { alg, value } = json ?? {}
  if (alg !== 'RSA-OAEP-256' || typeof value !== 'string') {
    return vaultError(400, 'BadParameter', 'Property has invalid value')
  }
  try {
    const bytes = Buffer.from(value, 'base64url')
    const result =
      right === 'wrapKey'
        ? publicEncrypt({ key: version.publicKey, ...oaep }, bytes)
        : privateDecrypt({ key: version.privateKey, ...oaep }, bytes)
    return { status: 200, body: { kid, value: result.toString('base64url') } }
  } catch {
    return vaultError(400, 'BadParameter', 'The parameter is incorrect.')
  }
}

function challenge(): Answer {
  const authorization = `https://login.windows.net/${tenant}`
  const message = 'AKV10000: Request is missing a Bearer or PoP token.'
  const answer = vaultError(401, 'Unauthorized', message)
  const value = `Bearer authorization="${authorization}", resource="${resource}"`
  return { ...answer, headers: { 'www-authenticate': value } }
}

function forbidden(action: string): Answer {
  const message = `Caller is not authorized to perform action on resource. Action: ${action}`
  return vaultError(403, 'Forbidden', message, 'ForbiddenByRbac')
}

/** As Key Vault words it; `retryAfterS` in seconds. */
export function throttled(retryAfterS: number): Answer {
  const reason = 'Reason: VaultRequestTypeLimitReached'
  const message = `Request was not processed because too many requests were received. ${reason}`
  const headers = { 'retry-after': String(retryAfterS) }
  return { ...vaultError(429, 'Throttled', message), headers }
}

export function vaultError(status: number, code: string, message: string, inner?: string): Answer {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } }
  return { status, body: { error: { code, message, ...innererror } } }
}
