/**
 * Secrets of HashiCorp Vault (or OpenBao), engine KV version 2.
 * Source: Vault HTTP API, "KV secrets engine, version 2": read secret version.
 */
import type { Answered } from './ask.ts'
import type { Fetched } from './remote-secret.ts'
import type { Blame } from './trouble.ts'
import type { VaultClient } from './vault-client.ts'
import { memberOf } from './wrapping.ts'

const partForm = /^[\w.-]{1,128}$/

export interface VaultSecret {
  /** `mount/path`. A mount of several parts is told by the path of the API: `a/b/data/path`. */
  readonly path: string
  readonly key: string
}

/**
 * The address a secret is read at: `data` stands between mount and path, which the command line of
 * Vault leaves out.
 * @throws {Fault} blamed on `settings` for a path that is none.
 */
export function vaultSecretPath(path: string, blame: Blame): string {
  const parts = path.split('/')
  const isPlain = parts.every((part) => partForm.test(part) && part !== '.' && part !== '..')
  const data = parts.indexOf('data', 1)
  const mount = data < 0 ? parts.slice(0, 1) : parts.slice(0, data)
  const rest = data < 0 ? parts.slice(1) : parts.slice(data + 1)
  if (isPlain && rest.length > 0) return `/v1/${mount.join('/')}/data/${rest.join('/')}`
  throw blame('settings', 'its path must be mount/path, such as secret/payments')
}

/** @throws {Fault} blamed on `settings` at once for a path that is none. */
export function vaultFetch(
  { key, path }: VaultSecret,
  { ask, headers, origin, tokens }: VaultClient,
  blame: Blame,
): () => Promise<Fetched> {
  const url = new URL(vaultSecretPath(path, blame), origin)
  const once = async (): Promise<Answered> => {
    const all = { ...headers, 'x-vault-token': await tokens.token() }
    return ask({ method: 'GET', url, headers: all, isRepeatable: true })
  }
  return async () => {
    let answered = await once()
    if (answered.status === 403) {
      tokens.forget() // It may have been revoked before its time: once more with a new one.
      answered = await once()
    }
    if (answered.status !== 200) throw refusal(answered, blame)
    return fetchedIn(answered, key, blame)
  }
}

function fetchedIn({ body }: Answered, key: string, blame: Blame): Fetched {
  const outer = memberOf(body, 'data')
  const version = memberOf(memberOf(outer, 'metadata'), 'version')
  if (typeof version !== 'number') {
    throw blame('answer', 'the answer is not one of a KV engine of version 2')
  }
  const value = memberOf(memberOf(outer, 'data'), key)
  if (value === undefined) throw blame('unknown', 'there is no such key at its path')
  if (typeof value !== 'string') throw blame('answer', 'what stands at its key is no text')
  return { value: value.replace(/\r?\n$/, ''), version: String(version) }
}

function refusal({ body, status }: Answered, blame: Blame): Error {
  if (status === 503 && memberOf(body, 'errors') !== undefined) {
    return blame('sealed', 'it is sealed or has no active node (503)')
  }
  if (status >= 500) return blame('down', `it answers with an error (${status})`)
  if (status === 403) return blame('denied', 'our token has no right to read its path (403)')
  // A deleted version is a 404 with a body.
  const metadata = memberOf(memberOf(body, 'data'), 'metadata')
  if (status === 404 && metadata !== undefined) {
    return blame('unknown', 'its newest version was deleted (404)')
  }
  if (status === 404) {
    return blame(
      'unknown',
      'it has no such mount, path or version (404); the first part is the mount',
    )
  }
  if (status >= 300 && status < 400) {
    return blame('settings', 'VAULT_ADDR leads to a node that points to another one')
  }
  return blame('answer', `it refuses the request (${status})`)
}
