/**
 * Wrapping by an RSA key of Azure Key Vault or Managed HSM, which never leaves it.
 *
 * Source: "Azure Key Vault REST API, Keys": Get Key, Wrap Key, Unwrap Key, api-version 7.4; RFC 8017
 * §7.1 with SHA-256 (`RSA-OAEP-256` in RFC 7518 §4.3).
 *
 * A public key wraps for anybody: that a wrapped key is ours is not proved by its unwrapping. Keep
 * its hash in the record, or keep others from writing where it is stored.
 */
import { addressOf } from './ask.ts'
import type { Answered, Ask } from './ask.ts'
import type { TokenSource } from './kept-token.ts'
import {
  checkContext,
  checkInput,
  checkKind,
  decodeExact,
  keyBytes,
  memberOf,
  pack,
  unpack,
  wrapBlame,
  wrapFault,
} from './wrapping.ts'
import type { KeyWrapper, WrapReason, WrappedKey } from './wrapping.ts'

const apiVersion = '7.4'
const algorithm = 'RSA-OAEP-256'
const modulusBytesMin = 256
const vaultName = /^[a-zA-Z](?:-?[a-zA-Z0-9]){2,23}$/
const namePattern = '[0-9a-zA-Z-]{1,127}'
const versionPattern = '[0-9a-fA-F]{32}'
const keyPath = new RegExp(`^/keys/(${namePattern})(?:/(${versionPattern}))?$`)

/** Where vaults live, each with what a token for them is asked for. A token goes nowhere else. */
const clouds: readonly (readonly [suffix: string, resource: string])[] = [
  'vault.azure.net',
  'vault.azure.cn',
  'vault.usgovcloudapi.net',
  'managedhsm.azure.net',
  'managedhsm.azure.cn',
  'managedhsm.usgovcloudapi.net',
].map((suffix) => [`.${suffix}`, `https://${suffix}`])
const loopbacks: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

export interface KeyVaultKey {
  readonly origin: string
  readonly name: string
  /** The one version to wrap by; undefined for whichever is the newest. */
  readonly version: string | undefined
  /** What tokens are asked for. */
  readonly resource: string
}

/**
 * @param key `vault/name`, `vault/name/version`, or the key's identifier as the portal shows it:
 *   `https://vault.vault.azure.net/keys/name/version`.
 * @throws {Fault} `config_bad` for anything else.
 */
export function parseKeyVaultKey(key: string): KeyVaultKey {
  const [vault = '', ...rest] = key.split('/')
  const isShort = vaultName.test(vault)
  const full = isShort ? `https://${vault}.vault.azure.net/keys/${rest.join('/')}` : key
  const url = addressOf(wrapBlame('keyvault'), full, 'the key')
  const [, name, version] = keyPath.exec(url.pathname) ?? []
  const isPlain = name !== undefined && url.search === '' && url.hash === ''
  if (!isPlain) throw settings('the key must be vault/name or vault/name/version')
  const resource = resourceOf(url)
  if (resource === undefined)
    throw settings('its host is not one of Azure Key Vault or Managed HSM')
  return { origin: url.origin, name, version: version?.toLowerCase(), resource }
}

/** What tokens for a vault are asked for; undefined for a host that is no vault of Azure's. */
export function resourceOf({ protocol, hostname, port }: URL): string | undefined {
  const cloud = clouds.find(([suffix]) => hostname.endsWith(suffix))
  if (cloud !== undefined && protocol === 'https:' && port === '') return cloud[1]
  return loopbacks.has(hostname) ? 'https://vault.azure.net' : undefined
}

/** `by` is the key's identifier with its version, as Key Vault spells it. */
export function keyVaultWrapper(key: KeyVaultKey, ask: Ask, tokens: TokenSource): KeyWrapper {
  const at: Vault = { key, call: authorized(ask, tokens) }
  const wrapper: KeyWrapper = {
    kind: 'keyvault',
    current: () => inForce(at),
    async wrap(data, context) {
      checkInput('keyvault', data, context)
      const by = await inForce(at)
      const wrapped = await use(at, by, 'wrapkey', pack(data, context))
      const made: WrappedKey = { kind: 'keyvault', by, wrapped: wrapped.toString('base64url') }
      // A disabled key still wraps and no longer unwraps, so nothing counts before it came back.
      if (Buffer.compare(await wrapper.unwrap(made, context), data) === 0) return made
      throw fault('kek_answer', 'what it wrapped does not unwrap to the same')
    },
    async unwrap(wrapped, context) {
      checkKind('keyvault', wrapped)
      checkContext('keyvault', context)
      checkOurs(key, wrapped.by)
      const bytes = decodeExact(wrapped.wrapped, 'base64url')
      if (bytes === undefined) throw fault('wrapped_bad', 'it is no base64url')
      return unpack('keyvault', await use(at, wrapped.by, 'unwrapkey', bytes), context)
    },
    async rewrap(wrapped, context) {
      const data = await wrapper.unwrap(wrapped, context)
      return wrapped.by === (await inForce(at)) ? wrapped : wrapper.wrap(data, context)
    },
  }
  return wrapper
}

interface Vault {
  readonly key: KeyVaultKey
  readonly call: (path: string, json?: object) => Promise<Answered>
}

