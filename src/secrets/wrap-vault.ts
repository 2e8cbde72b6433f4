/**
 * Wrapping by a key of the transit engine of HashiCorp Vault (or OpenBao), which never leaves it.
 *
 * Source: Vault HTTP API, "Transit secrets engine": read key, encrypt, decrypt, rewrap. The context
 * of ours is committed to inside what is encrypted rather than sent as `associated_data`: that is
 * not known to `rewrap`, and a Vault older than 1.9 ignores it without a word. It is sent as
 * `context` as well, which derived keys ask for and all others ignore.
 */
import type { Answered } from './ask.ts'
import type { VaultClient } from './vault-client.ts'
import {
  checkContext,
  checkInput,
  checkKind,
  decodeExact,
  memberOf,
  pack,
  unpack,
  wrapFault,
} from './wrapping.ts'
import type { KeyWrapper, WrapReason, WrappedKey } from './wrapping.ts'

const keyForm = /^((?:[0-9a-zA-Z_-]+\/){1,8})([0-9a-zA-Z_-][0-9a-zA-Z_.-]{0,127})$/
const ciphertextForm = /^vault:v([1-9]\d{0,8}):[A-Za-z0-9+/]{40,1024}={0,2}$/
const types: ReadonlySet<unknown> = new Set([
  'aes256-gcm96',
  'chacha20-poly1305',
  'xchacha20-poly1305',
])

export interface TransitKey {
  readonly mount: string
  readonly name: string
}

/** @param key `mount/name`; the mount may have several parts. @throws {Fault} `config_bad`. */
export function parseTransitKey(key: string): TransitKey {
  const [, mount, name] = keyForm.exec(key) ?? []
  if (mount !== undefined && name !== undefined) return { mount: mount.slice(0, -1), name }
  throw fault('kek_settings', 'the key must be mount/name, such as transit/sallyport')
}

/** `by` is `MOUNT/NAME/VERSION`. */
export function vaultWrapper(key: TransitKey, parts: VaultClient): KeyWrapper {
  const call = authorized(key, parts)
  const wrapper: KeyWrapper = {
    kind: 'vault',
    current: async () => idOf(key, await inForce(call)),
    async wrap(data, context) {
      checkInput('vault', data, context)
      await inForce(call)
      const packed = pack(data, context)
      const plaintext = packed.toString('base64')
      const made = ciphertextIn(key, await call('encrypt', { plaintext, ...derivedBy(context) }))
      packed.fill(0)
      return proven(made, context, data)
    },
    async unwrap(wrapped, context) {
      checkKind('vault', wrapped)
      checkContext('vault', context)
      checkOurs(key, wrapped)
      const ciphertext = wrapped.wrapped
      const answered = await call('decrypt', { ciphertext, ...derivedBy(context) })
      const packed = decodeExact(dataIn(answered, 'plaintext'), 'base64')
      if (packed === undefined) throw fault('kek_answer', 'Vault answered without a plaintext')
      return unpack('vault', packed, context)
    },
    async rewrap(wrapped, context) {
      const data = await wrapper.unwrap(wrapped, context)
      if (wrapped.by === idOf(key, await inForce(call))) return wrapped
      const ciphertext = wrapped.wrapped
      const answered = await call('rewrap', { ciphertext, ...derivedBy(context) })
      return proven(ciphertextIn(key, answered), context, data)
    },
  }
  const proven = async (
    made: WrappedKey,
    context: string,
    data: Uint8Array,
  ): Promise<WrappedKey> => {
    if (Buffer.compare(await wrapper.unwrap(made, context), data) === 0) return made
    throw fault('kek_answer', 'what it wrapped does not unwrap to the same')
  }
  return wrapper
}

type Operation = 'encrypt' | 'decrypt' | 'rewrap'
type Call = (operation: Operation | 'keys', json?: object) => Promise<Answered>

