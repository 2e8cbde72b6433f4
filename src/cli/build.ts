/** Opens everything that a gateway is made of. `start.ts` lets it serve. */
import { hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { systemClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { realDisk } from '../base/disk.ts'
import type { Disk } from '../base/disk.ts'
import type { CheckedConfig, Config } from '../config/config.ts'
import { Budget, StreamCount } from '../exchange/budget.ts'
import { Floods } from '../exchange/floods.ts'
import { ToolMirrors } from '../exchange/mirrors.ts'
import type { Stations } from '../exchange/stations.ts'
import type { Way } from '../exchange/way.ts'
import { makeLocalKey, openLocalIssuer } from '../identity/local.ts'
import type { LocalIssuer } from '../identity/local.ts'
import type { UsedTokens } from '../identity/replay.ts'
import { allowedHosts, allowedOrigins, checkHost } from '../listener/host.ts'
import { createMasker } from '../mask/masker.ts'
import { OutputSchemas } from '../mask/schemas.ts'
import { ExposureLedger } from '../policy/exposure.ts'
import { openDecisionPoint } from '../policy/decision-point.ts'
import type { DecisionPoint } from '../policy/decision-point.ts'
import { compileGrants } from '../policy/grants.ts'
import { compileRules } from '../policy/rules.ts'
import { createNote } from '../record/notes.ts'
import type { Note } from '../record/notes.ts'
import type { RecordPlace } from '../record/read.ts'
import { vkeysOf } from '../record/tree-keys.ts'
import { secretRefsIn } from '../secrets/references.ts'
import { createSecrets } from '../secrets/secrets.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { ExposureStore } from '../session/exposure-store.ts'
import { Sessions } from '../session/sessions.ts'
import { openReplays } from '../signin/saml-replays.ts'
import type { ReplayStore } from '../signin/saml-replays.ts'
import { SessionState } from '../session/state.ts'
import { openConnections } from './connections.ts'
import { heldParts, openHoldingOf } from './held-parts.ts'
import type { Holding } from './holding.ts'
import { identities, openKnown } from './identities.ts'
import type { Known } from './identities.ts'
import { maskerKeys, openKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import { Live } from './in-force.ts'
import type { InForce } from './in-force.ts'
import { createMetrics } from './meters.ts'
import type { Metrics } from './meters.ts'
import { bodyKeysOf, writer } from './record-parts.ts'
import { RecordWatch } from './record-watch.ts'
import { openSignedRecord } from './signed-record.ts'
import type { SignedRecord } from './signed-record.ts'

export interface StartOptions {
  readonly checked: CheckedConfig
  /** In place of the file's ports; 0 takes any free one. */
  readonly gatewayPort?: number | undefined
  readonly consolePort?: number | undefined
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the record is written; the machine's disk unless told otherwise. */
  readonly disk?: Disk
  /** Where the own log goes; standard error unless told otherwise. */
  readonly log?: Logger
  /** The machine's clock unless told otherwise. */
  readonly clock?: Clock
}

export interface Built {
  readonly at: Stations
  readonly live: Live
  readonly make: (config: Config, sha256: string) => InForce
  readonly known: Known
  readonly holding: Holding
  /** Messages and tokens that are good once. */
  readonly replays: ReplayStore
  readonly note: Note
  readonly secrets: Secrets
  readonly local: LocalIssuer | undefined
  readonly metrics: Metrics
  readonly state: SessionState
  readonly record: SignedRecord
  readonly place: RecordPlace
  /** Public keys of the log. */
  readonly vkeys: readonly string[]
  /** Those and its witnesses', which the log names itself. */
  readonly named: readonly string[]
  stopping(): void
  /** Tells the metrics how far the index is behind. */
  watchIndex(lag: () => number): void
}

/** @throws {Fault} as `startGateway`. */
export async function buildStations(
  options: StartOptions,
  config: Config,
  log: Logger,
): Promise<Built> {
  const { dataDir } = options
  const ground = await openGround(options, config, log)
  const { clock, connections, keys, known, live, local, make, masker, note, secrets } = ground
  const { place, record, replays } = ground
  const { recorder, recovered } = record
  const holding = await openHoldingOf(ground, { config, dataDir, log })
  const state = new SessionState(join(dataDir, 'state.sqlite'), keys.state)
  const exposure = openExposure(dataDir, state, clock, log)
  const sessions = new Sessions({ state, clock, idleMs: config.record.sessionIdleMs })
  const fresh = freshParts(clock, config.limits)
  let indexLag = (): number => 0 // Until the index is open.
  const metrics = metricsOf(record, holding, { fresh, sessions, indexLag: () => indexLag() })
  let isStopping = false
  const at: Stations = {
    ...fresh,
    ...heldParts(ground, holding, config),
    connections,
    checkHost: hostCheck(config),
    identity: live.identity,
    ownIssuer: local?.issuer,
    directory: known.directory,
    revocations: known.revocations,
    access: live.access,
    sessions,
    state,
    masker,
    exposure,
    recorder,
    clock,
    digest: digester(),
    redact: (bytes) => secrets.redact(bytes),
    limits: config.limits,
    isStopping: () => isStopping,
    meters: metrics,
    log,
  }
  const vkeys = vkeysOf(recovered.origin, keys.signing)
  return {
    at,
    live,
    make,
    known,
    holding,
    replays,
    note,
    secrets,
    local,
    metrics,
    state,
    record,
    place,
    vkeys,
    named: [...vkeys, ...config.record.witnesses.map(({ vkey }) => vkey)],
    stopping: () => void (isStopping = true),
    watchIndex: (lag) => void (indexLag = lag),
  }
}

const heldCountMax = 1000

function metricsOf(
  record: SignedRecord,
  { notices, tickets }: Holding,
  of: { fresh: Pick<Stations, FreshPart>; sessions: Sessions; indexLag: () => number },
): Metrics {
  const { fresh, indexLag, sessions } = of
  const { recorder } = record
  return createMetrics({
    record: () => ({
      state: recorder.state(),
      figures: recorder.figures(),
      tree: record.figures(),
    }),
    indexLag,
    underway: () => fresh.underway.size,
    sessions: () => sessions.openCount,
    inFlightBytes: () => fresh.budget.usedBytes,
    held: () => tickets.list({ states: ['pending'], limit: heldCountMax }).length,
    notices: () => notices.figures(),
  })
}

/** What stands before the stations: secrets, who is believed, the record. */
export interface Ground extends Believed {
  readonly clock: Clock
  readonly keys: Keys
  readonly secrets: Secrets
  readonly connections: Stations['connections']
  readonly place: RecordPlace
  readonly record: SignedRecord
  readonly masker: Stations['masker']
  readonly note: Note
}

async function openGround(options: StartOptions, config: Config, log: Logger): Promise<Ground> {
  const { clock = systemClock(), dataDir, env } = options
  const keys = openKeys(dataDir)
  const told: Told = { note: undefined } // Until the record is open nothing has been rotated.
  const secrets = openSecrets(env, clock, told, log)
  await secrets.ready(secretRefsIn(config))
  const onTrouble = (fault: Fault): void => tellTrouble(fault, log)
  const means = { env, clock, onTrouble }
  const connections = openConnections(config.connections, config.publicUrl, secrets, means)
  const believed = await openBelieved(options, config, { clock, keys, secrets, log })
  const own = await openOwnRecord(options, config, { clock, keys, secrets, log })
  const masker = createMasker(maskerKeys(keys, config.record.cardSearch))
  const note = createNote(own.record.recorder, masker)
  told.note = note
  return { ...believed, ...own, clock, keys, secrets, connections, masker, note }
}

type FreshPart =
  | 'budget'
  | 'underway'
  | 'streams'
  | 'floods'
  | 'sealed'
  | 'pending'
  | 'mirrors'
  | 'schemas'

/** What every start begins anew. */
function freshParts(clock: Clock, limits: Config['limits']): Pick<Stations, FreshPart> {
  return {
    budget: new Budget(limits.inFlightBytesMax),
    underway: new Set<Way>(),
    streams: new StreamCount(limits.streamsPerPrincipalMax),
    floods: new Floods(clock, limits.refusalsPerMinuteMax),
    sealed: { atMs: clock.monotonicMs() },
    pending: new Map(),
    mirrors: new ToolMirrors(),
    schemas: new OutputSchemas(),
  }
}

interface Believed {
  readonly local: LocalIssuer | undefined
  readonly known: Known
  readonly live: Live
  readonly make: Built['make']
  readonly replays: ReplayStore
}

/** Who is believed, known and allowed what; a part of it changes while the gateway runs. */
async function openBelieved(
  { checked, dataDir }: StartOptions,
  config: Config,
  of: { clock: Clock; keys: Keys; secrets: Secrets; log: Logger },
): Promise<Believed> {
  const { clock, keys, log, secrets } = of
  const local = await openLocal(config, dataDir, clock)
  const known = openKnown(dataDir, clock, keys.service)
  const replays = openReplays(join(dataDir, 'state.sqlite'))
  // A restart must not let a token in a second time that is good once.
  const usedTokens: UsedTokens = {
    use: (key, untilMs, nowMs) => replays.take([`token ${key}`], untilMs, nowMs),
  }
  const identityOf = identities({ clock, known, local, secrets, usedTokens })
  const point = openPoint(config, secrets, log)
  const make: Built['make'] = (next, sha256) => ({
    config: next,
    sha256,
    identity: identityOf(next),
    access: compileGrants(next.access, (grant, fault) => log.warn({ grant, fault }, 'condition')),
    rules: compileRules(next, { point, tell: (rule, fault) => log.warn({ rule, fault }, 'rule') }),
  })
  return { local, known, live: new Live(make(config, checked.sha256)), make, replays }
}

/** Another decision maker; its address changes with a restart alone. */
function openPoint(
  { decisionPoint }: Config,
  secrets: Secrets,
  log: Logger,
): DecisionPoint | undefined {
  if (decisionPoint === undefined) return undefined
  const { token } = decisionPoint
  const live = token && secrets.open(token, 'header', 'decision_point.token')
  const tell = (why: string): void => log.warn({ why }, 'decision point')
  return openDecisionPoint(decisionPoint, live && (() => live.read()), tell)
}

/** Where a rotated secret is recorded, once that is possible. */
interface Told {
  note: Note | undefined
}

function openSecrets(env: StartOptions['env'], clock: Clock, told: Told, log: Logger): Secrets {
  const onRotated = (where: string, from: string): void => {
    told.note?.('credential.rotated', {}, { where, from }).catch((error: unknown) => {
      // The secret is in force all the same: the record's own state says that it is down.
      log.warn({ code: error instanceof Fault ? error.code : 'unknown' }, 'unrecorded')
    })
  }
  return createSecrets({ env, clock, onTrouble: (fault) => tellTrouble(fault, log), onRotated })
}

function tellTrouble({ code, facts }: Fault, log: Logger): void {
  log.warn({ code, where: facts['where'] }, 'secret')
}

function hostCheck({ listen, publicUrl }: Config): Stations['checkHost'] {
  const rules = { bound: listen.gateway.host, publicUrl, ...listen }
  const [hosts, origins] = [allowedHosts(rules), allowedOrigins(rules)]
  return (headers) => checkHost(headers, hosts, origins)
}

async function openOwnRecord(
  { dataDir, disk = realDisk, env }: StartOptions,
  { record: config }: Config,
  { clock, keys, log, secrets }: { clock: Clock; keys: Keys; log: Logger; secrets: Secrets },
): Promise<{ place: RecordPlace; record: SignedRecord }> {
  const hide = (value: string): void => secrets.hide(value)
  const key = config.keyEncryptionKey
  const bodyKeys = await bodyKeysOf(dataDir, { key, env, clock, hide })
  const dir = join(dataDir, 'record')
  const parts = { dir, disk, clock, config, bodyKeys, log, watch: new RecordWatch() }
  const record = await openSignedRecord({ ...parts, signing: keys.signing })
  return { place: { disk: realDisk, dir, writer, bodyKeys }, record }
}

function openExposure(
  dataDir: string,
  state: SessionState,
  clock: Clock,
  log: Logger,
): ExposureLedger {
  const store = ExposureStore.open(join(dataDir, 'state.sqlite'))
  const onTrouble = (why: string): void => log.warn({ why }, 'exposure not written')
  return new ExposureLedger({ store, clock, hash: (id) => state.hash(id), onTrouble })
}

async function openLocal(
  config: Config,
  dataDir: string,
  clock: Clock,
): Promise<LocalIssuer | undefined> {
  const row = config.identity.issuers.find(({ type }) => type === 'local')
  if (row?.type !== 'local') return undefined
  await makeLocalKey(dataDir)
  return await openLocalIssuer({ dataDir, issuer: row.issuer, clock })
}

/**
 * SHA-256 between two keys that never leave this process, like the digest itself: arguments may hold
 * a card number. One call of `hash` costs a fifth of an HMAC, and there is one for each request.
 */
function digester(): Stations['digest'] {
  const before = randomBytes(32)
  const after = randomBytes(32)
  return (connection, verb, sid, body) => {
    const head = Buffer.from(`${connection}\n${verb}\n${sid}\n`)
    return hash('sha256', Buffer.concat([before, head, body, after]), 'base64')
  }
}
