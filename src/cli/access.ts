/** `sallyport access`: its options, and what is asked. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Writable } from 'node:stream'
import { Fault } from '../base/fault.ts'
import { parseDuration } from '../config/units.ts'
import { explainAccess } from '../policy/explain.ts'
import type { Bearer } from '../policy/who.ts'
import type { AboutAccess, AccessView } from './access-asked.ts'
import { accessLines } from './access-lines.ts'
import type { Outlets } from './ask.ts'
import { findConfig } from './installation.ts'
import type { Where } from './installation.ts'
import { parseMoment } from './moments.ts'
import { namedIssuers } from './people-desk.ts'
import type { NamedIssuer } from './people-desk.ts'

/** How these commands reach whoever answers: `ask`, in the program. */
export type AskAccess = (asked: AboutAccess, where: Where, outlets: Outlets) => Promise<number>

export interface ShowOptions extends Where {
  readonly issuer?: string | undefined
  readonly subject?: string | undefined
  readonly kind?: string | undefined
  readonly group?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  readonly claims?: string | undefined
  readonly client?: string | undefined
  readonly at?: string | undefined
  readonly from?: string | undefined
  readonly all?: boolean | undefined
  readonly json?: boolean | undefined
}

const imagined = ['issuer', 'subject', 'kind', 'group', 'role', 'claims'] as const
const kinds = ['person', 'service', 'workload'] as const

/**
 * Prints what somebody may do, and why: a principal by the list in force, or somebody imagined by the
 * list in the file, so that a change can be tried before it is made.
 * @returns 2 for options that are none or do not go together.
 */
export async function showCommand(
  principal: string | undefined,
  options: ShowOptions,
  outlets: Outlets,
  ask: AskAccess,
): Promise<number> {
  const wrong = (words: string): number => {
    outlets.errors.write(`${words}\n`)
    return 2
  }
  const nowMs = Date.now()
  const atMs = options.at === undefined ? undefined : parseMoment(options.at, nowMs)
  if (Number.isNaN(atMs))
    return wrong('--at is a moment with its zone, such as 2026-12-31T17:00:00Z, or +2h.')
  const { client, from: ip } = options
  if (ip !== undefined && isIP(ip) === 0) return wrong('--from is an IP address.')
  if (options.kind !== undefined && !kinds.some((kind) => kind === options.kind)) {
    return wrong('--kind is person, service or workload.')
  }
  const isImagined = imagined.some((name) => options[name] !== undefined)
  if (principal !== undefined && isImagined) {
    return wrong(
      'Name a principal, or describe one by --issuer, --subject, --kind, --group, --role and --claims; not both.',
    )
  }
  if (principal === undefined && !isImagined) {
    return wrong('Name a principal, or describe one, as by --group engineers.')
  }
  const format = options.json === true ? ('jsonl' as const) : ('text' as const)
  const view: AccessView = { client, atMs, ip, isAll: options.all === true, format }
  if (principal !== undefined)
    return await ask({ what: 'access', principal, ...view }, options, outlets)
  showImagined(options, view, nowMs, outlets.out)
  return 0
}

/** @throws {Fault} `config_bad` as `findConfig`, or for claims or an issuer that are none. */
function showImagined(options: ShowOptions, view: AccessView, nowMs: number, out: Writable): void {
  const { config } = findConfig(options)
  const bearer = imaginedBearer(options, namedIssuers(config.identity))
  const connections = config.connections.map(({ name }) => name)
  const of = { ip: view.ip ?? '', nowMs: view.atMs ?? nowMs }
  const lines = explainAccess(config.access, bearer, connections, of)
  const { groups, roles } = bearer
  const who = [
    `Somebody of kind ${bearer.kind}`,
    ...groups.map((one) => `group ${one}`),
    ...roles.map((one) => `role ${one}`),
  ]
  for (const line of accessLines(lines, { who: who.join(', '), ...of }, view)) out.write(line)
}

function imaginedBearer(options: ShowOptions, issuers: readonly NamedIssuer[]): Bearer {
  const { claims, client, group = [], kind = 'person', role = [], subject = 'somebody' } = options
  return {
    issuer: issuerOf(options.issuer, issuers),
    subject,
    kind,
    groups: group,
    roles: role,
    ...(client === undefined ? {} : { clientId: client }),
    claims: claims === undefined ? {} : readClaims(claims),
  }
}

/** By its name in the configuration or its identifier; the first one there is, where none is named. */
function issuerOf(given: string | undefined, issuers: readonly NamedIssuer[]): string {
  if (given === undefined) return issuers[0]?.issuer ?? ''
  const named = issuers.filter(({ name }) => name === given)
  const identified = issuers.find(({ issuer }) => issuer === given)
  const [only, ...others] = [...new Set(named.map(({ issuer }) => issuer))]
  if (identified) return identified.issuer
  if (only !== undefined && others.length === 0) return only
  const message =
    only === undefined
      ? 'The configuration has no issuer or sign-in of this name.'
      : 'This issuer has several identifiers, one for each tenant: name the one you mean.'
  throw new Fault('config_bad', message)
}

const claimsBytesMax = 1_048_576

/** @throws {Fault} `config_bad`. */
function readClaims(file: string): Readonly<Record<string, unknown>> {
  const bytes = readFileSync(file)
  let read: unknown
  try {
    read = bytes.length <= claimsBytesMax ? JSON.parse(bytes.toString('utf8')) : undefined
  } catch {
    read = undefined // No JSON, which the fault says; the library's words would quote it.
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    throw new Fault('config_bad', 'The file of --claims is no JSON object of up to 1 MiB.')
  }
  return { ...read }
}

export interface ReviewOptions extends Where {
  readonly since: string
  readonly signOff?: boolean | undefined
  readonly byReason?: string | undefined
  readonly json?: boolean | undefined
}

/** Prints what was granted and not used. @returns 2 for options that are none or do not go together. */
export async function reviewCommand(
  options: ReviewOptions,
  outlets: Outlets,
  ask: AskAccess,
): Promise<number> {
  const wrong = (words: string): number => {
    outlets.errors.write(`${words}\n`)
    return 2
  }
  const sinceMs = parseDuration(options.since)
  if (!(sinceMs >= 1 && sinceMs <= 3650 * 86_400_000)) {
    return wrong('--since is a time such as 90d or 24h, ten years at most.')
  }
  const reason = options.byReason?.trim()
  if (options.signOff === true && (reason === undefined || reason === '')) {
    return wrong('--sign-off wants --by-reason TEXT: who approved what stays as it is.')
  }
  if (options.signOff !== true && reason !== undefined)
    return wrong('--by-reason goes with --sign-off.')
  const format = options.json === true ? ('jsonl' as const) : ('text' as const)
  const asked = { what: 'access-review', sinceMs, signOff: reason, format } as const
  return await ask(asked, options, outlets)
}
