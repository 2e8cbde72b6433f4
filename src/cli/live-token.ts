/**
 * Explains one access token against the configuration: each check and what to do, then whom the
 * gateway sees and what they may. The verdict is the gateway's own (`createIdentity`); the steps
 * only say why. The token is sent nowhere and never shown.
 */
import { systemClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { CheckedConfig, Config } from '../config/config.ts'
import type { ConsoleRole } from '../config/types.ts'
import { audiencesOf, isSameAudience } from '../identity/claims.ts'
import { createIdentity } from '../identity/identify.ts'
import type { IdentityOptions } from '../identity/identify.ts'
import type { Principal } from '../identity/principal.ts'
import { sentenceOf } from '../identity/reasons.ts'
import type { IssuerRow } from '../identity/row.ts'
import { issuerRows } from '../identity/rows.ts'
import { isServiceKey } from '../identity/service-accounts.ts'
import { verifySigned } from '../identity/verify.ts'
import { explainAccess } from '../policy/explain.ts'
import type { AccessLine } from '../policy/explain.ts'
import { rolesOf } from '../policy/roles.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { openState } from './live-state.ts'
import type { SeenState } from './live-state.ts'
import { bearerStep, entraGroupsStep, tenantStep } from './live-token-entra.ts'
import { workflowStep } from './live-token-github.ts'
import { identityOptions } from './live-token-means.ts'
import { findIssuer } from './live-token-issuer.ts'
import {
  audienceStep,
  clientStep,
  groupsStep,
  kindStep,
  rolesStep,
  timeStep,
} from './live-token-steps.ts'
import { bad, doubt, ok, openToken, said } from './live-token-words.ts'
import type { OpenedToken, Step, TokenCase } from './live-token-words.ts'

export interface TokenAsked {
  readonly checked: CheckedConfig
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly token: string
  /** Name of the connection it is for; that of its audience, or the first, where it is missing. */
  readonly connection?: string | undefined
  readonly clock?: Clock
}

export interface ExplainedToken {
  readonly steps: readonly Step[]
  /** There where the gateway lets it in. */
  readonly principal?: Principal
  readonly consoleRoles?: readonly ConsoleRole[]
  /** All grants on the connections asked about, those that do not hold as well. */
  readonly access?: readonly AccessLine[]
}

/** @throws {Fault} `path_unknown` for a connection that is none. */
export async function explainToken(asked: TokenAsked): Promise<ExplainedToken> {
  const { checked, connection, token } = asked
  const { config } = checked
  const isKnown = config.connections.some(({ name }) => name === connection)
  if (connection !== undefined && !isKnown) {
    const names = config.connections.map(({ name }) => name).join(', ')
    throw new Fault('path_unknown', `There is no connection of this name. Known: ${names}.`)
  }
  const early = notJwt(token)
  if (early !== undefined) return { steps: [early] }
  const opened = openToken(token)
  if (opened === undefined) return { steps: [bad('form', notOpened)] }
  const form = ok('form', `a JWT, signed by ${said(opened.header.alg)}`)
  const explained = await explainOpened(opened, asked)
  return { ...explained, steps: [form, ...explained.steps] }
}

const notOpened = 'it has the form of a JWT, but its parts cannot be read; was all of it copied?'

function notJwt(token: string): Step | undefined {
  if (isServiceKey(token)) {
    const words =
      'it is a key of a service account, which says nothing by itself; "sallyport service-account list" tells whether it is good'
    return doubt('form', words)
  }
  const parts = token.split('.').length
  if (parts === 5) return bad('form', 'it is encrypted (JWE); let the issuer only sign it')
  if (parts === 3) return undefined
  return bad(
    'form',
    'it is no JWT. An opaque token is what an issuer gives where no API was asked for: ask for the audience or scope of this gateway',
  )
}

async function explainOpened(opened: OpenedToken, asked: TokenAsked): Promise<ExplainedToken> {
  const { checked, dataDir, env } = asked
  const { config } = checked
  const clock = asked.clock ?? systemClock()
  const secrets = createSecrets({ env, clock })
  const trouble: Step[] = []
  let state: SeenState | undefined
  try {
    state = openState(dataDir, clock)
  } catch (error) {
    const why = 'state.sqlite cannot be read: whether somebody is stopped is not known'
    if (!(error instanceof Fault)) throw error
    trouble.push(doubt('data folder', why))
  }
  try {
    const options = await identityOptions(config, { dataDir, clock, state, secrets, trouble })
    const rows = issuerRows(options.issuers, { ...options, fetch: globalThis.fetch })
    const { row, step } = findIssuer(opened, rows, config)
    if (row === undefined) return { steps: [...trouble, step] }
    const explained = await explainRow(opened, row, { ...asked, clock, options, state })
    return { ...explained, steps: [...trouble, step, ...explained.steps] }
  } finally {
    state?.close()
    secrets.close()
  }
}

interface RowMeans extends TokenAsked {
  readonly clock: Clock
  readonly options: IdentityOptions
  readonly state: SeenState | undefined
}

async function explainRow(
  opened: OpenedToken,
  row: IssuerRow,
  means: RowMeans,
): Promise<ExplainedToken> {
  const { checked, clock, options, state, token } = means
  const { config } = checked
  const index = config.identity.issuers.findIndex(({ name }) => name === row.name)
  const found = config.identity.issuers[index]
  if (found === undefined) return { steps: [] }
  const connection = means.connection ?? connectionOf(opened, config)
  const nowMs = Math.floor(clock.nowUs() / 1000)
  const resource = `${config.publicUrl}/mcp/${connection}`
  const rowPath = ['identity', 'issuers', index]
  const { lifetimeMaxS } = row
  const place = { config, row: found, rowPath, resource, lifetimeMaxS, nowMs }
  const of: TokenCase = { ...opened, ...place }
  const signature = await signatureStep(token, row, opened)
  const identity = createIdentity(options)
  const { fault, principal } = await identity.identify([`Bearer ${token}`], resource).then(
    (seen) => ({ principal: seen, fault: undefined }),
    (error: unknown) => ({ principal: undefined, fault: faultOf(error) }),
  )
  const before = [signature, kindStep(of), timeStep(of), audienceStep(of), clientStep(of)]
  const own = ownSteps(of, { fault, principal, options, issuer: row.principalIssuer })
  const steps = [...before, ...own]
  const verdict = verdictOf({ fault, principal, steps, connection, state, nowMs })
  if (principal === undefined || verdict.verdict === 'wrong') return { steps: [...steps, verdict] }
  return { steps: [...steps, verdict], ...rightsOf(principal, means, nowMs) }
}

function connectionOf({ claims }: OpenedToken, { connections, publicUrl }: Config): string {
  const named = connections.find(({ name }) =>
    audiencesOf(claims).some((one) => isSameAudience(one, `${publicUrl}/mcp/${name}`)),
  )
  return (named ?? connections[0])?.name ?? ''
}

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  throw error
}