/** A refused token is replaced once: it may have been revoked before its time. */
function authorized({ mount, name }: TransitKey, parts: VaultClient): Call {
  const { ask, headers, origin, tokens } = parts
  const once = async (operation: string, json?: object): Promise<Answered> => {
    const url = new URL(`/v1/${mount}/${operation}/${name}`, origin)
    const all = { ...headers, 'x-vault-token': await tokens.token() }
    if (json === undefined) return ask({ method: 'GET', url, headers: all, isRepeatable: true })
    // None of the operations changes anything in Vault: policy grants `update`, never `create`.
    return ask({ method: 'POST', url, headers: all, json, isRepeatable: true })
  }
  return async (operation, json) => {
    let answered = await once(operation, json)
    if (answered.status === 403) {
      tokens.forget()
      answered = await once(operation, json)
    }
    if (answered.status === 200) return answered
    throw refusal(answered, operation)
  }
}

/** The newest version, once the key is known to be fit. */
async function inForce(call: Call): Promise<number> {
  const answered = await call('keys')
  if (!types.has(dataIn(answered, 'type'))) {
    throw fault('kek_unfit', 'it is not of type aes256-gcm96 or chacha20-poly1305')
  }
  // Neither can ever be taken back: such a key may already stand somewhere else.
  if (dataIn(answered, 'exportable') !== false) throw fault('kek_unfit', 'it is exportable')
  if (dataIn(answered, 'allow_plaintext_backup') !== false) {
    throw fault('kek_unfit', 'it may be backed up in plaintext')
  }
  const latest = dataIn(answered, 'latest_version')
  if (typeof latest === 'number' && Number.isSafeInteger(latest) && latest > 0) return latest
  throw fault('kek_answer', 'Vault answered without its latest version')
}

function idOf({ mount, name }: TransitKey, version: number | string): string {
  return `${mount}/${name}/${version}`
}

function derivedBy(context: string): { context: string } {
  return { context: Buffer.from(context).toString('base64') }
}

function dataIn({ body }: Answered, member: string): unknown {
  return memberOf(memberOf(body, 'data'), member)
}

function ciphertextIn(key: TransitKey, answered: Answered): WrappedKey {
  const wrapped = dataIn(answered, 'ciphertext')
  const [, version] = typeof wrapped === 'string' ? (ciphertextForm.exec(wrapped) ?? []) : []
  if (typeof wrapped === 'string' && version !== undefined) {
    return { kind: 'vault', by: idOf(key, version), wrapped }
  }
  throw fault('kek_answer', 'Vault answered without a ciphertext')
}

function checkOurs(key: TransitKey, { by, wrapped }: WrappedKey): void {
  const [, version] = ciphertextForm.exec(wrapped) ?? []
  if (version === undefined) throw fault('wrapped_bad', 'it is no ciphertext of transit')
  if (by === idOf(key, version)) return
  throw fault('wrapped_foreign', 'it names a key other than the configured one')
}

function refusal({ status, body }: Answered, operation: Operation | 'keys'): Error {
  if (status === 503 && memberOf(body, 'errors') !== undefined) {
    return fault('kek_sealed', 'Vault is sealed or has no active node (503)')
  }
  if (status >= 500) return fault('kek_down', `Vault answers with an error (${status})`)
  if (status === 403) {
    return fault('kek_denied', `our token has no right to ${operation} with it (403)`)
  }
  if (status === 404) return fault('kek_unknown', 'Vault has no such key or mount (404)')
  if (status >= 300 && status < 400) {
    return fault('kek_settings', 'VAULT_ADDR leads to a node that points to another one')
  }
  if (status === 400 && (operation === 'decrypt' || operation === 'rewrap')) {
    const why = 'changed, of another place, or of a version below min_decryption_version'
    return fault('wrapped_bad', `Vault cannot unwrap it (400): ${why}`)
  }
  return fault('kek_answer', `Vault refuses the request (${status})`)
}

function fault(reason: WrapReason, why: string): Error {
  return wrapFault(reason, why, { kind: 'vault' })
}
