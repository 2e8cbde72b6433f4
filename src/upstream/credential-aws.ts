/**
 * AWS Signature Version 4: method, path, query, headers and body of each request are signed.
 * Source: AWS IAM User Guide, "Create a signed AWS API request".
 */
import { createHash, createHmac } from 'node:crypto'
import type { Hash, Hmac } from 'node:crypto'
import type { SignatureV4 } from '@smithy/signature-v4'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { CredentialSource, HeaderPairs, Occasion, Reveals } from './credential.ts'

export interface AwsCredential {
  readonly region: string
  readonly service: string
  readonly accessKeyId: Reveals
  readonly secretAccessKey: Reveals
  readonly sessionToken?: Reveals
}

const names = ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']
const wordForm = /^[a-z0-9][a-z0-9-]{0,63}$/

/**
 * @param url of the connection: all requests go there.
 * @throws {Fault} `config_bad` for a region or service that is none, or a query that is not UTF-8.
 */
export function awsSource(
  connection: string,
  url: URL,
  credential: AwsCredential,
  clock: Clock,
): CredentialSource {
  const { accessKeyId, region, secretAccessKey, service, sessionToken } = credential
  if (!wordForm.test(region) || !wordForm.test(service)) {
    throw bad(connection, 'region and service must be words such as eu-west-1 and execute-api')
  }
  const query = queryOf(connection, url)
  const place = { protocol: url.protocol, hostname: url.hostname, path: url.pathname, query }
  const credentials = async (): Promise<{
    accessKeyId: string
    secretAccessKey: string
    sessionToken?: string
  }> => {
    const pair = { accessKeyId: accessKeyId.reveal(), secretAccessKey: secretAccessKey.reveal() }
    return sessionToken === undefined ? pair : { ...pair, sessionToken: sessionToken.reveal() }
  }
  const opened = async (): Promise<SignatureV4> => {
    // Loaded when it is needed: it takes a tenth of a second, and few connections are at AWS.
    const library = await import('@smithy/signature-v4')
    return new library.SignatureV4({ region, service, credentials, sha256: Sha256 })
  }
  let signer: Promise<SignatureV4> | undefined
  const sign = async (of: Occasion, sent: HeaderPairs): Promise<HeaderPairs> => {
    const { body, method } = of
    const headers = { host: url.host, ...signable(sent) }
    const request = { ...place, method, headers, ...(body === undefined ? {} : { body }) }
    const signingDate = new Date(clock.nowUs() / 1000)
    const signed = await (await (signer ??= opened())).sign(request, { signingDate })
    return names.flatMap((name) => {
      const value = signed.headers[name]
      return value === undefined ? [] : [name, value]
    })
  }
  const refused = (): boolean => {
    for (const one of [accessKeyId, secretAccessKey, sessionToken]) one?.doubt?.()
    return false
  }
  return { names, headers: sign, refused }
}

/** What nobody between us and the server changes, and the server acts upon. */
function signable(sent: HeaderPairs): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < sent.length; i += 2) {
    const [name = '', value = ''] = sent.slice(i, i + 2)
    if (name !== 'content-type' && !name.startsWith('mcp-')) continue
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`
  }
  return headers
}

/** A plus sign is one, and no blank: servers differ about it, so it is sent as it stands. */
function queryOf(connection: string, { search }: URL): Record<string, string[]> {
  const query = new Map<string, string[]>()
  for (const part of search.slice(1).split('&')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
    try {
      const plain = decodeURIComponent(name)
      query.set(plain, [...(query.get(plain) ?? []), decodeURIComponent(value)])
    } catch {
      throw bad(connection, 'the query of its url is not UTF-8 in percent-encoding')
    }
  }
  return Object.fromEntries(query)
}

function bad(connection: string, why: string): Fault {
  return new Fault('config_bad', `connection "${connection}", aws-sigv4: ${why}.`)
}

type Bytes = string | ArrayBuffer | ArrayBufferView

/** SHA-256, or HMAC with a key, in the shape the library asks for. */
class Sha256 {
  readonly #hash: Hash | Hmac
  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
  update(data: Bytes): void {
    this.#hash.update(bytesOf(data))
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  reset(): void {} // Asked for by the type and never called: each digest has its own instance.
}

function bytesOf(data: Bytes): string | Uint8Array {
  if (typeof data === 'string') return data
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
