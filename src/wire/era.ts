/**
 * Which revision of MCP a request speaks. Modern (2026-07-28) requests carry their version in the
 * body, legacy ones in their session; the body decides, headers must agree.
 */
import { Fault } from '../base/fault.ts'
import { NONE, stringAt } from './json.ts'
import type { HeaderView } from './headers.ts'
import type { Message, Posted } from './message.ts'

export type Era = 'modern' | 'legacy'

/** What a request speaks. */
export interface Spoken {
  readonly era: Era
  readonly version: string
}

/** Revisions spoken, newest first. */
const modernVersions: readonly string[] = ['2026-07-28']
const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26']

/** The only revision with JSON-RPC batches, and the one without a version header. */
const batchVersion = '2025-03-26'
const newestLegacy = '2025-11-25'

export const versionKey = 'io.modelcontextprotocol/protocolVersion'
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'
const versionHeader = 'mcp-protocol-version'

/**
 * Classifies one HTTP request (MCP 2026-07-28, Versioning; 2025-11-25, Transports).
 * @param posted the body, or null for GET and DELETE.
 * @param sessionVersion what the legacy session negotiated, where that is known.
 * @throws {Fault}
 *   `version_unsupported`: `facts.supported`, `facts.era` (the form the answer should have) and,
 *   only if it looks like a version, `facts.requested`;
 *   `header_mismatch`: a modern request whose version header is absent or another one, or a version
 *   header sent twice;
 *   `bad_params`: a modern header without the version in the body (`meta_missing`), or modern
 *   metadata that is incomplete (`meta_version`, `meta_capabilities`);
 *   `batch_refused`: a batch with a modern element (`modern`), with `initialize` (`initialize`), or
 *   in another revision than 2025-03-26 (`version`);
 *   `bad_request` (`response`): an answer posted under a modern header;
 *   `method_not_allowed`: GET or DELETE under a modern header.
 */
export function classify(
  posted: Posted | null,
  headers: HeaderView,
  sessionVersion?: string,
): Spoken {
  if (posted === null) return classifyBodyless(headers, sessionVersion)
  if (posted.kind === 'batch') return classifyBatch(posted.messages, headers, sessionVersion)
  const { message } = posted
  if (metaVersion(message) !== NONE) return classifyModern(message, headers)
  if (message.method === 'initialize') return { era: 'legacy', version: askedVersion(message) }
  const header = oneVersion(headers)
  if (header !== undefined && modernVersions.includes(header)) {
    return classifyUnderModernHeader(message, header)
  }
  return { era: 'legacy', version: legacyVersion(header, sessionVersion) }
}

function classifyBodyless(headers: HeaderView, sessionVersion?: string): Spoken {
  const header = oneVersion(headers)
  if (header !== undefined && modernVersions.includes(header)) {
    const message = 'This revision of MCP knows POST only: there are no sessions to open or end.'
    throw new Fault('method_not_allowed', message, { facts: { reason: 'modern' } })
  }
  return { era: 'legacy', version: legacyVersion(header, sessionVersion) }
}

/** Both SDKs run arrays under any legacy version; only 2025-03-26 allows them. */
function classifyBatch(
  messages: readonly Message[],
  headers: HeaderView,
  sessionVersion?: string,
): Spoken {
  const header = oneVersion(headers)
  const isModern = header !== undefined && modernVersions.includes(header)
  if (isModern || messages.some((message) => metaVersion(message) !== NONE)) {
    throw noBatch('modern', 'Requests of this revision of MCP may not be sent as an array.')
  }
  if (messages.some((message) => message.method === 'initialize')) {
    throw noBatch('initialize', 'initialize may not be part of an array.')
  }
  const version = legacyVersion(header, sessionVersion)
  if (version !== batchVersion || (sessionVersion ?? batchVersion) !== batchVersion) {
    throw noBatch('version', `Only MCP ${batchVersion} has arrays of messages.`)
  }
  return { era: 'legacy', version }
}

function noBatch(reason: string, what: string): Fault {
  return new Fault('batch_refused', `${what} Send each by itself; nothing was forwarded.`, {
    facts: { reason },
  })
}

function classifyModern(message: Message, headers: HeaderView): Spoken {
  const { tree } = message
  const version = stringAt(tree, metaVersion(message))
  if (version === undefined) throw badMeta('meta_version', versionKey, 'is not a text')
  const header = oneVersion(headers)
  if (header === undefined) throw mismatch('missing', 'MCP-Protocol-Version is missing')
  if (header !== version)
    throw mismatch('different', 'MCP-Protocol-Version is not the one in _meta')
  if (!modernVersions.includes(version)) throw unsupported('modern', version)
  if (message.kind === 'request') {
    const capabilities = tree.get(tree.get(message.params, '_meta'), capabilitiesKey)
    if (capabilities === NONE || tree.kind(capabilities) !== 'object') {
      throw badMeta('meta_capabilities', capabilitiesKey, 'is missing or no object')
    }
  }
  return { era: 'modern', version }
}

/** Never a silent fall-back: the header says modern, so what modern requires must be there. */
function classifyUnderModernHeader(message: Message, version: string): Spoken {
  switch (message.kind) {
    case 'request':
      throw badMeta('meta_missing', versionKey, 'is missing')
    case 'response': {
      const what = 'This revision of MCP has no answers posted by clients; nothing was forwarded.'
      throw new Fault('bad_request', what, { facts: { reason: 'response' } })
    }
    case 'notification': // The revision defines no rules for these: take the header's word.
      return { era: 'modern', version }
  }
}

function badMeta(reason: string, key: string, what: string): Fault {
  return new Fault('bad_params', `params._meta["${key}"] ${what}; nothing was forwarded.`, {
    facts: { reason, key },
  })
}

function mismatch(reason: string, what: string): Fault {
  const message = `The headers and the body do not agree: ${what}. Nothing was forwarded.`
  return new Fault('header_mismatch', message, {
    facts: { reason, header: 'MCP-Protocol-Version' },
  })
}

function unsupported(era: Era, requested: string): Fault {
  const supported = era === 'modern' ? modernVersions : [...modernVersions, ...legacyVersions]
  const facts = { reason: 'unsupported', era, supported }
  const message = `This version of MCP is not spoken here; supported: ${supported.join(', ')}.`
  // Only what looks like a version is repeated, a date or such as v999.0.0: anything else could be
  // anything. With no more than eight digits it cannot be a card number, in groups or without.
  const isVersion = /^(?=.{1,24}$)(?!(?:\D*\d){9})(?!.*\d{6})[\w.-]+$/.test(requested)
  return new Fault('version_unsupported', message, {
    facts: isVersion ? { ...facts, requested } : facts,
  })
}

function metaVersion(message: Message): number {
  const { tree, params } = message
  return tree.get(tree.get(params, '_meta'), versionKey)
}

function oneVersion(headers: HeaderView): string | undefined {
  if (headers.count(versionHeader) > 1) {
    throw mismatch('repeated', 'MCP-Protocol-Version was sent more than once')
  }
  return headers.get(versionHeader)
}

function legacyVersion(header: string | undefined, sessionVersion: string | undefined): string {
  if (header === undefined) return sessionVersion ?? batchVersion
  if (!legacyVersions.includes(header)) throw unsupported('legacy', header)
  return header
}

/** `initialize` is legacy whatever it asks for; the server answers with what it will speak. */
function askedVersion(message: Message): string {
  const { tree, params } = message
  const asked = stringAt(tree, tree.get(params, 'protocolVersion')) ?? ''
  return legacyVersions.includes(asked) ? asked : newestLegacy
}