/** A refused token is replaced once: it may have been revoked before its time. */
function authorized(
  ask: Ask,
  tokens: TokenSource,
): (url: string, json?: object) => Promise<Answered> {
  const once = async (address: string, json?: object): Promise<Answered> => {
    const url = new URL(address)
    url.searchParams.set('api-version', apiVersion)
    const headers = { authorization: `Bearer ${await tokens.token()}` }
    if (json === undefined) return ask({ method: 'GET', url, headers, isRepeatable: true })
    // Wrapping and unwrapping change nothing in the vault.
    return ask({ method: 'POST', url, headers, json, isRepeatable: true })
  }
  return async (address, json) => {
    const answered = await once(address, json)
    if (answered.status !== 401) return answered
    tokens.forget()
    return once(address, json)
  }
}

/** The identifier of the version that wraps now, once it is known to be fit for it. */
async function inForce({ key, call }: Vault): Promise<string> {
  const { origin, name, version } = key
  const plain = `${origin}/keys/${name}`
  const answered = await call(version === undefined ? plain : `${plain}/${version}`)
  if (answered.status !== 200) throw refusal(answered)
  const jwk = memberOf(answered.body, 'key')
  const id = memberOf(jwk, 'kid')
  if (typeof id !== 'string') throw fault('kek_answer', 'the answer of Key Vault holds no key')
  const named = checkOurs(key, id, 'kek_answer')
  if (version !== undefined && named !== version) {
    throw fault('kek_answer', 'Key Vault answered with another version')
  }
  checkFit(jwk, memberOf(answered.body, 'attributes'))
  return id
}

function checkFit(jwk: unknown, attributes: unknown): void {
  if (memberOf(attributes, 'enabled') !== true) throw fault('kek_disabled', 'it is disabled')
  if (memberOf(attributes, 'exportable') === true) {
    throw fault('kek_unfit', 'it may leave the vault (exportable)')
  }
  const type = memberOf(jwk, 'kty')
  if (type !== 'RSA' && type !== 'RSA-HSM') throw fault('kek_unfit', 'it is no RSA key')
  const modulus = decodeExact(memberOf(jwk, 'n'), 'base64url')
  if (modulus === undefined || modulus.length < modulusBytesMin) {
    throw fault('kek_unfit', 'it is shorter than 2,048 bits')
  }
  const operations = memberOf(jwk, 'key_ops')
  const may: readonly unknown[] = Array.isArray(operations) ? operations : []
  if (!may.includes('wrapKey') || !may.includes('unwrapKey')) {
    throw fault('kek_unfit', 'its permitted operations lack wrapKey or unwrapKey')
  }
}

/** Runs one operation of one version; the answer must name that very version. */
async function use(
  { call }: Vault,
  by: string,
  operation: 'wrapkey' | 'unwrapkey',
  value: Buffer,
): Promise<Buffer> {
  const json = { alg: algorithm, value: value.toString('base64url') }
  const answered = await call(`${by}/${operation}`, json)
  if (answered.status !== 200) throw refusal(answered, operation)
  const result = decodeExact(memberOf(answered.body, 'value'), 'base64url')
  const isOurs = memberOf(answered.body, 'kid') === by
  const sizeMin = operation === 'wrapkey' ? modulusBytesMin : keyBytes
  if (result !== undefined && isOurs && result.length >= sizeMin) return result
  throw fault('kek_answer', 'the answer of Key Vault is not of this operation and key')
}

/** The version in an identifier of this very key. Without this check a changed `by` would choose
 *  where a token is sent. */
function checkOurs(
  { origin, name }: KeyVaultKey,
  by: string,
  reason: WrapReason = 'wrapped_foreign',
): string {
  const prefix = `${origin}/keys/${name}/`.toLowerCase()
  const version = by.slice(prefix.length)
  const isOurs = by.toLowerCase().startsWith(prefix)
  if (isOurs && new RegExp(`^${versionPattern}$`).test(version)) return version.toLowerCase()
  throw fault(reason, 'it names a key other than the configured one')
}

/** `error.innererror.code` says more than `error.code`; only known words are acted upon. */
function refusal({ status, body }: Answered, operation?: string): Error {
  const error = memberOf(body, 'error')
  const inner = memberOf(error, 'innererror') ?? memberOf(error, 'innerError')
  const code = memberOf(inner, 'code') ?? memberOf(error, 'code')
  if (code === 'KeyDisabled') return fault('kek_disabled', 'it is disabled; enable it in the vault')
  if (code === 'ForbiddenByFirewall' || code === 'ForbiddenByConnection') {
    return fault('kek_denied', 'the firewall of its vault does not let this machine in')
  }
  if (status === 401) return fault('kek_denied', 'Key Vault does not accept our token (401)')
  if (status === 403) {
    const rights = 'give it "Key Vault Crypto Service Encryption User", or get, wrapKey, unwrapKey'
    return fault('kek_denied', `our identity has no right to it (403); ${rights}`)
  }
  if (status === 404) return fault('kek_unknown', 'its vault has no such key or version (404)')
  if (status >= 500) return fault('kek_down', `Key Vault answers with an error (${status})`)
  if (status === 400 && operation === 'unwrapkey') {
    return fault('wrapped_bad', 'Key Vault cannot unwrap it (400)')
  }
  return fault('kek_answer', `Key Vault refuses the request (${status})`)
}

function fault(reason: WrapReason, why: string): Error {
  return wrapFault(reason, why, { kind: 'keyvault' })
}

function settings(why: string): Error {
  return fault('kek_settings', why)
}
