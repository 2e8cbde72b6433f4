/** What the server is shown in place of the client's own token (MCP 2025-11-25, Security Best
 *  Practices, Token Passthrough: a client's token is never passed on). */
import { Fault } from '../base/fault.ts'

/** A value that is read when it is needed, so that a rotated one is taken up. */
export interface Reveals {
  reveal(): string
  /** The server refused it: whoever keeps it is asked for a newer one. */
  doubt?(): void
}

/** Who asks, for credentials that are got by the caller's own token. */
export interface Caller {
  /** Issuer and subject: what is got for one principal is never shown for another. */
  readonly key: string
  /** The bearer token it showed; undefined where it showed none that another server could take. */
  token(): string | undefined
}

/** What a credential may depend on. */
export interface Occasion {
  readonly method: string
  readonly body?: Uint8Array
  readonly caller?: Caller
}

/** Names and values in turn; the names in lower case. */
export type HeaderPairs = readonly string[]

/** Where the headers come from that carry a credential. */
export interface CredentialSource {
  /** Lower case; a client's headers of these names are never passed on. */
  readonly names: readonly string[]
  /**
   * The headers for one request, at once where nobody must be asked for them.
   * @param sent the other headers it will have.
   * @throws {Fault} `secret_missing`, `refused`, `upstream_down`; nothing was sent then.
   */
  headers(of: Occasion, sent: HeaderPairs): HeaderPairs | Promise<HeaderPairs>
  /**
   * The server answered 401.
   * @param shown the very array that `headers` gave.
   * @returns whether the next `headers` are other ones.
   */
  refused?(shown: HeaderPairs): boolean
}

export type Credential =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly value: Reveals }
  | { readonly type: 'header'; readonly name: string; readonly value: Reveals }
  | { readonly type: 'basic'; readonly username: string; readonly password: Reveals }

/** The header that carries the credential; `value()` may change between two requests. */
export interface CredentialHeader {
  /** Lower case; a client's header of this name is never passed on. */
  readonly name: string
  readonly value: () => string
}

/** Headers which frame the message or route it; a credential in one of them would break both. */
const taken = new Set(
  'host content-length content-type transfer-encoding connection keep-alive upgrade te trailer expect accept accept-encoding'.split(
    ' ',
  ),
)

/**
 * The header for a credential, or undefined for none. The value is tried once, now.
 * @throws {Fault} `config_bad` when the header's name is not one a credential can have, or the value
 *   cannot stand in a header (RFC 9110 §5.5: line ends, control characters). A value that goes bad
 *   later is `secret_missing`, when a request needs it. Neither message holds it.
 */
export function credentialHeader(
  connection: string,
  credential: Credential,
): CredentialHeader | undefined {
  if (credential.type === 'none') return undefined
  const name = credential.type === 'header' ? credential.name.toLowerCase() : 'authorization'
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || taken.has(name) || name.startsWith('mcp-')) {
    const message = `connection "${connection}": a credential cannot be sent as header "${name}".`
    throw new Fault('config_bad', message)
  }
  const read = reader(credential)
  let last = read()
  if (!isSendable(last)) throw unusable('config_bad', connection)
  return {
    name,
    value: () => {
      const value = read()
      if (value === last) return value // Checked before, and thousands of times a second the same.
      if (!isSendable(value)) throw unusable('secret_missing', connection)
      last = value
      return value
    },
  }
}

/**
 * The source for a credential that is a value of ours, or undefined for none.
 * @throws {Fault} `config_bad` as `credentialHeader`.
 */
export function valueSource(
  connection: string,
  credential: Credential,
): CredentialSource | undefined {
  const header = credentialHeader(connection, credential)
  if (header === undefined) return undefined
  let pair: HeaderPairs = [] // The same for thousands of requests.
  const source: CredentialSource = {
    names: [header.name],
    headers: () => {
      const value = header.value()
      if (value !== pair[1]) pair = [header.name, value]
      return pair
    },
  }
  const kept = valueOf(credential)
  if (kept?.doubt === undefined) return source
  const refused = (): boolean => {
    kept.doubt?.()
    return false // A newer one, if there is any, comes with a later request.
  }
  return { ...source, refused }
}

function valueOf(credential: Credential): Reveals | undefined {
  if (credential.type === 'none') return undefined
  return credential.type === 'basic' ? credential.password : credential.value
}

function reader(credential: Exclude<Credential, { type: 'none' }>): () => string {
  if (credential.type === 'header') return () => credential.value.reveal()
  if (credential.type === 'bearer') return () => prefixed('Bearer ', credential.value.reveal())
  const { username, password } = credential
  let lastPassword: string | undefined
  let header = ''
  return () => {
    const now = password.reveal()
    if (now !== lastPassword) {
      lastPassword = now
      // RFC 7617 §2: a colon ends the user name; control characters are in neither.
      const isBad = username.includes(':') || !isPrintable(username) || !isPrintable(now)
      header = isBad ? '' : `Basic ${Buffer.from(`${username}:${now}`, 'utf8').toString('base64')}`
    }
    return header
  }
}

/** Empty stays empty, so that a missing token is found and not sent as a lone scheme. */
function prefixed(scheme: string, token: string): string {
  return token === '' ? '' : scheme + token
}

function unusable(code: 'config_bad' | 'secret_missing', connection: string): Fault {
  const what = 'is empty or holds line ends, control or other characters no header can carry'
  const message = `connection "${connection}": the credential ${what}. Nothing was sent.`
  return new Fault(code, message, { facts: { reason: 'credential' } })
}

/** Visible ASCII, and blanks inside. */
function isSendable(value: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(value)
}

function isPrintable(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\x00-\x1f\x7f]/.test(text)
}