/** By the keys of its issuer, whatever its times and audience are. */
async function signatureStep(token: string, row: IssuerRow, opened: OpenedToken): Promise<Step> {
  const { claims, header } = opened
  const type = header.typ === undefined ? 'jwt' : String(header.typ).toLowerCase()
  const kind = { types: [type], requiredClaims: [], lifetimeMaxS: Infinity }
  const { exp, iat, nbf } = claims
  const withinS = Math.max(iat ?? 0, nbf ?? 0) || (exp ?? 1) - 1
  try {
    await verifySigned(token, row, kind, withinS * 1000)
    return ok('signature', `right, by a key that ${row.name} publishes`)
  } catch (error) {
    const fault = faultOf(error)
    const reason = String(fault.facts['reason'])
    if (fault.code === 'identity_down') return bad('signature', fault.message)
    if (reason === 'key_unknown') return bad('signature', keyUnknown)
    // Times and forms have steps of their own: jose looks at them after the signature.
    const isAfter = ['expired', 'not_yet', 'claims', 'bound', 'lifetime'].includes(reason)
    return isAfter ? ok('signature', 'right') : bad('signature', sentenceOf(reason) ?? reason)
  }
}

const keyUnknown =
  'it is signed with a key its issuer does not publish for it: another tenant, another environment, a key of version 1.0 under version 2.0, or an application with keys of its own whose id is not the one in audience'

interface Outcome {
  readonly fault: Fault | undefined
  readonly principal: Principal | undefined
  readonly options: IdentityOptions
  /** As principals carry it. */
  readonly issuer: string
}

function ownSteps(of: TokenCase, { fault, issuer, options, principal }: Outcome): Step[] {
  const { row } = of
  if (row.type === 'oidc') return [groupsStep(of), rolesStep(of)]
  if (row.type === 'github-actions') return [workflowStep(of, row)]
  if (row.type === 'local') return []
  const isAboutGraph = fault?.facts['reason'] === 'groups_unknown'
  const graphTrouble = isAboutGraph ? fault?.message : undefined
  const isRegistered = (subject: string): boolean =>
    options.isRegistered?.(issuer, subject) ?? false
  return [
    tenantStep(of),
    bearerStep(of, isRegistered),
    entraGroupsStep(of, { principal, graphTrouble }),
    rolesStep(of),
  ]
}

interface Judged {
  readonly fault: Fault | undefined
  readonly principal: Principal | undefined
  readonly steps: readonly Step[]
  readonly connection: string
  readonly state: SeenState | undefined
  readonly nowMs: number
}

/** What the gateway does with it, in the end. */
function verdictOf({ connection, fault, nowMs, principal, state }: Judged): Step {
  const what = 'gateway'
  if (principal === undefined) {
    const reason = String(fault?.facts['reason'] ?? 'unknown')
    if (fault?.code !== 'identity_down') {
      return bad(what, `refuses it (${reason}): ${fault?.message ?? ''}`)
    }
    return bad(what, `cannot decide now (${reason}): ${fault.message}`)
  }
  const stop = state?.revocations.find(principal, connection, nowMs)
  if (stop !== undefined) {
    return bad(what, `refuses it: stopped by ${stop.id}; see "sallyport revoke --list"`)
  }
  return ok(what, `lets it in, on connection ${connection}`)
}

function rightsOf(
  principal: Principal,
  { checked, connection }: TokenAsked,
  nowMs: number,
): Pick<ExplainedToken, 'principal' | 'consoleRoles' | 'access'> {
  const { access, connections, console } = checked.config
  const names = connections.map(({ name }) => name)
  const all = explainAccess(access, principal, names, { ip: '', nowMs })
  const shown = all.filter((line) => connection === undefined || line.connection === connection)
  return { principal, consoleRoles: [...rolesOf(principal, console.roles)], access: shown }
}
