/**
 * Fetching what a stranger's client id points to: from hosts of the configuration only, never from an
 * address inside, never after a redirect, and never more than a page.
 */
import { lookup } from 'node:dns'
import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { Agent, fetch as send } from 'undici'
import { Fault } from '../base/fault.ts'
import { tidyMetadata } from './metadata.ts'
import { isSpecialUse } from './special-use.ts'

/** One GET. @throws {Fault} `upstream_bad` or `upstream_down` when there is no such document. */
export type GetDocument = (url: URL) => Promise<Fetched>

export interface Fetched {
  readonly status: number
  readonly text: string
  /** Only `cache-control` and `expires` count. */
  readonly headers: Readonly<Record<string, string>>
}

const documentBytesMax = 16 * 1024
const documentMs = 2_500
const failedMs = 30_000
const failedMax = 1_000

/** @param hosts patterns, `*` for any run of characters. Whether one of them is this URL's host. */
export function isAllowedHost(url: URL, hosts: readonly string[]): boolean {
  if (url.protocol !== 'https:' || url.port !== '' || isIP(bareHost(url)) !== 0) return false
  return hosts.some((pattern) => {
    const parts = pattern
      .toLowerCase()
      .split('*')
      .map((part) => RegExp.escape(part))
    return new RegExp(`^${parts.join('.*')}$`).test(url.hostname)
  })
}

/** Node asks this instead of the resolver: a name with one address inside is no name at all. */
export const outsideOnly: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const [first] = found ?? []
    if (error || first === undefined) return callback(error ?? notOutside(), '')
    if (found.some(({ address }) => isSpecialUse(address))) return callback(notOutside(), '')
    // The connection is made to what was looked at here; it is not looked up a second time.
    if (options.all) callback(null, found)
    else callback(null, first.address, first.family)
  })
}

/** Own agent, so that no proxy of the environment resolves names behind our back. */
export function createGet(): GetDocument & { close(): Promise<void> } {
  const agent = new Agent({ connect: { lookup: outsideOnly }, pipelining: 0, connections: 4 })
  const get: GetDocument = async (url) => {
    if (isIP(bareHost(url)) !== 0) throw notOutside() // Addresses are never looked up.
    try {
      const answer = await send(url, {
        dispatcher: agent,
        redirect: 'manual',
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(documentMs),
      })
      const text = await textOf(answer.body)
      const headers: Record<string, string> = {}
      for (const name of ['cache-control', 'expires']) {
        const value = answer.headers.get(name)
        if (value !== null) headers[name] = value
      }
      return { status: answer.status, text, headers }
    } catch (cause) {
      throw faultIn(cause) ?? new Fault('upstream_down', notThere, { cause })
    }
  }
  return Object.assign(get, { close: () => agent.close() })
}

const otherClient =
  'A client metadata document names another client id than its address; its client is refused.'
const notJson = 'A client metadata document is no JSON; its client is refused.'
const notThere = 'A client metadata document cannot be fetched; its client is refused.'
const notKeys = 'The keys that a client metadata document points to are no key set; it has none.'

/**
 * Proves at start-up that nothing inside is reached.
 * @throws {Fault} `config_bad` when an address inside was tried.
 */
export async function proveOutsideOnly(get: GetDocument): Promise<void> {
  const inside = ['https://127.0.0.1/', 'https://[::1]/', 'https://localhost/']
  for (const address of inside) {
    // A name that nobody knows was not connected to either.
    const isRefused = await get(new URL(address)).then(
      () => false,
      (error: unknown) => reasonOf(error) === 'address_inside' || isUnknownName(error),
    )
    if (isRefused) continue
    const message =
      'Client metadata documents could be fetched from addresses inside this network, so the authorization server does not start. Set identity.authorization_server.document_hosts to an empty list, or report this.'
    throw new Fault('config_bad', message, { facts: { reason: 'document_guard' } })
  }
}

/**
 * The `fetch` of `oidc-provider`: for documents of clients, and for keys they name there. What an
 * answer is taken for is decided by what was asked for, never by what it holds: a document is tidied,
 * and of keys nothing but `keys` is passed on, so that neither can stand in for the other.
 * @param keysAddress `jwks_uri` of the client that was found for the request at hand.
 */
export function documentFetch(
  get: GetDocument,
  hosts: readonly string[],
  nowMs: () => number,
  keysAddress: () => string | undefined,
): (input: string | URL | Request) => Promise<Response> {
  const failed = new Map<string, { fault: Fault; untilMs: number }>()
  return async (input) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (!isAllowedHost(url, hosts)) throw notOutside()
    const isKeys = URL.parse(keysAddress() ?? '')?.href === url.href
    // Apart: who asks for an address as the one must not spoil it as the other.
    const name = `${isKeys ? 'keys' : 'document'} ${url.href}`
    // The library asks again while it words its error, and whoever is refused tries again at once:
    // somebody else's server must not pay for that.
    const known = failed.get(name)
    if (known !== undefined && nowMs() < known.untilMs) throw known.fault
    failed.delete(name)
    try {
      const asked = input instanceof Request ? input.url : String(input)
      return await document(get, url, isKeys ? keysOnly : (said) => tidied(said, asked))
    } catch (error) {
      if (failed.size >= failedMax) failed.clear()
      if (error instanceof Fault) failed.set(name, { fault: error, untilMs: nowMs() + failedMs })
      throw error
    }
  }
}

/** @param passed what may be passed on of the JSON that was found. */
async function document(
  get: GetDocument,
  url: URL,
  passed: (said: unknown) => unknown,
): Promise<Response> {
  const { status, text, headers } = await get(url)
  if (status !== 200) throw new Fault('upstream_bad', notThere, { facts: { reason: 'status' } })
  if (text.length > documentBytesMax) throw tooLarge()
  return new Response(JSON.stringify(passed(parsed(text))), { status, headers })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Fault('upstream_bad', notJson, { facts: { reason: 'json' } })
  }
}

/** A key set, without whatever else was said (RFC 7517 §5). */
function keysOnly(said: unknown): unknown {
  const keys: unknown =
    typeof said === 'object' && said !== null && Object.hasOwn(said, 'keys')
      ? Reflect.get(said, 'keys')
      : undefined
  if (Array.isArray(keys)) return { keys }
  throw new Fault('upstream_bad', notKeys, { facts: { reason: 'keys' } })
}

function tidied(said: unknown, asked: string): unknown {
  const made = tidyMetadata(said, 'document')
  if ('metadata' in made) {
    // Character by character: who is asked about must be who answers (draft §4.1).
    if (made.metadata['client_id'] === asked) return made.metadata
    throw new Fault('upstream_bad', otherClient, { facts: { reason: 'client_id' } })
  }
  const message = `A client metadata document is refused: ${made.why}.`
  throw new Fault('upstream_bad', message, { facts: { reason: made.error } })
}

async function textOf(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.length
    if (sizeBytes > documentBytesMax) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function notOutside(): Fault {
  const message =
    'A client id points to a host that is not configured or to an address inside a network; nothing was fetched.'
  return new Fault('upstream_bad', message, { facts: { reason: 'address_inside' } })
}

function tooLarge(): Fault {
  const message = `A client metadata document is over ${documentBytesMax} bytes; its client is refused.`
  return new Fault('upstream_bad', message, { facts: { reason: 'too_large' } })
}

/** A fault of ours, however deep `fetch` has wrapped it. */
function faultIn(error: unknown): Fault | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof Fault) return at
  }
  return undefined
}

function reasonOf(error: unknown): unknown {
  return error instanceof Fault ? error.facts['reason'] : undefined
}

function isUnknownName(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && (at.code === 'ENOTFOUND' || at.code === 'EAI_AGAIN')) return true
  }
  return false
}
